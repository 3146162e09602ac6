//! The next calls of an endpoint, in memory, so that the view is asked only when these run out.

use std::collections::BTreeSet;

use samsyn_journal::PendingCall;
use samsyn_vocabulary::Timestamp;

/// Calls that are kept; later ones stay in the view alone.
const KEPT_MAX: usize = 4_096;

/// Calls of one endpoint that wait, the next one first. It may hold calls that no longer wait: an attempt looks itself.
#[derive(Debug, Default)]
pub struct Upcoming {
    calls: BTreeSet<PendingCall>,
    known: Known,
}

/// Of which calls it knows all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// Of none: the view has to be asked.
    #[default]
    Nothing,
    /// Of those up to this one.
    UpTo(PendingCall),
    /// Of all.
    All,
}

impl Upcoming {
    /// Adds calls that began to wait.
    pub fn add(&mut self, calls: impl IntoIterator<Item = PendingCall>) {
        for call in calls {
            let is_known = match &self.known {
                Known::Nothing => false,
                Known::UpTo(last) => call <= *last,
                Known::All => true,
            };
            // Others are found when the view is asked.
            if is_known {
                self.calls.insert(call);
            }
        }
        self.drop_the_last();
    }

    /// The view is going to be asked: what begins to wait in between may be in its answer or not, and is kept.
    pub fn ask(&mut self) {
        self.known = Known::All;
    }

    /// What the view answered: its first calls, all of them if there are fewer than this limit.
    pub fn answered(&mut self, found: Vec<PendingCall>, limit: usize) {
        let known = match found.last() {
            Some(last) if found.len() >= limit => Known::UpTo(last.clone()),
            _ => Known::All,
        };
        self.known = known.min(std::mem::take(&mut self.known));
        self.calls.extend(found);
        if let Known::UpTo(last) = &self.known {
            // Before one of these there may be some that aren't here.
            self.calls.retain(|call| call <= last);
        }
        self.drop_the_last();
    }

    /// Nothing is certain any more; the view is to be asked.
    pub fn forget(&mut self) {
        self.known = Known::Nothing;
        self.calls.clear();
    }

    /// Takes the first that is due and may begin.
    pub fn take_due(
        &mut self,
        now: Timestamp,
        may_begin: impl Fn(&PendingCall) -> bool,
    ) -> Option<PendingCall> {
        let due = self.calls.iter().take_while(|call| call.at <= now);
        let first = due.into_iter().find(|call| may_begin(call))?.clone();
        self.calls.remove(&first);
        Some(first)
    }

    /// Whether it has so many that are due, or may lack some.
    pub fn has_due(&self, now: Timestamp, count: usize) -> bool {
        self.may_lack(now) || self.calls.iter().take_while(|call| call.at <= now).take(count).count() == count
    }

    /// Puts one back that was taken.
    pub fn put_back(&mut self, call: PendingCall) {
        self.calls.insert(call);
    }

    /// Whether the view may have calls that are due by this time and aren't here.
    pub fn may_lack(&self, now: Timestamp) -> bool {
        match &self.known {
            Known::Nothing => true,
            Known::UpTo(last) => last.at <= now,
            Known::All => false,
        }
    }

    /// When the next one that may begin is due, or the view has to be asked; none when nothing waits.
    pub fn next_at(&self, may_begin: impl Fn(&PendingCall) -> bool) -> Option<Timestamp> {
        let first = self.calls.iter().find(|call| may_begin(call)).map(|call| call.at);
        let beyond = match &self.known {
            Known::UpTo(last) => Some(last.at),
            Known::Nothing | Known::All => None,
        };
        first.into_iter().chain(beyond).min()
    }

