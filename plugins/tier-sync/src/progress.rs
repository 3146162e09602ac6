//! What is remembered about a customer, and what follows from it.

use samsyn_plugin::{Effects, Error, Memory, Profile, Timestamp};
use serde::{Deserialize, Serialize};

use crate::state::{Note, State};
use crate::verdict::{DAY, HOUR, Verdict};

/// The endpoint of the manifest.
const ENDPOINT: &str = "membership";
/// Since when the system agrees.
const SINCE: &str = "tier_sync.in_agreement_since";
/// What is wrong.
const TROUBLE: &str = "tier_sync.trouble";
/// The timer: one a customer.
const AGAIN: &str = "again";
/// How often the values are sent again if the system doesn't know the member.
const NOT_KNOWN_MAX: u8 = 7;
/// How a trouble begins that is no answer's.
const NOT_CALLED: &str = "not-called: ";

/// What is remembered about a customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// What the system confirmed last. None when a later answer leaves open what it has.
    confirmed: Option<State>,
    /// What was sent last, answered or not.
    sent: Option<State>,
    /// The number of that call.
    number: u32,
    /// Whether that call has no answer yet.
    is_pending: bool,
    /// Whether the values are to be sent again.
    again: Again,
    /// How often in a row it didn't know the member.
    not_known: u8,
    /// How often in a row it asked to wait.
    waits: u8,
}

impl Memory for Progress {
    const VERSION: u8 = 1;
}

/// Whether the timer is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Again {
    /// It isn't.
    #[default]
    No,
    /// It is, and a change doesn't wait for it.
    Later,
    /// It is, and the system asked to wait until then.
    NotBefore,
}

/// One invocation's work on one customer.
#[derive(Debug)]
pub struct Work<'p> {
    profile: &'p Profile,
    at: Timestamp,
    before: Option<Progress>,
    progress: Progress,
    /// Whether to send again what was sent.
    must_send: bool,
    since: Option<Timestamp>,
    trouble: Option<String>,
}

