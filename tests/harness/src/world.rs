//! A host in a process of its own, and everything a story does to it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::caller::Caller;
use crate::components;

/// How long anything may take on a machine that does other things at the same time: what gives way to
/// them all, as a capability that catches up does, has been seen to take more than a minute.
pub const PATIENCE: Duration = Duration::from_secs(180);
/// How long a call takes is the machine's affair, and nobody is cut off or slow for it; but in a story
/// that is about that, which sets one of these itself.
const PATIENT: [(&str, &str); 2] =
    [("SAMSYN_SANDBOX_TIME_MS", "3000"), ("SAMSYN_ENGINE_SLOW_CALL_US", "1000000000")];
/// How long to wait before looking again at what tells nobody when it happens.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Lets the system choose a port that is free.
const ANY_PORT: &str = "127.0.0.1:0";
/// How much of the host's own log a failed story shows.
const LOG_LINES_SHOWN: usize = 40;

/// Looks again and again until there is something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_ok(what, || look().ok_or_else(|| "nothing".to_owned()))
}

/// The same of a look that says what it saw instead, which is told when it never comes about.
pub fn until_ok<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < deadline, "it never came about: {what}; last seen: {seen}"),
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What tests share that run at the same time: the first makes it, and as it is kept weakly, the
/// last ends it.
pub fn shared<T>(kept: &Mutex<Weak<T>>, make: impl FnOnce() -> T) -> Arc<T> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.upgrade().unwrap_or_else(|| {
        let made = Arc::new(make());
        *kept = Arc::downgrade(&made);
        made
    })
}

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the host lies in a repository")
}

/// Cargo's target directory, where the command was built.
pub fn target() -> PathBuf {
    program().ancestors().nth(2).expect("it lies in target/PROFILE").to_owned()
}

/// The command. Cargo builds it before the suites of its own package, which lie in target/PROFILE/deps.
pub fn program() -> PathBuf {
    let suite = std::env::current_exe().expect("a suite knows its own file");
    let program = suite.ancestors().nth(2).expect("a suite lies in target/PROFILE/deps").join("samsyn");
    assert!(
        program.is_file(),
        "{} is missing: run `cargo build --workspace --bins` first",
        program.display()
    );
    program
}

/// The command, in this directory, and without what the developer's own environment sets.
pub fn samsyn(directory: &Path) -> Command {
    let mut command = Command::new(program());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("SAMSYN_")) {
            command.env_remove(name);
        }
    }
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// What the command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: Output) -> Said {
        let text = |bytes| String::from_utf8(bytes).expect("the command writes UTF-8");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// It ended well.
    #[track_caller]
    pub fn ok(self) -> Said {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Its only line of JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Its lines of JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        self.out.lines().map(line).collect()
    }
}

/// A host that runs.
struct Process {
    child: Child,
    /// The host is the only child of this process, which is a tool that watches it.
    watched: bool,
    // Kept open: the host may write to it.
    out: BufReader<std::process::ChildStdout>,
}

impl Process {
    /// The host's id.
    fn id(&self) -> Option<u32> {
        let id = self.child.id();
        if !self.watched {
            return Some(id);
        }
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    fn kill(&mut self) -> std::io::Result<()> {
        match self.id() {
            Some(id) if self.watched => {
                Command::new("kill").args(["-s", "KILL", &id.to_string()]).status().map(|_| ())
            }
            _ => self.child.kill(),
        }
    }
}

/// A data directory, and a host on it most of the time.
pub struct World {
    directory: TempDir,
    environment: Vec<(String, String)>,
    listen: String,
    process: Option<Process>,
    caller: Caller,
}

impl std::ops::Deref for World {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl World {
    /// A fresh host.
    #[expect(clippy::new_without_default, reason = "it starts a host")]
    pub fn new() -> World {
        World::with(&[])
    }

    /// A fresh host with these settings in its environment, which takes what plug-ins bring.
    pub fn with(settings: &[(&str, &str)]) -> World {
        World::just_with(&[&[("SAMSYN_REGISTRY_ACCEPT_NEW_FIELDS", "true")], settings].concat())
    }

    /// A fresh host that is set up as any is, with these settings in its environment.
    pub fn just_with(settings: &[(&str, &str)]) -> World {
        let mut world = World::stopped(settings, "");
        world.start();
        world
    }

    /// No host yet, and a place for its data, which has this token.
    pub fn stopped(settings: &[(&str, &str)], token: &str) -> World {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let about_time = settings.iter().any(|(name, _)| PATIENT.iter().any(|(patient, _)| patient == name));
        let patient: &[_] = if about_time { &[] } else { &PATIENT };
        let all = patient.iter().chain(settings);
        let environment = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let caller = Caller::new(String::new(), token.to_owned());
        World { directory, environment, listen: ANY_PORT.to_owned(), process: None, caller }
    }

