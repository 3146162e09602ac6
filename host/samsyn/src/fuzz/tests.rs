//! Every target for a short time: its corpus as it is, and changed by a seed.

use std::path::{Path, PathBuf};

use super::TARGETS;
use crate::mutate::{Chance, mutate, seed, shown};
use crate::testing::{Seed, rounds};

/// Changed inputs of each target in an ordinary run.
const INPUTS: usize = 4_000;
/// As many of a target whose inputs are large and slow to read.
const COMPONENTS: usize = 300;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{directory:?}: {error}"));
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).expect("it can be read"));
    files.into_iter().map(read).collect()
}

#[test]
fn no_input_of_any_target_panics() {
    try_all(seed("fuzz targets"));
}

#[test]
#[ignore = "runs as long as SAMSYN_ROUNDS says"]
fn torture_fuzz_targets() {
    let seed = Seed::of_run("fuzz targets");
    (0..rounds()).for_each(|round| try_all(seed.of(round)));
}

fn try_all(seed: u64) {
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        assert!(corpus.len() >= 3, "{name} has a corpus of {}", corpus.len());
        for (path, input) in &corpus {
            let ran = std::panic::catch_unwind(|| target(input));
            assert!(ran.is_ok(), "{name} panics on {}", path.display());
        }
        let mut chance = Chance::new(seed);
        let inputs = if name == "component" { COMPONENTS } else { INPUTS };
        for _ in 0..inputs {
            let (_, one) = &corpus[chance.below(corpus.len())];
            let (_, other) = &corpus[chance.below(corpus.len())];
            let input = mutate(&mut chance, one, other);
            let ran = std::panic::catch_unwind(|| target(&input));
            assert!(ran.is_ok(), "{name} panics on {}", shown(&input));
        }
    }
}

/// Writes what the corpus holds that is made by code: run it when a format has grown.
#[test]
#[ignore = "it writes fuzz/corpus"]
fn the_corpus_is_made() {
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
        std::fs::create_dir_all(&directory).expect("a directory");
        std::fs::write(directory.join(name), bytes).expect("it can be written");
    };
    super::made::everything(&write);
}
