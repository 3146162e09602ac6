//! What is measured: the guest under four names, the events it hears, and engines to put it into.

use std::borrow::Cow;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use samsyn::clock::Clock;
use samsyn::contract::FieldRule;
use samsyn::disk::DataDir;
use samsyn::engine::{AcceptError, Engine, InstallOptions, NewEvent, Start};
use samsyn::engine::{EngineConfig, RegistryConfig};
use samsyn::sandbox::{Access, Compiler, Limits, embed_manifest};
use samsyn::view::ViewConfig;
use samsyn::vocabulary::{
    Application, DataPoint, Event, EventName, FieldName, Identifier, IdentifierName, ProfileId, Projection,
    Property, Timestamp, Type, Value,
};

/// Anything that ends a run; the benchmarks have no caller that could mend it.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Capabilities that hear each event.
pub const CAPABILITIES: usize = 4;
/// Threads that decide, and threads of the bare loop: both cores of the machine it is meant for.
pub const THREADS: usize = 2;
/// Items that customers buy: few, so that the last item is sometimes the same and mostly another.
const ITEMS: u64 = 8;

/// The guest's component, as its build left it.
pub struct Subject {
    component: Vec<u8>,
}

impl Subject {
    /// Builds the guest as every plug-in is built.
    pub fn build(data: &Path, progress: &mut dyn FnMut(&str)) -> Result<Subject, Failure> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest");
        // Not beside the real plug-ins.
        let out = Some(data.join("bench.wasm"));
        let options = samsyn::build::Options { quiet: true, out, ..Default::default() };
        let built = samsyn::build::build(&folder, &options, progress)?;
        Ok(Subject { component: std::fs::read(built.path)? })
    }

    /// The component as the capability number `index`.
    pub fn component(&self, index: usize) -> Result<Vec<u8>, Failure> {
        let name = format!("bench-{index}");
        let manifest = format!(
            "manifest = 1\n[plugin]\nname = \"{name}\"\nversion = \"1\"\nowner = \"Bench\"\ndescription = \"Bench\"\n\
             identifiers = [\"customer_id\"]\n[subscribes.\"bench.bought\"]\nitem = {{ type = \"text\", required = true }}\n\
             [sources]\n\"{}\" = {{ type = \"integer\" }}\n\"{}\" = {{ type = \"text\" }}\n\
             [settings.fields]\ntype = \"texts\"\ndefault = [\"{0}\", \"{1}\"]\ndescription = \"Its fields\"\n",
            count_field(index),
            item_field(index),
        );
        Ok(embed_manifest(&self.component, &manifest)?)
    }

    /// The component as a capability that sets timers, with the fields of the first.
    pub fn timed_component(&self) -> Result<Vec<u8>, Failure> {
        self.first("bench-timed", "timers = true", "timer_at = { type = \"timestamp\" }", "")
    }

    /// The component as a capability that calls a system, with the fields of the first.
    pub fn calling_component(&self) -> Result<Vec<u8>, Failure> {
        let calls = "[calls.system]\nreason = \"Bench\"\nmethods = [\"PUT\"]\nrepeat = \"keyed\"\n\
                     key = { header = \"Idempotency-Key\", hours = 24 }\n";
        self.first("bench-0", "", "call = { type = \"text\" }", calls)
    }

    /// The component with the fields of the first, a name, and what else its manifest has: in the head, among the
    /// event's properties, and as tables.
    fn first(&self, name: &str, head: &str, property: &str, tables: &str) -> Result<Vec<u8>, Failure> {
        let manifest = format!(
            "manifest = 1\n[plugin]\nname = \"{name}\"\nversion = \"1\"\nowner = \"Bench\"\n\
             description = \"Bench\"\nidentifiers = [\"customer_id\"]\n{head}\n\
             [subscribes.\"bench.bought\"]\nitem = {{ type = \"text\", required = true }}\n{property}\n\
             [sources]\n\"{}\" = {{ type = \"integer\" }}\n\"{}\" = {{ type = \"text\" }}\n\
             [settings.fields]\ntype = \"texts\"\ndefault = [\"{0}\", \"{1}\"]\ndescription = \"Its fields\"\n{tables}",
            count_field(0),
            item_field(0),
        );
        Ok(embed_manifest(&self.component, &manifest)?)
    }

    /// Installs it as all capabilities.
    pub fn install(&self, engine: &Engine) -> Result<(), Failure> {
        let by = Application::new("bench")?;
        for index in 0..CAPABILITIES {
            engine.registrar().install(&self.component(index)?, InstallOptions::default(), &by)?;
        }
        Ok(())
    }
}

