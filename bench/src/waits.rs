//! Where the slowest events waited, and what the disk itself took in the same minutes: without both, a
//! time says nothing about the host.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use samsyn::engine::way::STAGES;
use samsyn::engine::{Engine, SlowEvent};

use crate::subject::Failure;

/// How many of the slowest are told of.
const SLOWEST: usize = 100;
/// From one sync of the disk's own to the next: few, so that they don't change what is measured.
const SYNC_EVERY: Duration = Duration::from_millis(25);
/// Bytes of one: a small commit of the log.
const SYNC_BYTES: usize = 4096;
/// Bytes of the file that was filled with zeros.
const ZEROS: usize = 1 << 20;

/// How long what was sent before is told behind its decision's being readable, at the most.
const TOLD_AFTER: Duration = Duration::from_millis(200);

/// Forgets the slowest events of what was sent before.
pub fn forget_slowest(engine: &Engine) {
    std::thread::sleep(TOLD_AFTER);
    engine.take_slowest();
}

/// The slowest hundred of these, in one line.
pub fn slowest_text(events: &[SlowEvent]) -> String {
    let mut events = events.to_vec();
    events.sort_by_key(|event| std::cmp::Reverse(event.waits.total));
    events.truncate(SLOWEST);
    let total: Duration = events.iter().map(|event| event.waits.total).sum();
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return "none".to_owned() };
    let parts = STAGES.iter().enumerate().map(|(at, stage)| {
        let waited: Duration = events.iter().map(|event| event.waits.stages()[at]).sum();
        format!("{stage} {:.0} %", 100.0 * waited.as_secs_f64() / total.as_secs_f64())
    });
    let parts: Vec<String> = parts.collect();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    format!(
        "the slowest {} took {:.1} to {:.1} ms, waiting: {}",
        events.len(),
        ms(last.waits.total),
        ms(first.waits.total),
        parts.join(", ")
    )
}

/// The disk's own sync times.
#[derive(Clone, Debug, Default)]
pub struct DiskTimes {
    appending: Vec<Duration>,
    in_place: Vec<Duration>,
}

impl DiskTimes {
    /// These as well.
    pub fn add(&mut self, other: DiskTimes) {
        self.appending.extend(other.appending);
        self.in_place.extend(other.in_place);
    }

    /// In one line.
    pub fn text(&self) -> String {
        let of = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort();
            let at = |share: f64| {
                let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
                times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
            };
            format!("p50 {:.2}, p99 {:.2}, at most {:.2} ms", at(0.5), at(0.99), at(1.0))
        };
        format!("appending {}; into zeros {}", of(&self.appending), of(&self.in_place))
    }
}

/// Syncs of the disk beside what is measured.
pub struct DiskProbe {
    done: Arc<AtomicBool>,
    thread: JoinHandle<std::io::Result<DiskTimes>>,
}

impl DiskProbe {
    /// Begins, in files of this directory.
    pub fn begin(directory: &Path) -> DiskProbe {
        let (directory, done) = (directory.to_owned(), Arc::new(AtomicBool::new(false)));
        let is_done = done.clone();
        DiskProbe { thread: std::thread::spawn(move || probe(&directory, &is_done)), done }
    }

    /// Ends, and tells.
    pub fn end(self) -> Result<DiskTimes, Failure> {
        self.done.store(true, Ordering::Relaxed);
        Ok(self.thread.join().map_err(|_| "the probe of the disk panicked")??)
    }
}

fn probe(directory: &Path, done: &AtomicBool) -> std::io::Result<DiskTimes> {
    let (grown, zeroed) = (File::create(directory.join("grown"))?, File::create(directory.join("zeroed"))?);
    zeroed.write_all_at(&vec![0; ZEROS], 0)?;
    zeroed.sync_all()?;
    let mut times = DiskTimes::default();
    let piece = [0x5a; SYNC_BYTES];
    let timed = |file: &File, at: u64| -> std::io::Result<Duration> {
        let start = Instant::now();
        file.write_all_at(&piece, at)?;
        file.sync_data()?;
        Ok(start.elapsed())
    };
    for number in 0u64.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let at = number * SYNC_BYTES as u64;
        times.appending.push(timed(&grown, at)?);
        times.in_place.push(timed(&zeroed, at % ZEROS as u64)?);
        std::thread::sleep(SYNC_EVERY);
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use samsyn::engine::way::Waits;
    use samsyn::vocabulary::{Partition, Position};

    use super::*;

    #[test]
    fn the_slowest_are_told_with_where_they_waited() {
        let event = |seq: u64| SlowEvent {
            position: Position { partition: Partition(0), seq },
            waits: Waits {
                total: Duration::from_millis(seq),
                sync: Duration::from_millis(seq / 2),
                ..Waits::default()
            },
        };
        let events: Vec<SlowEvent> = (1..=200).map(|number| event(2 * number)).collect();
        let text = slowest_text(&events);
        assert!(text.starts_with("the slowest 100 took 202.0 to 400.0 ms"), "{text}");
        assert!(
            text.contains("sync 50 %") && text.contains("other 50 %") && text.contains("run 0 %"),
            "{text}"
        );
        assert_eq!(slowest_text(&[]), "none");
    }

    #[test]
    fn the_disk_is_asked_beside_what_is_measured() {
        let directory = std::env::temp_dir().join(format!("samsyn-bench-probe-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let probe = DiskProbe::begin(&directory);
        let times = loop {
            // One of each, and nobody says how long they take.
            if directory.join("grown").metadata().is_ok_and(|file| file.len() > 0) {
                break probe.end().unwrap();
            }
            std::thread::yield_now();
        };
        std::fs::remove_dir_all(directory).unwrap();
        assert!(times.text().contains("appending p50 ") && !times.text().contains("NaN"), "{}", times.text());
    }
}
