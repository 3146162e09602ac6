//! One record folded into its profile, by whoever folds: live, from the log anew, into a snapshot.

use super::calls::call_moves;
use super::timers::timer_moves;
use super::{
    CallMove, CallRecord, Decided, PatternMove, PendingCall, PendingTimer, ProfileState, TimerMove,
    fold_call, fold_into, moves_from, moves_to, pending_calls, pending_timers, waiting_calls,
};
use samsyn_vocabulary::{Position, Seq};

/// A decision on its way into its profile. Begun before the record has its number.
pub struct ProfileStep {
    moves: Vec<PatternMove>,
    created: bool,
    pending: Pending,
}

/// What a profile has in the indexes of what waits for its time.
#[derive(Default)]
struct Pending {
    timers: Vec<PendingTimer>,
    calls: Vec<PendingCall>,
    waiting: usize,
}

/// What a record does to the indexes of what waits for its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingMoves {
    pub timers: Vec<TimerMove>,
    pub calls: Vec<CallMove>,
    /// How many more calls wait for their answers.
    pub more_calls: i64,
}

/// What a decision did beside changing its profile.
pub struct Stepped {
    /// The profile is new.
    pub created: bool,
    /// What it does to the counters.
    pub moves: Vec<PatternMove>,
    /// What it does to the indexes of what waits for its time.
    pub pending: PendingMoves,
}

impl Pending {
    fn of(state: &ProfileState) -> Pending {
        // Most profiles have neither.
        let any = |own: &std::sync::Arc<super::CapabilityState>| own.timers.is_some() || own.calls.is_some();
        if !state.capabilities.iter().any(any) {
            return Pending::default();
        }
        let timers = pending_timers(state).collect();
        Pending { timers, calls: pending_calls(state), waiting: waiting_calls(state) }
    }

    fn moves_to(self, state: &ProfileState) -> PendingMoves {
        let more_calls = waiting_calls(state) as i64 - self.waiting as i64;
        PendingMoves {
            timers: timer_moves(self.timers, state),
            calls: call_moves(self.calls, state),
            more_calls,
        }
    }
}

impl ProfileStep {
    /// Looks at the profile as it is; none when this is its first record.
    pub fn begin(before: Option<&ProfileState>, decided: &Decided) -> ProfileStep {
        ProfileStep {
            moves: moves_from(before, decided),
            created: before.is_none(),
            pending: before.map(Pending::of).unwrap_or_default(),
        }
    }

    /// Folds the decision, which stands `at` its place, into the profile, which is as it was at the beginning.
    pub fn end(self, state: &mut ProfileState, at: Position, decided: &Decided) -> Stepped {
        fold_into(state, at, decided);
        let ProfileStep { moves, created, pending } = self;
        // Most move nothing.
        let moves = if moves.is_empty() { moves } else { moves_to(moves, state) };
        Stepped { created, moves, pending: pending.moves_to(state) }
    }

    /// [`end`](ProfileStep::end) for who still needs the profile as it was.
    pub fn end_beside(
        self,
        before: Option<&ProfileState>,
        at: Position,
        decided: &Decided,
    ) -> (ProfileState, Stepped) {
        let mut state = match before {
            Some(before) => before.clone(),
            None => ProfileState::new(decided.profile, decided.at),
        };
        let stepped = self.end(&mut state, at, decided);
        (state, stepped)
    }
}

/// Folds a record about a call, which has this number, into its profile; what that does to the indexes.
pub fn step_call(state: &mut ProfileState, seq: Seq, record: &CallRecord) -> PendingMoves {
    let pending = Pending::of(state);
    fold_call(state, seq, record);
    pending.moves_to(state)
}
