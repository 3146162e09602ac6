//! What became of an event, as an answer: its state, each proposed field, each delivery.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::conflicts::ConflictAnswer;
use super::json_value::JsonValue;
use super::problem::Problem;
use super::read_audit::Shown;
use super::visibility::Viewer;
use super::waited::{self, Verdict};
use samsyn_engine::EventDecisions;
use samsyn_journal::{Accepted, Answer, AnswerKind, Decided, InvocationStatus, Outcome};
use samsyn_registry::Registry;
use samsyn_vocabulary::{ItemPosition, Partition, Position, ProfileId, Role, Timestamp};

/// The body of `GET /v1/events/{id}`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct EventAnswer<'a> {
    id: &'a str,
    application: Option<&'a str>,
    name: &'a str,
    /// For who may know whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileId>,
    position: Position,
    at: Timestamp,
    received_at: Timestamp,
    /// `parked`: a delivery of it waits for an administrator.
    #[schemars(extend("enum" = ["accepted", "decided", "parked"]))]
    state: &'static str,
    /// What a client looks at first.
    verdict: Verdict,
    /// Identifiers of the event that are another customer's, for a token that may see them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<ConflictAnswer>,
    /// What became of each proposed field.
    fields: BTreeMap<&'a str, FieldAnswer<'a>>,
    /// What became of each delivery.
    outcomes: Vec<OutcomeAnswer<'a>>,
}

/// What became of one proposed field.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProposalOutcome")]
pub struct FieldAnswer<'a> {
    #[schemars(extend("enum" = [
        "accepted", "accepted-in-another-form", "cleared", "refused", "no-answer", "no-source",
        "precondition-failed", "waiting",
    ]))]
    outcome: &'static str,
    source: Option<&'a str>,
    /// What was suggested.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed: Option<JsonValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<JsonValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl FieldAnswer<'_> {
    /// It was not taken, and won't be.
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome, "refused" | "no-answer") || self.is_precondition()
    }

    /// The customer was no longer as the sender had seen.
    pub fn is_precondition(&self) -> bool {
        self.outcome == "precondition-failed"
    }

    /// It may yet be taken.
    pub fn is_open(&self) -> bool {
        matches!(self.outcome, "waiting" | "no-source")
    }

    /// Why it was not taken, for its sender.
    pub fn why(&self) -> String {
        let source = self.source.unwrap_or("nobody");
        match (self.code, self.message) {
            (Some(code), Some(message)) => format!("{message} ({code}, by {source})"),
            (Some(code), None) => format!("{code}, by {source}"),
            (None, _) => format!("no answer from its source {source}"),
        }
    }
}

/// What became of one delivery.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeliveryOutcome")]
pub struct OutcomeAnswer<'a> {
    capability: &'a str,
    #[schemars(extend("enum" = Role::ALL.map(Role::as_str)))]
    role: &'static str,
    #[schemars(extend("enum" = ["done", "parked", "held", "skipped", "undeliverable"]))]
    result: &'static str,
    position: Position,
    claims: Vec<ClaimAnswer<'a>>,
    refusals: Vec<RefusalAnswer<'a>>,
    emitted: Vec<&'a str>,
    /// What else it asked for, for a token that reads everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<ActionAnswer<'a>>,
    reason: Option<&'a str>,
}

