//! How a test invokes each role.

use samsyn_vocabulary as host;

use crate::{
    Answer, Caller, Change, Event, Finding, Judge, Observer, Prober, Proposal, Response, Source, Subscriber,
    Timed, Timestamp,
};

use super::builders::{EventBuilder, ProfileBuilder, moment};
use super::customer::Customer;
use super::host::{Host, project_properties};
use super::run::Run;

impl Host {
    /// Invokes the handler with an event. Panics when a host would not invoke it: the manifest doesn't
    /// subscribe to the event, a required property is missing, or one doesn't convert to its declared
    /// type.
    #[track_caller]
    pub fn on_event<P: Subscriber>(&self, event: &EventBuilder, profile: &ProfileBuilder) -> Run {
        let name =
            host::EventName::new(&event.name).unwrap_or_else(|error| panic!("{:?}: {error}", event.name));
        let Some(declared) = self.manifest.subscription(&name) else {
            panic!("plugin.toml doesn't subscribe to {name}, so no host would deliver it")
        };
        let event = Event {
            id: event.id.clone(),
            name: event.name.clone(),
            at: event.at,
            received_at: event.received_at.unwrap_or(event.at),
            properties: project_properties(event, declared),
        };
        self.call(profile, |profile, settings, effects| P::on_event(&event, profile, settings, effects))
    }

    /// Invokes the handler with proposals. Panics when the manifest doesn't source a field, or a value
    /// doesn't convert to the field's type.
    #[track_caller]
    pub fn on_proposal<P: Source>(&self, proposals: &[Proposal], profile: &ProfileBuilder) -> Run {
        let proposals: Vec<Proposal> =
            proposals.iter().map(|proposal| self.project_proposal(proposal)).collect();
        self.call(profile, |profile, settings, effects| {
            P::on_proposal(&proposals, profile, settings, effects)
        })
    }

    /// Invokes the handler with changes; `at` is RFC 3339. Panics when the manifest doesn't consume a
    /// field with `notify = true`.
    #[track_caller]
    pub fn on_change<P: Observer>(&self, changes: &[Change], at: &str, profile: &ProfileBuilder) -> Run {
        for change in changes {
            let notified =
                self.manifest.consumes.get(change.field.as_str()).is_some_and(|consumed| consumed.notify);
            assert!(notified, "plugin.toml doesn't consume {:?} with notify = true", change.field);
        }
        let at: Timestamp = moment(at);
        self.call(profile, |profile, settings, effects| P::on_change(changes, at, profile, settings, effects))
    }

    /// Invokes the handler with a timer; `due` and `now` are RFC 3339. Panics when the manifest doesn't
    /// have `timers = true`.
    #[track_caller]
    pub fn on_timer<P: Timed>(&self, name: &str, due: &str, now: &str, profile: &ProfileBuilder) -> Run {
        self.fire::<P>(name, moment(due), moment(now), profile)
    }

    /// Invokes the handler with an answer to a call, and with what the call had noted; `at` is RFC 3339. Panics when
    /// the manifest doesn't request the endpoint.
    #[track_caller]
    pub fn on_answer<P: Caller>(
        &self,
        endpoint: &str,
        answer: &Answer,
        note: Option<&[u8]>,
        at: &str,
        profile: &ProfileBuilder,
    ) -> Run {
        assert!(self.manifest.calls.contains_key(endpoint), "plugin.toml has no [calls.{endpoint}]");
        let at = moment(at);
        self.call(profile, |profile, settings, effects| {
            P::on_answer(endpoint, answer, note, at, profile, settings, effects)
        })
    }

    /// Invokes the handler with a call in doubt, and with what that had noted. Panics when the manifest doesn't request
    /// the endpoint as one of the class `probe`.
    #[track_caller]
    pub fn on_doubt<P: Prober>(&self, endpoint: &str, note: Option<&[u8]>, profile: &ProfileBuilder) -> Run {
        let is_probe =
            self.manifest.calls.get(endpoint).is_some_and(|call| call.repeat().as_str() == "probe");
        assert!(is_probe, "plugin.toml has no [calls.{endpoint}] with repeat = \"probe\"");
        self.call_as(profile, true, |profile, settings, effects| {
            P::on_doubt(endpoint, note, profile, settings, effects)
        })
    }

