//! What became of an event, as an answer: its state, each proposed field, each delivery.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::json_value::JsonValue;
use crate::engine::EventDecisions;
use crate::record::{Accepted, Answer, AnswerKind, Decided, DeliveryResult, Outcome};
use crate::vocabulary::{ItemPosition, Partition, Position, Refusal, Timestamp};

/// The body of `GET /v1/events/{id}`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct EventAnswer<'a> {
    id: &'a str,
    application: Option<&'a str>,
    name: &'a str,
    profile: String,
    position: Position,
    at: Timestamp,
    received_at: Timestamp,
    /// `parked`: a delivery of it waits for an administrator.
    #[schemars(extend("enum" = ["accepted", "decided", "parked"]))]
    state: &'static str,
    /// What became of each proposed field.
    fields: BTreeMap<&'a str, FieldAnswer<'a>>,
    /// What became of each delivery.
    outcomes: Vec<OutcomeAnswer<'a>>,
}

/// What became of one proposed field.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProposalOutcome")]
struct FieldAnswer<'a> {
    outcome: &'static str,
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<JsonValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

/// What became of one delivery.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeliveryOutcome")]
pub struct OutcomeAnswer<'a> {
    capability: &'a str,
    role: &'static str,
    result: &'static str,
    position: Position,
    claims: Vec<ClaimAnswer<'a>>,
    refusals: &'a [Refusal],
    emitted: Vec<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClaimMade")]
struct ClaimAnswer<'a> {
    field: &'a str,
    value: JsonValue<'a>,
}

impl<'a> EventAnswer<'a> {
    /// The event at this position and what was decided about it so far.
    pub fn new(position: Position, decisions: &'a EventDecisions) -> EventAnswer<'a> {
        let EventDecisions { accepted, decided, blocked } = decisions;
        let event = &accepted.event;
        EventAnswer {
            id: &event.id,
            application: event.application.as_ref().map(|application| application.as_str()),
            name: event.name.as_str(),
            profile: accepted.profile.to_string(),
            position,
            at: event.at,
            received_at: event.received_at,
            state: match (blocked, decided.is_empty()) {
                (true, _) => "parked",
                (false, true) => "accepted",
                (false, false) => "decided",
            },
            fields: fields(accepted, decided.iter().map(|(_, decided)| decided)),
            outcomes: decided.iter().flat_map(|(position, decided)| outcomes(*position, decided)).collect(),
        }
    }
}

/// Each proposed field's newest outcome; a field nobody has answered for waits.
fn fields<'a>(
    accepted: &'a Accepted,
    decided: impl Iterator<Item = &'a Decided>,
) -> BTreeMap<&'a str, FieldAnswer<'a>> {
    let waiting = FieldAnswer { outcome: "waiting", source: None, value: None, code: None, message: None };
    let proposed = accepted.proposals.iter().map(|proposal| proposal.field.as_str());
    let mut fields: BTreeMap<&str, FieldAnswer<'_>> =
        proposed.map(|field| (field, FieldAnswer { value: None, ..waiting })).collect();
    for answer in decided.flat_map(|decided| &decided.answers) {
        fields.insert(answer.field.as_str(), field(answer, accepted));
    }
    fields
}

fn field<'a>(answer: &'a Answer, accepted: &'a Accepted) -> FieldAnswer<'a> {
    let source = answer.source.as_ref().map(|source| source.as_str());
    let said = |outcome| FieldAnswer { outcome, source, value: None, code: None, message: None };
    match &answer.outcome {
        AnswerKind::Accepted => {
            let proposal = accepted.proposals.iter().find(|proposal| proposal.field == answer.field);
            let value = proposal.map(|proposal| JsonValue(proposal.value.as_ref()));
            FieldAnswer { value, ..said("accepted") }
        }
        AnswerKind::InAnotherForm(value) => {
            FieldAnswer { value: Some(JsonValue(Some(value))), ..said("accepted-in-another-form") }
        }
        AnswerKind::Cleared => FieldAnswer { value: Some(JsonValue(None)), ..said("cleared") },
        AnswerKind::Refused { code, message } => {
            FieldAnswer { code: Some(code), message: Some(message), ..said("refused") }
        }
        AnswerKind::NoAnswer => said("no-answer"),
        AnswerKind::NoSource => said("no-source"),
        AnswerKind::PreconditionFailed => said("precondition-failed"),
        AnswerKind::Waiting => said("waiting"),
    }
}

/// What became of each delivery of a record.
pub fn outcomes(position: Position, decided: &Decided) -> Vec<OutcomeAnswer<'_>> {
    let first_of = |at: usize| {
        let capability = &decided.outcomes[at].capability;
        decided.outcomes[..at].iter().all(|earlier| earlier.capability != *capability)
    };
    let all = decided.outcomes.iter().enumerate();
    // A record knows which capability emitted, not in which role: told once.
    all.map(|(at, outcome)| outcome_answer(position, decided, outcome, first_of(at))).collect()
}

fn outcome_answer<'a>(
    position: Position,
    decided: &'a Decided,
    outcome: &'a Outcome,
    tells_emitted: bool,
) -> OutcomeAnswer<'a> {
    let (result, reason) = match &outcome.result {
        DeliveryResult::Done => ("done", None),
        DeliveryResult::Parked(failure) => ("parked", Some(failure.message.as_str())),
        DeliveryResult::Held => {
            ("held", Some("it waits behind a parked delivery of the same capability and customer"))
        }
        DeliveryResult::Skipped { reason } => ("skipped", Some(reason.as_str())),
        DeliveryResult::Undeliverable { reason } => ("undeliverable", Some(reason.as_str())),
    };
    let emitted = decided.emitted.iter().filter(|emitted| tells_emitted && emitted.by == outcome.capability);
    let claims = outcome
        .claims
        .iter()
        .map(|(field, value)| ClaimAnswer { field: field.as_str(), value: JsonValue(value.as_ref()) });
    OutcomeAnswer {
        capability: outcome.capability.as_str(),
        role: outcome.role.as_str(),
        result,
        position,
        claims: claims.collect(),
        refusals: &outcome.refusals,
        emitted: emitted.map(|emitted| emitted.name.as_str()).collect(),
        reason,
    }
}

/// Where an item stands: the position of its record, and its number in it when it isn't the first.
pub fn item_position(partition: Partition, item: ItemPosition) -> String {
    let position = Position { partition, seq: item.seq };
    if item.index == 0 { position.to_string() } else { format!("{position}.{}", item.index) }
}
