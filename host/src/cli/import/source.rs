//! Files as rows of columns, through a mapping; gzip is seen by its first bytes.
//!
//! Everything is read as a stream, and nothing may grow without bound: a line or a record over
//! its limit is refused instead of kept.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use super::ids::Ids;
use super::lines::Lines;
use super::mapping::{Mapping, MappingError, MappingFile};
use super::row::{BadRow, Row, SourceError};

/// The longest record of columns, lines within quotes included.
const RECORD_BYTES_MAX: u64 = 1024 * 1024;
/// What is read from the disk at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// What every source of a file is.
pub type Rows = Box<dyn Iterator<Item = Result<Row, SourceError>>>;

/// Opens a file, or stdin for `-`, and takes gzip off.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    ungzipped(BufReader::with_capacity(BUFFER_BYTES, raw))
}

fn ungzipped<R: BufRead + 'static>(mut raw: R) -> io::Result<Box<dyn BufRead>> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    if raw.fill_buf()?.starts_with(GZIP) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(raw))));
    }
    Ok(Box::new(raw))
}

/// How the columns of a file are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delimiter {
    /// Any number of blanks and tabs; no quotes.
    Whitespace,
    /// One byte, with CSV's quotes.
    Byte(u8),
}

impl std::str::FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Delimiter, String> {
        match text {
            "whitespace" => Ok(Delimiter::Whitespace),
            "tab" => Ok(Delimiter::Byte(b'\t')),
            "comma" => Ok(Delimiter::Byte(b',')),
            _ => match text.as_bytes() {
                [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'"' => {
                    Ok(Delimiter::Byte(*byte))
                }
                _ => Err(format!("{text:?} is no delimiter: one character, tab, or whitespace")),
            },
        }
    }
}

/// Columns as rows. Fails when the mapping doesn't fit the file's columns, or the first line
/// can't be read.
pub fn columns(
    reader: Box<dyn BufRead>,
    file: &MappingFile,
    delimiter: Delimiter,
    ids: Ids,
) -> Result<Rows, MappingError> {
    let header = file.file.header.unwrap_or(file.file.columns.is_empty());
    if !header && file.file.columns.is_empty() {
        return Err(MappingError {
            place: "file.columns".to_owned(),
            problem: "a file without a header needs its columns' names here".to_owned(),
        });
    }
    match delimiter {
        Delimiter::Whitespace => blanks(reader, file, header, ids),
        Delimiter::Byte(byte) => csv_records(reader, file, header, byte, ids),
    }
}

/// The columns' names: those of the mapping where it has some, else those of the header.
fn names(file: &MappingFile, header: Option<Vec<String>>) -> Vec<String> {
    if file.file.columns.is_empty() { header.unwrap_or_default() } else { file.file.columns.clone() }
}

fn row(
    mapping: &Mapping,
    ids: &Ids,
    cells: &[&str],
    names: &[String],
    line: u64,
) -> Result<Row, SourceError> {
    let bad = |problem: String| SourceError::Bad(BadRow::new(line, problem).with_cells(names, cells));
    if cells.len() != names.len() {
        return Err(bad(format!("it has {} columns instead of {}", cells.len(), names.len())));
    }
    let mut event = mapping.event(cells, line).map_err(bad)?;
    ids.put(&mut event, line);
    Ok(Row::of_columns(line, event))
}

fn first_line_problem(cause: impl ToString) -> MappingError {
    MappingError { place: "the file's first line".to_owned(), problem: cause.to_string() }
}

fn blanks(
    reader: Box<dyn BufRead>,
    file: &MappingFile,
    header: bool,
    ids: Ids,
) -> Result<Rows, MappingError> {
    let mut lines = Lines::new(reader);
    let mut first = None;
    if header {
        first = match lines.next_line() {
            Some(Ok((_, line))) => Some(line.split_whitespace().map(str::to_owned).collect()),
            Some(Err(cause)) => return Err(first_line_problem(cause)),
            None => return Ok(Box::new(std::iter::empty())),
        };
    }
    let names = names(file, first);
    let mapping = file.fit(&names)?;
    Ok(Box::new(std::iter::from_fn(move || {
        loop {
            let (number, line) = match lines.next_line()? {
                Ok(line) => line,
                Err(error) => return Some(Err(error)),
            };
            let cells: Vec<&str> = line.split_whitespace().collect();
            if !cells.is_empty() {
                return Some(row(&mapping, &ids, &cells, &names, number));
            }
        }
    })))
}

