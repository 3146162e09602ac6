//! Making a snapshot: the one before, and what the log says since, folded in the log's order.
//!
//! ```text
//! snapshot before ──────────────────────────────┐
//! log ─▶ fold ─▶ what changed, in memory         ├─▶ merged in the order of keys ─▶ the new snapshot
//!                └▶ run-0001, run-0002, … ───────┘
//! ```
//!
//! Memory is bounded: when more customers have changed than may be held, they go to a *run*, a file
//! in the order of keys, and are looked up there when they change again. Everything is read and
//! written in sequence but for the state of a customer that changes and isn't held.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{BadSnapshot, SnapshotError};
use super::format::{Header, Kind};
use super::merge::{Item, Merge, Source};
use super::read::SnapshotFile;
use super::state::{self, StoredProfile};
use super::write::{SnapshotWriter, put_in_place, unfinished};
use super::{SnapshotInfo, upgrade};
use crate::step::{Counted, Folder, Read, step};
use crate::view::{Applied, Entry, EventKey, LinkKey};
use samsyn_disk::failpoint::{Step, step as fail_step};
use samsyn_journal::{
    CallRecord, ClaimStats, Decided, FOLD_VERSION, ProfileState, ProfileStep, Reader, Stepped, step_call,
};
use samsyn_log::{Cut, LogPlace, LogReader, ScanFrom};
use samsyn_vocabulary::{Partition, Position, ProfileId, Seq, Timestamp};

/// Customers held in memory at once: some 100 MB of usual ones.
const PROFILES_HELD_MAX: usize = 50_000;
/// Links and event ids held in memory at once: some 10 MB.
const SMALL_HELD_MAX: usize = 200_000;
/// Records, or merged profiles, between two reports of progress.
const REPORT_EVERY: u64 = 1_000;

/// How long event ids are remembered.
#[derive(Clone, Copy, Debug)]
pub struct Remember {
    /// Milliseconds, by the records' own times.
    pub millis: i64,
    /// How many at most.
    pub max: u64,
}

/// Progress of building a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotProgress {
    /// Bytes of the log that are folded, and of the snapshot that are written.
    pub bytes_done: u64,
    /// Bytes of the log to fold, and about those the snapshot will have.
    pub bytes_total: u64,
    /// Records folded.
    pub records: u64,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proceed {
    /// Go on.
    GoOn,
    /// Stop: nothing is left behind.
    Stop,
}

/// What a snapshot is built from, and where it goes.
pub struct SnapshotJob<'a> {
    /// The log it is of.
    pub log: &'a LogReader,
    /// Where it goes.
    pub dir: &'a Path,
    /// The one to go on from; none from the log's first record.
    pub base: Option<SnapshotFile>,
    pub cut: Cut,
    pub made_at: Timestamp,
    /// How long event ids are remembered.
    pub remember: Remember,
    /// Customers held in memory at once; none for the usual number.
    pub profiles_held_max: Option<usize>,
}

impl SnapshotJob<'_> {
    /// Builds the snapshot. `observe` is called with the progress and returns whether to go on. Afterwards
    /// there is a complete snapshot, or what there was before.
    pub fn run(
        self,
        observe: impl FnMut(SnapshotProgress) -> Proceed,
    ) -> Result<SnapshotInfo, SnapshotError> {
        fs::create_dir_all(self.dir)
            .map_err(|cause| SnapshotError::Write { path: self.dir.to_owned(), cause })?;
        let (dir, place) = (self.dir, self.cut.place);
        let made = SnapshotBuilder::begin(self, observe).and_then(SnapshotBuilder::all);
        // What is left over is worth nothing, and a disk that doesn't let it go has said so before.
        let _ = remove_unfinished(dir);
        made?;
        Ok(SnapshotFile::open(&dir.join(file_name(place)))?.info())
    }
}

/// The name of a snapshot that covers the log up to a place: in the order of their names they are in the
/// order of their places.
pub fn file_name(place: LogPlace) -> String {
    format!("{:020}.snapshot", place.number())
}

/// Removes what making a snapshot left unfinished.
pub fn remove_unfinished(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            fail_step(Step::SnapshotTidy, || fs::remove_file(&path))?;
        }
    }
    Ok(())
}

