//! A change of the registry as a sentence that says from what to what: for readers who have the registry that
//! was before it.

use super::difference::differences;
use super::file::FiledField;
use super::summary::ChangeSummary;
use super::{
    Assigned, Capability, Field, FieldStatus, IdentifierKind, InstalledVersion, Manifest, REJECTED_VALUES,
    Registry, RegistryChange, VersionChange,
};
use samsyn_vocabulary::{CapabilityName, Digest, FieldName};

impl RegistryChange {
    /// The change as a sentence that names what it changed, from what to what.
    pub fn summary_after(&self, before: &Registry) -> ChangeSummary {
        match self {
            RegistryChange::Many { changes } => {
                let mut at = before.clone();
                let each = changes.iter().map(|change| {
                    let summary = change.summary_after(&at);
                    // What is in the log was taken once; what a newer host wrote is told as it stands.
                    let _ = at.take(at.revision, change);
                    summary
                });
                ChangeSummary::all(each).of(self.kind())
            }
            RegistryChange::SourcesMoved { fields } => {
                let each = fields.iter().map(|assigned| {
                    let Assigned { field, source, .. } = assigned.clone();
                    RegistryChange::SourceAssigned { field, source }
                        .summary_after(before)
                        .with_details(assigned)
                });
                let summary = ChangeSummary::all(each).of(self.kind());
                ChangeSummary { did: moved(before, fields), ..summary }
            }
            other => {
                let summary = other.summary();
                match other.did_after(before) {
                    Some(did) => ChangeSummary { did, ..summary },
                    None => summary,
                }
            }
        }
    }

    fn did_after(&self, before: &Registry) -> Option<String> {
        let capability = |name: &CapabilityName| before.capabilities.get(name).map(AsRef::as_ref);
        match self {
            RegistryChange::FieldDefined { name, field } => defined(name, before.fields.get(name)?, field),
            RegistryChange::SourceAssigned { field, source } => {
                let (was, is) = (before.source_of(field.as_str()), source.as_ref());
                let moved = format!("({} → {})", shown(was), shown(is));
                (was != is).then(|| format!("{} {moved}", self.summary().did))
            }
            RegistryChange::FieldAccepted { name } => match &before.fields.get(name)?.status {
                FieldStatus::Proposed { by } => {
                    Some(format!("accepted the field {name}, which {by} brought"))
                }
                FieldStatus::Defined => None,
            },
            RegistryChange::FieldRemoved { name } => {
                let kind = before.fields.get(name)?.kind;
                Some(format!("removed the field {name} ({kind})"))
            }
            RegistryChange::Granted { capability: name, grant } => {
                let now = &capability(name)?.grant;
                let list = |what: Vec<String>, how: &str| {
                    (!what.is_empty()).then(|| format!("{how} {}", what.join(", ")))
                };
                let more = list(grant.without(now).in_words(), "from now on");
                let less = list(now.without(grant).in_words(), "no longer");
                let parts: Vec<String> = more.into_iter().chain(less).collect();
                (!parts.is_empty()).then(|| format!("changed what {name} may do: {}", parts.join("; ")))
            }
            RegistryChange::UpgradePending { capability: name, manifest, digest, .. } => {
                let (installed, manifest) = (capability(name)?, Manifest::parse(manifest).ok()?);
                let wants = installed.wants_more(&manifest).in_words().join(", ");
                let [sent, _] = waiting(installed, *digest, &manifest);
                Some(format!("sent {sent}: {wants}"))
            }
            RegistryChange::UpgradeRejected { capability: name, digest } => {
                let installed = capability(name)?;
                let pending = installed.pending.as_ref()?;
                let [_, named] = waiting(installed, *digest, &pending.manifest);
                Some(format!("rejected {named} that waited"))
            }
            RegistryChange::IdentifierDefined { name, kind, .. } => {
                let known = said(before.identifiers.get(name)?);
                let changed = differences(Some(&known), &said(kind));
                let changed: Vec<String> = changed.iter().map(|is| is.in_words()).collect();
                (!changed.is_empty())
                    .then(|| format!("changed the identifier {name}: {}", changed.join("; ")))
            }
            RegistryChange::Installed { .. } => self.installed_after(before),
            RegistryChange::Released { capability: name } => {
                let quarantined = capability(name)?.is_quarantined();
                quarantined.then(|| format!("ended the quarantine of {name} (quarantined → active)"))
            }
            RegistryChange::Removed { capability: name } => {
                let version = &capability(name)?.manifest.plugin.version;
                let sourced = before.sourced_by(name);
                let lost = match sourced.is_empty() {
                    true => String::new(),
                    false => format!(", which was the source of {}", list(&sourced)),
                };
                Some(format!("removed {name} {version}{lost}"))
            }
            RegistryChange::EndpointBound { capability: name, name: endpoint, binding } => {
                let known = &capability(name)?.endpoints.get(endpoint)?.binding;
                let changed = differences(Some(known), binding.as_ref());
                let changed: Vec<String> = changed.iter().map(|is| is.in_words()).collect();
                let changed = changed.join("; ");
                (!changed.is_empty())
                    .then(|| format!("bound the endpoint {endpoint} of {name} otherwise: {changed}"))
            }
            RegistryChange::EndpointUnbound { capability: name, name: endpoint } => {
                let url = &capability(name)?.endpoints.get(endpoint)?.binding.url;
                Some(format!("unbound the endpoint {endpoint} of {name} from {url}"))
            }
            RegistryChange::EndpointResumed { capability: name, name: endpoint } => {
                let paused = capability(name)?.endpoints.get(endpoint)?.paused.as_ref()?;
                let (did, by) = (&self.summary().did, &paused.by);
                Some(format!("{did}, which {by} had paused: {}", paused.reason))
            }
            RegistryChange::OutgoingResumed {} => {
                let paused = before.outgoing_paused.as_ref()?;
                Some(format!("resumed sending, which {} had paused: {}", paused.by, paused.reason))
            }
            RegistryChange::TokenRevoked { name, .. } => {
                let token = before.tokens.get(name)?;
                let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
                let (application, scopes) = (&token.application, scopes.join(", "));
                Some(format!("revoked the token {name} of the application {application} ({scopes})"))
            }
            // Of settings neither the old nor the new value is told: either may be a secret.
            _ => None,
        }
    }

