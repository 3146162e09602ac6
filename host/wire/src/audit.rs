//! Who read what, who changed what, and where the logs stand.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{
    Application, CapabilityName, FieldName, IdentifierName, ProfileId, Reason, Timestamp,
};

/// One read of somebody's personal data, as it is told. Names only, never a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct AuditedRead {
    /// When the answer was made.
    pub at: Lenient<Timestamp>,
    /// The application that read.
    #[schemars(with = "Application")]
    pub by: String,
    /// The token it used, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Which call, such as `GET /v1/profiles/{ref}`.
    pub call: String,
    /// Whose data. Left out for a token that may not know of customers, such as one of `audit:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Lenient<ProfileId>>,
    /// The personal fields whose values the answer shows.
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    /// The identifiers whose values it shows.
    #[schemars(with = "Vec<IdentifierName>")]
    pub identifiers: Vec<String>,
    /// What for, if the caller said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// One change as it is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct AuditedChange {
    /// The registry's revision it made.
    pub revision: u64,
    /// When it happened.
    pub at: Lenient<Timestamp>,
    /// The application that did it.
    #[schemars(with = "Application")]
    pub by: String,
    /// What kind of change, such as `source-assigned`.
    pub kind: String,
    /// Who did what and why, in one plain sentence.
    pub sentence: String,
    /// Why, when they said so.
    #[schemars(with = "Option<Reason>")]
    pub reason: Option<String>,
    /// The fields it is about.
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    /// The capabilities it is about.
    #[schemars(with = "Vec<CapabilityName>")]
    pub capabilities: Vec<String>,
    /// What else there is to know of a change of this kind; never what a setting was set to.
    pub details: BTreeMap<String, serde_json::Value>,
}

/// What to note elsewhere, to prove later that nothing was rewritten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct LogHead {
    /// The one line to note.
    pub head: String,
    /// Each log.
    pub logs: Vec<LogPlace>,
}

/// Where a log stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct LogPlace {
    /// `log`, or `audit`: who read what.
    #[schemars(extend("enum" = ["log", "audit"]))]
    pub log: String,
    /// Bytes of it that count.
    pub offset: u64,
    /// BLAKE3 over the heads of all partitions.
    pub digest: String,
    /// Each partition's head.
    pub partitions: Vec<PartitionHead>,
}

/// Where a partition stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PartitionHead {
    /// A number, `registry` or `identity`.
    pub partition: String,
    /// Its last record.
    pub seq: u64,
    /// That record's link to all before it.
    pub chain: String,
}
