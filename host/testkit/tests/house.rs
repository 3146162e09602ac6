//! The house holds: crates depend downwards, reach into nobody's insides, and stay small enough to read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The floors of `host/`, lowest first. A crate uses those of lower floors and none of its own or above.
const FLOORS: &[&[&str]] = &[
    &["samsyn-vocabulary", "samsyn-disk", "samsyn-telemetry", "samsyn-http"],
    &["samsyn-machine", "samsyn-contract", "samsyn-auth", "samsyn-secrets"],
    &["samsyn-log", "samsyn-registry", "samsyn-sandbox", "samsyn-egress"],
    &["samsyn-journal", "samsyn-build", "samsyn-wire"],
    &["samsyn-state", "samsyn-audit", "samsyn-identity", "samsyn-follow", "samsyn-client", "samsyn-openapi"],
    &["samsyn-decide", "samsyn-backup", "samsyn-terminal"],
    &["samsyn-replay"],
    &["samsyn-engine"],
    &["samsyn-outgoing"],
    &["samsyn-api", "samsyn-import"],
    &["samsyn-server", "samsyn-demo"],
    &["samsyn-cli"],
    &["samsyn"],
];
/// Used by tests alone, and by the features that tests turn on.
const TESTKIT: &str = "samsyn-testkit";
/// The crate that knows every setting. Whoever depended on it would be built anew with each of them.
const SETTINGS: &str = "samsyn-server";
/// Those that may: the command and its program.
const ABOVE_SETTINGS: &[&str] = &["samsyn-cli", "samsyn"];
/// Lines of a crate at most, tests included.
const LINES_MAX: usize = 15_000;

struct Package {
    name: String,
    folder: PathBuf,
    /// What it needs to run, among the workspace's own; what is optional is left out.
    needs: BTreeSet<String>,
}

fn workspace() -> Vec<Package> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let text = |value: &Value| value.as_str().expect("it is a string").to_owned();
    let packages = metadata["packages"].as_array().expect("packages are a list");
    let own: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    let package = |package: &Value| {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let needs = package["dependencies"].as_array().expect("dependencies are a list").iter();
        let needs = needs
            .filter(|dependency| dependency["kind"].is_null() && dependency["optional"] == false)
            .map(|dependency| text(&dependency["name"]))
            .filter(|name| own.contains(name))
            .collect();
        let folder = manifest.parent().expect("a manifest lies in a folder").to_owned();
        Package { name: text(&package["name"]), folder, needs }
    };
    packages.iter().map(package).collect()
}

/// The crates of the house.
fn host(packages: &[Package]) -> impl Iterator<Item = &Package> {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it lies in host/").to_owned();
    packages.iter().filter(move |package| package.folder.starts_with(&host))
}

/// Rust files of a crate: those of its folder, without the folders of other crates in it.
fn sources(package: &Package, packages: &[Package]) -> Vec<PathBuf> {
    let others = packages.iter().filter(|other| other.name != package.name);
    rust_files(&package.folder, &others.map(|other| other.folder.as_path()).collect())
}

