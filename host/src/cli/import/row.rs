//! A row of a file: an event to send, or what is wrong with it.

use serde::Serialize;
use serde_json::Value;

/// One event to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its line in the file, or its number; only for reports.
    pub line: u64,
    /// The event as `POST /v1/events` takes it. Give it an `id`: a batch may be sent twice.
    pub event: Value,
}

impl Row {
    /// The event that columns became.
    pub fn of_columns(line: u64, event: Value) -> Row {
        Row { line, event }
    }
}

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its line in the file.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

impl BadRow {
    /// What is wrong with this line.
    pub fn new(line: u64, problem: impl Into<String>) -> BadRow {
        BadRow { line, problem: problem.into() }
    }
}

/// What a source of rows may say instead of a row.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// This one is no event; the next may be.
    #[error("line {}: {}", .0.line, .0.problem)]
    Bad(BadRow),
    /// Nothing more can be read.
    #[error("{0}")]
    Broken(String),
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refused {
    /// Its line in the file.
    pub line: u64,
    /// The event's id, if it came to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A problem document, the host's or one like it.
    pub problem: Value,
}

impl Refused {
    /// The problem as a line.
    pub fn text(&self) -> String {
        let member = |name: &str| self.problem.get(name).and_then(Value::as_str);
        match (member("title"), member("detail")) {
            (Some(title), Some(detail)) => format!("{title}: {detail}"),
            (Some(text), None) | (None, Some(text)) => text.to_owned(),
            (None, None) => self.problem.to_string(),
        }
    }
}
