//! An installed plug-in as an answer.

use schemars::JsonSchema;
use serde::Serialize;

use super::json_value::JsonValue;
use samsyn_engine::Engine;
use samsyn_registry::{Capability, CapabilityState, Grant, Registry, Rejection};
use samsyn_vocabulary::{
    CapabilityName, Digest, EventName, EventPattern, FieldName, IdentifierName, Role, Timestamp, Type,
};

/// CAPABILITY of docs/http.md.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Capability")]
pub struct CapabilityAnswer<'a> {
    name: &'a CapabilityName,
    version: &'a str,
    digest: Digest,
    owner: &'a str,
    description: &'a str,
    /// How it is.
    #[schemars(extend("enum" = ["active", "catching-up", "quarantined"]))]
    state: &'static str,
    /// Why it is in quarantine.
    reason: Option<&'a str>,
    /// Counted up by each catch-up from the start.
    generation: u32,
    roles: &'a [Role],
    subscribes: Vec<&'a EventPattern>,
    emits: Vec<&'a EventName>,
    sources: Vec<SourceAnswer<'a>>,
    consumes: Vec<ConsumeAnswer<'a>>,
    identifiers: &'a [IdentifierName],
    settings: Vec<SettingAnswer<'a>>,
    /// What it may do.
    grant: &'a Grant,
    /// What it asks for and was taken back.
    withheld: Grant,
    /// An upgrade that waits for approval, because it wants more than is granted.
    pending: Option<PendingAnswer<'a>>,
    /// Records it has yet to look at.
    lag: u64,
    /// Deliveries that wait for an administrator.
    parked: usize,
    installed_at: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SourcedField")]
struct SourceAnswer<'a> {
    field: &'a FieldName,
    assigned: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ConsumedField")]
struct ConsumeAnswer<'a> {
    field: &'a FieldName,
    purposes: &'a [String],
    notify: bool,
}

/// An upgrade that waits for approval.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Pending")]
struct PendingAnswer<'a> {
    version: &'a str,
    digest: Digest,
    /// It would start from the oldest event.
    from_start: bool,
    /// What it asks for beyond what is granted.
    wants: Grant,
    /// When it was sent.
    at: Timestamp,
    /// Set when an administrator rejected this very component before.
    rejected: Option<Rejection>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Setting")]
struct SettingAnswer<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: Type,
    default: JsonValue<'a>,
    value: JsonValue<'a>,
    description: &'a str,
}

/// How far a capability is, asked before the answer is written: it reads the store.
#[derive(Clone, Debug)]
pub struct Progress {
    lag: u64,
    parked: usize,
    /// Of the upgrade that waits.
    rejected: Option<Rejection>,
}

impl Progress {
    /// How far it is now.
    pub fn of(engine: &Engine, name: &CapabilityName) -> Progress {
        let registry = engine.registry();
        let pending = registry.capabilities.get(name).and_then(|capability| capability.pending.as_ref());
        let rejected = pending.and_then(|pending| engine.rejection(&registry, name, pending.digest));
        Progress { lag: engine.lag(name), parked: engine.parked_count(name), rejected }
    }
}

impl<'a> CapabilityAnswer<'a> {
    /// The capability as this revision of the registry has it.
    pub fn new(
        registry: &Registry,
        name: &'a CapabilityName,
        capability: &'a Capability,
        progress: Progress,
    ) -> CapabilityAnswer<'a> {
        let manifest = &capability.manifest;
        let (state, reason) = match &capability.state {
            CapabilityState::Quarantined { reason } => ("quarantined", Some(reason.as_str())),
            CapabilityState::Active if progress.lag > 0 => ("catching-up", None),
            CapabilityState::Active => ("active", None),
        };
        let assigned = |field: &FieldName| registry.source_of(field.as_str()) == Some(name);
        let sources =
            capability.grant.sources().iter().map(|field| SourceAnswer { field, assigned: assigned(field) });
        let granted = manifest.consumes.iter().filter(|(field, _)| capability.grant.reads.contains(*field));
        let consumes = granted.map(|(field, consumed)| ConsumeAnswer {
            field,
            purposes: &consumed.purposes,
            notify: consumed.notify,
        });
        let settings = manifest.settings.iter().map(|(name, setting)| SettingAnswer {
            name,
            kind: setting.kind,
            default: JsonValue(setting.default.as_ref()),
            value: JsonValue(capability.settings.get(name)),
            description: &setting.description,
        });
        CapabilityAnswer {
            name,
            version: &manifest.plugin.version,
            digest: capability.digest,
            owner: &manifest.plugin.owner,
            description: &manifest.plugin.description,
            state,
            reason,
            generation: capability.generation,
            roles: &capability.roles,
            subscribes: capability.grant.hears.iter().collect(),
            emits: manifest.emits.keys().collect(),
            sources: sources.collect(),
            consumes: consumes.collect(),
            identifiers: &capability.grant.identifiers,
            settings: settings.collect(),
            grant: &capability.grant,
            withheld: capability.withheld(),
            pending: capability.pending.as_deref().map(|pending| PendingAnswer {
                version: &pending.manifest.plugin.version,
                digest: pending.digest,
                from_start: pending.from_start,
                wants: pending.wants(capability),
                at: pending.at,
                rejected: progress.rejected.clone(),
            }),
            lag: progress.lag,
            parked: progress.parked,
            installed_at: capability.installed_at,
        }
    }
}
