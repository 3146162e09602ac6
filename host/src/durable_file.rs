//! A file that is there whole or not at all, also after a power cut.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::failpoint::{Step, step};

/// Writes a file of this content in place of what is there: to a file beside it first, synced and
/// renamed, and then its directory is synced. Makes the directory when there is none.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(directory)?;
    let temporary = path.with_extension("new");
    let file = step(Step::DurableWrite, || {
        let mut file = File::create(&temporary)?;
        file.write_all(content).map(|()| file)
    })?;
    step(Step::DurableSync, || file.sync_all())?;
    step(Step::DurableRename, || fs::rename(&temporary, path))?;
    step(Step::DurableDirectory, || File::open(directory)?.sync_all())
}
