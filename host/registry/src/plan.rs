//! What installing a plug-in would change, before it does.

use std::fmt;
use std::sync::Arc;

use super::endpoint::{EndpointState, warnings_of_request};
use super::grant::new_purposes;
use super::manifest::{Manifest, Setting, Sourced};
use super::version::{InstalledVersion, VersionChange};
use super::{
    Capability, DataClass, Field, FieldStatus, Grant, Registry, RegistryChange, RegistryError, SettingType,
};
use samsyn_contract::calls::CallRequest;
use samsyn_vocabulary::{
    Application, CapabilityName, Digest, EndpointName, EventName, EventPattern, FieldName, IdentifierName,
    Reason, Role, Seq, Timestamp, Type, Value,
};

/// What installing a component would do.
#[derive(Clone, Debug)]
pub struct InstallPlan {
    /// The capability.
    pub capability: CapabilityName,
    /// The version it would become.
    pub version: String,
    /// The component.
    pub digest: Digest,
    /// What it is, seen from the version that is installed.
    pub change: VersionChange,
    /// The version that is installed.
    pub before: Option<InstalledVersion>,
    /// Set when an administrator rejected this very component as an upgrade.
    pub rejected: Option<Rejection>,
    /// Events it would hear.
    pub hears: Vec<EventPattern>,
    /// Fields of others it would read.
    pub reads: Vec<PlannedRead>,
    /// Identifiers it would see.
    pub identifiers: Vec<PlannedIdentifier>,
    /// Fields it would make claims for.
    pub sources: Vec<PlannedSource>,
    /// Events it may emit.
    pub emits: Vec<EventName>,
    /// What an administrator could set.
    pub settings: Vec<PlannedSetting>,
    /// Systems it would call, once they are bound.
    pub calls: Vec<PlannedCall>,
    /// What an upgrade asks for beyond what is granted: it waits for an administrator's approval.
    pub wants: Grant,
    /// What the manifest asks for and an administrator took back: it stays so.
    pub withheld: Grant,
    /// What an administrator should know first.
    pub warnings: Vec<String>,
}

/// An administrator's no to a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The registry's revision that says so.
    pub revision: Seq,
    /// The application that rejected it.
    pub by: Application,
    /// When.
    pub at: Timestamp,
    /// Why, when they said so.
    pub reason: Option<Reason>,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rejection { revision, by, at, reason } = self;
        write!(f, "{by} rejected this component before, at {at} (revision {revision})")?;
        reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// A field it would read.
#[derive(Clone, Debug)]
pub struct PlannedRead {
    /// Which.
    pub field: FieldName,
    /// How personal it is; none of a field that the dictionary doesn't have.
    pub class: Option<DataClass>,
    /// It is an opt-out.
    pub protective: bool,
    /// The identifier that its value is.
    pub identifies: Option<IdentifierName>,
    /// Set when it should no longer be used: what to use instead.
    pub deprecated: Option<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// Whether it could not before.
    pub new: bool,
    /// Those of the purposes that it wasn't read for before.
    pub new_purposes: Vec<String>,
}

/// An identifier it would see.
#[derive(Clone, Debug)]
pub struct PlannedIdentifier {
    /// Which.
    pub name: IdentifierName,
    /// Whether it could not before.
    pub new: bool,
}

/// A field it would make claims for.
#[derive(Clone, Debug)]
pub struct PlannedSource {
    /// Which.
    pub field: FieldName,
    /// Its type.
    pub kind: Type,
    /// How personal it is.
    pub class: DataClass,
    /// It is an opt-out.
    pub protective: bool,
    /// The identifier that its value is.
    pub identifies: Option<IdentifierName>,
    /// Set when it should no longer be used: what to use instead.
    pub deprecated: Option<String>,
    /// Its source today.
    pub now: Option<CapabilityName>,
    /// Other plug-ins that make claims for it.
    pub claimed_by: Vec<CapabilityName>,
    /// While it waits to be accepted: the plug-in that brought it first, and becomes its source then.
    pub proposed_by: Option<CapabilityName>,
    /// Whether this plug-in is its source afterwards; otherwise it only makes claims.
    pub becomes_source: bool,
    /// Whether the dictionary doesn't have the field yet.
    pub new_field: bool,
    /// Whether the field waits for an administrator to accept it; until then it has no source.
    pub proposed: bool,
}

