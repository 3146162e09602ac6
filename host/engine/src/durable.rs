//! What happens when records are durable: the view applies them, and whoever waits is notified. This runs on the
//! log's writer thread. What may take longer is no business of this file: it follows the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::accept::Accepting;
use super::fault::{Fault, StopCause};
use super::identity::Identity;
use super::identity::SettledIdentity;
use super::new_calls::begun;
use super::shared::Shared;
use crate::way::Way;
use samsyn_journal::{CauseKind, PendingCall};
use samsyn_log::Commit;
use samsyn_state::view::{CommittedRecord, EventKey};
use samsyn_vocabulary::Position;

/// A record on its way to the disk.
#[derive(Clone, Debug)]
pub struct InFlight {
    /// The record with the state it folds into.
    pub record: CommittedRecord,
    /// Where the event waited that this record answers, when it is that event's first decision.
    pub way: Option<Way>,
}

impl From<CommittedRecord> for InFlight {
    fn from(record: CommittedRecord) -> InFlight {
        InFlight { record, way: None }
    }
}

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Awaited {
    /// That this record is durable.
    Durable(Position),
    /// That the decision of this event is durable.
    Decided(Position),
}

/// Who waits.
#[derive(Default)]
pub struct Waiters {
    waiting: Mutex<HashMap<Awaited, Vec<oneshot::Sender<()>>>>,
}

impl Waiters {
    fn register(&self, awaited: Awaited) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        let others = waiting.entry(awaited).or_default();
        // Those that gave up are cleared by whoever comes next.
        others.retain(|sender| !sender.is_closed());
        others.push(sender);
        receiver
    }

    fn notify(&self, awaited: &[Awaited]) {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            return;
        }
        for awaited in awaited {
            let notified = waiting.remove(awaited).unwrap_or_default();
            for sender in notified {
                // Who gave up waiting is gone.
                let _ = sender.send(());
            }
        }
    }

    /// Nobody will be notified any more: everyone who waits sees an error.
    pub fn abandon(&self) {
        self.waiting.lock().clear();
    }
}

impl Shared {
    /// Waits until a record is on the disk. Records before it in the log are as well then.
    pub async fn durable(&self, position: Position) -> Result<(), StopCause> {
        if self.is_durable(position) {
            return Ok(());
        }
        let notified = self.waiters.register(Awaited::Durable(position));
        // It may have become durable, or the log may have failed, before we were registered.
        if self.is_durable(position) {
            return Ok(());
        }
        self.notification(notified).await
    }

    /// Waits for the notification of a record, unless the log has failed: then none comes.
    async fn notification(&self, notified: oneshot::Receiver<()>) -> Result<(), StopCause> {
        let failure = || self.journal.failed().map(|failure| StopCause::from(Fault::LogFailed(failure)));
        if let Some(failure) = failure() {
            return Err(failure);
        }
        notified.await.map_err(|_| failure().unwrap_or_else(|| self.why_stopped()))
    }

    /// Waits until a record is on the disk and can be read in the view.
    pub async fn readable(&self, position: Position) -> Result<(), StopCause> {
        let notified = self.waiters.register(Awaited::Durable(position));
        if self.view.applied(position.partition).seq >= position.seq {
            return Ok(());
        }
        // Whoever waits is notified when the view has it.
        self.notification(notified).await
    }

    /// Waits until the decision of an event is on the disk; false when the time ran out first.
    pub async fn decided(&self, position: Position, patience: Duration) -> bool {
        let notified = self.waiters.register(Awaited::Decided(position));
        if self.is_decided(position) {
            return true;
        }
        matches!(tokio::time::timeout(patience, notified).await, Ok(Ok(())))
    }

    pub(super) fn is_durable(&self, position: Position) -> bool {
        self.log().durable_head(position.partition).seq >= position.seq
    }

    fn is_decided(&self, position: Position) -> bool {
        self.view.applied(position.partition).partition.through.seq >= position.seq
    }
}

/// What the log's writer tells of each commit, and of its end.
pub struct DurableHook {
    pub shared: Arc<Shared>,
    pub accepting: Arc<Accepting>,
    pub identity: Arc<Identity>,
}

impl DurableHook {
    /// Called by the log's writer with everything one sync made durable; the next commit waits until it returns.
    /// So it calls the view, waiters and metrics, and nobody else. The in-flight tables (`event_ids`, `identity`)
    /// forget here what the view has now. Whoever wants more of what became durable follows the log from a thread
    /// of its own: see the crate `follow`.
    pub(super) fn on_durable(&self, commit: Commit<InFlight>) {
        let (durable, disk) = (Instant::now(), commit.write_time + commit.sync_time);
        self.shared.metrics.commit(&commit);
        let mut settled = Settled::default();
        for record in &commit.records {
            settled.add(record.position, &record.attachment);
        }
        let records = commit.records.into_iter();
        // Apply to the view before dropping the in-flight entry: readers always find one.
        self.shared
            .view
            .apply(records.map(|record| (record.position, record.chain, record.attachment.record)));
        settled.events.iter().for_each(|key| self.accepting.event_ids.forget(*key));
        self.identity.settle(&settled.identity);
        self.shared.waiters.notify(&settled.awaited);
        self.shared.new_calls.note(settled.calls);
        let notified = Instant::now();
        for (event, way) in settled.ways {
            let waits = way.waits(disk, durable, notified);
            waits.into_iter().for_each(|waits| self.shared.metrics.ways.record(event, waits));
        }
    }

    /// Called by the log's writer when it can't write: accepting and deciding end.
    pub(super) fn on_failed(&self, failure: &samsyn_log::Failure) {
        tracing::error!(%failure, "the log can't be written: no more events are accepted; fix the disk, then start again");
        self.shared.halt(Fault::LogFailed(failure.clone()).into());
        self.shared.waiters.abandon();
    }
}

/// What one commit settled.
#[derive(Default)]
struct Settled {
    events: Vec<EventKey>,
    identity: SettledIdentity,
    awaited: Vec<Awaited>,
    ways: Vec<(Position, Way)>,
    /// Calls that wait since.
    calls: Vec<PendingCall>,
}

impl Settled {
    fn add(&mut self, position: Position, InFlight { record, way }: &InFlight) {
        self.awaited.push(Awaited::Durable(position));
        match record {
            CommittedRecord::Accepted { key, .. } => self.events.push(*key),
            CommittedRecord::Linked(linked) => self.identity.links.push(linked.clone()),
            CommittedRecord::Call { pending, .. } => self.calls.extend(begun(pending)),
            CommittedRecord::Decided { decided, created, pending, .. } => {
                self.calls.extend(begun(pending));
                if let Some(way) = way {
                    self.ways.push((decided.cause.record(), *way));
                }
                if *created {
                    self.identity.profiles.push(decided.profile);
                }
                self.identity.decided.push((position.seq, decided.clone()));
                if decided.kind == CauseKind::Event && decided.cursor.is_none() {
                    self.awaited.push(Awaited::Decided(decided.cause.record()));
                }
            }
            CommittedRecord::Adopted(_)
            | CommittedRecord::Registry
            | CommittedRecord::Late
            | CommittedRecord::Due => {}
        }
    }
}
