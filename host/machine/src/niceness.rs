//! Threads with a lower priority than those an event or an answer waits for.

/// The least priority there is.
pub const LEAST: i32 = 19;

/// Has this thread get what the others leave: `niceness` is 0 for one like all others and [`LEAST`]
/// for one that runs when nobody else wants to, as Linux has it for a single thread. Where it can't
/// be had, the thread is only less polite.
pub fn lower_priority(niceness: i32) {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, niceness);
    #[cfg(not(target_os = "linux"))]
    let _ = niceness;
}

/// How many of these cores threads that give way may fill together: all but one, and at least one.
pub fn spare_of(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}
