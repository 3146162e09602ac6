//! A data directory made by a real load rots.

use std::path::Path;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::json;

use crate::audit::AuditConfig;
use crate::audit::{Read, ReadAudit};
use crate::clock::Clock;
use crate::disk::DataDir;
use crate::engine::testing::{Bench, USUAL, app};
use crate::log::flips::{Flipped, flip};
use crate::log::{LocalLog, Options};
use crate::testing::{Seed, rounds, survival_json};
use crate::vocabulary::{FieldName, Partition, ProfileId, Timestamp};
use samsyn_testkit::image::Image;

/// Flips that `make test` tries, of bits and blocks.
const FLIPS: u64 = 1_000;
/// One in so many of them in the audit of reads.
const AUDIT_PART: u64 = 5;
/// Small, so that a load that takes a second fills several.
const SEGMENT_BYTES: u64 = 16 << 10;

/// The data directory of a host that ran, stopped cleanly or not.
fn data_directory(clean: bool) -> Image {
    let log = Options { segment_bytes: SEGMENT_BYTES, ..Options::default() };
    let mut bench = Bench::with_log(log);
    bench.install("probe", USUAL);
    for round in 0..40 {
        for customer in 0..6 {
            let note = format!("text probe.note {round}");
            bench.script(&format!("customer-{customer}"), &["add probe.count", &note]);
        }
        if round == 20 {
            bench.settle();
            bench.restart();
        }
    }
    bench.settle();
    let data = DataDir(bench.path().to_owned());
    audit(&data.audit(), clean);
    let image = |bench: &Bench| Image::read_from(bench.path(), &["view", "compiled", "lock"]);
    let killed = image(&bench);
    bench.engine.stop();
    if !clean {
        return killed;
    }
    // The oldest segments leave, so that there is a floor.
    let (log, _) = LocalLog::<()>::open(&data.log(), log).expect("it opens");
    log.start(|_| {}, |_| {}).expect("it starts");
    let third = log.sealed(Partition(0))[2].number;
    log.remove_before(third).expect("it removes");
    log.close().expect("it closes");
    image(&bench)
}

/// An audit of reads of several segments.
fn audit(dir: &Path, clean: bool) {
    let config = AuditConfig { segment_bytes: 4 << 10, ..AuditConfig::default() };
    let audit = ReadAudit::open(dir.to_owned(), config, Clock::system());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for n in 0..60 {
        let read = Read {
            at: Timestamp(1_700_000_000_000 + n),
            by: app("desk"),
            token: None,
            call: "GET /v1/profiles/{ref}".to_owned(),
            profile: ProfileId::random(),
            fields: vec![FieldName::new("email").expect("a name")],
            identifiers: Vec::new(),
            purpose: None,
        };
        runtime.block_on(audit.record(vec![read])).expect("it is recorded");
    }
    if clean {
        audit.close();
    } else {
        // Its files are copied as they are; then it may end as it likes.
        std::mem::forget(audit);
    }
}

fn rot(seed: u64, flips: u64) -> Flipped {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut flipped = Flipped::default();
    for clean in [true, false] {
        let image = data_directory(clean);
        let data = image.names.keys().find(|path| path.ends_with("log")).expect("there is a log");
        let data = DataDir(data.parent().expect("it lies in one").to_owned());
        let of_audit = flips / 2 / AUDIT_PART;
        flipped += flip(&image, &data.log(), flips / 2 - of_audit, &mut rng);
        flipped += flip(&image, &data.audit(), of_audit, &mut rng);
    }
    flipped
}

#[test]
fn rotten_bytes_are_found_named_never_served_and_mended() {
    let seed = Seed::of_run("bit_flips");
    let flipped = rot(seed.of(0), FLIPS);
    assert_eq!(flipped.tried, FLIPS);
    assert_eq!(flipped.refused + flipped.kept_aside + flipped.found_later, FLIPS);
    assert!(flipped.refused > 0 && flipped.kept_aside > 0 && flipped.found_later > 0, "{flipped:?}");
    survival_json::record(
        "bit_flips",
        json!({
            "tried": flipped.tried, "found": flipped.tried, "refused_at_start": flipped.refused,
            "kept_aside": flipped.kept_aside, "found_by_reading_or_verify": flipped.found_later,
            "mended": flipped.mended, "served": 0, "seed": seed.to_string(),
        }),
    );
}

/// For `make torture`.
#[test]
#[ignore = "runs as long as SAMSYN_ROUNDS says"]
fn torture_bit_flips() {
    let seed = Seed::of_run("bit_flips");
    for round in 0..rounds() {
        println!("round {round}: {:?}", rot(seed.of(round), FLIPS));
    }
}
