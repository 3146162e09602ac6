//! The answers of docs/http.md about the registry: fields, identifiers, capabilities, plans.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A field of the registry.
#[derive(Debug, Clone, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The values it may have, when they are few.
    #[serde(default)]
    pub one_of: Option<Vec<String>>,
    /// What a value must also be like, as JSON Schema.
    #[serde(default)]
    pub schema: Option<Value>,
    /// What a number counts.
    #[serde(default)]
    pub unit: Option<String>,
    /// What it means.
    #[serde(default)]
    pub description: Option<String>,
    /// Which kind of personal data it is.
    #[serde(default)]
    pub class: Option<String>,
    /// The department that answers for it.
    #[serde(default)]
    pub department: Option<String>,
    /// The identifier that its value is.
    #[serde(default)]
    pub identifies: Option<String>,
    /// Whether it is an opt-out that nothing may turn off by accident.
    #[serde(default)]
    pub protective: bool,
    /// When two claims say the same: `exact`, `caseless` or `digits`.
    #[serde(default)]
    pub compare: Option<String>,
    /// What to use instead, when it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// `defined`, or `proposed` by a plug-in and not accepted yet.
    #[serde(default)]
    pub status: String,
    /// The plug-in that brought it, while it is proposed.
    #[serde(default)]
    pub proposed_by: Option<String>,
    /// The assigned source.
    #[serde(default)]
    pub source: Option<String>,
    /// Former sources whose claims stand in where it has none.
    #[serde(default)]
    pub inherits: Vec<String>,
    /// Capabilities that make claims for it.
    #[serde(default)]
    pub claimed_by: Vec<String>,
    /// Capabilities that read it.
    #[serde(default)]
    pub consumed_by: Vec<String>,
}

/// An identifier of the registry.
#[derive(Debug, Clone, Deserialize)]
pub struct Identifier {
    /// Its name.
    pub name: String,
    /// `exact`, `email` or `phone`.
    #[serde(default)]
    pub normaliser: String,
    /// Which of two wins when they disagree: the greater.
    #[serde(default)]
    pub strength: i64,
    /// The country that phone numbers without a country code are dialled in.
    #[serde(default)]
    pub country: Option<String>,
    /// Values that identify nobody and are refused.
    #[serde(default)]
    pub rejected_values: Vec<String>,
}

/// What an identifier is to be.
#[derive(Debug, Clone, Serialize)]
pub struct IdentifierDefinition {
    /// `exact`, `email` or `phone`.
    pub normaliser: String,
    /// Which of two wins when they disagree: the greater.
    pub strength: u32,
    /// The country that phone numbers without a country code are dialled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Values that identify nobody and are refused; the usual ones when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_values: Option<Vec<String>>,
}

/// An installed plug-in.
#[derive(Debug, Clone, Deserialize)]
pub struct Capability {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// The component's digest.
    #[serde(default)]
    pub digest: String,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// `active`, `catching-up` or `quarantined`.
    #[serde(default)]
    pub state: String,
    /// Why, when it is quarantined.
    #[serde(default)]
    pub reason: Option<String>,
    /// Which generation of its claims is visible.
    #[serde(default)]
    pub generation: u64,
    /// What it can do.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Events it hears.
    #[serde(default)]
    pub subscribes: Vec<String>,
    /// Events it emits.
    #[serde(default)]
    pub emits: Vec<String>,
    /// Fields it makes claims for.
    #[serde(default)]
    pub sources: Vec<Sourced>,
    /// Fields it reads.
    #[serde(default)]
    pub consumes: Vec<Consumed>,
    /// Identifiers it sees.
    #[serde(default)]
    pub identifiers: Vec<CapabilityIdentifier>,
    /// Its settings.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// What its manifest asks for and an administrator took back.
    #[serde(default)]
    pub withheld: Grant,
    /// An upgrade that waits for approval.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// Events it has yet to hear.
    #[serde(default)]
    pub lag: u64,
    /// Deliveries that wait for an administrator.
    #[serde(default)]
    pub parked: u64,
    /// Since when it is there.
    #[serde(default)]
    pub installed_at: Option<String>,
}

/// An identifier that a capability sees: its name, or an object with it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum CapabilityIdentifier {
    /// The name.
    Name(String),
    /// With more about it.
    Object {
        /// The name.
        name: String,
    },
}

impl CapabilityIdentifier {
    /// The identifier's name.
    pub fn name(&self) -> &str {
        match self {
            CapabilityIdentifier::Name(name) | CapabilityIdentifier::Object { name } => name,
        }
    }
}

/// A field a capability makes claims for.
#[derive(Debug, Clone, Deserialize)]
pub struct Sourced {
    /// The field.
    pub field: String,
    /// Whether its claims are the values.
    #[serde(default)]
    pub assigned: bool,
}

/// A field a capability reads.
#[derive(Debug, Clone, Deserialize)]
pub struct Consumed {
    /// The field.
    pub field: String,
    /// The purposes that the manifest gives.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Whether it is told of changes.
    #[serde(default)]
    pub notify: bool,
}

/// A setting of a capability.
#[derive(Debug, Clone, Deserialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// What the manifest says when nobody set it.
    #[serde(default)]
    pub default: Value,
    /// What an administrator set; null for the default.
    #[serde(default)]
    pub value: Value,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
}

