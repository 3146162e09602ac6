//! What a handler logs: a limited number of lines, each of a limited length.

use crate::given;
use crate::limits::{Limits, as_usize};
use crate::vocabulary::{LogLevel, LogLine};

/// The log lines of one invocation: a limited number, and always the last one.
#[derive(Debug)]
pub struct Logs {
    lines_max: usize,
    message_bytes_max: usize,
    lines: Vec<LogLine>,
    /// The newest of the lines that no longer fit, and how many there were.
    newest_dropped: Option<LogLine>,
    dropped: u64,
}

impl Logs {
    /// Of an invocation within these limits.
    pub fn new(limits: &Limits) -> Logs {
        Logs {
            lines_max: as_usize(limits.log_lines.into()),
            message_bytes_max: as_usize(limits.message_bytes),
            lines: Vec::new(),
            newest_dropped: None,
            dropped: 0,
        }
    }

    /// Takes a line.
    pub fn push(&mut self, level: LogLevel, message: &str) {
        let line = LogLine { level, message: given::message(message, self.message_bytes_max) };
        if self.lines.len() < self.lines_max {
            self.lines.push(line);
        } else {
            self.newest_dropped = Some(line);
            self.dropped += 1;
        }
    }

    /// The newest line, whether it fitted or not: a panicking guest's last words.
    pub fn newest(&self) -> Option<&LogLine> {
        self.newest_dropped.as_ref().or(self.lines.last())
    }

    /// The lines, and one more that says how many were dropped.
    pub fn into_lines(mut self) -> Vec<LogLine> {
        if self.dropped > 0 {
            let (dropped, limit) = (self.dropped, self.lines_max);
            let message = format!("{dropped} more lines were dropped: a call may log {limit} (log_lines)");
            self.lines.push(LogLine { level: LogLevel::Warn, message });
        }
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_kept_though_they_no_longer_fit() {
        let mut logs = Logs::new(&Limits { log_lines: 2, message_bytes: 8, ..Limits::default() });
        assert_eq!(logs.newest(), None);
        for message in ["one", "two", "three", "the last of all"] {
            logs.push(LogLevel::Info, message);
        }
        assert_eq!(logs.newest().map(|line| line.message.as_str()), Some("the last"));
        let lines = logs.into_lines();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].message, "two");
        assert!(lines[2].message.starts_with("2 more lines were dropped"), "{}", lines[2].message);
    }
}
