//! What belongs to a backup: every file with its length and digest. Written last, so that what it
//! lists is there.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::BackupError;
use samsyn_disk::durable_file;
use samsyn_log::LogPlace;
use samsyn_vocabulary::Timestamp;

/// The list's name.
pub const FILE: &str = "backup.json";
/// The version of the list this host writes and reads.
pub const VERSION: u32 = 1;

/// What belongs to a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The list's version.
    pub samsyn_backup: u32,
    /// The version of the host's command that made it.
    pub host: String,
    /// When it was begun: everything acknowledged before is in it.
    pub begun_at: Timestamp,
    /// The logs in it: `log`, and `audit` when there is one.
    pub logs: Vec<BackedUpLog>,
    /// Every file.
    pub files: Vec<FileEntry>,
}

/// A log in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUpLog {
    /// `log` or `audit`.
    pub name: String,
    /// The log's own id, in hexadecimal digits.
    pub id: String,
    /// Up to where it is in the backup.
    #[serde(rename = "offset")]
    pub place: LogPlace,
    /// The digest over where every partition stands there, as `samsyn log head` tells it.
    pub head: String,
    /// When the newest record in it was made, as far as its last segment tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Segments of it.
    pub segments: usize,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Where it belongs in a data directory.
    pub path: String,
    /// Where it lies in the backup.
    pub stored: String,
    /// Its length; of a last segment more may lie there.
    pub bytes: u64,
    /// BLAKE3 of so many bytes, in hexadecimal digits.
    pub blake3: String,
    /// When its source was written last, in milliseconds since 1970: one that is as old and as long
    /// as it was isn't read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<i64>,
}

impl Manifest {
    /// Reads the list of the backup in `dir`; none when there is none.
    pub fn read(dir: &Path) -> Result<Option<Manifest>, BackupError> {
        let path = dir.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(BackupError::io("read", &path))?,
        };
        let wrong = |cause: String| BackupError::Manifest { path: path.clone(), cause };
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if manifest.samsyn_backup != VERSION {
            let cause = format!("it has version {}; this host supports {VERSION}", manifest.samsyn_backup);
            return Err(wrong(cause));
        }
        // No backup has a path that leads elsewhere: somebody changed the manifest.
        let inside = |path: &String| {
            !path.starts_with('/') && path.split('/').all(|part| !part.is_empty() && part != "..")
        };
        match manifest.files.iter().find(|file| !inside(&file.path) || !inside(&file.stored)) {
            Some(file) => Err(wrong(format!("{} leads out of the directory", file.path))),
            None => Ok(Some(manifest)),
        }
    }

    /// Puts the list in place.
    pub fn write(&self, dir: &Path) -> Result<(), BackupError> {
        let path = dir.join(FILE);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| BackupError::Manifest { path: path.clone(), cause: error.to_string() })?;
        durable_file::write(&path, &text).map_err(BackupError::io("write", &path))
    }

    /// One of its logs.
    pub fn log(&self, name: &str) -> Option<&BackedUpLog> {
        self.logs.iter().find(|log| log.name == name)
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}
