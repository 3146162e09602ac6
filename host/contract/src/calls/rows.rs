//! Rows: what a plug-in has to say of one customer, which the host sends with the rows of others in one request. So a
//! system that takes thousands at once gets them, and no plug-in sees two customers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Method, Repeat, Size, Span, below_base};

/// Rows of one request, at the most.
pub const ROWS_MAX: u32 = 1_000;
/// Rows of one request, if the manifest doesn't say.
pub const ROWS_DEFAULT: u32 = 500;
/// The largest body of rows.
pub const ROWS_BYTES_MAX: Size = Size::kib(1024);
/// The largest body of rows, if the manifest doesn't say.
pub const ROWS_BYTES_DEFAULT: Size = Size::kib(512);
/// The smallest limit of a body of rows.
const ROWS_BYTES_MIN: Size = Size::kib(1);
/// How long a row waits for others, if the manifest doesn't say.
pub const ROWS_WAIT_DEFAULT: Span = Span::seconds(5);
/// How long a row can wait for others. Attempts that follow another one may be late by as much.
pub const ROWS_WAIT_MAX: Span = Span::seconds(60);
/// Columns of a table, at the most.
const COLUMNS_MAX: usize = 100;
/// The longest name of a column, in bytes.
const COLUMN_BYTES_MAX: usize = 100;

/// How rows become one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowFormat {
    /// One JSON text a line, each line ended by a line feed (`application/x-ndjson`).
    Ndjson,
    /// A JSON array (`application/json`).
    Json,
    /// A table with a line of names, as RFC 4180 has it, with lines ended by a line feed (`text/csv`). A row is a JSON
    /// array with a text, number, boolean or null for each column.
    Csv,
}

impl RowFormat {
    /// The media type of the body.
    pub const fn media_type(self) -> &'static str {
        match self {
            RowFormat::Ndjson => "application/x-ndjson",
            RowFormat::Json => "application/json",
            RowFormat::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// What a manifest says of an endpoint that takes rows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// The path of each request, below the base.
    pub path: String,
    /// Its method; POST if left out.
    #[serde(default)]
    pub method: Option<Method>,
    /// How rows become one body.
    pub format: RowFormat,
    /// With `csv`: the names of the columns.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Rows of one request, at the most.
    #[serde(default)]
    pub max: Option<u32>,
    /// The largest body.
    #[serde(default)]
    pub bytes: Option<Size>,
    /// How long a row waits for others at the most.
    #[serde(default)]
    pub wait: Option<Span>,
}

impl Rows {
    /// Rows of a format to a path; all else is as if left out.
    pub fn of(path: &str, format: RowFormat, columns: &[&str]) -> Rows {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Rows { path: path.to_owned(), method: None, format, columns, max: None, bytes: None, wait: None }
    }

    /// The method of each request.
    pub fn method(&self) -> Method {
        self.method.unwrap_or(Method::Post)
    }

    /// Rows of one request, at the most.
    pub fn max(&self) -> usize {
        self.max.unwrap_or(ROWS_DEFAULT) as usize
    }

    /// The largest body; one row alone may exceed it by what frames it.
    pub fn bytes(&self) -> Size {
        self.bytes.unwrap_or(ROWS_BYTES_DEFAULT)
    }

    /// [`bytes`](Rows::bytes) as a number.
    pub fn bytes_max(&self) -> usize {
        usize::try_from(self.bytes().as_bytes()).unwrap_or(usize::MAX)
    }

    /// How long a row waits for others at the most.
    pub fn wait(&self) -> Span {
        self.wait.unwrap_or(ROWS_WAIT_DEFAULT)
    }

