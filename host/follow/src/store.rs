//! A follower's file: read at a start, written whole at each commit.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use samsyn_disk::failpoint::Step;
use samsyn_disk::{self as disk, Disk, ReplaceSteps};

use crate::FollowError;
use crate::saved::{Bad, FORMAT_VERSION, Saved};

const STEPS: ReplaceSteps = ReplaceSteps {
    write: Step::FollowerWrite,
    sync: Step::FollowerSync,
    rename: Step::FollowerRename,
    directory: Step::FollowerDirectory,
};

/// The file of one follower.
pub struct Store {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// Its directory is there, and lasts.
    has_dir: bool,
}

/// What a follower finds at a start.
#[derive(Debug)]
pub enum Found {
    /// No file: it never committed.
    Nothing,
    /// What it committed last.
    Saved(Box<Saved>),
    /// A file that says nothing, and why.
    Damaged(&'static str),
}

impl Store {
    /// The file of the follower of this name in a directory.
    pub fn new(disk: Arc<dyn Disk>, dir: &Path, name: &str) -> Store {
        Store { disk, path: dir.join(format!("{name}.state")), has_dir: false }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it.
    pub fn load(&self) -> Result<Found, FollowError> {
        let bytes = match disk::read(&*self.disk, &self.path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            read => read.map_err(|cause| self.failed("read", cause))?,
        };
        match Saved::from_bytes(&bytes) {
            Ok(saved) => Ok(Found::Saved(Box::new(saved))),
            Err(Bad::Damaged(why)) => Ok(Found::Damaged(why)),
            Err(Bad::Newer(found)) => Err(self.newer("the format", found, FORMAT_VERSION)),
        }
    }

    /// Writes it: after a crash there is the old one or the new one, whole.
    pub fn save(&mut self, saved: &Saved) -> Result<(), FollowError> {
        if !self.has_dir {
            let made = disk::make_dirs(&*self.disk, disk::folder_of(&self.path));
            made.map_err(|cause| self.failed("make the directory of", cause))?;
            self.has_dir = true;
        }
        let written = disk::replace(&*self.disk, &self.path, &[&saved.to_bytes()], STEPS);
        written.map_err(|cause| self.failed("write", cause))
    }

    /// That a newer host wrote it.
    pub fn newer(&self, what: &'static str, found: u16, known: u16) -> FollowError {
        FollowError::Newer { path: self.path.clone(), what, found, known }
    }

    fn failed(&self, action: &'static str, cause: io::Error) -> FollowError {
        FollowError::File { action, path: self.path.clone(), cause }
    }
}
