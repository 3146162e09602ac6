//! The engine with a real component, on a real log, without HTTP: for the tests of this crate and of
//! those above it.
//!
//! The component is `tests/fixtures/probe-0.1.0.wasm`, built from `tests/probe`: it does what an
//! event's script tells it. Each test gives it the manifest it needs. `probe-0.2.0.wasm` is the same with timers,
//! `probe-0.4.0.wasm` with calls and rows as well.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use samsyn_disk::{DataDir, Disk};
use samsyn_journal::{Decided, ProfileState};
use samsyn_registry::RegistryChange;
use samsyn_sandbox::{Compiler, Limits, embed_manifest};
use samsyn_state::view::ViewConfig;
use samsyn_vocabulary::*;

/// How long anything may take on a machine that does other things at the same time.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// An engine in a directory of its own.
pub struct Bench {
    pub engine: Arc<Engine>,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) config: EngineConfig,
    /// Compiled components are shared by all tests of a run: compiling takes a second.
    pub(crate) limits: Limits,
    pub(crate) keeping: Keeping,
    /// Where its log and components are.
    pub(crate) disk: Arc<dyn Disk>,
}

/// How the log is kept.
#[derive(Clone, Default)]
pub struct Keeping {
    pub log: samsyn_log::Options,
    pub snapshots: crate::SnapshotConfig,
    pub retention: crate::RetentionConfig,
    /// The time.
    pub clock: Clock,
}

/// A manifest of the probe, with these tables.
pub fn manifest(name: &str, tables: &str) -> String {
    format!(
        "manifest = 1\n[plugin]\nname = \"{name}\"\nversion = \"1\"\nowner = \"Tests\"\ndescription = \"A probe\"\n\
         identifiers = [\"customer_id\"]\n{tables}"
    )
}

/// Hears `probe.*`, sources the probe's own fields.
pub const USUAL: &str = "\
    [subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"probe.pinged\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"probe.count\" = { type = \"integer\" }\n\"probe.note\" = { type = \"text\" }\n\
    \"probe.seen\" = { type = \"text\" }\n";

pub(crate) fn fixture() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/probe-0.1.0.wasm");
    std::fs::read(path).expect("the fixture is there")
}

/// The probe with this manifest.
pub fn probe_with(manifest: &str) -> Vec<u8> {
    embed_manifest(&fixture(), manifest).expect("the manifest can be embedded")
}

/// The probe that sets timers, with this manifest.
pub fn timed_probe_with(manifest: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/probe-0.2.0.wasm");
    let component = std::fs::read(path).expect("the fixture is there");
    embed_manifest(&component, manifest).expect("the manifest can be embedded")
}

/// The probe that sets timers and calls systems, with this manifest.
pub fn calling_probe_with(manifest: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/probe-0.4.0.wasm");
    let component = std::fs::read(path).expect("the fixture is there");
    embed_manifest(&component, manifest).expect("the manifest can be embedded")
}

/// The visible value of a customer's field.
pub fn value_of(engine: &Engine, customer: &str, field: &str) -> Option<Value> {
    let id = engine
        .query()
        .resolve(&identifier_name(), &customer_id(customer))
        .expect("it can be looked up")
        .expect("it is known");
    let read = engine.query().profile(id).expect("it can be read").expect("it is there");
    visible(&read.state, &read.partition.adopted.visible, &engine.registry(), field)
}

impl Bench {
    #[expect(clippy::new_without_default, reason = "it starts an engine")]
    pub fn new() -> Bench {
        Bench::with(EngineConfig { partitions: 4, workers: 2, ..EngineConfig::default() }, Limits::default())
    }

    /// With a log that is kept like this.
    pub fn with_log(log: samsyn_log::Options) -> Bench {
        let config = EngineConfig { partitions: 4, workers: 2, ..EngineConfig::default() };
        Bench::keeping(config, Limits::default(), Keeping { log, ..Keeping::default() })
    }

    pub fn with(config: EngineConfig, limits: Limits) -> Bench {
        Bench::keeping(config, limits, Keeping::default())
    }

    pub fn keeping(config: EngineConfig, limits: Limits, keeping: Keeping) -> Bench {
        // How long an invocation takes is the machine's affair here, so nobody counts as slow but where a
        // test is about that.
        let usual = config.slow_call_us == EngineConfig::default().slow_call_us;
        let config = if usual { EngineConfig { slow_call_us: u64::MAX, ..config } } else { config };
        let directory = tempfile::tempdir().expect("a temporary directory");
        Bench::on(directory, samsyn_disk::local(), (config, limits, keeping))
    }

    /// In this directory, with the log and the components on this disk.
    pub fn on(
        directory: tempfile::TempDir,
        disk: Arc<dyn Disk>,
        (config, limits, keeping): (EngineConfig, Limits, Keeping),
    ) -> Bench {
        let engine = start(&directory, &disk, &config, &limits, &keeping);
        Bench { engine, directory, config, limits, keeping, disk }
    }

    /// Stops the engine, without waiting for anything to be decided, and starts it again.
    pub fn restart(&mut self) {
        self.engine.stop();
        self.engine = start(&self.directory, &self.disk, &self.config, &self.limits, &self.keeping);
    }

