//! Crashes and rot: what a start cuts, what it refuses, what a check finds.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::*;
use super::{SMALL, Started, crash_image, entry, position, records, segment_files};

/// A log of three frames in one segment as a crash leaves it: its bytes, and where frames start.
struct ThreeFrames {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

fn three_frames() -> ThreeFrames {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), Options::default());
    let file = &segment_files(dir.path())[0];
    let mut starts = Vec::new();
    for text in ["first", "second", "third"] {
        starts.push(fs::metadata(file).unwrap().len() as usize);
        started.commit(vec![entry(1, text), entry(2, text)]);
    }
    ThreeFrames { bytes: fs::read(file).unwrap(), starts }
}

/// Opens a log whose only segment holds `bytes`.
fn open_bytes(bytes: &[u8]) -> (TempDir, Result<(LocalLog<usize>, Recovered), LogError>) {
    let dir = TempDir::new().unwrap();
    fs::write(files::segment_path(dir.path(), 1), bytes).unwrap();
    let opened = LocalLog::open(dir.path(), Options::default());
    (dir, opened)
}

fn damage_of(refused: Result<(LocalLog<usize>, Recovered), LogError>) -> Damage {
    match refused {
        Err(LogError::Damaged(damage)) => *damage,
        Err(other) => panic!("{other}"),
        Ok((_, recovered)) => panic!("opened: {recovered:?}"),
    }
}

#[test]
fn a_frame_torn_at_any_byte_is_cut_and_kept() {
    let ThreeFrames { bytes, starts } = three_frames();
    for length in starts[2]..bytes.len() {
        let (dir, opened) = open_bytes(&bytes[..length]);
        let (log, recovered) = opened.unwrap();
        assert_eq!(recovered.records, 4, "torn at {length}");
        assert_eq!(recovered.heads[&Partition(2)].seq, 2);
        match recovered.tail {
            None => assert_eq!(length, starts[2]),
            Some(tail) => {
                assert_eq!(tail.offset as usize, starts[2]);
                assert_eq!(fs::read(tail.kept_in).unwrap(), bytes[starts[2]..length]);
            }
        }
        assert_eq!(fs::read(files::segment_path(dir.path(), 1)).unwrap(), bytes[..starts[2]]);
        assert_eq!(log.append(entry(1, "goes on")).unwrap().position, position(1, 3));
    }
}

#[test]
fn a_last_frame_that_rots_unsynced_is_the_tail() {
    let ThreeFrames { bytes, starts } = three_frames();
    for at in starts[2]..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        let (_dir, opened) = open_bytes(&bytes);
        let (_, recovered) = opened.unwrap();
        let tail = recovered.tail.expect("a tail");
        assert_eq!((recovered.records, recovered.clean), (4, false));
        assert_eq!(fs::read(tail.kept_in).unwrap(), bytes[starts[2]..]);
    }
}

#[test]
fn a_synced_frame_that_rots_is_damage_with_its_place() {
    let ThreeFrames { bytes, starts } = three_frames();
    for at in starts[1]..starts[2] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        let (dir, opened) = open_bytes(&bytes);
        let damage = damage_of(opened);
        assert_eq!(damage.offset as usize, starts[1], "flipped at {at}");
        assert_eq!(damage.position, Some(position(2, 1)));
        assert_eq!(damage.segment, files::segment_path(dir.path(), 1));
        assert!(damage.cause.contains("synced once"), "{damage}");
        // Refusing changes nothing.
        assert_eq!(fs::read(&damage.segment).unwrap(), bytes);
    }
}

#[test]
fn a_torn_frame_still_shows_that_the_one_before_it_was_synced() {
    let ThreeFrames { bytes, starts } = three_frames();
    for length in starts[2]..bytes.len() {
        let mut bytes = bytes[..length].to_vec();
        bytes[starts[1] + 40] ^= 0x10;
        let (_dir, opened) = open_bytes(&bytes);
        if length < starts[2] + format::FRAME_HEADER_BYTES {
            // Nothing is left that could tell it from a torn tail.
            assert_eq!(opened.unwrap().1.tail.expect("a tail").offset as usize, starts[1]);
        } else {
            assert_eq!(damage_of(opened).offset as usize, starts[1]);
        }
    }
}

