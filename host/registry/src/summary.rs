//! A change of the registry as a sentence, and what it is about. Names only: what an administrator
//! set a setting to may be a secret.

use serde_json::{Value as Json, json};

use super::assignment::Assigned;
use super::change::RegistryChange;
use super::manifest::Manifest;
use super::secret::SecretVersion;
use samsyn_vocabulary::{CapabilityName, FieldName, SecretName};

/// The kinds of change, as the log names them: what an audit can be asked for.
pub const CHANGE_KINDS: [&str; 31] = [
    "field-defined",
    "field-accepted",
    "field-renamed",
    "field-removed",
    "sources-moved",
    "source-assigned",
    "identifier-defined",
    "identifiers-normalised",
    "installed",
    "granted",
    "upgrade-pending",
    "upgrade-rejected",
    "settings-changed",
    "quarantined",
    "released",
    "removed",
    "token-made",
    "token-revoked",
    "admin-token-made",
    "secret-named",
    "secret-set",
    "secret-rotated",
    "secret-retired",
    "secret-removed",
    "many",
    "endpoint-bound",
    "endpoint-unbound",
    "endpoint-paused",
    "endpoint-resumed",
    "outgoing-paused",
    "outgoing-resumed",
];

/// What a change did, as a sentence, and what it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeSummary {
    /// The kind of change, as the log names it.
    pub kind: &'static str,
    /// What was done, as the end of a sentence that begins with a name.
    pub did: String,
    /// The fields it is about.
    pub fields: Vec<FieldName>,
    /// The capabilities it is about.
    pub capabilities: Vec<CapabilityName>,
    /// What else there is to know, by name.
    pub details: Json,
}

impl ChangeSummary {
    fn new(did: impl Into<String>) -> ChangeSummary {
        let (fields, capabilities) = (Vec::new(), Vec::new());
        ChangeSummary { kind: "", did: did.into(), fields, capabilities, details: json!({}) }
    }

    /// Several as one.
    pub(super) fn all(each: impl Iterator<Item = ChangeSummary>) -> ChangeSummary {
        let (mut dids, mut all) = (Vec::new(), ChangeSummary::new(""));
        let mut details = Vec::new();
        for summary in each {
            dids.push(summary.did);
            details.push(json!({ "kind": summary.kind, "details": summary.details }));
            all.fields.extend(summary.fields);
            all.capabilities.extend(summary.capabilities);
        }
        all.fields.sort();
        all.fields.dedup();
        all.capabilities.sort();
        all.capabilities.dedup();
        all.did = dids.join("; ");
        all.details(json!({ "changes": details }))
    }

    /// The same as a change of this kind.
    pub(super) fn of(self, kind: &'static str) -> ChangeSummary {
        ChangeSummary { kind, ..self }
    }

    fn field(mut self, name: &FieldName) -> ChangeSummary {
        self.fields.push(name.clone());
        self
    }

    fn capability(mut self, name: &CapabilityName) -> ChangeSummary {
        self.capabilities.push(name.clone());
        self
    }

    /// The same with whose claims are the field's values from then on.
    pub(super) fn with_details(self, assigned: &Assigned) -> ChangeSummary {
        self.details(json!(assigned))
    }

    fn details(mut self, details: Json) -> ChangeSummary {
        self.details = details;
        self
    }
}

impl RegistryChange {
    /// The change as a sentence, and what it is about.
    pub fn summary(&self) -> ChangeSummary {
        self.summarize().of(self.kind())
    }