    /// Its data directory.
    pub fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The bytes of the log's segments, oldest first.
    pub fn segments(&self) -> Vec<Vec<u8>> {
        let files =
            std::fs::read_dir(DataDir(self.directory.path().to_owned()).log()).expect("there is a log");
        let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "segment"));
        files.sort();
        files.iter().map(|file| std::fs::read(file).expect("it can be read")).collect()
    }

    /// Installs the probe under this name.
    pub fn install(&self, name: &str, tables: &str) {
        self.install_with(name, tables, InstallOptions { approve: true, ..InstallOptions::default() });
    }

    pub fn install_with(&self, name: &str, tables: &str, options: InstallOptions) {
        let component = probe_with(&manifest(name, tables));
        self.engine.registrar().install(&component, options, app("tests")).expect("it installs");
    }

    pub fn change(&self, change: RegistryChange) {
        self.engine.registrar().append_change(change, app("tests")).expect("the change is possible");
    }

    /// Sends an event with a script.
    pub fn script(&self, customer: &str, commands: &[&str]) -> Acceptance {
        self.engine.accepting().accept(scripted(customer, commands)).expect("it is taken")
    }

    /// Sends proposals.
    pub fn propose(&self, customer: &str, proposals: &[(&str, Option<Value>)]) -> Acceptance {
        self.engine.accepting().accept(proposing(customer, proposals)).expect("it is taken")
    }

    /// Waits until everything is decided and durable.
    pub fn settle(&self) {
        assert!(self.engine.drain(PATIENCE), "it is all decided: {:?}", self.engine.ready());
    }

    pub fn profile(&self, customer: &str) -> ReadProfile {
        let id = self
            .engine
            .query()
            .resolve(&identifier_name(), &customer_id(customer))
            .expect("it can be looked up")
            .expect("it is known");
        self.engine.query().profile(id).expect("it can be read").expect("it is there")
    }

    /// The visible value of a field.
    pub fn value(&self, customer: &str, field: &str) -> Option<Value> {
        value_of(&self.engine, customer, field)
    }

    pub fn text(&self, customer: &str, field: &str) -> Option<String> {
        match self.value(customer, field) {
            Some(Value::Text(text)) => Some(text),
            None => None,
            other => panic!("{field} is {other:?}"),
        }
    }

    /// The decisions of an event, in their order.
    pub fn decisions(&self, acceptance: &Acceptance) -> Vec<Decided> {
        let found =
            self.engine.query().decisions(acceptance.position).expect("it can be read").expect("it is there");
        found.decided.into_iter().map(|(_, decided)| decided).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Its threads hold the engine, so it doesn't end by itself.
        self.engine.stop();
    }
}

pub fn visible(
    state: &ProfileState,
    generations: &std::collections::BTreeMap<CapabilityName, u32>,
    registry: &samsyn_registry::Registry,
    field: &str,
) -> Option<Value> {
    let name = FieldName::new(field).expect("a field's name");
    let field = registry.fields.get(&name)?;
    state.visible(&name, field, generations).map(|visible| visible.value.clone())
}

fn start(
    directory: &tempfile::TempDir,
    disk: &Arc<dyn Disk>,
    config: &EngineConfig,
    limits: &Limits,
    keeping: &Keeping,
) -> Arc<Engine> {
    let start = Start {
        data: DataDir(directory.path().to_owned()),
        registry: crate::RegistryConfig { accept_new_fields: true },
        engine: config.clone(),
        view: ViewConfig { cache_bytes: 8 << 20, ..ViewConfig::default() },
        log: keeping.log,
        snapshots: keeping.snapshots.clone(),
        retention: keeping.retention.clone(),
        limits: limits.clone(),
        compiler: Compiler::InProcess,
        clock: keeping.clock.clone(),
    };
    Engine::start_on(disk.clone(), start, |_| {}).expect("the engine starts").0
}

pub fn app(name: &str) -> Application {
    Application::new(name).expect("an application's name")
}

pub fn capability(name: &str) -> CapabilityName {
    CapabilityName::new(name).expect("a capability's name")
}

pub fn field(name: &str) -> FieldName {
    FieldName::new(name).expect("a field's name")
}

pub(crate) fn identifier_name() -> IdentifierName {
    IdentifierName::new("customer_id").expect("an identifier's name")
}

pub fn text(text: &str) -> Option<Value> {
    Some(Value::Text(text.to_owned()))
}

/// What a test's customer goes by. Tests count them from 0, and a bare 0 identifies nobody.
pub(crate) fn customer_id(customer: &str) -> String {
    let is_number = customer.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("c{customer}") } else { customer.to_owned() }
}

pub(crate) fn new_event(customer: &str, name: &str) -> NewEvent {
    NewEvent {
        id: None,
        application: app("tests"),
        name: EventName::new(name).expect("an event's name"),
        at: None,
        profile: None,
        identifiers: vec![Identifier { name: identifier_name(), value: customer_id(customer) }],
        properties: Vec::new(),
        proposals: Vec::new(),
        expected: None,
    }
}

pub fn scripted(customer: &str, commands: &[&str]) -> NewEvent {
    let script = serde_json::to_string(commands).expect("texts are JSON");
    let property = Property { name: "script".to_owned(), value: Value::Json(script) };
    NewEvent { properties: vec![property], ..new_event(customer, "probe.asked") }
}

pub fn proposing(customer: &str, proposals: &[(&str, Option<Value>)]) -> NewEvent {
    let proposals = proposals.iter().map(|(name, value)| Proposal {
        field: field(name),
        value: value.clone(),
        by: Speaker::from(&app("tests")),
        at: Timestamp(0),
    });
    NewEvent { proposals: proposals.collect(), ..new_event(customer, "samsyn.proposed") }
}
