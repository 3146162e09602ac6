//! Which segments of the log may leave: those that are too old or too much, from the oldest on, up to
//! the first that something still needs.
//!
//! A segment is needed while
//!
//! - fewer than two snapshots that hold cover it: one may turn out bad, and then the one before it and
//!   the records behind that one are what is left;
//! - a cursor hasn't passed its items: of the workers, or of a capability that lags;
//! - an invocation of it is parked, or held behind a parked one: its event must be there to run again;
//! - a proposal of it waits for a source: its outcome is still to come;
//! - somebody holds the log, as a backup does.
//!
//! The report names who needs the first segment that should leave and cannot.

use std::collections::BTreeMap;

use super::retention_report::{Holder, RetentionReport, SNAPSHOTS_COVERING};
use super::{Maintenance, MaintenanceError};
use crate::work::Work;
use samsyn_decide::item::items_of;
use samsyn_journal::{CallState, PartitionState};
use samsyn_log::{LogError, LogPlace, SegmentInfo};
use samsyn_state::snapshot::SnapshotFile;
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{ItemPosition, Partition, Position, Seq};

const MILLIS_A_DAY: i64 = 24 * 3600 * 1000;
/// A segment that isn't full is sealed when its oldest record has this part of the age it may have:
/// so nothing stays much longer than it should where little happens.
const SEAL_AT: i64 = 8;
/// Records looked at behind a cursor for one it still needs, in one segment. Nearly always the first
/// one tells; beyond so many the segment counts as needed.
const RECORDS_LOOKED_AT_MAX: usize = 10_000;
/// Waiting profiles read at once.
const WAITING_A_PAGE: usize = 1_000;
/// Who needs a segment, of whom so many are named.
const NAMED_MAX: usize = 20;
/// How long cursors that are to be noted are waited for.
const NOTING_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The oldest record each holder needs, in each partition.
type Needs = BTreeMap<(Holder, Partition), Seq>;

impl Maintenance {
    /// Removes the segments that may leave, or with `dry_run` only says which.
    pub fn apply_retention(&self, dry_run: bool) -> Result<RetentionReport, MaintenanceError> {
        let _busy = self.busy.lock();
        let mut report = self.plan_retention(!dry_run)?;
        if !dry_run {
            self.seal_when_old()?;
            if self.prepare(&report)? {
                report = self.plan_retention(true)?;
            }
            report.removed = self.remove(&report)?;
            if report.removed > 0 {
                self.removed.fetch_add(report.removed as u64, std::sync::atomic::Ordering::Relaxed);
                let left = self.plan_retention(true)?;
                let removed = report.removed;
                report = RetentionReport { removed, ..left };
                tracing::info!(
                    segments = removed, oldest = ?report.oldest.map(|at| at.to_string()),
                    "old segments have left the log"
                );
            }
            for (holder, position) in &report.held_by {
                let position = position.map(|position| position.to_string());
                tracing::warn!(
                    ?holder,
                    ?position,
                    segments = report.wanted,
                    "keeps segments that should leave the log"
                );
            }
        }
        self.state.lock().retention = Some(report.clone());
        Ok(report)
    }

    /// What may leave by where cursors stand in the log, or, not `noted`, by where they are.
    fn plan_retention(&self, noted: bool) -> Result<RetentionReport, MaintenanceError> {
        let log = self.shared.log();
        let sealed = log.segments();
        let mut report = RetentionReport {
            segments: sealed.len() + 1,
            bytes: log.bytes_kept(),
            oldest: log.oldest_at()?,
            ..RetentionReport::default()
        };
        report.wanted = self.wanted(&sealed, report.bytes)?;
        if report.wanted == 0 {
            return Ok(report);
        }
        let snapshots: Vec<LogPlace> =
            self.shelf.usable(log).map(|file: SnapshotFile| file.header().cut.place).collect();
        let needs = self.needs(noted)?;
        let held = log.is_held()?;
        for segment in &sealed[..report.wanted] {
            let holders = self.holders(segment, &snapshots, &needs, held, noted)?;
            if !holders.is_empty() {
                report.held_by = holders;
                break;
            }
            report.removable += 1;
            report.removable_bytes += segment.bytes;
        }
        Ok(report)
    }