fn count_field(index: usize) -> String {
    format!("bench{index}.count")
}

fn item_field(index: usize) -> String {
    format!("bench{index}.item")
}

/// One call of the first capability, of a customer who was there before.
pub struct Sample {
    /// What happened.
    pub event: Event,
    /// What the plug-in sees of the customer.
    pub profile: Projection<'static>,
    /// What it may do.
    pub access: Arc<Access>,
}

impl Sample {
    /// The same for every run.
    pub fn new() -> Result<Sample, Failure> {
        let (count, item) = (FieldName::new(&count_field(0))?, FieldName::new(&item_field(0))?);
        let text = |text: &str| Value::Text(text.to_owned());
        let at = Timestamp(1_700_000_000_000);
        let fields = Value::Texts(vec![count_field(0), item_field(0)]);
        Ok(Sample {
            event: Event {
                id: "order-0000042".to_owned(),
                application: None,
                name: EventName::new("bench.bought")?,
                at,
                received_at: at,
                properties: vec![Property { name: "item".to_owned(), value: text("item-3") }],
            },
            profile: Projection {
                id: ProfileId::random(),
                identifiers: vec![Cow::Owned(Identifier {
                    name: IdentifierName::new("customer_id")?,
                    value: "customer-0000042".to_owned(),
                })],
                points: vec![
                    DataPoint {
                        field: count.clone(),
                        value: Cow::Owned(Value::Integer(12)),
                        observed_at: at,
                    },
                    DataPoint { field: item.clone(), value: Cow::Owned(text("item-5")), observed_at: at },
                ],
                memory: None,
                timers: Vec::new(),
                calls: 0,
            },
            access: Arc::new(Access {
                sources: [(count, FieldRule::of(Type::Integer)), (item, FieldRule::of(Type::Text))].into(),
                emits: Default::default(),
                timers: false,
                calls: Default::default(),
                settings: [("fields".to_owned(), fields)].into(),
            }),
        })
    }
}

/// The host's defaults on two cores. That nobody counts as slow is no default: on a machine with
/// more to do than cores a call may be put aside for milliseconds, and a capability that moved to a
/// thread of its own would be missing from what is waited for.
pub fn engine_config() -> EngineConfig {
    EngineConfig { workers: THREADS, slow_call_us: u64::MAX, ..EngineConfig::default() }
}

/// Starts an engine on a directory, which is made when there is none.
pub fn start_engine(directory: &Path) -> Result<Arc<Engine>, Failure> {
    start_engine_at(directory, Clock::system(), ViewConfig::default())
}

/// [`start_engine`] with another clock and view.
pub fn start_engine_at(directory: &Path, clock: Clock, view: ViewConfig) -> Result<Arc<Engine>, Failure> {
    let start = Start {
        registry: RegistryConfig { accept_new_fields: true },
        data: DataDir(directory.to_owned()),
        engine: engine_config(),
        view,
        log: samsyn::log::Options::default(),
        // None in the middle of what is measured; they have a figure of their own.
        snapshots: samsyn::engine::SnapshotConfig { every_bytes: 0, ..Default::default() },
        retention: samsyn::engine::RetentionConfig::default(),
        limits: Limits::default(),
        compiler: Compiler::InProcess,
        clock,
    };
    Ok(Engine::start(start, |_| {})?.0)
}

/// A directory for one benchmark's data: empty, and deleted in the end.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Empties it if an earlier run left it.
    pub fn new(under: &Path, name: &str) -> std::io::Result<Scratch> {
        let path = under.join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is emptied by the next run.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A small, fast generator (xorshift64*): the load must cost little beside what it loads.
pub struct Chance(u64);

impl Chance {
    /// The same seed makes the same load.
    pub fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }

    /// What a customer buys.
    pub fn item(&mut self) -> u64 {
        self.below(ITEMS)
    }
}

