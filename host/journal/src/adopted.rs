//! Which registry a partition goes by from here on, and how far everybody in it has come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use samsyn_vocabulary::{CapabilityName, FieldName, ItemPosition, Seq, Timestamp};

/// A partition took a registry revision into use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// From this record on.
    pub revision: Seq,
    /// The partition's cursor.
    pub through: ItemPosition,
    /// The generation of each capability whose claims and memory count.
    pub visible: BTreeMap<CapabilityName, u32>,
    /// Capabilities with a cursor of their own: quarantined, slow or catching up. All others are
    /// live: they move with the partition's cursor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lagging: Vec<Cursor>,
    /// Reassignments whose consumers are not all notified yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<ReassignmentJob>,
    /// When.
    pub at: Timestamp,
}

/// A lagging capability's cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whose.
    pub capability: CapabilityName,
    /// Of which generation.
    pub generation: u32,
    /// Items up to and with this one are decided for it.
    pub through: ItemPosition,
    /// It started from the oldest event; else it was stopped or is slow.
    #[serde(default)]
    pub catching_up: bool,
}

/// Pending notification of consumers after a reassignment; any later record of a customer completes it
/// for that customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReassignmentJob {
    /// The `Adopted` that began it; 0 in that record itself.
    #[serde(default)]
    pub since: Seq,
    /// The registry revision that moved the sources.
    pub revision: Seq,
    /// The fields, as they were before.
    pub fields: Vec<MovedField>,
    /// The generations that counted before, of capabilities where another one does now.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub generations: BTreeMap<CapabilityName, u32>,
}

/// Whose claims were a field's values before a source moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedField {
    /// The field.
    pub field: FieldName,
    /// Its source then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CapabilityName>,
    /// The former sources it inherited from then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<CapabilityName>,
}