    /// What is wrong with it, as the end of a sentence that begins with its place.
    pub(super) fn check(&self, methods: &[Method], repeat: Repeat) -> Result<(), String> {
        below_base(&self.path).map_err(|why| format!("rows: path: {why}"))?;
        let method = self.method();
        if method.only_reads() {
            return Err(format!("rows: method: a {method} request has no body; use POST, PUT or PATCH"));
        }
        if !methods.contains(&method) {
            return Err(format!("rows: method: {method} is not among methods; add it there"));
        }
        if repeat == Repeat::Probe {
            return Err(
                "repeat = \"probe\" is not allowed with rows: nobody can look up a batch; use \"keyed\", or \"once\""
                    .to_owned(),
            );
        }
        let max = self.max.unwrap_or(ROWS_DEFAULT);
        if !(1..=ROWS_MAX).contains(&max) {
            return Err(format!("rows: max must be 1 to {ROWS_MAX}, not {max}"));
        }
        let bytes = self.bytes();
        if !(ROWS_BYTES_MIN..=ROWS_BYTES_MAX).contains(&bytes) {
            return Err(format!("rows: bytes must be {ROWS_BYTES_MIN} to {ROWS_BYTES_MAX}, not {bytes}"));
        }
        if self.wait() > ROWS_WAIT_MAX {
            return Err(format!("rows: wait can be {ROWS_WAIT_MAX} at the most, not {}", self.wait()));
        }
        self.check_columns()
    }

    fn check_columns(&self) -> Result<(), String> {
        match (self.format, self.columns.len()) {
            (RowFormat::Csv, 0) => {
                return Err("rows: columns is missing; name them, such as columns = [\"email\"]".to_owned());
            }
            (RowFormat::Csv, 1..=COLUMNS_MAX) | (_, 0) => {}
            (RowFormat::Csv, many) => {
                return Err(format!("rows: columns can have {COLUMNS_MAX} names at the most, not {many}"));
            }
            (_, _) => return Err("rows: columns is allowed for format = \"csv\"; remove it".to_owned()),
        }
        let mut known = BTreeSet::new();
        for column in &self.columns {
            if column.is_empty() || column.len() > COLUMN_BYTES_MAX || column.chars().any(char::is_control) {
                return Err(format!(
                    "rows: a name in columns must have 1 to {COLUMN_BYTES_MAX} bytes and no control characters"
                ));
            }
            if !known.insert(column) {
                return Err(format!("rows: columns has {column:?} twice; remove one"));
            }
        }
        Ok(())
    }

