//! Invocations that wait: parked ones, and those held behind them. Listed, counted, and given to their
//! lanes to be run again or given up.

use std::sync::Arc;

use serde::Serialize;

use super::QueryError;
use super::shared::Shared;
use super::work::Work;
use samsyn_journal::{Blocked, CapabilityState, PartitionState, ProfileState};
use samsyn_vocabulary::{CapabilityName, FailureKind, Partition, ProfileId};

/// What waits now, of all capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Invocations that failed and wait for a fixed plug-in or an admin.
    pub parked: u64,
    /// Invocations that wait behind those.
    pub held: u64,
    /// Customers of whom an invocation or a proposal waits.
    pub customers: usize,
    /// Whether all of them were counted; else there are more invocations.
    pub all_counted: bool,
}

/// Which waiting invocations are meant.
#[derive(Clone, Debug, Default)]
pub struct ParkedFilter {
    /// Of this capability.
    pub capability: Option<CapabilityName>,
    /// Of this customer.
    pub profile: Option<ProfileId>,
    /// That failed in this way.
    pub kind: Option<FailureKind>,
}

/// An invocation that waits.
#[derive(Clone, Debug)]
pub struct ParkedItem {
    /// Whose.
    pub profile: ProfileId,
    /// Of which capability.
    pub capability: CapabilityName,
    /// Of which generation.
    pub generation: u32,
    /// Where the profile's records are.
    pub partition: Partition,
    /// What waits and why.
    pub blocked: Blocked,
}

/// A page of waiting invocations.
#[derive(Clone, Debug)]
pub struct ParkedPage {
    /// The invocations, by partition and profile.
    pub items: Vec<ParkedItem>,
    /// Where the next page starts; none on the last.
    pub next: Option<ParkedCursor>,
}

/// The last profile of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ParkedCursor(pub Partition, pub ProfileId);

impl ParkedFilter {
    fn takes(&self, item: &ParkedItem) -> bool {
        let kind = item.blocked.failure.as_ref().map(|failure| failure.kind);
        self.capability.as_ref().is_none_or(|capability| *capability == item.capability)
            && self.profile.is_none_or(|profile| profile == item.profile)
            && self.kind.is_none_or(|wanted| kind == Some(wanted))
    }
}

/// Customers whose waiting invocations are counted whenever somebody asks how the host is.
const CUSTOMERS_COUNTED_MAX: usize = 1_000;

/// Profiles looked at for one page, beyond which it ends though it isn't full.
const PROFILES_A_PAGE_MAX: usize = 10_000;

/// The waiting invocations of all customers.
pub struct Parked {
    pub(super) shared: Arc<Shared>,
}

impl Parked {
    /// What waits now. Invocations are counted of the first thousand customers: with more, there are more.
    pub fn waiting_now(&self) -> Waiting {
        let customers = self.shared.view.waiting_count();
        let mut now =
            Waiting { customers, all_counted: customers <= CUSTOMERS_COUNTED_MAX, parked: 0, held: 0 };
        for (partition, profile) in self.shared.view.waiting(None, CUSTOMERS_COUNTED_MAX) {
            // One that can't be read is told of by whoever needs it.
            let Ok(Some(state)) = self.shared.view.profile(profile) else { continue };
            let partition_state = self.shared.view.applied(partition).partition;
            let current = |capability_state: &&Arc<CapabilityState>| {
                is_current(&capability_state.capability, capability_state.generation, &partition_state)
            };
            for capability_state in state.capabilities.iter().filter(current) {
                let parked =
                    capability_state.blocked.iter().filter(|blocked| blocked.failure.is_some()).count();
                now.parked += parked as u64;
                now.held += (capability_state.waiting() - parked) as u64;
            }
        }
        now
    }

    /// The waiting invocations that the filter takes, at most `limit` and those of one profile.
    pub fn list(
        &self,
        filter: &ParkedFilter,
        after: Option<ParkedCursor>,
        limit: usize,
    ) -> Result<ParkedPage, QueryError> {
        let mut page = ParkedPage { items: Vec::new(), next: None };
        let after = after.map(|ParkedCursor(partition, profile)| (partition, profile));
        let waiting = self.shared.view.waiting(after, PROFILES_A_PAGE_MAX);
        let all = waiting.len() < PROFILES_A_PAGE_MAX;
        let mut last = None;
        for (partition, profile) in waiting {
            if page.items.len() >= limit {
                page.next = last;
                return Ok(page);
            }
            last = Some(ParkedCursor(partition, profile));
            if filter.profile.is_some_and(|wanted| wanted != profile) {
                continue;
            }
            let Some(state) = self.shared.view.profile(profile)? else { continue };
            let partition_state = self.shared.view.applied(partition).partition;
            let all = self.blocked_of(&state, partition)?;
            let counts = |item: &ParkedItem| is_current(&item.capability, item.generation, &partition_state);
            page.items.extend(all.into_iter().filter(|item| filter.takes(item) && counts(item)));
        }
        page.next = if all { None } else { last };
        Ok(page)
    }

    /// How many invocations of a capability wait.
    pub fn count(&self, capability: &CapabilityName) -> usize {
        let filter = ParkedFilter { capability: Some(capability.clone()), ..ParkedFilter::default() };
        self.list(&filter, None, usize::MAX).map_or(0, |page| page.items.len())
    }

    /// Runs the waiting invocations of each customer and capability that the filter takes; how many.
    pub fn retry(&self, filter: &ParkedFilter) -> Result<usize, QueryError> {
        self.act_on(filter, None)
    }

    /// Gives up the parked invocations that the filter takes, and runs those held behind them.
    pub fn skip(&self, filter: &ParkedFilter, reason: &str) -> Result<usize, QueryError> {
        self.act_on(filter, Some(reason))
    }

    /// All invocations of a customer that wait, listed in the profile or not.
    fn blocked_of(&self, state: &ProfileState, partition: Partition) -> Result<Vec<ParkedItem>, QueryError> {
        let mut items = Vec::new();
        for capability_state in &state.capabilities {
            let more = self.shared.held_more(state, capability_state)?;
            items.extend(capability_state.blocked.iter().cloned().chain(more).map(|blocked| ParkedItem {
                profile: state.id,
                capability: capability_state.capability.clone(),
                generation: capability_state.generation,
                partition,
                blocked,
            }));
        }
        Ok(items)
    }

    fn act_on(&self, filter: &ParkedFilter, skip: Option<&str>) -> Result<usize, QueryError> {
        let mut after = None;
        let mut matched = 0;
        loop {
            let page = self.list(filter, after, 1_000)?;
            let mut asked: Vec<(ProfileId, CapabilityName)> = Vec::new();
            for item in &page.items {
                matched += 1;
                let who = (item.profile, item.capability.clone());
                if asked.last() != Some(&who) {
                    asked.push(who.clone());
                    let (profile, capability) = who;
                    let (partition, skip) = (item.partition, skip.map(str::to_owned));
                    self.shared.schedule.push(partition, Work::Retry { profile, capability, skip });
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(matched),
            }
        }
    }
}

/// What a generation left behind that another one has replaced waits for nobody.
fn is_current(capability: &CapabilityName, generation: u32, partition_state: &PartitionState) -> bool {
    Some(generation) >= partition_state.generation(capability)
}
