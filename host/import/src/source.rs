//! Opening a file: gzip is seen by its first bytes, and a workbook is told by name.
//!
//! Everything is read as a stream, and nothing may grow without bound: a line or a record over
//! its limit is refused instead of kept.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

pub use super::columns::{Delimiter, columns};
use super::file_kind::{START_BYTES, peek, refusal};
use super::row::{Row, SourceError};

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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use crate::ids::Ids;
    use crate::json_lines;
    use crate::tests::lines_of;

    fn reader(bytes: &[u8]) -> Box<dyn BufRead> {
        Box::new(Cursor::new(bytes.to_vec()))
    }

    #[test]
    fn a_gzip_file_is_seen_by_its_first_bytes() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"{}\n{}\n").unwrap();
        let packed = packed.finish().unwrap();
        let rows = lines_of(json_lines::rows(ungzipped(reader(&packed)).unwrap(), Ids::new("d")));
        assert_eq!(rows, [Ok(1), Ok(2)]);
    }
}
