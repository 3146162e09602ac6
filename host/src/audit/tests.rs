//! The audit of reads on a real disk: waiting, sharing, failing, asking, keeping.

use std::fs::OpenOptions;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::audit::AuditConfig;
use crate::clock::Clock;
use crate::vocabulary::{Application, FieldName, IdentifierName, ProfileId, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const DAY_MS: i64 = 24 * 3600 * 1000;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn read(profile: ProfileId, by: &str, field: &str, at: Timestamp) -> Read {
    Read {
        at,
        by: Application::new(by).unwrap(),
        token: None,
        call: "GET /v1/profiles/{ref}".to_owned(),
        profile,
        fields: vec![FieldName::new(field).unwrap()],
        identifiers: vec![IdentifierName::new("customer_id").unwrap()],
        purpose: None,
    }
}

fn audit(dir: &TempDir, config: AuditConfig, clock: &Clock) -> ReadAudit {
    ReadAudit::open(dir.path().join("audit"), config, clock.clone())
}

fn all(audit: &ReadAudit, filter: &ReadFilter, limit: usize) -> Vec<Read> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = audit.reads(filter, before, limit).unwrap();
        found.extend(page.items.into_iter().map(|(_, read)| read));
        match page.next {
            Some(next) => before = Some(next),
            None => return found,
        }
    }
}

#[test]
fn a_read_is_on_the_disk_when_it_is_told_so_and_many_share_a_record() {
    let (dir, runtime, clock) = (TempDir::new().unwrap(), runtime(), Clock::fixed(NOW));
    let audit = Arc::new(audit(&dir, AuditConfig::default(), &clock));
    let profile = ProfileId::random();
    runtime.block_on(audit.record(vec![read(profile, "desk", "email", NOW)])).unwrap();
    // What a kill leaves: a copy of the files as they are now.
    let image = TempDir::new().unwrap();
    std::fs::create_dir(image.path().join("audit")).unwrap();
    let segment = "audit/0000000001.segment";
    std::fs::copy(dir.path().join(segment), image.path().join(segment)).unwrap();
    let after = ReadAudit::open(image.path().join("audit"), AuditConfig::default(), clock.clone());
    assert_eq!(all(&after, &ReadFilter::default(), 10), [read(profile, "desk", "email", NOW)]);

    const READERS: u64 = 5_000;
    runtime.block_on(async {
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            let audit = audit.clone();
            readers.spawn(async move { audit.record(vec![read(profile, "web", "email", NOW)]).await });
        }
        while let Some(recorded) = readers.join_next().await {
            recorded.unwrap().unwrap();
        }
    });
    let records = audit.counters().records.load(Ordering::Relaxed);
    assert_eq!(audit.counters().reads.load(Ordering::Relaxed), READERS + 1);
    assert!(records < READERS / 2, "{records} records for {READERS} reads");
    assert_eq!(all(&audit, &ReadFilter::default(), 700).len() as u64, READERS + 1);
}

#[test]
fn a_question_finds_what_fits_newest_first_in_pages_of_any_size() {
    let (dir, runtime, clock) = (TempDir::new().unwrap(), runtime(), Clock::fixed(NOW));
    let audit = audit(&dir, AuditConfig::default(), &clock);
    let (anna, bertil) = (ProfileId::random(), ProfileId::random());
    let mut made = Vec::new();
    for n in 0..40 {
        let at = Timestamp(NOW.0 + n * 1000);
        let field = if n % 2 == 0 { "email" } else { "first_name" };
        let by = if n % 3 == 0 { "desk" } else { "web" };
        let reads = vec![read(anna, by, field, at), read(bertil, by, "phone", at)];
        made.extend(reads.clone());
        runtime.block_on(audit.record(reads)).unwrap();
    }
    made.reverse();
    let whose = ReadFilter { profile: Some(anna), ..ReadFilter::default() };
    type Fits = Box<dyn Fn(&Read) -> bool>;
    let cases: Vec<(ReadFilter, Fits)> = vec![
        (ReadFilter::default(), Box::new(|_| true)),
        (whose.clone(), Box::new(move |read| read.profile == anna)),
        (
            ReadFilter { field: Some("email".into()), ..whose.clone() },
            Box::new(|read| read.fields[0].as_str() == "email"),
        ),
        (ReadFilter { field: Some("customer_id".into()), ..ReadFilter::default() }, Box::new(|_| true)),
        (
            ReadFilter { by: Some("desk".into()), ..ReadFilter::default() },
            Box::new(|read| read.by.as_str() == "desk"),
        ),
        (
            ReadFilter {
                since: Some(Timestamp(NOW.0 + 10_000)),
                until: Some(Timestamp(NOW.0 + 20_000)),
                ..ReadFilter::default()
            },
            Box::new(|read| (10_000..20_000).contains(&(read.at.0 - NOW.0))),
        ),
        (ReadFilter { by: Some("nobody".into()), ..ReadFilter::default() }, Box::new(|_| false)),
    ];
    for (filter, fits) in cases {
        let expected: Vec<Read> = made.iter().filter(|read| fits(read)).cloned().collect();
        for limit in [1, 2, 7, 100] {
            assert_eq!(all(&audit, &filter, limit), expected, "{filter:?} by {limit}");
        }
    }
}

