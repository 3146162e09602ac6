//! The demo's ground: a data directory of its own, and the built plug-ins.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use samsyn_demo::TOKEN_FILE;
use samsyn_disk::DataDir;
use samsyn_terminal::CliError;
use samsyn_terminal::error::file_error;

use crate::host_process::CONFIG_FILE;

/// Marks a directory as a demo's, which the next demo may replace.
const MARK_FILE: &str = "made-by-samsyn-demo";
const MARK_TEXT: &str =
    "This directory belongs to `samsyn demo`, and the next `samsyn demo` here replaces it.\n";
/// The plug-ins of the demo, in the order they are installed: the first to source a field is its
/// source, so the customer register comes first.
const PLUGINS: [&str; 5] = ["crm", "loyalty", "email", "sms", "tier-sync"];
/// The other customer register, which is tried at the end.
const SUCCESSOR: &str = "service-desk";

/// A data directory that is the demo's own.
#[derive(Debug)]
pub struct Stage {
    /// The directory.
    pub data: PathBuf,
    /// Whether an earlier demo's data was deleted.
    pub replaced: bool,
}

impl Stage {
    /// Takes the directory: a new or empty one, or an earlier demo's, which is emptied of what a
    /// host keeps and of nothing else.
    pub fn take(data: &Path) -> Result<Stage, CliError> {
        let failed = |cause: io::Error| file_error("use", data, &cause);
        let mark = data.join(MARK_FILE);
        let replaced = mark.is_file();
        if replaced {
            refuse_running(data)?;
            let own = DataDir(data.to_owned());
            for path in own.all().into_iter().chain([data.join(TOKEN_FILE), data.join(CONFIG_FILE)]) {
                remove(&path).map_err(failed)?;
            }
        } else if data.exists() && fs::read_dir(data).map_err(failed)?.next().is_some() {
            return Err(CliError::usage(format!("{} is not empty, and not from a demo", data.display()))
                .because("the demo needs a new directory and never changes another host's data")
                .next("choose another with --data DIR"));
        }
        fs::create_dir_all(data).map_err(failed)?;
        fs::write(&mark, MARK_TEXT).map_err(|cause| file_error("write", &mark, &cause))?;
        Ok(Stage { data: data.to_owned(), replaced })
    }

    /// Where the token lies.
    pub fn token_file(&self) -> PathBuf {
        self.data.join(TOKEN_FILE)
    }

    /// Keeps the token, for its owner's eyes only.
    pub fn keep_token(&self, token: &str) -> Result<(), CliError> {
        let path = self.token_file();
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&path).and_then(|mut file| writeln!(file, "{token}"));
        written.map_err(|cause| file_error("write", &path, &cause))
    }
}

/// Data that a running host uses isn't taken away from it.
fn refuse_running(data: &Path) -> Result<(), CliError> {
    let lock = DataDir(data.to_owned()).log().join("lock");
    let Ok(file) = fs::File::open(&lock) else { return Ok(()) };
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => Err(CliError::usage(format!("a host uses {}", data.display()))
            .next("stop it first (Ctrl-C in its terminal), or choose another directory with --data DIR")),
        _ => Ok(()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    };
    match removed {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A built plug-in.
#[derive(Debug)]
pub struct Component {
    /// Its name.
    pub name: &'static str,
    /// The component.
    pub bytes: Vec<u8>,
}

/// The built plug-ins of the demo.
#[derive(Debug)]
pub struct Company {
    /// Those that hear the story.
    pub cast: Vec<Component>,
    /// The one that is tried at its end.
    pub successor: Component,
}

/// Reads the built plug-ins: from `given`, else from where `make plugins` puts them.
pub fn plugins(given: Option<&Path>) -> Result<Company, CliError> {
    let folder = match given {
        Some(folder) => folder.to_owned(),
        None => built_plugins().ok_or_else(|| missing("the built plug-ins are not here".to_owned()))?,
    };
    let read = |name: &'static str| {
        let path = folder.join(format!("{name}.wasm"));
        match fs::read(&path) {
            Ok(bytes) => Ok(Component { name, bytes }),
            Err(cause) => Err(missing(format!("{} can't be read", path.display())).because(cause)),
        }
    };
    let cast = PLUGINS.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Company { cast, successor: read(SUCCESSOR)? })
}

fn missing(what: String) -> CliError {
    CliError::usage(what).next("build the plug-ins with `make plugins`, in the project's folder")
}

/// Beside the program's own build, else below the current folder.
fn built_plugins() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program
        .iter()
        .flat_map(|program| program.ancestors().skip(1).take(3))
        .map(|folder| folder.join("plugins"));
    let below = std::env::current_dir().ok().map(|folder| folder.join("target/plugins"));
    beside.chain(below).find(|folder| folder.join(format!("{}.wasm", PLUGINS[0])).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_or_a_demos_directory_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("new");
        assert!(!Stage::take(&data).unwrap().replaced);
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("precious"), "x").unwrap();
        let refused = Stage::take(&other).unwrap_err();
        assert!(refused.next.unwrap().contains("--data"));
        assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
    }

    #[test]
    fn an_earlier_demo_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        Stage::take(data).unwrap().keep_token("samsyn_old").unwrap();
        fs::create_dir_all(data.join("log/deep")).unwrap();
        fs::write(data.join("notes.txt"), "mine").unwrap();
        let stage = Stage::take(data).unwrap();
        assert!(stage.replaced);
        assert!(!data.join("log").exists() && !stage.token_file().exists());
        assert!(data.join("notes.txt").exists());
        stage.keep_token("samsyn_new").unwrap();
        assert_eq!(fs::read_to_string(stage.token_file()).unwrap(), "samsyn_new\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(stage.token_file()).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_running_hosts_data_stays() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        Stage::take(data).unwrap();
        fs::create_dir(data.join("log")).unwrap();
        let lock = fs::File::create(data.join("log/lock")).unwrap();
        lock.try_lock().unwrap();
        assert!(Stage::take(data).unwrap_err().what.contains("a host uses"));
        lock.unlock().unwrap();
        assert!(Stage::take(data).is_ok());
    }

    #[test]
    fn missing_plug_ins_say_how_to_build_them() {
        let folder = tempfile::tempdir().unwrap();
        let error = plugins(Some(folder.path())).unwrap_err();
        assert!(error.what.contains("crm.wasm") && error.next.unwrap().contains("make plugins"));
    }
}
