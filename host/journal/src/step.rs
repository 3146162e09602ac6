//! One decision folded into its profile, by whoever folds: live, from the log anew, into a snapshot.

use super::timers::timer_moves;
use super::{
    Decided, PatternMove, PendingTimer, ProfileState, TimerMove, fold_into, moves_from, moves_to,
    pending_timers,
};
use samsyn_vocabulary::Position;

/// A decision on its way into its profile. Begun before the record has its number.
pub struct ProfileStep {
    moves: Vec<PatternMove>,
    created: bool,
    timers: Vec<PendingTimer>,
}

/// What a decision did beside changing its profile.
pub struct Stepped {
    /// The profile is new.
    pub created: bool,
    /// What it does to the counters.
    pub moves: Vec<PatternMove>,
    /// What it does to the index of all timers.
    pub timers: Vec<TimerMove>,
}

impl ProfileStep {
    /// Looks at the profile as it is; none when this is its first record.
    pub fn begin(before: Option<&ProfileState>, decided: &Decided) -> ProfileStep {
        ProfileStep {
            moves: moves_from(before, decided),
            created: before.is_none(),
            timers: before.into_iter().flat_map(pending_timers).collect(),
        }
    }

    /// Folds the decision, which stands `at` its place, into the profile, which is as it was at the beginning.
    pub fn end(self, state: &mut ProfileState, at: Position, decided: &Decided) -> Stepped {
        fold_into(state, at, decided);
        let ProfileStep { moves, created, timers } = self;
        // Most move nothing.
        let moves = if moves.is_empty() { moves } else { moves_to(moves, state) };
        Stepped { created, moves, timers: timer_moves(timers, state) }
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
