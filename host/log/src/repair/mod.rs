//! Mending a damaged log without a host: what can be derived is written anew, and if that isn't
//! enough the log is cut to its last good prefix. Nothing is deleted: what is taken out lies aside.
//!
//! The log is one sequence over all partitions, and a later record may rely on any earlier one. So
//! a cut takes everything after the damaged place, of every partition.

mod plan;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{Damage, LogError};
use super::files::LogDir;
use super::scan::Progress;
use super::walk::without_zeros;
use plan::Planning;
use samsyn_disk::{self as disk, Disk, DiskLock};
use samsyn_vocabulary::{Partition, Seq};

/// What repairing a log takes.
#[derive(Clone, Debug, Default)]
pub struct RepairPlan {
    /// Parts that are written anew, from what the rest of the log says. No record is lost by it.
    pub rebuilt: Vec<Rebuilt>,
    /// Where the log is cut; none when that isn't needed.
    pub cut: Option<LogCut>,
    /// Records that hold and stay.
    pub records_kept: u64,
    /// Whether the log ends in a torn tail. That is no damage: the next start cuts it.
    pub torn_tail: bool,
}

impl RepairPlan {
    /// Whether there is nothing to repair.
    pub fn is_empty(&self) -> bool {
        self.rebuilt.is_empty() && self.cut.is_none()
    }
}

/// A part of a segment that can be derived.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    pub part: Part,
    /// What is wrong with it.
    pub damage: Damage,
}

/// A part of a segment that can be derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its first bytes: from its name and the segments beside it.
    Header,
    /// Its last bytes: from its records.
    Index,
}

/// Where a log is cut and what goes with it.
#[derive(Clone, Debug)]
pub struct LogCut {
    /// What doesn't hold. Everything from there on goes.
    pub damage: Damage,
    /// The segment that is cut, by its number.
    pub segment: u64,
    /// Bytes of it that stay; 0 when the whole file goes.
    pub offset: u64,
    /// Later segments, which go whole.
    pub later: Vec<u64>,
    /// Bytes that go, of all of them.
    pub bytes: u64,
    /// What each partition loses, ascending. A record that can't be read and has no later one in
    /// its partition is counted nowhere.
    pub lost: Vec<LostRecords>,
}

impl LogCut {
    /// Records that go, at least.
    pub fn records(&self) -> u64 {
        self.lost.iter().map(LostRecords::records).sum()
    }
}

/// What a partition loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostRecords {
    pub partition: Partition,
    /// Its last record that stays; 0 when none does.
    pub kept_through: Seq,
    /// Its last record that is known to have been there.
    pub known_through: Seq,
    /// Records of it that can still be read in what goes.
    pub readable: u64,
}

impl LostRecords {
    /// Records that go, at least.
    pub fn records(&self) -> u64 {
        self.known_through - self.kept_through
    }
}

/// A log that is held for repair.
pub struct Repair {
    dir: LogDir,
    plan: RepairPlan,
    /// What is to be written in place of a segment's bytes.
    edits: Vec<Edit>,
    _lock: Box<dyn DiskLock>,
}

/// New bytes for a stretch of a segment.
struct Edit {
    segment: u64,
    from: u64,
    to: u64,
    bytes: Vec<u8>,
}

impl Repair {
    /// Holds the log in `dir`, reads all of it and says what repairing it takes; nothing is changed.
    ///
    /// `progress` is called after each segment. What can't be repaired is an error: a floor that is
    /// damaged, a first segment nothing of which holds, a newer format.
    pub fn plan(dir: &Path, progress: impl FnMut(Progress)) -> Result<Repair, LogError> {
        Repair::plan_on(disk::local(), dir, progress)
    }

    /// What repairing the log in `dir` takes. It only looks: nothing is written, not even a
    /// lock where there is none. Others may read it meanwhile, and no host starts on it.
    pub fn look(dir: &Path, progress: impl FnMut(Progress)) -> Result<RepairPlan, LogError> {
        let dir = LogDir::new(disk::local(), dir);
        let _lock = dir.lock_to_read()?;
        Ok(Planning::new(&dir)?.all(progress)?.0)
    }

