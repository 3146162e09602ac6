//! Where an event waits on its way from being accepted until its decision is reported: for locks, for a
//! worker, in its plug-ins, for the log, for the disk, for the view.

use std::time::{Duration, Instant};

/// The stages of the way, in its order; [`Waits`] has a time for each.
pub const STAGES: [&str; 7] = ["lock", "queue", "run", "log", "sync", "view", "other"];

/// An event on its way to its first decision.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// None when that was before this process.
    times: Option<Times>,
}

#[derive(Clone, Copy, Debug)]
struct Times {
    accepted: Instant,
    /// Since when it is where it is.
    since: Instant,
    lock: Duration,
    queue: Duration,
    run: Duration,
}

/// How long an event waited, and where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// From being accepted until its decision was reported.
    pub total: Duration,
    /// For locks of the engine, and for profiles that are read under them.
    pub lock: Duration,
    /// For a worker, behind what its partition had to do before.
    pub queue: Duration,
    /// In the plug-ins that hear it, each call that was repeated included.
    pub run: Duration,
    /// In the log's queue, behind the commits before its decision's.
    pub log: Duration,
    /// For the write and the sync of its decision's commit.
    pub sync: Duration,
    /// For the view, which takes a commit before anybody is told of it.
    pub view: Duration,
}

impl Waits {
    /// What no stage accounts for: deciding, encoding, and waiting for a core.
    pub fn other(&self) -> Duration {
        let known = self.lock + self.queue + self.run + self.log + self.sync + self.view;
        self.total.saturating_sub(known)
    }

    /// A time for each of [`STAGES`].
    pub fn stages(&self) -> [Duration; STAGES.len()] {
        [self.lock, self.queue, self.run, self.log, self.sync, self.view, self.other()]
    }
}

impl Way {
    /// An event that is being accepted since this moment.
    pub fn accepted(accepted: Instant) -> Way {
        let nothing = Duration::ZERO;
        Way { times: Some(Times { accepted, since: accepted, lock: nothing, queue: nothing, run: nothing }) }
    }

    /// One that an earlier process accepted.
    pub fn resumed() -> Way {
        Way { times: None }
    }

    /// It has its place in the log and waits for a worker. Until here it waited for locks.
    pub fn sequenced(&mut self) {
        self.passed(|times| &mut times.lock);
    }

    /// A worker has it.
    pub fn begun(&mut self) {
        self.passed(|times| &mut times.queue);
    }

    /// Something that waits for locks ended, and something that doesn't began.
    pub fn locked(&mut self) {
        self.passed(|times| &mut times.lock);
    }

    /// Its plug-ins have run.
    pub fn ran(&mut self) {
        self.passed(|times| &mut times.run);
    }

    /// Deciding what follows begins or ended, which no stage accounts for.
    pub fn decided(&mut self) {
        if let Some(times) = &mut self.times {
            times.since = Instant::now();
        }
    }

    fn passed(&mut self, stage: impl FnOnce(&mut Times) -> &mut Duration) {
        if let Some(times) = &mut self.times {
            let now = Instant::now();
            let waited = now.saturating_duration_since(times.since);
            times.since = now;
            *stage(times) += waited;
        }
    }

    /// How long it has been on its way.
    pub fn elapsed(&self) -> Option<Duration> {
        self.times.map(|times| times.accepted.elapsed())
    }

    /// Where it waited, when its decision is durable at `durable`, after a write and sync of that long,
    /// and reported at `reported`. None when an earlier process accepted it.
    pub fn waits(&self, disk: Duration, durable: Instant, reported: Instant) -> Option<Waits> {
        let Times { accepted, since, lock, queue, run } = self.times?;
        let in_log = durable.saturating_duration_since(since);
        Some(Waits {
            total: reported.saturating_duration_since(accepted),
            lock,
            queue,
            run,
            log: in_log.saturating_sub(disk),
            sync: disk.min(in_log),
            view: reported.saturating_duration_since(durable),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ways_stages_are_all_of_it() {
        let start = Instant::now();
        let mut way = Way::accepted(start);
        way.sequenced();
        way.begun();
        way.locked();
        way.ran();
        way.decided();
        way.locked();
        let (durable, reported) =
            (Instant::now() + Duration::from_millis(9), Instant::now() + Duration::from_millis(11));
        let waits = way.waits(Duration::from_millis(4), durable, reported).unwrap();
        assert_eq!(waits.total, reported - start);
        assert_eq!(waits.stages().iter().sum::<Duration>(), waits.total);
        assert_eq!((waits.sync, waits.view), (Duration::from_millis(4), reported - durable));
        // Its write and sync may have begun before its place was known to be in the log.
        let short = way.waits(Duration::from_secs(1), durable, reported).unwrap();
        assert_eq!((short.log, short.stages().iter().sum::<Duration>()), (Duration::ZERO, short.total));
        assert_eq!(Way::resumed().waits(Duration::ZERO, durable, reported), None);
    }
}
