//! A host to send requests to: an engine on a temporary directory behind the interface.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::Dispatch;

use crate::openapi::{
    self,
    conformance::{Conformance, Seen},
};
use crate::secrets::OfRegistry;
use crate::{ApiLimits, ApiState, Token, router, serve};
use samsyn_audit::AuditConfig;
use samsyn_audit::ReadAudit;
use samsyn_disk::DataDir;
use samsyn_engine::testing::{manifest, probe_with};
use samsyn_engine::{Engine, Start};
use samsyn_engine::{EngineConfig, RegistryConfig};
use samsyn_follow::{FollowConfig, HostFollowers};
use samsyn_log::Options;
use samsyn_machine::clock::Clock;
use samsyn_outgoing::Outgoing;
use samsyn_registry::RegistryChange;
use samsyn_sandbox::{Compiler, Limits};
use samsyn_secrets::{KeySources, Secrets, SecretsConfig};
use samsyn_state::view::ViewConfig;
use samsyn_vocabulary::{Application, Timestamp};

/// What time it is in every test.
pub const NOW: &str = "2026-11-21T10:00:00Z";
/// The key that seals secrets in every test.
const SEALING_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// How long a decision may take on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A host and a client of it.
pub struct World {
    pub engine: Arc<Engine>,
    pub token: Token,
    /// Its address, with `http://`.
    pub host: String,
    agent: ureq::Agent,
    router: axum::Router,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    _data: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem document, after a look at what every one of them has.
    pub fn code(&self) -> String {
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(problem["status"], self.status);
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("/errors#{code}"));
        for member in ["title", "detail", "message", "next"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        code
    }
}

impl World {
    pub fn new() -> World {
        World::with(ApiLimits::default(), EngineConfig::default())
    }

    pub fn with(limits: ApiLimits, engine: EngineConfig) -> World {
        World::logging(limits, engine, Dispatch::none())
    }

    /// A host whose audit of reads can't be written.
    pub fn with_a_full_audit_disk() -> World {
        let full = |dir, config, clock| ReadAudit::on_a_full_disk(dir, config, clock);
        World::made(ApiLimits::default(), EngineConfig::default(), Dispatch::none(), full)
    }

    /// A host whose answering threads log to this subscriber.
    pub fn logging(limits: ApiLimits, engine: EngineConfig, log: Dispatch) -> World {
        World::made(limits, engine, log, ReadAudit::open)
    }

