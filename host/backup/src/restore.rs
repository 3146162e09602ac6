//! Making a data directory of a backup. It is put together beside its place and checked whole; only
//! then it gets its name, so that no host ever starts on a half of it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Progress;
use super::copy::{is_empty, read_checked};
use super::error::BackupError;
use super::manifest::Manifest;
use samsyn_disk::{DataDir, durable_file};
use samsyn_log::{LogError, verify};
use samsyn_machine::place::Place;

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What was in the backup.
    pub manifest: Manifest,
    /// Where what was there before is now, when there was something.
    pub aside: Option<PathBuf>,
    /// Records of the log that were checked.
    pub records: u64,
}

/// Restores the backup in `dir` as the data directory `target`, which must be empty or not there;
/// with `replace` what is there is put aside. Every file is compared with its digest while it is
/// copied, then every frame and link of the logs is checked. A host that starts on it sends nothing until it is
/// resumed: the one that was backed up may go on.
pub fn restore(
    dir: &Path,
    target: &Path,
    replace: bool,
    mut progress: impl FnMut(Progress),
) -> Result<Restored, BackupError> {
    let manifest = Manifest::read(dir)?.ok_or_else(|| BackupError::NoBackup(dir.to_owned()))?;
    let empty = is_empty(target)?;
    if !empty && !replace {
        return Err(BackupError::TargetNotEmpty(target.to_owned()));
    }
    if !empty && is_in_use(target)? {
        return Err(BackupError::TargetInUse(target.to_owned()));
    }
    let partial = beside(target, "partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(BackupError::io("remove", &partial))?;
    }
    let mut done = Progress { bytes_done: 0, bytes_total: manifest.bytes() };
    for file in &manifest.files {
        let path = partial.join(&file.path);
        let folder = path.parent().unwrap_or(&partial);
        fs::create_dir_all(folder).map_err(BackupError::io("create", folder))?;
        let mut copy = File::create(&path).map_err(BackupError::io("create", &path))?;
        read_checked(dir, file, |piece| {
            copy.write_all(piece).map_err(BackupError::io("write", &path))?;
            done.bytes_done += piece.len() as u64;
            progress(done);
            Ok(())
        })?;
        copy.sync_all().map_err(BackupError::io("sync", &path))?;
    }
    let records = check_logs(&partial, &manifest)?;
    let place = DataDir(partial.clone()).place();
    durable_file::write(&place, Place::restored().to_text().as_bytes())
        .map_err(BackupError::io("write", &place))?;
    let aside = put_in_place(&partial, target, empty)?;
    Ok(Restored { manifest, aside, records })
}

fn is_in_use(target: &Path) -> Result<bool, BackupError> {
    let path = DataDir(target.to_owned()).log().join("lock");
    let file = match File::open(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file.map_err(BackupError::io("open", &path))?,
    };
    Ok(file.try_lock().is_err())
}

/// Checks that what was put together is what the list says it is.
fn check_logs(partial: &Path, manifest: &Manifest) -> Result<u64, BackupError> {
    let mut records = 0;
    for log in &manifest.logs {
        let directory = partial.join(&log.name);
        let report = verify(&directory, |_| {})?;
        if let Some(problem) = report.problem {
            return Err(BackupError::Log(LogError::Damaged(Box::new(problem))));
        }
        let head = report.end.map(|end| end.digest().to_string());
        if head.as_deref() != Some(log.head.as_str()) {
            let cause = format!("its log ends elsewhere than at byte {}", log.place);
            return Err(BackupError::Damaged { path: directory, cause });
        }
        if log.name == samsyn_audit::LOG {
            records = report.records;
        }
    }
    Ok(records)
}

fn put_in_place(partial: &Path, target: &Path, empty: bool) -> Result<Option<PathBuf>, BackupError> {
    sync_all(partial)?;
    let mut aside = None;
    if target.exists() {
        if empty {
            fs::remove_dir(target).map_err(BackupError::io("remove", target))?;
        } else {
            let free =
                (1..).map(|number| beside(target, &format!("before-{number}"))).find(|path| !path.exists());
            let place = free.unwrap_or_else(|| beside(target, "before"));
            fs::rename(target, &place).map_err(BackupError::io("move", target))?;
            aside = Some(place);
        }
    }
    fs::rename(partial, target).map_err(BackupError::io("move", partial))?;
    let folder = folder_of(target);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::io("sync", folder))?;
    Ok(aside)
}

/// Makes the names in a directory and those in it last.
fn sync_all(dir: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(dir).map_err(BackupError::io("list", dir))? {
        let path = entry.map_err(BackupError::io("list", dir))?.path();
        if path.is_dir() {
            sync_all(&path)?;
        }
    }
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(BackupError::io("sync", dir))
}

fn beside(target: &Path, what: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder_of(target).join(format!("{name}.{what}"))
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
