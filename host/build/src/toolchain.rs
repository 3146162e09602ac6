//! Finding a compiler for wasm32-unknown-unknown, or getting one.
//!
//! 1. The compiler in use has the target: nothing to do.
//! 2. `rustup target add` gets it.
//! 3. Where rustup can't download: Debian's `rustc-web` has the target, or `rust-web-src` brings
//!    the sources, from which cargo builds the standard library once.
//! 4. As root, those packages are installed; else the error says which command does it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What plug-ins are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's own compiler, which the packages below bring.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// What Debian calls a recent compiler and its sources.
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];
/// The oldest compiler that knows the plug-ins' edition, 2024.
const RUSTC_MINOR_MIN: u32 = 85;
/// Left in the target directory where rustup couldn't get the target, so that the next build
/// doesn't wait for the network again; `cargo clean` takes it away.
const RUSTUP_FAILED_MARK: &str = ".rustup-has-no-wasm32";

/// Which compiler an author wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The first that works.
    #[default]
    Auto,
    /// The compiler in use, with rustup's help.
    Rustup,
    /// Debian's.
    Debian,
}

/// A compiler for wasm32.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler in use has the target.
    Own,
    /// Another compiler has it.
    Other {
        /// The compiler.
        rustc: PathBuf,
        /// The linker for wasm.
        linker: PathBuf,
    },
    /// Another compiler can build the standard library from its sources.
    FromSource {
        /// The compiler.
        rustc: PathBuf,
        /// The linker for wasm.
        linker: PathBuf,
    },
}

/// What of a compiler could get into what it compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// Where it lies.
    pub root: PathBuf,
    /// The commit it was built from, by which its standard library calls its own sources.
    pub commit: Option<String>,
}

/// Why no compiler was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolchainError {
    /// rustup couldn't add the target.
    #[error("the compiler has no target {TARGET}, and rustup can't add it: {0}")]
    Rustup(String),
    /// Debian's packages are missing and can't be installed from here.
    #[error("no compiler has the target {TARGET}: {0}")]
    Debian(String),
    /// The compiler doesn't say where it lies.
    #[error("`{} --print sysroot` gives no answer", .0.display())]
    Silent(PathBuf),
}

impl ToolchainError {
    /// What to do now.
    pub fn next(&self) -> String {
        match self {
            ToolchainError::Rustup(_) => {
                format!("run `rustup target add {TARGET}`, or try --toolchain debian")
            }
            ToolchainError::Debian(_) => format!(
                "run `rustup target add {TARGET}` where rustup can download, or as root \
                 `apt-get install {}`",
                DEBIAN_PACKAGES.join(" ")
            ),
            ToolchainError::Silent(_) => "check that it works here".to_owned(),
        }
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Toolchain::Own => write!(f, "the compiler in use"),
            Toolchain::Other { rustc, .. } => write!(f, "{}", rustc.display()),
            Toolchain::FromSource { rustc, .. } => {
                write!(
                    f,
                    "{} (the first build also builds the standard library, about a minute)",
                    rustc.display()
                )
            }
        }
    }
}

impl Toolchain {
    /// The compiler, where it isn't the one in use.
    pub fn rustc(&self) -> Option<&Path> {
        match self {
            Toolchain::Own => None,
            Toolchain::Other { rustc, .. } | Toolchain::FromSource { rustc, .. } => Some(rustc),
        }
    }

    /// What the compiler is, for a crate in `dir`.
    pub fn compiler(&self, dir: &Path) -> Result<Compiler, ToolchainError> {
        let rustc = self.rustc().map_or_else(rustc_in_use, Path::to_owned);
        let said = Command::new(&rustc).arg("-vV").current_dir(dir).output();
        let commit = said.ok().and_then(|said| parse_commit(&String::from_utf8(said.stdout).ok()?));
        let root = sysroot(&rustc, dir).ok_or(ToolchainError::Silent(rustc))?;
        Ok(Compiler { root, commit })
    }

    /// Makes cargo use it.
    pub fn apply(&self, command: &mut Command) {
        match self {
            Toolchain::Own => {}
            Toolchain::Other { rustc, linker } => {
                command.env("RUSTC", rustc).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            }
            Toolchain::FromSource { rustc, linker } => {
                command
                    .env("RUSTC", rustc)
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    // The flag is unstable, but what it builds is the compiler's own library.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .arg("-Zbuild-std=std,panic_abort");
            }
        }
    }
}

/// Finds a compiler for the crate in `dir`, and gets one if there is none; says what it does.
pub fn find(
    dir: &Path,
    wasm_dir: &Path,
    choice: Choice,
    progress: &mut dyn FnMut(&str),
) -> Result<Toolchain, ToolchainError> {
    let own = sysroot(&rustc_in_use(), dir);
    if choice != Choice::Debian {
        if own.as_deref().is_some_and(has_target) {
            return Ok(Toolchain::Own);
        }
        let mark = wasm_dir.join(RUSTUP_FAILED_MARK);
        if choice == Choice::Rustup || !mark.exists() {
            match add_with_rustup(dir, progress) {
                Ok(()) => return Ok(Toolchain::Own),
                Err(error) if choice == Choice::Rustup => return Err(error),
                Err(error) => {
                    progress(&format!("{error}; trying Debian's compiler"));
                    // Without the mark the next build only tries again.
                    let _ = std::fs::create_dir_all(wasm_dir).and_then(|()| std::fs::write(&mark, ""));
                }
            }
        }
    }
    match debian(own.as_deref()) {
        Ok(toolchain) => Ok(toolchain),
        Err(missing) => {
            install_debian(&missing, progress)?;
            debian(own.as_deref()).map_err(ToolchainError::Debian)
        }
    }
}

fn rustc_in_use() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from)
}

