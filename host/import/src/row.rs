//! A row of a file: an event to send, or what is wrong with it.

use serde::ser::{Error as _, SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json_text::text;
use samsyn_vocabulary::Members;

/// One event to send, as the text that it is sent as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file, or its number; only for reports.
    pub line: u64,
    /// The event as `POST /v1/events` takes it. Give it an `id`: a batch may be sent twice.
    pub json: String,
    /// Its id; none when it has none that can be one.
    pub id: Option<String>,
    /// What its customer goes by, in the order written.
    pub identifiers: Vec<(String, String)>,
    /// Its customer's profile, as written.
    pub profile: Option<String>,
}

impl Row {
    /// The event that columns became.
    pub fn of_columns(line: u64, event: Value) -> Row {
        Row::of_json(line, event.to_string())
    }

    /// An event that is JSON already.
    pub fn of_json(line: u64, json: String) -> Row {
        let mut row = Row { line, json: String::new(), id: None, identifiers: Vec::new(), profile: None };
        // What is no object, or has a key that is no text, is for the host to refuse.
        if let Ok(members) = serde_json::from_str::<Members<'_>>(&json) {
            row.read(&members);
        }
        row.json = json;
        row
    }

    fn read(&mut self, members: &Members<'_>) {
        let ids = members.0.iter().filter(|(key, _)| key == "id").count();
        self.id = members.get("id").and_then(text).filter(|_| ids == 1);
        self.profile = members.get("profile").map(|value| value.get().to_owned());
        let identifiers = members.get("identifiers").map(|value| serde_json::from_str(value.get()));
        if let Some(Ok(Members(identifiers))) = identifiers {
            let value = |value: &RawValue| text(value).unwrap_or_else(|| value.get().to_owned());
            self.identifiers =
                identifiers.into_iter().map(|(name, is)| (name.into_owned(), value(is))).collect();
        }
    }
}

/// A line that is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its line in the file.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
    /// The line itself, where it was kept.
    pub text: Option<String>,
    /// Its cells, by their columns' names.
    pub columns: Option<Columns>,
}

impl BadRow {
    /// What is wrong with this line.
    pub fn new(line: u64, problem: impl Into<String>) -> BadRow {
        BadRow { line, problem: problem.into(), text: None, columns: None }
    }

    /// The same, with the line itself.
    pub fn with_text(self, text: impl Into<String>) -> BadRow {
        BadRow { text: Some(text.into()), ..self }
    }

    /// The same, with its cells.
    pub fn with_cells(self, names: &[String], cells: &[&str]) -> BadRow {
        let name = |at: usize| names.get(at).cloned().unwrap_or_else(|| format!("column {}", at + 1));
        let columns = cells.iter().enumerate().map(|(at, cell)| (name(at), (*cell).to_owned()));
        BadRow { columns: Some(Columns(columns.collect())), ..self }
    }
}

/// Cells with their columns' names, as a JSON object in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(pub Vec<(String, String)>);

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            map.serialize_entry(name, cell)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Columns, D::Error> {
        let Members(members) = Members::deserialize(deserializer)?;
        let cell = |value: &RawValue| text(value).unwrap_or_else(|| value.get().to_owned());
        Ok(Columns(members.into_iter().map(|(name, value)| (name.into_owned(), cell(value))).collect()))
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

/// A row that was not taken, as the refused file lists it: with all that is needed to send it once
/// it is corrected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refused {
    /// Its line in the file.
    pub line: u64,
    /// The event's id, if it came to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A problem document, the host's or one like it.
    pub problem: Value,
    /// The event as it was sent.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_written")]
    pub event: Option<String>,
    /// The line, where it didn't come to an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its cells, where it didn't come to an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
}

fn as_written<S: Serializer>(event: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(event) = event else { return serializer.serialize_none() };
    let raw: &RawValue = serde_json::from_str(event).map_err(S::Error::custom)?;
    raw.serialize(serializer)
}

impl Refused {
    /// A line that is no event.
    pub fn of_bad(bad: BadRow) -> Refused {
        let problem = serde_json::json!({ "title": "Not an event", "detail": bad.problem });
        Refused { line: bad.line, id: None, problem, event: None, text: bad.text, columns: bad.columns }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_reads_as_a_line() {
        let refused = |problem| Refused { problem, ..Refused::of_bad(BadRow::new(1, "")) };
        assert_eq!(
            refused(json!({"title": "Not an event", "detail": "no name"})).text(),
            "Not an event: no name"
        );
        assert_eq!(refused(json!({"title": "Not an event"})).text(), "Not an event");
    }

    #[test]
    fn what_is_listed_holds_the_event_as_it_was_written() {
        let event = r#"{"id":"1", "a":1.00, "a":2}"#;
        let refused = Refused { event: Some(event.to_owned()), ..Refused::of_bad(BadRow::new(1, "x")) };
        let text = serde_json::to_string(&refused).unwrap();
        assert!(text.ends_with(&format!("\"event\":{event}}}")), "{text}");
        let bad = BadRow::new(7, "x").with_cells(&["a".to_owned()], &["1", "2"]);
        let text = serde_json::to_string(&Refused::of_bad(bad)).unwrap();
        assert!(text.ends_with(r#""columns":{"a":"1","column 2":"2"}}"#), "{text}");
    }
}