    /// [`plan`](Repair::plan) on another disk than this machine's.
    pub(crate) fn plan_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        progress: impl FnMut(Progress),
    ) -> Result<Repair, LogError> {
        let dir = LogDir::new(disk, dir);
        let lock = dir.lock()?;
        let (plan, edits) = Planning::new(&dir)?.all(progress)?;
        Ok(Repair { dir, plan, edits, _lock: lock })
    }

    /// What it would do.
    pub fn what(&self) -> &RepairPlan {
        &self.plan
    }

    /// Does it; answers the folder that keeps what was taken out. A crash in between leaves a log that is
    /// still damaged at the same place and can be repaired again.
    pub fn apply(self) -> Result<PathBuf, LogError> {
        let aside = self.make_folder()?;
        for Edit { segment, from, to, .. } in &self.edits {
            self.keep(&aside, *segment, *from, Some(*to))?;
        }
        if let Some(cut) = &self.plan.cut {
            // From the end, so that what is left never has a gap.
            for number in cut.later.iter().rev() {
                self.move_aside(&aside, *number)?;
            }
            self.dir.sync()?;
            match cut.offset {
                0 => self.move_aside_if_there(&aside, cut.segment)?,
                offset => self.keep(&aside, cut.segment, offset, None)?,
            }
        }
        let sync = self.dir.disk.sync_dir(&aside);
        sync.map_err(LogError::io("sync", &aside))?;
        self.write_edits()?;
        self.dir.sync()?;
        Ok(aside)
    }

    /// Writes anew what is derived, and what stays of the segment that is cut.
    fn write_edits(&self) -> Result<(), LogError> {
        let mut numbers: Vec<u64> = self.edits.iter().map(|edit| edit.segment).collect();
        let cut = self.plan.cut.as_ref().filter(|cut| cut.offset > 0);
        numbers.extend(cut.map(|cut| cut.segment));
        numbers.sort_unstable();
        numbers.dedup();
        // The segment that is cut comes last: before it, the log is as damaged as it was.
        for number in numbers {
            let mut bytes = self.dir.read_segment(number)?;
            if let Some(cut) = cut.filter(|cut| cut.segment == number) {
                bytes.truncate(cut.offset as usize);
            }
            for edit in self.edits.iter().filter(|edit| edit.segment == number) {
                let end = (edit.to as usize).min(bytes.len());
                bytes.splice(edit.from as usize..end, edit.bytes.iter().copied());
            }
            self.dir.replace(&self.dir.segment(number), &[&bytes])?;
        }
        Ok(())
    }

    fn make_folder(&self) -> Result<PathBuf, LogError> {
        for attempt in 1u32.. {
            let folder = self.dir.path.join(format!("repaired-{attempt}"));
            match self.dir.disk.make_dir(&folder) {
                Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(cause) => return Err(LogError::io("create", &folder)(cause)),
                Ok(()) => {
                    self.dir.sync()?;
                    return Ok(folder);
                }
            }
        }
        unreachable!("a log isn't mended four thousand million times")
    }

    /// Copies a stretch of a segment into the folder.
    fn keep(&self, aside: &Path, number: u64, from: u64, to: Option<u64>) -> Result<(), LogError> {
        let bytes = self.dir.read_segment(number)?;
        let end = to.map_or(bytes.len(), |to| (to as usize).min(bytes.len()));
        // A file may end before its header does.
        let kept = bytes.get(from as usize..end).unwrap_or_default();
        let kept = if to.is_none() { without_zeros(kept) } else { kept };
        let path = aside.join(format!("{number:010}-{from}.cut"));
        let disk = &*self.dir.disk;
        let written = disk.create(&path).and_then(|file| {
            disk::write_all(&*file, &[kept])?;
            file.sync()
        });
        written.map_err(LogError::io("write", &path))
    }

    fn move_aside(&self, aside: &Path, number: u64) -> Result<(), LogError> {
        let from = self.dir.segment(number);
        let Some(name) = from.file_name() else { return Ok(()) };
        self.dir.disk.rename(&from, &aside.join(name)).map_err(LogError::io("move", &from))
    }

    /// A segment that is missing can be what is wrong.
    fn move_aside_if_there(&self, aside: &Path, number: u64) -> Result<(), LogError> {
        let path = self.dir.segment(number);
        let there = self.dir.disk.exists(&path).map_err(LogError::io("find", &path))?;
        if there { self.move_aside(aside, number) } else { Ok(()) }
    }
}