/// Something an administrator could set.
#[derive(Clone, Debug)]
pub struct PlannedSetting {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: SettingType,
    /// Its value until somebody sets one, as JSON.
    pub default: Option<serde_json::Value>,
    /// What an administrator set, which stays; none is the default.
    pub value: Option<serde_json::Value>,
    /// What it does.
    pub description: String,
}

/// An endpoint it would call.
#[derive(Clone, Debug)]
pub struct PlannedCall {
    /// Its name.
    pub name: EndpointName,
    /// What its manifest says of it.
    pub request: CallRequest,
    /// Whether it is new, or asks for more than before.
    pub new: bool,
    /// What can be done with it right after.
    pub state: EndpointState,
}

impl PlannedSetting {
    fn of(
        registry: &Registry,
        manifest: &Manifest,
        (name, setting): (&String, &Setting),
        installed: Option<&Capability>,
    ) -> PlannedSetting {
        let set = installed.and_then(|installed| installed.settings.get(name));
        PlannedSetting {
            name: name.clone(),
            kind: setting.kind,
            default: setting.default.as_ref().map(Value::to_json),
            // What has another type in the new version goes back to its default.
            value: set.filter(|value| registry.keeps_setting(manifest, name, value)).map(Value::to_json),
            description: setting.description.clone(),
        }
    }

    /// The setting as it would be: `limit = 7 (set)`.
    fn in_words(&self) -> String {
        let shown = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match (&self.value, &self.default) {
            (Some(set), _) => format!("{} = {} (set)", self.name, shown(set)),
            (None, Some(default)) => format!("{} = {} (default)", self.name, shown(default)),
            (None, None) => format!("{} isn't set", self.name),
        }
    }
}

impl Field {
    /// Whether the fields that a manifest brings make sense by themselves, in whatever dictionary.
    pub fn check_all_of(manifest: &Manifest) -> Result<(), RegistryError> {
        manifest.sources.iter().try_for_each(|(field, sourced)| {
            let invalid = |why| RegistryError::Invalid { name: field.to_string(), why };
            Field::brought_by(manifest, sourced).check().map_err(invalid)
        })
    }
}

