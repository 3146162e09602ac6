//! The calls that begin to wait, as their records become durable: whoever sends them needn't ask the view at each commit.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use samsyn_journal::{CallState, PendingCall, PendingMoves};
use tokio::sync::Notify;

/// Calls that are kept for whoever follows: a second of the fastest log. Beyond that it has to ask the view.
const KEPT_MAX: usize = 16_384;

/// What began to wait since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCalls {
    /// The calls, each with its time. One that was put off is here again, with its new time.
    pub calls: Vec<PendingCall>,
    /// There were more than are kept: the view knows them all.
    pub missed: bool,
}

/// Calls on the way from the log's writer to the one who sends them.
#[derive(Default)]
pub struct NewCallQueue {
    followed: AtomicBool,
    kept: Mutex<NewCalls>,
    more: Notify,
}

impl NewCallQueue {
    /// Begins to keep them. What began to wait earlier is in the view.
    pub fn follow(&self) {
        self.followed.store(true, Ordering::SeqCst);
    }

    /// Keeps what one commit made wait.
    pub fn note(&self, calls: Vec<PendingCall>) {
        if calls.is_empty() || !self.followed.load(Ordering::SeqCst) {
            return;
        }
        {
            let mut kept = self.kept.lock();
            if kept.calls.len() + calls.len() > KEPT_MAX {
                kept.calls = Vec::new();
                kept.missed = true;
            }
            // After a gap the view is asked for all of them.
            if !kept.missed {
                kept.calls.extend(calls);
            }
        }
        self.more.notify_one();
    }

    /// What began to wait since the last time; waits until there is something.
    pub async fn next(&self) -> NewCalls {
        loop {
            let kept = mem::take(&mut *self.kept.lock());
            if kept.missed || !kept.calls.is_empty() {
                return kept;
            }
            self.more.notified().await;
        }
    }
}

/// The calls that wait since a record, among what it does.
pub fn begun(moves: &PendingMoves) -> impl Iterator<Item = PendingCall> + '_ {
    let listed = moves.calls.iter().filter(|change| change.is_listed);
    listed.map(|change| change.call.clone()).filter(|call| call.state == CallState::Waiting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_vocabulary::{CapabilityName, EndpointName, ProfileId, Timestamp};

    fn calls(numbers: std::ops::Range<u32>) -> Vec<PendingCall> {
        let call = |number| PendingCall {
            state: CallState::Waiting,
            capability: CapabilityName::new("tier-sync").unwrap(),
            endpoint: EndpointName::new("membership").unwrap(),
            at: Timestamp(1),
            profile: ProfileId::random(),
            generation: 1,
            number,
        };
        numbers.map(call).collect()
    }

    #[tokio::test]
    async fn what_is_noted_comes_once_and_a_gap_is_told() {
        let queue = NewCallQueue::default();
        queue.note(calls(0..3));
        queue.follow();
        let (first, second) = (calls(0..2), calls(2..3));
        queue.note(first.clone());
        queue.note(second.clone());
        let next = queue.next().await;
        assert_eq!(next, NewCalls { calls: [first, second].concat(), missed: false }, "none of before");
        queue.note(calls(0..10));
        queue.note(calls(0..u32::try_from(KEPT_MAX).unwrap()));
        queue.note(calls(0..1));
        assert_eq!(queue.next().await, NewCalls { calls: Vec::new(), missed: true });
        queue.note(calls(0..1));
        let after = queue.next().await;
        assert_eq!((after.calls.len(), after.missed), (1, false));
    }
}
