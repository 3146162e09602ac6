//! What a person sees while an import runs: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::dispatcher::{Progress, Summary};
use super::row::Refused;
use samsyn_client::ClientError;
use samsyn_terminal::output::{grouped, plain};

/// How often a line is written where there is no terminal: a log stays short.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// How often the bar is drawn a second; more costs and can't be read.
const DRAWS_A_SECOND: u8 = 10;
/// Refused rows shown as they come; the report has all.
const REFUSED_SHOWN: u64 = 5;

/// Progress on stderr that suits it. `total` is how many rows there will be, where that is known;
/// `quiet` shows nothing.
pub fn for_terminal(total: Option<u64>, quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Silent)
    } else if io::stderr().is_terminal() {
        Box::new(Bar::new(total))
    } else {
        Box::new(Lines { total, last: Instant::now(), refused: 0 })
    }
}

struct Silent;

impl Progress for Silent {
    fn update(&mut self, _: &Summary) {}
    fn refused(&mut self, _: &Refused) {}
    fn waiting(&mut self, _: &ClientError, _: Duration) {}
}

struct Bar {
    bar: ProgressBar,
    refused: u64,
}

impl Bar {
    fn new(total: Option<u64>) -> Bar {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(DRAWS_A_SECOND));
        let template = match total {
            Some(_) => "{bar:30} {human_pos} of {human_len} rows, {eta} left{msg}",
            None => "{spinner} {human_pos} rows{msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Bar { bar, refused: 0 }
    }
}

impl Progress for Bar {
    fn update(&mut self, summary: &Summary) {
        let done = summary.answered();
        self.bar.set_position(done);
        let refused = match summary.refused {
            0 => String::new(),
            refused => format!(", {} refused", grouped(refused)),
        };
        self.bar.set_message(format!(", {} rows/s{refused}", grouped(rate(done, summary.seconds))));
    }

    fn refused(&mut self, refused: &Refused) {
        self.refused += 1;
        if self.refused <= REFUSED_SHOWN {
            self.bar.println(refused_line(refused));
        }
    }

    fn waiting(&mut self, cause: &ClientError, wait: Duration) {
        self.bar.set_message(format!(", waiting {:.1} s: {}", wait.as_secs_f64(), plain(&cause.to_string())));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Lines {
    total: Option<u64>,
    last: Instant,
    refused: u64,
}

impl Progress for Lines {
    fn update(&mut self, summary: &Summary) {
        if self.last.elapsed() >= LINE_EVERY {
            self.last = Instant::now();
            eprintln!("{}", progress_line(summary, self.total));
        }
    }

    fn refused(&mut self, refused: &Refused) {
        self.refused += 1;
        if self.refused <= REFUSED_SHOWN {
            eprintln!("{}", refused_line(refused));
        }
    }

    fn waiting(&mut self, cause: &ClientError, wait: Duration) {
        if self.last.elapsed() >= LINE_EVERY {
            self.last = Instant::now();
            eprintln!("waiting {:.1} s: {}", wait.as_secs_f64(), plain(&cause.to_string()));
        }
    }
}

fn refused_line(refused: &Refused) -> String {
    format!("line {} rejected: {}", refused.line, plain(&refused.text()))
}

fn progress_line(summary: &Summary, total: Option<u64>) -> String {
    let done = summary.answered();
    let of = total.map(|total| format!(" of {}", grouped(total))).unwrap_or_default();
    format!(
        "{}{of} rows, {} rows/s, {} rejected",
        grouped(done),
        grouped(rate(done, summary.seconds)),
        grouped(summary.refused)
    )
}

/// Whole rows a second; 0 before there is time to measure.
pub fn rate(rows: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (rows as f64 / seconds) as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_fast() {
        let summary =
            Summary { accepted: 9_000, duplicates: 990, refused: 10, seconds: 2.0, ..Summary::default() };
        assert_eq!(progress_line(&summary, Some(69_659)), "10,000 of 69,659 rows, 5,000 rows/s, 10 rejected");
        assert_eq!(rate(5, 0.0), 0);
    }
}
