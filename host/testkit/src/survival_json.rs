//! What the survival suites counted: `target/survival.json`, an object with one member a suite.
//!
//! The suites run as several processes and threads at once, so a writer takes a lock, reads the file, replaces its
//! own member whole and renames the new file into place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Cargo marks the directory it builds in with this file.
const MARK_OF_TARGET: &str = "CACHEDIR.TAG";

/// Says what a suite counted in this run; what it said in an earlier run is replaced.
///
/// `counts` is an object such as `{"tried": 200, "lost": 0, "duplicated": 0}`.
///
/// # Panics
///
/// When the file can't be written: a count that is missing is a test that failed.
pub fn record(suite: &str, counts: Value) {
    assert!(counts.is_object(), "the counts of {suite} are an object, not {counts}");
    record_in(&target(), suite, counts);
}

fn record_in(directory: &Path, suite: &str, counts: Value) {
    let lock = File::create(directory.join("survival.lock")).expect("the counts have a lock");
    lock.lock().expect("the lock can be taken");
    let path = directory.join("survival.json");
    let mut suites = fs::read(&path).ok().map_or_else(Map::new, |bytes| {
        // Only this module writes it, and only whole: anything else is worth a look.
        serde_json::from_slice(&bytes).expect("the counts of the other suites are JSON")
    });
    suites.insert(suite.to_owned(), counts);
    let text = serde_json::to_string_pretty(&Value::Object(suites)).expect("counts are JSON");
    let new = directory.join("survival.json.new");
    fs::write(&new, text + "\n").expect("the counts can be written");
    fs::rename(&new, &path).expect("the counts can be renamed");
}

/// The directory this test was built in: the one that cargo marked or, when somebody else made it,
/// the one that holds the profile's.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let marked = test.ancestors().find(|directory| directory.join(MARK_OF_TARGET).is_file());
    // TARGET/PROFILE/deps/TEST
    let target = marked.or_else(|| test.ancestors().nth(3));
    target.expect("a test lies in cargo's target directory").to_owned()
}
