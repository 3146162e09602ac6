//! Progress of long work on this machine's files.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::log::Progress;

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