impl Registry {
    /// Plans an install: checks the manifest against the dictionary and says what would change.
    /// `accept` makes fields that it brings defined ones at once.
    pub fn plan_install(
        &self,
        manifest: &Manifest,
        digest: Digest,
        accept: bool,
    ) -> Result<InstallPlan, RegistryError> {
        let name = &manifest.plugin.name;
        let installed = self.capabilities.get(name).map(Arc::as_ref);
        for identifier in &manifest.plugin.identifiers {
            if !self.identifiers.contains_key(identifier) {
                return Err(RegistryError::Unknown { kind: "identifier", name: identifier.to_string() });
            }
        }
        let asked = Grant::all_of(manifest);
        let granted = installed.map(|installed| installed.grant.clone()).unwrap_or_default();
        let wants = installed.map_or_else(|| asked.clone(), |installed| installed.wants_more(manifest));
        let withheld = asked.without(&granted).without(&wants);
        let mut sources = Vec::new();
        Field::check_all_of(manifest)?;
        for (field, sourced) in &manifest.sources {
            let may = !withheld.sources().contains(field);
            sources.push(self.plan_source(name, field, sourced, accept, may)?);
        }
        let reads = manifest.consumes.iter().map(|(field, consumed)| {
            let known = self.fields.get(field);
            PlannedRead {
                field: field.clone(),
                class: known.map(|known| known.class),
                protective: known.is_some_and(|known| known.protective),
                identifies: known.and_then(|known| known.identifies.clone()),
                deprecated: known.and_then(|known| known.deprecated.clone()),
                purposes: consumed.purposes.clone(),
                new: wants.reads.contains(field) && !granted.reads.contains(field),
                new_purposes: match installed {
                    None => consumed.purposes.clone(),
                    Some(installed) => new_purposes(&installed.manifest, manifest, field),
                },
            }
        });
        let identifiers = manifest
            .plugin
            .identifiers
            .iter()
            .map(|name| PlannedIdentifier { name: name.clone(), new: wants.identifiers.contains(name) });
        let kept: Vec<EndpointName> = installed
            .map(|installed| installed.endpoints_under(manifest).map(|(name, _)| name).collect())
            .unwrap_or_default();
        let calls = manifest.calls.iter().map(|(name, request)| PlannedCall {
            name: name.clone(),
            request: request.clone(),
            new: wants.calls.contains(name),
            state: match installed.map(|installed| installed.endpoint_state(name)) {
                _ if withheld.calls.contains(name) => EndpointState::Revoked,
                Some(state) if kept.contains(name) => state,
                _ => EndpointState::Requested,
            },
        });
        let calls: Vec<PlannedCall> = calls.collect();
        let mut warnings = self.warnings(manifest, &sources);
        warnings.extend(warnings_of_request(self, manifest, &asked.without(&withheld)));
        warnings.extend(installed.into_iter().flat_map(|installed| dropped_endpoints(installed, &kept)));
        let before = installed.map(InstalledVersion::of);
        let settings =
            manifest.settings.iter().map(|setting| PlannedSetting::of(self, manifest, setting, installed));
        Ok(InstallPlan {
            capability: name.clone(),
            version: manifest.plugin.version.clone(),
            digest,
            change: VersionChange::of(before.as_ref(), digest, &manifest.plugin.version),
            before,
            rejected: None,
            hears: manifest.subscribes.keys().cloned().collect(),
            reads: reads.collect(),
            identifiers: identifiers.collect(),
            warnings,
            calls,
            sources,
            emits: manifest.emits.keys().cloned().collect(),
            settings: settings.collect(),
            wants: if installed.is_some() { wants } else { Grant::default() },
            withheld,
        })
    }

    /// Settings that held a secret in clear and name one from this version on.
    fn warn_of_clear_text<'a>(&'a self, manifest: &'a Manifest) -> impl Iterator<Item = String> + 'a {
        let name = &manifest.plugin.name;
        let installed = self.capabilities.get(name);
        let becomes = manifest.settings.iter().filter(move |(setting, is)| {
            let set = installed.and_then(|installed| installed.settings.get(*setting));
            is.kind.is_secret() && set.is_some_and(|set| !self.keeps_setting(manifest, setting, set))
        });
        becomes.map(move |(setting, _)| {
            format!(
                "the setting {setting} names a secret from now on: what is set now is not taken over, and stays \
                 readable in the log and in backups; so make a new one at its issuer, set it with `samsyn secret \
                 set NAME`, then `samsyn plugin set {name} {setting}=NAME`"
            )
        })
    }