impl OutcomeAnswer<'_> {
    /// The event was said no to. What a source says of a proposal stands with its field, and of who isn't
    /// the field's source it decides nothing. Of a call that failed nothing counts: it is made again.
    pub fn is_refused(&self) -> bool {
        self.role != Role::Source.as_str() && self.result == "done" && !self.refusals.is_empty()
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClaimMade")]
struct ClaimAnswer<'a> {
    field: &'a str,
    value: JsonValue<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ActionAsked")]
struct ActionAnswer<'a> {
    /// The effect's name in the contract.
    action: &'a str,
    /// What it is about.
    subject: &'a str,
    value: JsonValue<'a>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Refusal")]
struct RefusalAnswer<'a> {
    /// The field it concerns, when it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// A stable code.
    code: &'a str,
    /// A sentence, for who may propose the field and proposed it, of an unfit property for who sent it,
    /// and for a token that reads everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl<'a> EventAnswer<'a> {
    /// The event at this position and what was decided about it so far, as far as somebody may
    /// see it who may see the event.
    pub fn new(position: Position, decisions: &'a EventDecisions, viewer: &Viewer) -> EventAnswer<'a> {
        let EventDecisions { accepted, decided, blocked, .. } = decisions;
        let event = &accepted.event;
        let own = viewer.sent(event);
        let outcomes_of =
            |(position, decided): &'a (Position, Decided)| outcomes(*position, decided, viewer, own);
        let fields = fields(accepted, decided.iter().map(|(_, decided)| decided), viewer);
        let outcomes: Vec<OutcomeAnswer<'_>> = decided.iter().flat_map(outcomes_of).collect();
        EventAnswer {
            id: &event.id,
            application: event.application.as_ref().map(|application| application.as_str()),
            name: event.name.as_str(),
            profile: viewer.sees_owner(accepted).then_some(accepted.profile),
            position,
            at: event.at,
            received_at: event.received_at,
            state: match (blocked, decided.is_empty()) {
                (true, _) => "parked",
                (false, true) => "accepted",
                (false, false) => "decided",
            },
            verdict: Verdict::of(decisions, fields.values(), outcomes.iter()),
            conflicts: ConflictAnswer::of(&accepted.conflicts, viewer.policy()),
            fields,
            outcomes,
        }
    }
}

impl EventAnswer<'_> {
    /// The problem of a proposal that came to nothing; none when all of it was taken or waits.
    pub fn refusal(&self) -> Option<Problem> {
        waited::refusal(self.fields.iter().map(|(name, field)| (*name, field)))
    }

    /// What of it is personal: the values of its customer's fields.
    pub fn shown(&self, profile: ProfileId, registry: &Registry) -> Shown {
        let mut shown = Shown::of(profile);
        let with_value = self.fields.iter().filter(|(_, told)| told.value.is_some());
        with_value.for_each(|(name, _)| shown.field(name, registry));
        claimed(&self.outcomes).for_each(|name| shown.field(name, registry));
        self.conflicts.iter().for_each(|conflict| shown.identifier(conflict.name()));
        shown
    }
}

/// The fields whose claims are told.
pub fn claimed<'a>(outcomes: &'a [OutcomeAnswer<'_>]) -> impl Iterator<Item = &'a str> {
    outcomes.iter().flat_map(|outcome| &outcome.claims).map(|claim| claim.field)
}

/// Each proposed field's newest outcome; a field nobody has answered for waits.
fn fields<'a>(
    accepted: &'a Accepted,
    decided: impl Iterator<Item = &'a Decided>,
    viewer: &Viewer,
) -> BTreeMap<&'a str, FieldAnswer<'a>> {
    let own = viewer.sent(&accepted.event);
    let is_seen = |field: &str| viewer.sees_proposal(field, own);
    let sees_proposed = |field: &str| own || viewer.policy().reads(field);
    let waiting = accepted.proposals.iter().filter(|proposal| is_seen(proposal.field.as_str()));
    let waiting = waiting.map(|proposal| {
        let field = proposal.field.as_str();
        let proposed = Some(JsonValue(proposal.value.as_ref())).filter(|_| sees_proposed(field));
        let outcome = "waiting";
        (field, FieldAnswer { outcome, source: None, proposed, value: None, code: None, message: None })
    });
    let mut fields: BTreeMap<&str, FieldAnswer<'_>> = waiting.collect();
    for answer in decided.flat_map(|decided| &decided.answers).filter(|answer| is_seen(answer.field.as_str()))
    {
        let mut told = field(answer, accepted);
        told.proposed = told.proposed.filter(|_| sees_proposed(answer.field.as_str()));
        told.value = told.value.filter(|_| viewer.policy().reads(answer.field.as_str()));
        let code = told.code.unwrap_or_default();
        told.message = told.message.filter(|_| viewer.sees_message(Some(answer.field.as_str()), code, own));
        fields.insert(answer.field.as_str(), told);
    }
    fields
}

