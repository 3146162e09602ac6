//! A host's power is cut under load: what may be left of its data directory is started, and must
//! have decided every acknowledged event once, with a view that is a fresh fold of the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::clock::Clock;
use crate::disk::DataDir;
use crate::engine::testing::{PATIENCE, USUAL, app, manifest, probe_with, scripted};
use crate::engine::{Engine, InstallOptions, Start};
use crate::engine::{EngineConfig, RegistryConfig, RetentionConfig, SnapshotConfig};
use crate::log::Options;
use crate::sandbox::{Compiler, Limits};
use crate::testing::{Seed, rounds, survival_json};
use crate::view::View;
use crate::view::ViewConfig;
use crate::vocabulary::{CapabilityName, Position, Value};
use samsyn_testkit::crash::Replay;
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::{Memory, Op};

/// States that `make test` starts a host on.
const STATES: u64 = 200;
/// Customers, and events of each of them in a life.
const CUSTOMERS: usize = 4;
const EVENTS_EACH: usize = 12;

/// What the test notes between the operations.
#[derive(Clone, Debug)]
enum Note {
    /// This event was acknowledged to the customer's application.
    Acknowledged(usize, Position),
}

/// A place for hosts, one after the other; the view and compiled code lie on this machine's disk.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { directory: tempfile::tempdir().expect("a directory") }
    }

    fn data(&self) -> DataDir {
        DataDir(self.directory.path().join("data"))
    }

    fn start<M: Send + 'static>(&self, memory: &Memory<M>) -> Arc<Engine> {
        let start = Start {
            data: self.data(),
            registry: RegistryConfig { accept_new_fields: true },
            engine: self.engine(),
            view: self.view(),
            log: Options { segment_bytes: 16 << 10, ..Options::default() },
            snapshots: SnapshotConfig::default(),
            retention: RetentionConfig::default(),
            limits: Limits::default(),
            compiler: Compiler::InProcess,
            clock: Clock::system(),
        };
        Engine::start_on(memory.disk(), start, |_| {}).expect("it starts on what is left").0
    }

    fn engine(&self) -> EngineConfig {
        EngineConfig { partitions: 4, workers: 1, slow_call_us: u64::MAX, ..EngineConfig::default() }
    }

    fn view(&self) -> ViewConfig {
        ViewConfig { cache_bytes: 8 << 20, ..ViewConfig::default() }
    }

    fn remove_view(&self) {
        match std::fs::remove_dir_all(self.data().view()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
    }

    /// A fold of all of the log, beside the host's view.
    fn compare_with_a_fresh_fold(&self, engine: &Engine) {
        let directory: PathBuf = self.directory.path().join("fresh");
        let (log, homes, ids) = (engine.log(), engine.homes(), self.engine().event_ids());
        let opened = View::open(&directory, log, homes, &self.view(), ids, |_| {});
        let (fresh, _) = opened.expect("it folds");
        let found = engine.view().compare(&fresh).expect("they can be compared");
        assert_eq!(found.differences, 0, "{:?}", found.samples);
        drop(fresh);
        std::fs::remove_dir_all(directory).expect("it can be removed");
    }
}

fn customer(number: usize) -> String {
    format!("customer-{number}")
}

/// A load on a fresh data directory: a plug-in is installed, then events, some of them awaited,
/// then another version of the plug-in.
fn load(place: &Place, memory: &Memory<Note>, rng: &mut SmallRng) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let engine = place.start(memory);
    let install = |version: &str| {
        let text = manifest("probe", USUAL).replace("version = \"1\"", &format!("version = \"{version}\""));
        let options = InstallOptions { approve: true, ..InstallOptions::default() };
        engine.registrar().install(&probe_with(&text), options, app("tests")).expect("it installs");
    };
    install("1");
    let mut waiting = Vec::new();
    for event in 0..CUSTOMERS * EVENTS_EACH {
        let customer_number = event % CUSTOMERS;
        let taken = engine
            .accepting()
            .accept(scripted(&customer(customer_number), &["add probe.count", "emit probe.pinged again"]));
        waiting.push((customer_number, taken.expect("it is taken").position));
        if event == CUSTOMERS * EVENTS_EACH / 2 {
            install("2");
        }
        if rng.random_range(0..3) == 0 {
            for (customer, position) in waiting.drain(..) {
                runtime.block_on(engine.durable(position)).expect("it is durable");
                memory.mark(Note::Acknowledged(customer, position));
            }
        }
    }
    // Not drained, so that the last ones are cut in the middle of being decided.
    memory.kill();
    engine.stop();
}

