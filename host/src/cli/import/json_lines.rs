//! JSON lines as rows: one event a line.

use std::io::BufRead;

use super::ids::Ids;
use super::lines::Lines;
use super::row::{BadRow, Row, SourceError};
use super::source::Rows;

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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::cli::import::lines::LINE_BYTES_MAX;

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
        let found = lines_of(rows(reader(&text), Ids::new("d")));
        assert_eq!(found, [Ok(1), Err(3), Err(4), Err(5), Err(6), Ok(7)]);
    }
}
