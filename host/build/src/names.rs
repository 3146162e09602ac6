//! What files are called inside a component. A compiler writes the names of source files into panic
//! messages; told otherwise, it would write where they lie on this machine. A component says nothing
//! of the machine that built it, and is the same wherever it is built, and so is its digest.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::cargo::Packages;
use super::toolchain::Compiler;

/// The standard library's sources, below a compiler's root.
const STD_SOURCES: &str = "lib/rustlib/src/rust";

/// Where something lies here, and what it is called instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    from: PathBuf,
    to: String,
}

impl Renamed {
    fn new(from: impl Into<PathBuf>, to: impl Into<String>) -> Renamed {
        Renamed { from: from.into(), to: to.into() }
    }

    /// The compiler's argument that says so.
    pub fn argument(&self) -> OsString {
        let mut argument = OsString::from("--remap-path-prefix=");
        argument.push(&self.from);
        argument.push("=");
        argument.push(&self.to);
        argument
    }
}

/// Every place that a source file of a component may lie in; of two that fit the later one counts.
///
/// It is the same for all plug-ins of a workspace, which share a target directory: another list
/// would have the compiler do everything again.
pub fn renamed(packages: &Packages, compiler: &Compiler, cargo_home: Option<&Path>) -> Vec<Renamed> {
    let mut all = Vec::new();
    if let Some(home) = cargo_home {
        all.push(Renamed::new(home, "/cargo"));
        // Each registry has a folder, whose name is the registry's.
        let registries = std::fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
        let mut registries: Vec<PathBuf> = registries.map(|registry| registry.path()).collect();
        registries.sort();
        all.extend(registries.into_iter().map(|registry| Renamed::new(registry, "/crates")));
    }
    all.push(Renamed::new(&packages.workspace, "/plugin"));
    all.push(Renamed::new(&packages.target, "/target"));
    for (name, folder) in packages.elsewhere() {
        all.push(Renamed::new(folder, format!("/{name}")));
    }
    all.push(Renamed::new(&compiler.root, "/rust"));
    // As the precompiled standard library calls its own.
    let std_name = compiler.commit.as_ref().map_or("/rustc".to_owned(), |commit| format!("/rustc/{commit}"));
    let std_sources = compiler.root.join(STD_SOURCES);
    if let Ok(real) = std_sources.canonicalize() {
        all.push(Renamed::new(real, std_name.clone()));
    }
    all.push(Renamed::new(std_sources, std_name));
    all
}

/// Where cargo keeps what it fetched.
pub fn cargo_home() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| value != OsStr::new(""));
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    named("CARGO_HOME").map(PathBuf::from).or_else(home)
}

#[cfg(test)]
mod tests {
    use super::super::cargo::Package;
    use super::*;

    #[test]
    fn every_place_of_sources_has_another_name_and_the_narrower_one_counts() {
        let home = tempfile::tempdir().unwrap();
        let registry = home.path().join("registry/src/registry.example-1949cf8c");
        std::fs::create_dir_all(&registry).unwrap();
        let package = |name: &str, folder: &str, fetched: bool| Package {
            name: name.to_owned(),
            manifest_path: Path::new(folder).join("Cargo.toml"),
            source: fetched.then(|| "registry+https://registry.example".to_owned()),
        };
        let packages = Packages {
            workspace: "/home/kim/shop".into(),
            target: "/home/kim/shop/target".into(),
            all: vec![
                package("visits", "/home/kim/shop/visits", false),
                package("samsyn-plugin", "/home/kim/samsyn/plugins/sdk", false),
                package("serde", "/somewhere/serde", true),
            ],
        };
        let compiler = Compiler { root: "/opt/rust".into(), commit: Some("abc".to_owned()) };
        let renamed = renamed(&packages, &compiler, Some(home.path()));
        let called = |path: &Path| {
            let fits = renamed.iter().rev().find(|is| path.starts_with(&is.from)).unwrap();
            format!("{}/{}", fits.to, path.strip_prefix(&fits.from).unwrap().display())
        };
        assert_eq!(called(&registry.join("serde-1.0.1/src/lib.rs")), "/crates/serde-1.0.1/src/lib.rs");
        assert_eq!(called(&home.path().join("git/checkouts/a/lib.rs")), "/cargo/git/checkouts/a/lib.rs");
        for (path, name) in [
            ("/home/kim/shop/visits/src/lib.rs", "/plugin/visits/src/lib.rs"),
            ("/home/kim/shop/target/wasm/out/made.rs", "/target/wasm/out/made.rs"),
            ("/home/kim/samsyn/plugins/sdk/src/lib.rs", "/samsyn-plugin/src/lib.rs"),
            ("/opt/rust/lib/rustlib/src/rust/library/core/src/str.rs", "/rustc/abc/library/core/src/str.rs"),
        ] {
            assert_eq!(called(Path::new(path)), name);
        }
        assert_eq!(
            Renamed::new("/a b", "/c").argument(),
            OsStr::new("--remap-path-prefix=/a b=/c"),
            "one argument, whatever is in it"
        );
    }
}
