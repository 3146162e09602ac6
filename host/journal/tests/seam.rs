//! Records are encoded and decoded in this crate and nowhere else: keys of profiles, and a second log, will
//! stand here alone.

use std::fs;
use std::path::{Path, PathBuf};

/// What the log calls bytes of a record. Whoever names one of them could read or write a record by itself.
const BYTES_OF_RECORDS: [&str; 4] = ["Payload", "StoredRecord", "RecordRef", "Committed"];

/// Crates that may: the log and this one.
const OWN: [&str; 2] = ["log", "journal"];

/// Files that may, and why.
const ALLOWED: [(&str, &str); 3] = [
    ("audit/src/reads.rs", "appends to the audit of reads, a log with records of its own"),
    ("audit/src/query.rs", "reads the audit of reads"),
    ("backup/src/tests.rs", "copies a log whose records say nothing"),
];

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it lies in host/").to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The words of a file's code, without its comments.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split(|character: char| !character.is_alphanumeric() && character != '_'))
}

#[test]
fn no_other_crate_encodes_or_decodes_a_record() {
    let host = host();
    let mut files = Vec::new();
    sources(&host, &mut files);
    let mut faults = Vec::new();
    let mut used = vec![false; ALLOWED.len()];
    for path in files {
        let name = path.strip_prefix(&host).expect("it lies in host/").to_string_lossy().into_owned();
        if OWN.iter().any(|own| name.starts_with(&format!("{own}/"))) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source can be read");
        // Others have payloads of their own.
        if !text.contains("samsyn_log") && !text.contains("crate::log") && !text.contains("journal") {
            continue;
        }
        let Some(word) = words(&text).find(|word| BYTES_OF_RECORDS.contains(word)) else { continue };
        match ALLOWED.iter().position(|(allowed, _)| *allowed == name) {
            Some(allowed) => used[allowed] = true,
            None => faults.push(format!("{name} names {word}: use the journal's Reader or Appender")),
        }
    }
    let unused = ALLOWED.iter().zip(used).filter(|(_, used)| !used);
    faults.extend(unused.map(|((name, _), _)| format!("{name} no longer needs to be allowed")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The engine names no backend: it has the journal's `Appender` and `Reader`, which ask a log for nothing but
/// what every backend promises. Only what opens the log, and what lets its segments go, know which one it is.
#[test]
fn the_engine_appends_and_reads_through_the_journal_alone() {
    const NAMES: [&str; 4] = ["LocalLog", "HostLog", "PartitionedLog", "backend"];
    const KNOW: [&str; 2] = ["recover.rs", "retention.rs"];
    let engine = host().join("engine/src");
    let mut files = Vec::new();
    sources(&engine, &mut files);
    let mut faults = Vec::new();
    for path in files.iter().filter(|path| !path.components().any(|part| part.as_os_str() == "tests")) {
        let text = fs::read_to_string(path).expect("a source can be read");
        let knows = KNOW.iter().any(|name| path.ends_with(name));
        if let Some(word) = words(&text).find(|word| NAMES.contains(word)).filter(|_| !knows) {
            faults.push(format!("{} names {word}", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
