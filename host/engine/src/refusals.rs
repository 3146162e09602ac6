//! What capabilities refused, read from the log: from a place in a partition on, or from a time.

use super::QueryError;
use super::query::Query;
use samsyn_journal::{Accepted, AnswerKind, CauseKind, Decided, Record};
use samsyn_vocabulary::{FieldName, Partition, Position, Seq, Timestamp};

/// A record that was looked at.
#[derive(Debug)]
pub struct Looked {
    pub position: Position,
    /// The decision that it holds, when that refuses something.
    pub refuses: Option<Box<Decided>>,
}

/// An event and a decision that refuses something of it.
#[derive(Debug)]
pub struct RefusedEvent {
    /// Where the event stands.
    pub position: Position,
    pub accepted: Accepted,
    /// The decision, with no refusal but those of this event.
    pub decided: Decided,
}

impl Query {
    /// The partitions that hold customers' records, in order.
    pub fn customer_partitions(&self) -> Vec<Partition> {
        let heads = self.shared.log().durable_heads();
        let mut partitions: Vec<Partition> = heads.into_iter().map(|(partition, _)| partition).collect();
        partitions.retain(|partition| partition.holds_customers());
        partitions.sort();
        partitions
    }

    /// Events of a partition up to this one are decided by every capability, those that lag included;
    /// what is parked waits for an administrator and isn't waited for.
    pub fn decided_by_all(&self, partition: Partition) -> Position {
        let state = self.shared.view.applied(partition).partition;
        let lagging = state.adopted.lagging.iter().map(|cursor| cursor.through.seq);
        Position { partition, seq: lagging.fold(state.through.seq, Seq::min) }
    }

    /// The first record of a partition that was appended at a time or later: some twenty reads. Where
    /// the host's clock was set back in between, it may be a later one.
    pub fn first_since(&self, partition: Partition, since: Timestamp) -> Result<Seq, QueryError> {
        let mut first = self.shared.log().oldest(partition);
        let mut end = self.shared.log().durable_head(partition).seq + 1;
        while first < end {
            let seq = first + (end - first) / 2;
            match self.shared.records().read(Position { partition, seq })? {
                Some(stored) if stored.appended_at >= since => end = seq,
                // One that has left by retention meanwhile is an older one.
                _ => first = seq + 1,
            }
        }
        Ok(first)
    }

    /// The records of a partition from this one on, to the last that is durable.
    pub fn look_for_refusals(
        &self,
        partition: Partition,
        from: Seq,
    ) -> impl Iterator<Item = Result<Looked, QueryError>> {
        self.shared.records().scan(partition, from).map(|stored| {
            let stored = stored?;
            let refuses = stored.decided()?.filter(refuses).map(Box::new);
            Ok(Looked { position: stored.position, refuses })
        })
    }

    /// The events that a decision refuses something of: one, or those whose held proposals it decides.
    /// None where it answers what no application sent, or the event has left the log by retention.
    pub fn refused_events(&self, decided: Decided) -> Result<Vec<RefusedEvent>, QueryError> {
        match decided.kind {
            CauseKind::Event => {
                let event = decided.cause.record();
                Ok(self.refused_event(event, decided)?.into_iter().collect())
            }
            CauseKind::Offered => self.refused_when_offered(&decided),
            CauseKind::Emitted
            | CauseKind::Change
            | CauseKind::Assignment
            | CauseKind::Timer
            | CauseKind::Answer
            | CauseKind::Doubt => Ok(Vec::new()),
        }
    }

    fn refused_when_offered(&self, decided: &Decided) -> Result<Vec<RefusedEvent>, QueryError> {
        let Some(Record::Decided(offer_record)) = self.shared.cause_of(decided)? else {
            return Ok(Vec::new());
        };
        let mut events: Vec<Position> = offer_record.offered.iter().filter_map(|held| held.event).collect();
        events.sort_unstable();
        events.dedup();
        let mut found = Vec::new();
        for event in events {
            let of_event = |field: &str| {
                let held = offer_record.offered.iter().filter(|held| held.event == Some(event));
                held.map(|held| &held.field).any(|held: &FieldName| held.as_str() == field)
            };
            let mut decided = decided.clone();
            decided.answers.retain(|answer| of_event(answer.field.as_str()));
            for outcome in &mut decided.outcomes {
                outcome.refusals.retain(|refusal| refusal.field.as_deref().is_none_or(of_event));
            }
            if refuses(&decided) {
                found.extend(self.refused_event(event, decided)?);
            }
        }
        Ok(found)
    }

    fn refused_event(
        &self,
        position: Position,
        decided: Decided,
    ) -> Result<Option<RefusedEvent>, QueryError> {
        Ok(match self.shared.own_record(decided.profile, position) {
            Ok(Some(Record::Accepted(accepted))) => Some(RefusedEvent { position, accepted, decided }),
            Ok(_) | Err(QueryError::AnothersRecord { .. }) => None,
            Err(error) => return Err(error),
        })
    }
}

fn refuses(decided: &Decided) -> bool {
    decided.outcomes.iter().any(|outcome| !outcome.refusals.is_empty())
        || decided.answers.iter().any(|answer| matches!(answer.outcome, AnswerKind::Refused { .. }))
}