fn csv_records(
    reader: Box<dyn BufRead>,
    file: &MappingFile,
    header: bool,
    delimiter: u8,
    ids: Ids,
) -> Result<Rows, MappingError> {
    let budget = Rc::new(Cell::new(RECORD_BYTES_MAX));
    let guarded = Guarded { inner: reader, budget: Rc::clone(&budget) };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(guarded);
    let mut record = csv::StringRecord::new();
    let mut first = None;
    if header {
        match reader.read_record(&mut record) {
            Ok(true) => {
                let name = |cell: &str| cell.trim().trim_start_matches('\u{feff}').to_owned();
                first = Some(record.iter().map(name).collect());
            }
            Ok(false) => return Ok(Box::new(std::iter::empty())),
            Err(cause) => return Err(first_line_problem(cause)),
        }
    }
    let names = names(file, first);
    let mapping = file.fit(&names)?;
    let mut broken = false;
    Ok(Box::new(std::iter::from_fn(move || {
        if broken {
            return None;
        }
        budget.set(RECORD_BYTES_MAX);
        match reader.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                let cells: Vec<&str> = record.iter().collect();
                Some(row(&mapping, &ids, &cells, &names, line))
            }
            Err(cause) => match (cause.kind(), cause.position()) {
                (csv::ErrorKind::Utf8 { .. }, Some(position)) => {
                    Some(Err(SourceError::Bad(BadRow::new(position.line(), "it is not UTF-8"))))
                }
                _ => {
                    broken = true;
                    Some(Err(SourceError::Broken(cause.to_string())))
                }
            },
        }
    })))
}

/// Counts what one record has read: a quotation mark left open would read the whole file into
/// one cell.
struct Guarded {
    inner: Box<dyn BufRead>,
    budget: Rc<Cell<u64>>,
}

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.budget.get() == 0 {
            return Err(io::Error::other(format!(
                "a record is longer than {RECORD_BYTES_MAX} bytes: is a quotation mark left open?"
            )));
        }
        let read = self.inner.read(buffer)?;
        self.budget.set(self.budget.get().saturating_sub(read as u64));
        Ok(read)
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
    fn a_gzip_file_is_seen_by_its_first_bytes() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"{}\n{}\n").unwrap();
        let packed = packed.finish().unwrap();
        let rows =
            lines_of(super::super::json_lines::rows(ungzipped(Cursor::new(packed)).unwrap(), Ids::new("d")));
        assert_eq!(rows, [Ok(1), Ok(2)]);
    }

    fn mapping(file: &str) -> MappingFile {
        MappingFile::parse(&format!("{file}\n[event]\nname = \"x\"\n[identifiers]\nid = \"{{a}}\"\n"))
            .unwrap()
    }

    #[test]
    fn csv_knows_quotes_and_tells_records_of_another_length() {
        let text = b"a,b\n1,\"x, \"\"y\"\"\nz\"\n2\n3,w\n";
        let rows = columns(reader(text), &mapping(""), Delimiter::Byte(b','), Ids::new("d")).unwrap();
        assert_eq!(lines_of(rows), [Ok(2), Err(4), Ok(5)]);
    }

    #[test]
    fn a_quotation_mark_left_open_ends_the_import_and_not_the_memory() {
        let mut text = b"a,b\n1,\"".to_vec();
        text.extend(vec![b'x'; 3 * RECORD_BYTES_MAX as usize]);
        let mut rows = columns(reader(&text), &mapping(""), Delimiter::Byte(b','), Ids::new("d")).unwrap();
        assert!(
            matches!(rows.next(), Some(Err(SourceError::Broken(cause))) if cause.contains("quotation mark"))
        );
        assert!(rows.next().is_none());
    }

    #[test]
    fn a_file_without_a_header_needs_names() {
        let named = mapping("[file]\ncolumns = [\"a\", \"b\"]");
        let rows = columns(reader(b"1 2\n"), &named, Delimiter::Whitespace, Ids::new("d")).unwrap();
        assert_eq!(lines_of(rows), [Ok(1)]);
        let unnamed = mapping("[file]\nheader = false");
        assert!(columns(reader(b"1 2\n"), &unnamed, Delimiter::Whitespace, Ids::new("d")).is_err());
    }
}
