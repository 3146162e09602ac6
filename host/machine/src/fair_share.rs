//! Threads that compute for long share the processor fairly: together they leave one core to those that others
//! wait for and to the kernel's disk work. A virtual machine whose cores all compute has been seen to sync fifty
//! times as slowly.
//!
//! A slot is held for one piece of work. Who has had the least time so far comes next, so that one who takes all
//! that it may doesn't hold up one who takes only a little too much. Who they are, a name `N` says.

use std::hash::Hash;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

use crate::niceness::spare_of;

/// The slots, those that wait for one, and the time each has had.
pub struct FairShare<N> {
    slots: usize,
    state: Mutex<State<N>>,
    ended: Condvar,
}

struct State<N> {
    taken: usize,
    waiting: Vec<N>,
    had: FxHashMap<N, Duration>,
    /// The time that the newest holder of a slot had had when it got it.
    floor: Duration,
}

/// A slot that is held; freed when dropped.
pub struct ComputeSlot<'a, N: Clone + Eq + Hash> {
    share: &'a FairShare<N>,
    name: &'a N,
    since: Instant,
}

impl<N: Clone + Eq + Hash> FairShare<N> {
    /// For a machine of so many cores: all but one of them, and at least one.
    pub fn of_cores(cores: usize) -> FairShare<N> {
        FairShare { slots: spare_of(cores), state: Mutex::new(State::default()), ended: Condvar::new() }
    }

    /// Waits for a slot: one is free, and nobody who waits has had less time. Each holds one slot at a time.
    pub fn take<'a>(&'a self, name: &'a N) -> ComputeSlot<'a, N> {
        let mut state = self.state.lock();
        state.arrive(name);
        while state.taken >= self.slots || state.next() != Some(name) {
            self.ended.wait(&mut state);
        }
        state.begin(name);
        // If another slot is free, the next need not wait for this one.
        self.ended.notify_all();
        ComputeSlot { share: self, name, since: Instant::now() }
    }

    /// Forgets one whose thread ends.
    pub fn forget(&self, name: &N) {
        self.state.lock().had.remove(name);
    }
}

impl<N> Default for State<N> {
    fn default() -> State<N> {
        State { taken: 0, waiting: Vec::new(), had: FxHashMap::default(), floor: Duration::ZERO }
    }
}

impl<N: Clone + Eq + Hash> State<N> {
    fn arrive(&mut self, name: &N) {
        // Idle time earns no credit.
        let had = self.had.entry(name.clone()).or_default();
        *had = self.floor.max(*had);
        self.waiting.push(name.clone());
    }

    fn next(&self) -> Option<&N> {
        self.waiting.iter().min_by_key(|waiting_one| self.had.get(*waiting_one))
    }

    fn begin(&mut self, name: &N) {
        self.waiting.retain(|waiting_one| waiting_one != name);
        self.taken += 1;
        self.floor = self.floor.max(self.had.get(name).copied().unwrap_or_default());
    }

    fn end(&mut self, name: &N, took: Duration) {
        self.taken -= 1;
        *self.had.entry(name.clone()).or_default() += took;
    }
}

impl<N: Clone + Eq + Hash> Drop for ComputeSlot<'_, N> {
    fn drop(&mut self) {
        self.share.state.lock().end(self.name, self.since.elapsed());
        self.share.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> String {
        name.to_owned()
    }

    /// The order of slots when each capability takes its time and returns at once.
    fn order(takes: &[(&str, u64)], count: usize) -> Vec<String> {
        let mut state = State::default();
        takes.iter().for_each(|(capability, _)| state.arrive(&name(capability)));
        let next = |_| {
            let capability = state.next().unwrap().clone();
            state.begin(&capability);
            let took = takes.iter().find(|(is, _)| *is == capability.as_str()).unwrap().1;
            state.end(&capability, Duration::from_millis(took));
            state.arrive(&capability);
            capability
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn everybody_gets_as_much_time() {
        let order = order(&[("endless", 1_000), ("slow", 10)], 1_000);
        let endless = order.iter().filter(|capability| capability.as_str() == "endless").count();
        assert!((9..=11).contains(&endless), "{endless} of 1,000 slots");
        assert!(
            order[2..].iter().take(90).all(|capability| capability.as_str() == "slow"),
            "{:?}",
            &order[..10]
        );
    }

    #[test]
    fn who_comes_late_has_saved_up_nothing() {
        let mut state = State::default();
        for _ in 0..100 {
            state.arrive(&name("old"));
            state.begin(&name("old"));
            state.end(&name("old"), Duration::from_millis(10));
        }
        state.arrive(&name("new"));
        state.begin(&name("new"));
        state.end(&name("new"), Duration::from_millis(20));
        state.arrive(&name("old"));
        state.arrive(&name("new"));
        assert_eq!(state.next(), Some(&name("old")));
    }

    #[test]
    fn never_more_compute_than_there_are_slots() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        for (cores, slots) in [(1, 1), (2, 1), (3, 2)] {
            let share = FairShare::of_cores(cores);
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for capability in ["a", "b", "c", "d"].map(name) {
                    let (share, now, most) = (&share, &now, &most);
                    scope.spawn(move || {
                        for _ in 0..50 {
                            let _turn = share.take(&capability);
                            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            std::thread::yield_now();
                            now.fetch_sub(1, Ordering::SeqCst);
                        }
                        share.forget(&capability);
                    });
                }
            });
            assert!(most.into_inner() <= slots, "{cores} cores");
            assert!(share.state.lock().waiting.is_empty());
        }
    }
}
