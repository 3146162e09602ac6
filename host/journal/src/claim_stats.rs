//! Claim statistics of every field of a partition: how many profiles have which pattern of claims.
//!
//! A pattern names no value. It says for each claimant whether it has a value or the claim that
//! there is none, and which of the values are the same, once for every comparison a field could
//! have. So any question about sources (how many profiles would change, who disagrees with whom)
//! is a sum over few patterns, whatever the dictionary says of the field by then.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::{CapabilityState, Decided, Outcome, ProfileState};
use samsyn_registry::Compare;
use samsyn_vocabulary::{CapabilityName, FieldName, ProfileId, Value};

/// Claimants that a pattern tells apart. Fields have two or three, and a generation more for each
/// time one started anew; the number of patterns is bounded by what these can say.
pub const CLAIMANTS_MAX: usize = 8;
/// Profiles that a pattern remembers as examples: a plan shows a few, and some have moved on.
const LATEST_MAX: usize = 4;

/// What is said of a field of one profile, without the values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pattern {
    /// Who says something, by name and generation.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub claimants: Vec<Claimant>,
    /// Proposals that wait for a source.
    #[serde(rename = "h", default, skip_serializing_if = "is_zero")]
    pub held: u16,
    /// The opt-out is in force.
    #[serde(rename = "l", default, skip_serializing_if = "std::ops::Not::not")]
    pub latched: bool,
    /// There are more claimants than a pattern tells apart.
    #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// One generation of a capability in a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(from = "(CapabilityName, u32, Option<ValueNumbers>)")]
pub struct Claimant {
    pub capability: CapabilityName,
    /// Its generation.
    pub generation: u32,
    /// Which value it claims; none is the claim that there is no value.
    pub numbers: Option<ValueNumbers>,
}

/// For each comparison, the number of a value among the different ones of a pattern.
pub type ValueNumbers = [u8; Compare::ALL.len()];

impl Serialize for Claimant {
    /// As an array of three: claimants stand in keys of the view and in snapshots, without names.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.capability, self.generation, &self.numbers).serialize(serializer)
    }
}

impl From<(CapabilityName, u32, Option<ValueNumbers>)> for Claimant {
    fn from((capability, generation, numbers): (CapabilityName, u32, Option<ValueNumbers>)) -> Claimant {
        Claimant { capability, generation, numbers }
    }
}

/// How many profiles have a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub profiles: u64,
    /// Those that came to it last, newest first. They may have moved on.
    pub latest: Vec<ProfileId>,
}

/// A profile's field has another pattern now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternMove {
    pub field: FieldName,
    /// What it was; none when nothing was said.
    pub from: Option<Pattern>,
    /// What it is.
    pub to: Option<Pattern>,
}

/// A partition's counters.
#[derive(Clone, Debug, Default)]
pub struct ClaimStats {
    fields: FxHashMap<FieldName, FxHashMap<Pattern, Counter>>,
    /// What changed since this was last asked, each once.
    changed: Vec<(FieldName, Pattern)>,
}

/// Nobody may have the pattern any more: then it stays until somebody asked what changed.
#[derive(Clone, Debug, Default)]
struct Counter {
    count: Count,
    /// It is in the list of those that changed.
    listed: bool,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

impl Pattern {
    /// The pattern of a profile's field; none when nothing is said of it.
    pub fn of(state: &ProfileState, field: &FieldName) -> Option<Pattern> {
        let mut said: Vec<Said<'_>> = Vec::new();
        for capability_state in &state.capabilities {
            if let Some(claim) = capability_state.claim(field) {
                let CapabilityState { capability, generation, .. } = capability_state.as_ref();
                said.push(Said { capability, generation: *generation, value: claim.value.as_ref() });
            }
        }
        let held = state.held.iter().filter(|held| held.field == *field).count() as u16;
        let latched = state.latched.iter().any(|latch| latch.field == *field);
        if said.is_empty() && held == 0 && !latched {
            return None;
        }
        // Newer generations first, so that they are the ones that are told apart.
        said.sort_unstable_by(|one, other| {
            (one.capability, other.generation).cmp(&(other.capability, one.generation))
        });
        let more = said.len() > CLAIMANTS_MAX;
        said.truncate(CLAIMANTS_MAX);
        Some(Pattern { claimants: classes(&said), held, latched, more })
    }

