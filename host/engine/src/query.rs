//! What can be asked of the engine: profiles, events, timelines. Only what is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::AcceptError;
use super::identity::Identity;
use super::shared::Shared;
use samsyn_identity::{belongs_to, owner_of};
use samsyn_journal::{
    Accepted, CapabilityState, CauseKind, Decided, InvocationStatus, PartitionState, ProfileState, Record,
    RecordError,
};
use samsyn_log::LogError;
use samsyn_registry::Registry;
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{
    CapabilityName, Event, FieldName, FullPosition, Identifier, IdentifierName, Partition, Position,
    ProfileId, Timestamp,
};

/// Records of a profile that are looked at to find what became of one event.
const RECORDS_LOOKED_AT_MAX: usize = 1_000;

/// Why a question can't be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The view can't be read.
    #[error(transparent)]
    View(#[from] StoreError),
    /// A record can't be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What is kept of a customer names a record that is another customer's, and none of one that became this
    /// customer. It is shown to nobody, and nothing is decided from it.
    #[error("record {position} belongs to another customer than {profile}, for whom it was to be read")]
    AnothersRecord {
        position: Position,
        /// Whose it should be.
        profile: ProfileId,
    },
}

/// A profile and what is needed to read it.
#[derive(Clone, Debug)]
pub struct ReadProfile {
    /// Every capability's claims.
    pub state: Arc<ProfileState>,
    /// Whose claims count where it lives.
    pub partition: PartitionState,
    /// Where that is.
    pub home: Partition,
}

/// An event and what became of it.
#[derive(Clone, Debug)]
pub struct EventDecisions {
    pub accepted: Accepted,
    /// Its decision, then what became later of its invocations, oldest first; empty when it isn't decided
    /// yet.
    pub decided: Vec<(Position, Decided)>,
    /// An invocation of it waits.
    pub blocked: bool,
    /// It isn't decided yet, or a capability that hears it lags and has yet to be given it.
    pub awaited: bool,
}

/// Some steps of a timeline, newest first.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    pub entries: Vec<TimelineEntry>,
    /// There were older ones, whose records have left the log by retention.
    pub is_cut: bool,
}

/// One step of a timeline.
#[derive(Clone, Debug)]
pub struct TimelineEntry {
    pub position: Position,
    /// What was decided.
    pub decided: Decided,
    /// The event it answers: an application's, or one a capability emitted; none for a change.
    pub event: Option<Event>,
    /// What was proposed.
    pub proposed: Vec<FieldName>,
}

/// The ETag of what somebody may see of a profile: it changes when a visible value of a field does
/// that they may see, and then only.
pub fn etag_of(
    state: &ProfileState,
    generations: &BTreeMap<CapabilityName, u32>,
    registry: &Registry,
    sees: impl Fn(&FieldName) -> bool,
) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(state.id.0.as_bytes());
    for (name, field) in registry.fields.iter().filter(|(name, _)| sees(name)) {
        if let Some(visible) = state.visible(name, field, generations) {
            hasher.update(name.as_str().as_bytes());
            hasher.update(&[0]);
            hasher.update(&samsyn_journal::encode(visible.value));
        }
    }
    format!("\"{}\"", &hasher.finalize().to_hex()[..16])
}

/// Answers questions about profiles, claims, events and timelines.
pub struct Query {
    pub(super) shared: Arc<Shared>,
    pub(super) identity: Arc<Identity>,
}

impl Query {
    /// Whether the record at a position has left the log by retention.
    pub fn is_removed(&self, position: Position) -> bool {
        self.shared.is_removed(position)
    }

    /// When the oldest record that is kept was appended, when any have left; none while the log
    /// still holds all.
    pub fn oldest_retained(&self) -> Result<Option<Timestamp>, QueryError> {
        self.shared.oldest_retained()
    }

    /// A profile. One that was made but about which nothing is decided yet is empty.
    pub fn profile(&self, id: ProfileId) -> Result<Option<ReadProfile>, QueryError> {
        let home = self.shared.home(id);
        let partition = self.shared.view.applied(home).partition;
        // Asked first: it ends when the view has the profile, which may be a moment from now.
        let is_fresh = self.identity.is_fresh(id);
        let state = match self.shared.view.profile(id)? {
            Some(state) => state,
            None if is_fresh => Arc::new(ProfileState::new(id, self.shared.clock.now())),
            None => return Ok(None),
        };
        Ok(Some(ReadProfile { state, partition, home }))
    }

    /// The ETag of a profile for somebody who sees these fields of it.
    pub fn etag(&self, profile: &ReadProfile, sees: impl Fn(&FieldName) -> bool) -> String {
        etag_of(&profile.state, &profile.partition.adopted.visible, &self.shared.registry(), sees)
    }

    /// The profile that goes by this identifier.
    pub fn resolve(&self, name: &IdentifierName, value: &str) -> Result<Option<ProfileId>, AcceptError> {
        let identifier = Identifier { name: name.clone(), value: value.to_owned() };
        let registry = self.shared.registry();
        Ok(self.identity.ask(&self.shared.view, |appended| owner_of(&identifier, &registry, appended))?)
    }