/// Makes events of one application.
pub struct Events {
    application: Application,
    name: EventName,
    identifier: IdentifierName,
    /// Ids are made of it and a number, so that no two runs share one.
    prefix: String,
}

impl Events {
    /// Events whose ids start so.
    pub fn new(prefix: impl Into<String>) -> Result<Events, Failure> {
        Ok(Events {
            application: Application::new("bench")?,
            name: EventName::new("bench.bought")?,
            identifier: IdentifierName::new("customer_id")?,
            prefix: prefix.into(),
        })
    }

    /// The event number `number`, of a customer.
    pub fn make(&self, number: u64, customer: u64, item: u64) -> NewEvent {
        NewEvent {
            id: Some(format!("{}-{number}", self.prefix)),
            application: self.application.clone(),
            name: self.name.clone(),
            at: None,
            profile: None,
            identifiers: vec![Identifier {
                name: self.identifier.clone(),
                value: format!("customer-{customer:07}"),
            }],
            properties: vec![Property {
                name: "item".to_owned(),
                value: Value::Json(format!("\"item-{item}\"")),
            }],
            proposals: Vec::new(),
            expected: None,
        }
    }
}

/// Has the log reach a segment that was made ready ahead, as the log of a host that runs for longer has:
/// a fresh one begins with a segment that grows.
pub fn reach_zeros(engine: &Engine) -> Result<(), Failure> {
    const EVENTS: u64 = 100;
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);
    const TRIES: u64 = 600;
    for number in 0..TRIES {
        if !engine.log().segments().is_empty() {
            return Ok(());
        }
        run_through(engine, random_load(&format!("warm-{number}"), number, EVENTS, 1_000)?)?;
        std::thread::sleep(PAUSE);
    }
    Err("no segment was made ready ahead".into())
}

/// How long a sender waits when the host has no room.
const BUSY_PAUSE: std::time::Duration = std::time::Duration::from_millis(1);
/// How long everything may take to be decided before a run counts as stuck.
const DRAIN_PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);

/// Sends what each of the lists holds from a thread of its own and waits until all of it is decided
/// and durable.
pub fn run_through(engine: &Engine, lists: Vec<Vec<NewEvent>>) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        let senders: Vec<_> =
            lists.into_iter().map(|events| scope.spawn(move || send(engine, events))).collect();
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| "a sender panicked")?)
    })?;
    if engine.drain(DRAIN_PATIENCE) { Ok(()) } else { Err("not everything was decided".into()) }
}

fn send(engine: &Engine, events: Vec<NewEvent>) -> Result<(), Failure> {
    for event in events {
        loop {
            match engine.accepting().accept(event.clone()) {
                Ok(_) => break,
                Err(AcceptError::Busy) => std::thread::sleep(BUSY_PAUSE),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// Events of uniformly random customers, dealt to the senders.
pub fn random_load(
    prefix: &str,
    seed: u64,
    events: u64,
    customers: u64,
) -> Result<Vec<Vec<NewEvent>>, Failure> {
    let maker = Events::new(prefix)?;
    let mut chance = Chance::new(seed);
    let mut lists: Vec<Vec<NewEvent>> =
        (0..THREADS).map(|_| Vec::with_capacity(events as usize / THREADS + 1)).collect();
    for number in 0..events {
        let event = maker.make(number, chance.below(customers), chance.item());
        lists[number as usize % THREADS].push(event);
    }
    Ok(lists)
}

/// One event of each customer, in blocks so that not all of them are in memory at once.
pub fn fill(engine: &Engine, customers: u64, mut progress: impl FnMut(u64)) -> Result<(), Failure> {
    const BLOCK: u64 = 50_000;
    let maker = Events::new("fill")?;
    let mut chance = Chance::new(1);
    let mut next = 0;
    while next < customers {
        let end = customers.min(next + BLOCK);
        let mut lists: Vec<Vec<NewEvent>> = (0..THREADS).map(|_| Vec::new()).collect();
        for customer in next..end {
            lists[customer as usize % THREADS].push(maker.make(customer, customer, chance.item()));
        }
        run_through(engine, lists)?;
        next = end;
        progress(next);
    }
    Ok(())
}
