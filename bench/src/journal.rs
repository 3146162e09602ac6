//! What decoding a record costs: with the journal's own unpacker, and with `rmp_serde`.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use samsyn::disk::DataDir;
use samsyn::log::{LocalLog, Options, ScanFrom};
use samsyn::record::{Accepted, Decided, Linked, RecordKind, decode_at, read_at};
use samsyn::view::CommittedRecord;
use samsyn::vocabulary::Partition;

use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{Failure, Scratch, Subject, fill, random_load, run_through, start_engine};

/// The figure.
pub const NAME: &str = "journal.unpack";

const CUSTOMERS: u64 = 2_000;
const EVENTS: u64 = 20_000;
/// How long each of the two decodes in a run.
const TIME: Duration = Duration::from_secs(3);

/// A record as the log has it.
struct Encoded {
    home: Partition,
    kind: RecordKind,
    payload: Box<[u8]>,
}

/// [`NAME`]: every record of a log, decoded whole. Below the target the unpacker isn't worth its code.
pub fn measure(bench: &Bench, subject: &Subject) -> Result<Figure, Failure> {
    let scratch = Scratch::new(&bench.data, "journal")?;
    let engine = start_engine(scratch.path())?;
    subject.install(&engine)?;
    let (customers, events) = (bench.scale(CUSTOMERS, 200), bench.scale(EVENTS, 2_000));
    fill(&engine, customers, |_| {})?;
    run_through(&engine, random_load("journal", 0, events, customers)?)?;
    engine.stop();
    drop(engine);
    let records = records(scratch.path())?;
    let bytes: usize = records.iter().map(|record| record.payload.len()).sum();
    let time = bench.time(TIME);
    let (mut ours, mut baseline, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs() {
        let unpacked = rate(&records, time, unpack)?;
        let by_rmp = rate(&records, time, rmp)?;
        bench.say(&format!("{unpacked:.0} records/s, rmp_serde {by_rmp:.0}"));
        ours.push(unpacked);
        baseline.push(by_rmp);
        ratios.push(unpacked / by_rmp);
    }
    let note = format!("{} records of {} bytes each, decoded whole", records.len(), bytes / records.len());
    Ok(Figure::new(NAME, median(&ours), "records/s")
        .against(median(&baseline), median(&ratios))
        .target(Target::RatioAtLeast(1.5))
        .note(note))
}

/// The records about customers in a log, as many as it has.
fn records(directory: &Path) -> Result<Vec<Encoded>, Failure> {
    let log = DataDir(directory.to_owned()).log();
    let (log, _) = LocalLog::<CommittedRecord>::open(&log, Options::default())?;
    let mut records = Vec::new();
    let mut scan = log.reader().scan_all(ScanFrom::Start);
    while let Some(record) = scan.next()? {
        let kind = RecordKind::of_number(record.kind)?;
        if matches!(kind, RecordKind::Accepted | RecordKind::Decided | RecordKind::Linked) {
            records.push(Encoded { home: record.position.partition, kind, payload: record.payload.into() });
        }
    }
    drop(scan);
    log.close()?;
    if records.is_empty() { Err("the log has no records".into()) } else { Ok(records) }
}

/// Records a second, one pass over all of them after the other.
fn rate(
    records: &[Encoded],
    time: Duration,
    decode: fn(&Encoded) -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let (start, mut decoded) = (Instant::now(), 0_usize);
    while start.elapsed() < time {
        records.iter().try_for_each(decode)?;
        decoded += records.len();
    }
    Ok(decoded as f64 / start.elapsed().as_secs_f64())
}

fn unpack(Encoded { home, kind, payload }: &Encoded) -> Result<(), Failure> {
    match kind {
        RecordKind::Accepted => drop(black_box(decode_at::<Accepted>(*home, payload)?)),
        RecordKind::Decided => drop(black_box(decode_at::<Decided>(*home, payload)?)),
        _ => drop(black_box(decode_at::<Linked>(*home, payload)?)),
    }
    Ok(())
}

fn rmp(Encoded { home, kind, payload }: &Encoded) -> Result<(), Failure> {
    read_at(*home, || {
        match kind {
            RecordKind::Accepted => drop(black_box(rmp_serde::from_slice::<Accepted>(payload)?)),
            RecordKind::Decided => drop(black_box(rmp_serde::from_slice::<Decided>(payload)?)),
            _ => drop(black_box(rmp_serde::from_slice::<Linked>(payload)?)),
        }
        Ok(())
    })
}
