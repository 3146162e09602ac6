//! A manifest requests, the registry grants: what a plug-in may do, what it still wants, and what
//! was taken back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, Properties};
use super::{Capability, Registry, RegistryChange, RegistryError};
use samsyn_vocabulary::{CapabilityName, EndpointName, EventPattern, FieldName, IdentifierName};

/// What of a manifest's requests an administrator granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Fields it may read.
    #[serde(default)]
    pub reads: Vec<FieldName>,
    /// Identifiers it may see.
    #[serde(default)]
    pub identifiers: Vec<IdentifierName>,
    /// Events it may hear.
    #[serde(default)]
    pub hears: Vec<EventPattern>,
    /// Fields it may make claims for. None stands in logs of hosts that didn't ask: all that the
    /// manifest sources. A registry always holds some.
    #[serde(default)]
    pub sources: Option<Vec<FieldName>>,
    /// Endpoints that it may call once they are bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<EndpointName>,
}

impl Default for Grant {
    /// Nothing at all.
    fn default() -> Grant {
        Grant {
            reads: Vec::new(),
            identifiers: Vec::new(),
            hears: Vec::new(),
            sources: Some(Vec::new()),
            calls: Vec::new(),
        }
    }
}

impl Grant {
    /// Everything the manifest asks for.
    pub fn all_of(manifest: &Manifest) -> Grant {
        Grant {
            reads: manifest.consumes.keys().cloned().collect(),
            identifiers: manifest.plugin.identifiers.clone(),
            hears: manifest.subscribes.keys().cloned().collect(),
            sources: Some(manifest.sources.keys().cloned().collect()),
            calls: manifest.calls.keys().cloned().collect(),
        }
    }

    /// Fields it may make claims for.
    pub fn sources(&self) -> &[FieldName] {
        self.sources.as_deref().unwrap_or_default()
    }

    /// The same, with what an older host left open filled in.
    pub(super) fn resolved(mut self, manifest: &Manifest) -> Grant {
        self.sources.get_or_insert_with(|| manifest.sources.keys().cloned().collect());
        self
    }

    /// Whether it allows nothing.
    pub fn is_empty(&self) -> bool {
        self.reads.is_empty()
            && self.identifiers.is_empty()
            && self.hears.is_empty()
            && self.sources().is_empty()
            && self.calls.is_empty()
    }

    /// What is in this grant and not in the other.
    pub fn without(&self, other: &Grant) -> Grant {
        Grant {
            reads: rest(&self.reads, &other.reads),
            identifiers: rest(&self.identifiers, &other.identifiers),
            hears: rest(&self.hears, &other.hears),
            sources: Some(rest(self.sources(), other.sources())),
            calls: rest(&self.calls, &other.calls),
        }
    }

    /// What is in either.
    pub fn with(&self, other: &Grant) -> Grant {
        let more = other.without(self);
        Grant {
            reads: [self.reads.as_slice(), &more.reads].concat(),
            identifiers: [self.identifiers.as_slice(), &more.identifiers].concat(),
            hears: [self.hears.as_slice(), &more.hears].concat(),
            sources: Some([self.sources(), more.sources()].concat()),
            calls: [self.calls.as_slice(), &more.calls].concat(),
        }
    }

    /// Each thing it allows, in words, such as `reading email`.
    pub fn in_words(&self) -> Vec<String> {
        let reads = self.reads.iter().map(|field| format!("reading {field}"));
        let identifiers = self.identifiers.iter().map(|name| format!("seeing the identifier {name}"));
        let hears = self.hears.iter().map(|event| format!("receiving {event}"));
        let sources = self.sources().iter().map(|field| format!("making claims for {field}"));
        let calls = self.calls.iter().map(|name| format!("calling {name}"));
        reads.chain(identifiers).chain(hears).chain(sources).chain(calls).collect()
    }
}

fn rest<T: PartialEq + Clone>(all: &[T], without: &[T]) -> Vec<T> {
    all.iter().filter(|item| !without.contains(item)).cloned().collect()
}

