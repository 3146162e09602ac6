//! What happened to a profile.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DeliveryOutcome, JsonValue, Lenient};
use samsyn_vocabulary::{Position, Timestamp};

/// One decision about a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct TimelineStep<'a> {
    pub position: Lenient<Position>,
    pub decided_at: Lenient<Timestamp>,
    pub cause: String,
    /// An application's event, one that a capability emitted, changed values, or a delivery that ran
    /// again.
    #[schemars(extend("enum" = ["event", "emitted", "change", "assignment", "offered", "retry"]))]
    pub kind: Cow<'a, str>,
    pub event: Option<EventHead<'a>>,
    pub proposed: Vec<Cow<'a, str>>,
    pub changes: Vec<ValueChange<'a>>,
    pub outcomes: Vec<DeliveryOutcome<'a>>,
}

/// Some steps, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Timeline<'a> {
    pub items: Vec<TimelineStep<'a>>,
    /// Where the next one starts; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// On the last page, when older steps have left the log by retention: when the oldest record that
    /// is kept was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_retained: Option<Lenient<Timestamp>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EventHead<'a> {
    pub id: Cow<'a, str>,
    pub name: Cow<'a, str>,
    pub at: Lenient<Timestamp>,
    pub application: Option<Cow<'a, str>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ValueChange<'a> {
    pub field: Cow<'a, str>,
    pub before: JsonValue<'a>,
    pub after: JsonValue<'a>,
}