struct SnapshotBuilder<'a, F> {
    job: SnapshotJob<'a>,
    observe: F,
    progress: SnapshotProgress,
    /// Changed customers that are held.
    profiles: HashMap<ProfileId, StoredProfile>,
    /// The run that has the newest state of a customer that isn't.
    in_run: HashMap<ProfileId, usize>,
    runs: Vec<SnapshotFile>,
    links: BTreeMap<[u8; 16], Option<ProfileId>>,
    events: Vec<(u64, Position)>,
    events_newest: Timestamp,
    patterns: HashMap<Partition, ClaimStats>,
    applied: BTreeMap<Partition, Applied>,
}

impl<'a, F: FnMut(SnapshotProgress) -> Proceed> SnapshotBuilder<'a, F> {
    fn begin(job: SnapshotJob<'a>, observe: F) -> Result<Self, SnapshotError> {
        let mut builder = SnapshotBuilder {
            observe,
            progress: SnapshotProgress::default(),
            profiles: HashMap::new(),
            in_run: HashMap::new(),
            runs: Vec::new(),
            links: BTreeMap::new(),
            events: Vec::new(),
            events_newest: Timestamp::default(),
            patterns: HashMap::new(),
            applied: BTreeMap::new(),
            job,
        };
        let from = builder.base_place();
        let bytes_before = builder.job.base.as_ref().map_or(0, |base| base.info().bytes);
        builder.progress.bytes_total = builder.job.cut.place.bytes_since(from) + bytes_before;
        for entry in builder.job.base.iter().flat_map(SnapshotFile::numbers) {
            match entry? {
                Entry::Counter { partition, field, pattern, count } => {
                    builder.patterns.entry(partition).or_default().restore(field, pattern, count);
                }
                Entry::Applied { partition, applied } => {
                    builder.applied.insert(partition, applied);
                }
                _ => {}
            }
        }
        Ok(builder)
    }

    fn all(mut self) -> Result<(), SnapshotError> {
        self.fold_log()?;
        for (partition, head) in &self.job.cut.heads {
            let reached = self.applied.get(partition);
            let seq = reached.map_or(0, |reached| reached.seq);
            if seq != head.seq || reached.is_some_and(|reached| reached.chain != head.chain.0) {
                return Err(SnapshotError::Ended(Position { partition: *partition, seq }));
            }
        }
        fail_step(Step::SnapshotRun, || self.spill())?;
        fail_step(Step::SnapshotWrite, || self.write())
    }

    /// Folds every record between the base and the cut.
    fn fold_log(&mut self) -> Result<(), SnapshotError> {
        let ends: HashMap<Partition, Seq> =
            self.job.cut.heads.iter().map(|(partition, head)| (*partition, head.seq)).collect();
        let stands = |applied: &BTreeMap<Partition, Applied>, partition: &Partition| {
            applied.get(partition).map_or(0, |reached| reached.seq)
        };
        let mut left: u64 = ends.iter().map(|(partition, end)| end - stands(&self.applied, partition)).sum();
        let from = self.applied.iter().map(|(partition, reached)| (*partition, reached.seq + 1)).collect();
        let records = Reader::new(self.job.log.clone());
        let folded_from = self.base_place();
        let mut scan = records.scan_all(ScanFrom::Seqs(from));
        while left > 0 {
            let Some(read) = scan.next()? else { break };
            let Position { partition, seq } = read.position;
            if seq > ends.get(&partition).copied().unwrap_or(0) {
                continue;
            }
            let expected = stands(&self.applied, &partition) + 1;
            if seq != expected {
                return Err(SnapshotError::Gap(Position { partition, seq: expected }));
            }
            let record =
                Read::of(&read).map_err(|cause| SnapshotError::Record { position: read.position, cause })?;
            step(self, read.position, &read.chain, record.said())?;
            left -= 1;
            self.progress.records += 1;
            if self.progress.records.is_multiple_of(REPORT_EVERY) {
                self.progress.bytes_done = scan.place().bytes_since(folded_from);
                self.report()?;
            }
            let held_max = self.job.profiles_held_max.unwrap_or(PROFILES_HELD_MAX);
            if self.profiles.len() >= held_max || self.links.len() + self.events.len() >= SMALL_HELD_MAX {
                self.spill()?;
            }
        }
        Ok(())
    }

    /// Up to where the snapshot that this one goes on from covers the log.
    fn base_place(&self) -> LogPlace {
        self.job.base.as_ref().map_or(LogPlace::START, |base| base.header().cut.place)
    }

    fn report(&mut self) -> Result<(), SnapshotError> {
        match (self.observe)(self.progress) {
            Proceed::GoOn => Ok(()),
            Proceed::Stop => Err(SnapshotError::Stopped),
        }
    }