    /// What became of the event at a position; none when there is no event there.
    pub fn decisions(&self, position: Position) -> Result<Option<EventDecisions>, QueryError> {
        let accepted = match self.shared.record(position)? {
            Some(Record::Accepted(accepted)) => accepted,
            _ => return Ok(None),
        };
        // Asked first: what is decided meanwhile is then found below.
        let awaited = self.is_awaited(position, &accepted);
        let Some(profile) = self.profile(accepted.profile)? else {
            return Ok(Some(EventDecisions { accepted, decided: Vec::new(), blocked: false, awaited }));
        };
        let mut decided = Vec::new();
        let mut next = profile.state.head;
        // A decision always stands behind its event.
        let is_behind = |at: &Position| at.partition != position.partition || at.seq > position.seq;
        for _ in 0..RECORDS_LOOKED_AT_MAX {
            let Some(at) = next.filter(is_behind) else { break };
            let Some(Record::Decided(record)) = self.shared.own_record(profile.state.id, at)? else { break };
            next = record.previous;
            if record.kind == CauseKind::Offered
                && let Some(record) = self.of_event(position, &record)?
            {
                decided.push((at, record));
                continue;
            }
            if record.kind == CauseKind::Event && record.cause.record() == position {
                decided.push((at, record));
            }
        }
        decided.reverse();
        if decided.is_empty()
            && let Some(first) = self.first_decision(position)?
        {
            decided.push(first);
        }
        let is_newest_held = |capability_state: &CapabilityState| {
            let outcomes = decided.iter().rev().flat_map(|(_, decided)| decided.outcomes.iter().rev());
            let mut of_it = outcomes.filter(|is| {
                is.capability == capability_state.capability && is.generation == capability_state.generation
            });
            of_it.next().is_some_and(|is| matches!(is.result, InvocationStatus::Held))
        };
        let waits = |capability_state: &CapabilityState| {
            let listed = capability_state.blocked.iter().any(|blocked| blocked.item.record() == position);
            listed || (capability_state.held_more.is_some() && is_newest_held(capability_state))
        };
        let blocked = profile.state.capabilities.iter().any(|own| waits(own));
        Ok(Some(EventDecisions { accepted, decided, blocked, awaited }))
    }

    /// Whether an event isn't decided yet, or a capability that hears it lags behind. What a generation that
    /// catches up from the oldest event makes of it isn't waited for.
    fn is_awaited(&self, position: Position, accepted: &Accepted) -> bool {
        let partition = self.shared.view.applied(position.partition).partition;
        if partition.through.seq < position.seq {
            return true;
        }
        let registry = self.shared.registry();
        let hears = |name: &CapabilityName| {
            let mut routed = registry.routing.capabilities.iter().filter(|routed| routed.name == *name);
            routed.any(|routed| routed.hears(&accepted.event.name).is_some())
        };
        let mut lagging = partition.adopted.lagging.iter().filter(|cursor| !cursor.catching_up);
        lagging.any(|cursor| cursor.through.seq < position.seq && hears(&cursor.capability))
    }

    /// The record that decided an event, found from the event on: of a customer to whom much has
    /// happened since, it isn't found from the newest record back.
    fn first_decision(&self, event: Position) -> Result<Option<(Position, Decided)>, QueryError> {
        if self.shared.view.applied(event.partition).partition.through.seq < event.seq {
            return Ok(None);
        }
        for stored in self.shared.records().scan(event.partition, event.seq + 1) {
            let stored = stored?;
            let record = stored.record()?;
            if let Record::Decided(record) = record
                && record.kind == CauseKind::Event
                && record.cause.record() == event
            {
                return Ok(Some((stored.position, record)));
            }
        }
        Ok(None)
    }

    /// What a record that decides held proposals says of those of one event.
    fn of_event(&self, event: Position, record: &Decided) -> Result<Option<Decided>, QueryError> {
        let Some(Record::Decided(offer)) = self.shared.cause_of(record)? else { return Ok(None) };
        let of_event = |field: &FieldName| {
            offer.offered.iter().any(|held| held.event == Some(event) && held.field == *field)
        };
        let mut record = record.clone();
        record.answers.retain(|answer| of_event(&answer.field));
        Ok((!record.answers.is_empty()).then_some(record))
    }

    /// A profile's records before one of them (the newest when none), newest first.
    pub fn timeline(
        &self,
        profile: &ReadProfile,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, QueryError> {
        Ok(self.timeline_page(profile, before, limit)?.entries)
    }

    /// [`Query::timeline`], and whether older records have left the log.
    pub fn timeline_page(
        &self,
        profile: &ReadProfile,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Timeline, QueryError> {
        let id = profile.state.id;
        let mut timeline = Timeline::default();
        let mut next = match before {
            None => profile.state.head,
            Some(before) => match self.shared.record(before)? {
                Some(Record::Decided(record)) if belongs_to(record.profile, id) => record.previous,
                _ => {
                    timeline.is_cut = self.shared.is_removed(before);
                    None
                }
            },
        };
        while let Some(position) = next.filter(|_| timeline.entries.len() < limit) {
            // Beyond what is retained the timeline ends.
            let Some(Record::Decided(decided)) = self.shared.own_record(id, position)? else {
                timeline.is_cut = self.shared.is_removed(position);
                break;
            };
            next = decided.previous;
            timeline.entries.push(self.timeline_entry(position, decided)?);
        }
        Ok(timeline)
    }

    fn timeline_entry(&self, position: Position, decided: Decided) -> Result<TimelineEntry, QueryError> {
        let (event, proposed) = match self.shared.cause_of(&decided)? {
            Some(Record::Accepted(accepted)) => {
                let proposed = accepted.proposals.iter().map(|proposal| proposal.field.clone()).collect();
                (Some(accepted.event), proposed)
            }
            Some(Record::Decided(record)) => (emitted_event(&record, decided.cause), Vec::new()),
            _ => (None, Vec::new()),
        };
        Ok(TimelineEntry { position, decided, event, proposed })
    }
}

fn emitted_event(record: &Decided, item: FullPosition) -> Option<Event> {
    let emitted = record.emitted.get(usize::from(item.index).checked_sub(1)?)?;
    Some(Event {
        id: item.to_string(),
        application: None,
        name: emitted.name.clone(),
        at: record.observed_at,
        received_at: record.at,
        properties: emitted.properties.clone(),
    })
}
