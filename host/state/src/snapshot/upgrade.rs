//! Reading what an older fold made.
//!
//! While the log holds every record, a snapshot of another fold is passed over and everything is
//! folded anew: that is always right. Once segments have left, nothing else says what they said: then
//! an older fold's state is carried over, entry by entry, by one step a version. **Whoever raises
//! [`FOLD_VERSION`](samsyn_journal::FOLD_VERSION) adds a step here**, if only one that changes nothing
//! (a new field with a default needs no more); a test fails until it is there.

use crate::view::Entry;
use samsyn_journal::{BLOCKED_MAX, CapabilityState, FOLD_VERSION};

/// The first fold that had snapshots.
pub const FIRST: u32 = 4;

/// What an entry of one fold is in the next.
type Step = fn(Entry) -> Entry;

/// From each version since [`FIRST`] to the one after it.
const STEPS: &[Step] = &[
    // 4 to 5: a profile's conflicts stand apart from what it goes by, and refused opt-outs are counted. What
    // was folded before keeps both as they were: none of either.
    |entry| entry,
    // 5 to 6: of what waits behind a parked invocation only so much is listed.
    with_bounded_lists,
];

fn with_bounded_lists(entry: Entry) -> Entry {
    let Entry::Profile { partition, state } = entry else { return entry };
    let is_bounded =
        |capability_state: &std::sync::Arc<CapabilityState>| capability_state.blocked.len() <= BLOCKED_MAX;
    if state.capabilities.iter().all(is_bounded) {
        return Entry::Profile { partition, state };
    }
    let mut state = std::sync::Arc::unwrap_or_clone(state);
    for capability_state in &mut state.capabilities {
        *capability_state = std::sync::Arc::new(CapabilityState::clone(capability_state).bounded());
    }
    Entry::Profile { partition, state: state.into() }
}

/// Whether a snapshot of this fold can be used by a log that holds every record, or doesn't.
pub fn check(fold: u32, log_is_whole: bool) -> Result<(), String> {
    if fold == FOLD_VERSION {
        return Ok(());
    }
    if fold > FOLD_VERSION {
        return Err(format!("it was folded by version {fold}, this is {FOLD_VERSION}: run the newer host"));
    }
    if log_is_whole {
        return Err(format!(
            "it was folded by version {fold}, this is {FOLD_VERSION}, and the log still holds every record"
        ));
    }
    if fold < FIRST {
        return Err(format!("it says that it was folded by version {fold}, which made no snapshots"));
    }
    Ok(())
}

/// What an entry that `fold` made is in this fold.
pub fn entry(fold: u32, entry: Entry) -> Entry {
    carried(STEPS, fold, entry)
}

fn carried(steps: &[Step], fold: u32, entry: Entry) -> Entry {
    let passed = fold.saturating_sub(FIRST) as usize;
    steps.iter().skip(passed).fold(entry, |entry, step| step(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_journal::ProfileState;
    use samsyn_vocabulary::{Partition, ProfileId, Timestamp};

    #[test]
    fn there_is_a_step_for_every_fold_since_the_first() {
        assert_eq!(
            STEPS.len() as u32,
            FOLD_VERSION - FIRST,
            "add what the old fold's entries are in the new"
        );
    }

    #[test]
    fn an_older_fold_counts_only_when_its_records_are_gone_and_a_newer_one_never() {
        assert_eq!(check(FOLD_VERSION, true), Ok(()));
        assert_eq!(check(FOLD_VERSION, false), Ok(()));
        assert!(check(FOLD_VERSION + 1, false).unwrap_err().contains("newer host"));
        assert!(check(FIRST - 1, false).is_err() && check(FIRST - 1, true).is_err());
    }

    #[test]
    fn the_steps_are_taken_in_turn_from_the_version_on() {
        const TWO: &[Step] = &[|entry| numbered(entry, 1), |entry| numbered(entry, 2)];
        fn numbered(entry: Entry, by: i64) -> Entry {
            let Entry::Profile { partition, state } = entry else { return entry };
            let created_at = Timestamp(state.created_at.0 * 10 + by);
            let state = ProfileState { created_at, ..ProfileState::clone(&state) };
            Entry::Profile { partition, state: state.into() }
        }
        let state = ProfileState::new(ProfileId::random(), Timestamp(0));
        let old = Entry::Profile { partition: Partition(0), state: state.into() };
        let number = |fold| match carried(TWO, fold, old.clone()) {
            Entry::Profile { state, .. } => state.created_at.0,
            other => panic!("{other:?}"),
        };
        assert_eq!((number(FIRST), number(FIRST + 1), number(FIRST + 2)), (12, 2, 0));
    }
}
