//! What a stopped host's log says: every event once and in order, every delivery ended once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use samsyn::disk::DataDir;
use samsyn::engine::{EngineConfig, homes_of};
use samsyn::log::{ScanFrom, StoppedLog, verify};
use samsyn::record::{Accepted, Decided, Reader, Record};
use samsyn::snapshot::Shelf;
use samsyn::view;
use samsyn::view::{EventIdLimits, ViewConfig};
use samsyn::vocabulary::{CapabilityName, FullPosition, ItemPosition, Partition, ProfileId, Role};

use crate::ledger::parse_id;

/// One delivery, whenever it ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Delivery {
    partition: Partition,
    profile: ProfileId,
    item: FullPosition,
    capability: CapabilityName,
    generation: u32,
    role: Role,
}

/// Where one capability is with one customer.
type Place = (ProfileId, CapabilityName, u32, Role);

/// What a log holds.
#[derive(Default)]
pub struct History {
    /// Numbers of each customer's events, in the order of the log.
    pub numbers: HashMap<String, Vec<u64>>,
    /// Ids of other events: proposals.
    pub others: HashMap<String, u32>,
    /// The newest item that each capability has ended, of each customer.
    ended: HashMap<Place, FullPosition>,
    /// Whether each delivery has ended.
    deliveries: HashMap<Delivery, bool>,
    /// Events that nothing was decided of yet.
    undecided: BTreeMap<FullPosition, String>,
    through: HashMap<Partition, ItemPosition>,
    /// Changes of visible values by field.
    pub changes: BTreeMap<String, u64>,
    /// Records read.
    pub records: u64,
}

impl History {
    /// Reads and checks the log and the view of a stopped host.
    ///
    /// # Panics
    ///
    /// When anything isn't as it must be.
    pub fn of(data: &Path) -> History {
        let data = DataDir(data.to_owned());
        for directory in [data.log(), data.audit()] {
            let report = verify(&directory, |_| {}).expect("the log can be read");
            assert!(report.problem.is_none(), "{}: {report:?}", directory.display());
            assert!(report.clean, "SIGTERM leaves a clean log: {report:?}");
        }
        let log = StoppedLog::open(&data.log()).expect("the log can be opened");
        let mut history = History::default();
        let mut scan = Reader::new(log.reader().clone()).scan_all(ScanFrom::Start);
        while let Some(read) = scan.next().expect("the log can be read") {
            history.records += 1;
            let record = read.record().expect("every record can be read");
            match record {
                Record::Accepted(accepted) => {
                    history.accepted(read.position.item(0), &accepted);
                }
                Record::Decided(decided) => history.decided(read.position.partition, &decided),
                _ => {}
            }
        }
        assert!(history.undecided.is_empty(), "undecided though settled: {:?}", history.undecided);
        let bases = Shelf::new(data.snapshots()).bases_if_needed(log.reader());
        let (config, event_ids) = (ViewConfig::default(), EventIdLimits::default());
        let scratch = std::env::temp_dir();
        let homes = homes_of(&data, EngineConfig::default().partitions).expect("the settings can be read");
        let check = view::Check { view: &data.view(), log: log.reader(), homes, scratch: &scratch };
        let checked = check.run(&config, event_ids, bases, |_| {});
        let checked = checked.expect("the view can be checked");
        assert!(checked.unusable.is_none() && checked.behind == 0, "{checked:?}");
        assert_eq!(checked.found.differences, 0, "the view is no fold of its log: {checked:?}");
        history
    }

    fn accepted(&mut self, item: FullPosition, accepted: &Accepted) {
        let id = &accepted.event.id;
        match parse_id(id) {
            Some((customer, number)) if accepted.event.name.as_str() != "samsyn.proposed" => {
                self.numbers.entry(customer.to_owned()).or_default().push(number);
            }
            _ => *self.others.entry(id.clone()).or_default() += 1,
        }
        self.undecided.insert(item, id.clone());
    }

    fn decided(&mut self, partition: Partition, decided: &Decided) {
        if decided.cursor.is_none() {
            self.undecided.remove(&decided.cause);
            let through = self.through.entry(partition).or_default();
            assert!(decided.through >= *through, "the cursor of {partition} went back at {decided:?}");
            *through = decided.through;
        }
        for change in decided.changes.iter().filter(|change| change.before != change.after) {
            *self.changes.entry(change.field.to_string()).or_default() += 1;
        }
        for outcome in &decided.outcomes {
            let delivery = Delivery {
                partition,
                profile: decided.profile,
                item: decided.cause,
                capability: outcome.capability.clone(),
                generation: outcome.generation,
                role: outcome.role,
            };
            let is_final = outcome.result.is_final();
            let ended = self.deliveries.entry(delivery.clone()).or_default();
            assert!(!(*ended && is_final), "ended twice: {delivery:?}");
            assert!(!*ended, "waits though it has ended: {delivery:?}");
            *ended |= is_final;
            if is_final {
                let place = (decided.profile, outcome.capability.clone(), outcome.generation, outcome.role);
                let before = self.ended.insert(place, decided.cause);
                assert!(before <= Some(decided.cause), "out of order, after {before:?}: {delivery:?}");
            }
        }
    }

    /// Deliveries that have ended.
    pub fn ended(&self) -> u64 {
        self.deliveries.values().filter(|ended| **ended).count() as u64
    }

    /// Deliveries that wait.
    pub fn waiting(&self) -> u64 {
        self.deliveries.len() as u64 - self.ended()
    }
}
