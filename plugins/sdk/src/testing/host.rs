//! The host of a test: a manifest and settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use samsyn_contract::manifest::Properties;
use samsyn_contract::{
    Access, CallAccess, FieldRule, Limits, Manifest, customer_bytes, customer_bytes_refusal,
};
use samsyn_vocabulary as host;

use crate::Error;
use crate::named::Named;
use crate::{Effects, Profile, Proposal, Settings, Value};

use super::builders::{EventBuilder, ProfileBuilder, profile};
use super::customer::Customer;
use super::recorder::{self, Recorded};
use super::run::Run;
use super::words::{coerced, coerced_property, of_a_host, of_a_plug_in};

/// Runs handlers like a host with this manifest, these settings and these limits.
#[derive(Clone, Debug)]
pub struct Host {
    pub(super) manifest: Arc<Manifest>,
    access: Arc<Access>,
    limits: Arc<Limits>,
    settings: Vec<(String, Value)>,
}

impl Host {
    /// A host with this `plugin.toml`: `Host::from_manifest(include_str!("../plugin.toml"))`.
    /// Panics when a host would reject it.
    #[track_caller]
    pub fn from_manifest(manifest: &str) -> Host {
        let manifest = Manifest::parse(manifest).unwrap_or_else(|error| panic!("{error}"));
        for (field, sourced) in &manifest.sources {
            let usable = sourced.schema.as_ref().map_or(Ok(()), |schema| schema.usable());
            usable.unwrap_or_else(|error| panic!("plugin.toml: [sources] {field}: schema {error}"));
        }
        let defaults = manifest.settings.iter();
        let settings = defaults
            .filter_map(|(name, setting)| Some((name.clone(), of_a_plug_in(setting.default.as_ref()?))))
            .collect();
        let access = Arc::new(access(&manifest));
        Host { manifest: Arc::new(manifest), access, limits: Arc::default(), settings }
    }