/// The compiler's sysroot; in `dir`, because a folder may name its own toolchain.
fn sysroot(rustc: &Path, dir: &Path) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "sysroot"]).current_dir(dir).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !path.trim().is_empty()).then(|| PathBuf::from(path.trim()))
}

fn has_target(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
}

fn add_with_rustup(dir: &Path, progress: &mut dyn FnMut(&str)) -> Result<(), ToolchainError> {
    progress(&format!("the compiler has no target {TARGET}: running rustup target add {TARGET}"));
    let output = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| ToolchainError::Rustup(cause.to_string()))?;
    let added = output.status.success() && sysroot(&rustc_in_use(), dir).as_deref().is_some_and(has_target);
    if added { Ok(()) } else { Err(ToolchainError::Rustup(first_error(&output.stderr))) }
}

/// The line that says what went wrong, out of a longer story.
fn first_error(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().find(|line| line.starts_with("error:") || line.starts_with("E:"));
    line.or(text.lines().last()).unwrap_or("it gave no reason").to_owned()
}

/// Debian's compiler as it is now, or what is missing.
fn debian(own_sysroot: Option<&Path>) -> Result<Toolchain, String> {
    let rustc = PathBuf::from(DEBIAN_RUSTC);
    let Some(sysroot) = sysroot(&rustc, Path::new("/")) else {
        return Err(format!("there is no {DEBIAN_RUSTC}"));
    };
    let minor = minor_version(&rustc).ok_or_else(|| format!("{DEBIAN_RUSTC} doesn't tell its version"))?;
    if minor < RUSTC_MINOR_MIN {
        return Err(format!("{DEBIAN_RUSTC} is 1.{minor}; the minimum is 1.{RUSTC_MINOR_MIN}"));
    }
    let linker = linker(&[own_sysroot, Some(sysroot.as_path())])
        .ok_or("there is no linker for it: neither rust-lld nor wasm-ld was found; install lld")?;
    if has_target(&sysroot) {
        return Ok(Toolchain::Other { rustc, linker });
    }
    if sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").exists() {
        return Ok(Toolchain::FromSource { rustc, linker });
    }
    Err(format!("{DEBIAN_RUSTC} has neither the target nor its sources"))
}

fn minor_version(rustc: &Path) -> Option<u32> {
    let output = Command::new(rustc).arg("--version").output().ok()?;
    parse_minor(&String::from_utf8(output.stdout).ok()?)
}

/// `rustc 1.96.0 (…)` is 96.
fn parse_minor(version: &str) -> Option<u32> {
    version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

/// `commit-hash: ac68faa20c58` is `ac68faa20c58`, and `commit-hash: unknown` none.
fn parse_commit(version: &str) -> Option<String> {
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "))?.trim();
    (commit != "unknown").then(|| commit.to_owned())
}

/// A linker for wasm: the one a toolchain brings, else one on the path.
fn linker(sysroots: &[Option<&Path>]) -> Option<PathBuf> {
    let brought = sysroots.iter().flatten().filter_map(|sysroot| {
        let hosts = std::fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
        hosts.flatten().map(|host| host.path().join("bin/rust-lld")).find(|path| path.is_file())
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut on_path =
        std::env::split_paths(&path).flat_map(|folder| ["rust-lld", "wasm-ld"].map(|name| folder.join(name)));
    brought.into_iter().next().or_else(|| on_path.find(|path| path.is_file()))
}

/// Installs Debian's packages where that is possible without asking: as root, with apt-get.
fn install_debian(missing: &str, progress: &mut dyn FnMut(&str)) -> Result<(), ToolchainError> {
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return Err(ToolchainError::Debian(missing.to_owned()));
    }
    progress(&format!("{missing}: running apt-get install {}", DEBIAN_PACKAGES.join(" ")));
    let apt = |arguments: &[&str]| {
        Command::new("/usr/bin/apt-get")
            .args(["-y", "-q"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .output()
            .map_err(|cause| ToolchainError::Debian(format!("apt-get: {cause}")))
    };
    let install: Vec<&str> =
        ["install", "--no-install-recommends"].into_iter().chain(DEBIAN_PACKAGES).collect();
    if apt(&install)?.status.success() {
        return Ok(());
    }
    // A fresh machine has no lists yet.
    apt(&["update"])?;
    let again = apt(&install)?;
    if again.status.success() {
        return Ok(());
    }
    Err(ToolchainError::Debian(format!("{missing}; apt-get says: {}", first_error(&again.stderr))))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_errors_are_read() {
        assert_eq!(parse_minor("rustc 1.96.0 (ac68faa20 2026-05-25)"), Some(96));
        assert_eq!(parse_minor("clang 17"), None);
        assert_eq!(parse_commit("rustc 1.96.0\ncommit-hash: ac68\nhost: x\n").as_deref(), Some("ac68"));
        assert_eq!(parse_commit("rustc 1.96.0\ncommit-hash: unknown\n"), None);
        assert_eq!(first_error(b"info: x\nerror: no network\nnote: y\n"), "error: no network");
        assert_eq!(first_error(b""), "it gave no reason");
    }

    #[test]
    fn a_linker_is_found_in_a_toolchain_first() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("lib/rustlib/some-host/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("rust-lld"), "").unwrap();
        assert_eq!(linker(&[None, Some(folder.path())]), Some(bin.join("rust-lld")));
    }

    #[test]
    fn cargo_is_told_all_it_needs() {
        let mut command = Command::new("cargo");
        Toolchain::FromSource { rustc: "/r".into(), linker: "/l".into() }.apply(&mut command);
        let variables: Vec<_> = command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
        assert!(variables.contains(&("RUSTC_BOOTSTRAP".as_ref(), "1".as_ref())));
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["-Zbuild-std=std,panic_abort"]);
    }
}
