//! How far an earlier import of the same file got: the host is asked, nothing is kept here.
//!
//! One pass over the file keeps the ids of a few rows at regular distances; a binary search asks
//! the host for them. Because lanes stay within [`WINDOW_ROWS`] of each other, every row that far
//! before a known one was answered too: the import goes on from there. Duplicates are harmless.

use super::engine::WINDOW_ROWS;
use super::row::{Row, SourceError};
use crate::client::{Client, ClientError};

/// Probes kept at most; when there are more, every other one is dropped.
const PROBES_MAX: usize = 2_048;
/// How far probes are apart at first, in rows.
const FIRST_STRIDE: u64 = 64;
/// Neighbouring rows a probe asks for: one that was refused is not known, and says nothing.
const NEIGHBOURS: usize = 4;

/// What one pass over the file found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Rows that are events.
    pub rows: u64,
    probes: Vec<Probe>,
    stride: u64,
    last: Probe,
}

/// Some rows that stand together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Probe {
    first_row: u64,
    ids: Vec<String>,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The host knows nothing of this file.
    Beginning,
    /// The host knows the file up to somewhere after this row.
    Within(u64),
    /// The host knows the file's last rows: only this many at its end are sent again, to be sure.
    Tail(u64),
}

impl Start {
    /// The first row to send, from 0.
    pub fn row(self) -> u64 {
        match self {
            Start::Beginning => 0,
            Start::Within(row) | Start::Tail(row) => row,
        }
    }
}

impl Survey {
    /// Reads the whole source. Bad rows are passed over; they are reported when they are sent.
    pub fn of(source: impl Iterator<Item = Result<Row, SourceError>>) -> Survey {
        let mut survey = Survey { stride: FIRST_STRIDE, ..Survey::default() };
        for row in source {
            match row {
                Ok(row) => survey.note(&row),
                Err(SourceError::Bad(_)) => {}
                // Rows before the break can be sent; the import itself reports it.
                Err(SourceError::Broken(_)) => break,
            }
        }
        survey
    }

    fn note(&mut self, row: &Row) {
        let number = self.rows;
        self.rows += 1;
        let Some(id) = row.event.get("id").and_then(serde_json::Value::as_str) else { return };
        if number.is_multiple_of(self.stride) {
            if self.probes.len() == PROBES_MAX {
                self.stride *= 2;
                let stride = self.stride;
                self.probes.retain(|probe| probe.first_row.is_multiple_of(stride));
            }
            self.probes.push(Probe { first_row: number, ids: Vec::with_capacity(NEIGHBOURS) });
        }
        if let Some(probe) = self.probes.last_mut().filter(|probe| probe.ids.len() < NEIGHBOURS) {
            probe.ids.push(id.to_owned());
        }
        if self.last.ids.len() == NEIGHBOURS {
            self.last.ids.remove(0);
        }
        self.last.ids.push(id.to_owned());
    }

    /// Asks the host how far it knows the file.
    pub fn start(&self, client: &Client) -> Result<Start, ClientError> {
        self.search(|id| Ok(client.event(id)?.is_some()))
    }

    fn search<E>(&self, mut knows: impl FnMut(&str) -> Result<bool, E>) -> Result<Start, E> {
        let mut known = |probe: &Probe| {
            for id in &probe.ids {
                if knows(id)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if known(&self.last)? {
            return Ok(Start::Tail(self.rows.saturating_sub(WINDOW_ROWS)));
        }
        // All probes before `low` are known, none from `high` on.
        let (mut low, mut high) = (0, self.probes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if known(&self.probes[middle])? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(match low.checked_sub(1) {
            None => Start::Beginning,
            Some(last_known) => Start::Within(self.probes[last_known].first_row.saturating_sub(WINDOW_ROWS)),
        })
    }
}

/// The source from this row on, counting only rows that are events.
pub fn from_row<S>(source: S, first: u64) -> impl Iterator<Item = Result<Row, SourceError>>
where
    S: Iterator<Item = Result<Row, SourceError>>,
{
    let mut passed = 0;
    source.skip_while(move |row| {
        let skip = passed < first;
        passed += u64::from(skip && row.is_ok());
        skip && !matches!(row, Err(SourceError::Broken(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn rows(count: u64) -> impl Iterator<Item = Result<Row, SourceError>> {
        (0..count).map(|line| Ok(Row { line, event: serde_json::json!({"id": line.to_string()}) }))
    }

    fn start(count: u64, knows: impl Fn(u64) -> bool) -> Start {
        let survey = Survey::of(rows(count));
        assert!(survey.probes.len() <= PROBES_MAX);
        survey.search(|id| Ok::<bool, Infallible>(knows(id.parse().unwrap()))).unwrap()
    }

    #[test]
    fn a_new_file_begins_at_its_beginning() {
        assert_eq!(start(0, |_| true), Start::Beginning);
        assert_eq!(start(100_000, |_| false), Start::Beginning);
    }

    #[test]
    fn an_interrupted_import_goes_on_before_what_is_known() {
        for sent in [10_000, 55_555, 299_000] {
            // Lanes that were behind left holes in the last window, and some rows were refused.
            let knows = |row: u64| {
                row < sent && !row.is_multiple_of(97) && (row < sent - 3_900 || row.is_multiple_of(3))
            };
            let Start::Within(row) = start(300_000, knows) else { panic!("{sent}") };
            assert!(row <= sent - 3_900, "{row} of {sent}");
            assert!(row + 2 * WINDOW_ROWS + 512 > sent, "{row} of {sent}");
        }
    }

    #[test]
    fn a_whole_file_is_known_by_its_end() {
        assert_eq!(start(100_000, |_| true), Start::Tail(96_000));
        assert_eq!(start(10, |row| row != 9), Start::Tail(0));
    }

    #[test]
    fn rows_are_passed_over_by_number_and_bad_ones_with_them() {
        let bad = || Err(SourceError::Bad(super::super::row::BadRow { line: 0, problem: String::new() }));
        let source = rows(3).take(1).chain([bad()]).chain(rows(9).skip(1).take(2));
        let left: Vec<u64> = from_row(source, 2).map(|row| row.unwrap().line).collect();
        assert_eq!(left, [2]);
    }
}