fn field<'a>(answer: &'a Answer, accepted: &'a Accepted) -> FieldAnswer<'a> {
    let source = answer.source.as_ref().map(|source| source.as_str());
    let proposal = accepted.proposals.iter().find(|proposal| proposal.field == answer.field);
    let proposed = proposal.map(|proposal| JsonValue(proposal.value.as_ref()));
    let said = |outcome| FieldAnswer { outcome, source, proposed, value: None, code: None, message: None };
    match &answer.outcome {
        AnswerKind::Accepted => FieldAnswer { value: proposed, ..said("accepted") },
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

/// What became of each delivery of a record, as far as somebody may see it who sent the event at
/// its root or not. A delivery of which they may see nothing is left out.
pub fn outcomes<'a>(
    position: Position,
    decided: &'a Decided,
    viewer: &Viewer,
    own: bool,
) -> Vec<OutcomeAnswer<'a>> {
    let first_of = |at: usize| {
        let capability = &decided.outcomes[at].capability;
        decided.outcomes[..at].iter().all(|earlier| earlier.capability != *capability)
    };
    let all = decided.outcomes.iter().enumerate();
    // A record knows which capability emitted, not in which role: told once.
    let answers = all.map(|(at, outcome)| {
        let tells_emitted = viewer.sees_words() && first_of(at);
        outcome_answer(position, decided, outcome, tells_emitted, viewer, own)
    });
    let is_seen = |answer: &OutcomeAnswer<'_>| {
        viewer.policy().reads_everything() || !answer.claims.is_empty() || !answer.refusals.is_empty()
    };
    answers.filter(is_seen).collect()
}

fn outcome_answer<'a>(
    position: Position,
    decided: &'a Decided,
    outcome: &'a Outcome,
    tells_emitted: bool,
    viewer: &Viewer,
    own: bool,
) -> OutcomeAnswer<'a> {
    let (result, reason) = match &outcome.result {
        InvocationStatus::Done => ("done", None),
        InvocationStatus::Parked(failure) => ("parked", Some(failure.message.as_str())),
        InvocationStatus::Held => {
            ("held", Some("it waits behind a parked invocation of the same capability and customer"))
        }
        InvocationStatus::Skipped { reason } => ("skipped", Some(reason.as_str())),
        InvocationStatus::Undeliverable { reason } => ("undeliverable", Some(reason.as_str())),
    };
    let emitted = decided.emitted.iter().filter(|emitted| tells_emitted && emitted.by == outcome.capability);
    let claims = outcome
        .claims
        .iter()
        .filter(|(field, _)| viewer.sees_claim(decided, outcome, field))
        .map(|(field, value)| ClaimAnswer { field: field.as_str(), value: JsonValue(value.as_ref()) });
    let refusals = outcome.refusals.iter().filter(|refusal| viewer.sees_refusal(refusal, own));
    let refusals = refusals.map(|refusal| RefusalAnswer {
        field: refusal.field.as_deref(),
        code: &refusal.code,
        message: viewer
            .sees_message(refusal.field.as_deref(), &refusal.code, own)
            .then_some(refusal.message.as_str()),
    });
    let actions = outcome.actions.iter().filter(|_| viewer.sees_words()).map(|action| ActionAnswer {
        action: &action.name,
        subject: &action.subject,
        value: JsonValue(action.value.as_ref()),
    });
    OutcomeAnswer {
        capability: outcome.capability.as_str(),
        role: outcome.role.as_str(),
        result,
        position,
        claims: claims.collect(),
        refusals: refusals.collect(),
        emitted: emitted.map(|emitted| emitted.name.as_str()).collect(),
        actions: actions.collect(),
        reason: reason.filter(|_| viewer.sees_words()),
    }
}

/// Where an item stands: the position of its record, and its number in it when it isn't the first.
pub fn item_position(partition: Partition, item: ItemPosition) -> String {
    let position = Position { partition, seq: item.seq };
    if item.index == 0 { position.to_string() } else { format!("{position}.{}", item.index) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_stand_in_an_answer_only_when_there_are_any() {
        let answer = |actions| OutcomeAnswer {
            capability: "crm",
            role: Role::Subscriber.as_str(),
            result: "done",
            position: Position { partition: Partition(1), seq: 2 },
            claims: Vec::new(),
            refusals: Vec::new(),
            emitted: Vec::new(),
            actions,
            reason: None,
        };
        let json = |actions| serde_json::to_value(answer(actions)).unwrap();
        assert_eq!(json(Vec::new()).get("actions"), None);
        let action = ActionAnswer { action: "wake", subject: "birthday", value: JsonValue(None) };
        let told = serde_json::json!([{ "action": "wake", "subject": "birthday", "value": null }]);
        assert_eq!(json(vec![action])["actions"], told);
    }
}
