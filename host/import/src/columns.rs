//! Files of columns as rows of events, through a mapping.

use std::io::BufRead;

use super::encoding::Text;
use super::ids::Ids;
use super::mapping::{Mapping, MappingError, MappingFile};
use super::records::{Record, Records, Shape};
use super::rounded::RoundedTexts;
use super::row::{BadRow, Row, SourceError};
use super::source::Rows;

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
                [byte]
                    if byte.is_ascii()
                        && !byte.is_ascii_alphanumeric()
                        && !matches!(byte, b'"' | b'\r' | b'\n') =>
                {
                    Ok(Delimiter::Byte(*byte))
                }
                _ => Err(format!("invalid delimiter {text:?}: write one character, tab, or whitespace")),
            },
        }
    }
}

impl Delimiter {
    fn shape(self, quotes: bool) -> Shape {
        match self {
            Delimiter::Whitespace => Shape { delimiter: None, quotes: false },
            Delimiter::Byte(byte) => Shape { delimiter: Some(byte), quotes },
        }
    }

    fn cells(self, record: &Record) -> Vec<&str> {
        let cells = record.cells();
        match self {
            Delimiter::Byte(_) => cells,
            Delimiter::Whitespace => cells
                .iter()
                .flat_map(|line| line.split([' ', '\t']))
                .filter(|cell| !cell.is_empty())
                .collect(),
        }
    }
}

