//! Plug-ins on threads of their own compute in turns, so that all of them together leave a core to
//! everybody else: to the workers, and to what stands between the host and its disk. A virtual
//! machine whose cores all compute has been seen to sync fifty times as slowly.
//!
//! A turn is one invocation. Whoever has had the least time comes next, so that a plug-in that spends all
//! of its limits doesn't hold up one that only takes a little too long.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::niceness::spare_of;
use crate::quick_map::QuickMap;
use crate::vocabulary::CapabilityName;

/// Who computes now, who waits for it, and how much time each has had.
pub struct Turns {
    places: usize,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    taken: usize,
    waiting: Vec<CapabilityName>,
    had: QuickMap<CapabilityName, Duration>,
    /// What whoever came last had had by then.
    floor: Duration,
}

/// A place taken; given back when dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    who: &'a CapabilityName,
    since: Instant,
}

impl Turns {
    /// For a machine of so many cores: all but one of them, and at least one.
    pub fn of_cores(cores: usize) -> Turns {
        Turns { places: spare_of(cores), state: Mutex::default(), ended: Condvar::new() }
    }

    /// Waits until it is this capability's turn: there is a place, and nobody who waits has had less
    /// time. One capability takes one turn at a time.
    pub fn take<'a>(&'a self, who: &'a CapabilityName) -> Turn<'a> {
        let mut state = self.state.lock();
        state.arrive(who);
        while state.taken >= self.places || state.next() != Some(who) {
            self.ended.wait(&mut state);
        }
        state.begin(who);
        // With another place, the next needn't wait for the end of this one.
        self.ended.notify_all();
        Turn { turns: self, who, since: Instant::now() }
    }

    /// Forgets one whose thread ends.
    pub fn forget(&self, who: &CapabilityName) {
        self.state.lock().had.remove(who);
    }
}

impl State {
    fn arrive(&mut self, who: &CapabilityName) {
        // Who hasn't computed for a while has saved up nothing.
        let had = self.had.entry(who.clone()).or_default();
        *had = self.floor.max(*had);
        self.waiting.push(who.clone());
    }

    fn next(&self) -> Option<&CapabilityName> {
        self.waiting.iter().min_by_key(|waits| self.had.get(*waits))
    }

    fn begin(&mut self, who: &CapabilityName) {
        self.waiting.retain(|waits| waits != who);
        self.taken += 1;
        self.floor = self.floor.max(self.had.get(who).copied().unwrap_or_default());
    }

    fn end(&mut self, who: &CapabilityName, took: Duration) {
        self.taken -= 1;
        *self.had.entry(who.clone()).or_default() += took;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.state.lock().end(self.who, self.since.elapsed());
        self.turns.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> CapabilityName {
        name.parse().unwrap()
    }

    /// Who computes when each takes its time and comes again at once.
    fn order(takes: &[(&str, u64)], turns: usize) -> Vec<CapabilityName> {
        let mut state = State::default();
        takes.iter().for_each(|(who, _)| state.arrive(&name(who)));
        let turn = |_| {
            let who = state.next().unwrap().clone();
            state.begin(&who);
            let took = takes.iter().find(|(is, _)| *is == who.as_str()).unwrap().1;
            state.end(&who, Duration::from_millis(took));
            state.arrive(&who);
            who
        };
        (0..turns).map(turn).collect()
    }

    #[test]
    fn everybody_gets_as_much_time() {
        let order = order(&[("endless", 1_000), ("slow", 10)], 1_000);
        let endless = order.iter().filter(|who| who.as_str() == "endless").count();
        assert!((9..=11).contains(&endless), "{endless} of 1,000 turns");
        assert!(order[2..].iter().take(90).all(|who| who.as_str() == "slow"), "{:?}", &order[..10]);
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
    fn never_more_compute_than_there_are_places() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        for (cores, places) in [(1, 1), (2, 1), (3, 2)] {
            let turns = Turns::of_cores(cores);
            let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for who in ["a", "b", "c", "d"].map(name) {
                    let (turns, now, most) = (&turns, &now, &most);
                    scope.spawn(move || {
                        for _ in 0..50 {
                            let _turn = turns.take(&who);
                            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            std::thread::yield_now();
                            now.fetch_sub(1, Ordering::SeqCst);
                        }
                        turns.forget(&who);
                    });
                }
            });
            assert!(most.into_inner() <= places, "{cores} cores");
            assert!(turns.state.lock().waiting.is_empty());
        }
    }
}
