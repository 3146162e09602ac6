//! What capabilities refused of events, as a list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{Application, CapabilityName, Position, Timestamp};

/// A page of refusals, and what they are all of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RefusalPage {
    /// They, by partition and in the order they were decided.
    pub items: Vec<ListedRefusal>,
    /// Where the next page starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// For each partition: events up to this position are decided by every capability. Refusals of
    /// later ones may follow.
    pub decided: Vec<Position>,
    /// Whether the token may see every refusal: with false there may be others.
    pub shows_all: bool,
}

/// One refusal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ListedRefusal {
    /// The event's id.
    pub event: String,
    /// Where the event stands.
    pub position: Lenient<Position>,
    /// Who sent it.
    pub application: Option<Lenient<Application>>,
    /// What it is called.
    pub name: String,
    /// Who refused.
    pub capability: Lenient<CapabilityName>,
    /// The field it concerns, when it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A stable code.
    pub code: String,
    /// A sentence, for who may propose the field and proposed it, of an unfit property for who sent it,
    /// and for a token that reads everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where the decision stands.
    pub decision: Lenient<Position>,
    /// When it was made.
    pub decided_at: Lenient<Timestamp>,
}
