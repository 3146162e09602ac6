//! A running host: the engine with HTTP in front of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::settings::Config;
use samsyn_api::last_use::LastUses;
use samsyn_api::{self as api, ApiState, Token, TokenError};
use samsyn_audit::ReadAudit;
use samsyn_disk::DataDir;
use samsyn_engine::{ChangeError, Engine, Start, StartError};
use samsyn_follow::HostFollowers;
use samsyn_http::{Tls, TlsError};
use samsyn_log::Progress;
use samsyn_machine::clock::Clock;
use samsyn_outgoing::{Outgoing, PauseError, pause_a_copy};
use samsyn_registry::RegistryChange;
use samsyn_sandbox::Compiler;
use samsyn_secrets::{KeySources, Secrets};
use samsyn_state::view::Opened;
use samsyn_vocabulary::Application;

/// How long requests under way may take when the host stops.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// How long events that were taken may take to be decided when the host stops. What isn't decided
/// by then is after the next start.
const DECIDE_PATIENCE: Duration = Duration::from_secs(10);

/// How long calls that are under way may take when the host stops: as long as an endpoint's usual timeout.
const CALL_PATIENCE: Duration = Duration::from_secs(30);

/// What makes this program compile one component and end: see [`Compiler::Child`].
pub const COMPILE_COMMAND: &str = "compile-component";

/// Untrusted components are compiled by this program itself, started as a bounded child.
pub fn compiler() -> Compiler {
    match std::env::current_exe() {
        Ok(program) => Compiler::Child { program, arguments: vec![COMPILE_COMMAND.into()] },
        Err(_) => Compiler::InProcess,
    }
}

/// Why a host can't start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine can't.
    #[error(transparent)]
    Engine(#[from] StartError),
    /// Nobody can be listened to.
    #[error("can't listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What caused it.
        cause: std::io::Error,
    },
    /// Whatever is said would be readable on its way.
    #[error(
        "{address} is not a loopback address and TLS is not configured: others could read tokens and personal data"
    )]
    Insecure {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The certificate can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No token can be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token's hash can't be written.
    #[error("the admin token's hash can't be written: {0}")]
    Registry(#[from] ChangeError),
    /// A copy would send what another host sends.
    #[error("all sending of this copy is to be paused, and can't be: {0}")]
    Pause(#[from] PauseError),
    /// The threads that answer can't be started.
    #[error("the HTTP threads can't be started: {0}")]
    Threads(std::io::Error),
    /// What follows the log can't be started.
    #[error("the threads that follow the log can't be started: {0}")]
    Followers(std::io::Error),
}

impl HostError {
    /// What to do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            HostError::Listen { .. } => {
                "stop the process that listens there, or choose another address with --listen"
            }
            HostError::Insecure { .. } => {
                "set `certificate` and `key` under [tls], or listen on 127.0.0.1; behind a proxy with TLS set insecure_listen = true"
            }
            HostError::Tls(_) => "fix the file, or the paths under [tls], and start again",
            HostError::Engine(StartError::Log(_)) => {
                "check the log with `samsyn log verify`, and whether another host uses this data directory; for a damaged log see `samsyn log repair --dry-run`"
            }
            _ => "fix the cause and start again; every acknowledged event is safe",
        }
    }
}

