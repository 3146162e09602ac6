//! The narrow face of the store below the view, and sled behind it.
//!
//! sled is never the truth. Its `flush` doesn't fsync on Linux and its batches aren't atomic
//! across trees, so everything is in one tree with prefixed keys, each batch carries the log
//! position it brings the view to, and whatever looks wrong is deleted and rebuilt.

use std::path::{Path, PathBuf};

use samsyn_vocabulary::Position;

/// The largest value, in bytes: beyond ~128 KiB sled keeps it in a file it never syncs.
pub const VALUE_BYTES_MAX: usize = 48 * 1024;

/// A file beside the store's: something in it couldn't be read while it was in use, and why.
const DAMAGED_FILE: &str = "samsyn-damaged";

/// Writes that happen together or not at all; in no order, for sled keeps them in a map.
#[derive(Default)]
pub struct Batch {
    writes: sled::Batch,
    /// The size of one that is too large: the batch can't be applied.
    too_large: Option<usize>,
}

/// Where entries are put: into a [`Batch`], or one by one into a [`Store`].
pub trait Puts {
    /// Sets a key.
    fn put_entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;
}

impl Puts for Batch {
    fn put_entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.put(key, value);
        Ok(())
    }
}

/// One by one, each there without the next: for a store that says nothing yet. In the order of keys
/// this takes half the time that batches do, because neighbours share the store's pages.
impl Puts for &Store {
    fn put_entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        fits(value.len())?;
        guarded("writing", || Ok(self.db.insert(key, value).map(drop)?))
    }
}

impl Batch {
    /// Sets a key. A value of more than [`VALUE_BYTES_MAX`] bytes makes the batch one that can't be
    /// applied.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        if value.len() > VALUE_BYTES_MAX {
            self.too_large.get_or_insert(value.len());
        }
        self.writes.insert(key, value);
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &[u8]) {
        self.writes.remove(key);
    }
}

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store itself, which is worth nothing.
    #[error("the view's store: {0}; it can be deleted and is rebuilt from the log")]
    Store(String),
    /// What lies in it isn't what was put there.
    #[error("the view's store is damaged: {0}; the next start rebuilds the view from the log")]
    Damaged(String),
    /// A copy of it can't be made or read.
    #[error("{} can't be written: {cause}; give a directory with room for two views with --scratch", path.display())]
    NoRoom {
        /// What was to be written.
        path: PathBuf,
        /// Why it can't be.
        cause: String,
    },
    /// The log doesn't hold what the fold must go on with.
    #[error(
        "record {0} has left the log by retention, and there is no snapshot that holds what it said; put a \
         snapshot back into `snapshots`, or restore a backup"
    )]
    Gap(Position),
}

/// An entry that is too large is a fault of whoever writes it: what can be so large stands in several.
fn fits(bytes: usize) -> Result<(), StoreError> {
    if bytes <= VALUE_BYTES_MAX {
        return Ok(());
    }
    Err(StoreError::Store(format!(
        "an entry of {bytes} bytes can't be written, {VALUE_BYTES_MAX} are the most"
    )))
}

/// What the view needs of a store.
pub struct Store {
    db: sled::Db,
    directory: PathBuf,
}

impl StoreError {
    pub fn unreadable(why: impl std::fmt::Display) -> StoreError {
        StoreError::Store(why.to_string())
    }

    pub(super) fn gap(missing: Position) -> StoreError {
        StoreError::Gap(missing)
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> StoreError {
        StoreError::Store(error.to_string())
    }
}

/// sled panics on some errors of its disk; that must not end the thread that meets one.
fn guarded<T>(doing: &str, does: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(does))
        .unwrap_or_else(|_| Err(StoreError::Store(format!("it panicked while {doing}"))))
}

impl Store {
    /// Opens or makes a store. sled has been seen to panic on files that a crash left half
    /// written, so a panic counts as an error.
    pub fn open(dir: &Path, cache_bytes: u64) -> Result<Store, StoreError> {
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(cache_bytes)
            .mode(sled::Mode::HighThroughput)
            // What isn't flushed is folded again from the log: no need to hurry.
            .flush_every_ms(Some(2_000));
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open())) {
            Ok(db) => Ok(Store { db: db?, directory: dir.to_owned() }),
            Err(_) => Err(StoreError::Store("it panicked while opening".to_owned())),
        }
    }

    /// Why a store that lies there must not be used again, as it said itself while it was.
    pub fn is_damaged(dir: &Path) -> Option<String> {
        std::fs::read_to_string(dir.join(DAMAGED_FILE)).ok()
    }

    /// Notes for the next start that what lies in the store isn't what was put there.
    pub fn damaged(&self, why: impl std::fmt::Display) -> StoreError {
        let why = why.to_string();
        if let Err(error) = std::fs::write(self.directory.join(DAMAGED_FILE), &why) {
            tracing::warn!(%error, %why, "the view is damaged, which can't be noted: delete it before the next start");
        }
        StoreError::Damaged(why)
    }

    /// An error while reading, which may be the store's own judgement of what it read.
    fn unread(&self, error: sled::Error) -> StoreError {
        match error {
            sled::Error::Corruption { .. } => self.damaged(error),
            error => error.into(),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        guarded("reading", || self.db.get(key).map_err(|error| self.unread(error)))
    }

    /// Whether nothing was ever put into it.
    pub fn is_empty(&self) -> bool {
        self.db.is_empty()
    }

    /// Every key with this prefix, in order, without the prefix, and its value.
    pub fn scan(&self, prefix: &[u8]) -> impl Iterator<Item = Result<(Vec<u8>, sled::IVec), StoreError>> {
        let length = prefix.len();
        self.db.scan_prefix(prefix).map(move |entry| {
            let (key, value) = entry.map_err(|error| self.unread(error))?;
            Ok((key[length..].to_vec(), value))
        })
    }

    /// Every key with this prefix from `first` on, as [`Store::scan`] gives them.
    pub fn scan_from(
        &self,
        prefix: &'static [u8],
        first: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, sled::IVec), StoreError>> {
        let entries = self.db.range(first.to_vec()..);
        let of_prefix =
            entries.take_while(move |entry| entry.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)));
        of_prefix.map(move |entry| {
            let (key, value) = entry.map_err(|error| self.unread(error))?;
            Ok((key[prefix.len()..].to_vec(), value))
        })
    }

    /// Applies a batch.
    pub fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        batch.too_large.map_or(Ok(()), fits)?;
        guarded("writing", || Ok(self.db.apply_batch(batch.writes)?))
    }

    /// Writes what is buffered. Survives a killed process, not a power cut: the log does.
    pub fn flush(&self) -> Result<(), StoreError> {
        guarded("writing", || Ok(self.db.flush().map(drop)?))
    }
}
