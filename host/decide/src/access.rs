//! What one capability may say and read: what it declared, as far as it was granted.

use samsyn_contract::calls::CallRequest;
use samsyn_contract::{CallAccess, FieldRule};
use samsyn_registry::{Binding, Capability, Registry};
use samsyn_sandbox::Access;

/// What a capability may say and read, as the registry has it.
pub fn access(registry: &Registry, capability: &Capability) -> Access {
    let manifest = &capability.manifest;
    let granted = manifest.sources.iter().filter(|(name, _)| capability.grant.sources().contains(name));
    let sources = granted.filter_map(|(name, sourced)| {
        // The dictionary may allow less than the manifest, and never more.
        let field = registry.fields.get(name)?;
        let one_of = if field.one_of.is_empty() { &sourced.one_of } else { &field.one_of };
        let schema = field.schema.as_ref().or(sourced.schema.as_ref());
        Some((name.clone(), FieldRule { kind: field.kind, one_of: one_of.clone(), schema: schema.cloned() }))
    });
    let emits = manifest.emits.iter().map(|(name, properties)| {
        let types = properties.iter().map(|(property, declared)| (property.clone(), declared.kind));
        (name.clone(), types.collect())
    });
    let settings = manifest.settings.keys().filter_map(|name| {
        let value = capability.setting(name)?;
        Some((name.clone(), value.clone()))
    });
    let calls = manifest.calls.keys().filter(|name| capability.grant.calls.contains(*name)).map(|name| {
        let binding = capability.endpoints.get(name).map(|bound| &bound.binding);
        (name.clone(), binding.map(|binding| call_access(binding, &manifest.calls[name])).unwrap_or_default())
    });
    Access {
        sources: sources.collect(),
        emits: emits.collect(),
        timers: manifest.plugin.timers,
        calls: calls.collect(),
        settings: settings.collect(),
    }
}

fn call_access(binding: &Binding, request: &CallRequest) -> CallAccess {
    let key = binding.key.as_ref().map(|key| key.header.as_str());
    let host_headers = key.into_iter().chain(binding.auth.header()).map(str::to_ascii_lowercase);
    CallAccess {
        is_bound: true,
        methods: binding.methods.clone(),
        host_headers: host_headers.collect(),
        rows: request.rows.clone(),
    }
}
