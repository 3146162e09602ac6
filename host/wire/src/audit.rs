//! The audits of reads and of changes, and the heads of the logs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{
    Application, CapabilityName, FieldName, IdentifierName, ProfileId, Reason, Timestamp,
};

/// One read of a customer's personal data. It has names, never values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct AuditedRead {
    /// When the host answered.
    pub at: Lenient<Timestamp>,
    /// The application that read.
    #[schemars(with = "Application")]
    pub by: String,
    /// The name of the token that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The request, such as `GET /v1/profiles/{ref}`.
    pub call: String,
    /// The customer. Absent for a token that may not know customers, such as one with only `audit:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Lenient<ProfileId>>,
    /// The personal fields whose values were shown.
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    /// The identifiers whose values were shown.
    #[schemars(with = "Vec<IdentifierName>")]
    pub identifiers: Vec<String>,
    /// The purpose, if the request had one (`Samsyn-Purpose`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

/// One change of the registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct AuditedChange {
    /// The registry's revision after the change.
    pub revision: u64,
    /// When it happened.
    pub at: Lenient<Timestamp>,
    /// The application that made the change.
    #[schemars(with = "Application")]
    pub by: String,
    /// The kind of change, such as `source-assigned`.
    pub kind: String,
    /// The change in one sentence: by whom, what and why.
    pub sentence: String,
    /// The reason, if one was given.
    #[schemars(with = "Option<Reason>")]
    pub reason: Option<String>,
    /// The fields that it concerns.
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    /// The capabilities that it concerns.
    #[schemars(with = "Vec<CapabilityName>")]
    pub capabilities: Vec<String>,
    /// More about a change of this kind. It never has the value of a setting.
    pub details: BTreeMap<String, serde_json::Value>,
}

/// The heads of the logs. Note them elsewhere, to prove later that nobody rewrote a log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct LogHead {
    /// The line to note.
    pub head: String,
    /// One entry for each log.
    pub logs: Vec<LogPlace>,
}

/// The head of a log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct LogPlace {
    /// Which log: `log`, or `audit` for the audit of reads.
    #[schemars(extend("enum" = ["log", "audit"]))]
    pub log: String,
    /// The length of the log in bytes, up to its last complete record.
    pub offset: u64,
    /// BLAKE3 over the heads of all partitions.
    pub digest: String,
    /// The head of each partition.
    pub partitions: Vec<PartitionHead>,
}

/// The head of a partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PartitionHead {
    /// The partition: a number, `registry` or `identity`.
    pub partition: String,
    /// The sequence of its last record.
    pub seq: u64,
    /// The hash that links that record to all records before it.
    pub chain: String,
}
