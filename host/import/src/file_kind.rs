//! Files that are no text: told by their name or their first bytes, with what to do.

use std::io::{self, BufRead, Cursor, Read};
use std::path::Path;

/// First bytes that tell every kind known here.
pub const START_BYTES: usize = 512;

const SHEET: &str = "save the sheet as CSV (in Excel “CSV UTF-8”) and import that file";
const UNPACK: &str = "unpack it and import its content";
const EXPORT: &str = "export the rows as CSV and import that file";

/// Names that only files of spreadsheets have.
const NAMES: &[(&str, &str)] = &[
    ("xlsx", "an Excel workbook"),
    ("xlsm", "an Excel workbook"),
    ("xlsb", "an Excel workbook"),
    ("xltx", "an Excel template"),
    ("xls", "an Excel workbook"),
    ("ods", "an OpenDocument spreadsheet"),
    ("fods", "an OpenDocument spreadsheet"),
    ("numbers", "an Apple Numbers spreadsheet"),
];

/// First bytes, what they are of, and what to do.
const STARTS: &[(&[u8], &str, &str)] = &[
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook, an old one or one with a password", SHEET),
    (b"%PDF-", "a PDF", EXPORT),
    (b"PAR1", "a Parquet file", EXPORT),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", UNPACK),
    (b"\xfd7zXZ\0", "packed with xz", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"{\\rtf", "an RTF document", EXPORT),
];

/// Beginnings of texts that are no rows, in lower case.
const MARKUPS: &[(&[u8], &str)] = &[
    (b"<!doctype html", "HTML, despite its name"),
    (b"<html", "HTML, despite its name"),
    (b"<table", "HTML, despite its name"),
    (b"<?xml", "XML, despite its name"),
];

/// Why a file that begins so can't be read, and what to do instead; none when it may be text.
pub fn refusal(path: &Path, start: &[u8]) -> Option<String> {
    let refused = |kind: &str, next: &str| Some(format!("it is {kind}: {next}"));
    if start.starts_with(b"PK\x03\x04") {
        let has = |part: &[u8]| start.windows(part.len()).any(|window| window == part);
        if has(b"opendocument.spreadsheet") {
            return refused("an OpenDocument spreadsheet", SHEET);
        }
        let workbook = ["[Content_Types].xml", "_rels/", "xl/", "docProps/"];
        if workbook.iter().any(|part| has(part.as_bytes())) {
            return refused("an Excel workbook", SHEET);
        }
    }
    if let Some((_, kind, next)) = STARTS.iter().find(|(bytes, ..)| start.starts_with(bytes)) {
        return refused(kind, next);
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start().to_ascii_lowercase();
    if let Some((_, kind)) = MARKUPS.iter().find(|(bytes, _)| text.starts_with(bytes)) {
        return refused(kind, SHEET);
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    if let Some((_, kind)) =
        NAMES.iter().find(|(name, _)| extension.is_some_and(|e| e.eq_ignore_ascii_case(name)))
    {
        return refused(
            &format!("{kind}, by its name"),
            &format!("{SHEET}, or rename it to .csv if it is CSV"),
        );
    }
    start.starts_with(b"PK\x03\x04").then(|| format!("it is a ZIP archive: {UNPACK}"))
}

/// The first bytes of a reader, fewer only at its end, and the reader as it was.
pub fn peek(mut reader: Box<dyn BufRead>, count: usize) -> io::Result<(Vec<u8>, Box<dyn BufRead>)> {
    let mut start = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut start)?;
    let whole = Cursor::new(start.clone()).chain(reader);
    Ok((start, Box::new(whole)))
}
