//! Giving fields to another source: what that would change, from the counters, and doing it.

use std::collections::BTreeMap;

use super::fault::StopCause;
use super::registrar::{ChangeError, Registrar};
use samsyn_decide::visible_claim::VisibleClaim;
use samsyn_journal::history;
use samsyn_journal::{PartitionState, Pattern};
use samsyn_registry::assignment::{Mode, Request};
use samsyn_registry::{
    Assigned, Attribution, Field, Lineage, PlannedMove, Registry, RegistryChange, RegistryError,
};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{CapabilityName, ProfileId, Seq, Value};

/// Customers shown for each field of a plan.
const SAMPLES_MAX: usize = 5;
/// Changes that a refusal of a stale plan lists.
const SINCE_MAX: usize = 20;

/// What an assignment would change. Counts are of customers, exact as of the last durable record.
#[derive(Clone, Debug, PartialEq)]
pub struct AssignmentPlan {
    /// The registry's revision; applying it at another one is refused.
    pub revision: Seq,
    /// What becomes of customers the new source has no claim for.
    pub mode: Mode,
    /// Each field.
    pub fields: Vec<FieldPlan>,
}

/// What an assignment would change of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldPlan {
    /// The field as it would be.
    pub assigned: Assigned,
    /// Its source now.
    pub from: Option<CapabilityName>,
    /// It already is what it would be.
    pub unchanged: bool,
    /// An opt-out: whatever becomes of its source, `true` stays.
    pub protective: bool,
    /// Customers whose visible value would be another one.
    pub changed: u64,
    /// Customers with a value that the new source has no claim for.
    pub without_claim: u64,
    /// Those of them that keep the value they have.
    pub inherit: u64,
    /// Customers whose opt-out is in force, and stays.
    pub opt_outs: u64,
    /// Held proposals that the new source would be offered.
    pub held: u64,
    /// Customers with more claimants than are counted one by one: what they see may differ.
    pub uncounted: u64,
    /// Who hears of it.
    pub consumers: Vec<ConsumerPlan>,
    /// A few customers whose value would be another one.
    pub samples: Vec<SamplePlan>,
}

/// A capability that hears of changed values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerPlan {
    /// Which.
    pub capability: CapabilityName,
    /// Of how many customers.
    pub profiles: u64,
}

/// A customer whose visible value would be another one.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplePlan {
    /// Who.
    pub profile: ProfileId,
    /// The value now.
    pub before: Option<Value>,
    /// The value then.
    pub after: Option<Value>,
}

impl AssignmentPlan {
    /// Whether it would change nothing.
    pub fn is_no_change(&self) -> bool {
        self.fields.iter().all(|field| field.unchanged)
    }
}

impl Registrar {
    /// What an assignment would change. Reads the counters and a few profiles.
    pub fn plan_assignment(&self, request: &Request) -> Result<AssignmentPlan, ChangeError> {
        let registry = self.shared.registry();
        let assigned = registry.assign(request)?;
        let fields = assigned.into_iter().map(|assigned| {
            let unknown = || RegistryError::Unknown { kind: "field", name: assigned.field.to_string() };
            let field = registry.fields.get(&assigned.field).cloned().ok_or_else(unknown)?;
            self.plan_move(&registry, PlannedMove { assigned, field })
        });
        Ok(AssignmentPlan {
            revision: registry.revision,
            mode: request.mode,
            fields: fields.collect::<Result<_, _>>()?,
        })
    }

    /// Carries an assignment out, in one record for all its fields; the record's number, or none
    /// when nothing changes. `planned` is the revision of the plan that was looked at.
    pub fn assign(
        &self,
        request: &Request,
        planned: Option<Seq>,
        by: impl Into<Attribution>,
    ) -> Result<(AssignmentPlan, Option<Seq>), ChangeError> {
        let _changing = self.changing.lock();
        planned.map_or(Ok(()), |planned| self.check_plan(planned))?;
        let plan = self.plan_assignment(request)?;
        let moving = plan.fields.iter().filter(|field| !field.unchanged);
        let fields: Vec<Assigned> = moving.map(|field| field.assigned.clone()).collect();
        if fields.is_empty() {
            return Ok((plan, None));
        }
        let seq = self.append_change_locked(RegistryChange::SourcesMoved { fields }, by.into())?;
        Ok((plan, Some(seq)))
    }

    /// Removes a capability. One that still is the source of fields is refused, unless `force`
    /// says that they are to have none.
    pub fn remove_capability(
        &self,
        capability: CapabilityName,
        force: bool,
        by: impl Into<Attribution>,
    ) -> Result<Seq, ChangeError> {
        let _changing = self.changing.lock();
        let registry = self.shared.registry();
        let fields = registry.sourced_by(&capability);
        if !force && !fields.is_empty() {
            let heirs = registry.heirs_of(&fields, &capability);
            return Err(RegistryError::StillSources { capability, fields, heirs }.into());
        }
        self.append_change_locked(RegistryChange::Removed { capability }, by.into())
    }