    /// Its kind, as the log names it: one of [`CHANGE_KINDS`].
    pub fn kind(&self) -> &'static str {
        let at = match self {
            RegistryChange::FieldDefined { .. } => 0,
            RegistryChange::FieldAccepted { .. } => 1,
            RegistryChange::FieldRenamed { .. } => 2,
            RegistryChange::FieldRemoved { .. } => 3,
            RegistryChange::SourcesMoved { .. } => 4,
            RegistryChange::SourceAssigned { .. } => 5,
            RegistryChange::IdentifierDefined { .. } => 6,
            RegistryChange::IdentifiersNormalised { .. } => 7,
            RegistryChange::Installed { .. } => 8,
            RegistryChange::Granted { .. } => 9,
            RegistryChange::UpgradePending { .. } => 10,
            RegistryChange::UpgradeRejected { .. } => 11,
            RegistryChange::SettingsChanged { .. } => 12,
            RegistryChange::Quarantined { .. } => 13,
            RegistryChange::Released { .. } => 14,
            RegistryChange::Removed { .. } => 15,
            RegistryChange::TokenMade { .. } => 16,
            RegistryChange::TokenRevoked { .. } => 17,
            RegistryChange::AdminTokenMade { .. } => 18,
            RegistryChange::Many { .. } => 24,
            RegistryChange::EndpointBound { .. } => 25,
            RegistryChange::EndpointUnbound { .. } => 26,
            RegistryChange::EndpointPaused { .. } => 27,
            RegistryChange::EndpointResumed { .. } => 28,
            RegistryChange::OutgoingPaused { .. } => 29,
            RegistryChange::OutgoingResumed {} => 30,
            RegistryChange::SecretNamed { .. } => 19,
            RegistryChange::SecretSet { .. } => 20,
            RegistryChange::SecretRotated { .. } => 21,
            RegistryChange::SecretRetired { .. } => 22,
            RegistryChange::SecretRemoved { .. } => 23,
        };
        CHANGE_KINDS[at]
    }

    fn summarize(&self) -> ChangeSummary {
        match self {
            RegistryChange::FieldDefined { name, field } => {
                ChangeSummary::new(format!("defined the field {name} ({})", field.kind))
                    .field(name)
                    .details(json!(field))
            }
            RegistryChange::SourceAssigned { field, source: Some(source) } => {
                ChangeSummary::new(format!("made {source} the source of {field}"))
                    .field(field)
                    .capability(source)
                    .details(json!({ "source": source }))
            }
            RegistryChange::SourceAssigned { field, source: None } => {
                ChangeSummary::new(format!("left {field} without a source"))
                    .field(field)
                    .details(json!({ "source": null }))
            }
            RegistryChange::SourcesMoved { fields } => ChangeSummary::all(fields.iter().map(|assigned| {
                let (field, source) = (assigned.field.clone(), assigned.source.clone());
                let summary = RegistryChange::SourceAssigned { field, source }.summary();
                summary.details(json!(assigned))
            })),
            RegistryChange::FieldAccepted { name } => {
                ChangeSummary::new(format!("accepted the field {name}")).field(name)
            }
            RegistryChange::FieldRenamed { from, to } => {
                ChangeSummary::new(format!("renamed the field {from} to {to}")).field(from).field(to)
            }
            RegistryChange::FieldRemoved { name } => {
                ChangeSummary::new(format!("removed the field {name}")).field(name)
            }
            RegistryChange::Granted { capability, grant } => {
                ChangeSummary::new(format!("changed what {capability} may do"))
                    .capability(capability)
                    .details(json!({ "granted": grant }))
            }
            RegistryChange::UpgradePending { capability, digest, .. } => {
                let did =
                    format!("sent an upgrade of {capability} that wants more than is granted and waits");
                ChangeSummary::new(did).capability(capability).details(json!({ "digest": digest }))
            }
            RegistryChange::UpgradeRejected { capability, digest } => {
                ChangeSummary::new(format!("rejected the upgrade of {capability} that waited"))
                    .capability(capability)
                    .details(json!({ "digest": digest }))
            }
            RegistryChange::Many { changes } => {
                ChangeSummary::all(changes.iter().map(RegistryChange::summary))
            }
            RegistryChange::IdentifierDefined { name, kind, .. } => {
                let did = format!("defined the identifier {name} (strength {})", kind.strength);
                ChangeSummary::new(did).details(json!({ "identifier": name, "definition": kind }))
            }
            RegistryChange::IdentifiersNormalised { form } => {
                let did = format!("linked known identifiers by version {form} of their normal forms");
                ChangeSummary::new(did).details(json!({ "form": form }))
            }
            RegistryChange::Installed { .. } => self.summary_of_install(),
            RegistryChange::SettingsChanged { capability, settings } => {
                let named = |set: bool| -> Vec<&str> {
                    let chosen = settings.iter().filter(|(_, value)| value.is_some() == set);
                    chosen.map(|(name, _)| name.as_str()).collect()
                };
                let (set, reset) = (named(true), named(false));
                let mut done = Vec::new();
                if !set.is_empty() {
                    done.push(format!("set {} of {capability}", set.join(", ")));
                }
                if !reset.is_empty() {
                    done.push(format!("put {} of {capability} back to the default", reset.join(", ")));
                }
                ChangeSummary::new(done.join(" and "))
                    .capability(capability)
                    .details(json!({ "set": set, "reset": reset }))
            }
            RegistryChange::Quarantined { capability, digest, reason } => {
                ChangeSummary::new(format!("stopped calling {capability}: {reason}"))
                    .capability(capability)
                    .details(json!({ "digest": digest }))
            }
            RegistryChange::Released { capability } => {
                ChangeSummary::new(format!("ended the quarantine of {capability}")).capability(capability)
            }
            RegistryChange::Removed { capability } => {
                ChangeSummary::new(format!("removed {capability}")).capability(capability)
            }
            RegistryChange::EndpointBound { capability, name, binding } => {
                ChangeSummary::new(format!("bound the endpoint {name} of {capability} to {}", binding.url))
                    .capability(capability)
                    .details(json!({ "endpoint": name, "binding": binding }))
            }
            RegistryChange::EndpointUnbound { capability, name } => {
                ChangeSummary::new(format!("unbound the endpoint {name} of {capability}"))
                    .capability(capability)
                    .details(json!({ "endpoint": name }))
            }
            RegistryChange::EndpointPaused { capability, name, pause } => {
                let reason = &pause.reason;
                ChangeSummary::new(format!("paused the endpoint {name} of {capability}: {reason}"))
                    .capability(capability)
                    .details(json!({ "endpoint": name, "reason": reason }))
            }
            RegistryChange::EndpointResumed { capability, name } => {
                ChangeSummary::new(format!("resumed the endpoint {name} of {capability}"))
                    .capability(capability)
                    .details(json!({ "endpoint": name }))
            }
            RegistryChange::OutgoingPaused { pause } => {
                ChangeSummary::new(format!("paused all sending: {}", pause.reason))
                    .details(json!({ "reason": pause.reason }))
            }
            RegistryChange::OutgoingResumed {} => ChangeSummary::new("resumed sending"),
            RegistryChange::TokenMade { name, token } => {
                let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
                let did = format!(
                    "made the token {name} for the application {}, which may {}",
                    token.application,
                    scopes.join(", ")
                );
                ChangeSummary::new(did).details(json!({
                    "token": name, "application": token.application, "scopes": scopes,
                    "expires_at": token.expires_at,
                }))
            }
            RegistryChange::TokenRevoked { name, .. } => {
                ChangeSummary::new(format!("revoked the token {name}")).details(json!({ "token": name }))
            }
            RegistryChange::SecretNamed { name } => {
                ChangeSummary::new(format!("named the secret {name}")).details(json!({ "secret": name }))
            }
            RegistryChange::SecretSet { name, version } => {
                secret_version(format!("set the secret {name}"), name, version)
            }
            RegistryChange::SecretRotated { name, version } => {
                secret_version(format!("rotated the secret {name}"), name, version)
            }
            RegistryChange::SecretRetired { name, version } => {
                ChangeSummary::new(format!("retired version {version} of the secret {name}"))
                    .details(json!({ "secret": name, "version": version }))
            }
            RegistryChange::SecretRemoved { name } => {
                ChangeSummary::new(format!("removed the secret {name}")).details(json!({ "secret": name }))
            }
            RegistryChange::AdminTokenMade { .. } => {
                ChangeSummary::new("made a new admin token; the one before is valid no more")
            }
        }
    }

    fn summary_of_install(&self) -> ChangeSummary {
        let RegistryChange::Installed {
            digest,
            manifest,
            grant,
            new_fields,
            assigned,
            generation,
            from_start,
            ..
        } = self
        else {
            return ChangeSummary::new("installed a plug-in");
        };
        let details = json!({
            "digest": digest,
            "generation": generation,
            "from_start": from_start,
            "granted": grant,
            "new_fields": new_fields,
            "became_source_of": assigned,
        });
        // What is in the log was parsed before it was written; a newer host's may not parse here.
        let Ok(manifest) = Manifest::parse(manifest) else {
            return ChangeSummary::new(format!("installed the component {digest}")).details(details);
        };
        let plugin = &manifest.plugin;
        let mut did = format!("installed {} {}", plugin.name, plugin.version);
        if !grant.reads.is_empty() {
            did.push_str(&format!(", which may read {}", list(&grant.reads)));
        }
        if !assigned.is_empty() {
            did.push_str(&format!(", and made it the source of {}", list(assigned)));
        }
        let mut summary = ChangeSummary::new(did).capability(&plugin.name).details(details);
        for field in new_fields.iter().chain(assigned).chain(&grant.reads) {
            if !summary.fields.contains(field) {
                summary.fields.push(field.clone());
            }
        }
        summary.details["version"] = json!(plugin.version);
        summary
    }
}

