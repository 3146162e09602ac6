//! Taking an event: what comes in, what goes out, and why it can be refused.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;

use super::content;
use super::event_ids::{EventEntry, EventIds};
use super::fault::{Fault, StopCause};
use super::identity::Identity;
use super::sequencer::Sequencer;
use super::shared::Shared;
use crate::way::Way;
use samsyn_identity::{IdentifierFault, Owner, identify, owner_of_event, same_owner, sharers};
use samsyn_journal::{Accepted, Conflict, IDENTIFIERS_MAX, ReadError, Record, RecordError};
use samsyn_log::{AppendError, LogError};
use samsyn_registry::{Normaliser, Registry};
use samsyn_state::view::{EventKey, StoreError};
use samsyn_vocabulary::{
    Application, Date, Event, EventName, FieldName, Identifier, IdentifierName, Position, ProfileId,
    Property, Proposal, Timestamp,
};

/// An event as an application sent it, its parts already checked one by one.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The sender's id; made by the host when left out.
    pub id: Option<String>,
    /// Who sends it: the namespace of the id.
    pub application: Application,
    /// What happened.
    pub name: EventName,
    /// When; now when left out.
    pub at: Option<Timestamp>,
    /// Whose it is, by id …
    pub profile: Option<ProfileId>,
    /// … or by what they go by; one of both is needed.
    pub identifiers: Vec<Identifier>,
    /// Each value is `Value::Json`.
    pub properties: Vec<Property>,
    /// Values already of the fields' types.
    pub proposals: Vec<Proposal>,
    /// What the profile must still be when the proposals are decided.
    pub expected: Option<Expectation>,
}

/// What a profile must still be when proposals are decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The ETag of the values …
    pub etag: String,
    /// … of these fields, for a sender who sees no others; of all of them when there is no list.
    pub of: Option<Vec<FieldName>>,
}

/// An event that has its place in the log but may not be durable yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Acceptance {
    /// The event's id.
    pub id: String,
    /// Whose it is.
    pub profile: ProfileId,
    /// Where it stands.
    pub position: Position,
    /// The event was accepted before, with the same content.
    pub duplicate: bool,
    /// Identifiers of the event that belong to another profile.
    pub conflicts: Vec<Conflict>,
}

/// What is remembered of the ids of events: so far, sending an event again is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventIdsStatus {
    /// Days an id is remembered (`event_id_days`).
    pub days: u32,
    /// How many ids are remembered, of all applications together (`event_ids_max`).
    pub max: u64,
    /// How many are remembered now.
    pub remembered: u64,
    /// The ids of all events that were accepted since then are remembered; null when none was ever
    /// forgotten.
    pub complete_since: Option<Timestamp>,
    /// The host's own time, to compare with.
    pub now: Timestamp,
}

/// What is known of an event id.
pub(super) enum Remembered {
    /// It wasn't used, as far as is remembered.
    Nothing,
    /// It was, by this event.
    Entry(EventEntry),
    /// It was, by an event whose record has left the log by retention.
    Removed(Position),
}

/// Why an event isn't accepted.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AcceptError {
    /// Neither a profile id nor an identifier.
    #[error("the event has neither `profile` nor `identifiers`")]
    NobodyNamed,
    /// No such profile.
    #[error("there is no profile {0}")]
    UnknownProfile(ProfileId),
    /// The dictionary has no such identifier.
    #[error("the dictionary has no identifier {0}")]
    UnknownIdentifier(IdentifierName),
    /// The value identifies nobody.
    #[error("invalid value of the identifier {0}: {1}")]
    BadIdentifier(IdentifierName, IdentifierFault),
    /// The customer has as many identifiers as a profile takes.
    #[error(
        "this customer has {IDENTIFIERS_MAX} identifiers, which is the limit; this {0} would be one more"
    )]
    TooManyIdentifiers(IdentifierName),
    /// The id was used for another content.
    #[error("the event id was used before, at {position}, with different content")]
    EventIdReused {
        /// The first one's place.
        position: Position,
    },
    /// The id may have been used before the host's memory of ids begins.
    #[error(
        "the id may have been sent since {since}, and the host has forgotten ids of events before \
        {complete_since} (event_ids_max, event_id_days)"
    )]
    IdForgotten {
        /// Since when the sender may have sent it.
        since: Timestamp,
        /// Since when all ids are remembered.
        complete_since: Timestamp,
    },
    /// The event's time lies too far ahead.
    #[error("the event's time {at} is more than {hours_max} hours in the future")]
    TimeAhead {
        /// The time.
        at: Timestamp,
        /// How far it may.
        hours_max: u64,
    },
    /// The event's time lies before the first day that is taken.
    #[error("the event's time {at} is before {earliest}, the first day that the host accepts")]
    TimeEarly {
        /// The time.
        at: Timestamp,
        /// The day, in UTC.
        earliest: Date,
    },
    /// Queues are full; nothing is wrong with the event.
    #[error("the host's queue is full")]
    Busy,
    /// The host is stopping or can't go on; nothing is wrong with the event.
    #[error(transparent)]
    Stopped(#[from] StopCause),
}