/// Starts a host on what is left and looks at it.
fn check(place: &Place, image: Image, acknowledged: &[(usize, Position)]) {
    let memory: Memory<()> = Memory::new(image);
    let engine = place.start(&memory);
    assert!(engine.drain(PATIENCE), "it is all decided: {:?}", engine.ready());
    let mut counts: BTreeMap<usize, i64> = BTreeMap::new();
    for (customer, position) in acknowledged {
        let found = engine.query().decisions(*position).expect("it can be read").expect("it is there");
        let first = found.decided.iter().filter(|(_, decided)| decided.cause.seq == position.seq);
        assert_eq!(
            first.filter(|(_, decided)| decided.cursor.is_none()).count(),
            1,
            "{position} is decided once"
        );
        *counts.entry(*customer).or_default() += 1;
    }
    let installed =
        engine.registry().capabilities.contains_key(&CapabilityName::new("probe").expect("a name"));
    for (customer_number, acknowledged) in counts {
        let name = customer(customer_number);
        let counted = crate::engine::testing::value_of(&engine, &name, "probe.count");
        let Some(Value::Integer(counted)) = counted else {
            panic!("{name} has no count, {acknowledged} were acknowledged, installed: {installed}")
        };
        // What wasn't acknowledged may be there as well, but each only once.
        assert!(
            (acknowledged..=EVENTS_EACH as i64).contains(&counted),
            "{name}: {counted} of {acknowledged}"
        );
    }
    place.compare_with_a_fresh_fold(&engine);
    engine.stop();
}

/// One load, and so many power cuts in it.
fn cut(seed: u64, states: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let place = Place::new();
    let memory = Memory::new(Image::default());
    load(&place, &memory, &mut rng);
    // A view that is further than the log: the power cut took what it is a fold of.
    let ahead = place.directory.path().join("ahead");
    copy(&place.data().view(), &ahead);
    let (base, ops) = memory.history();
    let mut places: Vec<usize> = (0..states).map(|_| rng.random_range(0..ops.len())).collect();
    places.sort_unstable();
    let (mut replay, mut acknowledged, mut passed) = (Replay::new(&base), Vec::new(), 0);
    for (number, place_in_ops) in places.into_iter().enumerate() {
        while passed <= place_in_ops {
            replay.apply(&ops[passed]);
            if let Op::Mark(Note::Acknowledged(customer, position)) = &ops[passed] {
                acknowledged.push((*customer, *position));
            }
            passed += 1;
        }
        place.remove_view();
        if number % 2 == 0 {
            copy(&ahead, &place.data().view());
        }
        check(&place, replay.cut(&mut rng), &acknowledged);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("it can be read") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("it can be copied");
        }
    }
}

#[test]
fn a_host_whose_power_is_cut_has_decided_every_acknowledged_event_once() {
    let seed = Seed::of_run("power_cuts");
    for load in 0..2 {
        cut(seed.of(load), STATES / 2);
    }
    survival_json::record(
        "power_cuts",
        json!({"states": STATES, "refused": 0, "lost": 0, "decided_twice": 0, "seed": seed.to_string()}),
    );
}

/// For `make torture`.
#[test]
#[ignore = "runs as long as SAMSYN_ROUNDS says"]
fn torture_power_cuts() {
    let seed = Seed::of_run("power_cuts");
    for round in 0..rounds() {
        cut(seed.of(round), STATES);
        println!("round {round}: {STATES} states, nothing lost");
    }
}