    fn warnings(&self, manifest: &Manifest, sources: &[PlannedSource]) -> Vec<String> {
        let mut warnings: Vec<String> = self.warn_of_clear_text(manifest).collect();
        for field in manifest.consumes.keys() {
            match self.fields.get(field) {
                None => warnings.push(format!("reads {field}, which no plug-in has added yet")),
                Some(known) => {
                    let note = known.deprecated.as_ref();
                    warnings.extend(note.map(|note| format!("reads {field}, which is deprecated: {note}")));
                }
            }
        }
        for PlannedSource {
            field, new_field, proposed, proposed_by, claimed_by, now, becomes_source, ..
        } in sources
        {
            let name = &manifest.plugin.name;
            if *becomes_source && now.is_none() && !claimed_by.is_empty() {
                warnings.push(format!(
                    "{name} becomes the source of {field}, because it has none; {}",
                    claim_it_too(claimed_by)
                ));
            }
            if let Some(by) = proposed_by {
                warnings.push(format!(
                    "{field} waits for `samsyn field accept {field}`; {by} then becomes its source, \
                    because it added the field first"
                ));
            } else if *proposed {
                warnings.push(format!(
                    "{field} waits for `samsyn field accept {field}`: until then only admins see its values"
                ));
            } else if *new_field {
                warnings.push(format!("{field} is accepted as it is: nobody defined it before"));
            }
        }
        let name = &manifest.plugin.name;
        let others = sources.iter().filter(|source| source.now.as_ref().is_some_and(|now| now != name));
        let others: Vec<&str> = others.map(|source| source.field.as_str()).collect();
        if !others.is_empty() {
            warnings.push(format!(
                "{name} only makes claims for {}; `samsyn field assign {} {name}` makes it the source",
                others.join(", "),
                others.join(" ")
            ));
        }
        let dropped = |field: &&FieldName| {
            self.source_of(field.as_str()) == Some(&manifest.plugin.name)
                && !manifest.sources.contains_key(*field)
        };
        for field in self.fields.keys().filter(dropped) {
            warnings.push(format!(
                "no longer makes claims for {field}, and is its source: the values no longer change"
            ));
        }
        warnings
    }

    fn plan_source(
        &self,
        capability: &CapabilityName,
        field: &FieldName,
        sourced: &Sourced,
        accept: bool,
        may: bool,
    ) -> Result<PlannedSource, RegistryError> {
        let known = self.fields.get(field);
        match known {
            Some(known) => agree(field, known, sourced)?,
            None => self.check_kind(field, sourced.kind)?,
        }
        if let (None, Some(identifier)) = (known, &sourced.identifies)
            && !self.identifiers.contains_key(identifier)
        {
            return Err(RegistryError::Unknown { kind: "identifier", name: identifier.to_string() });
        }
        let now = known.and_then(|known| known.source.clone());
        let proposed = !accept && known.is_none_or(|known| !known.status.is_defined());
        let others = self
            .capabilities
            .iter()
            .filter(|(name, is)| *name != capability && is.grant.sources().contains(field));
        let bringer = known.and_then(|known| match &known.status {
            FieldStatus::Proposed { by } if proposed && by != capability => Some(by.clone()),
            _ => None,
        });
        Ok(PlannedSource {
            field: field.clone(),
            kind: sourced.kind,
            class: known.map_or(sourced.class, |known| known.class),
            protective: known.map_or(sourced.protective, |known| known.protective),
            identifies: known.map_or(&sourced.identifies, |known| &known.identifies).clone(),
            deprecated: known.and_then(|known| known.deprecated.clone()),
            claimed_by: others.map(|(name, _)| name.clone()).collect(),
            proposed_by: bringer,
            becomes_source: may && !proposed && now.as_ref().is_none_or(|now| now == capability),
            new_field: known.is_none(),
            proposed,
            now,
        })
    }
}

/// Says which bindings an upgrade ends.
fn dropped_endpoints(installed: &Capability, kept: &[EndpointName]) -> Option<String> {
    let gone = installed.endpoints.keys().filter(|name| !kept.contains(name));
    let gone: Vec<&str> = gone.map(EndpointName::as_str).collect();
    (!gone.is_empty())
        .then(|| format!("no longer requests {} as it is bound: the binding is removed", gone.join(", ")))
}

/// `crm claims it too`, `crm and sms claim it too`.
fn claim_it_too(names: &[CapabilityName]) -> String {
    let names: Vec<&str> = names.iter().map(CapabilityName::as_str).collect();
    match names.split_last() {
        None => String::new(),
        Some((one, [])) => format!("{one} also makes claims"),
        Some((last, others)) => format!("{} and {last} also make claims", others.join(", ")),
    }
}

