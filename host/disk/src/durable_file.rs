//! A file that is there whole or not at all, also after a power cut.

use std::io;
use std::path::Path;

use crate::failpoint::Step;
use crate::{Disk, ReplaceSteps};

const STEPS: ReplaceSteps = ReplaceSteps {
    write: Step::DurableWrite,
    sync: Step::DurableSync,
    rename: Step::DurableRename,
    directory: Step::DurableDirectory,
};

/// Writes a file of this content in place of what is there: to a file beside it first, synced and
/// renamed, and then its directory is synced. Makes the directory when there is none.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_on(&*crate::local(), path, content)
}

/// [`write`] on another disk.
pub fn write_on(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    crate::make_dirs(disk, crate::folder_of(path))?;
    crate::replace(disk, path, &[content], STEPS)
}