    /// What a generation of a capability says: nothing, or whether it has a value and which.
    pub fn says(&self, capability: &CapabilityName, generation: u32) -> Option<Option<ValueNumbers>> {
        let claimant = self
            .claimants
            .iter()
            .find(|claimant| claimant.generation == generation && claimant.capability == *capability)?;
        Some(claimant.numbers)
    }
}

/// One claim of a field.
struct Said<'a> {
    capability: &'a CapabilityName,
    generation: u32,
    value: Option<&'a Value>,
}

/// Numbers the different values by their first occurrence, once for each comparison.
fn classes(said: &[Said<'_>]) -> Vec<Claimant> {
    let mut claimants: Vec<Claimant> = Vec::with_capacity(said.len());
    let mut next = [0u8; Compare::ALL.len()];
    for Said { capability, generation, value } in said {
        let numbers = value.map(|value| {
            Compare::ALL.map(|compare| {
                let index = compare.index();
                let same = |(other, claimant): (&Said<'_>, &Claimant)| {
                    let numbers = claimant.numbers?;
                    compare.agree(other.value?, value).then_some(numbers[index])
                };
                said.iter().zip(&claimants).find_map(same).unwrap_or_else(|| {
                    next[index] += 1;
                    next[index] - 1
                })
            })
        });
        claimants.push(Claimant { capability: (*capability).clone(), generation: *generation, numbers });
    }
    claimants
}

/// The fields of which a decision may change the pattern, with the pattern they had. Empty for
/// nearly every event: a value that changes into another one is no move where nobody else speaks.
pub fn moves_from(before: Option<&ProfileState>, decided: &Decided) -> Vec<PatternMove> {
    let mut moves: Vec<PatternMove> = Vec::new();
    let mut add = |field: &FieldName| {
        if !moves.iter().any(|change| change.field == *field) {
            let from = before.and_then(|before| Pattern::of(before, field));
            moves.push(PatternMove { field: field.clone(), from, to: None });
        }
    };
    for outcome in &decided.outcomes {
        for (field, value) in &outcome.claims {
            if !before.is_some_and(|before| stays(before, outcome, field, value.is_some())) {
                add(field);
            }
        }
    }
    if before.is_some_and(|before| !before.held.is_empty()) {
        decided.answers.iter().for_each(|answer| add(&answer.field));
    }
    decided.held.iter().for_each(|held| add(&held.field));
    decided.changes.iter().filter(|changed| changed.protective).for_each(|changed| add(&changed.field));
    moves
}

/// Whether the pattern is the same after a claim: it is the only one, and a value as before.
fn stays(before: &ProfileState, outcome: &Outcome, field: &FieldName, has_value: bool) -> bool {
    let mut own = false;
    for capability_state in &before.capabilities {
        let Some(claim) = capability_state.claim(field) else { continue };
        let is_own = capability_state.generation == outcome.generation
            && capability_state.capability == outcome.capability;
        if !is_own || claim.value.is_some() != has_value {
            return false;
        }
        own = true;
    }
    own
}

/// What [`moves_from`] found, with the patterns of the profile after the decision.
pub fn moves_to(mut moves: Vec<PatternMove>, after: &ProfileState) -> Vec<PatternMove> {
    for is in &mut moves {
        is.to = Pattern::of(after, &is.field);
    }
    moves.retain(|change| change.from != change.to);
    moves
}

impl ClaimStats {
    /// Moves a profile from its old patterns to its new ones.
    pub fn fold(&mut self, profile: ProfileId, moves: &[PatternMove]) {
        for is in moves {
            // A name is copied only where there is none yet: nearly always there is.
            match self.fields.get_mut(&is.field) {
                Some(patterns) => is.count(profile, patterns, &mut self.changed),
                None => {
                    let patterns = self.fields.entry(is.field.clone()).or_default();
                    is.count(profile, patterns, &mut self.changed);
                }
            }
        }
    }

    /// A field's patterns with their numbers.
    pub fn of(&self, field: &FieldName) -> impl Iterator<Item = (&Pattern, &Count)> {
        self.fields.get(field).into_iter().flat_map(now)
    }

    /// Fields of which anything is said.
    pub fn fields(&self) -> impl Iterator<Item = &FieldName> {
        self.fields.iter().filter(|(_, patterns)| now(patterns).next().is_some()).map(|(field, _)| field)
    }

    pub fn all(&self) -> impl Iterator<Item = (&FieldName, &Pattern, &Count)> {
        self.fields
            .iter()
            .flat_map(|(field, patterns)| now(patterns).map(move |(pattern, count)| (field, pattern, count)))
    }

    /// Puts back what was written.
    pub fn restore(&mut self, field: FieldName, pattern: Pattern, count: Count) {
        self.fields.entry(field).or_default().insert(pattern, Counter { count, listed: false });
    }

    /// What changed since this was last asked; none for a pattern that nobody has any more.
    pub fn take_changed(&mut self) -> Vec<(FieldName, Pattern, Option<Count>)> {
        let changed = std::mem::take(&mut self.changed);
        let mut now = |field: &FieldName, pattern: &Pattern| {
            let patterns = self.fields.get_mut(field)?;
            let counter = patterns.get_mut(pattern)?;
            counter.listed = false;
            let count = counter.count.clone();
            if count.profiles == 0 {
                patterns.remove(pattern);
                return None;
            }
            Some(count)
        };
        changed
            .into_iter()
            .map(|(field, pattern)| {
                let count = now(&field, &pattern);
                (field, pattern, count)
            })
            .collect()
    }
}

/// Those that anybody has.
fn now(patterns: &FxHashMap<Pattern, Counter>) -> impl Iterator<Item = (&Pattern, &Count)> {
    let now = patterns.iter().map(|(pattern, counter)| (pattern, &counter.count));
    now.filter(|(_, count)| count.profiles > 0)
}

impl PatternMove {
    fn count(
        &self,
        profile: ProfileId,
        patterns: &mut FxHashMap<Pattern, Counter>,
        changed: &mut Vec<(FieldName, Pattern)>,
    ) {
        let mut count = |pattern: &Pattern, count: fn(&mut Count, ProfileId)| {
            let counted = |counter: &mut Counter| {
                count(&mut counter.count, profile);
                std::mem::replace(&mut counter.listed, true)
            };
            let was_listed = match patterns.get_mut(pattern) {
                Some(counter) => counted(counter),
                None => counted(patterns.entry(pattern.clone()).or_default()),
            };
            if !was_listed {
                changed.push((self.field.clone(), pattern.clone()));
            }
        };
        self.from.iter().for_each(|from| count(from, Count::leave));
        self.to.iter().for_each(|to| count(to, Count::come));
    }
}

impl Count {
    fn come(&mut self, profile: ProfileId) {
        self.profiles += 1;
        self.latest.truncate(LATEST_MAX - 1);
        self.latest.insert(0, profile);
    }

    fn leave(&mut self, profile: ProfileId) {
        self.profiles = self.profiles.saturating_sub(1);
        self.latest.retain(|known| *known != profile);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{CapabilityState, Claim};
    use samsyn_vocabulary::{Partition, Position, Timestamp};

    fn state(claims: &[(&str, u32, Option<&str>)]) -> ProfileState {
        let mut state = ProfileState::new(ProfileId(uuid::Uuid::nil()), Timestamp(0));
        for (capability, generation, value) in claims {
            let capability = CapabilityName::new(capability).unwrap();
            let claim = Claim {
                field: field(),
                value: value.map(|value| Value::Text(value.to_owned())),
                observed_at: Timestamp(0),
                cause: Position { partition: Partition(0), seq: 1 }.item(0),
            };
            let (generation, claims) = (*generation, vec![claim]);
            let capability_state = CapabilityState {
                capability,
                generation,
                claims,
                memory: None,
                blocked: Vec::new(),
                held_more: None,
                timers: None,
                calls: None,
            };
            state.capabilities.push(Arc::new(capability_state));
        }
        state
    }

    fn field() -> FieldName {
        FieldName::new("phone").unwrap()
    }

    fn numbers(claims: &[(&str, u32, Option<&str>)]) -> Vec<Option<[u8; 3]>> {
        Pattern::of(&state(claims), &field())
            .unwrap()
            .claimants
            .into_iter()
            .map(|claimant| claimant.numbers)
            .collect()
    }

    #[test]
    fn a_pattern_tells_which_values_are_the_same_and_not_which_they_are() {
        assert_eq!(Pattern::of(&state(&[]), &field()), None);
        assert_eq!(numbers(&[("crm", 1, Some("a1"))]), [Some([0, 0, 0])]);
        let three = [("crm", 1, Some("a1")), ("loyalty", 1, Some("A1")), ("sms", 1, Some("b-1"))];
        assert_eq!(numbers(&three), [Some([0, 0, 0]), Some([1, 0, 0]), Some([2, 1, 0])]);
        assert_eq!(numbers(&[("crm", 1, None), ("sms", 1, Some("x"))]), [None, Some([0, 0, 0])]);
        // Whoever spoke first: the pattern is one.
        let [a, b] = [("crm", 1, Some("x")), ("sms", 2, None)];
        assert_eq!(Pattern::of(&state(&[a, b]), &field()), Pattern::of(&state(&[b, a]), &field()));
    }

    #[test]
    fn a_claimant_is_stored_as_an_array_as_it_always_was() {
        let stored = ("crm".to_owned(), 3_u32, Some([1_u8, 0, 2]));
        let claimant = Claimant {
            capability: CapabilityName::new("crm").unwrap(),
            generation: 3,
            numbers: Some([1, 0, 2]),
        };
        assert_eq!(crate::encode(&claimant), crate::encode(&stored));
        let read: Claimant = crate::decode(&crate::encode(&stored)).unwrap();
        assert_eq!(read, claimant);
    }

    #[test]
    fn there_is_a_bound_and_it_is_told() {
        let many: Vec<(&str, u32, Option<&str>)> =
            (1..=12).map(|number| ("crm", number, Some("x"))).collect();
        let pattern = Pattern::of(&state(&many), &field()).unwrap();
        assert!(pattern.more);
        let generations: Vec<u32> = pattern.claimants.iter().map(|claimant| claimant.generation).collect();
        assert_eq!(generations, [12, 11, 10, 9, 8, 7, 6, 5], "the newest generations");
    }

    #[test]
    fn counters_move_and_forget_what_nobody_has() {
        let (mut patterns, id) = (ClaimStats::default(), ProfileId::random());
        let one = Pattern::of(&state(&[("crm", 1, Some("x"))]), &field());
        let two = Pattern::of(&state(&[("crm", 1, None)]), &field());
        let step = |from: &Option<Pattern>, to: &Option<Pattern>| {
            [PatternMove { field: field(), from: from.clone(), to: to.clone() }]
        };
        patterns.fold(id, &step(&None, &one));
        patterns.fold(ProfileId::random(), &step(&None, &one));
        patterns.fold(id, &step(&one, &two));
        let count = |patterns: &ClaimStats, is: &Option<Pattern>| {
            patterns
                .of(&field())
                .find(|(pattern, _)| Some(*pattern) == is.as_ref())
                .map(|(_, count)| count.profiles)
        };
        assert_eq!((count(&patterns, &one), count(&patterns, &two)), (Some(1), Some(1)));
        assert_eq!(patterns.take_changed().len(), 2);
        patterns.fold(id, &step(&two, &None));
        assert_eq!(count(&patterns, &two), None);
        let changed = patterns.take_changed();
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].2, None);
    }
}
