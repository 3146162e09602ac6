//! A follower's thread: from its file it goes on where it was, takes in a batch, commits it, and sleeps until
//! there is more.
//!
//! The thread is woken once when it sleeps, takes in all there is, and writes its file at most once in
//! [`Pace::commit_every`]: so a busy log costs it one write a second and the log's writer one wake-up a second.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use samsyn_journal::{Reader, decode, encode};
use samsyn_log::{GrowthWaiter, Head, ReadLog};
use samsyn_machine::clock::Clock;
use samsyn_machine::niceness::lower_priority;
use samsyn_vocabulary::{Position, Timestamp};

use crate::progress::{Progress, Rebuilt};
use crate::pull::{Pull, Taken};
use crate::saved::Saved;
use crate::status::Shared;
use crate::store::{Found, Store};
use crate::{FollowConfig, FollowError, Follower};

/// The thread's niceness: events and answers come first.
const NICENESS: i32 = 10;

/// How fast followers go.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From one commit to the next, at least, once it has caught up.
    pub commit_every: Duration,
    /// Records of one commit, at most. Behind, it rests after each commit as long as that took.
    pub records_max: usize,
    /// The pause after a failure; twice as long after each further one …
    pub retry_first: Duration,
    /// … and at most so long.
    pub retry_max: Duration,
}

impl Pace {
    /// As the settings have it.
    pub fn of(config: &FollowConfig) -> Pace {
        Pace {
            commit_every: Duration::from_millis(config.commit_ms),
            records_max: 50_000,
            retry_first: Duration::from_secs(1),
            retry_max: Duration::from_secs(30),
        }
    }
}

/// What a follower's thread works with.
pub struct Runner<F: Follower, R: ReadLog> {
    pub follower: F,
    pub reader: Reader<R>,
    pub store: Store,
    pub shared: Arc<Shared>,
    pub clock: Clock,
    pub pace: Pace,
}

impl<F: Follower, R: ReadLog> Runner<F, R> {
    /// Reads the file and tells of it before the thread starts: so nobody who asks finds less than there was
    /// before a restart. What can't be read is the thread's to say.
    pub fn prepare(&mut self) {
        if let Ok(taken) = self.open() {
            self.tell_of(&taken);
        }
    }

    fn tell_of(&mut self, taken: &Taken<F::State>) {
        // Of what is rebuilt there is nothing durable yet.
        if !taken.changed {
            self.show(taken);
        }
    }

    /// Shows what is durable: the state before the cursor, so that whoever sees no lag sees the state as well.
    fn show(&mut self, taken: &Taken<F::State>) {
        self.follower.committed(&taken.state);
        self.shared.committed(&taken.progress);
    }