    fn drop_the_last(&mut self) {
        if self.calls.len() <= KEPT_MAX {
            return;
        }
        while self.calls.len() > KEPT_MAX {
            self.calls.pop_last();
        }
        if let Some(last) = self.calls.last() {
            let known = Known::UpTo(last.clone());
            self.known = known.min(std::mem::take(&mut self.known));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use samsyn_journal::CallState;
    use samsyn_vocabulary::{CapabilityName, EndpointName, ProfileId};

    fn call(at: i64, number: u32) -> PendingCall {
        PendingCall {
            state: CallState::Waiting,
            capability: CapabilityName::new("tier-sync").unwrap(),
            endpoint: EndpointName::new("membership").unwrap(),
            at: Timestamp(at),
            profile: format!("00000000-0000-0000-0000-{number:012x}").parse::<ProfileId>().unwrap(),
            generation: 1,
            number,
        }
    }

    /// What happens to an endpoint's calls.
    #[derive(Clone, Debug)]
    enum Happens {
        /// One begins to wait, and its news comes.
        Begins(i64),
        /// One begins to wait between the question to the view and its answer, which has it or not.
        BeginsMeanwhile(i64),
        /// The next one that is due is taken, asking the view if need be.
        Taken,
        /// Time passes.
        Passes(i64),
        /// News were lost.
        Missed,
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            4 => (0_i64..40).prop_map(Happens::Begins),
            1 => (0_i64..40).prop_map(Happens::BeginsMeanwhile),
            6 => Just(Happens::Taken),
            2 => (0_i64..10).prop_map(Happens::Passes),
            1 => Just(Happens::Missed),
        ]
    }

    proptest! {
        /// Beside a view that is right: the first that is due is always the one that is taken.
        #[test]
        fn none_is_forgotten(steps in prop::collection::vec(happens(), 0..200), limit in 1_usize..5) {
            let (mut view, mut upcoming, mut now, mut number) = (BTreeSet::new(), Upcoming::default(), 0, 0);
            let mut begins = |view: &mut BTreeSet<PendingCall>, at| {
                number += 1;
                view.insert(call(at, number));
                call(at, number)
            };
            let ask = |view: &BTreeSet<PendingCall>| view.iter().take(limit).cloned().collect::<Vec<_>>();
            for step in steps {
                match step {
                    Happens::Begins(after) => upcoming.add([begins(&mut view, now + after)]),
                    Happens::BeginsMeanwhile(after) => {
                        upcoming.ask();
                        let answer = ask(&view);
                        upcoming.add([begins(&mut view, now + after)]);
                        upcoming.answered(answer, limit);
                    }
                    Happens::Passes(time) => now += time,
                    Happens::Missed => {
                        begins(&mut view, now);
                        upcoming.forget();
                    }
                    Happens::Taken => {
                        let mut taken = upcoming.take_due(Timestamp(now), |_| true);
                        if taken.is_none() && upcoming.may_lack(Timestamp(now)) {
                            upcoming.ask();
                            upcoming.answered(ask(&view), limit);
                            taken = upcoming.take_due(Timestamp(now), |_| true);
                        }
                        let first = view.first().filter(|call| call.at.0 <= now).cloned();
                        prop_assert_eq!(&taken, &first);
                        first.map(|first| view.remove(&first));
                    }
                }
            }
        }
    }

    #[test]
    fn more_than_are_kept_are_asked_for_later() {
        let mut upcoming = Upcoming::default();
        upcoming.ask();
        upcoming.answered(Vec::new(), 10);
        let many = u32::try_from(KEPT_MAX).unwrap() + 10;
        upcoming.add((0..many).map(|number| call(i64::from(number), number)));
        assert!(!upcoming.may_lack(Timestamp(0)));
        assert!(upcoming.may_lack(Timestamp(i64::from(many))), "ten aren't kept");
        let all = |_: &PendingCall| true;
        for number in 0..u32::try_from(KEPT_MAX).unwrap() {
            assert_eq!(upcoming.take_due(Timestamp(i64::MAX), all), Some(call(i64::from(number), number)));
        }
        assert_eq!(upcoming.take_due(Timestamp(i64::MAX), all), None);
        assert_eq!(upcoming.next_at(all), Some(Timestamp(i64::from(many) - 11)), "then the view is asked");
    }

    #[test]
    fn one_that_may_not_begin_keeps_its_place() {
        let mut upcoming = Upcoming::default();
        upcoming.ask();
        upcoming.answered(vec![call(1, 1), call(2, 2)], 10);
        let not_the_first = |call: &PendingCall| call.number != 1;
        assert_eq!(upcoming.next_at(not_the_first), Some(Timestamp(2)));
        assert_eq!(upcoming.take_due(Timestamp(5), not_the_first), Some(call(2, 2)));
        assert_eq!(upcoming.take_due(Timestamp(5), not_the_first), None);
        assert_eq!(upcoming.take_due(Timestamp(5), |_| true), Some(call(1, 1)));
    }
}