/// Whether an older value came back can be seen by the fingerprint.
fn secret_version(did: String, name: &SecretName, version: &SecretVersion) -> ChangeSummary {
    let SecretVersion { version, fingerprint, .. } = version;
    ChangeSummary::new(format!("{did} (version {version})"))
        .details(json!({ "secret": name, "version": version, "fingerprint": fingerprint }))
}

fn list(names: &[FieldName]) -> String {
    names.iter().map(FieldName::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Grant;
    use samsyn_vocabulary::{Digest, Timestamp, Value};

    fn capability(name: &str) -> CapabilityName {
        CapabilityName::new(name).unwrap()
    }

    #[test]
    fn a_change_reads_as_a_sentence() {
        let field = FieldName::new("country").unwrap();
        let summary =
            RegistryChange::SourceAssigned { field: field.clone(), source: Some(capability("sms")) }
                .summary();
        assert_eq!(summary.did, "made sms the source of country");
        assert_eq!((summary.kind, summary.fields), ("source-assigned", vec![field]));
    }

    #[test]
    fn a_kind_is_the_name_that_stands_in_the_log() {
        let name = FieldName::new("size").unwrap();
        for change in [
            RegistryChange::FieldRemoved { name: name.clone() },
            RegistryChange::SourceAssigned { field: name, source: None },
            RegistryChange::Released { capability: capability("sms") },
            RegistryChange::AdminTokenMade { hash: Digest::of(b"") },
            RegistryChange::EndpointResumed {
                capability: capability("sms"),
                name: samsyn_vocabulary::EndpointName::new("crm").unwrap(),
            },
            RegistryChange::OutgoingResumed {},
            RegistryChange::Many { changes: Vec::new() },
        ] {
            let written = serde_json::to_value(&change).unwrap();
            assert_eq!(written.as_object().unwrap().keys().next().unwrap(), change.kind());
            assert_eq!(change.summary().kind, change.kind());
        }
    }

    #[test]
    fn a_setting_is_told_by_its_name_alone() {
        let settings =
            [("api_key".to_owned(), Some(Value::Text("very secret".into()))), ("limit".to_owned(), None)];
        let change = RegistryChange::SettingsChanged {
            capability: capability("sms"),
            settings: settings.into_iter().collect(),
        };
        let summary = change.summary();
        assert_eq!(summary.did, "set api_key of sms and put limit of sms back to the default");
        assert!(!format!("{summary:?}").contains("secret"));
    }

    #[test]
    fn an_installation_tells_what_it_may_read_and_sources() {
        let manifest = "manifest = 1\n[plugin]\nname = \"sms\"\nversion = \"1.2.0\"\n\
                        owner = \"Messages\"\ndescription = \"Sends\"\n\
                        [sources]\n\"sms.opt_out\" = { type = \"boolean\" }\n[consumes]\nphone = { purposes = [\"service\"] }\n";
        let field = |name| FieldName::new(name).unwrap();
        let change = RegistryChange::Installed {
            digest: Digest::of(b"it"),
            manifest: manifest.to_owned(),
            grant: Grant { reads: vec![field("phone")], ..Grant::default() },
            roles: Vec::new(),
            new_fields: vec![field("sms.opt_out")],
            assigned: vec![field("sms.opt_out")],
            proposed: Vec::new(),
            generation: 1,
            from_start: false,
            deliver_while_catching_up: false,
            at: Timestamp(0),
        };
        let summary = change.summary();
        assert_eq!(
            summary.did,
            "installed sms 1.2.0, which may read phone, and made it the source of sms.opt_out"
        );
        assert_eq!(summary.fields, [field("sms.opt_out"), field("phone")]);
        assert_eq!(summary.details["version"], "1.2.0");
    }
}
