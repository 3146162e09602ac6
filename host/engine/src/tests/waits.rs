//! Where events waited on their way to their decision is told, all of it and of each.

use super::{Bench, USUAL};

/// The value of a sample of the metrics; none when there is none of that name.
fn sample(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.split(' ').next() == Some(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn every_event_tells_where_it_waited() {
    const EVENTS: usize = 30;
    let bench = Bench::new();
    bench.install("probe", USUAL);
    for number in 0..EVENTS {
        bench.script(&format!("customer-{}", number % 3), &["add probe.count"]);
    }
    bench.settle();
    // What the view waited for is told a moment after it can be read.
    let all =
        |text: &str| sample(text, "samsyn_event_wait_seconds_count{stage=\"view\"}") >= Some(EVENTS as f64);
    let until = std::time::Instant::now() + super::PATIENCE;
    while !all(&bench.engine.metrics_text()) && std::time::Instant::now() < until {
        std::thread::yield_now();
    }
    let text = bench.engine.metrics_text();
    let mut waited = 0.0;
    for stage in ["lock", "queue", "run", "log", "sync", "view", "other"] {
        let count = sample(&text, &format!("samsyn_event_wait_seconds_count{{stage=\"{stage}\"}}"));
        assert_eq!(count, Some(EVENTS as f64), "{stage}: {text}");
        waited += sample(&text, &format!("samsyn_event_wait_seconds_sum{{stage=\"{stage}\"}}")).unwrap();
    }
    // The stages are all of the way, and what is told behind it.
    let way = sample(&text, "samsyn_accept_to_decided_seconds_sum").unwrap();
    assert!(waited >= way && way > 0.0, "{waited} of {way}");
    let run = sample(&text, "samsyn_event_wait_seconds_sum{stage=\"run\"}").unwrap();
    let calls = sample(&text, "samsyn_call_seconds_sum{capability=\"probe\"}").unwrap();
    assert!(run >= calls * 0.99, "{run}, of which {calls} in calls");
}