/// Each of these keeps the host from accepting.
macro_rules! stops {
    ($($error:ty),*) => {
        $(impl From<$error> for AcceptError {
            fn from(error: $error) -> AcceptError {
                AcceptError::Stopped(error.into())
            }
        })*
    };
}

stops!(Fault, AppendError, StoreError, LogError, RecordError, ReadError, crate::QueryError);

/// Takes events in. The part of the event ids that has an event's is the outermost lock of accepting it:
/// whoever holds it may go on to the identity's and then to a partition's place in the log, which know nothing
/// of it.
pub struct Accepting {
    pub(super) shared: Arc<Shared>,
    pub(super) sequencer: Arc<Sequencer>,
    pub(super) identity: Arc<Identity>,
    pub(super) event_ids: EventIds,
}

impl Accepting {
    /// Takes an event: gives it its place in the log and hands it to its worker. It is durable
    /// when [`Engine::durable`](crate::Engine::durable) says so. Quick: it looks things up and never waits for the disk's
    /// sync or a plug-in.
    pub fn accept(&self, new: NewEvent) -> Result<Acceptance, AcceptError> {
        self.accept_since(new, None)
    }

    /// The same, of a sender that may have sent this id before, but not before `since`: an id that isn't
    /// known is refused where ids of that time are forgotten, so that nothing is accepted twice.
    pub fn accept_since(&self, new: NewEvent, since: Option<Timestamp>) -> Result<Acceptance, AcceptError> {
        let way = Way::accepted(Instant::now());
        self.check_room()?;
        let now = self.shared.clock.now();
        let content = content::hash(&new);
        if new.identifiers.is_empty() && new.profile.is_none() {
            return Err(AcceptError::NobodyNamed);
        }
        let given = new.id.is_some();
        let id = new.id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        let key = EventKey::of(&new.application, &id);
        let mut shard = self.event_ids.shard(key);
        if given {
            let known = self.known_by(shard.get(&key).copied(), key, &new.application, &id)?;
            match known {
                // What is too old to be remembered may still be known: who says that it may be a
                // repetition is believed.
                Remembered::Entry(known)
                    if self.is_remembered(&known, now)
                        || since.is_some_and(|since| since <= known.received_at) =>
                {
                    return self.duplicate(id, known, &new);
                }
                Remembered::Removed(position) => return self.duplicate_of_removed(id, position, &new),
                Remembered::Entry(_) => {}
                // Asked after the id was looked for: what is forgotten meanwhile is told.
                Remembered::Nothing => self.check_memory(since)?,
            }
        }
        // Behind the look-up: an accepted event stays accepted, whatever is checked since.
        self.check_time(&new, now)?;
        let acceptance = self.accept_new(new, id, (content, now), way)?;
        let position = acceptance.position;
        shard.insert(key, EventEntry { position, profile: acceptance.profile, content, received_at: now });
        Ok(acceptance)
    }

    fn check_room(&self) -> Result<(), AcceptError> {
        if let Some(failure) = self.shared.journal.failed() {
            return Err(Fault::LogFailed(failure).into());
        }
        if self.shared.is_stopping() {
            return Err(self.shared.why_stopped().into());
        }
        if self.shared.view.has_failed() {
            // It would all have to stay in memory, without bound.
            return Err(Fault::ViewStopped(self.shared.view.failure().unwrap_or_default()).into());
        }
        let full = self.sequencer.undecided.load(Ordering::Relaxed) >= self.shared.config.undecided_max
            || self.shared.journal.is_full();
        if full { Err(AcceptError::Busy) } else { Ok(()) }
    }