/// What an installation would change.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    /// Which capability.
    pub capability: String,
    /// Which version.
    #[serde(default)]
    pub version: String,
    /// The component's digest.
    #[serde(default)]
    pub digest: String,
    /// `install`, `reinstall`, `upgrade`, `downgrade`, `same-version` or `other-version`.
    #[serde(default)]
    pub change: String,
    /// The version that is installed.
    #[serde(default)]
    pub before: Option<InstalledVersion>,
    /// Set when an administrator rejected this very component.
    #[serde(default)]
    pub rejected: Option<Rejection>,
    /// Events it hears.
    #[serde(default)]
    pub hears: Vec<String>,
    /// Fields it reads.
    #[serde(default)]
    pub reads: Vec<PlannedRead>,
    /// Identifiers it sees.
    #[serde(default)]
    pub identifiers: Vec<PlannedIdentifier>,
    /// Fields it makes claims for.
    #[serde(default)]
    pub sources: Vec<PlannedSource>,
    /// Events it emits.
    #[serde(default)]
    pub emits: Vec<String>,
    /// Its settings.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// What an administrator should look at twice.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What an upgrade asks for beyond what is granted.
    #[serde(default)]
    pub wants: Grant,
    /// What it asks for and an administrator took back; it stays so.
    #[serde(default)]
    pub withheld: Grant,
}

impl Plan {
    /// Whether it is another version of a plug-in that is installed, or other bytes of the same one.
    pub fn is_new_version(&self) -> bool {
        !matches!(self.change.as_str(), "install" | "reinstall")
    }
}

/// A version that is installed.
#[derive(Debug, Clone, Deserialize)]
pub struct InstalledVersion {
    /// Its version.
    pub version: String,
    /// Its component.
    #[serde(default)]
    pub digest: String,
}

/// An administrator's no to a component.
#[derive(Debug, Clone, Deserialize)]
pub struct Rejection {
    /// The application that did it.
    pub by: String,
    /// When it happened.
    pub at: String,
    /// Why, when they said so.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a plug-in may do, or asks for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Grant {
    /// Fields of others that it reads.
    pub reads: Vec<String>,
    /// The customer's identifiers that it sees.
    pub identifiers: Vec<String>,
    /// Events it hears.
    pub hears: Vec<String>,
    /// Fields it makes claims for.
    pub sources: Vec<String>,
}

/// An upgrade that waits for approval.
#[derive(Debug, Clone, Deserialize)]
pub struct Pending {
    /// The version it would become.
    #[serde(default)]
    pub version: String,
    /// The component.
    pub digest: String,
    /// What it asks for beyond what is granted.
    #[serde(default)]
    pub wants: Grant,
    /// When it was sent.
    #[serde(default)]
    pub at: Option<String>,
    /// Set when an administrator rejected this very component before.
    #[serde(default)]
    pub rejected: Option<Rejection>,
}

/// What applying a registry file would change, or changed.
#[derive(Debug, Clone, Deserialize)]
pub struct RegistryPlan {
    /// The revision it was planned for, or that it made.
    pub revision: u64,
    /// What changes.
    #[serde(default)]
    pub steps: Vec<RegistryStep>,
    /// Each field that gets another source, with whom that concerns.
    #[serde(default)]
    pub moves: Vec<super::FieldPlan>,
    /// What an administrator should know first.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// One thing that changes.
#[derive(Debug, Clone, Deserialize)]
pub struct RegistryStep {
    /// `add`, `change`, `rename`, `accept`, `remove`, `assign` or `grant`.
    pub action: String,
    /// `field`, `identifier`, `source` or `plugin`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// What of it, from what, to what.
    #[serde(default)]
    pub details: Vec<String>,
}

/// A field that a plug-in wants to read.
#[derive(Debug, Clone, Deserialize)]
pub struct PlannedRead {
    /// The field.
    pub field: String,
    /// How personal it is.
    #[serde(default)]
    pub class: Option<String>,
    /// Whether it is an opt-out.
    #[serde(default)]
    pub protective: bool,
    /// The identifier that its value is.
    #[serde(default)]
    pub identifies: Option<String>,
    /// What to use instead, when it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// The purposes that the manifest gives.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Whether it couldn't read it before.
    #[serde(default)]
    pub new: bool,
    /// Those of the purposes that are new.
    #[serde(default)]
    pub new_purposes: Vec<String>,
}

/// An identifier that a plug-in wants to see.
#[derive(Debug, Clone, Deserialize)]
pub struct PlannedIdentifier {
    /// Its name.
    pub name: String,
    /// Whether it couldn't see it before.
    #[serde(default)]
    pub new: bool,
}

/// A field that a plug-in wants to make claims for.
#[derive(Debug, Clone, Deserialize)]
pub struct PlannedSource {
    /// The field.
    pub field: String,
    /// Its type.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// How personal it is.
    #[serde(default)]
    pub class: Option<String>,
    /// Whether it is an opt-out.
    #[serde(default)]
    pub protective: bool,
    /// The identifier that its value is.
    #[serde(default)]
    pub identifies: Option<String>,
    /// What to use instead, when it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// Other plug-ins that make claims for it.
    #[serde(default)]
    pub claimed_by: Vec<String>,
    /// While it waits for acceptance: the plug-in that brought it first, and becomes its source then.
    #[serde(default)]
    pub proposed_by: Option<String>,
    /// Whose claims are the values now.
    #[serde(default)]
    pub now: Option<String>,
    /// Whether this plug-in's claims become the values.
    #[serde(default)]
    pub becomes_source: bool,
    /// Whether the registry doesn't have the field yet.
    #[serde(default)]
    pub new_field: bool,
    /// Whether the field waits for an administrator to accept it.
    #[serde(default)]
    pub proposed: bool,
}

/// The answer to an installation.
#[derive(Debug, Clone, Deserialize)]
pub struct InstallAnswer {
    /// The capability as it is now.
    pub capability: Capability,
    /// What was changed.
    pub plan: Plan,
    /// It waits for approval, because it wants more than is granted.
    #[serde(default)]
    pub pending: bool,
}