/// Columns as rows. The delimiter that is given counts before the mapping's, and without either the
/// file's first line may say one (`sep=;`). Texts that a spreadsheet rounded are noted. Fails when
/// the mapping doesn't fit the file's columns, or the first lines can't be read.
pub fn columns(
    reader: Box<dyn BufRead>,
    file: &MappingFile,
    given: Option<Delimiter>,
    ids: Ids,
    rounded: &RoundedTexts,
) -> Result<Rows, MappingError> {
    rounded.restart();
    let header = file.file.header.unwrap_or(file.file.columns.is_empty());
    if !header && file.file.columns.is_empty() {
        return Err(MappingError::new(
            "file.columns",
            "the column names are missing: a file without a header needs them here",
        ));
    }
    let mapped = file.file.delimiter.as_deref().map(str::parse).transpose();
    let mapped: Option<Delimiter> =
        mapped.map_err(|cause: String| MappingError::new("file.delimiter", cause))?;
    let text = Text::new(reader, file.file.encoding()?)
        .map_err(|cause| MappingError::new("the file's start", cause))?
        .map_err(|problem| MappingError::new("file.encoding", problem))?;
    let quotes = file.file.quotes.unwrap_or(true);
    let mut delimiter = given.or(mapped).unwrap_or(Delimiter::Byte(b','));
    let mut records = Records::new(text, delimiter.shape(quotes));
    let mut first = Opening::read(&mut records, delimiter);
    if let Some((opening, said)) = first.as_ref().and_then(|first| Some((first, first.separator(delimiter)?)))
    {
        if given.or(mapped).is_some_and(|known| known != said) {
            let line = opening.cells.concat();
            let problem = format!("the file's first line says {line:?}; the mapping or --delimiter differs");
            return Err(MappingError::new("file.delimiter", problem));
        }
        delimiter = said;
        records.reshape(delimiter.shape(quotes));
        first = Opening::read(&mut records, delimiter);
    }
    while first.as_ref().is_some_and(Opening::is_blank) {
        first = Opening::read(&mut records, delimiter);
    }
    let Some(opening) = first else { return Ok(Box::new(std::iter::empty())) };
    let mut names = file.file.columns.clone();
    let mut pending = None;
    if !header {
        pending = Some(opening);
    } else if let Some(cause) = opening.problem {
        return Err(MappingError::new("the file's header", cause));
    } else if names.is_empty() {
        names = opening.cells.iter().map(|cell| cell.trim().to_owned()).collect();
    }
    let rows = MappedRows { mapping: file.fit(&names)?, delimiter, ids, rounded: rounded.clone() };
    let mut pending = pending.and_then(|opening| match opening.problem {
        Some(cause) => Some(Err(cause)),
        None => rows.row(&opening.cells, opening.line),
    });
    Ok(Box::new(std::iter::from_fn(move || {
        if let Some(row) = pending.take() {
            return Some(row);
        }
        loop {
            let record = match records.next_record()? {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            if let Some(row) = rows.row(&delimiter.cells(record), record.line) {
                return Some(row);
            }
        }
    })))
}

/// A record at the file's start, or what is wrong with it.
struct Opening {
    line: u64,
    cells: Vec<String>,
    problem: Option<SourceError>,
}

impl Opening {
    fn read(records: &mut Records, delimiter: Delimiter) -> Option<Opening> {
        Some(match records.next_record()? {
            Err(cause) => Opening { line: 1, cells: Vec::new(), problem: Some(cause) },
            Ok(record) => {
                let cells = delimiter.cells(record).into_iter().map(str::to_owned).collect();
                Opening { line: record.line, cells, problem: None }
            }
        })
    }

    fn is_blank(&self) -> bool {
        self.problem.is_none() && is_blank(&self.cells)
    }

    /// The delimiter that the line says, as Excel reads it: `sep=;` and nothing else.
    fn separator(&self, delimiter: Delimiter) -> Option<Delimiter> {
        let (first, rest) = self.cells.split_first()?;
        let said = first.get(..4).filter(|word| word.eq_ignore_ascii_case("sep=")).map(|_| &first[4..])?;
        if self.line != 1 || !is_blank(rest) {
            return None;
        }
        if said.is_empty() && !rest.is_empty() {
            // The record was already taken apart at what it says.
            return Some(delimiter);
        }
        let trimmed = said.trim_end();
        (if trimmed.is_empty() { said } else { trimmed }).parse().ok()
    }
}

/// What DOS programs end a text with, and some exports still do.
const DOS_END: char = '\u{1a}';

/// Whether nothing stands in the cells.
fn is_blank(cells: &[impl AsRef<str>]) -> bool {
    let nothing = |character: char| character.is_whitespace() || character == DOS_END;
    cells.iter().all(|cell| cell.as_ref().chars().all(nothing))
}

/// What makes rows of records.
struct MappedRows {
    mapping: Mapping,
    delimiter: Delimiter,
    ids: Ids,
    rounded: RoundedTexts,
}

impl MappedRows {
    /// The row of a record's cells; none when nothing stands in them.
    fn row(&self, cells: &[impl AsRef<str>], line: u64) -> Option<Result<Row, SourceError>> {
        if is_blank(cells) {
            return None;
        }
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        Some(self.event(&cells, line).map_err(|problem| {
            let bad = BadRow::new(line, problem);
            SourceError::Bad(bad.with_cells(self.mapping.columns(), &cells))
        }))
    }

    fn event(&self, cells: &[&str], line: u64) -> Result<Row, String> {
        let columns = self.mapping.columns();
        let wrong = || format!("it has {} cells; the file has {} columns", cells.len(), columns.len());
        let (cells, surplus) = cells.split_at(cells.len().min(columns.len()));
        if !is_blank(surplus) {
            return Err(wrong());
        }
        let short = cells.len() < columns.len();
        if short && self.delimiter == Delimiter::Whitespace {
            // Nobody knows which of them is missing.
            return Err(wrong());
        }
        let event = self.mapping.event(cells, line);
        let mut event =
            event.map_err(|problem| if short { format!("{}; {problem}", wrong()) } else { problem })?;
        for (column, text) in self.mapping.rounded(cells) {
            self.rounded.note(&columns[column], line, text);
        }
        self.ids.put(&mut event, line);
        Ok(Row::of_columns(line, event))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::records::RECORD_BYTES_MAX;
    use crate::tests::lines_of;

    fn rows(text: &[u8], file: &str, delimiter: Delimiter) -> Result<Rows, MappingError> {
        let file = format!("{file}\n[event]\nname = \"x\"\n[identifiers]\nid = \"{{a}}\"\n");
        let file = MappingFile::parse(&file).unwrap();
        let reader = Box::new(Cursor::new(text.to_vec()));
        columns(reader, &file, Some(delimiter), Ids::new("d"), &RoundedTexts::default())
    }

    #[test]
    fn csv_knows_quotes_and_tells_records_of_another_length() {
        let text = b"a,b\n1,\"x, \"\"y\"\"\nz\"\n2\n3,w\n4,w,v\n";
        let rows = rows(text, "", Delimiter::Byte(b',')).unwrap();
        assert_eq!(lines_of(rows), [Ok(2), Ok(4), Ok(5), Err(6)]);
    }

    #[test]
    fn a_quotation_mark_left_open_ends_the_import_and_not_the_memory() {
        let mut text = b"a,b\n1,\"".to_vec();
        text.extend(vec![b'x'; 3 * RECORD_BYTES_MAX]);
        let mut rows = rows(&text, "", Delimiter::Byte(b',')).unwrap();
        assert!(
            matches!(rows.next(), Some(Err(SourceError::Broken(cause))) if cause.contains("quotation mark"))
        );
        assert!(rows.next().is_none());
    }

    #[test]
    fn a_file_without_a_header_needs_names() {
        let named = "[file]\ncolumns = [\"a\", \"b\"]";
        let first = rows(b"1 2\n", named, Delimiter::Whitespace).unwrap();
        assert_eq!(lines_of(first), [Ok(1)]);
        assert!(rows(b"1 2\n", "[file]\nheader = false", Delimiter::Whitespace).is_err());
        // What is wrong with a first row is wrong with that row.
        let bad = rows(b"1,\"x\"y\n2,z\n", named, Delimiter::Byte(b',')).unwrap();
        assert_eq!(lines_of(bad), [Err(1), Ok(2)]);
    }
}