/// Rust files below a folder, without these folders and what was built.
fn rust_files(folder: &Path, without: &BTreeSet<&Path>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                if !without.contains(path.as_path()) && !path.ends_with("target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn crates_depend_downwards() {
    let packages = workspace();
    let floor: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(number, names)| names.iter().map(move |name| (*name, number)))
        .collect();
    let mut faults = Vec::new();
    let mut found = BTreeSet::from([TESTKIT]);
    for package in host(&packages).filter(|package| package.name != TESTKIT) {
        let Some(own) = floor.get(package.name.as_str()) else {
            faults.push(format!("{} has no floor in FLOORS", package.name));
            continue;
        };
        found.insert(package.name.as_str());
        for need in &package.needs {
            match floor.get(need.as_str()) {
                Some(below) if below < own => {}
                Some(_) => faults.push(format!("{} uses {need}, which isn't below it", package.name)),
                None if need == TESTKIT => faults.push(format!("{} needs the test kit", package.name)),
                // A plug-in's own library, which knows nothing of the host.
                None => {}
            }
        }
    }
    faults.extend(floor.keys().filter(|name| !found.contains(*name)).map(|name| format!("{name} is gone")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_crate_is_built_anew_because_of_everybodys_settings() {
    for package in workspace() {
        let may = ABOVE_SETTINGS.contains(&package.name.as_str());
        assert!(may || !package.needs.contains(SETTINGS), "{} depends on every setting", package.name);
    }
}

/// What became durable is told to the engine on the log's writer thread. It can't call a follower there: it knows
/// none. They read the log on threads of their own.
#[test]
fn the_logs_writer_can_call_no_follower() {
    let packages = workspace();
    for name in ["samsyn-log", "samsyn-journal", "samsyn-state", "samsyn-decide", "samsyn-engine"] {
        let package = packages.iter().find(|package| package.name == name).expect("it is there");
        assert!(!package.needs.contains("samsyn-follow"), "{name} uses samsyn-follow");
    }
}

#[test]
fn no_file_is_borrowed_from_another_crate() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut faults = Vec::new();
    for part in ["host", "plugins", "tests", "bench", "fuzz"] {
        for file in rust_files(&repository.join(part), &BTreeSet::new()) {
            let text = fs::read_to_string(&file).expect("a source can be read");
            let borrowed = |line: &&str| line.trim_start().starts_with("#[path") && line.contains("..");
            faults.extend(text.lines().filter(borrowed).map(|line| format!("{}: {line}", file.display())));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_crate_can_be_read() {
    let packages = workspace();
    for package in host(&packages) {
        let lines: usize = sources(package, &packages)
            .iter()
            .map(|file| fs::read_to_string(file).expect("a source can be read").lines().count())
            .sum();
        assert!(lines <= LINES_MAX, "{} has {lines} lines, at most {LINES_MAX}", package.name);
    }
}

#[test]
fn each_crate_begins_with_a_map() {
    let packages = workspace();
    let mut faults = Vec::new();
    for package in host(&packages) {
        let file = ["src/lib.rs", "src/main.rs"].map(|name| package.folder.join(name));
        let file = file.iter().find(|file| file.is_file()).expect("a crate has a first page");
        let text = fs::read_to_string(file).expect("a source can be read");
        let map: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        if !map.contains("must not") && !map.contains("nothing but") {
            faults.push(format!("{}: the map doesn't say what the crate must not do or know", package.name));
        }
        for module in modules(&text) {
            if !map.contains(&format!("`{module}`")) && !map.contains(&format!("`{module}.rs`")) {
                faults.push(format!("{}: {module} is missing on the map", package.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The modules that a first page declares, those for tests left out.
fn modules(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let module = |(number, line): (usize, &&'_ str)| -> Option<usize> {
        let for_tests =
            number > 0 && lines[number - 1].starts_with("#[cfg(") && lines[number - 1].contains("test");
        (line.trim_end().ends_with(';') && !for_tests).then_some(number)
    };
    lines
        .iter()
        .enumerate()
        .filter_map(module)
        .filter_map(|number| {
            let line = lines[number];
            let line = line.strip_prefix("pub ").or(line.strip_prefix("pub(crate) ")).unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        })
        .collect()
}

#[test]
fn the_architecture_lists_every_crate_on_its_floor() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/architecture.md");
    let page = fs::read_to_string(page).expect("the page can be read");
    let mut faults = Vec::new();
    for (number, names) in FLOORS.iter().enumerate() {
        for name in *names {
            let short = name.strip_prefix("samsyn-").unwrap_or(name);
            if !page.contains(&format!("| {} | `{short}` |", number + 1)) {
                faults.push(format!("docs/architecture.md has no row `| {} | `{short}` |`", number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
