//! Calling cargo: where it builds, what from, and building for wasm32 as plug-ins need it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::BuildError;
use super::names::Renamed;
use super::toolchain::{TARGET, Toolchain};

/// The guest's stack. An instance lives for one call, and every page it touches costs; a handler
/// that recurses deeply is refused by this instead of slowing all others.
const STACK_BYTES: u32 = 64 * 1024;

/// How a plug-in is compiled, whatever its own profile says: it runs in a fresh instance for each
/// call, so what is left out of it is saved every time. Only debug information is stripped: names
/// stay, for backtraces.
const PROFILE: [(&str, &str); 6] = [
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3"),
    ("CARGO_PROFILE_RELEASE_LTO", "fat"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

/// The variable whose flags are the only ones for wasm32, whatever else is set, and what stands
/// between two of them.
const FLAGS: (&str, &str) = ("CARGO_ENCODED_RUSTFLAGS", "\x1f");

/// What a plug-in is made of.
#[derive(Debug, Deserialize)]
pub struct Packages {
    /// The root of its workspace, which may be the plug-in itself.
    #[serde(rename = "workspace_root")]
    pub workspace: PathBuf,
    /// Cargo's target directory.
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
    /// Each package.
    #[serde(rename = "packages")]
    pub all: Vec<Package>,
}

/// One package of a plug-in.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub manifest_path: PathBuf,
    /// Where it was fetched from; none when it lies where it was written.
    pub source: Option<String>,
}

impl Packages {
    /// Packages that somebody writes outside of the workspace, by name: where each lies.
    pub fn elsewhere(&self) -> impl Iterator<Item = (&str, &Path)> {
        let written = self.all.iter().filter(|package| package.source.is_none());
        let places =
            written.filter_map(|package| Some((package.name.as_str(), package.manifest_path.parent()?)));
        places.filter(|(_, folder)| !folder.starts_with(&self.workspace))
    }
}

/// A line of cargo's JSON messages, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    target: MessageTarget,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
struct MessageTarget {
    #[serde(default)]
    crate_types: Vec<String>,
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Cargo's target directory for the crate in `dir`: its own, its workspace's, or the one that the
/// environment names.
pub fn target_dir(dir: &Path) -> Result<PathBuf, BuildError> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(dir.join("Cargo.toml"))
        .output()
        .map_err(|cause| BuildError::Cargo(cause.to_string()))?;
    if !output.status.success() {
        return Err(BuildError::Cargo(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|cause| BuildError::Cargo(format!("its metadata can't be read: {cause}")))?;
    Ok(metadata.target_directory)
}

/// What the crate in `dir` is made of; what is missing is fetched. Cargo says itself what goes wrong.
pub fn packages(dir: &Path, toolchain: &Toolchain, quiet: bool) -> Result<Packages, BuildError> {
    let mut command = cargo();
    command.args(["metadata", "--format-version", "1", "--filter-platform", TARGET, "--manifest-path"]);
    command.arg(dir.join("Cargo.toml")).stderr(Stdio::inherit());
    if quiet {
        command.arg("--quiet");
    }
    if let Some(rustc) = toolchain.rustc() {
        command.env("RUSTC", rustc);
    }
    let output = command.output().map_err(|cause| BuildError::Cargo(cause.to_string()))?;
    if !output.status.success() {
        return Err(BuildError::Compile);
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|cause| BuildError::Cargo(format!("its metadata can't be read: {cause}")))
}

/// Compiles the crate in `dir` and returns the module's path. It has a target directory of its
/// own, because other profiles and another compiler would rebuild everything in the usual one.
pub fn compile(
    dir: &Path,
    target_dir: &Path,
    toolchain: &Toolchain,
    renamed: &[Renamed],
    quiet: bool,
) -> Result<PathBuf, BuildError> {
    let failed = |cause: std::io::Error| BuildError::Cargo(cause.to_string());
    let manifest_path = dir.join("Cargo.toml").canonicalize().map_err(|cause| BuildError::File {
        doing: "read",
        path: dir.join("Cargo.toml"),
        cause,
    })?;
    let mut command = cargo();
    command
        .args(["build", "--release", "--lib", "--target", TARGET, "--message-format=json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&manifest_path)
        .envs(PROFILE)
        .env("CARGO_TARGET_DIR", target_dir)
        .env(FLAGS.0, flags(renamed))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if quiet {
        command.arg("--quiet");
    }
    toolchain.apply(&mut command);
    let mut child = command.spawn().map_err(failed)?;
    let mut module = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            module = module_of(&line.map_err(failed)?, &manifest_path).or(module);
        }
    }
    if !child.wait().map_err(failed)?.success() {
        return Err(BuildError::Compile);
    }
    module.ok_or(BuildError::NoModule(manifest_path))
}

fn flags(renamed: &[Renamed]) -> OsString {
    let mut flags = OsString::from(format!("-Clink-arg=-zstack-size={STACK_BYTES}"));
    for renamed in renamed {
        flags.push(FLAGS.1);
        flags.push(renamed.argument());
    }
    flags
}

/// The module that this message announces, if it is the plug-in's own.
fn module_of(line: &str, manifest_path: &Path) -> Option<PathBuf> {
    let message: Message = serde_json::from_str(line).ok()?;
    let own = message.reason == "compiler-artifact"
        && message.manifest_path == manifest_path
        && message.target.crate_types.iter().any(|kind| kind == "cdylib");
    let is_module = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    message.filenames.into_iter().find(|path| own && is_module(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plug_ins_own_module_is_taken() {
        let line = |manifest: &str, kind: &str| {
            serde_json::json!({"reason": "compiler-artifact", "manifest_path": manifest,
                "target": {"crate_types": [kind]}, "filenames": ["/t/x.rlib", "/t/x.wasm"]})
            .to_string()
        };
        let own = Path::new("/p/Cargo.toml");
        assert_eq!(module_of(&line("/p/Cargo.toml", "cdylib"), own), Some("/t/x.wasm".into()));
        assert_eq!(module_of(&line("/q/Cargo.toml", "cdylib"), own), None);
        assert_eq!(module_of(&line("/p/Cargo.toml", "lib"), own), None);
        assert_eq!(module_of("warning: no JSON", own), None);
    }
}
