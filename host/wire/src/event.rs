//! Events: that they are taken, and what became of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient::present;
use crate::{IdentifierConflict, JsonValue, Lenient, Problem};
use samsyn_vocabulary::{Position, ProfileId, Role, Timestamp};

/// What became of an event, in one word: the first thing to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Somebody refused the event or a field that it proposes, a source gave no answer for one, or the
    /// customer was no longer as expected.
    Refused,
    /// It isn't decided yet, or something of it waits: for an administrator, for a field's source, for a
    /// capability that is slow.
    Open,
    /// It is decided, no capability hears events of this name, and it proposes nothing.
    Unheard,
    /// It is decided, and nobody refused anything.
    Taken,
}

/// The body of `GET /v1/events/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Event<'a> {
    pub id: Cow<'a, str>,
    pub application: Option<Cow<'a, str>>,
    pub name: Cow<'a, str>,
    /// For who may know whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Lenient<ProfileId>>,
    pub position: Lenient<Position>,
    pub at: Lenient<Timestamp>,
    pub received_at: Lenient<Timestamp>,
    /// `parked`: a delivery of it waits for an administrator.
    #[schemars(extend("enum" = ["accepted", "decided", "parked"]))]
    pub state: Cow<'a, str>,
    /// What a client looks at first.
    pub verdict: Lenient<Verdict>,
    /// Identifiers of the event that are another customer's, for a token that may see them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<IdentifierConflict<'a>>,
    /// What became of each proposed field.
    pub fields: BTreeMap<Cow<'a, str>, ProposalOutcome<'a>>,
    /// What became of each delivery.
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

/// What became of one proposed field.
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
    /// What was suggested.
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

/// What became of one delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct DeliveryOutcome<'a> {
    pub capability: Cow<'a, str>,
    #[schemars(extend("enum" = ["source", "subscriber", "observer"]))]
    pub role: Cow<'a, str>,
    #[schemars(extend("enum" = ["done", "parked", "held", "skipped", "undeliverable"]))]
    pub result: Cow<'a, str>,
    pub position: Lenient<Position>,
    pub claims: Vec<ClaimMade<'a>>,
    pub refusals: Vec<Refusal<'a>>,
    pub emitted: Vec<Cow<'a, str>>,
    /// What else it asked for, for a token that reads everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<ActionAsked<'a>>,
    pub reason: Option<Cow<'a, str>>,
}

impl DeliveryOutcome<'_> {
    /// The event was said no to. What a source says of a proposal stands with its field, and of who isn't
    /// the field's source it decides nothing. Of a call that failed nothing counts: it is made again.
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

/// An effect that is no claim, refusal or event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct ActionAsked<'a> {
    /// The effect's name in the contract.
    pub action: Cow<'a, str>,
    /// What it is about.
    pub subject: Cow<'a, str>,
    pub value: JsonValue<'a>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Refusal<'a> {
    /// The field it concerns, when it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'a, str>>,
    /// A stable code.
    pub code: Cow<'a, str>,
    /// A sentence, for who may propose the field and proposed it, of an unfit property for who sent it,
    /// and for a token that reads everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

/// An event that has its position in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TakenEvent {
    /// The event's id.
    pub id: String,
    /// Whose it is, for a token that may know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Lenient<ProfileId>>,
    /// Where it stands.
    #[serde(default)]
    #[schemars(!default)]
    pub position: Lenient<Position>,
    /// The event was taken before, with the same content.
    #[serde(default)]
    #[schemars(!default)]
    pub duplicate: bool,
    /// Identifiers of the event that are another customer's, for a token that may see them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<IdentifierConflict<'static>>,
}

/// What became of one event of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "TakenOrRefused")]
pub enum TakenOrRefused<P = Problem<'static>> {
    /// It is on disk.
    Taken(TakenEvent),
    /// It is not taken, and why.
    Refused {
        /// Where it stood in the list.
        index: usize,
        /// What is wrong with it.
        problem: P,
    },
}

/// What became of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TakenEvents")]
pub struct TakenEvents<P = Problem<'static>> {
    /// How many were taken.
    pub accepted: usize,
    /// How many were not.
    pub refused: usize,
    /// Each, in the order they were sent.
    pub events: Vec<TakenOrRefused<P>>,
}

/// What `202` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Taken")]
pub enum Taken<P = Problem<'static>> {
    /// Of one event.
    One(TakenEvent),
    /// Of a list.
    List(TakenEvents<P>),
}

/// What `422` is read as: when nothing of a list was taken, the list, else the problem. They come as two
/// media types, but some generators of clients know only the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "NothingTaken")]
pub enum NothingTaken<P = Problem<'static>> {
    /// Of a list.
    List(TakenEvents<P>),
    /// Of one event, or of a body that is none.
    Problem(P),
}

/// A proposal that is on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalTaken {
    /// The id of the event that it made.
    pub id: String,
    /// For whom.
    pub profile: Lenient<ProfileId>,
    /// Where it stands.
    pub position: Lenient<Position>,
}

/// What a client reads that sent one event or a proposal: the decided event, or as much of it as a 202 says.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct SentEvent {
    /// Its state is empty in a 202.
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
