//! The refused file: rows that were not taken, as JSON lines that can be imported once they are
//! corrected. One that exists already is somebody's work, and stays.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::dispatcher::{Progress, Summary};
use super::row::Refused;
use samsyn_client::ClientError;
use samsyn_terminal::error::{CliError, file_error};

/// How many refused files of one name there may be.
const FILES_MAX: u32 = 10_000;

/// Where refused rows are to be listed.
#[derive(Debug, Clone)]
pub enum Place {
    /// `NAME.refused.jsonl`, or the first `NAME.refused.2.jsonl` … that isn't there.
    Beside(PathBuf),
    /// There and nowhere else.
    At(PathBuf),
}

impl Place {
    /// Fails when what was named is there and holds something.
    pub fn check(&self) -> Result<(), CliError> {
        let Place::At(path) = self else { return Ok(()) };
        match std::fs::metadata(path) {
            Ok(found) if found.is_file() && found.len() > 0 => {
                Err(CliError::usage(format!("{} exists already", path.display()))
                    .because("it may have the rejected rows of an earlier import, and is not overwritten")
                    .next("move it away, or choose another with --refused"))
            }
            _ => Ok(()),
        }
    }

    fn create(&self) -> Result<(File, PathBuf), CliError> {
        let failed = |path: &Path, cause: &io::Error| file_error("write", path, cause);
        let name = match self {
            Place::At(path) => {
                let file = File::create(path).map_err(|cause| failed(path, &cause))?;
                return Ok((file, path.clone()));
            }
            Place::Beside(name) => name,
        };
        for number in 1..=FILES_MAX {
            let mut path = name.as_os_str().to_owned();
            path.push(if number == 1 {
                ".refused.jsonl".to_owned()
            } else {
                format!(".refused.{number}.jsonl")
            });
            let path = PathBuf::from(path);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, path)),
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(failed(&path, &cause)),
            }
        }
        Err(CliError::usage(format!("{} has {FILES_MAX} files of rejected rows already", name.display()))
            .next("move them away"))
    }
}

/// Passes everything on and writes refused rows to the refused file, which is made with the first
/// one.
pub struct Reporting {
    inner: Box<dyn Progress>,
    place: Place,
    file: Option<(BufWriter<File>, PathBuf)>,
    failure: Option<CliError>,
}

impl Reporting {
    /// Writes there when there is something to write.
    pub fn new(inner: Box<dyn Progress>, place: Place) -> Reporting {
        Reporting { inner, place, file: None, failure: None }
    }

    /// Closes the file, and says where it is when there is one. The bar leaves the terminal.
    pub fn close(self) -> Result<Option<PathBuf>, CliError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let Some((mut file, path)) = self.file else { return Ok(None) };
        file.flush()
            .and_then(|()| sync(file.get_ref()))
            .map_err(|cause| file_error("write", &path, &cause))?;
        Ok(Some(path))
    }

    fn write(&mut self, refused: &Refused) -> Result<(), CliError> {
        let (file, path) = match &mut self.file {
            Some(open) => open,
            none => {
                let (file, path) = self.place.create()?;
                none.insert((BufWriter::new(file), path))
            }
        };
        let written = serde_json::to_writer(&mut *file, refused).map_err(io::Error::from);
        written.and_then(|()| file.write_all(b"\n")).map_err(|cause| file_error("write", path, &cause))
    }
}

/// What was refused is nowhere else. A pipe can't be synced.
fn sync(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() { file.sync_all() } else { Ok(()) }
}

impl Progress for Reporting {
    fn update(&mut self, summary: &Summary) {
        self.inner.update(summary);
    }

    fn refused(&mut self, refused: &Refused) {
        self.inner.refused(refused);
        if self.failure.is_none()
            && let Err(failure) = self.write(refused)
        {
            self.failure = Some(failure);
        }
    }

    fn waiting(&mut self, cause: &ClientError, wait: Duration) {
        self.inner.waiting(cause, wait);
    }
}
