//! A customer who lives through several calls.

use crate::{Change, Observer, Proposal, Source, Subscriber, Timestamp, Value};

use super::builders::{EventBuilder, ProfileBuilder, moment};
use super::host::Host;
use super::run::{Effect, HostRefusal, Run};

/// A customer in memory: claims and memory of one call are there in the next. The plug-in is the
/// source of every field it sources.
#[derive(Clone, Debug)]
pub struct Customer<'h> {
    host: &'h Host,
    profile: ProfileBuilder,
}

/// The host's code for a word on a protective field that is older than the one in force.
const OUTDATED: &str = "protective.outdated";

impl<'h> Customer<'h> {
    pub(crate) fn new(host: &'h Host, profile: ProfileBuilder) -> Customer<'h> {
        Customer { host, profile }
    }

    /// Delivers an event, as [`Host::on_event`] does, and applies what came of it.
    #[track_caller]
    pub fn on_event<P: Subscriber>(&mut self, event: &EventBuilder) -> Run {
        let run = self.host.on_event::<P>(event, &self.profile);
        // Nothing happened after it arrived.
        self.apply(run, event.received_at.map_or(event.at, |received| received.min(event.at)))
    }

    /// Delivers proposals, as [`Host::on_proposal`] does, and applies what came of it.
    #[track_caller]
    pub fn on_proposal<P: Source>(&mut self, proposals: &[Proposal]) -> Run {
        let run = self.host.on_proposal::<P>(proposals, &self.profile);
        let at = proposals.first().map_or_else(Timestamp::default, |proposal| proposal.at);
        self.apply(run, at)
    }

    /// Changes what everybody sees, delivers the changes as [`Host::on_change`] does, and applies
    /// what came of it.
    #[track_caller]
    pub fn on_change<P: Observer>(&mut self, changes: &[Change], at: &str) -> Run {
        for change in changes {
            self.profile.set(&change.field, change.after.clone(), moment(at));
        }
        let run = self.host.on_change::<P>(changes, at, &self.profile);
        self.apply(run, moment(at))
    }

    /// A field's value now.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.profile.points.iter().find(|(known, ..)| known == field).map(|(_, value, _)| value)
    }

    /// The bytes remembered now.
    pub fn memory_bytes(&self) -> Option<&[u8]> {
        self.profile.memory.as_deref()
    }

    /// The profile now, to run a call that shall change nothing.
    pub fn profile(&self) -> &ProfileBuilder {
        &self.profile
    }

    fn apply(&mut self, mut run: Run, at: Timestamp) -> Run {
        self.refuse_outdated(&mut run, at);
        for effect in &run.effects {
            match effect {
                // A word said again keeps its newest time.
                Effect::Claim { field, value }
                    if self.host.is_protective(field) && self.is_older(field, at) =>
                {
                    let newest = self.time_of(field).unwrap_or(at);
                    self.profile.set(field, value.clone(), newest);
                }
                Effect::Claim { field, value } => self.profile.set(field, value.clone(), at),
                Effect::Remember(memory) => self.profile.memory.clone_from(memory),
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

    /// Protective fields follow the newest word by its own time, and at the same moment the opt-out: the
    /// host refuses an older one after the handler has run.
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
                let (subject, code) = (field.clone(), OUTDATED.to_owned());
                host_refusals.push(HostRefusal { subject, code });
                return false;
            }
            true
        });
    }
}