    /// A customer that isn't held: in the run that had it last, or in the base.
    fn find(&self, id: ProfileId) -> Result<Option<StoredProfile>, BadSnapshot> {
        match (self.in_run.get(&id), &self.job.base) {
            (Some(run), _) => self.runs[*run].profile(id),
            (None, Some(base)) => base.profile(id),
            (None, None) => Ok(None),
        }
    }

    /// Writes what is held to a run, and forgets it.
    fn spill(&mut self) -> Result<(), SnapshotError> {
        if self.profiles.is_empty() && self.links.is_empty() && self.events.is_empty() {
            return Ok(());
        }
        let path = self.job.dir.join(format!("run-{:04}.new", self.runs.len() + 1));
        let mut writer = SnapshotWriter::create(path.clone(), self.header(), false)?;
        let mut profiles: Vec<StoredProfile> = self.profiles.drain().map(|(_, stored)| stored).collect();
        profiles.sort_unstable_by_key(|stored| stored.state.id);
        for StoredProfile { partition, state } in profiles {
            let bytes = state::profile_bytes(partition, &state);
            writer.sized(Kind::Profiles, *state.id.0.as_bytes(), &[&bytes])?;
            self.in_run.insert(state.id, self.runs.len());
        }
        for (key, profile) in std::mem::take(&mut self.links) {
            let profile = profile.map_or([0; 16], |profile| *profile.0.as_bytes());
            writer.entry(Kind::Links, key, &[&key, &profile])?;
        }
        for ids in self.events.chunks(state::EVENTS_A_BLOCK) {
            writer.block(Kind::Events, &state::events_body(self.events_newest, ids), ids.len() as u32)?;
        }
        self.events.clear();
        writer.finish()?;
        self.runs.push(SnapshotFile::open(&path)?);
        Ok(())
    }

    fn header(&self) -> Header {
        Header { fold: FOLD_VERSION, cut: self.job.cut.clone(), made_at: self.job.made_at }
    }

    /// Merges the base and the runs into the new snapshot.
    fn write(&mut self) -> Result<(), SnapshotError> {
        let path: PathBuf = self.job.dir.join(file_name(self.job.cut.place));
        let mut writer = SnapshotWriter::create(unfinished(&path), self.header(), true)?;
        let registry = self.job.cut.heads.iter().find(|(partition, _)| *partition == Partition::REGISTRY);
        let through = registry.map_or(0, |(_, head)| head.seq);
        let records = self.job.log.raw(Partition::REGISTRY, through)?;
        if (records.len() as u64) < through {
            return Err(SnapshotError::Gap(Position {
                partition: Partition::REGISTRY,
                seq: records.len() as u64 + 1,
            }));
        }
        for record in records {
            writer.entry(Kind::Registry, [0; 16], &[&record])?;
        }
        self.write_profiles(&mut writer)?;
        self.write_links(&mut writer)?;
        self.write_events(&mut writer)?;
        for (partition, patterns) in &self.patterns {
            for (field, pattern, count) in patterns.all() {
                let bytes = state::counter_bytes(*partition, field, pattern, count);
                writer.sized(Kind::Counters, [0; 16], &[&bytes])?;
            }
        }
        for (partition, applied) in &self.applied {
            writer.sized(Kind::Places, [0; 16], &[&state::applied_bytes(*partition, applied)])?;
        }
        writer.finish()?;
        put_in_place(&path)
    }

    fn sources(&self) -> impl Iterator<Item = &SnapshotFile> {
        self.job.base.iter().chain(&self.runs)
    }