    /// How many segments are too old or too much, from the oldest on.
    fn wanted(&self, sealed: &[SegmentInfo], mut bytes: u64) -> Result<usize, LogError> {
        let config = &self.retention;
        let horizon = self.shared.clock.now().millis() - i64::from(config.days) * MILLIS_A_DAY;
        let mut wanted = 0;
        for segment in sealed {
            let too_much = config.bytes > 0 && bytes > config.bytes;
            if !too_much {
                let newest = if config.days > 0 { self.shared.log().newest_in(segment)? } else { None };
                if newest.is_none_or(|newest| newest.millis() >= horizon) {
                    break;
                }
            }
            wanted += 1;
            bytes -= segment.bytes;
        }
        Ok(wanted)
    }

    fn seal_when_old(&self) -> Result<(), LogError> {
        let days = self.retention.days;
        let log = self.shared.log();
        let old = self.shared.clock.now().millis() - i64::from(days) * MILLIS_A_DAY / SEAL_AT;
        if days > 0 && log.growing_since()?.is_some_and(|since| since.millis() < old) {
            self.shared.journal.backend().seal_before_next();
        }
        Ok(())
    }

    /// Where a partition's cursors are: as a start would find them, or as they are now.
    fn cursors_in(&self, partition: Partition, noted: bool) -> PartitionState {
        if noted {
            return self.shared.view.applied(partition).partition;
        }
        self.lanes.core(partition).state.clone()
    }