    fn installed_after(&self, before: &Registry) -> Option<String> {
        let RegistryChange::Installed { digest, manifest, grant, assigned, .. } = self else { return None };
        let plugin = Manifest::parse(manifest).ok()?.plugin;
        let known = before.capabilities.get(&plugin.name)?;
        let installed = InstalledVersion::of(known);
        let change = VersionChange::of(Some(&installed), *digest, &plugin.version);
        let mut did = change.done(plugin.name.as_str(), &installed.version, &plugin.version);
        let reads: Vec<FieldName> =
            grant.reads.iter().filter(|field| !known.grant.reads.contains(field)).cloned().collect();
        if !reads.is_empty() {
            did.push_str(&format!(", which may now read {}", list(&reads)));
        }
        let sources = assigned.iter().filter(|field| before.source_of(field.as_str()) != Some(&plugin.name));
        let sources: Vec<FieldName> = sources.cloned().collect();
        if !sources.is_empty() {
            did.push_str(&format!(", and made it the source of {}", list(&sources)));
        }
        Some(did)
    }
}

/// Moves of several fields in one sentence: those of which the same is to be said stand together.
fn moved(before: &Registry, fields: &[Assigned]) -> String {
    let mut groups: Vec<(Moved<'_>, Vec<FieldName>)> = Vec::new();
    for assigned in fields {
        let moved = Moved::of(before, assigned);
        match groups.iter_mut().find(|(is, _)| *is == moved) {
            Some((_, group)) => group.push(assigned.field.clone()),
            None => groups.push((moved, vec![assigned.field.clone()])),
        }
    }
    groups.iter().map(|(moved, fields)| moved.in_words(fields)).collect::<Vec<_>>().join("; ")
}

/// Whose claims were a field's values, and whose are.
#[derive(PartialEq)]
struct Moved<'a> {
    from: Option<&'a CapabilityName>,
    to: Option<&'a CapabilityName>,
    stood_in: &'a [CapabilityName],
    stand_in: &'a [CapabilityName],
}

impl<'a> Moved<'a> {
    fn of(before: &'a Registry, assigned: &'a Assigned) -> Moved<'a> {
        let was = before.fields.get(&assigned.field);
        Moved {
            from: was.and_then(|was| was.source.as_ref()),
            to: assigned.source.as_ref(),
            stood_in: was.map_or(&[], |was| &was.inherits),
            stand_in: &assigned.inherits,
        }
    }

    fn in_words(&self, fields: &[FieldName]) -> String {
        let Moved { from, to, stood_in, stand_in } = self;
        let fields = list(fields);
        if from == to && stood_in != stand_in {
            let names = |names: &[CapabilityName]| match names {
                [] => "none".to_owned(),
                names => names.iter().map(CapabilityName::as_str).collect::<Vec<_>>().join(", "),
            };
            let (source, was, is) = (shown(*from), names(stood_in), names(stand_in));
            return format!("changed who stands in where {source} has no claim for {fields}: {was} → {is}");
        }
        let did = match to {
            Some(source) => format!("made {source} the source of {fields}"),
            None => format!("left {fields} without a source"),
        };
        let lost = stand_in.is_empty() && (from.is_some() || !stood_in.is_empty());
        let nobody = if lost { ", and without a fallback" } else { "" };
        if from == to { did } else { format!("{did} ({} → {}){nobody}", shown(*from), shown(*to)) }
    }
}

fn shown(source: Option<&CapabilityName>) -> &str {
    source.map_or("none", CapabilityName::as_str)
}

