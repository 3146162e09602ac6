//! Backups of a log that grows, and restoring them; damage is named and nothing is half restored.

use std::fs;

use tempfile::TempDir;

use super::*;
use samsyn_disk::DataDir;
use samsyn_log::{Entry, LocalLog, Options, Payload, verify};
use samsyn_machine::clock::Clock;
use samsyn_machine::place::Place;
use samsyn_testkit::survival_json;
use samsyn_vocabulary::{Partition, Timestamp};

/// A data directory with a log of small segments.
struct World {
    dir: TempDir,
    log: LocalLog<()>,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes: 2 << 10, commit_interval_us: 0, ..Options::default() };
        let data = DataDir(dir.path().join("data"));
        let (log, _) = LocalLog::open(&data.log(), options).unwrap();
        log.start(|_| {}, |failure| panic!("{failure}")).unwrap();
        fs::create_dir_all(data.components()).unwrap();
        fs::write(data.components().join("abc.wasm"), b"a component").unwrap();
        fs::write(data.settings(), "partitions = 4\n").unwrap();
        World { dir, log }
    }

    fn data(&self) -> DataDir {
        DataDir(self.dir.path().join("data"))
    }

    fn backup_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("backup")
    }

    fn append(&self, records: usize) {
        for _ in 0..records {
            let entry = Entry {
                partition: Partition(1),
                expected_head: None,
                relies_on: None,
                kind: 1,
                appended_at: Timestamp(7),
                payload: Payload::new(vec![7; 100]),
                attachment: (),
            };
            let appended = self.log.append(entry).unwrap();
            while self.log.durable_head(Partition(1)).seq < appended.position.seq {
                std::thread::yield_now();
            }
        }
    }

    fn back_up(&self) -> Copied {
        back_up(&self.data(), &self.backup_dir(), &Clock::system(), |_| {}).unwrap()
    }
}

#[test]
fn a_second_backup_copies_what_is_new_and_each_can_be_restored() {
    let world = World::new();
    world.append(40);
    let first = world.back_up();
    assert!(first.manifest.log("log").unwrap().segments > 3 && first.kept == 0);
    world.append(20);
    let second = world.back_up();
    let sealed_before = first.manifest.log("log").unwrap().segments - 1;
    assert!(second.kept >= sealed_before + 2, "sealed segments, component and settings: {second:?}");
    assert!(second.files <= second.manifest.log("log").unwrap().segments - sealed_before);
    let nothing_new = world.back_up();
    assert!(nothing_new.files <= 1, "at most the last segment: {nothing_new:?}");
    assert_eq!(check(&world.backup_dir(), |_| {}).unwrap(), nothing_new.manifest);
    let target = world.dir.path().join("restored");
    let restored = restore(&world.backup_dir(), &target, false, |_| {}).unwrap();
    assert_eq!(restored.records, 60);
    let data = DataDir(target.clone());
    assert_eq!(fs::read(data.settings()).unwrap(), b"partitions = 4\n");
    assert_eq!(fs::read(data.components().join("abc.wasm")).unwrap(), b"a component");
    let place = Place::from_text(&fs::read_to_string(data.place()).unwrap());
    assert_eq!(place, Place::restored(), "a host that starts on it knows that it is a copy");
    let (log, recovered) = LocalLog::<()>::open(&data.log(), Options::default()).unwrap();
    assert!(recovered.tail.is_none());
    assert_eq!(log.cut().digest().to_string(), restored.manifest.log("log").unwrap().head);
    // What is there is not written over, and not moved under a host that runs.
    let again = restore(&world.backup_dir(), &target, false, |_| {});
    assert!(matches!(again, Err(BackupError::TargetNotEmpty(_))));
    let again = restore(&world.backup_dir(), &target, true, |_| {});
    assert!(matches!(again, Err(BackupError::TargetInUse(_))));
    drop(log);
    let aside = restore(&world.backup_dir(), &target, true, |_| {}).unwrap().aside.unwrap();
    assert!(DataDir(aside).settings().exists() && data.settings().exists());
}

#[test]
fn what_followers_keep_is_copied_as_it_is_now_and_restored() {
    let world = World::new();
    world.append(5);
    let file = world.data().followers().join("counts.state");
    fs::create_dir_all(world.data().followers()).unwrap();
    for content in ["one", "two"] {
        fs::write(&file, content).unwrap();
        // What a kill in the middle of writing it leaves.
        fs::write(file.with_extension("state.new"), "half").unwrap();
        world.back_up();
    }
    assert_eq!(
        fs::read_dir(world.backup_dir().join("followers")).unwrap().count(),
        1,
        "the old one has left"
    );
    check(&world.backup_dir(), |_| {}).unwrap();
    let target = world.dir.path().join("restored");
    restore(&world.backup_dir(), &target, false, |_| {}).unwrap();
    let followers = DataDir(target).followers();
    assert_eq!(fs::read_dir(&followers).unwrap().count(), 1);
    assert_eq!(fs::read(followers.join("counts.state")).unwrap(), b"two");
}