    /// Counts whom a move concerns. The field is what it is after it, which may be another than today's, or
    /// a new one.
    pub(super) fn plan_move(
        &self,
        registry: &Registry,
        moved: PlannedMove,
    ) -> Result<FieldPlan, ChangeError> {
        let PlannedMove { assigned, field: after } = moved;
        let name = assigned.field.clone();
        let without = || Field { source: None, inherits: Vec::new(), ..after.clone() };
        let field = &registry.fields.get(&name).cloned().unwrap_or_else(without);
        let mut plan = FieldPlan::new(assigned, field, after.protective);
        plan.unchanged = registry.is_assigned(&plan.assigned);
        let observers = registry.routing.observers(&name);
        let observers = observers.iter().map(|index| &registry.routing.capabilities[*index].name);
        plan.consumers =
            observers.map(|name| ConsumerPlan { capability: name.clone(), profiles: 0 }).collect();
        let mut candidates: Vec<ProfileId> = Vec::new();
        for partition in self.shared.partitions() {
            let partition_state = self.shared.view.applied(partition).partition;
            self.shared.view.with_claim_stats(partition, |patterns| {
                for (pattern, count) in patterns.of(&name) {
                    if plan.count(pattern, count.profiles, field, &partition_state)
                        && candidates.len() < 10 * SAMPLES_MAX
                    {
                        candidates.extend(count.latest.iter().take(SAMPLES_MAX));
                    }
                }
            });
        }
        plan.consumers.retain(|consumer| consumer.profiles > 0);
        plan.samples = self.samples(&plan, field, &candidates).map_err(StopCause::from)?;
        Ok(plan)
    }

    /// The first candidates whose value would still be another one.
    fn samples(
        &self,
        plan: &FieldPlan,
        field: &Field,
        candidates: &[ProfileId],
    ) -> Result<Vec<SamplePlan>, StoreError> {
        let mut samples = Vec::new();
        for profile in candidates {
            if samples.len() == SAMPLES_MAX {
                break;
            }
            let Some(state) = self.shared.view.profile(*profile)? else { continue };
            let partition_state = self.shared.view.applied(self.shared.home(*profile)).partition;
            let value = |lineage: Lineage<'_>| {
                let visible =
                    state.visible_by(&plan.assigned.field, lineage, &partition_state.adopted.visible);
                visible.map(|visible| visible.value.clone())
            };
            let (before, after) = (value(field.lineage()), value(plan.lineage_after()));
            if before != after {
                samples.push(SamplePlan { profile: *profile, before, after });
            }
        }
        Ok(samples)
    }

    /// Whether the registry still is what a plan was made for. To be asked while nobody else can
    /// change it.
    pub(super) fn check_plan(&self, planned: Seq) -> Result<(), RegistryError> {
        let revision = self.shared.registry().revision;
        if planned == revision {
            return Ok(());
        }
        Err(RegistryError::PlanStale { planned, revision, since: self.changes_since(planned) })
    }

    /// What changed in the registry after a revision, in words, oldest first.
    fn changes_since(&self, revision: Seq) -> Vec<String> {
        let wanted: Vec<Seq> =
            (revision.saturating_add(1)..=self.shared.registry().revision).take(SINCE_MAX).collect();
        // Whoever is refused for it can ask the audit as well; here an unreadable log says nothing.
        let summaries = history::summaries(self.shared.records(), &wanted).unwrap_or_default();
        summaries
            .into_iter()
            .map(|(seq, record, summary)| format!("revision {seq}: {} {}", record.by, summary.did))
            .collect()
    }
}

fn lineage_of(assigned: &Assigned, protective: bool) -> Lineage<'_> {
    Lineage { source: assigned.source.as_ref(), inherits: &assigned.inherits, protective }
}

impl FieldPlan {
    /// Whose claims count then.
    fn lineage_after(&self) -> Lineage<'_> {
        lineage_of(&self.assigned, self.protective)
    }

    fn new(assigned: Assigned, field: &Field, protective: bool) -> FieldPlan {
        FieldPlan {
            assigned,
            from: field.source.clone(),
            unchanged: false,
            protective,
            changed: 0,
            without_claim: 0,
            inherit: 0,
            opt_outs: 0,
            held: 0,
            uncounted: 0,
            consumers: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Counts the customers of a pattern; whether their value would be another one.
    fn count(
        &mut self,
        pattern: &Pattern,
        profiles: u64,
        field: &Field,
        partition_state: &PartitionState,
    ) -> bool {
        let generations: &BTreeMap<CapabilityName, u32> = &partition_state.adopted.visible;
        let was = VisibleClaim::of(pattern, field.lineage(), generations);
        let is = VisibleClaim::of(pattern, lineage_of(&self.assigned, self.protective), generations);
        let has_claim = |source: &CapabilityName| {
            generations.get(source).is_some_and(|generation| pattern.says(source, *generation).is_some())
        };
        let claims = self.assigned.source.as_ref().is_some_and(has_claim);
        match was {
            VisibleClaim::OptedOut => self.opt_outs += profiles,
            VisibleClaim::Value { .. } if !claims => {
                self.without_claim += profiles;
                self.inherit += if matches!(is, VisibleClaim::Nothing) { 0 } else { profiles };
            }
            _ => {}
        }
        if self.assigned.source.is_some() {
            self.held += u64::from(pattern.held) * profiles;
        }
        self.uncounted += if pattern.more { profiles } else { 0 };
        if was.shows_as(is) {
            return false;
        }
        self.changed += profiles;
        let by = match is {
            VisibleClaim::Value { by, .. } => Some(by),
            _ => self.assigned.source.as_ref().or(self.from.as_ref()),
        };
        for consumer in self.consumers.iter_mut().filter(|consumer| Some(&consumer.capability) != by) {
            consumer.profiles += profiles;
        }
        true
    }
}
