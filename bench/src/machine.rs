//! What the system says of this machine and this process.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Length of a tick in `/proc/PID/stat`: what Linux tells every program on every architecture we
/// build for.
const TICK: Duration = Duration::from_millis(10);
/// Bytes of the write whose sync is measured: about one small commit of the log.
const SYNC_BYTES: usize = 4096;
const SYNCS: usize = 50;

/// Cores, kernel and the disk's sync time, as one line.
pub fn describe(directory: &Path) -> std::io::Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let sync = sync_time(directory)?;
    Ok(format!(
        "{cores} cores ({model}), Linux {}, fdatasync of 4 KiB {:.2} ms (median)",
        kernel.trim(),
        sync.as_secs_f64() * 1e3
    ))
}

fn sync_time(directory: &Path) -> std::io::Result<Duration> {
    let path = directory.join("sync");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&[0x5a; SYNC_BYTES])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    std::fs::remove_file(path)?;
    times.sort();
    Ok(times[SYNCS / 2])
}

/// CPU time of this process, all threads, user and system.
pub fn process_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The program's name, in parentheses, may hold spaces.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<u32>().ok());
    TICK * ticks.sum()
}

/// Bytes of a process' memory: `VmRSS` now, or `VmHWM` at its highest. None when it is gone.
pub fn memory_bytes(process: u32, what: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}
