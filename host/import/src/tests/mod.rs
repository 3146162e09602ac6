//! Imports: files of columns as offices have them, through a mapping; and whole runs into a host that only takes
//! notes (`fake_host`).

mod dates;
mod losses;
mod numbers;
mod office;
mod records;
mod verbatim;
mod whole_imports;

use std::io::{BufReader, Cursor};

use serde_json::Value as Json;

use super::ids::Ids;
use super::mapping::MappingFile;
use super::rounded::RoundedTexts;
use super::row::SourceError;
use super::source::{self, Rows};

/// The line of each row, of one that is no event as an error.
pub(super) fn lines_of(rows: Rows) -> Vec<Result<u64, u64>> {
    rows.map(|row| match row {
        Ok(row) => Ok(row.line),
        Err(SourceError::Bad(bad)) => Err(bad.line),
        Err(SourceError::Broken(cause)) => panic!("{cause}"),
    })
    .collect()
}

/// A mapping for files with the columns `id` and `name`.
const NAMES: &str = "[event]\nname = \"seen\"\n[identifiers]\nid = \"{id}\"\n\
                     [properties]\nname = \"{name}\"\nplace = \"{id}-{line}\"\n";

/// What came of a file.
#[derive(Debug, Default)]
struct Outcome {
    /// The events, with their lines.
    rows: Vec<(u64, Json)>,
    /// The refused records, with their lines.
    refused: Vec<(u64, String)>,
    /// Why the file couldn't be read to its end.
    broken: Option<String>,
}

impl Outcome {
    fn lines(&self) -> Vec<u64> {
        self.rows.iter().map(|(line, _)| *line).collect()
    }

    fn refused_lines(&self) -> Vec<u64> {
        self.refused.iter().map(|(line, _)| *line).collect()
    }

    /// The property of every event.
    fn property(&self, name: &str) -> Vec<Json> {
        self.rows.iter().map(|(_, event)| event["properties"][name].clone()).collect()
    }
}

/// Reads a file in pieces of this many bytes.
fn read_in_pieces(mapping: &str, bytes: &[u8], piece: usize) -> Result<Outcome, String> {
    let mapping = MappingFile::parse(mapping).map_err(|cause| cause.to_string())?;
    let reader = Box::new(BufReader::with_capacity(piece, Cursor::new(bytes.to_vec())));
    let rows = source::columns(reader, &mapping, None, Ids::new("d"), &RoundedTexts::default());
    let mut outcome = Outcome::default();
    for row in rows.map_err(|cause| cause.to_string())? {
        match row {
            Ok(row) => {
                let event = serde_json::from_str(&row.json).map_err(|cause| cause.to_string())?;
                outcome.rows.push((row.line, event));
            }
            Err(SourceError::Bad(bad)) => outcome.refused.push((bad.line, bad.problem)),
            Err(SourceError::Broken(cause)) => outcome.broken = Some(cause),
        }
    }
    Ok(outcome)
}

/// Reads a file.
fn read(mapping: &str, bytes: impl AsRef<[u8]>) -> Result<Outcome, String> {
    read_in_pieces(mapping, bytes.as_ref(), 64 * 1024)
}

/// Reads a file whose mapping fits.
fn outcome(mapping: &str, bytes: impl AsRef<[u8]>) -> Outcome {
    read(mapping, bytes).expect("the mapping fits the file")
}

/// What one cell becomes through this rule, written as TOML (`{ column = "cell", … }`).
fn cell(rule: &str, text: &str) -> Result<Json, String> {
    let mapping =
        format!("[event]\nname = \"x\"\n[identifiers]\nid = \"{{id}}\"\n[properties]\nvalue = {rule}\n");
    let mut file = b"id,cell\n1,\"".to_vec();
    file.extend(text.replace('"', "\"\"").bytes());
    file.extend(b"\"\n");
    let mut outcome = read(&mapping, &file)?;
    match (outcome.rows.pop(), outcome.refused.pop(), outcome.broken) {
        (Some((_, event)), None, None) => {
            Ok(event.get("properties").map_or(Json::Null, |all| all["value"].clone()))
        }
        (None, Some((_, problem)), None) => Err(problem),
        other => panic!("{text:?}: {other:?}"),
    }
}

/// Every example of the page is a mapping, or a part of one.
#[test]
fn the_examples_of_the_page_are_mappings() {
    let page = include_str!("../../../../docs/import.md");
    let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let columns = [
        "id",
        "Betrag",
        "Bestellt",
        "born",
        "Date",
        "Since",
        "Mitglied",
        "newsletter",
        "number",
        "first name",
        "e-mail",
        "phone",
        "customer_id",
        "date",
        "number_of_cds",
        "dollar_value",
    ];
    let columns = columns.map(str::to_owned);
    let mut count = 0;
    for example in examples {
        let (at, values): (Vec<&str>, Vec<&str>) =
            example.lines().partition(|line| line.starts_with("at = "));
        let event = format!("[event]\nname = \"x\"\n{}\n[identifiers]\nid = \"{{id}}\"\n", at.join("\n"));
        let mapping = match example {
            whole if whole.contains("[event]") => whole.to_owned(),
            tables if tables.starts_with('[') => format!("{tables}{event}"),
            _ => format!("{event}[properties]\n{}", values.join("\n")),
        };
        let fitted = MappingFile::parse(&mapping).and_then(|file| file.fit(&columns));
        assert!(fitted.is_ok(), "{mapping}\n{fitted:?}");
        count += 1;
    }
    assert!(count >= 10, "{count} examples");
}
