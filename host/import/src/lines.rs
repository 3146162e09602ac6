//! Lines of bounded length: a file without line ends must not fill the memory.

use std::io::{self, BufRead, Read};

use super::row::{BadRow, SourceError};

/// The longest line: an event is at most 32 KiB, and columns may be written generously.
pub const LINE_BYTES_MAX: usize = 256 * 1024;

/// Lines of bounded length, with their numbers.
pub struct Lines {
    reader: Box<dyn BufRead>,
    buffer: Vec<u8>,
    number: u64,
    broken: bool,
}

impl Lines {
    /// The lines of this reader, from its first.
    pub fn new(reader: Box<dyn BufRead>) -> Lines {
        Lines { reader, buffer: Vec::new(), number: 0, broken: false }
    }

    /// The next line without its end; none at the end of the file, or after it broke.
    pub fn next_line(&mut self) -> Option<Result<(u64, &str), SourceError>> {
        if self.broken {
            return None;
        }
        self.buffer.clear();
        let limit = LINE_BYTES_MAX as u64 + 2;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.buffer);
        let too_long = self.buffer.len() > LINE_BYTES_MAX && self.buffer.last() != Some(&b'\n');
        let read = if too_long { self.skip_line().map(|()| 1) } else { read };
        match read {
            Ok(0) => return None,
            Ok(_) => self.number += 1,
            Err(cause) => {
                self.broken = true;
                return Some(Err(SourceError::Broken(format!("after line {}: {cause}", self.number))));
            }
        }
        let line = self.number;
        if too_long {
            let problem = format!("it is longer than {LINE_BYTES_MAX} bytes and is not repeated here");
            return Some(Err(SourceError::Bad(BadRow::new(line, problem))));
        }
        let text = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match std::str::from_utf8(text) {
            Ok(text) if line == 1 => Some(Ok((line, text.trim_start_matches('\u{feff}')))),
            Ok(text) => Some(Ok((line, text))),
            Err(_) => {
                let bad = BadRow::new(line, "it is not UTF-8; invalid bytes are shown as U+FFFD");
                Some(Err(SourceError::Bad(bad.with_text(String::from_utf8_lossy(text)))))
            }
        }
    }

    /// Reads to the end of a line without keeping it.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let available = self.reader.fill_buf()?;
            let end = available.iter().position(|byte| *byte == b'\n');
            let (used, done) = match end {
                Some(at) => (at + 1, true),
                None => (available.len(), available.is_empty()),
            };
            self.reader.consume(used);
            if done {
                return Ok(());
            }
        }
    }
}
