//! Copying what is new into a backup, and checking what is there.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::Progress;
use super::error::BackupError;
use super::manifest::{self, BackedUpLog, FileEntry, Manifest};
use samsyn_audit::{AUDIT, LOG};
use samsyn_disk::DataDir;
use samsyn_log::{self as log, LogPrefix};
use samsyn_machine::clock::Clock;
use samsyn_state::snapshot::{Shelf, SnapshotFile};

/// How much is read at once.
const PIECE_BYTES: usize = 1 << 20;
/// Characters of a digest in the name of a file that changes: enough that two differ.
const DIGEST_IN_NAME: usize = 8;
const LOCK_FILE: &str = "backup.lock";
/// The directories of a backup, in which what is no longer listed is removed.
const DIRECTORIES: [&str; 5] = ["log", "audit", "followers", "components", "snapshots"];

/// What a backup copied.
#[derive(Clone, Debug)]
pub struct Copied {
    /// What is in the backup now.
    pub manifest: Manifest,
    /// Files that were copied.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were there already.
    pub kept: usize,
}

/// Backs a data directory up into `dir`: what is new since the last backup there, or everything. A
/// host may run on it meanwhile, and may be under load.
pub fn back_up(
    data: &DataDir,
    dir: &Path,
    clock: &Clock,
    progress: impl FnMut(Progress),
) -> Result<Copied, BackupError> {
    if !data.log().is_dir() {
        return Err(BackupError::NoData(data.0.clone()));
    }
    let before = Manifest::read(dir)?;
    let is_free = before.is_some() || is_empty(dir)? || dir.join(LOCK_FILE).exists();
    if !is_free {
        return Err(BackupError::NoBackupDirectory(dir.to_owned()));
    }
    fs::create_dir_all(dir).map_err(BackupError::io("create", dir))?;
    let _lock = lock(dir)?;
    let begun_at = clock.now();
    // Before the log, so that no cursor lies behind its end.
    let followers = followers(data)?;
    // Both logs are held from here on: nothing of them, and no snapshot, is removed.
    let logs = prefixes(data)?;
    if let (Some(known), Some((_, log))) = (before.as_ref().and_then(|known| known.log(LOG)), logs.first())
        && known.id != id_of(log)
    {
        return Err(BackupError::OtherLog(dir.to_owned()));
    }
    let known = before.map(|known| known.files).unwrap_or_default();
    let known = known.into_iter().map(|file| (file.path.clone(), file)).collect();
    let mut copying = Copying {
        dir,
        known,
        files: Vec::new(),
        copied: (0, 0),
        kept: 0,
        done: Progress::default(),
        progress,
    };
    copying.all(data, &logs)?;
    for (path, bytes) in &followers {
        copying.changing(path, bytes)?;
    }
    let Copying { files, copied: (copied, bytes), kept, .. } = copying;
    let manifest = Manifest {
        samsyn_backup: manifest::VERSION,
        host: env!("CARGO_PKG_VERSION").to_owned(),
        begun_at,
        logs: logs.iter().map(|(name, log)| describe(name, log)).collect(),
        files,
    };
    manifest.write(dir)?;
    remove_unlisted(dir, &manifest)?;
    Ok(Copied { manifest, files: copied, bytes, kept })
}

fn prefixes(data: &DataDir) -> Result<Vec<(&'static str, LogPrefix)>, BackupError> {
    let mut logs = vec![(LOG, log::prefix(&data.log())?)];
    if data.audit().is_dir() {
        logs.push((AUDIT, log::prefix(&data.audit())?));
    }
    Ok(logs)
}

/// What followers keep, as it is now: each file is replaced whole.
fn followers(data: &DataDir) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
    let files = list(&data.followers())?;
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).map_err(BackupError::io("read", &path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok((format!("followers/{name}"), bytes))
    };
    files.into_iter().map(read).collect()
}

fn id_of(log: &LogPrefix) -> String {
    log.log_id().0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe(name: &str, log: &LogPrefix) -> BackedUpLog {
    BackedUpLog {
        name: name.to_owned(),
        id: id_of(log),
        place: log.end().place,
        head: log.end().digest().to_string(),
        newest: log.newest(),
        segments: log.segments().len(),
    }
}

struct Copying<'a, P> {
    dir: &'a Path,
    known: HashMap<String, FileEntry>,
    files: Vec<FileEntry>,
    copied: (usize, u64),
    kept: usize,
    done: Progress,
    progress: P,
}