    /// Replaces the default limits, as an administrator can.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Host {
        Host { limits: Arc::new(limits), ..self }
    }

    /// Sets a setting, converted to its declared type. Of a secret that is its name, as a host passes it: a
    /// plug-in never gets a secret's value. Panics when the manifest doesn't declare the setting or declares
    /// another type, and when the name can't be one of a secret.
    #[must_use]
    #[track_caller]
    pub fn setting(mut self, name: &str, value: impl Into<Value>) -> Host {
        let value = value.into();
        let Some(setting) = self.manifest.settings.get(name) else {
            panic!("[settings] of plugin.toml has no {name:?}")
        };
        if let (true, Value::Text(text)) = (setting.kind.is_secret(), &value)
            && let Err(error) = host::SecretName::new(text)
        {
            // The text may be a secret.
            panic!("{name:?} must be the name of a secret, as an administrator sets it: {}", error.rule)
        }
        let value = coerced(&value, setting.kind.of_values())
            .unwrap_or_else(|| panic!("{name:?} is a {}, not {value:?}", setting.kind));
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value));
        self
    }

    /// A customer who keeps claims and memory between invocations.
    pub fn customer(&self) -> Customer<'_> {
        Customer::new(self, profile())
    }

    /// The same, starting with a profile.
    pub fn customer_with(&self, profile: ProfileBuilder) -> Customer<'_> {
        Customer::new(self, profile)
    }

    /// Whether the manifest sources this field as a protective one.
    pub(super) fn is_protective(&self, field: &str) -> bool {
        self.manifest.sources.get(field).is_some_and(|sourced| sourced.protective)
    }

    pub(super) fn call(
        &self,
        profile: &ProfileBuilder,
        handler: impl FnOnce(&Profile, &Settings, &mut Effects) -> Result<(), Error>,
    ) -> Run {
        self.call_as(profile, false, handler)
    }

    /// [`call`](Host::call) of a handler that, perhaps, begins a look-up and nothing else.
    pub(super) fn call_as(
        &self,
        profile: &ProfileBuilder,
        looks_up: bool,
        handler: impl FnOnce(&Profile, &Settings, &mut Effects) -> Result<(), Error>,
    ) -> Run {
        let given = self.project_profile(profile);
        let declared = Some(self.manifest.settings.keys().cloned().collect());
        let settings = Settings { named: Named { values: self.settings.clone(), declared } };
        let mut effects = Effects { host: recorder::Effects::new(self.access.clone(), self.limits.clone()) };
        effects.host.set_known_timers(profile.timers.keys().cloned().collect());
        effects.host.set_waiting_calls(profile.calls.len());
        if looks_up {
            effects.host.set_looks_up();
        }
        recorder::begin_log(&self.limits);
        let returned = handler(&given, &settings, &mut effects);
        let log = recorder::end_log();
        let Recorded { taken, refused, spent } = effects.host.into_recorded();
        let stopped = spent.or_else(|| self.too_much_of(profile, &taken).filter(|_| returned.is_ok()));
        let result = stopped.map_or(returned, |limit| Err(limit.as_str().into()));
        // All of the effects or none.
        let taken = if result.is_ok() { taken } else { Vec::new() };
        let effects = taken.into_iter().map(recorder::effect).collect();
        Run { result, effects, host_refusals: refused, log }
    }

    /// Why these effects would exceed the limit of bytes a customer.
    fn too_much_of(&self, profile: &ProfileBuilder, effects: &[host::Effect]) -> Option<String> {
        let mut claims: BTreeMap<host::FieldName, Option<host::Value>> = BTreeMap::new();
        for (field, value, _) in &profile.points {
            let known = self.access.sources.get_key_value(field.as_str()).map(|(name, _)| name.clone());
            claims.extend(known.map(|name| (name, of_a_host(value))));
        }
        let mut memory = profile.memory.as_ref().map_or(0, Vec::len);
        for effect in effects {
            match effect {
                host::Effect::Claim { field, value } => {
                    claims.insert(field.clone(), value.clone());
                }
                host::Effect::Remember(bytes) => memory = bytes.as_ref().map_or(0, Vec::len),
                host::Effect::Refuse { .. }
                | host::Effect::Emit { .. }
                | host::Effect::Call(_)
                | host::Effect::Finding(_)
                | host::Effect::Action(_) => {}
            }
        }
        let total = customer_bytes(claims.iter().map(|(field, value)| (field, value.as_ref())), memory);
        let limit = self.limits.customer_bytes;
        (total as u64 > limit).then(|| customer_bytes_refusal(total, limit))
    }

    #[track_caller]
    pub(super) fn project_proposal(&self, proposal: &Proposal) -> Proposal {
        let Some(sourced) = self.manifest.sources.get(proposal.field.as_str()) else {
            panic!("plugin.toml doesn't source {:?}, so no host would propose it", proposal.field)
        };
        let value = proposal.value.as_ref().map(|value| {
            coerced(value, sourced.kind)
                .unwrap_or_else(|| panic!("{:?} is a {}, not {value:?}", proposal.field, sourced.kind))
        });
        Proposal { value, ..proposal.clone() }
    }

    fn project_profile(&self, profile: &ProfileBuilder) -> Profile {
        let (sources, consumes) = (self.manifest.sources.keys(), self.manifest.consumes.keys());
        let fields: Vec<String> = sources.chain(consumes).map(|field| field.to_string()).collect();
        let mut values = Vec::new();
        let mut observed_at = Vec::new();
        for (field, value, at) in profile.points.iter().filter(|(field, ..)| fields.contains(field)) {
            let coerced =
                self.manifest.sources.get(field.as_str()).and_then(|sourced| coerced(value, sourced.kind));
            values.push((field.clone(), coerced.unwrap_or_else(|| value.clone())));
            observed_at.push(*at);
        }
        let listed: Vec<String> =
            self.manifest.plugin.identifiers.iter().map(|name| name.to_string()).collect();
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

/// Only declared properties, with their declared types.
#[track_caller]
pub(super) fn project_properties(event: &EventBuilder, declared: &Properties) -> Named {
    let mut values = Vec::new();
    for (name, property) in declared {
        match event.properties.iter().rev().find(|(given, _)| given == name) {
            Some((_, value)) => {
                let value = coerced_property(value, property.kind).unwrap_or_else(|| {
                    panic!(
                        "{name:?} can't be read as {} without loss: a host refuses the event",
                        property.kind
                    )
                });
                values.push((name.clone(), value));
            }
            None => assert!(!property.required, "{name:?} is required: a host refuses the event"),
        }
    }
    Named { values, declared: Some(declared.keys().cloned().collect()) }
}

/// The rights of the plug-in when everything that its manifest requests is granted.
fn access(manifest: &Manifest) -> Access {
    let sources = manifest.sources.iter().map(|(name, sourced)| {
        let (one_of, schema) = (sourced.one_of.clone(), sourced.schema.clone());
        (name.clone(), FieldRule { kind: sourced.kind, one_of, schema })
    });
    let emits = manifest.emits.iter().map(|(name, properties)| {
        let types = properties.iter().map(|(property, declared)| (property.clone(), declared.kind));
        (name.clone(), types.collect())
    });
    // As if an administrator had bound every endpoint as it is requested.
    let calls = manifest.calls.iter().map(|(name, call)| {
        let host_headers = call.key.iter().map(|key| key.header.as_str().to_ascii_lowercase()).collect();
        let (methods, rows) = (call.methods.clone(), call.rows.clone());
        (name.clone(), CallAccess { is_bound: true, methods, host_headers, rows })
    });
    Access {
        sources: sources.collect(),
        emits: emits.collect(),
        timers: manifest.plugin.timers,
        calls: calls.collect(),
        settings: BTreeMap::new(),
    }
}
