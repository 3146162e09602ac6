//! The host of a test: a manifest and settings.

use std::sync::Arc;

use crate::Error;
use crate::named::Named;
use crate::{
    Change, Effects, Event, Observer, Profile, Proposal, Settings, Source, Subscriber, Timestamp, Value,
};

use super::builders::{EventBuilder, ProfileBuilder, profile};
use super::coerce::{coerce, coerce_property};
use super::customer::Customer;
use super::manifest::{Manifest, Properties};
use super::recorder;
use super::run::Run;

/// Runs handlers as a host with this manifest and these settings would.
#[derive(Clone, Debug)]
pub struct Host {
    manifest: Arc<Manifest>,
    settings: Vec<(String, Value)>,
}

impl Host {
    /// A host that knows this `plugin.toml`: `Host::from_manifest(include_str!("../plugin.toml"))`.
    /// Panics when it can't be read.
    #[track_caller]
    pub fn from_manifest(manifest: &str) -> Host {
        let manifest = Manifest::parse(manifest);
        let defaults = manifest.settings.iter();
        let settings =
            defaults.filter_map(|(name, setting)| Some((name.clone(), setting.default(name)?))).collect();
        Host { manifest: Arc::new(manifest), settings }
    }

    /// Sets a setting, converted to its declared type. Panics when the manifest has none of that
    /// name or another type.
    #[must_use]
    #[track_caller]
    pub fn setting(mut self, name: &str, value: impl Into<Value>) -> Host {
        let value = value.into();
        let Some(setting) = self.manifest.settings.get(name) else {
            panic!("[settings] of plugin.toml has no {name:?}")
        };
        let coerced = coerce(&value, setting.kind);
        let value = coerced.unwrap_or_else(|| panic!("{name:?} is a {}, not {value:?}", setting.kind));
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value));
        self
    }

    /// A customer whose claims and memory are carried from call to call.
    pub fn customer(&self) -> Customer<'_> {
        Customer::new(self, profile())
    }

    /// The same, starting from a profile.
    pub fn customer_with(&self, profile: ProfileBuilder) -> Customer<'_> {
        Customer::new(self, profile)
    }

    /// Delivers an event. Panics when a host would not: the manifest doesn't subscribe to it, a
    /// required property is missing, or one can't become the declared type.
    #[track_caller]
    pub fn on_event<P: Subscriber>(&self, event: &EventBuilder, profile: &ProfileBuilder) -> Run {
        let Some(declared) = self.manifest.subscription(&event.name) else {
            panic!("plugin.toml doesn't subscribe to {:?}, so no host would deliver it", event.name)
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

    /// Delivers proposals. Panics when the manifest doesn't source a field, or a value can't
    /// become the field's type.
    #[track_caller]
    pub fn on_proposal<P: Source>(&self, proposals: &[Proposal], profile: &ProfileBuilder) -> Run {
        let proposals: Vec<Proposal> =
            proposals.iter().map(|proposal| self.project_proposal(proposal)).collect();
        self.call(profile, |profile, settings, effects| {
            P::on_proposal(&proposals, profile, settings, effects)
        })
    }

    /// Delivers changes; `at` is RFC 3339. Panics when the manifest doesn't consume a field with
    /// `notify = true`.
    #[track_caller]
    pub fn on_change<P: Observer>(&self, changes: &[Change], at: &str, profile: &ProfileBuilder) -> Run {
        for change in changes {
            let notified = self.manifest.consumes.get(&change.field).is_some_and(|consumed| consumed.notify);
            assert!(notified, "plugin.toml doesn't consume {:?} with notify = true", change.field);
        }
        let at: Timestamp = super::builders::moment(at);
        self.call(profile, |profile, settings, effects| P::on_change(changes, at, profile, settings, effects))
    }

    /// Whether the manifest sources this field as a protective one.
    pub(super) fn is_protective(&self, field: &str) -> bool {
        self.manifest.sources.get(field).is_some_and(|sourced| sourced.protective)
    }

    fn call(
        &self,
        profile: &ProfileBuilder,
        handler: impl FnOnce(&Profile, &Settings, &mut Effects) -> Result<(), Error>,
    ) -> Run {
        let profile = self.project_profile(profile);
        let declared = Some(self.manifest.settings.keys().cloned().collect());
        let settings = Settings { named: Named { values: self.settings.clone(), declared } };
        let mut effects = Effects { host: recorder::Effects::new(self.manifest.clone()) };
        // What an earlier call of this thread left behind when it panicked.
        drop(recorder::take_log());
        let returned = handler(&profile, &settings, &mut effects);
        let spent = effects.host.limit_spent();
        let result =
            if spent { Err("it asked for more than 256 effects in one call".into()) } else { returned };
        // All of the effects or none.
        let taken = if result.is_ok() { effects.host.taken } else { Vec::new() };
        Run { result, effects: taken, host_refusals: effects.host.refused, log: recorder::take_log() }
    }

    #[track_caller]
    fn project_proposal(&self, proposal: &Proposal) -> Proposal {
        let Some(sourced) = self.manifest.sources.get(&proposal.field) else {
            panic!("plugin.toml doesn't source {:?}, so no host would propose it", proposal.field)
        };
        let value = proposal.value.as_ref().map(|value| {
            coerce(value, sourced.kind)
                .unwrap_or_else(|| panic!("{:?} is a {}, not {value:?}", proposal.field, sourced.kind))
        });
        Proposal { value, ..proposal.clone() }
    }

    fn project_profile(&self, profile: &ProfileBuilder) -> Profile {
        let fields = self.manifest.fields();
        let mut values = Vec::new();
        let mut observed_at = Vec::new();
        for (field, value, at) in profile.points.iter().filter(|(field, ..)| fields.contains(field)) {
            let coerced = self.manifest.sources.get(field).and_then(|sourced| coerce(value, sourced.kind));
            values.push((field.clone(), coerced.unwrap_or_else(|| value.clone())));
            observed_at.push(*at);
        }
        let listed = &self.manifest.plugin.identifiers;
        Profile {
            id: "00000000-0000-4000-8000-000000000001".to_owned(),
            identifiers: profile
                .identifiers
                .iter()
                .filter(|(name, _)| listed.contains(name))
                .cloned()
                .collect(),
            identifiers_declared: listed.clone(),
            points: Named { values, declared: Some(fields) },
            observed_at,
            memory: profile.memory.clone(),
        }
    }
}

/// Only declared properties, of their declared types.
#[track_caller]
fn project_properties(event: &EventBuilder, declared: &Properties) -> Named {
    let mut values = Vec::new();
    for (name, property) in declared {
        match event.properties.iter().rev().find(|(given, _)| given == name) {
            Some((_, value)) => {
                let coerced = coerce_property(value, property.kind);
                let value = coerced.unwrap_or_else(|| {
                    panic!(
                        "{name:?} can't be read as {} without loss: a host refuses the delivery",
                        property.kind
                    )
                });
                values.push((name.clone(), value));
            }
            None => assert!(!property.required, "{name:?} is required: a host refuses the delivery"),
        }
    }
    Named { values, declared: Some(declared.keys().cloned().collect()) }
}