impl<P: FnMut(Progress)> Copying<'_, P> {
    fn all(&mut self, data: &DataDir, logs: &[(&'static str, LogPrefix)]) -> Result<(), BackupError> {
        let (components, snapshots) = (list(&data.components())?, self.snapshots(data, logs)?);
        let segments = logs.iter().flat_map(|(_, log)| log.segments()).map(|segment| segment.bytes);
        let others = components.iter().chain(&snapshots).map(|path| length(path));
        self.done.bytes_total = segments.sum::<u64>() + others.sum::<u64>();
        for (name, log) in logs {
            self.log(name, log)?;
        }
        // Behind the log, so that what it names is there.
        for (directory, files) in [("components", components), ("snapshots", snapshots)] {
            for source in files {
                let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.file(&source, &format!("{directory}/{name}"))?;
            }
        }
        let settings = data.settings();
        match fs::read(&settings) {
            Ok(bytes) => self.changing("data.toml", &bytes),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(BackupError::io("read", &settings)(cause)),
        }
    }

    /// The snapshots that the copied log can be folded on from.
    fn snapshots(
        &self,
        data: &DataDir,
        logs: &[(&'static str, LogPrefix)],
    ) -> Result<Vec<PathBuf>, BackupError> {
        let Some((_, log)) = logs.first() else { return Ok(Vec::new()) };
        let shelf = Shelf::new(data.snapshots());
        let files = shelf.files().map_err(BackupError::io("list", shelf.dir()))?;
        let usable = |path: &PathBuf| match SnapshotFile::open(path)
            .and_then(|file| file.check(|_, _| {}).map(|()| file))
        {
            Ok(file) => {
                let cut = &file.header().cut;
                cut.log_id == log.log_id() && cut.place <= log.end().place
            }
            Err(bad) => {
                tracing::warn!(snapshot = %path.display(), cause = %bad, "is not backed up: it is invalid");
                false
            }
        };
        let files: Vec<PathBuf> = files.into_iter().filter(usable).collect();
        if files.is_empty() && log.floor().is_some() {
            return Err(BackupError::NoSnapshot(data.snapshots()));
        }
        Ok(files)
    }

    fn log(&mut self, name: &str, log: &LogPrefix) -> Result<(), BackupError> {
        if let Some(floor) = log.floor() {
            self.changing(&format!("{name}/floor"), floor)?;
        }
        let last = log.segments().last().map(|last| last.number);
        for segment in log.segments() {
            let path = format!("{name}/{:010}.segment", segment.number);
            let modified = modified(&segment.path);
            // The last one may have grown within a tick of the file system's clock.
            if Some(segment.number) != last && self.is_known(&path, segment.bytes, modified) {
                continue;
            }
            let bytes = log.read(segment)?;
            self.put(&path, &path, &bytes, modified)?;
        }
        Ok(())
    }

    /// Whether the backup has this file as it is now; then it is taken over.
    fn is_known(&mut self, path: &str, bytes: u64, modified: Option<i64>) -> bool {
        let known = self.known.get(path).filter(|known| {
            let same = known.bytes == bytes && known.modified == modified && modified.is_some();
            same && length(&self.dir.join(&known.stored)) == bytes
        });
        let Some(known) = known.cloned() else { return false };
        self.files.push(known);
        self.kept += 1;
        self.pass(bytes);
        true
    }

    fn pass(&mut self, bytes: u64) {
        self.done.bytes_done += bytes;
        (self.progress)(self.done);
    }

    /// A file that never changes once it is there.
    fn file(&mut self, source: &Path, path: &str) -> Result<(), BackupError> {
        let modified = modified(source);
        if self.is_known(path, length(source), modified) {
            return Ok(());
        }
        let bytes = fs::read(source).map_err(BackupError::io("read", source))?;
        self.put(path, path, &bytes, modified)
    }

    /// A small file that changes: each content has a name of its own.
    fn changing(&mut self, path: &str, bytes: &[u8]) -> Result<(), BackupError> {
        let digest = blake3::hash(bytes).to_hex();
        self.put(path, &format!("{path}.{}", &digest[..DIGEST_IN_NAME]), bytes, None)
    }

    fn put(
        &mut self,
        path: &str,
        stored: &str,
        bytes: &[u8],
        modified: Option<i64>,
    ) -> Result<(), BackupError> {
        let digest = blake3::hash(bytes).to_hex().to_string();
        let target = self.dir.join(stored);
        let entry = FileEntry {
            path: path.to_owned(),
            stored: stored.to_owned(),
            bytes: bytes.len() as u64,
            blake3: digest,
            modified,
        };
        let same = |known: &&FileEntry| known.stored == entry.stored && known.blake3 == entry.blake3;
        let there = self.known.get(path).filter(same).is_some() && length(&target) == entry.bytes;
        if there {
            self.kept += 1;
        } else {
            write(&target, bytes)?;
            self.copied = (self.copied.0 + 1, self.copied.1 + entry.bytes);
        }
        let passed = entry.bytes;
        self.files.push(entry);
        self.pass(passed);
        Ok(())
    }
}

/// Writes a whole file, synced, with its name.
fn write(target: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut name = target.as_os_str().to_owned();
    name.push(".new");
    let unfinished = PathBuf::from(name);
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, target)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(BackupError::io("write", target))
}

fn lock(dir: &Path) -> Result<File, BackupError> {
    let path = dir.join(LOCK_FILE);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(BackupError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::Busy(dir.to_owned())),
        Err(TryLockError::Error(cause)) => Err(BackupError::io("lock", &path)(cause)),
    }
}

/// Whether there is nothing in a directory, or no directory.
pub(super) fn is_empty(dir: &Path) -> Result<bool, BackupError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(cause) => Err(BackupError::io("list", dir)(cause)),
    }
}

