//! Files as rows: JSON lines, or [`columns`] through a mapping; gzip is seen by its first bytes.
//!
//! Everything is read as a stream, and nothing may grow without bound: a line or a record over
//! its limit is refused instead of kept.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

pub use super::columns::{Delimiter, columns};
use super::file_kind::{START_BYTES, peek, refusal};
use super::ids::Ids;
use super::row::{BadRow, Row, SourceError};

/// The longest line: an event is at most 32 KiB, and columns may be written generously.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// What is read from the disk at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// What every source of a file is.
pub type Rows = Box<dyn Iterator<Item = Result<Row, SourceError>>>;

/// Opens a file, or stdin for `-`, and takes gzip off. A file that is no text, such as a workbook, is
/// an error that says what to do.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let raw = ungzipped(Box::new(BufReader::with_capacity(BUFFER_BYTES, raw)))?;
    let (start, raw) = peek(raw, START_BYTES)?;
    match refusal(path, &start) {
        Some(problem) => Err(io::Error::new(io::ErrorKind::InvalidData, problem)),
        None => Ok(raw),
    }
}

fn ungzipped(raw: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    let (start, raw) = peek(raw, GZIP.len())?;
    if start == GZIP {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(raw))));
    }
    Ok(raw)
}

/// JSON lines as rows. Empty lines are passed over.
pub fn json_lines(reader: Box<dyn BufRead>, ids: Ids) -> Rows {
    let mut lines = Lines::new(reader);
    Box::new(std::iter::from_fn(move || {
        loop {
            let (number, line) = match lines.next_line()? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            if line.trim().is_empty() {
                continue;
            }
            return Some(json_row(line, number, &ids));
        }
    }))
}

fn json_row(line: &str, number: u64, ids: &Ids) -> Result<Row, SourceError> {
    let bad = |problem: String| SourceError::Bad(BadRow { line: number, problem });
    let mut event: serde_json::Value =
        serde_json::from_str(line).map_err(|cause| bad(format!("it is no JSON: {cause}")))?;
    if !event.is_object() {
        return Err(bad("it is JSON, but no object".to_owned()));
    }
    ids.put(&mut event, number);
    Ok(Row { line: number, event })
}

/// Lines of bounded length, with their numbers.
struct Lines {
    reader: Box<dyn BufRead>,
    buffer: Vec<u8>,
    number: u64,
    broken: bool,
}

impl Lines {
    fn new(reader: Box<dyn BufRead>) -> Lines {
        Lines { reader, buffer: Vec::new(), number: 0, broken: false }
    }

    /// The next line without its end; none at the end of the file, or after it broke.
    fn next_line(&mut self) -> Option<Result<(u64, &str), SourceError>> {
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
        let bad = |problem: String| Some(Err(SourceError::Bad(BadRow { line, problem })));
        if too_long {
            return bad(format!("it is longer than {LINE_BYTES_MAX} bytes"));
        }
        let text = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match std::str::from_utf8(text) {
            Ok(text) if line == 1 => Some(Ok((line, text.trim_start_matches('\u{feff}')))),
            Ok(text) => Some(Ok((line, text))),
            Err(_) => bad("it is not UTF-8".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn reader(bytes: &[u8]) -> Box<dyn BufRead> {
        Box::new(Cursor::new(bytes.to_vec()))
    }

    fn lines_of(rows: Rows) -> Vec<Result<u64, u64>> {
        rows.map(|row| match row {
            Ok(row) => Ok(row.line),
            Err(SourceError::Bad(bad)) => Err(bad.line),
            Err(SourceError::Broken(cause)) => panic!("{cause}"),
        })
        .collect()
    }

    #[test]
    fn json_lines_pass_over_empty_ones_and_report_bad_ones() {
        let mut text = b"{\"name\":\"a\"}\n\n[1]\r\nno\n\xff\n".to_vec();
        text.extend(vec![b'x'; LINE_BYTES_MAX + 10]);
        text.extend(b"\n{\"id\":\"own\"}");
        let rows = lines_of(json_lines(reader(&text), Ids::new("d")));
        assert_eq!(rows, [Ok(1), Err(3), Err(4), Err(5), Err(6), Ok(7)]);
    }

    #[test]
    fn a_gzip_file_is_seen_by_its_first_bytes() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"{}\n{}\n").unwrap();
        let packed = packed.finish().unwrap();
        let rows = lines_of(json_lines(ungzipped(reader(&packed)).unwrap(), Ids::new("d")));
        assert_eq!(rows, [Ok(1), Ok(2)]);
    }
}
