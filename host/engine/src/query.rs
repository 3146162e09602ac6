//! What can be asked of the engine: profiles, events, timelines. Only what is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accept::Remembered;
use super::{AcceptError, Engine};
use samsyn_identity::owner_of;
use samsyn_journal::{
    Accepted, CapabilityState, CauseKind, Decided, InvocationStatus, PartitionState, ProfileState, Record,
    RecordError,
};
use samsyn_log::LogError;
use samsyn_registry::Registry;
use samsyn_state::view::{EventKey, StoreError};
use samsyn_vocabulary::{
    Application, CapabilityName, Event, FieldName, Identifier, IdentifierName, Partition, Position,
    ProfileId, Seq,
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

impl Engine {
    /// A profile. One that was made but about which nothing is decided yet is empty.
    pub fn profile(&self, id: ProfileId) -> Result<Option<ReadProfile>, QueryError> {
        let home = self.home(id);
        let partition = self.view.applied(home).partition;
        // Asked first: it ends when the view has the profile, which may be a moment from now.
        let is_fresh = self.identity.is_fresh(id);
        let state = match self.view.profile(id)? {
            Some(state) => state,
            None if is_fresh => Arc::new(ProfileState::new(id, self.clock.now())),
            None => return Ok(None),
        };
        Ok(Some(ReadProfile { state, partition, home }))
    }

    /// The ETag of a profile for somebody who sees these fields of it.
    pub fn etag(&self, profile: &ReadProfile, sees: impl Fn(&FieldName) -> bool) -> String {
        etag_of(&profile.state, &profile.partition.adopted.visible, &self.registry(), sees)
    }

    /// The profile that goes by this identifier.
    pub fn resolve(&self, name: &IdentifierName, value: &str) -> Result<Option<ProfileId>, AcceptError> {
        let identifier = Identifier { name: name.clone(), value: value.to_owned() };
        let registry = self.registry();
        Ok(self.identity.ask(&self.view, |appended| owner_of(&identifier, &registry, appended))?)
    }

    /// Where an application's event stands, or stood.
    pub fn event(&self, application: &Application, id: &str) -> Result<Option<Position>, AcceptError> {
        let key = EventKey::of(application, id);
        // What was just acknowledged may not be in the view yet.
        let in_flight = self.event_ids.shard(key).get(&key).copied();
        let known = match in_flight {
            Some(entry) => Remembered::Entry(entry),
            None => self.remembered(key, application, id)?,
        };
        Ok(match known {
            Remembered::Entry(entry) => Some(entry.position),
            Remembered::Removed(position) => Some(position),
            Remembered::Nothing => None,
        })
    }

    /// Whether the record at a position has left the log by retention.
    pub fn is_removed(&self, position: Position) -> bool {
        position.seq > 0 && position.seq < self.log().oldest(position.partition)
    }

    /// What became of the event at a position; none when there is no event there.
    pub fn decisions(&self, position: Position) -> Result<Option<EventDecisions>, QueryError> {
        let accepted = match self.record(position)? {
            Some(Record::Accepted(accepted)) => accepted,
            _ => return Ok(None),
        };
        // Asked first: what is decided meanwhile is then found below.
        let awaited = self.is_awaited(position, &accepted);
        let Some(profile) = self.profile(accepted.profile)? else {
            return Ok(Some(EventDecisions { accepted, decided: Vec::new(), blocked: false, awaited }));
        };
        let mut decided = Vec::new();
        let mut next = Some(profile.state.head);
        for _ in 0..RECORDS_LOOKED_AT_MAX {
            // A decision always stands behind its event.
            let Some(seq) = next.filter(|seq| *seq > position.seq) else { break };
            let at = Position { partition: position.partition, seq };
            let Some(Record::Decided(record)) = self.record(at)? else { break };
            next = record.previous;
            if record.kind == CauseKind::Offered
                && let Some(record) = self.of_event(position, &record)?
            {
                decided.push((at, record));
                continue;
            }
            if record.kind == CauseKind::Event && record.cause.seq == position.seq {
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
            let listed = capability_state.blocked.iter().any(|blocked| blocked.item.seq == position.seq);
            listed || (capability_state.held_more.is_some() && is_newest_held(capability_state))
        };
        let blocked = profile.state.capabilities.iter().any(|own| waits(own));
        Ok(Some(EventDecisions { accepted, decided, blocked, awaited }))
    }

    /// Whether an event isn't decided yet, or a capability that hears it lags behind. What a generation that
    /// catches up from the oldest event makes of it isn't waited for.
    fn is_awaited(&self, position: Position, accepted: &Accepted) -> bool {
        let partition = self.view.applied(position.partition).partition;
        if partition.through.seq < position.seq {
            return true;
        }
        let registry = self.registry();
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
        if self.view.applied(event.partition).partition.through.seq < event.seq {
            return Ok(None);
        }
        for stored in self.records().scan(event.partition, event.seq + 1) {
            let stored = stored?;
            let record = stored.record()?;
            if let Record::Decided(record) = record
                && record.kind == CauseKind::Event
                && record.cause.seq == event.seq
            {
                return Ok(Some((stored.position, record)));
            }
        }
        Ok(None)
    }

    /// What a record that decides held proposals says of those of one event.
    fn of_event(&self, event: Position, record: &Decided) -> Result<Option<Decided>, QueryError> {
        let offer = Position { partition: event.partition, seq: record.cause.seq };
        let Some(Record::Decided(offer)) = self.record(offer)? else { return Ok(None) };
        let of_event = |field: &FieldName| {
            offer.offered.iter().any(|held| held.event == Some(event.seq) && held.field == *field)
        };
        let mut record = record.clone();
        record.answers.retain(|answer| of_event(&answer.field));
        Ok((!record.answers.is_empty()).then_some(record))
    }

    /// A profile's records before a sequence (the newest when none), newest first.
    pub fn timeline(
        &self,
        profile: &ReadProfile,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<TimelineEntry>, QueryError> {
        Ok(self.timeline_page(profile, before, limit)?.entries)
    }

    /// [`Engine::timeline`], and whether older records have left the log.
    pub fn timeline_page(
        &self,
        profile: &ReadProfile,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Timeline, QueryError> {
        let partition = profile.home;
        let mut timeline = Timeline::default();
        let mut next = match before {
            None => Some(profile.state.head).filter(|head| *head > 0),
            Some(before) => match self.record(Position { partition, seq: before })? {
                Some(Record::Decided(record)) if record.profile == profile.state.id => record.previous,
                _ => {
                    timeline.is_cut = self.is_removed(Position { partition, seq: before });
                    None
                }
            },
        };
        while let Some(seq) = next.filter(|_| timeline.entries.len() < limit) {
            let position = Position { partition, seq };
            // Beyond what is retained the timeline ends.
            let Some(Record::Decided(decided)) = self.record(position)? else {
                timeline.is_cut = self.is_removed(position);
                break;
            };
            next = decided.previous;
            timeline.entries.push(self.timeline_entry(position, decided)?);
        }
        Ok(timeline)
    }

    fn timeline_entry(&self, position: Position, decided: Decided) -> Result<TimelineEntry, QueryError> {
        let cause = Position { partition: position.partition, seq: decided.cause.seq };
        let (event, proposed) = match self.record(cause)? {
            Some(Record::Accepted(accepted)) => {
                let proposed = accepted.proposals.iter().map(|proposal| proposal.field.clone()).collect();
                (Some(accepted.event), proposed)
            }
            Some(Record::Decided(record)) => (emitted_event(&record, cause, decided.cause.index), Vec::new()),
            _ => (None, Vec::new()),
        };
        Ok(TimelineEntry { position, decided, event, proposed })
    }

    pub(super) fn record(&self, position: Position) -> Result<Option<Record>, QueryError> {
        let Some(stored) = self.records().read(position)? else { return Ok(None) };
        Ok(Some(stored.record()?))
    }
}

fn emitted_event(record: &Decided, position: Position, index: u16) -> Option<Event> {
    let emitted = record.emitted.get(usize::from(index).checked_sub(1)?)?;
    Some(Event {
        id: format!("{position}.{index}"),
        application: None,
        name: emitted.name.clone(),
        at: record.observed_at,
        received_at: record.at,
        properties: emitted.properties.clone(),
    })
}
