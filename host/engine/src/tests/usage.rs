//! What is counted for the silo report: in the log's order, once, and the same after a restart and
//! in a view that is folded anew.

use super::*;
use samsyn_registry::report::Usage;
use samsyn_state::view::View;

fn count(usage: &Usage, event: &str) -> u64 {
    usage.events.get(event).copied().unwrap_or(0)
}

#[test]
fn what_was_used_folds_with_the_log() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    for customer in ["1", "2", "3"] {
        bench.script(customer, &["text probe.note a", "emit probe.pinged text probe.note b"]);
    }
    bench.script("1", &["text probe.note a"]);
    bench.settle();
    let usage = bench.engine.view().usage();
    assert_eq!(count(&usage, "probe.asked"), 4);
    let probe = capability("probe");
    assert_eq!(usage.emitted[&probe].values().sum::<u64>(), 3);
    assert!(usage.has_claimed(&probe, &field("probe.note")));
    assert!(!usage.has_claimed(&probe, &field("probe.count")));
    bench.restart();
    assert_eq!(bench.engine.view().usage(), usage);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let config = ViewConfig { cache_bytes: 4 << 20, ..ViewConfig::default() };
    let (log, homes, ids) =
        (bench.engine.log(), bench.engine.homes(), bench.engine.shared.config.event_ids());
    let anew = View::open(directory.path(), log, homes, &config, ids, |_| {});
    assert_eq!(anew.expect("it folds").0.usage(), usage, "the log alone says the same");
}
