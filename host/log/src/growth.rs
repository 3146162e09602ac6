//! How a reader learns that more is durable: it sleeps, and the writer wakes it.
//!
//! The writer counts its commits and wakes who sleeps. It never waits: it runs nothing of theirs, and takes no
//! lock that anybody holds while he works. Who is awake costs it one look at a flag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Instant;

use parking_lot::RwLock;

/// Counts how often more became durable, and wakes threads that wait for it.
#[derive(Default)]
pub struct Growth {
    commits: AtomicU64,
    /// Written only when a thread begins or ends to follow.
    followers: RwLock<Vec<Arc<Sleeper>>>,
}

struct Sleeper {
    thread: Thread,
    asleep: AtomicBool,
}

/// A thread that can wait for a log to grow. It stays on the thread that made it.
pub struct GrowthWaiter {
    growth: Arc<Growth>,
    sleeper: Arc<Sleeper>,
}

impl Growth {
    /// How often more became durable. Looked at before the log is read, it says whether that was all.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Lets this thread wait.
    pub fn waiter(self: &Arc<Growth>) -> GrowthWaiter {
        let sleeper = Arc::new(Sleeper { thread: thread::current(), asleep: AtomicBool::new(false) });
        self.followers.write().push(sleeper.clone());
        GrowthWaiter { growth: self.clone(), sleeper }
    }

    /// More is durable, and readers see it.
    pub(super) fn grew(&self) {
        self.commits.fetch_add(1, Ordering::SeqCst);
        for sleeper in self.followers.read().iter() {
            // Whoever is awake looks at the count before it sleeps.
            if sleeper.asleep.swap(false, Ordering::SeqCst) {
                sleeper.thread.unpark();
            }
        }
    }
}

impl GrowthWaiter {
    /// Waits until there were more than `seen` commits, or `ends` says so, which is asked whenever the thread
    /// is unparked.
    pub fn wait(&self, seen: u64, ends: impl Fn() -> bool) {
        let asleep = &self.sleeper.asleep;
        loop {
            asleep.store(true, Ordering::SeqCst);
            if self.growth.commits() != seen || ends() {
                asleep.store(false, Ordering::SeqCst);
                return;
            }
            thread::park();
        }
    }

    /// Waits until a time, whatever becomes durable, or until `ends` says so, which is asked whenever the thread
    /// is unparked.
    pub fn rest(&self, until: Instant, ends: impl Fn() -> bool) {
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|_| !ends()) {
            thread::park_timeout(left);
        }
    }
}

impl Drop for GrowthWaiter {
    fn drop(&mut self) {
        self.growth.followers.write().retain(|sleeper| !Arc::ptr_eq(sleeper, &self.sleeper));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Nothing that grows between a look and the sleep is missed.
    #[test]
    fn who_sleeps_is_woken_by_every_commit_it_has_not_seen() {
        const COMMITS: u64 = 20_000;
        let growth = Arc::new(Growth::default());
        let (looked, ready) = (AtomicUsize::new(0), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let waiter = growth.waiter();
                    let mut seen = growth.commits();
                    // One that came late would find nothing to wait for.
                    ready.wait();
                    while seen < COMMITS {
                        waiter.wait(seen, || false);
                        assert!(growth.commits() > seen, "it was woken for something");
                        seen = growth.commits();
                        looked.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            ready.wait();
            (0..COMMITS).for_each(|_| growth.grew());
        });
        assert!(looked.into_inner() > 0);
        assert!(growth.followers.read().is_empty(), "who is gone isn't woken");
    }

    #[test]
    fn who_waits_can_be_told_to_end() {
        let (growth, ends) = (Arc::new(Growth::default()), AtomicBool::new(false));
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let waiter = growth.waiter();
                waiter.wait(0, || ends.load(Ordering::SeqCst));
                waiter.rest(Instant::now() + std::time::Duration::from_secs(3600), || true);
            });
            ends.store(true, Ordering::SeqCst);
            waits.thread().unpark();
            waits.join().expect("it ends");
        });
    }
}
