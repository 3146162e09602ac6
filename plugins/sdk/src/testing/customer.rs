//! A customer who lives through several calls.

use crate::{Change, Observer, Proposal, Source, Subscriber, Timestamp, Value};

use super::builders::{EventBuilder, ProfileBuilder, moment};
use super::host::Host;
use super::run::{Effect, Run};

/// A customer in memory: claims and memory of one call are there in the next. The plug-in is the
/// source of every field it sources.
#[derive(Clone, Debug)]
pub struct Customer<'h> {
    host: &'h Host,
    profile: ProfileBuilder,
}

impl<'h> Customer<'h> {
    pub(crate) fn new(host: &'h Host, profile: ProfileBuilder) -> Customer<'h> {
        Customer { host, profile }
    }

    /// Delivers an event, as [`Host::on_event`] does, and applies what came of it.
    #[track_caller]
    pub fn on_event<P: Subscriber>(&mut self, event: &EventBuilder) -> Run {
        let run = self.host.on_event::<P>(event, &self.profile);
        self.apply(run, event.at)
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

    fn apply(&mut self, run: Run, at: Timestamp) -> Run {
        for effect in &run.effects {
            match effect {
                Effect::Claim { field, value } => self.profile.set(field, value.clone(), at),
                Effect::Remember(memory) => self.profile.memory.clone_from(memory),
                Effect::Refuse { .. } | Effect::Emit { .. } => {}
            }
        }
        run
    }
}
