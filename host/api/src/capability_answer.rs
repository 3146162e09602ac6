//! An installed plug-in as an answer.

use samsyn_wire::{self as wire, ConsumedField, JsonValue, Pending, Setting, SourcedField};

use super::endpoints::requested;
use super::words::{name, names, word, words};
use samsyn_engine::Engine;
use samsyn_registry::{
    Capability, CapabilityState, Grant, InstallPlan, InstalledVersion, PlannedCall, PlannedIdentifier,
    PlannedRead, PlannedSetting, PlannedSource, Registry, Rejection,
};
use samsyn_vocabulary::{CapabilityName, FieldName};

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
        let rejected =
            pending.and_then(|pending| engine.registrar().rejection(&registry, name, pending.digest));
        Progress { lag: engine.lag(name), parked: engine.parked().count(name), rejected }
    }
}

/// The capability as this revision of the registry has it.
pub fn capability_answer<'a>(
    registry: &Registry,
    name: &CapabilityName,
    capability: &'a Capability,
    progress: Progress,
) -> wire::Capability<'a> {
    let manifest = &capability.manifest;
    let (state, reason) = match &capability.state {
        CapabilityState::Quarantined { reason } => ("quarantined", Some(reason.clone())),
        CapabilityState::Active if progress.lag > 0 => ("catching-up", None),
        CapabilityState::Active => ("active", None),
    };
    let assigned = |field: &FieldName| registry.source_of(field.as_str()) == Some(name);
    let sources = capability
        .grant
        .sources()
        .iter()
        .map(|field| SourcedField { field: field.to_string(), assigned: assigned(field) });
    let granted = manifest.consumes.iter().filter(|(field, _)| capability.grant.reads.contains(*field));
    let consumes = granted.map(|(field, consumed)| ConsumedField {
        field: field.to_string(),
        purposes: consumed.purposes.clone(),
        notify: consumed.notify,
    });
    let settings = manifest.settings.iter().map(|(name, setting)| Setting {
        name: name.clone(),
        kind: word(&setting.kind),
        default: JsonValue::Held(setting.default.as_ref()),
        value: JsonValue::Held(capability.settings.get(name)),
        description: setting.description.clone(),
    });
    let endpoints = manifest.calls.keys().map(|endpoint| wire::CapabilityEndpoint {
        name: endpoint.to_string(),
        state: word(&capability.endpoint_state(endpoint)),
    });
    wire::Capability {
        name: name.to_string(),
        version: manifest.plugin.version.clone(),
        digest: capability.digest.to_string(),
        owner: manifest.plugin.owner.clone(),
        description: manifest.plugin.description.clone(),
        state: state.to_owned(),
        reason,
        generation: capability.generation,
        roles: words(&capability.roles),
        subscribes: names(&capability.grant.hears),
        emits: names(manifest.emits.keys()),
        sources: sources.collect(),
        consumes: consumes.collect(),
        identifiers: names(&capability.grant.identifiers),
        settings: settings.collect(),
        endpoints: endpoints.collect(),
        grant: grant(&capability.grant),
        withheld: grant(&capability.withheld()),
        pending: capability.pending.as_deref().map(|pending| Pending {
            version: pending.manifest.plugin.version.clone(),
            digest: pending.digest.to_string(),
            from_start: pending.from_start,
            wants: grant(&pending.wants(capability)),
            at: pending.at.into(),
            rejected: progress.rejected.as_ref().map(rejection),
        }),
        lag: progress.lag,
        parked: progress.parked,
        installed_at: capability.installed_at.into(),
    }
}

/// What is granted, asked for or taken back.
fn grant(grant: &Grant) -> wire::Grant {
    wire::Grant {
        reads: names(&grant.reads),
        identifiers: names(&grant.identifiers),
        hears: names(&grant.hears),
        sources: names(grant.sources()),
        calls: names(&grant.calls),
    }
}

fn rejection(rejection: &Rejection) -> wire::Rejection {
    wire::Rejection {
        revision: rejection.revision,
        by: rejection.by.to_string(),
        at: rejection.at.into(),
        reason: name(rejection.reason.as_ref()),
    }
}

/// What installing a component would do, or did.
pub fn install_plan(plan: &InstallPlan) -> wire::InstallPlan {
    let read = |read: &PlannedRead| wire::PlannedRead {
        field: read.field.to_string(),
        class: read.class.as_ref().map(word),
        protective: read.protective,
        identifies: name(read.identifies.as_ref()),
        deprecated: read.deprecated.clone(),
        purposes: read.purposes.clone(),
        new: read.new,
        new_purposes: read.new_purposes.clone(),
    };
    let identifier = |identifier: &PlannedIdentifier| wire::PlannedIdentifier {
        name: identifier.name.to_string(),
        new: identifier.new,
    };
    let source = |source: &PlannedSource| wire::PlannedSource {
        field: source.field.to_string(),
        kind: word(&source.kind),
        class: word(&source.class),
        protective: source.protective,
        identifies: name(source.identifies.as_ref()),
        deprecated: source.deprecated.clone(),
        now: name(source.now.as_ref()),
        claimed_by: names(&source.claimed_by),
        proposed_by: name(source.proposed_by.as_ref()),
        becomes_source: source.becomes_source,
        new_field: source.new_field,
        proposed: source.proposed,
    };
    let setting = |setting: &PlannedSetting| wire::PlannedSetting {
        name: setting.name.clone(),
        kind: word(&setting.kind),
        default: setting.default.clone().unwrap_or_default(),
        value: setting.value.clone().unwrap_or_default(),
        description: setting.description.clone(),
    };
    let version = |version: &InstalledVersion| wire::InstalledVersion {
        version: version.version.clone(),
        digest: version.digest.to_string(),
    };
    let call = |call: &PlannedCall| wire::PlannedCall {
        name: call.name.to_string(),
        new: call.new,
        state: word(&call.state),
        requested: requested(&call.request),
    };
    wire::InstallPlan {
        capability: plan.capability.to_string(),
        version: plan.version.clone(),
        digest: plan.digest.to_string(),
        change: word(&plan.change),
        before: plan.before.as_ref().map(version),
        rejected: plan.rejected.as_ref().map(rejection),
        hears: names(&plan.hears),
        reads: plan.reads.iter().map(read).collect(),
        identifiers: plan.identifiers.iter().map(identifier).collect(),
        sources: plan.sources.iter().map(source).collect(),
        calls: plan.calls.iter().map(call).collect(),
        emits: names(&plan.emits),
        settings: plan.settings.iter().map(setting).collect(),
        wants: grant(&plan.wants),
        withheld: grant(&plan.withheld),
        warnings: plan.warnings.clone(),
    }
}