impl Capability {
    /// What its manifest asks for and an administrator took back.
    pub fn withheld(&self) -> Grant {
        Grant::all_of(&self.manifest).without(&self.grant)
    }

    /// What another version asks for beyond what is granted. What was taken back from this one
    /// stays taken back and isn't asked for again; a field that is read for another purpose, an event of
    /// which more is heard, and an endpoint that is called with more methods or repeated more readily are.
    pub fn wants_more(&self, manifest: &Manifest) -> Grant {
        let asked = Grant::all_of(manifest);
        let mut wants = asked.without(&self.grant).without(&self.withheld());
        for field in asked.reads.iter().filter(|field| self.grant.reads.contains(field)) {
            if !new_purposes(&self.manifest, manifest, field).is_empty() {
                wants.reads.push(field.clone());
            }
        }
        for event in asked.hears.iter().filter(|event| self.grant.hears.contains(event)) {
            if hears_more(self.manifest.subscribes.get(event), manifest.subscribes.get(event)) {
                wants.hears.push(event.clone());
            }
        }
        for name in asked.calls.iter().filter(|name| self.grant.calls.contains(name)) {
            let (before, after) = (self.manifest.calls.get(name), manifest.calls.get(name));
            if let (Some(before), Some(after)) = (before, after)
                && after.is_wider_than(before)
            {
                wants.calls.push(name.clone());
            }
        }
        wants
    }
}

/// What a field is read for in one version and wasn't in another.
pub(super) fn new_purposes(before: &Manifest, after: &Manifest, field: &FieldName) -> Vec<String> {
    let purposes = |manifest: &Manifest| manifest.consumes.get(field).map(|is| is.purposes.clone());
    rest(&purposes(after).unwrap_or_default(), &purposes(before).unwrap_or_default())
}

fn hears_more(before: Option<&Properties>, after: Option<&Properties>) -> bool {
    let none = BTreeMap::new();
    let before = before.unwrap_or(&none);
    after.unwrap_or(&none).keys().any(|property| !before.contains_key(property))
}

impl Registry {
    /// What giving and taking back changes. What isn't asked for by the installed version can't be
    /// given, and needn't be taken back.
    pub fn regrant(
        &self,
        capability: CapabilityName,
        give: &Grant,
        take: &Grant,
    ) -> Result<RegistryChange, RegistryError> {
        let unknown = || RegistryError::Unknown { kind: "plugin", name: capability.to_string() };
        let installed = self.capabilities.get(&capability).ok_or_else(unknown)?;
        let beyond = take.without(&Grant::all_of(&installed.manifest));
        if !beyond.is_empty() {
            return Err(RegistryError::NotRequested { capability, what: beyond.in_words() });
        }
        let grant = installed.grant.with(give).without(take);
        Ok(RegistryChange::Granted { capability, grant })
    }