    /// Invokes the handler with the answer to a look-up, and with what the call in doubt had noted. What it found is
    /// none when it failed.
    #[track_caller]
    pub fn on_lookup<P: Judge>(
        &self,
        answer: &Response,
        note: Option<&[u8]>,
        profile: &ProfileBuilder,
    ) -> (Option<Finding>, Run) {
        let mut found = None;
        let run = self.call(profile, |profile, settings, effects| {
            found = Some(P::on_lookup(answer, note, profile, settings, effects)?);
            Ok(())
        });
        (found.filter(|_| run.result.is_ok()), run)
    }

    #[track_caller]
    fn fire<P: Timed>(&self, name: &str, due: Timestamp, now: Timestamp, profile: &ProfileBuilder) -> Run {
        assert!(self.manifest.plugin.timers, "plugin.toml doesn't have timers = true, so no timer is set");
        self.call(profile, |profile, settings, effects| {
            P::on_timer(name, due, now, profile, settings, effects)
        })
    }
}

impl Customer<'_> {
    /// Invokes the handler with an event, as [`Host::on_event`] does, and applies the effects.
    #[track_caller]
    pub fn on_event<P: Subscriber>(&mut self, event: &EventBuilder) -> Run {
        let run = self.host.on_event::<P>(event, &self.profile);
        // An event can't happen after its arrival.
        self.apply(run, event.received_at.map_or(event.at, |received| received.min(event.at)))
    }

    /// Invokes the handler with proposals, as [`Host::on_proposal`] does, and applies the effects.
    #[track_caller]
    pub fn on_proposal<P: Source>(&mut self, proposals: &[Proposal]) -> Run {
        let run = self.host.on_proposal::<P>(proposals, &self.profile);
        let at = proposals.first().map_or_else(Timestamp::default, |proposal| proposal.at);
        self.apply(run, at)
    }

    /// Changes the visible values, invokes the handler with the changes, as [`Host::on_change`] does,
    /// and applies the effects.
    #[track_caller]
    pub fn on_change<P: Observer>(&mut self, changes: &[Change], at: &str) -> Run {
        for change in changes {
            self.profile.set(&change.field, change.after.clone(), moment(at));
        }
        let run = self.host.on_change::<P>(changes, at, &self.profile);
        self.apply(run, moment(at))
    }

    /// Answers the oldest call to an endpoint that waits, and applies the effects; `at` is RFC 3339. Panics when none
    /// waits.
    #[track_caller]
    pub fn answer<P: Caller>(&mut self, endpoint: &str, answer: &Answer, at: &str) -> Run {
        let waits = self.profile.calls.iter().position(|call| call.endpoint == endpoint);
        let Some(waits) = waits else { panic!("no call to {endpoint:?} waits for its answer") };
        let call = self.profile.calls.remove(waits);
        let run = self.host.on_answer::<P>(endpoint, answer, call.note.as_deref(), at, &self.profile);
        self.apply(run, moment(at))
    }

    /// Invokes the handler with each timer that is due at this time, RFC 3339, as a host does: in the order
    /// of their times, then of their names. Applies the effects. Timers that these set fire as well if they
    /// are due, but not earlier than a second later.
    #[track_caller]
    pub fn fire_timers<P: Timed>(&mut self, now: &str) -> Vec<Run> {
        let now = moment(now);
        let mut runs = Vec::new();
        let due = |customer: &Self| {
            let timers = customer.profile.timers.iter().filter(|(_, at)| **at <= now);
            timers.min_by_key(|(name, at)| (**at, (*name).clone())).map(|(name, at)| (name.clone(), *at))
        };
        while let Some((name, at)) = due(self) {
            self.profile.timers.remove(&name);
            let run = self.host.fire::<P>(name.as_str(), at, now, &self.profile);
            runs.push(self.apply(run, now));
        }
        runs
    }
}
