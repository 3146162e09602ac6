//! What became of an event, as an answer: its state, each proposed field, each delivery.

use std::borrow::Cow;
use std::collections::BTreeMap;

use samsyn_wire::{
    ActionAsked, CallBegun, ClaimMade, DeliveryOutcome, Event, JsonValue, ProposalOutcome, Refusal,
};

use super::conflicts::conflicts_of;
use super::read_audit::Shown;
use super::visibility::Viewer;
use super::waited;
use samsyn_engine::EventDecisions;
use samsyn_journal::{Accepted, Answer, AnswerKind, Decided, InvocationStatus, Outcome};
use samsyn_registry::Registry;
use samsyn_vocabulary::{FullPosition, Position, ProfileId};

/// The event at this position and what was decided about it so far, as far as a caller may see it. It must be
/// one that may see the event.
pub fn event_answer<'a>(position: Position, decisions: &'a EventDecisions, viewer: &Viewer) -> Event<'a> {
    let EventDecisions { accepted, decided, blocked, .. } = decisions;
    let event = &accepted.event;
    let own = viewer.sent(event);
    let outcomes_of =
        |(position, decided): &'a (Position, Decided)| outcomes(*position, decided, viewer, own);
    let fields = fields(accepted, decided.iter().map(|(_, decided)| decided), viewer);
    let outcomes: Vec<DeliveryOutcome<'_>> = decided.iter().flat_map(outcomes_of).collect();
    let state = match (blocked, decided.is_empty()) {
        (true, _) => "parked",
        (false, true) => "accepted",
        (false, false) => "decided",
    };
    Event {
        id: event.id.as_str().into(),
        application: event.application.as_ref().map(|application| application.as_str().into()),
        name: event.name.as_str().into(),
        profile: viewer.sees_owner(accepted).then_some(accepted.profile.into()),
        position: position.into(),
        at: event.at.into(),
        received_at: event.received_at.into(),
        state: state.into(),
        verdict: waited::verdict(decisions, &fields, &outcomes).into(),
        conflicts: conflicts_of(&accepted.conflicts, viewer.policy()),
        fields,
        outcomes,
    }
}

/// What of the answer is personal: the values of its customer's fields.
pub fn shown(profile: ProfileId, answer: &Event<'_>, registry: &Registry) -> Shown {
    let mut shown = Shown::of(profile);
    let with_value = answer.fields.iter().filter(|(_, told)| told.value.is_some());
    with_value.for_each(|(name, _)| shown.field(name, registry));
    claimed(&answer.outcomes).for_each(|name| shown.field(name, registry));
    answer.conflicts.iter().for_each(|conflict| shown.identifier(&conflict.identifier));
    shown
}

/// The fields whose claims are told.
pub fn claimed<'a>(outcomes: &'a [DeliveryOutcome<'_>]) -> impl Iterator<Item = &'a str> {
    outcomes.iter().flat_map(|outcome| &outcome.claims).map(|claim| &*claim.field)
}

/// Each proposed field's newest outcome; a field nobody has answered for waits.
fn fields<'a>(
    accepted: &'a Accepted,
    decided: impl Iterator<Item = &'a Decided>,
    viewer: &Viewer,
) -> BTreeMap<Cow<'a, str>, ProposalOutcome<'a>> {
    let own = viewer.sent(&accepted.event);
    let is_seen = |field: &str| viewer.sees_proposal(field, own);
    let sees_proposed = |field: &str| own || viewer.policy().reads(field);
    let waiting = accepted.proposals.iter().filter(|proposal| is_seen(proposal.field.as_str()));
    let waiting = waiting.map(|proposal| {
        let field = proposal.field.as_str();
        let proposed = Some(JsonValue::Held(proposal.value.as_ref())).filter(|_| sees_proposed(field));
        (field.into(), ProposalOutcome { outcome: "waiting".into(), proposed, ..ProposalOutcome::default() })
    });
    let mut fields: BTreeMap<Cow<'_, str>, ProposalOutcome<'_>> = waiting.collect();
    for answer in decided.flat_map(|decided| &decided.answers).filter(|answer| is_seen(answer.field.as_str()))
    {
        let mut told = field(answer, accepted);
        told.proposed = told.proposed.filter(|_| sees_proposed(answer.field.as_str()));
        told.value = told.value.filter(|_| viewer.policy().reads(answer.field.as_str()));
        let code = told.code.as_deref().unwrap_or_default();
        let sees_message = viewer.sees_message(Some(answer.field.as_str()), code, own);
        told.message = told.message.filter(|_| sees_message);
        fields.insert(answer.field.as_str().into(), told);
    }
    fields
}