    /// Whether a capability's grant can become this one.
    pub(super) fn check_grant(&self, name: &CapabilityName, grant: &Grant) -> Result<(), RegistryError> {
        let unknown = || RegistryError::Unknown { kind: "plugin", name: name.to_string() };
        let capability = self.capabilities.get(name).ok_or_else(unknown)?;
        let beyond = grant.without(&Grant::all_of(&capability.manifest));
        if !beyond.is_empty() {
            return Err(RegistryError::NotRequested { capability: name.clone(), what: beyond.in_words() });
        }
        if let Some(field) = grant.sources().iter().find(|field| !self.fields.contains_key(*field)) {
            return Err(RegistryError::Unknown { kind: "field", name: field.to_string() });
        }
        let lost = |field: &&FieldName| self.source_of(field.as_str()) == Some(name);
        match capability.grant.without(grant).sources().iter().find(lost) {
            Some(field) => Err(RegistryError::IsSource { capability: name.clone(), field: field.clone() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"
        manifest = 1
        [plugin]
        name = "mail"
        version = "1"
        owner = "Mail"
        description = "Mails"
        identifiers = ["email"]
        [subscribes."order.completed"]
        amount = { type = "decimal" }
        [sources]
        "mail.sent" = { type = "integer" }
        [consumes]
        email = { purposes = ["service"] }
        phone = { purposes = ["service"] }
        [calls.archive]
        reason = "Keeps mails"
        methods = ["PUT"]
    "#;

    fn capability(text: &str, grant: impl FnOnce(Grant) -> Grant) -> Capability {
        let manifest = Manifest::parse(text).unwrap();
        let grant = grant(Grant::all_of(&manifest));
        Capability {
            manifest_text: text.to_owned(),
            manifest,
            digest: samsyn_vocabulary::Digest::of(b""),
            grant,
            roles: Vec::new(),
            state: crate::CapabilityState::Active,
            generation: 1,
            from_start: false,
            deliver_while_catching_up: false,
            settings: BTreeMap::new(),
            settings_revision: 1,
            since: 1,
            installed_at: samsyn_vocabulary::Timestamp(0),
            pending: None,
            endpoints: BTreeMap::new(),
        }
    }

    fn wants(installed: &Capability, from: &str, to: &str) -> Vec<String> {
        assert!(BEFORE.contains(from), "{from}");
        installed.wants_more(&Manifest::parse(&BEFORE.replacen(from, to, 1)).unwrap()).in_words()
    }

    #[test]
    fn only_more_is_asked_for() {
        let installed = capability(BEFORE, |grant| grant);
        assert_eq!(wants(&installed, "version = \"1\"", "version = \"2\""), [""; 0]);
        assert_eq!(wants(&installed, "phone = { purposes = [\"service\"] }", ""), [""; 0]);
        for (from, to, asked) in [
            ("[\"email\"]", "[\"email\", \"phone\"]", "seeing the identifier phone"),
            ("[consumes]", "[consumes]\ncountry = { purposes = [\"tax\"] }", "reading country"),
            (
                "email = { purposes = [\"service\"]",
                "email = { purposes = [\"service\", \"ads\"]",
                "reading email",
            ),
            ("[sources]", "[subscribes.\"order.*\"]\n[sources]", "receiving order.*"),
            ("amount =", "note = { type = \"text\" }\namount =", "receiving order.completed"),
            (
                "[sources]",
                "[sources]\n\"mail.opened\" = { type = \"integer\" }",
                "making claims for mail.opened",
            ),
            ("[\"PUT\"]", "[\"PUT\", \"DELETE\"]", "calling archive"),
            ("[\"PUT\"]", "[\"PUT\"]\nrepeat = \"safe\"", "calling archive"),
            ("[\"PUT\"]", "[\"PUT\"]\n[calls.crm]\nreason = \"x\"\nmethods = [\"GET\"]", "calling crm"),
        ] {
            assert_eq!(wants(&installed, from, to), [asked], "{to}");
        }
    }

    #[test]
    fn what_was_taken_back_stays_so_and_isnt_asked_for_again() {
        let installed = capability(BEFORE, |grant| {
            let email = Grant { reads: vec![FieldName::new("email").unwrap()], ..Grant::default() };
            grant.without(&email)
        });
        assert_eq!(installed.withheld().in_words(), ["reading email"]);
        assert_eq!(wants(&installed, "version = \"1\"", "version = \"2\""), [""; 0]);
    }

    #[test]
    fn an_older_hosts_grant_makes_claims_for_all_the_manifest_sources() {
        let manifest = Manifest::parse(BEFORE).unwrap();
        let old: Grant =
            serde_json::from_str(r#"{"reads": ["email"], "identifiers": [], "hears": []}"#).unwrap();
        assert_eq!(old.resolved(&manifest).sources(), [FieldName::new("mail.sent").unwrap()]);
        let none: Grant = serde_json::from_str(r#"{"sources": []}"#).unwrap();
        assert_eq!(none.resolved(&manifest).sources(), [""; 0].map(|_: &str| FieldName::new("x").unwrap()));
    }
}
