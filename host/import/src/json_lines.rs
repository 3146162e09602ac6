//! JSON lines as rows: one event a line, which is sent as it was written with an id added. A line
//! of a refused file has its event in it.

use std::io::BufRead;

use serde_json::value::RawValue;

use super::ids::Ids;
use super::json_text::text;
use super::lines::Lines;
use super::row::{BadRow, Row, SourceError};
use super::source::Rows;
use samsyn_vocabulary::Members;

/// JSON lines as rows. Empty lines are passed over.
pub fn rows(reader: Box<dyn BufRead>, ids: Ids) -> Rows {
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
            return Some(row(line.trim_ascii(), number, &ids).map_err(SourceError::Bad));
        }
    }))
}

fn row(json: &str, number: u64, ids: &Ids) -> Result<Row, BadRow> {
    let bad = |problem: String| BadRow::new(number, problem).with_text(json);
    let no_json = |cause: serde_json::Error| bad(format!("it is not JSON: {cause}"));
    if !json.starts_with('{') {
        serde_json::from_str::<&RawValue>(json).map_err(no_json)?;
        return Err(bad("it is JSON, but not an object".to_owned()));
    }
    let members: Members<'_> = serde_json::from_str(json).map_err(no_json)?;
    if !is_listed(&members) {
        return Ok(Row::of_json(number, ids.put_into(json, &members, number)));
    }
    match members.get("event").map(RawValue::get) {
        Some(event) if event.starts_with('{') => {
            let members: Members<'_> = serde_json::from_str(event).map_err(no_json)?;
            Ok(Row::of_json(number, ids.put_into(event, &members, number)))
        }
        _ => Err(still_no_event(&members, bad(String::new()))),
    }
}

/// Whether it is a line of a refused file: no event has a `problem` or a `line`.
fn is_listed(members: &Members<'_>) -> bool {
    let has = |name: &str| members.get(name).is_some();
    has("problem") && has("line") && !has("name")
}

/// What didn't come to an event before, and has none yet.
fn still_no_event(members: &Members<'_>, bad: BadRow) -> BadRow {
    let columns = members.get("columns").and_then(|columns| serde_json::from_str(columns.get()).ok());
    BadRow {
        problem: "this line of a file of rejected rows has no `event`: add the corrected event".to_owned(),
        // A row of columns may have been kept without its line.
        text: members.get("text").map_or(bad.text.filter(|_| columns.is_none()), text),
        columns,
        ..bad
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::lines::LINE_BYTES_MAX;
    use crate::tests::lines_of;

    fn reader(bytes: &[u8]) -> Box<dyn BufRead> {
        Box::new(Cursor::new(bytes.to_vec()))
    }

    #[test]
    fn json_lines_pass_over_empty_ones_and_report_bad_ones() {
        let mut text = b"{\"name\":\"a\"}\n\n[1]\r\nno\n\xff\n".to_vec();
        text.extend(vec![b'x'; LINE_BYTES_MAX + 10]);
        text.extend(b"\n{\"id\":\"own\"}");
        let found = lines_of(rows(reader(&text), Ids::new("d")));
        assert_eq!(found, [Ok(1), Err(3), Err(4), Err(5), Err(6), Ok(7)]);
    }
}