/// The files of a directory in the order of their names; none when there is no directory.
fn list(dir: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(dir) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(BackupError::io("list", dir))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(BackupError::io("list", dir))?.path();
        let unfinished = path.extension().is_some_and(|extension| extension == "new");
        if path.is_file() && !unfinished {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// A file's length; 0 when there is none.
fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

fn modified(path: &Path) -> Option<i64> {
    let modified = fs::metadata(path).and_then(|file| file.modified()).ok()?;
    i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// Removes what earlier backups needed and this one doesn't.
fn remove_unlisted(dir: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let listed: HashSet<PathBuf> = manifest.files.iter().map(|file| dir.join(&file.stored)).collect();
    let mut candidates: Vec<PathBuf> = Vec::new();
    for directory in DIRECTORIES.map(|name| dir.join(name)) {
        if directory.is_dir() {
            let entries = fs::read_dir(&directory).map_err(BackupError::io("list", &directory))?;
            candidates.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
    }
    candidates.retain(|path| path.is_file() && !listed.contains(path));
    for path in candidates {
        fs::remove_file(&path).map_err(BackupError::io("remove", &path))?;
    }
    Ok(())
}

/// Reads every file of a backup and compares it with its digest; names the first that is damaged.
pub fn check(dir: &Path, mut progress: impl FnMut(Progress)) -> Result<Manifest, BackupError> {
    let manifest = Manifest::read(dir)?.ok_or_else(|| BackupError::NoBackup(dir.to_owned()))?;
    let mut done = Progress { bytes_done: 0, bytes_total: manifest.bytes() };
    for file in &manifest.files {
        read_checked(dir, file, |piece| {
            done.bytes_done += piece.len() as u64;
            progress(done);
            Ok(())
        })?;
    }
    Ok(manifest)
}

/// Reads a file of a backup, a piece after the other, and compares it with its digest at the end.
pub(super) fn read_checked(
    dir: &Path,
    file: &FileEntry,
    mut take: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let path = dir.join(&file.stored);
    let damaged = |cause: String| BackupError::Damaged { path: path.clone(), cause };
    let mut source = match File::open(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return Err(damaged("it is missing".to_owned()));
        }
        source => source.map_err(BackupError::io("open", &path))?.take(file.bytes),
    };
    let (mut hasher, mut left) = (blake3::Hasher::new(), file.bytes);
    let mut piece = vec![0; PIECE_BYTES];
    while left > 0 {
        let read = source.read(&mut piece).map_err(BackupError::io("read", &path))?;
        if read == 0 {
            return Err(damaged(format!("it has {} of its {} bytes", file.bytes - left, file.bytes)));
        }
        hasher.update(&piece[..read]);
        take(&piece[..read])?;
        left -= read as u64;
    }
    if hasher.finalize().to_hex().as_str() != file.blake3 {
        return Err(damaged("its digest differs from the copied file".to_owned()));
    }
    Ok(())
}
