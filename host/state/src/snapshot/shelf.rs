//! The directory of snapshots: which there are, which can be used, which may go.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SnapshotInfo;
use super::builder::remove_unfinished;
use super::error::BadSnapshot;
use super::read::SnapshotFile;
use crate::view::Base;
use samsyn_disk::failpoint::{Step, step};
use samsyn_log::LogReader;
use samsyn_vocabulary::Partition;

const SUFFIX: &str = "snapshot";

/// A directory of snapshots.
#[derive(Clone, Debug)]
pub struct Shelf(PathBuf);

/// A snapshot, or why it is none.
#[derive(Debug)]
pub struct Listed {
    /// Its file.
    pub path: PathBuf,
    /// What it is, or why it can't be used.
    pub found: Result<SnapshotInfo, BadSnapshot>,
}

impl Shelf {
    /// The one in `dir`, which needn't be there.
    pub fn new(dir: PathBuf) -> Shelf {
        Shelf(dir)
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// Removes what a crash left unfinished.
    pub fn tidy(&self) -> io::Result<()> {
        match remove_unfinished(&self.0) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            tidied => tidied,
        }
    }

    /// The files, newest first: their names are the offsets they cover the log up to.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(&self.0) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == SUFFIX) {
                files.push(path);
            }
        }
        files.sort_unstable_by(|one, other| other.cmp(one));
        Ok(files)
    }

    /// Every snapshot, newest first, with whether it fits the log; with `whole`, every byte is
    /// checked.
    pub fn list(&self, log: &LogReader, whole: bool) -> Result<Vec<Listed>, BadSnapshot> {
        let files = self.files().map_err(BadSnapshot::io(&self.0))?;
        Ok(files.into_iter().map(|path| look(path, log, whole)).collect())
    }

    /// The snapshots that can be used, newest first, every byte of each checked when it is asked
    /// for. One that can't be is passed over and warned about.
    pub fn usable<'a>(&self, log: &'a LogReader) -> impl Iterator<Item = SnapshotFile> + use<'a> {
        let files = self.files().unwrap_or_else(|cause| {
            tracing::warn!(%cause, directory = %self.0.display(), "the snapshots can't be listed");
            Vec::new()
        });
        files.into_iter().filter_map(move |path| match checked(&path, log, true) {
            Ok(file) => Some(file),
            Err(bad) => {
                warn_of(&path, &bad);
                None
            }
        })
    }

    /// [`Shelf::usable`] as a view asks for them.
    pub fn bases<'a>(&self, log: &'a LogReader) -> impl FnMut() -> Option<Box<dyn Base>> + use<'a> {
        let mut usable = self.usable(log);
        move || usable.next().map(|file| Box::new(file) as Box<dyn Base>)
    }

    /// [`Shelf::bases`] for who would rather fold everything: none while the log holds every record.
    pub fn bases_if_needed<'a>(&self, log: &'a LogReader) -> impl FnMut() -> Option<Box<dyn Base>> + use<'a> {
        let mut bases = (!log.is_whole()).then(|| self.bases(log));
        move || bases.as_mut().and_then(|bases| bases())
    }

    /// Puts the registry's records back into a log that removed them, from the newest snapshot whose
    /// chain of them holds. Whether it can be read from its first record on now.
    pub fn carry_registry(&self, log: &LogReader) -> bool {
        if log.is_readable_from_start(Partition::REGISTRY) {
            return true;
        }
        for path in self.files().unwrap_or_default() {
            let carry = || -> Result<(), BadSnapshot> {
                let file = SnapshotFile::open(&path)?;
                if file.header().cut.log_id != log.log_id() {
                    return Err(BadSnapshot::OtherLog);
                }
                let records: Vec<Arc<[u8]>> = file.registry()?;
                Ok(log.carry(Partition::REGISTRY, records)?)
            };
            match carry() {
                Ok(()) => return true,
                Err(bad) => warn_of(&path, &bad),
            }
        }
        false
    }

    /// Removes all but the newest `keep` that can be used and those that came after the oldest of
    /// them; answers how many.
    pub fn prune(&self, log: &LogReader, keep: usize) -> Result<usize, BadSnapshot> {
        let listed = self.list(log, false)?;
        let mut kept = 0;
        let mut removed = 0;
        for Listed { path, found } in listed {
            if kept >= keep {
                step(Step::SnapshotRemove, || fs::remove_file(&path)).map_err(BadSnapshot::io(&path))?;
                removed += 1;
            } else {
                kept += usize::from(found.is_ok());
            }
        }
        Ok(removed)
    }
}

fn look(path: PathBuf, log: &LogReader, whole: bool) -> Listed {
    let found = checked(&path, log, whole).map(|file| file.info());
    Listed { path, found }
}

fn checked(path: &Path, log: &LogReader, whole: bool) -> Result<SnapshotFile, BadSnapshot> {
    let file = SnapshotFile::open(path)?;
    file.fits(log)?;
    if whole {
        file.check(|_, _| {})?;
    }
    Ok(file)
}

fn warn_of(path: &Path, bad: &BadSnapshot) {
    tracing::warn!(snapshot = %path.display(), cause = %bad, "a snapshot can't be used; the one before is tried");
}