    fn made(
        limits: ApiLimits,
        engine: EngineConfig,
        log: Dispatch,
        audit: impl FnOnce(PathBuf, AuditConfig, Clock) -> ReadAudit,
    ) -> World {
        let data = tempfile::tempdir().unwrap();
        // The guard would end the thread's default: it is left for as long as the thread lives.
        let set_log = move || std::mem::forget(tracing::dispatcher::set_default(&log));
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().on_thread_start(set_log).build().unwrap();
        let start = Start {
            data: DataDir(data.path().to_owned()),
            registry: RegistryConfig { accept_new_fields: true },
            engine: EngineConfig { workers: 2, ..engine },
            view: ViewConfig::default(),
            log: Options::default(),
            snapshots: samsyn_engine::SnapshotConfig::default(),
            retention: samsyn_engine::RetentionConfig::default(),
            limits: Limits::default(),
            compiler: Compiler::InProcess,
            clock: Clock::fixed(NOW.parse::<Timestamp>().unwrap()),
        };
        let (engine, _) = Engine::start(start, |_| ()).unwrap();
        let token = Token::generate().unwrap();
        let change = RegistryChange::AdminTokenMade { hash: token.hash() };
        runtime
            .block_on(engine.registrar().change_registry(change, Application::new("host").unwrap()))
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let audit_dir = data.path().join("audit");
        let audit = Arc::new(audit(audit_dir, AuditConfig::default(), engine.clock().clone()));
        let component_bytes = Limits::default().component_bytes;
        let (records, clock) = (engine.records().clone(), engine.clock().clone());
        let (dir, follow) = (DataDir(data.path().to_owned()), FollowConfig::default());
        let followers = HostFollowers::start(records, samsyn_disk::local(), &dir, &follow, clock);
        let followers = Arc::new(followers.unwrap());
        let key = KeySources { variable: Some(SEALING_KEY.to_owned().into()), ..KeySources::default() };
        let (named, config) = (Arc::new(OfRegistry(engine.clone())), SecretsConfig::default());
        let secrets = Secrets::open(&config, &key, samsyn_disk::local(), dir.secrets(), named);
        let secrets = Arc::new(secrets);
        let outgoing = Outgoing::start(engine.clone(), secrets.clone(), runtime.handle());
        let calls = (secrets, outgoing);
        let state = ApiState::new(engine.clone(), audit, followers, calls, limits, component_bytes);
        let router = router(state.clone());
        let server = runtime.spawn(serve(listener, None, state, async move {
            let _ = stopped.await;
        }));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(2 * PATIENCE));
        let agent = config.build().into();
        World {
            engine,
            token,
            host,
            agent,
            router,
            runtime,
            stop: Some(stop),
            server: Some(server),
            _data: data,
        }
    }

    /// The interface without a connection in front of it.
    pub fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// Waits for something on the host's own threads.
    pub fn block_on<T>(&self, done: impl Future<Output = T>) -> T {
        self.runtime.block_on(done)
    }

    /// Sends a request as it is, without a token.
    pub fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.host));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = if matches!(method, "POST" | "PUT" | "PATCH") {
            self.agent.run(request.body(body).unwrap())
        } else {
            self.agent.run(request.body(()).unwrap())
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let mut text = String::new();
        answer.body_mut().as_reader().read_to_string(&mut text).unwrap();
        let answered = Answered { status: answer.status().as_u16(), headers: answer.headers().clone(), text };
        assert_described(method, path, &answered);
        answered
    }

    /// Sends a request with the token and more headers.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let bearer = format!("Bearer {}", self.token.as_str());
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.raw(method, path, &all, body)
    }

    pub fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[], b"")
    }

    /// Makes a token with these scopes, bound to the application of its name, and answers its secret.
    pub fn token(&self, name: &str, scopes: &[&str]) -> String {
        let made = self.json("POST", "/v1/tokens", &json!({"name": name, "scopes": scopes}));
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["secret"].as_str().unwrap().to_owned()
    }

    /// Sends a request with another token than the administrator's.
    pub fn send_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &Value,
    ) -> Answered {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        all.extend_from_slice(more);
        self.raw(method, path, &all, body.to_string().as_bytes())
    }

    /// Sends JSON.
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answered {
        self.send(method, path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Sends JSON, and waits for the decision.
    pub fn decided(&self, method: &str, path: &str, body: &Value) -> Answered {
        let headers = [("content-type", "application/json"), ("prefer", "wait=30")];
        self.send(method, path, &headers, body.to_string().as_bytes())
    }

    /// Sends bytes as an event body.
    pub fn event(&self, body: impl AsRef<[u8]>) -> Answered {
        self.send("POST", "/v1/events", &[("content-type", "application/json")], body.as_ref())
    }

    /// Defines an identifier and some fields.
    pub fn furnished(self) -> World {
        let ok = |answer: Answered| assert_eq!(answer.status, 200, "{answer:?}");
        ok(self.json("PUT", "/v1/identifiers/customer_id", &json!({"normaliser": "exact", "strength": 10})));
        ok(self.json("PUT", "/v1/identifiers/email", &json!({"normaliser": "email", "strength": 5})));
        for (name, kind) in
            [("email", "text"), ("first_name", "text"), ("children", "integer"), ("credit", "decimal")]
        {
            ok(self.json("PUT", &format!("/v1/fields/{name}"), &json!({"type": kind, "class": "personal"})));
        }
        ok(self.json("PUT", "/v1/fields/size", &json!({"type": "text", "one_of": ["S", "M"]})));
        self
    }
}

/// What the probe hears, emits and sources in [`World::probed`].
const PROBE_TABLES: &str = "\
    [subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"probe.pinged\"]\nscript = { type = \"texts\" }\n\
    [sources]\nnote = { type = \"text\" }\nother_note = { type = \"text\" }\n\
    [calls.erp]\nreason = \"Stock\"\nmethods = [\"GET\"]\n";

impl World {
    /// A furnished host with the probe, which does what it is told to.
    pub fn probed() -> World {
        let world = World::new().furnished();
        let component = probe_with(&manifest("probe", PROBE_TABLES));
        let path = "/v1/capabilities?approve=true&accept_fields=true";
        let installed = world.send("POST", path, &[("content-type", "application/wasm")], &component);
        assert_eq!(installed.status, 201, "{installed:?}");
        world
    }

    /// Writes to a connection of its own and reads all that is answered until the host ends it.
    pub fn on_the_wire(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.host.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Holds an answer against `/openapi.json`.
fn assert_described(method: &str, path: &str, answered: &Answered) {
    static DESCRIPTION: LazyLock<Conformance> = LazyLock::new(|| Conformance::new(openapi::document()));
    let Answered { status, text, .. } = answered;
    let content_type = answered.header("content-type");
    DESCRIPTION.check(Seen { method, path, status: *status, content_type, body: text });
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(server) = self.server.take() {
            // Connections that the client keeps would hold a graceful end up.
            server.abort();
            let _ = self.runtime.block_on(server);
        }
        self.engine.stop();
    }
}