#[test]
fn a_backup_under_way_or_interrupted_leaves_the_last_one_whole() {
    let world = World::new();
    world.append(30);
    let first = world.back_up();
    world.append(30);
    // What an interrupted one has done by then: files are there, the list isn't.
    let list = fs::read(world.backup_dir().join("backup.json")).unwrap();
    world.back_up();
    fs::write(world.backup_dir().join("backup.json"), &list).unwrap();
    fs::write(world.backup_dir().join("log/0000000099.segment.new"), b"half").unwrap();
    assert_eq!(check(&world.backup_dir(), |_| {}).unwrap(), first.manifest);
    let target = world.dir.path().join("restored");
    assert_eq!(restore(&world.backup_dir(), &target, false, |_| {}).unwrap().records, 30);
    let third = world.back_up();
    assert!(!world.backup_dir().join("log/0000000099.segment.new").exists());
    assert_eq!(check(&world.backup_dir(), |_| {}).unwrap(), third.manifest);
}

#[test]
fn what_left_the_log_leaves_the_backup_and_needs_a_snapshot() {
    let world = World::new();
    world.append(40);
    world.back_up();
    world.log.remove_before(3).unwrap();
    let refused = back_up(&world.data(), &world.backup_dir(), &Clock::system(), |_| {});
    assert!(matches!(refused, Err(BackupError::NoSnapshot(_))), "{refused:?}");
    // While a backup reads, nothing is removed.
    let prefix = samsyn_log::prefix(&world.data().log()).unwrap();
    assert!(matches!(world.log.remove_before(4), Err(samsyn_log::LogError::Held(_))));
    drop(prefix);
    assert_eq!(world.log.remove_before(4).unwrap(), 1);
}

#[test]
fn damage_is_named_and_nothing_is_half_restored() {
    let world = World::new();
    world.append(40);
    let manifest = world.back_up().manifest;
    let target = world.dir.path().join("restored");
    let mut places = 0;
    for file in &manifest.files {
        let path = world.backup_dir().join(&file.stored);
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 8;
        for bad in [flipped, good[..good.len() - 1].to_vec()] {
            fs::write(&path, bad).unwrap();
            let checked = check(&world.backup_dir(), |_| {}).unwrap_err().to_string();
            assert!(checked.contains(path.to_str().unwrap()), "{checked}");
            let restored = restore(&world.backup_dir(), &target, false, |_| {}).unwrap_err().to_string();
            assert!(restored.contains(path.to_str().unwrap()), "{restored}");
            assert!(!target.exists());
            places += 1;
        }
        fs::remove_file(&path).unwrap();
        assert!(check(&world.backup_dir(), |_| {}).unwrap_err().to_string().contains("missing"));
        fs::write(&path, good).unwrap();
    }
    assert!(places > 8);
    survival_json::record("backup_damage", serde_json::json!({ "damaged": places, "unnoticed": 0 }));
    // And a log that is damaged itself isn't backed up as if it were whole.
    world.append(30);
    let segment = world.data().log().join("0000000001.segment");
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let refused =
        back_up(&world.data(), &world.backup_dir(), &Clock::system(), |_| {}).unwrap_err().to_string();
    assert!(refused.contains("0000000001.segment is damaged at byte"), "{refused}");
    assert_eq!(check(&world.backup_dir(), |_| {}).unwrap(), manifest, "the last one stays");
}

#[test]
fn another_hosts_backup_and_other_directories_are_left_alone() {
    let (one, two) = (World::new(), World::new());
    one.append(3);
    two.append(3);
    one.back_up();
    let refused = back_up(&two.data(), &one.backup_dir(), &Clock::system(), |_| {});
    assert!(matches!(refused, Err(BackupError::OtherLog(_))), "{refused:?}");
    let refused = back_up(&two.data(), two.dir.path(), &Clock::system(), |_| {});
    assert!(matches!(refused, Err(BackupError::NoBackupDirectory(_))), "{refused:?}");
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(check(empty.path(), |_| {}), Err(BackupError::NoBackup(_))));
    let refused = back_up(&DataDir(empty.path().to_owned()), &two.backup_dir(), &Clock::system(), |_| {});
    assert!(matches!(refused, Err(BackupError::NoData(_))), "{refused:?}");
    let path = one.backup_dir().join("backup.json");
    let outside = fs::read_to_string(&path).unwrap().replace("\"data.toml\"", "\"../data.toml\"");
    fs::write(&path, outside).unwrap();
    let refused = check(&one.backup_dir(), |_| {});
    assert!(matches!(refused, Err(BackupError::Manifest { .. })), "{refused:?}");
    assert_eq!(verify(&one.data().log(), |_| {}).unwrap().problem, None);
}