#[test]
fn a_full_disk_refuses_reads_and_a_disk_with_room_takes_them_again() {
    let (dir, runtime, clock) = (TempDir::new().unwrap(), runtime(), Clock::fixed(NOW));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let audit = ReadAudit::open_with(
        dir.path().join("audit"),
        AuditConfig::default(),
        clock,
        Duration::ZERO,
        |log| log.write_to(full),
    );
    let profile = ProfileId::random();
    let record = || runtime.block_on(audit.record(vec![read(profile, "desk", "email", NOW)]));
    assert_eq!(audit.failure(), None);
    assert!(record().is_err());
    let deadline = Instant::now() + Duration::from_secs(30);
    // The second opening has a disk with room; until then nothing is answered.
    while let Err(refused) = record() {
        assert!(!refused.0.is_empty());
        assert!(Instant::now() < deadline, "it never opens again: {refused}");
    }
    assert_eq!(audit.failure(), None);
    assert!(audit.counters().refused.load(Ordering::Relaxed) > 0);
    assert_eq!(all(&audit, &ReadFilter::default(), 10).len(), 1, "what was refused is not there");
}

#[test]
fn damaged_files_refuse_reads_and_are_left_as_they_are() {
    let (dir, runtime, clock) = (TempDir::new().unwrap(), runtime(), Clock::fixed(NOW));
    let first = audit(&dir, AuditConfig::default(), &clock);
    for _ in 0..3 {
        runtime.block_on(first.record(vec![read(ProfileId::random(), "desk", "email", NOW)])).unwrap();
    }
    drop(first);
    let segment = dir.path().join("audit/0000000001.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[300] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    let audit = audit(&dir, AuditConfig::default(), &clock);
    let why = audit.failure().expect("it is damaged");
    assert!(why.contains("damaged at byte"), "{why}");
    let refused = runtime.block_on(audit.record(vec![read(ProfileId::random(), "desk", "email", NOW)]));
    assert_eq!(refused, Err(AuditUnavailable(why.clone())));
    assert_eq!(audit.status().state, "failed");
    assert!(matches!(audit.reads(&ReadFilter::default(), None, 10), Err(AuditQueryError::Closed(_))));
    assert_eq!(std::fs::read(&segment).unwrap(), bytes);
}

#[test]
fn what_is_too_old_or_too_much_leaves_in_whole_segments() {
    let (dir, runtime, clock) = (TempDir::new().unwrap(), runtime(), Clock::fixed(NOW));
    let config = AuditConfig { keep_days: 30, keep_bytes: 1 << 20, segment_bytes: 1 << 10 };
    let audit = audit(&dir, config.clone(), &clock);
    let one =
        |at| runtime.block_on(audit.record(vec![read(ProfileId::random(), "desk", "email", at)])).unwrap();
    for day in 0..60 {
        clock.set(Timestamp(NOW.0 + day * DAY_MS));
        one(clock.now());
    }
    assert!(audit.apply_retention().unwrap() > 0);
    let kept = all(&audit, &ReadFilter::default(), 100);
    let oldest = kept.last().unwrap().at;
    let age_days = (clock.now().0 - oldest.0) / DAY_MS;
    // Of a segment of which something must stay, all stays: some four records here.
    assert!((30..=40).contains(&age_days), "{age_days}");
    assert_eq!(audit.status().oldest, Some(oldest));
    // Where nobody reads for a month the growing segment is sealed for being old, and leaves.
    clock.set(Timestamp(NOW.0 + 70 * DAY_MS));
    audit.apply_retention().unwrap();
    one(clock.now());
    clock.set(Timestamp(NOW.0 + 99 * DAY_MS));
    audit.apply_retention().unwrap();
    assert_eq!(all(&audit, &ReadFilter::default(), 100).len(), 1);
    drop(audit);
    let verified = crate::log::verify(&dir.path().join("audit"), |_| {}).unwrap();
    assert_eq!((verified.problem, verified.heads[0].1.seq), (None, 61));

    let small = AuditConfig { keep_bytes: 3 << 10, ..config };
    let audit = ReadAudit::open(dir.path().join("audit"), small, clock.clone());
    for _ in 0..200 {
        runtime
            .block_on(audit.record(vec![read(ProfileId::random(), "desk", "email", clock.now())]))
            .unwrap();
    }
    audit.apply_retention().unwrap();
    assert!(audit.status().bytes <= 4 << 10, "{}", audit.status().bytes);
}
