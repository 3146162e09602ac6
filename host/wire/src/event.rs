//! Events: that the host accepted them, and their results.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient::present;
use crate::{IdentifierConflict, JsonValue, Lenient, Problem};
use samsyn_vocabulary::{Position, ProfileId, Role, Timestamp};

/// The result of an event in one word. Look at it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A capability rejected the event or a proposed value, a source gave no answer, or the customer's values
    /// had changed (`If-Match`).
    Refused,
    /// It isn't decided yet, or a part of it waits: for an administrator, for a field's source, or for a slow
    /// capability.
    Open,
    /// It is decided. No capability receives events of this name, and it proposes nothing.
    Unheard,
    /// It is decided, and nothing was rejected.
    Taken,
}

/// An event and its results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Event<'a> {
    pub id: Cow<'a, str>,
    pub application: Option<Cow<'a, str>>,
    pub name: Cow<'a, str>,
    /// The customer. Only for a token that may know the event's customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Lenient<ProfileId>>,
    pub position: Lenient<Position>,
    pub at: Lenient<Timestamp>,
    pub received_at: Lenient<Timestamp>,
    /// `parked`: an invocation for it waits for an administrator.
    #[schemars(extend("enum" = ["accepted", "decided", "parked"]))]
    pub state: Cow<'a, str>,
    /// The result. Look at it first.
    pub verdict: Lenient<Verdict>,
    /// Identifiers of the event that lead to another customer. Only those that the token may see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<IdentifierConflict<'a>>,
    /// The result of each proposed value, by field.
    pub fields: BTreeMap<Cow<'a, str>, ProposalOutcome<'a>>,
    /// The result of each invocation.
    pub outcomes: Vec<DeliveryOutcome<'a>>,
}

impl Event<'_> {
    /// Whether anything of it was refused, or no source gave an answer.
    pub fn is_refused(&self) -> bool {
        // Hosts of before have no verdict.
        self.verdict.is(&Verdict::Refused)
            || self.verdict.is_missing() && self.fields.values().any(ProposalOutcome::is_refused)
    }

    /// Whether it is decided and no capability hears events of its name.
    pub fn is_unheard(&self) -> bool {
        self.verdict.is(&Verdict::Unheard)
    }
}

/// The result of one proposed value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ProposalOutcome<'a> {
    #[schemars(extend("enum" = [
        "accepted", "accepted-in-another-form", "cleared", "refused", "no-answer", "no-source",
        "precondition-failed", "waiting",
    ]))]
    pub outcome: Cow<'a, str>,
    pub source: Option<Cow<'a, str>>,
    /// The value that was proposed.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub proposed: Option<JsonValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<JsonValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

impl ProposalOutcome<'_> {
    /// It was not taken, and won't be.
    pub fn is_refused(&self) -> bool {
        matches!(&*self.outcome, "refused" | "no-answer") || self.is_precondition()
    }

    /// The customer was no longer as the sender had seen.
    pub fn is_precondition(&self) -> bool {
        self.outcome == "precondition-failed"
    }

    /// It may yet be taken.
    pub fn is_open(&self) -> bool {
        matches!(&*self.outcome, "waiting" | "no-source")
    }

    /// Why it was not taken, for its sender.
    pub fn why(&self) -> String {
        let source = self.source.as_deref().unwrap_or("nobody");
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => format!("{message} ({code}, by {source})"),
            (Some(code), None) => format!("{code}, by {source}"),
            (None, _) => format!("no answer from its source {source}"),
        }
    }
}

/// The result of one invocation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct DeliveryOutcome<'a> {
    pub capability: Cow<'a, str>,
    #[schemars(extend("enum" = ["source", "subscriber", "observer", "timed", "caller", "prober", "judge"]))]
    pub role: Cow<'a, str>,
    #[schemars(extend("enum" = ["done", "parked", "held", "skipped", "undeliverable"]))]
    pub result: Cow<'a, str>,
    pub position: Lenient<Position>,
    pub claims: Vec<ClaimMade<'a>>,
    pub refusals: Vec<Refusal<'a>>,
    pub emitted: Vec<Cow<'a, str>>,
    /// Other effects. Only for a token that reads everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionAsked<'a>>,
    /// Requests to systems that it began. Only for a token that reads everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallBegun<'a>>,
    pub reason: Option<Cow<'a, str>>,
}

impl DeliveryOutcome<'_> {
    /// Whether the event was rejected. A rejected proposal doesn't count here: it stands with its field. An
    /// invocation that failed doesn't count either: it runs again.
    pub fn is_refused(&self) -> bool {
        self.role != Role::Source.as_str() && self.result == "done" && !self.refusals.is_empty()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ClaimMade<'a> {
    pub field: Cow<'a, str>,
    pub value: JsonValue<'a>,
}

