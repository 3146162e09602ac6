//! Installed plug-ins, and what installing one would change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{JsonValue, Lenient};
use samsyn_contract::DataClass;
use samsyn_registry::VersionChange;
use samsyn_vocabulary::{
    Application, CapabilityName, Digest, EventName, EventPattern, FieldName, IdentifierName, Reason, Role,
    Timestamp, Type,
};

/// CAPABILITY of docs/http.md.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Capability<'a> {
    #[schemars(with = "CapabilityName")]
    pub name: String,
    pub version: String,
    #[schemars(with = "Digest")]
    pub digest: String,
    pub owner: String,
    pub description: String,
    /// How it is.
    #[schemars(extend("enum" = ["active", "catching-up", "quarantined"]))]
    pub state: String,
    /// Why it is in quarantine.
    pub reason: Option<String>,
    /// Counted up by each catch-up from the start.
    pub generation: u32,
    #[schemars(with = "Vec<Role>")]
    pub roles: Vec<String>,
    #[schemars(with = "Vec<EventPattern>")]
    pub subscribes: Vec<String>,
    #[schemars(with = "Vec<EventName>")]
    pub emits: Vec<String>,
    pub sources: Vec<SourcedField>,
    pub consumes: Vec<ConsumedField>,
    #[schemars(with = "Vec<IdentifierName>")]
    pub identifiers: Vec<String>,
    pub settings: Vec<Setting<'a>>,
    /// What it may do.
    pub grant: Grant,
    /// What it asks for and was taken back.
    pub withheld: Grant,
    /// An upgrade that waits for approval, because it wants more than is granted.
    pub pending: Option<Pending>,
    /// Records it has yet to look at.
    pub lag: u64,
    /// Deliveries that wait for an administrator.
    pub parked: usize,
    pub installed_at: Lenient<Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SourcedField {
    #[schemars(with = "FieldName")]
    pub field: String,
    pub assigned: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ConsumedField {
    #[schemars(with = "FieldName")]
    pub field: String,
    pub purposes: Vec<String>,
    pub notify: bool,
}

/// What of a manifest's requests an administrator granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// Fields it may read.
    #[serde(default)]
    #[schemars(with = "Vec<FieldName>")]
    pub reads: Vec<String>,
    /// Identifiers it may see.
    #[serde(default)]
    #[schemars(with = "Vec<IdentifierName>")]
    pub identifiers: Vec<String>,
    /// Events it may hear.
    #[serde(default)]
    #[schemars(with = "Vec<EventPattern>")]
    pub hears: Vec<String>,
    /// Fields it may make claims for. None stands in logs of hosts that didn't ask: all that the
    /// manifest sources. A registry always holds some.
    #[serde(default)]
    #[schemars(!default)]
    #[schemars(with = "Vec<FieldName>")]
    pub sources: Vec<String>,
}

/// An upgrade that waits for approval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Pending {
    pub version: String,
    #[schemars(with = "Digest")]
    pub digest: String,
    /// It would start from the oldest event.
    pub from_start: bool,
    /// What it asks for beyond what is granted.
    pub wants: Grant,
    /// When it was sent.
    pub at: Lenient<Timestamp>,
    /// Set when an administrator rejected this very component before.
    pub rejected: Option<Rejection>,
}

/// An administrator's no to a component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Rejection {
    /// The registry's revision that says so.
    pub revision: u64,
    /// Who rejected it.
    #[schemars(with = "Application")]
    pub by: String,
    /// When.
    pub at: Lenient<Timestamp>,
    /// Why, when they said so.
    #[schemars(with = "Option<Reason>")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Setting<'a> {
    pub name: String,
    #[serde(rename = "type")]
    #[schemars(with = "Type")]
    pub kind: String,
    pub default: JsonValue<'a>,
    pub value: JsonValue<'a>,
    pub description: String,
}