/// A running host.
pub struct Host {
    engine: Arc<Engine>,
    audit: Arc<ReadAudit>,
    followers: Arc<HostFollowers>,
    outgoing: Arc<Outgoing>,
    address: SocketAddr,
    scheme: &'static str,
    token: Option<Token>,
    opened: Opened,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    uses: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl Host {
    /// Starts a host on a data directory, which is made when there is none. `progress` is told
    /// how far folding the view is, when it must be folded.
    pub fn start(
        config: &Config,
        compiler: Compiler,
        new_token: bool,
        progress: impl FnMut(Progress),
    ) -> Result<Host, HostError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(HostError::Threads)?;
        // First of all, so that a port that is taken is said before anything is touched.
        let address = config.listen;
        let tls = Tls::open(&config.tls.certificate, &config.tls.key)?.map(Arc::new);
        if tls.is_none() && !address.ip().is_loopback() && !config.insecure_listen {
            return Err(HostError::Insecure { address });
        }
        let listen = |cause| HostError::Listen { address, cause };
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let start = Start {
            data: DataDir(config.data.clone()),
            registry: config.registry.clone(),
            engine: config.engine.clone(),
            view: config.view.clone(),
            log: config.log,
            snapshots: config.snapshots.clone(),
            retention: config.retention.clone(),
            limits: config.sandbox.clone(),
            compiler,
            clock: Clock::system(),
        };
        let (engine, opened) = Engine::start(start, progress)?;
        let token = if new_token || !engine.registry().has_admin_token() {
            let token = Token::generate()?;
            let change = RegistryChange::AdminTokenMade { hash: token.hash() };
            let by = Application::new("host").unwrap_or_else(|_| unreachable!("host is a name"));
            runtime.block_on(engine.registrar().change_registry(change, by))?;
            Some(token)
        } else {
            None
        };
        let audit = DataDir(config.data.clone()).audit();
        let audit = Arc::new(ReadAudit::open(audit, config.audit.clone(), engine.clock().clone()));
        let (records, clock) = (engine.records().clone(), engine.clock().clone());
        let data = DataDir(config.data.clone());
        let followers = HostFollowers::start(records, samsyn_disk::local(), &data, &config.follow, clock);
        let followers = Arc::new(followers.map_err(HostError::Followers)?);
        let secrets = Arc::new(Secrets::open(
            &config.secrets,
            &KeySources::of_process(&config.secrets.key_file),
            samsyn_disk::local(),
            data.secrets(),
            Arc::new(api::secrets::OfRegistry(engine.clone())),
        ));
        secrets.tidy_and_tell();
        runtime.block_on(pause_a_copy(&engine, &data, &config.outgoing))?;
        let outgoing = Outgoing::start(engine.clone(), secrets.clone(), runtime.handle());
        let component_bytes = config.sandbox.component_bytes;
        let state = ApiState::new(
            engine.clone(),
            audit.clone(),
            followers.clone(),
            (secrets, outgoing.clone()),
            config.http.clone(),
            component_bytes,
        );
        let uses = LastUses::open(&DataDir(config.data.clone()).token_uses(), &state);
        let (stop_uses, uses_stopped) = watch::channel(false);
        let uses = runtime.spawn(uses.keep(state.clone(), uses_stopped));
        runtime.block_on(async { answer_with_an_error_at_a_files_limit() });
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = api::serve(listener, tls.clone(), state, async move {
            let _ = stopped.await;
        });
        let server = runtime.spawn(serving);
        let scheme = if tls.is_some() { "https" } else { "http" };
        if let Some(tls) = tls {
            runtime.spawn(reload_when_told(tls));
        }
        let (stop, server, uses) = (Some(stop), Some(server), Some((stop_uses, uses)));
        Ok(Host {
            engine,
            audit,
            followers,
            outgoing,
            address,
            scheme,
            token,
            opened,
            runtime,
            stop,
            server,
            uses,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a client writes it.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The admin token, when this start made one: it is told once and kept only as a hash.
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// How its view was opened.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// From now on Ctrl-C and SIGTERM don't end the process: they are waited for.
    pub fn catch_signals(&self) -> std::io::Result<Signals> {
        let _inside = self.runtime.enter();
        Signals::catch()
    }

    /// Waits for one of the signals.
    pub fn wait_for(&self, signals: Signals) {
        self.runtime.block_on(signals.next());
    }

    /// Stops in order: no new requests, those under way answered, events that were taken decided,
    /// everything written. Answers the fault for which it had ended taking events before, or with
    /// which it ended, if there was one.
    pub fn stop(mut self) -> Option<String> {
        self.stop_now();
        self.engine.fault()
    }

    fn stop_now(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens any more when the server has ended by itself.
            let _ = stop.send(());
        }
        if let Some(server) = self.server.take() {
            let ended = self.runtime.block_on(async { tokio::time::timeout(ANSWER_PATIENCE, server).await });
            if ended.is_err() {
                tracing::warn!("requests under way are aborted");
            }
        }
        if let Some((stop, uses)) = self.uses.take() {
            stop.send_replace(true);
            // Written, or said in the log why not.
            let _ = self.runtime.block_on(uses);
        }
        // What is under way has its answer written down: nothing is in doubt then.
        if !self.runtime.block_on(self.outgoing.stop(CALL_PATIENCE)) {
            tracing::warn!("calls under way are cut: what became of them is in doubt");
        }
        self.audit.close();
        if !self.engine.drain(DECIDE_PATIENCE) {
            tracing::info!("undecided events are decided after the next start");
        }
        self.followers.stop();
        self.engine.stop();
    }
}

/// A file that may not grow (`ulimit -f`) is an error of the write then, as a full disk is. Without a
/// handler the system would end the process.
#[cfg(unix)]
fn answer_with_an_error_at_a_files_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    const SIGXFSZ: i32 = 25;
    if let Err(cause) = signal(SignalKind::from_raw(SIGXFSZ)) {
        tracing::warn!(%cause, "a file at its limit will end the process");
    }
}

#[cfg(not(unix))]
fn answer_with_an_error_at_a_files_limit() {}

/// Reads the certificate again whenever SIGHUP comes.
#[cfg(unix)]
async fn reload_when_told(tls: Arc<Tls>) {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(cause) => {
            tracing::warn!(%cause, "can't wait for SIGHUP: a new certificate needs a restart");
            return;
        }
    };
    while hangup.recv().await.is_some() {
        match tls.reload() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(cause) => tracing::error!(%cause, "invalid new certificate; the old one stays"),
        }
    }
}

/// Where there is no SIGHUP a new certificate needs a restart.
#[cfg(not(unix))]
async fn reload_when_told(_: Arc<Tls>) {}

/// The signals that stop a host.
#[cfg(unix)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn catch() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Signals { interrupt, terminate })
    }

    async fn next(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that stop a host: Ctrl-C, where there is nothing else.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn catch() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(self) {
        // Without it the process ends as the system says.
        let _ = tokio::signal::ctrl_c().await;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.stop_now();
        }
    }
}