    /// The oldest record that each cursor and each invocation that waits needs, as of the last durable
    /// record. Cursors first: what a cursor passes meanwhile and parks is found among the waiting.
    fn needs(&self, noted: bool) -> Result<Needs, StoreError> {
        let mut needs = Needs::new();
        let mut need = |holder: Holder, Position { partition, seq }: Position| {
            let least = needs.entry((holder, partition)).or_insert(seq);
            *least = (*least).min(seq);
        };
        for partition in self.shared.partitions() {
            let partition_state = self.cursors_in(partition, noted);
            need(Holder::Undecided, Position { partition, seq: partition_state.through.seq });
            for cursor in &partition_state.adopted.lagging {
                let (capability, generation) = (cursor.capability.clone(), cursor.generation);
                let seq = cursor.through.seq;
                need(Holder::Cursor { capability, generation }, Position { partition, seq });
            }
        }
        let registry = self.shared.registry();
        let mut after = None;
        loop {
            let page = self.shared.view.waiting(after, WAITING_A_PAGE);
            // What a profile waits for may stand in another partition than its own.
            for (partition, profile) in &page {
                let Some(state) = self.shared.view.profile(*profile)? else { continue };
                let partition_state = self.shared.view.applied(*partition).partition;
                for capability_state in &state.capabilities {
                    // Of one that was removed, or a generation that was replaced, nothing runs again.
                    let replaced = Some(capability_state.generation)
                        < partition_state.generation(&capability_state.capability);
                    if replaced || !registry.capabilities.contains_key(&capability_state.capability) {
                        continue;
                    }
                    for record in capability_state.records_waited_for() {
                        let capability = capability_state.capability.clone();
                        need(Holder::Parked { capability }, record);
                    }
                }
                for held in &state.held {
                    if let Some(event) = held.event {
                        need(Holder::Proposals { field: held.field.clone() }, event);
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == WAITING_A_PAGE => after = Some(*last),
                _ => break,
            }
        }
        // A call is sent from the record that began it, also one of a generation that was replaced. Of each customer
        // and endpoint the first is listed, and the customer has them all.
        let mut after = None;
        loop {
            let page = self.shared.view.calls_in(CallState::Waiting, after.as_ref(), WAITING_A_PAGE)?;
            for pending in &page {
                let Some(state) = self.shared.view.profile(pending.profile)? else { continue };
                for own in &state.capabilities {
                    for record in own.calls.iter().flat_map(|calls| calls.records()) {
                        need(Holder::Calls { capability: own.capability.clone() }, record);
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == WAITING_A_PAGE => after = Some(last.clone()),
                _ => return Ok(needs),
            }
        }
    }

    /// Who needs a segment.
    fn holders(
        &self,
        segment: &SegmentInfo,
        snapshots: &[LogPlace],
        needs: &Needs,
        held: bool,
        noted: bool,
    ) -> Result<Vec<(Holder, Option<Position>)>, MaintenanceError> {
        let mut holders = Vec::new();
        let covering = snapshots.iter().filter(|place| **place >= segment.end).count();
        if covering < SNAPSHOTS_COVERING.min(self.snapshots.keep.max(1)) {
            holders.push((Holder::Snapshots { covering }, None));
        }
        if held {
            holders.push((Holder::Reader, None));
        }
        let mut oldest: BTreeMap<&Holder, Position> = BTreeMap::new();
        for ((holder, partition), seq) in needs {
            let last = segment.last.iter().find(|(is, _)| is == partition).map_or(0, |(_, last)| *last);
            if *seq > last {
                continue;
            }
            let needed = match holder {
                Holder::Undecided | Holder::Cursor { .. } => {
                    self.needed_behind(holder, *partition, last, noted)?
                }
                _ => Some(*seq),
            };
            if let Some(seq) = needed {
                oldest.entry(holder).or_insert(Position { partition: *partition, seq });
            }
        }
        holders.extend(oldest.into_iter().map(|(holder, position)| (holder.clone(), Some(position))));
        holders.truncate(NAMED_MAX);
        Ok(holders)
    }

    /// The first record from a cursor up to `last` that has an item behind the cursor. A partition in
    /// which nothing happens has none, wherever its cursor stands.
    fn needed_behind(
        &self,
        holder: &Holder,
        partition: Partition,
        last: Seq,
        noted: bool,
    ) -> Result<Option<Seq>, MaintenanceError> {
        let partition_state = self.cursors_in(partition, noted);
        let through = match holder {
            Holder::Cursor { capability, generation } => {
                let mine = |cursor: &&samsyn_journal::Cursor| {
                    cursor.capability == *capability && cursor.generation == *generation
                };
                // It has arrived since.
                let Some(cursor) = partition_state.adopted.lagging.iter().find(mine) else { return Ok(None) };
                cursor.through
            }
            _ => partition_state.through,
        };
        for (looked_at, record) in self.shared.records().scan(partition, through.seq.max(1)).enumerate() {
            let record = record?;
            let seq = record.position.seq;
            if seq > last {
                return Ok(None);
            }
            let items = items_of(&record).map_err(|error| StoreError::unreadable(error.to_string()))?;
            let behind = items.iter().any(|(index, _)| ItemPosition { seq, index: *index } > through);
            if behind || looked_at >= RECORDS_LOOKED_AT_MAX {
                return Ok(Some(seq));
            }
        }
        Ok(None)
    }

    /// Does what may free segments: notes cursors that got further than the log says, and makes a
    /// snapshot. Whether anything changed.
    fn prepare(&self, report: &RetentionReport) -> Result<bool, MaintenanceError> {
        let mut changed = false;
        for (holder, _) in &report.held_by {
            changed |= match holder {
                Holder::Undecided | Holder::Cursor { .. } => self.note_cursors(),
                Holder::Snapshots { .. } => self.make_snapshot_alone().is_ok(),
                _ => false,
            };
        }
        Ok(changed)
    }

    /// Has the workers note cursors that moved past items nobody wanted: such a move goes into the
    /// log with the partition's next record, and where nothing happens there is none.
    fn note_cursors(&self) -> bool {
        let further = |partition: Partition| {
            let noted = self.shared.view.applied(partition).partition;
            let core = self.lanes.core(partition);
            let state = &core.state;
            let lagging = state.adopted.lagging.iter().zip(&noted.adopted.lagging);
            state.through > noted.through
                || lagging.into_iter().any(|(now, noted)| now.through > noted.through)
        };
        let all = self.shared.partitions();
        let behind: Vec<Partition> = all.filter(|partition| further(*partition)).collect();
        behind.iter().for_each(|partition| self.shared.schedule.push(*partition, Work::NoteCursor));
        let until = std::time::Instant::now() + NOTING_PATIENCE;
        while behind.iter().any(|partition| further(*partition)) && !self.shared.is_stopping() {
            // Under load they move on all the time: then they are noted all the time too.
            if std::time::Instant::now() > until {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        !behind.is_empty()
    }

    fn remove(&self, report: &RetentionReport) -> Result<usize, MaintenanceError> {
        let log = self.shared.log();
        let sealed = log.segments();
        let Some(last) = report.removable.checked_sub(1).and_then(|at| sealed.get(at)) else { return Ok(0) };
        // The registry reads as before: its records outlive their segment, here and in snapshots.
        let head = log.durable_head(Partition::REGISTRY).seq;
        log.carry(Partition::REGISTRY, log.raw(Partition::REGISTRY, head)?)?;
        match self.shared.journal.backend().remove_before(last.number + 1) {
            Err(LogError::Held(_)) => Ok(0),
            removed => Ok(removed?),
        }
    }

    /// Segments removed since the start.
    pub fn segments_removed(&self) -> u64 {
        self.removed.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// What the last look found; none before the first.
    pub fn last_retention(&self) -> Option<RetentionReport> {
        self.state.lock().retention.clone()
    }
}
