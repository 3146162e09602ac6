//! Capabilities in the slow lane share the processor fairly: together they leave one core to the workers
//! and to the kernel's disk work. A virtual machine whose cores all compute has been seen to sync fifty
//! times as slowly.
//!
//! A slot is held for one invocation. The capability with the least time so far comes next, so that a
//! plug-in that spends all of its limits doesn't hold up one that is only a little too slow.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustc_hash::FxHashMap;

use crate::niceness::spare_of;
use crate::vocabulary::CapabilityName;

/// The slots, the capabilities that wait for one, and the time each has had.
pub struct FairShare {
    slots: usize,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    taken: usize,
    waiting: Vec<CapabilityName>,
    had: FxHashMap<CapabilityName, Duration>,
    /// The time that the newest holder of a slot had had when it got it.
    floor: Duration,
}

/// A slot that is held; freed when dropped.
pub struct ComputeSlot<'a> {
    share: &'a FairShare,
    capability: &'a CapabilityName,
    since: Instant,
}

impl FairShare {
    /// For a machine of so many cores: all but one of them, and at least one.
    pub fn of_cores(cores: usize) -> FairShare {
        FairShare { slots: spare_of(cores), state: Mutex::default(), ended: Condvar::new() }
    }

    /// Waits for a slot: one is free, and no waiting capability has had less time. A capability holds one
    /// slot at a time.
    pub fn take<'a>(&'a self, capability: &'a CapabilityName) -> ComputeSlot<'a> {
        let mut state = self.state.lock();
        state.arrive(capability);
        while state.taken >= self.slots || state.next() != Some(capability) {
            self.ended.wait(&mut state);
        }
        state.begin(capability);
        // If another slot is free, the next need not wait for this one.
        self.ended.notify_all();
        ComputeSlot { share: self, capability, since: Instant::now() }
    }

    /// Forgets a capability whose thread ends.
    pub fn forget(&self, capability: &CapabilityName) {
        self.state.lock().had.remove(capability);
    }
}

impl State {
    fn arrive(&mut self, capability: &CapabilityName) {
        // Idle time earns no credit.
        let had = self.had.entry(capability.clone()).or_default();
        *had = self.floor.max(*had);
        self.waiting.push(capability.clone());
    }

    fn next(&self) -> Option<&CapabilityName> {
        self.waiting.iter().min_by_key(|waiting_one| self.had.get(*waiting_one))
    }

    fn begin(&mut self, capability: &CapabilityName) {
        self.waiting.retain(|waiting_one| waiting_one != capability);
        self.taken += 1;
        self.floor = self.floor.max(self.had.get(capability).copied().unwrap_or_default());
    }

    fn end(&mut self, capability: &CapabilityName, took: Duration) {
        self.taken -= 1;
        *self.had.entry(capability.clone()).or_default() += took;
    }
}

impl Drop for ComputeSlot<'_> {
    fn drop(&mut self) {
        self.share.state.lock().end(self.capability, self.since.elapsed());
        self.share.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> CapabilityName {
        name.parse().unwrap()
    }

    /// The order of slots when each capability takes its time and returns at once.
    fn order(takes: &[(&str, u64)], count: usize) -> Vec<CapabilityName> {
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