#[test]
fn a_clean_close_vouches_for_the_last_frame() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), Options::default());
    started.commit(vec![entry(1, "acknowledged")]);
    started.log.close().unwrap();
    drop(started);
    let mut bytes = fs::read(&segment_files(dir.path())[0]).unwrap();
    assert!(open_bytes(&bytes).1.unwrap().1.clean);
    let last_payload_byte = bytes.len() - format::FRAME_HEADER_BYTES - 1;
    bytes[last_payload_byte] ^= 1;
    damage_of(open_bytes(&bytes).1);
}

#[test]
fn a_payload_that_looks_like_a_later_frame_proves_nothing() {
    let ThreeFrames { bytes, starts } = three_frames();
    let dir = TempDir::new().unwrap();
    let (log, _) = LocalLog::open(dir.path(), Options::default()).unwrap();
    log.start(|_| {}, |_| {}).unwrap();
    let mut forged = entry(1, "");
    forged.payload = Payload::new(&bytes[starts[1]..]);
    log.append(forged).unwrap();
    drop(log);
    let mut torn = fs::read(&segment_files(dir.path())[0]).unwrap();
    torn.truncate(torn.len() - format::FRAME_HEADER_BYTES);
    torn[format::SEGMENT_HEADER_BYTES] ^= 1;
    let (_, recovered) = open_bytes(&torn).1.unwrap();
    assert!(recovered.tail.is_some() && recovered.records == 0);
}

#[test]
fn an_index_torn_at_any_byte_is_cut_and_the_segment_grows_on() {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    while segment_files(dir.path()).len() < 2 {
        started.commit(vec![entry(1, &"x".repeat(200))]);
    }
    let bytes = fs::read(&segment_files(dir.path())[0]).unwrap();
    let sealed = index::SealedSegment::read(&fs::File::open(&segment_files(dir.path())[0]).unwrap());
    let sealed = sealed.unwrap().unwrap();
    for length in sealed.frames_end as usize..=bytes.len() {
        let (dir, opened) = open_bytes(&bytes[..length]);
        let (log, recovered) = opened.unwrap();
        assert_eq!(recovered.records, sealed.records);
        assert_eq!(segment_files(dir.path()).len(), if length == bytes.len() { 2 } else { 1 });
        assert_eq!(records(&log).len() as u64, sealed.records);
    }
}

/// A small log of several segments, closed.
fn several_segments() -> TempDir {
    let dir = TempDir::new().unwrap();
    let started = Started::open(dir.path(), SMALL);
    for n in 0..6 {
        started.commit(vec![entry(n % 2, &"x".repeat(150)), entry(3, "y")]);
    }
    started.log.close().unwrap();
    dir
}

