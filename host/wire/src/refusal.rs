//! The list of what capabilities rejected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{Application, CapabilityName, Position, Timestamp};

/// A page of refusals, and how complete the list is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RefusalPage {
    /// The refusals, by partition, in the order of their decisions.
    pub items: Vec<ListedRefusal>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// One position for each partition. All capabilities have decided the events up to this position. Later
    /// events may still be rejected.
    pub decided: Vec<Position>,
    /// Whether the token may see every refusal. False: there may be more.
    pub shows_all: bool,
}

/// One refusal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ListedRefusal {
    /// The event's id.
    pub event: String,
    /// The event's position in the log.
    pub position: Lenient<Position>,
    /// The application that sent it.
    pub application: Option<Lenient<Application>>,
    /// The event's name.
    pub name: String,
    /// The capability that rejected it.
    pub capability: Lenient<CapabilityName>,
    /// The field, if it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A code that stays the same from version to version.
    pub code: String,
    /// A sentence for people. Only for a token that reads everything, for the application that proposed the
    /// field and may propose it, and, if it is about a property, for the application that sent the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The decision's position in the log.
    pub decision: Lenient<Position>,
    /// When it was decided.
    pub decided_at: Lenient<Timestamp>,
}
