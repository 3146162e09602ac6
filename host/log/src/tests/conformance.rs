//! Both backends pass the suite that a third would have to.

use std::path::Path;
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::SMALL;
use crate::conformance::Backend;
use crate::memory::{MemoryLog, MemoryStore};
use crate::{LocalLog, LogError, Options};
use rand::RngExt;
use samsyn_testkit::crash::Replay;
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::Memory;

const DIR: &str = "/data/log";

/// The local log, on a disk that forgets.
struct Local {
    disk: Memory<()>,
    rng: SmallRng,
}

impl Local {
    fn new(seed: u64) -> Local {
        Local { disk: Memory::new(Image::default()), rng: SmallRng::seed_from_u64(seed) }
    }

    fn try_open(&mut self) -> Result<LocalLog<u64>, LogError> {
        let options = Options { zero_ahead: self.rng.random_range(0..2) > 0, ..SMALL };
        LocalLog::open_on(self.disk.disk(), Path::new(DIR), options).map(|(log, _)| log)
    }
}

impl Backend for Local {
    type Log = LocalLog<u64>;

    fn open(&mut self) -> LocalLog<u64> {
        self.try_open().expect("it opens")
    }

    fn take_over(&mut self) -> Option<LocalLog<u64>> {
        match self.try_open() {
            Err(LogError::Locked(_)) => None,
            other => Some(other.expect("it is refused for the lock alone")),
        }
    }

    fn crash(&mut self, log: LocalLog<u64>) {
        self.disk.kill();
        drop(log);
        let (base, operations) = self.disk.history();
        let mut replay = Replay::new(&base);
        operations.iter().for_each(|operation| replay.apply(operation));
        self.disk = Memory::new(replay.cut(&mut self.rng));
    }

    fn fail(&mut self) {
        self.disk.fail_sync_after(0);
    }
}

/// The log in memory.
struct InMemory {
    store: MemoryStore,
    rng: SmallRng,
}

impl InMemory {
    fn new(seed: u64) -> InMemory {
        InMemory { store: MemoryStore::new(), rng: SmallRng::seed_from_u64(seed) }
    }
}

impl Backend for InMemory {
    type Log = MemoryLog<u64>;

    fn open(&mut self) -> MemoryLog<u64> {
        self.store.open()
    }

    fn take_over(&mut self) -> Option<MemoryLog<u64>> {
        Some(self.store.open())
    }

    fn crash(&mut self, log: MemoryLog<u64>) {
        log.kill(self.rng.random_range(0..4));
    }

    fn fail(&mut self) {
        self.store.fail(true);
    }
}

mod local {
    crate::conformance_tests!(super::Local::new);
}

mod memory {
    crate::conformance_tests!(super::InMemory::new);
}

/// A backend that breaks a promise is found out: else the suite would prove nothing.
mod broken {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{AppendError, Appended, Commit, Entry, Failure, Head, PartitionedLog, conformance as suite};
    use samsyn_vocabulary::Partition;

    /// What is wrong with it.
    #[derive(Clone, Copy)]
    enum Fault {
        /// It doesn't look at the expected head.
        NeverFences,
        /// It tells that records are durable before they are, and loses them in a crash.
        TellsTooEarly,
        /// It appends the records of one append one by one.
        NotWhole,
        /// It tells of some twice.
        TellsTwice,
        /// Each partition survives a crash on its own, whatever relies on it.
        KeepsPartitionsApart,
    }

    type Make<'a> = &'a dyn Fn(u64) -> Broken;

    struct Broken {
        sound: InMemory,
        fault: Fault,
    }

    struct BrokenLog {
        sound: MemoryLog<u64>,
        fault: Fault,
    }

    impl Backend for Broken {
        type Log = BrokenLog;

        fn open(&mut self) -> BrokenLog {
            BrokenLog { sound: self.sound.open(), fault: self.fault }
        }

        fn take_over(&mut self) -> Option<BrokenLog> {
            Some(self.open())
        }

        fn crash(&mut self, log: BrokenLog) {
            self.sound.crash(log.sound);
            if matches!(self.fault, Fault::TellsTooEarly) {
                self.sound.store = MemoryStore::new();
            }
            if matches!(self.fault, Fault::KeepsPartitionsApart) {
                self.sound.store.lose_half_of(Partition(0));
            }
        }

        fn fail(&mut self) {
            self.sound.fail();
        }
    }

    impl PartitionedLog<u64> for BrokenLog {
        type Reader = MemoryStore;

        fn start(
            &self,
            mut on_durable: impl FnMut(Commit<u64>) + Send + 'static,
            on_failed: impl FnOnce(&Failure) + Send + 'static,
        ) -> Result<(), LogError> {
            let twice = matches!(self.fault, Fault::TellsTwice);
            let tell = move |commit: Commit<u64>| {
                let again = commit
                    .records
                    .first()
                    .filter(|_| twice)
                    .map(|record| crate::Committed { payload: Arc::clone(&record.payload), ..*record });
                on_durable(commit);
                if let Some(again) = again {
                    let time = std::time::Duration::ZERO;
                    let records = vec![again];
                    on_durable(Commit { records, bytes: 0, write_time: time, sync_time: time });
                }
            };
            self.sound.start(tell, on_failed)
        }

        fn append(&self, entry: Entry<u64>) -> Result<Appended, AppendError> {
            let expected_head = entry.expected_head.filter(|_| !matches!(self.fault, Fault::NeverFences));
            self.sound.append(Entry { expected_head, ..entry })
        }

        fn append_all(&self, entries: Vec<Entry<u64>>) -> Result<Vec<Appended>, AppendError> {
            if matches!(self.fault, Fault::NotWhole) {
                return entries.into_iter().map(|entry| self.append(entry)).collect();
            }
            self.sound.append_all(entries)
        }

        fn head(&self, partition: Partition) -> Head {
            self.sound.head(partition)
        }

        fn append_bytes_max(&self) -> usize {
            self.sound.append_bytes_max()
        }

        fn queued_bytes(&self) -> usize {
            self.sound.queued_bytes()
        }

        fn is_full(&self) -> bool {
            self.sound.is_full()
        }

        fn wait_for_room(&self) {
            self.sound.wait_for_room();
        }

        fn failed(&self) -> Option<Failure> {
            self.sound.failed()
        }

        fn reader(&self) -> &MemoryStore {
            self.sound.reader()
        }

        fn close(&self) -> Result<(), Failure> {
            self.sound.close()
        }
    }

    #[test]
    fn a_backend_that_breaks_a_promise_fails() {
        let finds = |fault, check: &dyn Fn(Make<'_>)| {
            let make = |seed| Broken { sound: InMemory::new(seed), fault };
            assert!(catch_unwind(AssertUnwindSafe(|| check(&make))).is_err());
        };
        finds(Fault::NeverFences, &|make| suite::who_is_no_longer_at_the_head_is_fenced(make));
        finds(Fault::TellsTooEarly, &|make| suite::a_crash_leaves_a_beginning_with_all_that_was_told(make));
        finds(Fault::NotWhole, &|make| suite::an_append_is_whole_or_nothing(make));
        let twice: &dyn Fn(Make<'_>) =
            &|make| suite::durable_is_told_once_in_order_and_when_it_can_be_read(make);
        finds(Fault::TellsTwice, twice);
        let apart: &dyn Fn(Make<'_>) = &|make| suite::what_a_record_relies_on_is_there_after_a_crash(make);
        finds(Fault::KeepsPartitionsApart, apart);
    }
}
