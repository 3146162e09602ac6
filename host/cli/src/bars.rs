//! Progress of long work on this machine's files.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use samsyn_log::Progress;

/// How often a host that starts says in its log how far it is.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// How far a host that starts is, in its log: where there is no terminal, somebody waits all the same.
pub struct Said {
    next: Instant,
}

impl Said {
    /// Says nothing of what is over soon.
    pub fn new() -> Said {
        Said { next: Instant::now() + SAY_EVERY }
    }

    /// Says it, when it is time to.
    pub fn progress(&mut self, progress: Progress) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + SAY_EVERY;
        let Progress { records, bytes_done, bytes_total } = progress;
        tracing::info!(records, bytes_done, bytes_total, "rebuilding the view from the log");
    }
}

/// A bar on a terminal, nothing elsewhere.
pub fn bar(what: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    let bar = ProgressBar::new(0).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// How far reading the log is.
pub fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.bytes_total);
    bar.set_position(progress.bytes_done);
}