impl<'p> Work<'p> {
    /// Begins with what is known.
    pub fn begin(profile: &'p Profile, at: Timestamp) -> Result<Work<'p>, Error> {
        let before = profile.memory::<Progress>()?;
        let progress = before.clone().unwrap_or_default();
        let since = profile.timestamp(SINCE);
        let trouble = profile.text(TROUBLE).map(str::to_owned);
        Ok(Work { profile, at, before, progress, must_send: false, since, trouble })
    }

    /// Something changed: counting begins at 0.
    pub fn note_change(&mut self) {
        if self.progress.again != Again::NotBefore {
            (self.progress.not_known, self.progress.waits) = (0, 0);
        }
    }

    /// The timer fired.
    pub fn note_timer(&mut self) {
        self.progress.again = Again::No;
        // With a call on its way there is nothing to repeat.
        self.must_send = !self.progress.is_pending;
    }

    /// An answer came.
    pub fn note_answer(&mut self, note: Note, verdict: Verdict, effects: &mut Effects) -> Result<(), Error> {
        // Another call may have been begun after this one; then that one's answer decides what comes next.
        let is_newest =
            note.number == self.progress.number && self.progress.sent.as_ref() == Some(&note.state);
        if is_newest {
            self.progress.is_pending = false;
        }
        self.progress.confirmed = match verdict {
            Verdict::Confirmed => Some(note.state),
            Verdict::NotSent(_) => self.progress.confirmed.take(),
            _ => None,
        };
        match verdict {
            Verdict::Confirmed => {
                self.trouble = None;
                (self.progress.not_known, self.progress.waits) = (0, 0);
            }
            Verdict::Wait(seconds) => {
                self.trouble = None;
                if is_newest {
                    let seconds = seconds.max(self.shortest_wait());
                    self.progress.waits = self.progress.waits.saturating_add(1);
                    self.send_again(seconds, Again::NotBefore, effects)?;
                }
            }
            Verdict::NotKnown => {
                self.trouble = Some("404: the system doesn't know the member".to_owned());
                if is_newest && self.progress.not_known < NOT_KNOWN_MAX {
                    self.progress.not_known += 1;
                    self.send_again(DAY, Again::Later, effects)?;
                }
            }
            Verdict::NotSent(why) => {
                self.trouble = Some(why);
                if is_newest {
                    self.send_again(HOUR, Again::Later, effects)?;
                }
            }
            Verdict::Unknown(why, seconds) => {
                self.trouble = Some(why);
                if is_newest {
                    self.send_again(seconds, Again::Later, effects)?;
                }
            }
            Verdict::Refused(why) => self.trouble = Some(why),
        }
        Ok(())
    }

    /// Compares what is visible with what the system has, sends it what it lacks, and keeps all of it.
    pub fn finish(mut self, effects: &mut Effects) -> Result<(), Error> {
        match State::of(self.profile) {
            Err(why) => {
                self.since = None;
                self.trouble = Some(format!("{NOT_CALLED}{why}"));
                if self.cancel(effects)? {
                    // It would have been sent again: the next change does that.
                    self.progress.sent = None;
                }
            }
            Ok(now) if !self.progress.is_pending && self.progress.confirmed.as_ref() == Some(&now) => {
                self.since = self.since.or(Some(self.at));
                self.trouble = None;
                // A call after that one never left.
                self.progress.sent = Some(now);
                self.cancel(effects)?;
            }
            Ok(now) => {
                self.since = None;
                let sent = self.progress.sent.as_ref();
                let is_due = self.must_send || sent != Some(&now);
                let must_wait = self.progress.again == Again::NotBefore && !now.is_new_opt_out(sent);
                if is_due && !must_wait {
                    self.send(now, effects)?;
                }
            }
        }
        self.keep(effects)
    }

    fn send(&mut self, now: State, effects: &mut Effects) -> Result<(), Error> {
        let note = Note { number: self.progress.number.wrapping_add(1), state: now };
        match effects.call(ENDPOINT, "PUT", &note.state.path()) {
            Ok(call) => {
                call.body("application/json", note.state.body())?.note(note.write())?;
                (self.progress.number, self.progress.sent) = (note.number, Some(note.state));
                self.progress.is_pending = true;
                self.cancel(effects)?;
                // An answer's trouble stays until there is another answer.
                self.trouble.take_if(|trouble| trouble.starts_with(NOT_CALLED));
            }
            // The next answer comes back to it.
            Err(refusal) if refusal.code == "call.too-many" => {}
            Err(refusal) => {
                self.trouble = Some(format!("{NOT_CALLED}{}", refusal.code));
                // An administrator can bind or grant it any day. With a wrong path only a change helps.
                if matches!(refusal.code.as_str(), "call.not-bound" | "call.not-declared") {
                    self.send_again(DAY, Again::Later, effects)?;
                }
            }
        }
        Ok(())
    }

    /// A host takes only so many consequences of one event within an hour, so a system that asks for the next
    /// second again and again is asked less and less often.
    fn shortest_wait(&self) -> i64 {
        5_i64.saturating_pow(u32::from(self.progress.waits)).min(HOUR)
    }

    fn send_again(&mut self, seconds: i64, again: Again, effects: &mut Effects) -> Result<(), Error> {
        self.progress.again = again;
        effects.set_timer(AGAIN, Timestamp::from_millis(self.at.millis() + seconds * 1_000))?;
        Ok(())
    }

    /// Cancels the timer. Whether it was set.
    fn cancel(&mut self, effects: &mut Effects) -> Result<bool, Error> {
        let was_set = self.progress.again != Again::No;
        if was_set {
            self.progress.again = Again::No;
            effects.cancel_timer(AGAIN)?;
        }
        Ok(was_set)
    }

    /// Claims and remembers what is other than before.
    fn keep(self, effects: &mut Effects) -> Result<(), Error> {
        if self.since != self.profile.timestamp(SINCE) {
            match self.since {
                Some(since) => effects.set(SINCE, since)?,
                None => effects.clear(SINCE)?,
            }
        }
        if self.trouble.as_deref() != self.profile.text(TROUBLE) {
            match self.trouble {
                Some(trouble) => effects.set(TROUBLE, trouble)?,
                None => effects.clear(TROUBLE)?,
            }
        }
        if self.before.as_ref() != Some(&self.progress) {
            effects.remember(&self.progress)?;
        }
        Ok(())
    }
}