fn field<'a>(answer: &'a Answer, accepted: &'a Accepted) -> ProposalOutcome<'a> {
    let source = answer.source.as_ref().map(|source| source.as_str().into());
    let proposal = accepted.proposals.iter().find(|proposal| proposal.field == answer.field);
    let proposed = proposal.map(|proposal| JsonValue::Held(proposal.value.as_ref()));
    let said = |outcome: &'static str| ProposalOutcome {
        outcome: outcome.into(),
        source,
        proposed: proposed.clone(),
        ..ProposalOutcome::default()
    };
    match &answer.outcome {
        AnswerKind::Accepted => ProposalOutcome { value: proposed.clone(), ..said("accepted") },
        AnswerKind::InAnotherForm(value) => {
            ProposalOutcome { value: Some(JsonValue::Held(Some(value))), ..said("accepted-in-another-form") }
        }
        AnswerKind::Cleared => ProposalOutcome { value: Some(JsonValue::Held(None)), ..said("cleared") },
        AnswerKind::Refused { code, message } => ProposalOutcome {
            code: Some(code.as_str().into()),
            message: Some(message.as_str().into()),
            ..said("refused")
        },
        AnswerKind::NoAnswer => said("no-answer"),
        AnswerKind::NoSource => said("no-source"),
        AnswerKind::PreconditionFailed => said("precondition-failed"),
        AnswerKind::Waiting => said("waiting"),
    }
}

/// The result of each invocation for a record, as far as the caller may see it. That depends on whether it sent
/// the event at the record's root. An invocation of which it may see nothing is left out.
pub fn outcomes<'a>(
    position: Position,
    decided: &'a Decided,
    viewer: &Viewer,
    own: bool,
) -> Vec<DeliveryOutcome<'a>> {
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
    let is_seen = |answer: &DeliveryOutcome<'_>| {
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
) -> DeliveryOutcome<'a> {
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
    let claims = outcome.claims.iter().filter(|(field, _)| viewer.sees_claim(decided, outcome, field)).map(
        |(field, value)| ClaimMade { field: field.as_str().into(), value: JsonValue::Held(value.as_ref()) },
    );
    let refusals = outcome.refusals.iter().filter(|refusal| viewer.sees_refusal(refusal, own));
    let refusals = refusals.map(|refusal| Refusal {
        field: refusal.field.as_deref().map(Into::into),
        code: refusal.code.as_str().into(),
        message: viewer
            .sees_message(refusal.field.as_deref(), &refusal.code, own)
            .then_some(refusal.message.as_str().into()),
    });
    let actions = outcome.actions.iter().filter(|_| viewer.sees_words()).map(|action| ActionAsked {
        action: action.name.as_str().into(),
        subject: action.subject.as_str().into(),
        value: JsonValue::Held(action.value.as_ref()),
    });
    let calls = outcome.calls.iter().filter(|_| viewer.sees_words()).map(|call| CallBegun {
        endpoint: call.endpoint.as_str().into(),
        method: call.method.as_str().into(),
        path: call.path.as_str().into(),
        silent: call.silent,
    });
    DeliveryOutcome {
        capability: outcome.capability.as_str().into(),
        role: outcome.role.as_str().into(),
        result: result.into(),
        position: position.into(),
        claims: claims.collect(),
        refusals: refusals.collect(),
        emitted: emitted.map(|emitted| emitted.name.as_str().into()).collect(),
        actions: actions.collect(),
        calls: calls.collect(),
        reason: reason.filter(|_| viewer.sees_words()).map(Into::into),
    }
}

/// Where an item stands: the position of its record, and its number in it when it isn't the first.
pub fn item_position(item: FullPosition) -> String {
    if item.index == 0 { item.record().to_string() } else { item.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_stand_in_an_answer_only_when_there_are_any() {
        let answer = |actions| DeliveryOutcome { actions, ..DeliveryOutcome::default() };
        let json = |actions| serde_json::to_value(answer(actions)).unwrap();
        assert_eq!(json(Vec::new()).get("actions"), None);
        let action =
            ActionAsked { action: "wake".into(), subject: "birthday".into(), value: JsonValue::Held(None) };
        let expected = serde_json::json!([{ "action": "wake", "subject": "birthday", "value": null }]);
        assert_eq!(json(vec![action])["actions"], expected);
    }
}