#[test]
fn a_sealed_segment_that_is_short_missing_or_foreign_is_refused() {
    let dir = several_segments();
    let segments = segment_files(dir.path());
    assert!(segments.len() >= 3);
    let open = |dir: &Path| LocalLog::<usize>::open(dir, SMALL);
    assert!(open(dir.path()).is_ok());

    let short = crash_image(dir.path());
    let second = files::segment_path(short.path(), 2);
    let bytes = fs::read(&second).unwrap();
    fs::write(&second, &bytes[..bytes.len() - 300]).unwrap();
    let damage = damage_of(open(short.path()));
    assert_eq!(damage.segment, second);
    assert!(damage.position.is_some());

    let missing = crash_image(dir.path());
    fs::remove_file(files::segment_path(missing.path(), 1)).unwrap();
    assert!(damage_of(open(missing.path())).cause.contains("missing"));

    let foreign = crash_image(dir.path());
    fs::copy(&segment_files(several_segments().path())[1], files::segment_path(foreign.path(), 2)).unwrap();
    assert!(damage_of(open(foreign.path())).cause.contains("another place or log"));

    let newer = crash_image(dir.path());
    let mut bytes = fs::read(files::segment_path(newer.path(), 2)).unwrap();
    bytes[8] = 9;
    let crc = format::checksum(&[&bytes[..60]]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    fs::write(files::segment_path(newer.path(), 2), bytes).unwrap();
    assert!(matches!(open(newer.path()), Err(LogError::NewerFormat { found: 9, known: 1, .. })));
}

#[test]
fn a_check_finds_every_flipped_bit() {
    let dir = several_segments();
    assert_eq!(verify(dir.path(), |_| {}).unwrap().problem, None);
    for file in segment_files(dir.path()) {
        let good = fs::read(&file).unwrap();
        let rotting = fs::File::options().write(true).open(&file).unwrap();
        for bit in 0..good.len() * 8 {
            let (at, flipped) = (bit / 8, good[bit / 8] ^ (1 << (bit % 8)));
            rotting.write_all_at(&[flipped], at as u64).unwrap();
            let problem = verify(dir.path(), |_| {}).unwrap().problem;
            let problem = problem.unwrap_or_else(|| panic!("{}, bit {bit}", file.display()));
            assert_eq!(problem.segment, file);
            assert!(problem.offset as usize <= at, "{problem}, bit {bit}");
            rotting.write_all_at(&good[at..=at], at as u64).unwrap();
        }
    }
}

#[test]
fn a_point_read_of_rotten_bytes_is_refused() {
    let dir = several_segments();
    let (log, _) = LocalLog::<usize>::open(dir.path(), SMALL).unwrap();
    let file = &segment_files(dir.path())[0];
    let mut bytes = fs::read(file).unwrap();
    let payload = format::SEGMENT_HEADER_BYTES + format::FRAME_HEADER_BYTES + format::RECORD_HEADER_BYTES;
    bytes[payload] ^= 1;
    fs::write(file, bytes).unwrap();
    assert!(matches!(log.read(position(0, 1)), Err(LogError::Damaged(_))));
    let scanned: Vec<_> = log.scan(Partition(0), 1).collect();
    assert!(scanned.len() == 1 && scanned[0].is_err());
    assert!(matches!(log.scan_all(ScanFrom::Start).next(), Err(LogError::Damaged(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is cut off the end, a start recovers exactly a prefix of what was committed.
    #[test]
    fn a_cut_log_is_a_prefix(
        appends in prop::collection::vec(prop::collection::vec((0u16..4, 0usize..200), 1..4), 1..30),
        cut in 0.0f64..1.0,
    ) {
        let dir = TempDir::new().unwrap();
        let started = Started::open(dir.path(), SMALL);
        let mut committed = Vec::new();
        for (n, append) in appends.iter().enumerate() {
            let payload = |length| format!("{n}:{}", "z".repeat(length));
            let entries = append.iter().map(|(partition, length)| entry(*partition, &payload(*length)));
            for record in started.commit(entries.collect()) {
                committed.push((record.position, String::from_utf8(record.payload.to_vec()).unwrap()));
            }
        }
        let image = crash_image(dir.path());
        let last = segment_files(image.path()).pop().unwrap();
        let length = fs::metadata(&last).unwrap().len();
        let header = format::SEGMENT_HEADER_BYTES as u64;
        let kept = header + ((length - header) as f64 * cut) as u64;
        fs::File::options().write(true).open(&last).unwrap().set_len(kept).unwrap();

        let recovered = Started::open(image.path(), SMALL);
        let found = records(&recovered.log);
        prop_assert_eq!(&found[..], &committed[..found.len()]);
        prop_assert_eq!(recovered.recovered.records as usize, found.len());
        for (partition, head) in &recovered.recovered.heads {
            let seqs = found.iter().filter(|(at, _)| at.partition == *partition).map(|(at, _)| at.seq);
            prop_assert!(seqs.eq(1..=head.seq));
        }
        // And it goes on from there.
        recovered.commit(vec![entry(0, "more")]);
        drop(recovered);
        prop_assert_eq!(verify(image.path(), |_| {}).unwrap().problem, None);
    }
}