    fn write_profiles(&mut self, writer: &mut SnapshotWriter) -> Result<(), SnapshotError> {
        let fold = self.job.base.as_ref().map_or(FOLD_VERSION, |base| base.header().fold);
        let carried = fold != FOLD_VERSION;
        let upgraded = move |item: Result<Item, BadSnapshot>| {
            let (key, bytes) = item?;
            if !carried {
                return Ok((key, bytes));
            }
            let cause = |cause| BadSnapshot::Damaged { path: PathBuf::new(), offset: 0, cause };
            let entry = upgrade::entry(fold, StoredProfile::decode(&bytes).map_err(cause)?.into());
            let Entry::Profile { partition, state } = entry else { return Ok((key, bytes)) };
            Ok((key, state::profile_bytes(partition, &state)))
        };
        let base = self.job.base.iter().map(|base| Box::new(base.raw_profiles().map(upgraded)) as Source<'_>);
        let runs = self.runs.iter().map(|run| Box::new(run.raw_profiles()) as Source<'_>);
        let merged = Merge::new(base.chain(runs));
        let folded_bytes = self.progress.bytes_done;
        for (number, item) in (1u64..).zip(merged) {
            let (key, bytes) = item?;
            writer.sized(Kind::Profiles, key, &[&bytes])?;
            if number.is_multiple_of(REPORT_EVERY) {
                let done = (folded_bytes + writer.length()).min(self.progress.bytes_total);
                if (self.observe)(SnapshotProgress { bytes_done: done, ..self.progress }) == Proceed::Stop {
                    return Err(SnapshotError::Stopped);
                }
            }
        }
        Ok(())
    }

    fn write_links(&self, writer: &mut SnapshotWriter) -> Result<(), SnapshotError> {
        let merged = Merge::new(self.sources().map(|file| Box::new(file.raw_links()) as Source<'_>));
        for item in merged {
            let (key, bytes) = item?;
            // A link that ended is no word on anything any more.
            if bytes[16..] != [0; 16] {
                writer.entry(Kind::Links, key, &[&bytes])?;
            }
        }
        Ok(())
    }

    fn write_events(&self, writer: &mut SnapshotWriter) -> Result<(), SnapshotError> {
        let (mut left, mut newest) = (0, Timestamp::default());
        for block in self.sources().flat_map(SnapshotFile::event_blocks) {
            let (body, ids) = block?;
            left += u64::from(ids);
            newest = newest.max(state::events_newest(&body));
        }
        let Remember { millis, max } = self.job.remember;
        let mut forgetting = true;
        for block in self.sources().flat_map(SnapshotFile::event_blocks) {
            let (body, ids) = block?;
            let too_old = state::events_newest(&body).millis() < newest.millis() - millis;
            // As the view does: at least so many stay.
            forgetting &= too_old || (left > max && left - u64::from(ids) >= max);
            if forgetting {
                left -= u64::from(ids);
            } else {
                writer.block(Kind::Events, &body, ids)?;
            }
        }
        Ok(())
    }
}

impl<F: FnMut(SnapshotProgress) -> Proceed> Folder for SnapshotBuilder<'_, F> {
    type Error = BadSnapshot;

    fn applied(&mut self, position: Position) -> &mut Applied {
        self.applied.entry(position.partition).or_default()
    }

    fn decided(&mut self, position: Position, decided: &Decided) -> Result<Counted, BadSnapshot> {
        let (partition, id) = (position.partition, decided.profile);
        let before = match self.profiles.remove(&id) {
            Some(stored) => Some(stored.state),
            None if decided.previous.is_none() => None,
            None => self.find(id)?.map(|stored| stored.state),
        };
        let profile_step = ProfileStep::begin(before.as_deref(), decided);
        let mut state = before.unwrap_or_else(|| Arc::new(ProfileState::new(id, decided.at)));
        let Stepped { created, moves, pending } =
            profile_step.end(Arc::make_mut(&mut state), position, decided);
        if !moves.is_empty() {
            self.patterns.entry(partition).or_default().fold(id, &moves);
        }
        self.profiles.insert(id, StoredProfile { partition, state });
        Ok(Counted::of(created, &pending))
    }

    fn call(&mut self, position: Position, record: &CallRecord) -> Result<Counted, BadSnapshot> {
        let (partition, id) = (position.partition, record.profile());
        let before = match self.profiles.remove(&id) {
            Some(stored) => Some(stored.state),
            None => self.find(id)?.map(|stored| stored.state),
        };
        let Some(mut state) = before else { return Ok(Counted::default()) };
        let pending = step_call(Arc::make_mut(&mut state), position.seq, record);
        self.profiles.insert(id, StoredProfile { partition, state });
        Ok(Counted::of(false, &pending))
    }

    fn event(&mut self, position: Position, key: EventKey, received_at: Timestamp) {
        self.events.push((key.fingerprint(), position));
        self.events_newest = self.events_newest.max(received_at);
    }

    fn link(&mut self, key: LinkKey, profile: Option<ProfileId>) {
        self.links.insert(key.0, profile);
    }
}

impl SnapshotProgress {
    /// The part that is done, from 0 to 1.
    pub fn part(&self) -> f64 {
        if self.bytes_total == 0 { 1.0 } else { self.bytes_done as f64 / self.bytes_total as f64 }
    }
}
