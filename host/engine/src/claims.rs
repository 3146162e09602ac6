//! Who says what about a field: profile by profile, and how far capabilities agree, from the
//! counters.

use std::collections::BTreeMap;

use super::query::Query;
use super::{QueryError, ReadProfile};
use samsyn_registry::Compare;
use samsyn_vocabulary::{CapabilityName, FieldName, ProfileId, Value};

/// Profiles looked at for one page, beyond which it ends though it isn't full.
const PROFILES_A_PAGE_MAX: usize = 10_000;
/// Profiles read from the view in one go.
const PROFILES_A_SCAN: usize = 1_000;
/// Customers shown for each pair of capabilities.
const SAMPLES_MAX: usize = 3;
/// Customers looked at to find those: some have moved on since they were counted.
const CANDIDATES_MAX: usize = 30;

/// A page of profiles.
pub struct ClaimsPage {
    /// Profiles of which the field is spoken, by id.
    pub profiles: Vec<ReadProfile>,
    /// The last one looked at; none on the last page.
    pub next: Option<ProfileId>,
}

/// How far two capabilities agree about a field. Counts are exact as of the last durable record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pair {
    /// Customers both speak of. That there is no value is said too.
    pub both: u64,
    /// Customers they say the same of.
    pub agree: u64,
    /// Customers they say something else of.
    pub differ: u64,
    /// A few customers they differ on, with what each says.
    pub samples: Vec<Difference>,
}

/// A customer two capabilities differ on, with what each says.
pub type Difference = (ProfileId, Option<Value>, Option<Value>);

/// Every pair of capabilities that speak of a field, by name.
pub type Pairs = BTreeMap<(CapabilityName, CapabilityName), Pair>;

impl Query {
    /// The next profiles of which the field is spoken.
    pub fn claims(
        &self,
        field: &FieldName,
        mut after: Option<ProfileId>,
        limit: usize,
    ) -> Result<ClaimsPage, QueryError> {
        let (mut found, mut looked_at) = (Vec::new(), 0);
        while looked_at < PROFILES_A_PAGE_MAX {
            let profiles = self.shared.view.profiles_after(after, PROFILES_A_SCAN)?;
            for state in &profiles {
                after = Some(state.id);
                let claimed = state.capabilities.iter().any(|own| own.claim(field).is_some());
                if claimed || state.held.iter().any(|held| held.field == *field) {
                    let home = self.shared.home(state.id);
                    let partition = self.shared.view.applied(home).partition;
                    found.push(ReadProfile { state: state.clone(), partition, home });
                }
                if found.len() == limit {
                    return Ok(ClaimsPage { profiles: found, next: after });
                }
            }
            looked_at += profiles.len();
            if profiles.len() < PROFILES_A_SCAN {
                return Ok(ClaimsPage { profiles: found, next: None });
            }
        }
        Ok(ClaimsPage { profiles: found, next: after })
    }

    /// How far every two capabilities agree about a field.
    pub fn disagreements(&self, field: &FieldName, compare: Compare) -> Result<Pairs, QueryError> {
        let mut pairs = Pairs::new();
        let mut candidates: BTreeMap<(CapabilityName, CapabilityName), Vec<ProfileId>> = BTreeMap::new();
        for partition in self.shared.partitions() {
            let partition_state = self.shared.view.applied(partition).partition;
            self.shared.view.with_claim_stats(partition, |patterns| {
                for (pattern, count) in patterns.of(field) {
                    let counts = |claimant: &&samsyn_journal::Claimant| {
                        partition_state.generation(&claimant.capability) == Some(claimant.generation)
                    };
                    let speakers: Vec<_> = pattern.claimants.iter().filter(counts).collect();
                    for (index, one) in speakers.iter().enumerate() {
                        for other in &speakers[index + 1..] {
                            let number = |claimant: &samsyn_journal::Claimant| {
                                claimant.numbers.map(|numbers| numbers[compare.index()])
                            };
                            let names = (one.capability.clone(), other.capability.clone());
                            let pair = pairs.entry(names.clone()).or_default();
                            pair.both += count.profiles;
                            if number(one) == number(other) {
                                pair.agree += count.profiles;
                                continue;
                            }
                            pair.differ += count.profiles;
                            let some = candidates.entry(names).or_default();
                            if some.len() < CANDIDATES_MAX {
                                some.extend(&count.latest);
                            }
                        }
                    }
                }
            });
        }
        for (names, candidates) in candidates {
            if let Some(pair) = pairs.get_mut(&names) {
                pair.samples = self.samples_of(field, compare, &names, &candidates)?;
            }
        }
        Ok(pairs)
    }

    /// The first candidates on whom the two still differ.
    fn samples_of(
        &self,
        field: &FieldName,
        compare: Compare,
        names: &(CapabilityName, CapabilityName),
        candidates: &[ProfileId],
    ) -> Result<Vec<Difference>, QueryError> {
        let mut samples: Vec<Difference> = Vec::new();
        for profile in candidates {
            let Some(state) = self.shared.view.profile(*profile)? else { continue };
            let partition_state = self.shared.view.applied(self.shared.home(*profile)).partition;
            let says = |by: &CapabilityName| {
                let claim = state.capability_state(by, partition_state.generation(by)?)?.claim(field)?;
                Some(claim.value.clone())
            };
            let (Some(one), Some(other)) = (says(&names.0), says(&names.1)) else { continue };
            let same = match (&one, &other) {
                (Some(one), Some(other)) => compare.agree(one, other),
                (None, None) => true,
                _ => false,
            };
            if !same && !samples.iter().any(|(is, ..)| is == profile) {
                samples.push((*profile, one, other));
            }
            if samples.len() == SAMPLES_MAX {
                break;
            }
        }
        Ok(samples)
    }

    /// Fields of which anything is said of anybody.
    pub fn spoken_fields(&self) -> std::collections::BTreeSet<FieldName> {
        let mut fields = std::collections::BTreeSet::new();
        for partition in self.shared.partitions() {
            self.shared
                .view
                .with_claim_stats(partition, |patterns| fields.extend(patterns.fields().cloned()));
        }
        fields
    }
}
