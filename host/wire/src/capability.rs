//! Installed plug-ins, and what installing one would change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CapabilityEndpoint, JsonValue, Lenient, PlannedCall};
use samsyn_contract::{DataClass, SettingType};
use samsyn_registry::VersionChange;
use samsyn_vocabulary::{
    Application, CapabilityName, Digest, EndpointName, EventName, EventPattern, FieldName, IdentifierName,
    Reason, Role, Timestamp, Type,
};

/// An installed plug-in.
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
    /// Whether it runs: its state.
    #[schemars(extend("enum" = ["active", "catching-up", "quarantined"]))]
    pub state: String,
    /// The reason for its quarantine.
    pub reason: Option<String>,
    /// The number of times it was installed from the oldest event on.
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
    /// The systems that its manifest requests to call.
    pub endpoints: Vec<CapabilityEndpoint>,
    /// What it is granted.
    pub grant: Grant,
    /// What it requests and was revoked.
    pub withheld: Grant,
    /// An upgrade that waits for approval, because it requests more than is granted.
    pub pending: Option<Pending>,
    /// Records that it has not processed yet.
    pub lag: u64,
    /// Parked invocations, which wait for an administrator.
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

/// What a capability may do.
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
    /// Events it may receive.
    #[serde(default)]
    #[schemars(with = "Vec<EventPattern>")]
    pub hears: Vec<String>,
    /// Fields it may make claims for.
    #[serde(default)]
    #[schemars(!default)]
    #[schemars(with = "Vec<FieldName>")]
    pub sources: Vec<String>,
    /// Endpoints it may call, once they are bound.
    #[serde(default)]
    #[schemars(!default)]
    #[schemars(with = "Vec<EndpointName>")]
    pub calls: Vec<String>,
}

/// An upgrade that waits for approval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Pending {
    pub version: String,
    #[schemars(with = "Digest")]
    pub digest: String,
    /// True: it would start from the oldest event.
    pub from_start: bool,
    /// What it requests beyond what is granted.
    pub wants: Grant,
    /// When it was uploaded.
    pub at: Lenient<Timestamp>,
    /// Set if an administrator has rejected the same component before.
    pub rejected: Option<Rejection>,
}

/// The rejection of a component by an administrator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Rejection {
    /// The registry's revision of the rejection.
    pub revision: u64,
    /// The application that rejected it.
    #[schemars(with = "Application")]
    pub by: String,
    /// When.
    pub at: Lenient<Timestamp>,
    /// The reason, if one was given.
    #[schemars(with = "Option<Reason>")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Setting<'a> {
    pub name: String,
    #[serde(rename = "type")]
    #[schemars(with = "SettingType")]
    pub kind: String,
    pub default: JsonValue<'a>,
    pub value: JsonValue<'a>,
    pub description: String,
}

/// The changes that installing a component makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct InstallPlan {
    /// The capability.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// The version of the component.
    pub version: String,
    /// The component's digest.
    #[schemars(with = "Digest")]
    pub digest: String,
    /// The kind of change, compared with the version that is installed.
    #[schemars(with = "VersionChange")]
    pub change: String,
    /// The version that is installed.
    pub before: Option<InstalledVersion>,
    /// Set if an administrator has rejected the same component as an upgrade.
    pub rejected: Option<Rejection>,
    /// Events it would receive.
    #[schemars(with = "Vec<EventPattern>")]
    pub hears: Vec<String>,
    /// Fields of others it would read.
    pub reads: Vec<PlannedRead>,
    /// Identifiers it would see.
    pub identifiers: Vec<PlannedIdentifier>,
    /// Fields it would make claims for.
    pub sources: Vec<PlannedSource>,
    /// Endpoints it would call, once they are bound.
    pub calls: Vec<PlannedCall>,
    /// Events it may emit.
    #[schemars(with = "Vec<EventName>")]
    pub emits: Vec<String>,
    /// Its settings.
    pub settings: Vec<PlannedSetting>,
    /// What an upgrade requests beyond what is granted. If this isn't empty, it waits for approval.
    pub wants: Grant,
    /// What the manifest requests and an administrator revoked. It stays revoked.
    pub withheld: Grant,
    /// What an administrator should know before installing it.
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
    /// The version.
    pub version: String,
    /// The component's digest.
    #[schemars(with = "Digest")]
    pub digest: String,
}

/// A field that it would read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedRead {
    /// The field.
    #[schemars(with = "FieldName")]
    pub field: String,
    /// The data class; null for a field that the dictionary doesn't have.
    #[schemars(with = "Option<DataClass>")]
    pub class: Option<String>,
    /// True: the field is an opt-out.
    pub protective: bool,
    /// The identifier that the field's value is.
    #[schemars(with = "Option<IdentifierName>")]
    pub identifies: Option<String>,
    /// Set if the field is deprecated: what to use instead.
    pub deprecated: Option<String>,
    /// The purposes of reading it.
    pub purposes: Vec<String>,
    /// True: it could not read the field before.
    pub new: bool,
    /// The purposes that are new.
    pub new_purposes: Vec<String>,
}

/// An identifier that it would see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedIdentifier {
    /// The identifier.
    #[schemars(with = "IdentifierName")]
    pub name: String,
    /// True: it could not see the identifier before.
    pub new: bool,
}

/// A field that it would make claims for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedSource {
    /// The field.
    #[schemars(with = "FieldName")]
    pub field: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schemars(with = "Type")]
    pub kind: String,
    /// The data class.
    #[schemars(with = "DataClass")]
    pub class: String,
    /// True: the field is an opt-out.
    pub protective: bool,
    /// The identifier that the field's value is.
    #[schemars(with = "Option<IdentifierName>")]
    pub identifies: Option<String>,
    /// Set if the field is deprecated: what to use instead.
    pub deprecated: Option<String>,
    /// The source now.
    #[schemars(with = "Option<CapabilityName>")]
    pub now: Option<String>,
    /// Other plug-ins that make claims for it.
    #[schemars(with = "Vec<CapabilityName>")]
    pub claimed_by: Vec<String>,
    /// While the field waits for acceptance: the plug-in that added it first, and becomes its source.
    #[schemars(with = "Option<CapabilityName>")]
    pub proposed_by: Option<String>,
    /// Whether this plug-in becomes the source. If not, it only makes claims.
    pub becomes_source: bool,
    /// Whether the dictionary doesn't have the field yet.
    pub new_field: bool,
    /// Whether the field waits until an administrator accepts it. Until then it has no source.
    pub proposed: bool,
}

/// A setting of the plug-in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedSetting {
    /// Its name.
    pub name: String,
    /// Its type. The value of a `secret` is the secret's name.
    #[serde(rename = "type")]
    #[schemars(with = "SettingType")]
    pub kind: String,
    /// The default value, as JSON.
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: serde_json::Value,
    /// The value that an administrator set, which stays; null if the default is used.
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
    /// The capability after the change.
    pub capability: Capability<'a>,
    /// The changes. If `pending` is true, they are not made yet.
    pub plan: InstallPlan,
    /// True: it requests more than is granted and waits for approval. The installed version keeps running.
    pub pending: bool,
}