/// Both sides of a disagreement between dictionary and manifest. What the manifest leaves out is
/// the dictionary's to say; nor may the manifest take for harmless what the dictionary doesn't.
fn agree(field: &FieldName, known: &Field, sourced: &Sourced) -> Result<(), RegistryError> {
    let sides = |dictionary: String, manifest: String| Some((dictionary, manifest));
    let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let conflict = if known.kind != sourced.kind {
        sides(known.kind.to_string(), sourced.kind.to_string())
    } else if !known.one_of.is_empty() && sourced.one_of.iter().any(|text| !known.one_of.contains(text)) {
        sides(format!("one of {:?}", known.one_of), format!("one of {:?}", sourced.one_of))
    } else if sourced.schema.is_some() && known.schema.is_some() && sourced.schema != known.schema {
        sides(format!("of the schema {:?}", known.schema), format!("of the schema {:?}", sourced.schema))
    } else if sourced.unit.is_some() && sourced.unit != known.unit {
        sides(
            format!("in the unit {}", optional(&known.unit)),
            format!("in the unit {}", optional(&sourced.unit)),
        )
    } else if sourced.class > known.class {
        sides(format!("of the class {}", known.class), format!("of the class {}", sourced.class))
    } else if sourced.identifies.is_some() && sourced.identifies != known.identifies {
        let name = |identifies: &Option<IdentifierName>| match identifies {
            Some(identifier) => format!("by {identifier}"),
            None => "nobody".to_owned(),
        };
        sides(
            format!("identifying {}", name(&known.identifies)),
            format!("identifying {}", name(&sourced.identifies)),
        )
    } else if sourced.protective && !known.protective {
        sides("not protective".to_owned(), "protective".to_owned())
    } else if sourced.compare.is_some_and(|compare| compare != known.compare) {
        sides(
            format!("compared {}", known.compare),
            format!("compared {}", sourced.compare.unwrap_or_default()),
        )
    } else {
        None
    };
    match conflict {
        None => Ok(()),
        Some((dictionary, manifest)) => {
            Err(RegistryError::FieldConflict { field: field.clone(), dictionary, manifest })
        }
    }
}

impl InstallPlan {
    /// Says that an administrator rejected this very component.
    pub fn note_rejection(&mut self, rejected: Rejection) {
        self.warnings.insert(0, rejected.to_string());
        self.rejected = Some(rejected);
    }

    /// Says with which settings it hears what happened before it was there: with those of now.
    pub fn note_start(&mut self) {
        if self.settings.is_empty() {
            return;
        }
        let settings: Vec<String> = self.settings.iter().map(PlannedSetting::in_words).collect();
        self.warnings.push(format!(
            "it receives events from the oldest on, with its settings as they are now, not as they were then: {}",
            settings.join(", ")
        ));
    }

    /// Whether an administrator has to approve it first.
    pub fn needs_approval(&self) -> bool {
        !self.wants.is_empty()
    }

    /// The one registry change that carries the plan out.
    pub fn change(&self, manifest: &Manifest, install: Install) -> RegistryChange {
        let fields = |wanted: fn(&PlannedSource) -> bool| {
            self.sources.iter().filter(|is| wanted(is)).map(|is| is.field.clone()).collect()
        };
        RegistryChange::Installed {
            digest: self.digest,
            manifest: install.manifest_text,
            grant: Grant::all_of(manifest).without(&self.withheld),
            roles: install.roles,
            new_fields: fields(|is| is.new_field),
            proposed: fields(|is| is.new_field && is.proposed),
            assigned: fields(|is| is.becomes_source),
            generation: install.generation,
            from_start: install.from_start,
            deliver_while_catching_up: install.deliver_while_catching_up,
            at: install.at,
        }
    }
}

/// How a plan is carried out.
#[derive(Clone, Debug)]
pub struct Install {
    /// The manifest's text.
    pub manifest_text: String,
    /// The roles the component exports.
    pub roles: Vec<Role>,
    /// The generation that will run.
    pub generation: u32,
    /// It starts from the oldest event.
    pub from_start: bool,
    /// What it emits meanwhile is delivered.
    pub deliver_while_catching_up: bool,
    /// Now.
    pub at: Timestamp,
}
