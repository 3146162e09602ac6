//! The one way to build a plug-in: compile, componentise, embed the manifest, look at the result.
//!
//! ```text
//! DIR/Cargo.toml ── cargo, wasm32-unknown-unknown ──▶ module ── componentise ──▶ component
//! DIR/plugin.toml ── checked first ─────────────────────────── embedded ───────▶ NAME.wasm
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `toolchain` | finds or is told the compiler |
//! | `cargo` | runs it, and reads what it says |
//! | `names` | shortens what a module carries for a debugger |
//!
//! It must not know a host: it leaves a file.

mod cargo;
mod names;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use samsyn_contract::manifest::{Manifest, ManifestError};
use samsyn_sandbox::{Limits, Package, PackageError, componentise, embed_manifest};
use samsyn_vocabulary::Role;

pub use toolchain::{Choice, ToolchainError};

/// What an author may decide.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where the component is written; none for `plugins/NAME.wasm` in cargo's target directory.
    pub out: Option<PathBuf>,
    /// Which compiler is used.
    pub toolchain: Choice,
    /// Whether cargo's own progress is kept back.
    pub quiet: bool,
}

/// A plug-in that a host can install.
#[derive(Debug, Clone)]
pub struct Built {
    /// The plug-in's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where the component lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its digest, as the host will show it.
    pub digest: String,
    /// What it can do.
    pub roles: Vec<Role>,
    /// How long it took.
    pub took: Duration,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file can't be read or written.
    #[error("can't {doing} {}: {cause}", path.display())]
    File {
        /// What was tried: `read`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The manifest can't be taken.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is no compiler for wasm32.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// Cargo couldn't be started, or said something unexpected.
    #[error("cargo: {0}")]
    Cargo(String),
    /// The plug-in doesn't compile; cargo has said why.
    #[error("the plug-in doesn't compile")]
    Compile,
    /// The crate makes no module.
    #[error("{}: the build made no library of type cdylib", .0.display())]
    NoModule(PathBuf),
    /// What came out is none that a host takes.
    #[error(transparent)]
    Package(#[from] PackageError),
}

impl BuildError {
    /// What to do now, where the error doesn't say so itself.
    pub fn next(&self) -> Option<String> {
        match self {
            BuildError::File { doing: "read", .. } => {
                Some("give a plug-in's folder, with a Cargo.toml and a plugin.toml".to_owned())
            }
            BuildError::Toolchain(error) => Some(error.next()),
            BuildError::Compile => Some("fix the errors of cargo above and build again".to_owned()),
            BuildError::NoModule(_) => {
                Some("add to its Cargo.toml: [lib] crate-type = [\"cdylib\", \"rlib\"]".to_owned())
            }
            BuildError::Cargo(_) => Some("check that `cargo --version` works here".to_owned()),
            _ => None,
        }
    }
}

/// Builds the plug-in in `dir`. `progress` is told what is done, a line at a time; cargo writes its
/// own to stderr.
pub fn build(dir: &Path, options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Built, BuildError> {
    let started = Instant::now();
    let manifest_text = read_text(&dir.join("plugin.toml"))?;
    let manifest = Manifest::parse(&manifest_text)?;
    let name = manifest.plugin.name.to_string();
    let target_dir = cargo::target_dir(dir)?;
    let wasm_dir = target_dir.join("wasm");
    let toolchain = toolchain::find(dir, &wasm_dir, options.toolchain, progress)?;
    progress(&format!("compiling {name} with {toolchain}"));
    let packages = cargo::packages(dir, &toolchain, options.quiet)?;
    let cargo_home = names::cargo_home();
    let renamed = names::renamed(&packages, &toolchain.compiler(dir)?, cargo_home.as_deref());
    let module_path = cargo::compile(dir, &wasm_dir, &toolchain, &renamed, options.quiet)?;
    let module = fs::read(&module_path).map_err(|cause| BuildError::File {
        doing: "read",
        path: module_path.clone(),
        cause,
    })?;
    let component = embed_manifest(&componentise(&module)?, &manifest_text)?;
    // The host would refuse it later; the author should know now.
    let package = Package::read(&component, &Limits::default())?;
    let path = options.out.clone().unwrap_or_else(|| target_dir.join("plugins").join(format!("{name}.wasm")));
    write_whole(&path, &component)?;
    Ok(Built {
        name,
        version: manifest.plugin.version,
        path,
        bytes: component.len() as u64,
        digest: package.digest().to_string(),
        roles: package.roles().iter().copied().collect(),
        took: started.elapsed(),
    })
}

fn read_text(path: &Path) -> Result<String, BuildError> {
    fs::read_to_string(path).map_err(|cause| BuildError::File { doing: "read", path: path.to_owned(), cause })
}

/// Writes beside the file and renames, so that nobody ever installs half a component.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let failed = |cause| BuildError::File { doing: "write", path: path.to_owned(), cause };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path)).map_err(|cause| {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&partial);
        failed(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_no_plug_in_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let build = || build(folder.path(), &Options::default(), &mut |_| {});
        let missing = build().unwrap_err();
        assert!(matches!(&missing, BuildError::File { doing: "read", .. }), "{missing}");
        assert!(missing.next().unwrap().contains("plugin.toml"));
        fs::write(folder.path().join("plugin.toml"), "manifest = 1\n[plugin]\nname = \"x\"\n").unwrap();
        assert!(matches!(build(), Err(BuildError::Manifest(_))));
    }

    #[test]
    fn a_component_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins/x.wasm");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        // A folder stands in the way.
        assert!(write_whole(path.parent().unwrap(), b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
