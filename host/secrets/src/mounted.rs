//! Files that Kubernetes, Vault's agent or systemd mounts: the value of secret NAME is the file NAME, and while
//! it is rotated `NAME.previous` is the one before.
//!
//! They are read anew at each use, some microseconds. So a changed file counts at once, however it was changed:
//! Kubernetes swaps a link above it, Vault's agent renames, an administrator writes in place. No watcher can miss
//! one, and nothing has to be told. What is mounted is clear text that the machine guards: it is never copied.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use samsyn_vocabulary::SecretName;
use zeroize::Zeroizing;

use crate::unusable::Unusable;
use crate::value::{SecretValue, VALUE_BYTES_MAX, ValueError};

/// A mounted directory.
pub struct Mounted {
    dir: PathBuf,
}

impl Mounted {
    /// The directory of the settings; none when it is empty.
    pub fn new(dir: &Path) -> Option<Mounted> {
        (!dir.as_os_str().is_empty()).then(|| Mounted { dir: dir.to_owned() })
    }

    /// Whether there is a file for this secret, whatever it holds.
    pub fn has(&self, name: &SecretName) -> bool {
        self.dir.join(name.as_str()).symlink_metadata().is_ok()
    }

    /// The value now; none when there is no file.
    pub fn newest(&self, name: &SecretName) -> Result<Option<SecretValue>, Unusable> {
        read(&self.dir.join(name.as_str()))
    }

    /// The value before it, while it is rotated.
    pub fn previous(&self, name: &SecretName) -> Result<Option<SecretValue>, Unusable> {
        read(&self.dir.join(format!("{name}.previous")))
    }
}

fn read(path: &Path) -> Result<Option<SecretValue>, Unusable> {
    let unreadable = |cause: std::io::Error| Unusable::Unreadable {
        file: path.display().to_string(),
        cause: cause.to_string(),
    };
    let file = match File::open(path) {
        // A link into nothing is what Kubernetes leaves for a moment of a mount that is gone.
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(unreadable)?,
    };
    // Room for all of it, so that it is read into one place.
    let mut bytes = Zeroizing::new(Vec::with_capacity(VALUE_BYTES_MAX + 1));
    file.take(VALUE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let invalid = |why: ValueError| Unusable::Mounted { file: path.display().to_string(), why };
    SecretValue::new(bytes.to_vec()).map(Some).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::new(text).unwrap()
    }

    fn shown(value: Result<Option<SecretValue>, Unusable>) -> Result<Option<String>, Unusable> {
        value.map(|value| value.map(|value| value.expose().to_owned()))
    }

    #[test]
    fn a_file_is_read_anew_however_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Mounted::new(dir.path()).unwrap();
        let (crm, file) = (name("crm"), dir.path().join("crm"));
        assert_eq!(shown(mounted.newest(&crm)), Ok(None));
        // In place, of one length, within the same tick of the file system's clock.
        for value in ["one", "two", "six"] {
            fs::write(&file, value).unwrap();
            assert_eq!(shown(mounted.newest(&crm)), Ok(Some(value.to_owned())));
        }
        // By a rename, as Vault's agent does.
        fs::write(dir.path().join("other"), "renamed").unwrap();
        fs::rename(dir.path().join("other"), &file).unwrap();
        assert_eq!(shown(mounted.newest(&crm)), Ok(Some("renamed".to_owned())));
        // As Kubernetes does: the file is a link through `..data`, which is swapped.
        fs::remove_file(&file).unwrap();
        for version in ["..1", "..2"] {
            fs::create_dir(dir.path().join(version)).unwrap();
            fs::write(dir.path().join(version).join("crm"), version).unwrap();
            symlink(version, dir.path().join("..new")).unwrap();
            fs::rename(dir.path().join("..new"), dir.path().join("..data")).unwrap();
            if version == "..1" {
                symlink("..data/crm", &file).unwrap();
            }
            assert_eq!(shown(mounted.newest(&crm)), Ok(Some(version.to_owned())));
        }
        fs::write(dir.path().join("crm.previous"), "old").unwrap();
        assert_eq!(shown(mounted.previous(&crm)), Ok(Some("old".to_owned())));
        fs::remove_dir_all(dir.path().join("..2")).unwrap();
        assert_eq!(shown(mounted.newest(&crm)), Ok(None), "the link leads nowhere");
        assert!(mounted.has(&crm));
    }

    #[test]
    fn what_is_no_value_is_said_with_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let (mounted, crm) = (Mounted::new(dir.path()).unwrap(), name("crm"));
        for (bytes, why) in [
            (&b"hunter2\n"[..], ValueError::LineFeedAtEnd),
            (b"", ValueError::Empty),
            (b"hun\0ter2", ValueError::Control { at: 3 }),
            (&[b'a'; 2 * VALUE_BYTES_MAX], ValueError::TooLong { bytes: VALUE_BYTES_MAX + 1 }),
        ] {
            fs::write(dir.path().join("crm"), bytes).unwrap();
            let error = mounted.newest(&crm).err().unwrap();
            assert!(matches!(&error, Unusable::Mounted { why: found, .. } if *found == why), "{error}");
            assert!(!error.to_string().contains("hun") && error.to_string().contains("/crm"), "{error}");
        }
        fs::remove_file(dir.path().join("crm")).unwrap();
        fs::create_dir(dir.path().join("crm")).unwrap();
        assert_eq!(mounted.newest(&crm).err().unwrap().word(), "damaged");
        assert!(Mounted::new(Path::new("")).is_none());
    }
}
