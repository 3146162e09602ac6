//! Copies of directories: a data directory to start from, and a view as it was yesterday.

use std::fs;
use std::path::{Path, PathBuf};

/// Copies a directory with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("a directory can be read") {
        let path = entry.expect("so can its entries").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}

/// Every file below a directory, in the order of their names.
pub fn all(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory can be read") {
        let path = entry.expect("so can its entries").path();
        if path.is_dir() {
            files.extend(all(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The segment of a log that grows.
pub fn newest_segment(log: &Path) -> PathBuf {
    let mut segments = all(log);
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    segments.pop().expect("a log has a segment")
}
