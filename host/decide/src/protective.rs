//! Protective fields follow the newest word by its own time.
//!
//! Events arrive late and out of order, and files bring years of them at once: what came last is not what
//! was said last. So a word that is older than the one in force is refused, whoever sources the field; at
//! the same moment the opt-out counts. A time that lies ahead of the event's arrival counts as the arrival,
//! see [`super::item::Item::observed_at`].

use super::decide::{CapabilityRef, CompletedInvocation, Decision, InvocationResult};
use samsyn_contract::RefusalCode;
use samsyn_journal::{CapabilityState, Changed, Outcome, ProfileState};
use samsyn_sandbox::InvocationReport;
use samsyn_vocabulary::{Effect, FieldName, Refusal, Timestamp, Value};

/// What a customer said of a protective field, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// They opted out.
    pub opted_out: bool,
    /// When they said so.
    pub at: Timestamp,
}

impl Word {
    /// The word that a value of a protective field is; taking a claim back is none.
    pub fn of(value: &Option<Value>, at: Timestamp) -> Option<Word> {
        match value {
            Some(Value::Boolean(opted_out)) => Some(Word { opted_out: *opted_out, at }),
            _ => None,
        }
    }

    /// What a capability said last.
    pub fn claimed(capability_state: Option<&CapabilityState>, field: &FieldName) -> Option<Word> {
        let claim = capability_state?.claim(field)?;
        Word::of(&claim.value, claim.observed_at)
    }

    /// The opt-out in force, whoever claimed it.
    pub fn latched(state: &ProfileState, field: &FieldName) -> Option<Word> {
        let latch = state.latched.iter().find(|latch| latch.field == *field)?;
        Some(Word { opted_out: true, at: latch.observed_at })
    }

    /// Whether a word in force says otherwise and is newer, or as new and the opt-out.
    pub fn is_outdated_by(self, known: Word) -> bool {
        let is_older = self.at < known.at || (self.at == known.at && known.opted_out);
        self.opted_out != known.opted_out && is_older
    }
}

/// What the sender of an outdated word reads.
pub fn refusal(field: &FieldName, word: Word) -> Refusal {
    let (wish, other) = if word.opted_out { ("opt-out", "consent") } else { ("consent", "opt-out") };
    Refusal {
        field: Some(field.to_string()),
        code: RefusalCode::ProtectiveOutdated.into(),
        message: format!(
            "The customer's {other} is newer than this {wish}, or as new; if there is a newer one, send it with \
             the time of its own."
        ),
    }
}

impl Decision<'_, '_> {
    /// Takes claims of protective fields out that are older than the word in force: they are refusals
    /// instead. Answers the fields of the opt-outs among them.
    pub fn refuse_outdated_words(&mut self) -> Vec<FieldName> {
        let at = self.cause.observed_at;
        let mut completed = std::mem::take(&mut self.completed);
        let (mut opt_outs, mut said) = (Vec::new(), Vec::<(usize, u32, FieldName, Word)>::new());
        for CompletedInvocation { capability, generation, result, .. } in &mut completed {
            let InvocationResult::Called(InvocationReport { result: Ok(effects), refusals, .. }) = result
            else {
                continue;
            };
            let (capability, generation) = (*capability, *generation);
            let capability_state = self.capability_state(CapabilityRef { capability, generation });
            effects.retain(|effect| {
                let Effect::Claim { field, value } = effect else { return true };
                let Some(entry) = self.routing.field(field).filter(|entry| entry.protective) else {
                    return true;
                };
                let Some(word) = Word::of(value, at) else { return true };
                let own = |is: &&(usize, u32, FieldName, Word)| {
                    is.0 == capability && is.1 == generation && is.2 == *field
                };
                let known = said
                    .iter()
                    .rev()
                    .find(own)
                    .map(|is| is.3)
                    .or_else(|| Word::claimed(capability_state, field));
                let is_source = entry.source.as_ref() == Some(self.name(capability));
                let latched = Word::latched(self.state, field).filter(|_| is_source);
                if known.into_iter().chain(latched).any(|known| word.is_outdated_by(known)) {
                    let is_live = self.partition.generation(self.name(capability)) == Some(generation);
                    if word.opted_out && is_source && is_live && !opt_outs.contains(field) {
                        opt_outs.push(field.clone());
                    }
                    refusals.push(refusal(field, word));
                    return false;
                }
                // Who shares a number may opt everybody out, and consents for nobody else.
                if self.cause.shared && !word.opted_out {
                    refusals.push(others_consent(field));
                    return false;
                }
                said.push((capability, generation, field.clone(), word));
                true
            });
        }
        self.completed = completed;
        opt_outs
    }

    /// Whether an equal word of a protective field is newer than the known one.
    pub fn renews(
        &self,
        capability_state: Option<&CapabilityState>,
        field: &FieldName,
        value: &Option<Value>,
    ) -> bool {
        let at = self.cause.observed_at;
        self.routing.field(field).is_some_and(|entry| entry.protective)
            && Word::of(value, at).is_some()
            && Word::claimed(capability_state, field).is_some_and(|known| known.at < at)
    }

    /// Whether an opt-out that was visible already is said anew: it is latched, or its time is newer.
    pub fn latches(&self, changed: &Changed, outcomes: &[Outcome]) -> bool {
        let opt_out = |(field, value): &(FieldName, Option<Value>)| {
            *field == changed.field && *value == Some(Value::Boolean(true))
        };
        let is_newer = |known: Word| known.at < self.cause.observed_at;
        changed.protective
            && outcomes
                .iter()
                .any(|outcome| outcome.capability == changed.by && outcome.claims.iter().any(opt_out))
            && Word::latched(self.state, &changed.field).is_none_or(is_newer)
    }
}

/// Why somebody else's consent counts for nobody else.
fn others_consent(field: &FieldName) -> Refusal {
    Refusal {
        field: Some(field.to_string()),
        code: RefusalCode::ProtectiveNotOwn.into(),
        message:
            "Another customer with the same number or address said so; an opt-out ends by the customer's own \
                  word."
                .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_word_counts_and_at_the_same_moment_the_opt_out() {
        let word = |opted_out, at| Word { opted_out, at: Timestamp(at) };
        for (new, known, outdated) in [
            (word(false, 1), word(true, 2), true),
            (word(false, 2), word(true, 1), false),
            (word(false, 1), word(true, 1), true),
            (word(true, 1), word(false, 2), true),
            (word(true, 1), word(false, 1), false),
            (word(true, 2), word(false, 1), false),
            // The same word again is never wrong.
            (word(true, 1), word(true, 2), false),
            (word(false, 1), word(false, 2), false),
        ] {
            assert_eq!(new.is_outdated_by(known), outdated, "{new:?} {known:?}");
        }
    }
}