    /// Follows until it is told to stop; after a failure it begins again with what its file says.
    pub fn run(mut self) {
        lower_priority(NICENESS);
        let waiter = self.reader.log().growth().waiter();
        let mut pause = self.pace.retry_first;
        loop {
            let follow = AssertUnwindSafe(|| self.follow(&waiter, &mut pause));
            let error = match catch_unwind(follow) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().map(String::as_str);
                    let text = text.or(panic.downcast_ref::<&str>().copied());
                    FollowError::Panicked(text.unwrap_or("no reason given").to_owned())
                }
            };
            tracing::error!(
                follower = F::NAME,
                %error,
                again_in_ms = pause.as_millis() as u64,
                "a follower stands still; the host goes on, and the follower tries again"
            );
            self.shared.failed(&error);
            waiter.rest(Instant::now() + pause, || self.shared.is_stopping());
            if self.shared.is_stopping() {
                return;
            }
            pause = (pause * 2).min(self.pace.retry_max);
        }
    }

    fn follow(&mut self, waiter: &GrowthWaiter, pause: &mut Duration) -> Result<(), FollowError> {
        let growth = self.reader.log().growth();
        let shared = self.shared.clone();
        let mut taken = self.open()?;
        if let Some(rebuilt) = taken.progress.rebuilt.as_ref().filter(|_| taken.changed) {
            let since = taken.progress.since.map_or("the log's first record".to_owned(), |at| at.to_string());
            tracing::warn!(
                follower = F::NAME,
                file = %self.store.path().display(),
                reason = rebuilt.reason,
                since,
                "the follower is rebuilt from the oldest record of the log"
            );
        }
        self.tell_of(&taken);
        let mut pull = Pull::new(self.reader.clone(), self.clock.clone());
        loop {
            let (seen, began) = (growth.commits(), Instant::now());
            let more =
                pull.take(&mut self.follower, &mut taken, self.pace.records_max, || shared.is_stopping())?;
            let mut rests_until = began;
            if taken.changed {
                self.commit(&mut taken)?;
                *pause = self.pace.retry_first;
                rests_until = if more {
                    Instant::now() + began.elapsed()
                } else {
                    Instant::now() + self.pace.commit_every
                };
            }
            self.shared.runs();
            if shared.is_stopping() {
                return Ok(());
            }
            if !more {
                waiter.wait(seen, || shared.is_stopping());
            }
            waiter.rest(rests_until, || shared.is_stopping());
        }
    }

    /// What its file says, if that is of this log; else it is rebuilt.
    fn open(&self) -> Result<Taken<F::State>, FollowError> {
        let saved = match self.store.load()? {
            Found::Nothing => return self.begin(None),
            Found::Damaged(why) => return self.begin(Some(format!("its file was damaged: {why}"))),
            Found::Saved(saved) => saved,
        };
        let Saved { state_version, progress, state } = *saved;
        if state_version > F::STATE_VERSION {
            return Err(self.store.newer("a state of version", state_version, F::STATE_VERSION));
        }
        if state_version < F::STATE_VERSION {
            return self.begin(Some(format!("this host keeps another state than version {state_version}")));
        }
        if let Some(why) = self.difference(&progress)? {
            return self.begin(Some(why));
        }
        match decode(&state) {
            Ok(state) => Ok(Taken { progress, state, changed: false }),
            Err(cause) => self.begin(Some(format!("its file was damaged: {cause}"))),
        }
    }

    /// Why this log isn't the one that a follower was in, if it isn't.
    fn difference(&self, progress: &Progress) -> Result<Option<String>, FollowError> {
        let log = self.reader.log();
        if log.log_id() != progress.log_id {
            return Ok(Some("it had followed another log".to_owned()));
        }
        for (partition, head) in &progress.cursors {
            let end = log.durable_head(*partition).seq;
            if end < head.seq {
                let had = head.seq;
                return Ok(Some(format!(
                    "the log ends earlier than it had read: partition {partition} at {end}, and it had read {had}"
                )));
            }
            let position = Position { partition: *partition, seq: head.seq };
            // None when it was removed meanwhile: then nothing can be compared.
            if log.chain_at(position)?.is_some_and(|chain| chain != head.chain) {
                return Ok(Some(format!("the log has another record {position} than it had read")));
            }
        }
        Ok(None)
    }

    /// Begins with the oldest record of the log; `reason` is why what there was before doesn't count any more.
    fn begin(&self, reason: Option<String>) -> Result<Taken<F::State>, FollowError> {
        let log = self.reader.log();
        let mut progress = Progress::new(log.log_id());
        let mut oldest: Option<Timestamp> = None;
        for (partition, head) in log.durable_heads() {
            if !F::follows(partition) {
                continue;
            }
            let first = self.reader.scan(partition, 1).next().transpose()?;
            let before = first.as_ref().map_or(head.seq, |first| first.position.seq - 1);
            let first_at = first.map(|first| first.appended_at);
            oldest = oldest.into_iter().chain(first_at).min();
            if before > 0 {
                let chain = log.chain_at(Position { partition, seq: before })?.unwrap_or_default();
                progress.cursors.insert(partition, Head { seq: before, chain });
            }
        }
        if !progress.cursors.is_empty() {
            progress.since = Some(oldest.unwrap_or_else(|| self.clock.now()));
        }
        let changed = reason.is_some();
        progress.rebuilt = reason.map(|reason| Rebuilt { at: self.clock.now(), reason });
        Ok(Taken { progress, state: F::State::default(), changed })
    }

    fn commit(&mut self, taken: &mut Taken<F::State>) -> Result<(), FollowError> {
        let saved = Saved {
            state_version: F::STATE_VERSION,
            progress: taken.progress.clone(),
            state: encode(&taken.state),
        };
        self.store.save(&saved)?;
        taken.changed = false;
        self.show(taken);
        Ok(())
    }
}
