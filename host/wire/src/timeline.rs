//! What happened to a profile.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DeliveryOutcome, JsonValue, Lenient};
use samsyn_vocabulary::{CapabilityName, Position, Timestamp};

/// One decision about a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct TimelineStep<'a> {
    pub position: Lenient<Position>,
    pub decided_at: Lenient<Timestamp>,
    pub cause: String,
    /// What was decided: an application's event, an event that a capability emitted, changed values, a timer that
    /// was due, an answer to a call, or an invocation that ran again.
    #[schemars(extend("enum" = ["event", "emitted", "change", "assignment", "offered", "timer", "answer", "doubt", "retry"]))]
    pub kind: Cow<'a, str>,
    pub event: Option<EventHead<'a>>,
    pub proposed: Vec<Cow<'a, str>>,
    pub changes: Vec<ValueChange<'a>>,
    pub outcomes: Vec<DeliveryOutcome<'a>>,
    /// The timer that was due; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerStep<'a>>,
    /// The call that was answered; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallStep<'a>>,
}

/// A timer that was due.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct TimerStep<'a> {
    /// Whose timer it is.
    #[schemars(with = "CapabilityName")]
    pub capability: Cow<'a, str>,
    /// Its name, which the plug-in chose.
    pub name: Cow<'a, str>,
    /// `fired`: the plug-in was invoked, or its invocation waits. `cancelled`: the plug-in had cancelled it, or set
    /// it again. `removed`: the capability was no longer installed.
    #[schemars(extend("enum" = ["fired", "cancelled", "removed"]))]
    pub how: Cow<'a, str>,
}

/// A call that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct CallStep<'a> {
    /// Who had begun it.
    #[schemars(with = "CapabilityName")]
    pub capability: Cow<'a, str>,
    /// To which of its endpoints.
    pub endpoint: Cow<'a, str>,
    /// `response`: the system answered. `not-sent`: nothing was sent. `unknown`: it isn't known whether the system has
    /// seen the request.
    #[schemars(extend("enum" = ["response", "not-sent", "unknown"]))]
    pub how: Cow<'a, str>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no answer, as a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'a, str>>,
}

/// A page of decisions about a profile, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Timeline<'a> {
    pub items: Vec<TimelineStep<'a>>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The time of the oldest record in the log. Only on the last page, and only if older records were removed.
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