    fn check_time(&self, new: &NewEvent, now: Timestamp) -> Result<(), AcceptError> {
        let earliest = &self.shared.config.event_earliest;
        if let (Some(at), Some(floor)) = (new.at, earliest.start())
            && at < floor
        {
            return Err(AcceptError::TimeEarly { at, earliest: earliest.clone() });
        }
        let hours_max = self.shared.config.event_ahead_hours;
        let latest = now.millis() + hours_max as i64 * 3_600_000;
        match new.at {
            Some(at) if at.millis() > latest => Err(AcceptError::TimeAhead { at, hours_max }),
            _ => Ok(()),
        }
    }

    fn check_memory(&self, since: Option<Timestamp>) -> Result<(), AcceptError> {
        match (since, self.shared.view.event_ids().complete_since) {
            (Some(since), Some(complete_since)) if since < complete_since => {
                Err(AcceptError::IdForgotten { since, complete_since })
            }
            _ => Ok(()),
        }
    }

    /// What is remembered of the ids of events.
    pub fn event_ids(&self) -> EventIdsStatus {
        let remembered = self.shared.view.event_ids();
        EventIdsStatus {
            days: self.shared.config.event_id_days,
            max: self.shared.config.event_ids_max,
            remembered: remembered.count,
            complete_since: remembered.complete_since,
            now: self.shared.clock.now(),
        }
    }

    pub(super) fn is_remembered(&self, known: &EventEntry, now: Timestamp) -> bool {
        let horizon = i64::from(self.shared.config.event_id_days) * 24 * 3_600_000;
        known.received_at.millis() + horizon >= now.millis()
    }

    /// What is known of an event id: of one in flight its entry, else what the log says.
    pub(super) fn known_by(
        &self,
        in_flight: Option<EventEntry>,
        key: EventKey,
        application: &Application,
        id: &str,
    ) -> Result<Remembered, AcceptError> {
        match in_flight {
            Some(entry) => Ok(Remembered::Entry(entry)),
            None => self.remembered(key, application, id),
        }
    }

    /// What the log says of an event id that the view has a fingerprint of.
    fn remembered(
        &self,
        key: EventKey,
        application: &Application,
        id: &str,
    ) -> Result<Remembered, AcceptError> {
        let Some(position) = self.shared.view.event(key) else { return Ok(Remembered::Nothing) };
        let record = self.shared.records().read(position)?;
        let Some(record) = record else {
            let removed = position.seq < self.shared.log().oldest(position.partition);
            return Ok(if removed { Remembered::Removed(position) } else { Remembered::Nothing });
        };
        let read = record.record()?;
        let Accepted { profile, event, content, .. } = match read {
            Record::Accepted(accepted) => accepted,
            // What it said can't be compared any more, as if its record had left.
            Record::Erased => return Ok(Remembered::Removed(position)),
            _ => return Ok(Remembered::Nothing),
        };
        // Another id with the same fingerprint is another event.
        if event.id != id || event.application.as_ref() != Some(application) {
            return Ok(Remembered::Nothing);
        }
        Ok(Remembered::Entry(EventEntry { position, profile, content, received_at: event.received_at }))
    }

    /// The event was accepted before, and its record has left the log: what it said can't be compared any
    /// more. Taking it once more would let its effects happen twice, so it is the same one again as far as
    /// can be told: when it names a customer that there is.
    pub(super) fn duplicate_of_removed(
        &self,
        id: String,
        position: Position,
        new: &NewEvent,
    ) -> Result<Acceptance, AcceptError> {
        let registry = self.shared.registry();
        let known = self
            .identity
            .ask(&self.shared.view, |appended| identify(&new.identifiers, &registry, appended))?;
        let owner = match new.profile {
            Some(profile) => self.knows(profile)?.then_some(profile),
            None => known.iter().find_map(|identifier| identifier.owner()),
        };
        let Some(profile) = owner.filter(|owner| self.shared.home(*owner) == position.partition) else {
            return Err(AcceptError::EventIdReused { position });
        };
        self.shared.metrics.duplicates.fetch_add(1, Ordering::Relaxed);
        Ok(Acceptance { id, profile, position, duplicate: true, conflicts: Vec::new() })
    }

