//! When a file was imported first: a small file beside it. A host remembers event ids for so long
//! and so many of them; with this, a run long after the first one is known to be one.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use samsyn_disk::durable_file;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_vocabulary::Timestamp;

/// The imports of one file, as the note has them.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    imports: Vec<Entry>,
}

/// One import: another host, application or label is another one.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    import: Import,
    /// When its first run began, by the host's clock.
    began_at: Timestamp,
}

/// What makes two runs the same import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The host's address.
    pub host: String,
    /// The application whose events they are; none for the token's own.
    pub application: Option<String>,
    /// What its ids are made of.
    pub label: String,
}

/// Where a file's note lies when nobody says otherwise.
pub fn beside(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".import.json");
    PathBuf::from(path)
}

/// When this import's first run began: now, which is noted before anything is sent, unless a note
/// says that there was one before.
pub fn first_run(path: &Path, import: &Import, now: Timestamp) -> Result<Timestamp, CliError> {
    let mut note = read(path)?;
    if let Some(known) = note.imports.iter().find(|entry| entry.import == *import) {
        return Ok(known.began_at);
    }
    note.imports.push(Entry { import: import.clone(), began_at: now });
    let text = serde_json::to_string_pretty(&note).map_err(CliError::usage_of)?;
    durable_file::write(path, format!("{text}\n").as_bytes()).map_err(|cause| {
        file_error("write", path, &cause)
            .because("the file keeps the time of the first run, so that a later run adds no row twice")
            .next("choose a writable file that you keep: --note PATH")
    })?;
    Ok(now)
}

fn read(path: &Path) -> Result<Note, CliError> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|cause| {
            CliError::usage(format!("{} is not a file of import times", path.display()))
                .because(cause)
                .next("move it away, or choose another with --note PATH")
        }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Note::default()),
        Err(cause) => Err(file_error("read", path, &cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_terminal::Exit;

    #[test]
    fn the_first_run_is_noted_for_each_import_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("orders.csv"));
        assert!(path.ends_with("orders.csv.import.json"));
        let import = |host: &str, label: &str| Import {
            host: host.to_owned(),
            application: None,
            label: label.to_owned(),
        };
        let one = import("http://a", "1");
        assert_eq!(first_run(&path, &one, Timestamp(1_000)).unwrap(), Timestamp(1_000));
        for other in [import("http://b", "1"), import("http://a", "2"), {
            Import { application: Some("web".to_owned()), ..one.clone() }
        }] {
            assert_eq!(first_run(&path, &other, Timestamp(2_000)).unwrap(), Timestamp(2_000), "{other:?}");
        }
        assert_eq!(first_run(&path, &one, Timestamp(3_000)).unwrap(), Timestamp(1_000));
    }

    #[test]
    fn what_cannot_be_noted_or_read_is_told_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let import = Import { host: "h".to_owned(), application: None, label: "1".to_owned() };
        let bad = folder.path().join("bad.json");
        std::fs::write(&bad, "no note").unwrap();
        assert_eq!(first_run(&bad, &import, Timestamp(0)).unwrap_err().exit, Exit::Usage);
        assert_eq!(std::fs::read_to_string(&bad).unwrap(), "no note");
        let nowhere = bad.join("note");
        let refused = first_run(&nowhere, &import, Timestamp(0)).unwrap_err();
        assert_eq!(refused.exit, Exit::Usage, "{refused:?}");
    }
}
