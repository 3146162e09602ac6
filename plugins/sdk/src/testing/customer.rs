//! A customer over several invocations.

use samsyn_contract::{RefusalCode, TIMER_CANCEL, TIMER_DELAY_MS, TIMER_SET};
use samsyn_vocabulary as host;

use crate::{Timestamp, Value};

use super::builders::ProfileBuilder;
use super::host::Host;
use super::run::{Effect, HostRefusal, Run, SentCall};

/// A customer in memory: the next invocation sees the claims and the memory of the last one. The
/// plug-in is the assigned source of every field that it sources.
#[derive(Clone, Debug)]
pub struct Customer<'h> {
    pub(super) host: &'h Host,
    pub(super) profile: ProfileBuilder,
}

impl<'h> Customer<'h> {
    pub(crate) fn new(host: &'h Host, profile: ProfileBuilder) -> Customer<'h> {
        Customer { host, profile }
    }

    /// A field's current value.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.profile.points.iter().find(|(known, ..)| known == field).map(|(_, value, _)| value)
    }

    /// The current memory, as bytes.
    pub fn memory_bytes(&self) -> Option<&[u8]> {
        self.profile.memory.as_deref()
    }

    /// When a timer fires; none when it isn't set.
    pub fn timer(&self, name: &str) -> Option<Timestamp> {
        self.profile.timers.get(name).copied()
    }

    /// The calls that wait for their answers, oldest first.
    pub fn calls(&self) -> &[SentCall] {
        &self.profile.calls
    }

    /// The current profile, for an invocation that must not change it.
    pub fn profile(&self) -> &ProfileBuilder {
        &self.profile
    }

    pub(super) fn apply(&mut self, mut run: Run, at: Timestamp) -> Run {
        self.refuse_outdated(&mut run, at);
        for effect in &run.effects {
            match effect {
                // A repeated claim keeps its newest time.
                Effect::Claim { field, value }
                    if self.host.is_protective(field) && self.is_older(field, at) =>
                {
                    let newest = self.time_of(field).unwrap_or(at);
                    self.profile.set(field, value.clone(), newest);
                }
                Effect::Claim { field, value } => self.profile.set(field, value.clone(), at),
                Effect::Remember(memory) => self.profile.memory.clone_from(memory),
                Effect::Call(call) => self.profile.calls.push(call.clone()),
                Effect::Action { name, subject, value } => {
                    let timer = host::TimerName::new(subject).ok();
                    match (name.as_str(), timer, value) {
                        (TIMER_SET, Some(timer), Some(Value::Timestamp(due))) => {
                            // No timer fires earlier than a second after it was set.
                            let earliest = Timestamp::from_millis(at.millis() + TIMER_DELAY_MS);
                            self.profile.timers.insert(timer, (*due).max(earliest));
                        }
                        (TIMER_CANCEL, Some(timer), _) => drop(self.profile.timers.remove(&timer)),
                        _ => {}
                    }
                }
                Effect::Refuse { .. } | Effect::Emit { .. } => {}
            }
        }
        run
    }

    fn time_of(&self, field: &str) -> Option<Timestamp> {
        self.profile.points.iter().find(|(known, ..)| known == field).map(|(.., at)| *at)
    }

    fn is_older(&self, field: &str, at: Timestamp) -> bool {
        self.time_of(field).is_some_and(|known| at < known)
    }

    /// A protective field follows the newest claim by its event's time; at the same time the opt-out
    /// wins. The host refuses an older claim after the handler has run.
    fn refuse_outdated(&self, run: &mut Run, at: Timestamp) {
        let is_outdated = |field: &str, opted_out: bool| {
            let known = self.profile.points.iter().find(|(known, ..)| known == field);
            known.is_some_and(|(_, value, known_at)| {
                let known = value.as_boolean().unwrap_or(opted_out);
                known != opted_out && (at < *known_at || (at == *known_at && known))
            })
        };
        let Run { effects, host_refusals, .. } = run;
        effects.retain(|effect| {
            let Effect::Claim { field, value: Some(value) } = effect else { return true };
            let Some(opted_out) = value.as_boolean().filter(|_| self.host.is_protective(field)) else {
                return true;
            };
            if is_outdated(field, opted_out) {
                let (subject, code) = (field.clone(), RefusalCode::ProtectiveOutdated.into());
                host_refusals.push(HostRefusal { subject, code });
                return false;
            }
            true
        });
    }
}