/// A request to a system that a capability began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct CallBegun<'a> {
    /// To which of its endpoints.
    pub endpoint: Cow<'a, str>,
    pub method: Cow<'a, str>,
    /// The path below the endpoint's base.
    pub path: Cow<'a, str>,
    /// It is not sent: the capability was catching up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// An effect that is neither a claim nor a refusal nor an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ActionAsked<'a> {
    /// The effect's name in the contract.
    pub action: Cow<'a, str>,
    /// The thing that it concerns.
    pub subject: Cow<'a, str>,
    pub value: JsonValue<'a>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Refusal<'a> {
    /// The field, if it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'a, str>>,
    /// A code that stays the same from version to version.
    pub code: Cow<'a, str>,
    /// A sentence for people. Only for a token that reads everything, for the application that proposed the
    /// field and may propose it, and, if it is about a property, for the application that sent the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

/// An event that the host accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TakenEvent {
    /// The event's id.
    pub id: String,
    /// The customer. Only for a token that may know the event's customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Lenient<ProfileId>>,
    /// Its position in the log.
    #[serde(default)]
    #[schemars(!default)]
    pub position: Lenient<Position>,
    /// True: the host had accepted the same event before.
    #[serde(default)]
    #[schemars(!default)]
    pub duplicate: bool,
    /// Identifiers of the event that lead to another customer. Only those that the token may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<IdentifierConflict<'static>>,
}

/// The result of one event of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "TakenOrRefused")]
pub enum TakenOrRefused<P = Problem<'static>> {
    /// It was accepted, and is on disk.
    Taken(TakenEvent),
    /// It was rejected.
    Refused {
        /// Its index in the list, from 0.
        index: usize,
        /// The reason.
        problem: P,
    },
}

/// The results of a list of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TakenEvents")]
pub struct TakenEvents<P = Problem<'static>> {
    /// How many events were accepted.
    pub accepted: usize,
    /// How many events were rejected.
    pub refused: usize,
    /// One entry for each event, in the order of the request.
    pub events: Vec<TakenOrRefused<P>>,
}

/// The answer with status 202.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Taken")]
pub enum Taken<P = Problem<'static>> {
    /// Of one event.
    One(TakenEvent),
    /// Of a list.
    List(TakenEvents<P>),
}

/// The answer with status 422: the results if no event of a list was accepted, otherwise the problem. These are
/// two media types, but some generators of clients know only the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "NothingTaken")]
pub enum NothingTaken<P = Problem<'static>> {
    /// Of a list.
    List(TakenEvents<P>),
    /// Of one event, or of an invalid body.
    Problem(P),
}

/// A proposal that is on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalTaken {
    /// The id of the event that it created.
    pub id: String,
    /// The customer.
    pub profile: Lenient<ProfileId>,
    /// Its position in the log.
    pub position: Lenient<Position>,
}

/// The answer to one event or a proposal, as a client reads it: the decided event, or the part that a 202 has.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct SentEvent {
    /// The event; with a 202 its state is empty.
    #[serde(flatten)]
    pub event: Event<'static>,
    /// Whether the host had it already.
    #[serde(default)]
    pub duplicate: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_null_that_was_proposed_is_told_from_nothing() {
        let cleared = json!({ "outcome": "cleared", "source": "crm", "proposed": null, "value": null });
        let read: ProposalOutcome<'_> = serde_json::from_value(cleared.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), cleared);
        let hidden = json!({ "outcome": "cleared", "source": "crm" });
        let read: ProposalOutcome<'_> = serde_json::from_value(hidden.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), hidden);
    }

    #[test]
    fn an_event_is_read_from_either_status() {
        let sent: SentEvent = serde_json::from_value(json!({
            "id": "A1", "position": "12-345", "duplicate": true, "conflicts": [],
        }))
        .unwrap();
        assert_eq!((sent.duplicate, &*sent.event.id, &*sent.event.state), (true, "A1", ""));
        let sent: SentEvent =
            serde_json::from_value(json!({ "id": "A1", "state": "decided", "verdict": "taken" })).unwrap();
        assert!(!sent.duplicate && sent.event.verdict.is(&Verdict::Taken));
    }

    #[test]
    fn an_event_of_a_newer_host_is_read() {
        let newer = json!({
            "id": "A1", "state": "postponed", "verdict": "later", "position": "intake-7", "at": "soon",
            "why": ["new"], "outcomes": [{ "capability": "sms", "role": "channel", "result": "stopped" }],
            "fields": { "phone": { "outcome": "disputed" } },
        });
        let event: Event<'_> = serde_json::from_value(newer).unwrap();
        assert!(!event.is_refused() && !event.is_unheard());
        assert_eq!((&*event.state, &*event.outcomes[0].role), ("postponed", "channel"));
        assert_eq!((&*event.outcomes[0].result, &*event.fields["phone"].outcome), ("stopped", "disputed"));
    }

    #[test]
    fn elements_of_a_list_are_told_apart() {
        let list = json!({ "accepted": 1, "refused": 1, "events": [
            { "id": "A1", "position": "12-345", "duplicate": false },
            { "index": 1, "problem": { "title": "Busy" } },
        ] });
        let read: TakenEvents = serde_json::from_value(list).unwrap();
        assert!(matches!(&read.events[0], TakenOrRefused::Taken(taken) if taken.id == "A1"));
        assert!(
            matches!(&read.events[1], TakenOrRefused::Refused { index: 1, problem } if problem.title == "Busy")
        );
    }
}
