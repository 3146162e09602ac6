//! The capability that keeps the company's membership system in agreement: whenever a customer's
//! `loyalty.tier` or `marketing_opted_out` changes, it sends that system what is true now.
//!
//! It sources `tier_sync.in_agreement_since` and `tier_sync.trouble`, and calls the endpoint
//! `membership`. What it promises:
//!
//! - **One call for each state.** It sends `PUT members/CUSTOMER_ID` with both values. What was sent
//!   last isn't sent again, unless its answer asks for that, is missing or isn't known. Calls that
//!   wait for their answers don't hold back the next state: the host sends them in their order.
//! - **`tier_sync.in_agreement_since`** is when that system confirmed what is visible now. While it
//!   hasn't, or while a later call has no answer, the field has no value.
//! - **An answer that asks for patience** (202, 409 or 423 with `Retry-After`) is obeyed: a timer is
//!   set, and the values of that moment are sent. Changes wait for that timer too, except one: a new opt-out is
//!   sent at once.
//! - **If the system doesn't know the member yet** (404), the values are sent again after a day, 7 times.
//! - **What was not sent, or may not have arrived**, is sent again after an hour. The endpoint is
//!   `keyed` and every call has both values, so twice is the same as once.
//! - **Any other answer is final** until something changes. `tier_sync.trouble` says what it was.
//! - **Nothing is invented.** A value that isn't known here is sent as `null`. For a customer without
//!   a `customer_id` nothing is sent, and `tier_sync.trouble` says so; with several the first is meant.
//!
//! | file | what it does |
//! |---|---|
//! | `state.rs` | what is sent: the values, as path, body and note |
//! | `verdict.rs` | what an answer means |
//! | `progress.rs` | what is remembered, and what follows from it |

mod progress;
mod state;
mod verdict;

use samsyn_plugin::{Answer, Caller, Change, Effects, Error, Observer, Profile, Settings, Timed, Timestamp};

use progress::Work;
use state::Note;
use verdict::Verdict;

/// The plug-in.
struct TierSync;

impl Observer for TierSync {
    fn on_change(
        _changes: &[Change],
        at: Timestamp,
        profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let mut work = Work::begin(profile, at)?;
        work.note_change();
        work.finish(effects)
    }
}

impl Timed for TierSync {
    fn on_timer(
        _name: &str,
        _due: Timestamp,
        now: Timestamp,
        profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let mut work = Work::begin(profile, now)?;
        work.note_timer();
        work.finish(effects)
    }
}

impl Caller for TierSync {
    fn on_answer(
        _endpoint: &str,
        answer: &Answer,
        note: Option<&[u8]>,
        at: Timestamp,
        profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let note =
            note.and_then(Note::read).ok_or("the answer is to a call that has no note of this plug-in")?;
        let mut work = Work::begin(profile, at)?;
        work.note_answer(note, Verdict::of(answer), effects)?;
        work.finish(effects)
    }
}

samsyn_plugin::export!(TierSync: Observer, Timed, Caller);

#[cfg(test)]
mod tests;