    /// A host on data that a demo left in `data` of this directory.
    pub fn after_demo(directory: TempDir) -> World {
        let token = std::fs::read_to_string(directory.path().join("data/demo-token"));
        let token = token.expect("the demo keeps its token").trim().to_owned();
        let caller = Caller::new(String::new(), token);
        let mut world =
            World { directory, environment: Vec::new(), listen: ANY_PORT.to_owned(), process: None, caller };
        world.start();
        world
    }

    /// A host with the probe that stories share whose customers and plug-ins are their own.
    pub fn shared() -> Arc<World> {
        static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
        shared(&SHARED, || {
            let world = World::new();
            world.install(&components::probe("probe", components::USUAL));
            world
        })
    }

    /// The directory of the story: what it writes besides the host's data.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The host's data.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("host.log")
    }

    /// The host's own log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// `samsyn serve` on the data, not started.
    pub fn serve(&self) -> Command {
        let mut command = samsyn(self.directory());
        command.args(["serve", "--json", "--listen", &self.listen, "--data"]).arg(self.data());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts the host, and waits until it answers.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// Starts the host with more arguments.
    pub fn start_with(&mut self, arguments: &[&str]) {
        self.launch(arguments, &[]);
        assert!(self.is_ready(), "no host:\n{}", self.log());
    }

    /// Starts the host with more arguments and more in its environment, and doesn't wait for it.
    pub fn launch(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        let mut serve = self.serve();
        serve.args(arguments).envs(environment.iter().copied());
        self.spawn(serve, false);
    }

    /// Starts the host as the child of a tool that watches it, such as `strace`, and doesn't wait for it.
    pub fn launch_under(&mut self, tool: &[&str]) {
        let (name, arguments) = tool.split_first().expect("a tool has a name");
        let serve = self.serve();
        let mut watched = Command::new(name);
        watched.args(arguments).arg(serve.get_program()).args(serve.get_args()).stdin(Stdio::null());
        watched.current_dir(self.directory());
        for (name, value) in serve.get_envs() {
            match value {
                Some(value) => watched.env(name, value),
                None => watched.env_remove(name),
            };
        }
        self.spawn(watched, true);
    }

    fn spawn(&mut self, mut command: Command, watched: bool) {
        assert!(self.process.is_none(), "it runs");
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log can be made");
        let command = command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the command can be started");
        let out = BufReader::new(child.stdout.take().expect("its output is piped"));
        self.process = Some(Process { child, watched, out });
    }

    /// Waits until the host answers; false when it ended before.
    pub fn is_ready(&mut self) -> bool {
        let process = self.process.as_mut().expect("it was launched");
        let mut line = String::new();
        process.out.read_line(&mut line).expect("its output can be read");
        let Ok(said) = serde_json::from_str::<Value>(&line) else { return false };
        let token = said["token"].as_str().unwrap_or(&self.caller.token).to_owned();
        self.caller =
            Caller::new(said["listening"].as_str().expect("it says where it listens").to_owned(), token);
        true
    }

    /// `kill -9`, and a start at the same address, as a service manager does it.
    pub fn crash(&mut self) {
        self.kill();
        self.listen = self.caller.url.trim_start_matches("http://").to_owned();
        self.start();
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it can be killed");
        process.child.wait().expect("it ends");
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id().expect("the host runs")
    }

    /// Sends a signal, such as TERM.
    pub fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().expect("kill can be run");
        assert!(sent.success());
    }

    /// Stops the host as a service manager would, and says how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until a host that was told to stop has.
    pub fn ended(&mut self) -> ExitStatus {
        let ended = self.gone();
        if !ended.success() {
            eprintln!("{}", self.log());
        }
        ended
    }

    /// Waits until the host has ended, as it may.
    pub fn gone(&mut self) -> ExitStatus {
        let process = self.process.as_mut().expect("it runs");
        // Never longer than the patience: a host that doesn't stop is a failure, not a hang.
        let ended = until("the host stops", || process.child.try_wait().expect("it can be waited for"));
        self.process = None;
        ended
    }

    /// The command, told where the host is.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = samsyn(self.directory());
        command.env("SAMSYN_HOST", &self.url).env("SAMSYN_TOKEN", &self.token).args(arguments);
        command
    }

    /// Runs the command.
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().expect("the command can be run"))
    }

    /// Runs a command on the data, without a host.
    pub fn run_on_data(&self, arguments: &[&str]) -> Said {
        let mut command = samsyn(self.directory());
        Said::of(command.args(arguments).arg("--data").arg(self.data()).output().expect("it can be run"))
    }

    /// A file of the story.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.directory().join(name);
        let mut file = File::create(&path).expect("a file can be made");
        file.write_all(content.as_ref()).expect("a file can be written");
        path.to_str().expect("its path is text").to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself, which is no failure of the story.
            let _ = process.kill();
            let _ = process.child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            self.directory.disable_cleanup(true);
            eprintln!("the data is kept in {}; the host's log ends:", self.directory.path().display());
            lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..]
                .iter()
                .for_each(|line| eprintln!("  {line}"));
        }
    }
}
