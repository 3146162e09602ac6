//! The directory of sealed files: one a version of a secret, `NAME.v3`.
//!
//! A version is written once, whole, and synced before the registry names it. So after a crash each version that
//! the registry names has its file. A file that the registry doesn't name yet is the trace of a change that never
//! was: it stays, is told, and the next value of that number replaces it. A file of a version that ended goes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use samsyn_disk::{Disk, UNFINISHED_SUFFIX, durable_file};
use samsyn_vocabulary::SecretName;

/// Why a value can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no key to seal it with.
    #[error("{0}")]
    NoKey(String),
    /// The system has no random numbers.
    #[error("the system has no random numbers to seal it with")]
    NoRandomness,
    /// The disk doesn't take it.
    #[error("{path} can't be written: {cause}", path = .path.display())]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What the disk says.
        cause: io::Error,
    },
}

/// The directory.
pub struct Files {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl Files {
    /// The sealed files of a data directory, which may have none yet.
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Files {
        Files { disk, dir }
    }

    /// Where a version's value lies.
    pub fn path(&self, name: &SecretName, version: u32) -> PathBuf {
        self.dir.join(format!("{name}.v{version}"))
    }

    /// Puts a version's file in place, whole and lasting.
    pub fn write(&self, name: &SecretName, version: u32, sealed: &[u8]) -> Result<(), StoreError> {
        let path = self.path(name, version);
        durable_file::write_on(&*self.disk, &path, sealed).map_err(|cause| StoreError::Disk { path, cause })
    }

    /// A version's file; none when there is none.
    pub fn read(&self, name: &SecretName, version: u32) -> io::Result<Option<Vec<u8>>> {
        match samsyn_disk::read(&*self.disk, &self.path(name, version)) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Removes a version's file, lasting; one that isn't there is gone already.
    pub fn remove(&self, name: &SecretName, version: u32) -> io::Result<()> {
        match self.disk.remove(&self.path(name, version)) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| self.disk.sync_dir(&self.dir)),
        }
    }

    /// The versions that have a file. What a crash left unfinished is removed; other files aren't ours.
    pub fn list(&self) -> io::Result<Vec<(SecretName, u32)>> {
        let names = match self.disk.list(&self.dir) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed?,
        };
        let mut versions = Vec::new();
        for name in names.iter().filter_map(|name| name.to_str()) {
            match name.strip_suffix(UNFINISHED_SUFFIX) {
                Some(whole) if version_of(whole).is_some() => self.disk.remove(&self.dir.join(name))?,
                Some(_) => {}
                None => versions.extend(version_of(name)),
            }
        }
        versions.sort();
        Ok(versions)
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Of which version a file of this name is.
fn version_of(file: &str) -> Option<(SecretName, u32)> {
    let (name, version) = file.rsplit_once(".v")?;
    let number: u32 = version.parse().ok().filter(|number| format!("{number}") == version)?;
    Some((SecretName::new(name).ok()?, number))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;
    use samsyn_testkit::crash::Replay;
    use samsyn_testkit::image::Image;
    use samsyn_testkit::memory::{Memory, Op};
    use samsyn_testkit::seed::Seed;

    use super::*;
    use crate::key::Keys;
    use crate::seal;
    use crate::value::SecretValue;

    fn name(text: &str) -> SecretName {
        SecretName::new(text).unwrap()
    }

    #[test]
    fn a_files_name_is_a_version_of_a_secret() {
        assert_eq!(version_of("crm.v2.v3"), Some((name("crm.v2"), 3)));
        for other in ["crm", "crm.v", "crm.v03", "crm.v-1", "crm.v4294967296", ".v1", "Crm.v1", "crm.v+1"] {
            assert_eq!(version_of(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_sealed_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["crm.v1", "crm.v2.new", "notes.txt", "notes.new", "crm.v1.bak"] {
            std::fs::write(dir.path().join(file), file).unwrap();
        }
        let files = Files::new(samsyn_disk::local(), dir.path().to_owned());
        assert_eq!(files.list().unwrap(), vec![(name("crm"), 1)]);
        assert!(!dir.path().join("crm.v2.new").exists(), "a crash left it");
        files.remove(&name("crm"), 1).unwrap();
        files.remove(&name("crm"), 1).unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["crm.v1.bak", "notes.new", "notes.txt"]);
        assert!(Files::new(samsyn_disk::local(), dir.path().join("none")).list().unwrap().is_empty());
    }

    /// A rotation as the host makes it: version 2 is written, the registry names it, version 1 leaves.
    #[test]
    fn a_power_cut_during_a_rotation_leaves_each_version_that_the_registry_names() {
        const CUTS_AN_OPERATION: usize = 40;
        #[derive(Clone, Copy, Debug, PartialEq)]
        enum Registry {
            One,
            Both,
            Two,
        }
        let mut rng = SmallRng::seed_from_u64(Seed::of_run("secret files").of(0));
        let keys = Keys::of(&[9; 32]).unwrap();
        let (memory, crm): (Memory<Registry>, _) = (Memory::new(Image::default()), name("crm"));
        let files = Files::new(memory.disk(), PathBuf::from("/data/secrets"));
        let value = |version: u32| SecretValue::new(format!("value {version}").into_bytes()).ok().unwrap();
        let sealed = |version| seal::seal(&keys, &crm, version, &value(version)).unwrap();
        files.write(&crm, 1, &sealed(1)).unwrap();
        memory.mark(Registry::One);
        files.write(&crm, 2, &sealed(2)).unwrap();
        memory.mark(Registry::Both);
        // The registry has ended version 1 when its file goes.
        memory.mark(Registry::Two);
        files.remove(&crm, 1).unwrap();
        let (base, ops) = memory.history();
        let (mut replay, mut registry, mut seen) = (Replay::new(&base), None, 0);
        for op in &ops {
            replay.apply(op);
            if let Op::Mark(now) = op {
                registry = Some(*now);
            }
            let live: &[u32] = match registry {
                None => &[],
                Some(Registry::One) => &[1],
                Some(Registry::Both) => &[1, 2],
                Some(Registry::Two) => &[2],
            };
            for _ in 0..CUTS_AN_OPERATION {
                let left = Files::new(Memory::<()>::new(replay.cut(&mut rng)).disk(), files.dir().to_owned());
                for version in live {
                    let file = left
                        .read(&crm, *version)
                        .unwrap()
                        .unwrap_or_else(|| panic!("{version} after {op:?}"));
                    let opened = seal::open(&keys, &crm, *version, &file).expect("it is whole");
                    assert!(opened.is_same(&value(*version)));
                }
                // Whatever else is there is whole too: the next start can tell of it.
                for (of, version) in left.list().unwrap() {
                    let file = left.read(&of, version).unwrap().unwrap();
                    assert!(seal::open(&keys, &of, version, &file).is_ok(), "version {version} after {op:?}");
                }
            }
            seen += 1;
        }
        assert!(seen > 8, "the disk was used");
    }

    #[test]
    fn a_disk_that_takes_nothing_is_told_with_the_file() {
        let memory: Memory<()> = Memory::new(Image::default());
        let files = Files::new(memory.disk(), PathBuf::from("/data/secrets"));
        memory.has_room_for(3);
        let error = files.write(&name("crm"), 1, b"sealed").unwrap_err();
        assert!(error.to_string().starts_with("/data/secrets/crm.v1 can't be written"), "{error}");
        assert!(files.read(&name("crm"), 1).unwrap().is_none());
    }
}