/// What installing a component would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct InstallPlan {
    /// The capability.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// The version it would become.
    pub version: String,
    /// The component.
    #[schemars(with = "Digest")]
    pub digest: String,
    /// What it is, seen from the version that is installed.
    #[schemars(with = "VersionChange")]
    pub change: String,
    /// The version that is installed.
    pub before: Option<InstalledVersion>,
    /// Set when an administrator rejected this very component as an upgrade.
    pub rejected: Option<Rejection>,
    /// Events it would hear.
    #[schemars(with = "Vec<EventPattern>")]
    pub hears: Vec<String>,
    /// Fields of others it would read.
    pub reads: Vec<PlannedRead>,
    /// Identifiers it would see.
    pub identifiers: Vec<PlannedIdentifier>,
    /// Fields it would make claims for.
    pub sources: Vec<PlannedSource>,
    /// Events it may emit.
    #[schemars(with = "Vec<EventName>")]
    pub emits: Vec<String>,
    /// What an administrator could set.
    pub settings: Vec<PlannedSetting>,
    /// What an upgrade asks for beyond what is granted: it waits for an administrator's approval.
    pub wants: Grant,
    /// What the manifest asks for and an administrator took back: it stays so.
    pub withheld: Grant,
    /// What an administrator should know first.
    pub warnings: Vec<String>,
}

impl InstallPlan {
    /// Whether it is another version of a plug-in that is installed, or other bytes of the same one.
    pub fn is_new_version(&self) -> bool {
        !matches!(self.change.as_str(), "install" | "reinstall")
    }
}

/// A version of a plug-in that is installed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct InstalledVersion {
    /// Its version.
    pub version: String,
    /// Its component.
    #[schemars(with = "Digest")]
    pub digest: String,
}

/// A field it would read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedRead {
    /// Which.
    #[schemars(with = "FieldName")]
    pub field: String,
    /// How personal it is; none of a field that the dictionary doesn't have.
    #[schemars(with = "Option<DataClass>")]
    pub class: Option<String>,
    /// It is an opt-out.
    pub protective: bool,
    /// The identifier that its value is.
    #[schemars(with = "Option<IdentifierName>")]
    pub identifies: Option<String>,
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedIdentifier {
    /// Which.
    #[schemars(with = "IdentifierName")]
    pub name: String,
    /// Whether it could not before.
    pub new: bool,
}

/// A field it would make claims for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedSource {
    /// Which.
    #[schemars(with = "FieldName")]
    pub field: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schemars(with = "Type")]
    pub kind: String,
    /// How personal it is.
    #[schemars(with = "DataClass")]
    pub class: String,
    /// It is an opt-out.
    pub protective: bool,
    /// The identifier that its value is.
    #[schemars(with = "Option<IdentifierName>")]
    pub identifies: Option<String>,
    /// Set when it should no longer be used: what to use instead.
    pub deprecated: Option<String>,
    /// Its source today.
    #[schemars(with = "Option<CapabilityName>")]
    pub now: Option<String>,
    /// Other plug-ins that make claims for it.
    #[schemars(with = "Vec<CapabilityName>")]
    pub claimed_by: Vec<String>,
    /// While it waits to be accepted: the plug-in that brought it first, and becomes its source then.
    #[schemars(with = "Option<CapabilityName>")]
    pub proposed_by: Option<String>,
    /// Whether this plug-in is its source afterwards; otherwise it only makes claims.
    pub becomes_source: bool,
    /// Whether the dictionary doesn't have the field yet.
    pub new_field: bool,
    /// Whether the field waits for an administrator to accept it; until then it has no source.
    pub proposed: bool,
}

/// Something an administrator could set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedSetting {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schemars(with = "Type")]
    pub kind: String,
    /// Its value until somebody sets one, as JSON.
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: serde_json::Value,
    /// What an administrator set, which stays; none is the default.
    #[schemars(with = "Option<serde_json::Value>")]
    pub value: serde_json::Value,
    /// What it does.
    pub description: String,
}

/// A plug-in that was installed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Installed<'a> {
    /// As it is now.
    pub capability: Capability<'a>,
    /// What it changed, or would.
    pub plan: InstallPlan,
    /// It wants more than is granted and waits for approval; what ran before runs on.
    pub pending: bool,
}
