//! The view is deleted, cut, overwritten, exchanged: the next start has one that is equal to a fresh
//! fold of the log, and says in its log when it had to fold it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::arena::Arena;
use crate::chore::{Admins, Chore};
use crate::dice::{Dice, seed};
use crate::files;
use samsyn_testkit::survival_json;

/// Damages in `make test`: each kind three times.
const DAMAGES: u64 = 3 * KINDS.len() as u64;
/// Requests of each sender between two damages.
const REQUESTS: u64 = 12;
/// What the host's log says when it folds the view anew.
const WARNING: &str = "the view is folded anew from the log";

/// What is done to the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Damage {
    /// It is gone.
    Deleted,
    /// One of its files is gone.
    FileDeleted,
    /// One of its files is cut short.
    Cut,
    /// All bytes of one of its files are noise.
    Noise,
    /// Some bytes of one of its files are noise.
    SomeNoise,
    /// A block of one of its files is zeros, as a file system leaves it that lost a write.
    Zeroed,
    /// It is a copy from some time ago, which is a fold of what the log was then.
    FromYesterday,
    /// One file is from some time ago, the others aren't.
    PartlyFromYesterday,
    /// It is another host's.
    OfAnotherLog,
}

const KINDS: [Damage; 9] = [
    Damage::Deleted,
    Damage::FileDeleted,
    Damage::Cut,
    Damage::Noise,
    Damage::SomeNoise,
    Damage::Zeroed,
    Damage::FromYesterday,
    Damage::PartlyFromYesterday,
    Damage::OfAnotherLog,
];
/// A block of a file system, in bytes.
const BLOCK_BYTES: usize = 4096;

impl Damage {
    /// Whether the host must fold the view anew: a copy from some time ago only needs the rest,
    /// and what is damaged in bytes that nobody needs is none of its business.
    fn must_be_seen(self) -> bool {
        matches!(self, Damage::Deleted | Damage::Noise | Damage::OfAnotherLog)
    }

    fn inflict(self, view: &Path, yesterday: &Path, other: &Path, dice: &mut Dice) {
        match self {
            Damage::Deleted => fs::remove_dir_all(view).expect("the view can be deleted"),
            Damage::FileDeleted => {
                fs::remove_file(any_file(view, dice)).expect("a file can be deleted");
            }
            Damage::FromYesterday => exchange(view, yesterday),
            Damage::OfAnotherLog => exchange(view, other),
            Damage::PartlyFromYesterday => {
                let file = any_file(yesterday, dice);
                let name = file.strip_prefix(yesterday).expect("it lies there");
                fs::copy(&file, view.join(name)).expect("a file can be copied");
            }
            Damage::Cut | Damage::Noise | Damage::SomeNoise | Damage::Zeroed => {
                let file = any_file(view, dice);
                let mut bytes = fs::read(&file).expect("a file can be read");
                self.damage_bytes(&mut bytes, dice);
                fs::write(&file, bytes).expect("a file can be written");
            }
        }
    }

    fn damage_bytes(self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let length = bytes.len() as u64;
        let start = dice.below(length.max(1)) as usize;
        match self {
            Damage::Cut => bytes.truncate(start),
            Damage::Noise => bytes.iter_mut().for_each(|byte| *byte = dice.below(256) as u8),
            Damage::SomeNoise => {
                let end = bytes.len().min(start + dice.between(1, 64) as usize);
                bytes[start..end].iter_mut().for_each(|byte| *byte = dice.below(256) as u8);
            }
            _ => {
                let block = start / BLOCK_BYTES * BLOCK_BYTES;
                let end = bytes.len().min(block + BLOCK_BYTES);
                bytes[block..end].fill(0);
            }
        }
    }
}

/// A file that holds something.
fn any_file(directory: &Path, dice: &mut Dice) -> PathBuf {
    let mut files = files::all(directory);
    files.retain(|file| fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0));
    dice.one_of(&files).clone()
}

fn exchange(view: &Path, by: &Path) {
    fs::remove_dir_all(view).expect("the view can be deleted");
    files::copy(by, view);
}

/// What was done and seen.
#[derive(Default)]
pub struct Seen {
    pub damages: u64,
    rebuilt: BTreeMap<String, u64>,
    differed: u64,
}

impl Seen {
    pub fn counts(&self, seed: u64) -> Value {
        json!({
            "tried": self.damages, "differed": self.differed, "folded_anew": self.rebuilt, "seed": seed,
        })
    }
}

/// Damages one data directory's view again and again. Each time the log and the new view are read
/// whole.
pub fn live(mut dice: Dice, seen: &mut Seen, mut take: impl FnMut(&Seen, &mut Dice) -> Option<Damage>) {
    let mut arena = Arena::new(dice.split());
    let kept = tempfile::tempdir().expect("a directory can be made");
    let (yesterday, other) = (kept.path().join("yesterday"), kept.path().join("other"));
    stop_and_copy_view(&mut Arena::new(dice.split()), &other);
    stop_and_copy_view(&mut arena, &yesterday);
    while let Some(damage) = take(seen, &mut dice) {
        arena.start();
        arena.make_sure();
        let chore = Admins::choose(&mut dice);
        arena.load(chore, REQUESTS, |_, _| {});
        if dice.percent(50) {
            arena.world.kill();
        } else {
            assert!(arena.world.stop().success());
        }
        let view = arena.world.data().join("view");
        if dice.percent(20) {
            fs::remove_dir_all(&yesterday).expect("the copy can be deleted");
            files::copy(&view, &yesterday);
        }
        damage.inflict(&view, &yesterday, &other, &mut dice);
        let warned_before = arena.world.log().matches(WARNING).count();
        arena.start();
        let warned = arena.world.log().matches(WARNING).count() > warned_before;
        assert!(warned || !damage.must_be_seen(), "{damage:?}: nobody was told\n{}", arena.world.log());
        arena.make_sure();
        arena.check();
        arena.stop_and_inspect();
        seen.damages += 1;
        if warned {
            *seen.rebuilt.entry(format!("{damage:?}")).or_default() += 1;
        }
    }
}

fn stop_and_copy_view(arena: &mut Arena, to: &Path) {
    arena.load(Chore::None, REQUESTS, |_, _| {});
    assert!(arena.world.stop().success());
    files::copy(&arena.world.data().join("view"), to);
}

#[test]
fn a_damaged_view_comes_back_equal() {
    let seed = seed();
    println!("SAMSYN_SEED={seed}");
    let mut seen = Seen::default();
    live(Dice::new(seed), &mut seen, |seen, _| {
        (seen.damages < DAMAGES).then(|| KINDS[(seen.damages % KINDS.len() as u64) as usize])
    });
    println!("{}", seen.counts(seed));
    survival_json::record("view_damage", seen.counts(seed));
}

/// Any damage, for the long run.
pub fn any(dice: &mut Dice) -> Damage {
    *dice.one_of(&KINDS)
}
