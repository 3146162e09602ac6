//! Records get their place here, and only here: the only caller of the log's `append`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::worker::Work;
use super::{AcceptError, Engine};
use crate::log::{AppendError, Entry, Payload};
use crate::record::{Accepted, Decided, Linked, RecordKind, encode, fold_profile, with_encoded};
use crate::view::Folded;
use crate::vocabulary::{Partition, Position, Seq};

impl From<AppendError> for AcceptError {
    fn from(error: AppendError) -> AcceptError {
        AcceptError::Unavailable(error.to_string())
    }
}

impl From<crate::view::StoreError> for AcceptError {
    fn from(error: crate::view::StoreError) -> AcceptError {
        AcceptError::Unavailable(error.to_string())
    }
}

impl Engine {
    fn entry(
        &self,
        partition: Partition,
        kind: RecordKind,
        payload: Payload,
        folded: Folded,
    ) -> Entry<Folded> {
        Entry {
            partition,
            expected_head: None,
            kind: kind as u8,
            appended_at: self.clock.now(),
            payload,
            attachment: folded,
        }
    }

    pub(super) fn link_entry(&self, linked: &Linked) -> Entry<Folded> {
        let folded = Folded::Linked(Arc::new(linked.clone()));
        self.entry(Partition::IDENTITY, RecordKind::Linked, Payload::new(encode(linked)), folded)
    }

    /// Puts an event into its partition, behind the links it relies on.
    pub(super) fn append_accepted(
        &self,
        links: &[Linked],
        accepted: Accepted,
    ) -> Result<Position, AcceptError> {
        let taken = Instant::now();
        let partition = self.home(accepted.profile);
        let payload = with_encoded(&accepted, |bytes| Payload::new(bytes));
        let accepted = Arc::new(accepted);
        let own = self.entry(partition, RecordKind::Accepted, payload, Folded::accepted(accepted.clone()));
        let _order = self.cell(partition).sequencer.lock();
        let position = if links.is_empty() {
            self.log.append(own)?.position
        } else {
            let mut entries: Vec<Entry<Folded>> =
                links.iter().map(|linked| self.link_entry(linked)).collect();
            entries.push(own);
            let appended = self.log.append_all(entries)?;
            appended.last().map(|last| last.position).ok_or(AcceptError::Busy)?
        };
        self.undecided.fetch_add(1, Ordering::Relaxed);
        self.queue(partition).push(Work::Accepted {
            partition,
            seq: position.seq,
            accepted,
            taken: Some(taken),
        });
        Ok(position)
    }

    /// Puts a decision into its partition, behind the links that its values make. The state it
    /// folds into goes with it, so that nobody folds it again.
    pub(super) fn append_decided(
        &self,
        partition: Partition,
        before: Option<&crate::record::ProfileState>,
        links: &[Linked],
        decided: Decided,
        taken: Option<Instant>,
    ) -> Result<(Seq, Arc<Decided>, Arc<crate::record::ProfileState>), AcceptError> {
        let payload = with_encoded(&decided, |bytes| Payload::new(bytes));
        let decided = Arc::new(decided);
        let derives = !decided.changes.is_empty() || !decided.emitted.is_empty();
        let _order = self.cell(partition).sequencer.lock();
        let seq = self.log.head(partition).seq + 1;
        let state = Arc::new(fold_profile(before, seq, &decided));
        let folded = Folded::Decided {
            decided: decided.clone(),
            state: state.clone(),
            created: before.is_none(),
            taken,
        };
        let own = Entry {
            partition,
            expected_head: Some(seq - 1),
            kind: RecordKind::Decided as u8,
            appended_at: decided.at,
            payload,
            attachment: folded,
        };
        if links.is_empty() {
            self.log.append(own)?;
        } else {
            let mut entries: Vec<Entry<Folded>> =
                links.iter().map(|linked| self.link_entry(linked)).collect();
            entries.push(own);
            self.log.append_all(entries)?;
        }
        if derives {
            self.queue(partition).push(Work::Derived { partition, seq, decided: decided.clone() });
        }
        Ok((seq, decided, state))
    }

    /// Puts any other record into its partition.
    pub(super) fn append_plain(
        &self,
        partition: Partition,
        kind: RecordKind,
        bytes: Vec<u8>,
        folded: Folded,
    ) -> Result<Position, AcceptError> {
        Ok(self.log.append(self.entry(partition, kind, Payload::new(bytes), folded))?.position)
    }
}