    /// A row as it stands in the log: without spaces, on one line.
    ///
    /// # Errors
    ///
    /// Why it is none: no JSON, or for a table no array with a cell for each column.
    pub fn row(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        serde_json::from_slice::<serde_json::Value>(bytes)
            .map_err(|why| format!("a row must be one JSON text: {why}"))?;
        let row = compact(bytes);
        if self.format == RowFormat::Csv {
            let cells = cells(&row)?;
            if cells.len() != self.columns.len() {
                let columns = self.columns.len();
                return Err(format!(
                    "a row must have a cell for each of the {columns} columns, not {}",
                    cells.len()
                ));
            }
        }
        Ok(row)
    }
}

/// The cells of a row of a table: texts as they are, numbers as they are written, an empty one for null.
///
/// # Errors
///
/// Why it isn't one.
pub fn cells(row: &[u8]) -> Result<Vec<String>, String> {
    let cells: Vec<&RawValue> = serde_json::from_slice(row)
        .map_err(|_| "a row of a table must be a JSON array, such as [\"a\", 1]".to_owned())?;
    cells
        .into_iter()
        .map(|cell| match cell.get().as_bytes().first() {
            Some(b'"') => serde_json::from_str(cell.get()).map_err(|why| why.to_string()),
            Some(b'[' | b'{') => {
                Err("a cell of a table must be a text, a number, a boolean or null".to_owned())
            }
            Some(b'n') => Ok(String::new()),
            _ => Ok(cell.get().to_owned()),
        })
        .collect()
}

/// JSON without the spaces between its parts.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |byte: &u8| {
        let keep = in_text || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ => {}
        }
        keep
    };
    let mut keep = keep;
    json.iter().copied().filter(|byte| keep(byte)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(format: RowFormat, columns: &[&str]) -> Rows {
        Rows::of("/m", format, columns)
    }

    #[test]
    fn a_row_is_one_json_text_on_one_line() {
        let rows = rows(RowFormat::Ndjson, &[]);
        for (given, kept) in [
            ("{ \"a\" :\r\n [1, 2.50,\t1e400000] }", None),
            (
                "{ \"a\" :\r\n [1, 2.50,\t12345678901234567890123] }",
                Some("{\"a\":[1,2.50,12345678901234567890123]}"),
            ),
            ("\" a \\\" b \\\\\" ", Some("\" a \\\" b \\\\\"")),
            ("null", Some("null")),
            ("", None),
            ("{}{}", None),
            ("{}\n{}", None),
            ("{\"a\":\"\n\"}", None),
            ("{\"a\":1,}", None),
            ("\u{feff}{}", None),
            ("NaN", None),
            ("\"\\ud800\"", None),
        ] {
            let row = rows.row(given.as_bytes()).ok().map(|row| String::from_utf8(row).unwrap());
            assert_eq!(row.as_deref(), kept, "{given:?}");
        }
        assert!(rows.row(b"\"\xff\"").is_err());
        assert!(rows.row("[".repeat(1_000).as_bytes()).is_err());
    }

    #[test]
    fn a_row_of_a_table_has_a_cell_for_each_column() {
        let rows = rows(RowFormat::Csv, &["email", "points"]);
        for (given, kept) in [
            ("[\"a, \\\"b\\\"\\n\", 1.50]", Some(vec!["a, \"b\"\n", "1.50"])),
            ("[null, true]", Some(vec!["", "true"])),
            ("[\"a\"]", None),
            ("[\"a\", \"b\", \"c\"]", None),
            ("[\"a\", [1]]", None),
            ("[\"a\", {}]", None),
            ("{\"email\": \"a\"}", None),
            ("\"a\"", None),
        ] {
            let row = rows.row(given.as_bytes()).ok().map(|row| cells(&row).unwrap());
            let kept = kept.map(|cells| cells.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(row, kept, "{given:?}");
        }
    }

    #[test]
    fn each_mistake_of_a_manifest_is_named() {
        let good = rows(RowFormat::Csv, &["a"]);
        let check =
            |rows: Rows, repeat| rows.check(&[Method::Post, Method::Get], repeat).err().unwrap_or_default();
        assert_eq!(check(good.clone(), Repeat::Keyed), "");
        for (rows, named) in [
            (Rows { path: "/../m".to_owned(), ..good.clone() }, "path"),
            (Rows { path: "/m?x=1".to_owned(), ..good.clone() }, "path"),
            (Rows { method: Some(Method::Get), ..good.clone() }, "has no body"),
            (Rows { method: Some(Method::Put), ..good.clone() }, "not among methods"),
            (Rows { max: Some(0), ..good.clone() }, "max must be 1 to 1000"),
            (Rows { max: Some(1_001), ..good.clone() }, "max must be 1 to 1000"),
            (Rows { bytes: Some(Size::kib(1025)), ..good.clone() }, "1 KiB to 1 MiB"),
            (Rows { bytes: "1 B".parse().ok(), ..good.clone() }, "1 KiB to 1 MiB"),
            (Rows { wait: Some(Span::seconds(61)), ..good.clone() }, "wait can be 1min"),
            (Rows { columns: Vec::new(), ..good.clone() }, "columns is missing"),
            (Rows { columns: vec!["a".to_owned(); 2], ..good.clone() }, "twice"),
            (Rows { columns: vec![String::new()], ..good.clone() }, "control characters"),
            (Rows { columns: vec!["a\nb".to_owned()], ..good.clone() }, "control characters"),
            (Rows { columns: (0..101).map(|at| at.to_string()).collect(), ..good.clone() }, "100 names"),
            (Rows { format: RowFormat::Json, ..good.clone() }, "remove it"),
        ] {
            let error = check(rows.clone(), Repeat::Once);
            assert!(error.contains(named), "{rows:?}: {error}");
        }
        assert!(check(good, Repeat::Probe).contains("probe"));
    }

    proptest! {
        #[test]
        fn a_row_says_the_same_without_its_spaces(text in "\\PC*", number in any::<i64>()) {
            let value = serde_json::json!({ text.clone(): [text, number, { "a": "\" \\ \n" }] });
            let spaced = serde_json::to_vec_pretty(&value).unwrap();
            let row = rows(RowFormat::Json, &[]).row(&spaced).unwrap();
            prop_assert!(!row.contains(&b'\n'));
            prop_assert_eq!(&row, &serde_json::to_vec(&value).unwrap());
        }
    }
}
