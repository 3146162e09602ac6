//! Starting followers, asking how they are, and stopping them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use samsyn_disk::Disk;
use samsyn_journal::Reader;
use samsyn_log::{LogReader, ReadLog};
use samsyn_machine::clock::Clock;
use samsyn_vocabulary::Partition;

use crate::runner::Runner;
use crate::status::Shared;
use crate::store::Store;
use crate::{Follower, FollowerStatus, Pace};

/// How long a follower may take to end. One that takes longer is left alone: what it hasn't committed comes
/// again after the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Followers of one log, and where they keep their files. The directory belongs to who holds the log.
pub struct Followers<R: ReadLog = LogReader> {
    reader: Reader<R>,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    clock: Clock,
    pace: Pace,
    running: Mutex<Vec<Running>>,
}

struct Running {
    name: &'static str,
    follows: fn(Partition) -> bool,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl<R: ReadLog> Followers<R> {
    /// None yet.
    pub fn new(reader: Reader<R>, disk: Arc<dyn Disk>, dir: PathBuf, clock: Clock, pace: Pace) -> Self {
        Followers { reader, disk, dir, clock, pace, running: Mutex::default() }
    }

    /// Starts a follower on a thread of its own. It goes on from its file; without one it begins with the oldest
    /// record of the log. Fails when one of its name runs already, or when there can be no more threads.
    pub fn start<F: Follower>(&self, follower: F) -> io::Result<()> {
        let name = F::NAME;
        let mut running = self.running.lock();
        if running.iter().any(|other| other.name == name) {
            let cause = format!("a follower of the name {name} runs already");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, cause));
        }
        let shared = Arc::new(Shared::default());
        let mut runner = Runner {
            follower,
            reader: self.reader.clone(),
            store: Store::new(self.disk.clone(), &self.dir, name),
            shared: shared.clone(),
            clock: self.clock.clone(),
            pace: self.pace,
        };
        runner.prepare();
        let thread = thread::Builder::new().name(format!("follow-{name}")).spawn(move || runner.run())?;
        running.push(Running { name, follows: F::follows, shared, thread: Some(thread) });
        Ok(())
    }

    /// How each is, in the order of their starts.
    pub fn status(&self) -> Vec<FollowerStatus> {
        let running = self.running.lock();
        let now = self.clock.now();
        running
            .iter()
            .map(|follower| follower.shared.status(follower.name, follower.follows, &self.reader, now))
            .collect()
    }

    /// Ends all, each after its next commit. Doesn't wait until they have caught up.
    pub fn stop(&self) {
        let mut running = self.running.lock();
        for follower in running.iter() {
            follower.shared.stop();
            if let Some(thread) = &follower.thread {
                thread.thread().unpark();
            }
        }
        let until = Instant::now() + STOP_PATIENCE;
        for follower in running.iter_mut() {
            let Some(thread) = follower.thread.take() else { continue };
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(LOOK_EVERY);
            }
            if !thread.is_finished() {
                tracing::warn!(follower = follower.name, "a follower doesn't end and is left behind");
            } else if thread.join().is_err() {
                tracing::error!(follower = follower.name, "a follower's thread had panicked");
            }
        }
    }
}

impl<R: ReadLog> Drop for Followers<R> {
    fn drop(&mut self) {
        self.stop();
    }
}
