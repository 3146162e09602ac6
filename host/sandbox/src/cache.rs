//! Compiled code beside the data, so that a component is compiled once and not at every start.
//!
//! A file is `DIGEST-ENGINE.cwasm`: which component, and which compiler with which settings. It
//! starts with eight bytes that say what it is and the BLAKE3 hash of the rest, the code.
//!
//! Loading code is running it: wasmtime checks that it was made by the same version and settings,
//! not that it is honest. That is right here because the directory is the host's own, as trusted
//! as the program beside it; an attacker who can write there could replace the host. The hash is against
//! torn writes and failing disks.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use samsyn_disk::failpoint::{Step, step};
use samsyn_vocabulary::Digest;

const MAGIC: &[u8; 8] = b"samsyn\0\x01";
const HASH_BYTES: usize = 32;

/// A directory of compiled components.
#[derive(Clone)]
pub(super) struct Cache {
    directory: PathBuf,
    /// Nothing is added to it.
    only_read: bool,
}

impl Cache {
    pub(super) fn new(directory: PathBuf) -> Cache {
        Cache { directory, only_read: false }
    }

    /// The same, to which nothing is added.
    pub(super) fn only_read(&self) -> Cache {
        Cache { only_read: true, ..self.clone() }
    }

    /// The component's code, if it is there, undamaged and made for this engine.
    pub(super) fn load(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let path = self.path(engine, digest);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code can't be read; compiling again");
                return None;
            }
        };
        let Some(code) = verified(&bytes) else {
            tracing::warn!(path = %path.display(), "compiled code is damaged; compiling again");
            return None;
        };
        match deserialize(engine, code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled code is of another build; compiling again");
                None
            }
        }
    }

    /// Keeps the code. What can't be kept is compiled again next time.
    pub(super) fn store(&self, engine: &Engine, digest: Digest, code: &[u8]) {
        if self.only_read {
            return;
        }
        let path = self.path(engine, digest);
        if let Err(error) = self.write(&path, code) {
            tracing::warn!(path = %path.display(), %error, "compiled code can't be kept");
        }
    }

    fn write(&self, path: &Path, code: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        // A name of its own: two threads may store the same component at once.
        let temporary = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4()));
        let write = |mut file: File| {
            file.write_all(MAGIC)?;
            file.write_all(blake3::hash(code).as_bytes())?;
            file.write_all(code)?;
            file.sync_all()
        };
        let written = step(Step::CompiledWrite, || File::create_new(&temporary).and_then(write));
        let rename = || step(Step::CompiledRename, || fs::rename(&temporary, path));
        if let Err(error) = written.and_then(|()| rename()) {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        step(Step::CompiledDirectory, || File::open(&self.directory)?.sync_all())
    }

    fn path(&self, engine: &Engine, digest: Digest) -> PathBuf {
        let mut hasher = EngineHasher(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.directory.join(format!("{digest}-{:016x}.cwasm", hasher.finish()))
    }
}

/// Loads code that [`super::compile_to`] made.
pub(super) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the code comes from our own compiler, just now, from an engine that runs it, or from our
    // own directory with its hash intact (see the top of this file); wasmtime checks version and
    // settings itself.
    unsafe { Component::deserialize(engine, code) }
}

fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (hash, code) = rest.split_at_checked(HASH_BYTES)?;
    (blake3::hash(code).as_bytes() == hash).then_some(code)
}

/// BLAKE3 as a `Hasher`: std's own may change with the toolchain, and then every file is stale.
struct EngineHasher(blake3::Hasher);

impl Hasher for EngineHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        hash.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}
