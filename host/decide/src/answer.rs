//! What a decision answers to each proposal of its item: a pure function of what the source did.

use super::decide::{CompletedInvocation, Decision, InvocationResult};
use samsyn_journal::{Answer, AnswerKind, CauseKind, Decided, HeldProposal};
use samsyn_sandbox::InvocationReport;
use samsyn_vocabulary::{CapabilityName, Effect, FieldName, Proposal, Refusal, Role, Value};

impl Decision<'_, '_> {
    pub fn add_answers(&self, decided: &mut Decided) {
        for proposal in self.proposals {
            let answer = self.answer(proposal);
            let opts_out = proposal.value == Some(Value::Boolean(true))
                && self.routing.field(&proposal.field).is_some_and(|field| field.protective);
            if opts_out
                && matches!(answer.outcome, AnswerKind::Refused { .. })
                && !decided.refused_opt_outs.contains(&proposal.field)
            {
                decided.refused_opt_outs.push(proposal.field.clone());
            }
            if answer.outcome == AnswerKind::NoSource && !self.late && self.cause.kind == CauseKind::Event {
                let Proposal { field, value, by, at } = proposal.clone();
                let event = Some(self.cause.item.record());
                decided.held.push(HeldProposal { by, field, value, at, event });
            }
            // A late invocation answers only for its own capability.
            let is_mine = |name: &CapabilityName| {
                self.completed.iter().any(|invocation| self.name(invocation.capability) == name)
            };
            if !self.late || answer.source.as_ref().is_some_and(is_mine) {
                decided.answers.push(answer);
            }
        }
    }

    fn answer(&self, proposal: &Proposal) -> Answer {
        let field = &proposal.field;
        let source = self.routing.field(field).and_then(|entry| entry.source.clone());
        let outcome = match &source {
            _ if !self.precondition_met => AnswerKind::PreconditionFailed,
            None => AnswerKind::NoSource,
            Some(source) => self.answer_of(source, proposal),
        };
        Answer { field: field.clone(), source, outcome }
    }

    fn answer_of(&self, source: &CapabilityName, proposal: &Proposal) -> AnswerKind {
        let asked = |invocation: &&CompletedInvocation| {
            invocation.role == Role::Source && self.name(invocation.capability) == source
        };
        let Some(invocation) = self.completed.iter().find(asked) else {
            // A source without the role never answers; one that lags has yet to.
            return if self.partition.is_lagging(source) {
                AnswerKind::Waiting
            } else {
                AnswerKind::NoAnswer
            };
        };
        match &invocation.result {
            InvocationResult::Called(InvocationReport { result: Ok(effects), refusals, .. }) => {
                answer_from_effects(proposal, effects, refusals)
            }
            InvocationResult::Called(_) | InvocationResult::Failed(_) | InvocationResult::Held => {
                AnswerKind::Waiting
            }
            InvocationResult::Unfit(refusal) => refused(&refusal.code, &refusal.message),
            InvocationResult::Skipped(_) | InvocationResult::Undeliverable(_) => AnswerKind::NoAnswer,
        }
    }
}

fn refused(code: &str, message: &str) -> AnswerKind {
    AnswerKind::Refused { code: code.to_owned(), message: message.to_owned() }
}

fn answer_from_effects(proposal: &Proposal, effects: &[Effect], refusals: &[Refusal]) -> AnswerKind {
    let concerns = |field: &Option<FieldName>| field.as_ref().is_none_or(|field| *field == proposal.field);
    for effect in effects.iter().rev() {
        match effect {
            Effect::Claim { field, value } if *field == proposal.field => {
                return match value {
                    _ if *value == proposal.value => AnswerKind::Accepted,
                    Some(value) => AnswerKind::InAnotherForm(value.clone()),
                    None => AnswerKind::Cleared,
                };
            }
            Effect::Refuse { field, code, message } if concerns(field) => return refused(code, message),
            _ => {}
        }
    }
    // The source asked for something the host said no to.
    let host_refusal =
        refusals.iter().find(|refusal| refusal.field.as_deref() == Some(proposal.field.as_str()));
    host_refusal.map_or(AnswerKind::NoAnswer, |refusal| refused(&refusal.code, &refusal.message))
}