    /// The answer to an event whose id was used: its place, when the content is the same.
    pub(super) fn duplicate(
        &self,
        id: String,
        known: EventEntry,
        new: &NewEvent,
    ) -> Result<Acceptance, AcceptError> {
        let EventEntry { position, profile, .. } = known;
        // A record of an older host holds that host's hash.
        if known.content != content::hash(new) && known.content != content::hash_before(new) {
            return Err(AcceptError::EventIdReused { position });
        }
        self.shared.metrics.duplicates.fetch_add(1, Ordering::Relaxed);
        Ok(Acceptance { id, profile, position, duplicate: true, conflicts: Vec::new() })
    }

    /// Finds out whose the event is and appends it.
    fn accept_new(
        &self,
        mut new: NewEvent,
        id: String,
        (content, now): (u64, Timestamp),
        way: Way,
    ) -> Result<Acceptance, AcceptError> {
        if let Some(profile) = new.profile
            && !self.knows(profile)?
        {
            return Err(AcceptError::UnknownProfile(profile));
        }
        let registry = self.shared.registry();
        let identifiers = std::mem::take(&mut new.identifiers);
        let known =
            self.identity.ask(&self.shared.view, |appended| identify(&identifiers, &registry, appended))?;
        let settled = match (new.profile, same_owner(&known)) {
            (Some(profile), _) if known.is_empty() => Some(profile),
            (None, Some(owner)) => Some(owner),
            (Some(profile), Some(owner)) if profile == owner => Some(owner),
            _ => None,
        };
        let everybody = match registry.routing.is_shared(&new.name) {
            true => self.everybody(&identifiers, &registry)?,
            false => Vec::new(),
        };
        let given = new.profile;
        let (etag, of) =
            new.expected.take().map_or((None, None), |expectation| (Some(expectation.etag), expectation.of));
        let make = |profile: ProfileId, identifiers: Vec<Identifier>, conflicts: Vec<Conflict>| Accepted {
            profile,
            event: Event {
                id: id.clone(),
                application: Some(new.application),
                name: new.name,
                at: new.at.unwrap_or(now),
                received_at: now,
                properties: new.properties,
            },
            identifiers,
            proposals: new.proposals,
            expected: etag,
            expected_of: of,
            conflicts,
            shared_by: None,
            content,
        };
        let (profile, position, conflicts) = match settled {
            Some(profile) => {
                let accepted = make(profile, identifiers, Vec::new());
                (profile, self.sequencer.accept_into_log(&[], &everybody, accepted, way)?, Vec::new())
            }
            None => {
                let mut recent = self.identity.lock();
                let appended = recent.with(&self.shared.view);
                let owner = owner_of_event(known, given, ProfileId::random, &registry, &appended)?;
                let Owner { profile, is_new, links, names, conflicts } = owner;
                let accepted = make(profile, identifiers, conflicts.clone());
                let position = self.sequencer.accept_into_log(&links, &everybody, accepted, way)?;
                links.iter().for_each(|linked| recent.link(linked));
                names.into_iter().for_each(|name| recent.add_name(profile, name, position.seq));
                if is_new {
                    recent.add_fresh(profile);
                }
                (profile, position, conflicts)
            }
        };
        Ok(Acceptance { id, profile, position, duplicate: false, conflicts })
    }

    /// Everybody who has one of these addresses or numbers or stands in line for it. A device or a customer
    /// number is nothing that is written to.
    fn everybody(
        &self,
        identifiers: &[Identifier],
        registry: &Registry,
    ) -> Result<Vec<ProfileId>, AcceptError> {
        let mut everybody = Vec::new();
        let is_contact = |identifier: &&Identifier| {
            let kind = registry.identifiers.get(&identifier.name);
            kind.is_some_and(|kind| matches!(kind.normaliser, Normaliser::Email | Normaliser::Phone))
        };
        for identifier in identifiers.iter().filter(is_contact) {
            let shared =
                self.identity.ask(&self.shared.view, |appended| sharers(identifier, registry, appended))?;
            everybody.extend(shared);
        }
        everybody.sort_unstable();
        everybody.dedup();
        Ok(everybody)
    }

    /// Whether there is such a profile.
    pub(super) fn knows(&self, profile: ProfileId) -> Result<bool, AcceptError> {
        Ok(self.identity.is_fresh(profile) || self.shared.view.profile(profile)?.is_some())
    }
}
