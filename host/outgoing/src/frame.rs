//! One body of many rows.

use samsyn_contract::calls::{RowFormat, Rows, cells};
use samsyn_engine::Exchange;
use samsyn_vocabulary::Digest;
use uuid::Uuid;

/// A request of rows.
pub struct Frame {
    /// Its body.
    pub body: Vec<u8>,
    /// The digest of the request and of whose rows they are.
    pub batch: Digest,
}

impl Frame {
    /// Frames the rows of these calls, in this order; none if one isn't what the endpoint takes.
    pub fn of(rows: &Rows, calls: &[&Exchange]) -> Option<Frame> {
        let texts: Vec<&[u8]> = calls.iter().map(|call| row_of(call)).collect();
        let body = frame(rows, &texts)?;
        Some(Frame { batch: digest(rows, calls, &body), body })
    }

    /// The key by which the system knows the request whenever it comes again.
    pub fn key(&self) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.batch.0[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// The row that a call is.
pub fn row_of(call: &Exchange) -> &[u8] {
    call.body.as_deref().unwrap_or_default()
}

/// The bytes that a row takes in a body at the most.
pub fn bytes_max(row: &[u8]) -> usize {
    row.len() + 1
}

/// The bytes of a body without rows.
pub fn bytes_of_none(rows: &Rows) -> usize {
    frame(rows, &[]).map_or(0, |body| body.len())
}

fn frame(rows: &Rows, texts: &[&[u8]]) -> Option<Vec<u8>> {
    Some(match rows.format {
        RowFormat::Ndjson => texts.iter().flat_map(|row| [row, &b"\n"[..]]).collect::<Vec<_>>().concat(),
        RowFormat::Json => [b"[", &texts.join(&b","[..])[..], b"]"].concat(),
        RowFormat::Csv => table(&rows.columns, texts)?,
    })
}

fn table(columns: &[String], texts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(columns).ok()?;
    for row in texts {
        // Another number of cells than columns is an error.
        writer.write_record(cells(row).ok()?).ok()?;
    }
    writer.into_inner().ok()
}

/// No other request has it: the keys of the calls are random.
fn digest(rows: &Rows, calls: &[&Exchange], body: &[u8]) -> Digest {
    let mut bytes = format!("{} {}\n{}\n", rows.method(), rows.path, rows.format.media_type()).into_bytes();
    for call in calls {
        bytes.extend_from_slice(call.id.profile.to_string().as_bytes());
        bytes.extend_from_slice(call.request.key.unwrap_or_default().as_bytes());
    }
    bytes.extend_from_slice(body);
    Digest::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(format: RowFormat, columns: &[&str]) -> Rows {
        Rows::of("/m", format, columns)
    }

    #[test]
    fn rows_are_framed_as_the_format_says() {
        for (format, columns, given, framed) in [
            (RowFormat::Ndjson, &[][..], &["{\"a\":1}", "2"][..], "{\"a\":1}\n2\n"),
            (RowFormat::Json, &[], &["{\"a\":1}", "2"], "[{\"a\":1},2]"),
            (RowFormat::Json, &[], &["{}"], "[{}]"),
            (
                RowFormat::Csv,
                &["a", "b, c"],
                &["[\"x, \\\"y\\\"\",1.50]", "[null,\"two\\nlines\"]", "[\"\",true]"],
                "a,\"b, c\"\n\"x, \"\"y\"\"\",1.50\n,\"two\nlines\"\n,true\n",
            ),
            (RowFormat::Csv, &["a"], &["[null]", "[\"=1+1\"]"], "a\n\"\"\n=1+1\n"),
        ] {
            let rows = rows(format, columns);
            let given: Vec<&[u8]> = given.iter().map(|row| row.as_bytes()).collect();
            let body = frame(&rows, &given).unwrap();
            assert_eq!(String::from_utf8_lossy(&body), framed);
            let bytes = bytes_of_none(&rows) + given.iter().map(|row| bytes_max(row)).sum::<usize>();
            assert!(body.len() <= bytes, "{framed}: {} of {bytes}", body.len());
        }
    }

    #[test]
    fn what_is_no_row_of_the_table_is_never_framed() {
        for given in [&["[\"a\"]"][..], &["[\"a\",1]", "[\"b\"]"], &["{}"], &["[\"a\",1,2]"], &["[\"a\",[]]"]]
        {
            let given: Vec<&[u8]> = given.iter().map(|row| row.as_bytes()).collect();
            assert_eq!(frame(&rows(RowFormat::Csv, &["a", "b"]), &given), None);
        }
    }
}