/// An identifier without what is as usual: the command spells the usual rejected values out.
fn said(kind: &IdentifierKind) -> IdentifierKind {
    let unusual = |values: &Vec<String>| values.iter().ne(REJECTED_VALUES.iter());
    IdentifierKind { rejected_values: kind.rejected_values.clone().filter(unusual), ..kind.clone() }
}

fn defined(name: &FieldName, known: &Field, field: &Field) -> Option<String> {
    let changed = differences(Some(&FiledField::of(known)), &FiledField::of(field));
    let changed: Vec<String> = changed.iter().map(|is| is.in_words()).collect();
    let changed = changed.join("; ");
    match (&known.status, changed.is_empty()) {
        (FieldStatus::Proposed { by }, true) => Some(format!("defined the field {name}, as {by} brought it")),
        (FieldStatus::Proposed { by }, false) => {
            Some(format!("defined the field {name}, which {by} brought: {changed}"))
        }
        (FieldStatus::Defined, true) => Some(format!("defined the field {name} again, as it was")),
        (FieldStatus::Defined, false) => Some(format!("changed the field {name}: {changed}")),
    }
}

fn waiting(installed: &Capability, digest: Digest, manifest: &Manifest) -> [String; 2] {
    let (before, version) = (InstalledVersion::of(installed), &manifest.plugin.version);
    let change = VersionChange::of(Some(&before), digest, version);
    change.waiting(manifest.plugin.name.as_str(), &before.version, version)
}

fn list(names: &[FieldName]) -> String {
    names.iter().map(FieldName::as_str).collect::<Vec<_>>().join(", ")
}

impl InstalledVersion {
    /// The version of a capability.
    pub fn of(capability: &Capability) -> InstalledVersion {
        InstalledVersion { version: capability.manifest.plugin.version.clone(), digest: capability.digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_vocabulary::Type;

    fn name(name: &str) -> FieldName {
        FieldName::new(name).unwrap()
    }

    fn registry(sources: &[(&str, Option<&str>)]) -> Registry {
        let mut registry = Registry::default();
        for (field, source) in sources {
            let source = source.map(|source| CapabilityName::new(source).unwrap());
            registry.fields.insert(name(field), Field { source, ..Field::of(Type::Text) });
        }
        registry
    }

    #[test]
    fn fields_that_move_alike_stand_together() {
        let before = registry(&[("a", Some("crm")), ("b", None), ("c", Some("crm"))]);
        let [sms, crm] = ["sms", "crm"].map(|name| CapabilityName::new(name).unwrap());
        let assigned =
            |field| Assigned { field: name(field), source: Some(sms.clone()), inherits: vec![crm.clone()] };
        let summary = RegistryChange::SourcesMoved { fields: ["a", "b", "c"].map(assigned).to_vec() };
        let summary = summary.summary_after(&before);
        assert_eq!(
            summary.did,
            "made sms the source of a, c (crm → sms); made sms the source of b (none → sms)"
        );
        assert_eq!((summary.kind, summary.fields), ("sources-moved", ["a", "b", "c"].map(name).to_vec()));
    }

    #[test]
    fn it_is_told_who_no_longer_stands_in() {
        let capability = |name: &str| CapabilityName::new(name).unwrap();
        let mut before = registry(&[("a", Some("crm"))]);
        let summary = |before: &Registry, source: &str, inherits: &[&str]| {
            let inherits = inherits.iter().map(|name| capability(name)).collect();
            let assigned = Assigned { field: name("a"), source: Some(capability(source)), inherits };
            RegistryChange::SourcesMoved { fields: vec![assigned] }.summary_after(before).did
        };
        assert_eq!(summary(&before, "sms", &["crm"]), "made sms the source of a (crm → sms)");
        assert_eq!(
            summary(&before, "sms", &[]),
            "made sms the source of a (crm → sms), and without a fallback"
        );
        before.fields.get_mut("a").unwrap().inherits = vec![capability("sms"), capability("web")];
        assert_eq!(
            summary(&before, "crm", &["web"]),
            "changed who stands in where crm has no claim for a: sms, web → web"
        );
        assert_eq!(
            summary(&before, "crm", &[]),
            "changed who stands in where crm has no claim for a: sms, web → none"
        );
    }

    #[test]
    fn each_of_many_is_told_after_the_one_before_it() {
        let before = registry(&[("size", None)]);
        let defined = |description: &str| RegistryChange::FieldDefined {
            name: name("size"),
            field: Field { description: description.to_owned(), ..Field::of(Type::Text) },
        };
        let many = RegistryChange::Many { changes: vec![defined("one"), defined("two"), defined("two")] };
        assert_eq!(
            many.summary_after(&before).did,
            "changed the field size: description none → one; changed the field size: description one → two; \
             defined the field size again, as it was"
        );
    }

    #[test]
    fn what_is_new_is_told_as_before() {
        let change = RegistryChange::FieldDefined { name: name("size"), field: Field::of(Type::Text) };
        assert_eq!(change.summary_after(&Registry::default()), change.summary());
    }
}
