//! Rows in, batches out: several lanes at once, the events of one customer in the order given.
//!
//! A row goes to the lane that its customer's identifier hashes to, and a lane has one request in
//! flight. How far the lanes may drift apart is bounded: no row is taken while one that came
//! [`WINDOW_ROWS`] before it has no answer yet. So when the host knows a row, it was also asked
//! about every row that far before it; that is what makes an interrupted import resumable.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::lane::{self, Queued, Report, RowAnswer};
use super::options::Options;
use super::row::{Refused, Row, SourceError};
use super::stop::Stop;
use crate::client::{Client, ClientError};

/// How far lanes may drift apart, in rows: five batches for each of four lanes.
pub const WINDOW_ROWS: u64 = 4_000;
/// How much may wait for an answer, so that long rows don't fill the memory.
const WINDOW_BYTES: usize = 16 * 1024 * 1024;

/// What an import came to, so far or at its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Rows taken from the source, bad ones included.
    pub rows: u64,
    /// Events the host took and didn't have before.
    pub accepted: u64,
    /// Events the host had already.
    pub duplicates: u64,
    /// Rows that were not taken.
    pub refused: u64,
    /// Requests that were answered.
    pub batches: u64,
    /// Requests that had to be made again.
    pub retries: u64,
    /// Whether it was ended early.
    pub interrupted: bool,
    /// How long it took so far, seconds.
    pub seconds: f64,
}

/// Who wants to know how it goes. Called on the thread that called [`run`].
pub trait Progress {
    /// Some rows were answered.
    fn update(&mut self, summary: &Summary);
    /// A row was not taken.
    fn refused(&mut self, refused: &Refused);
    /// A lane waits before it tries again.
    fn waiting(&mut self, cause: &ClientError, wait: Duration);
}

/// Why an import ended before its source did.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The host refused the call itself, or stayed away for longer than the patience.
    #[error("{cause}")]
    Host {
        /// What it said.
        cause: ClientError,
        /// What was done until then.
        summary: Summary,
    },
    /// The source can't be read on.
    #[error("{cause}")]
    Source {
        /// Why.
        cause: String,
        /// What was done until then.
        summary: Summary,
    },
}

/// Sends every row of the source and returns when all are answered.
pub fn run<S>(
    source: S,
    client: &Client,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Summary, ImportError>
where
    S: Iterator<Item = Result<Row, SourceError>>,
{
    thread::scope(|scope| {
        let (reports_in, reports) = mpsc::channel();
        let mut lanes = Vec::new();
        for _ in 0..options.lanes.max(1) {
            let (queue, queued) = mpsc::channel();
            let reports_in = reports_in.clone();
            scope.spawn(move || lane::run(&queued, &reports_in, client, options));
            lanes.push(queue);
        }
        drop(reports_in);
        let mut engine = Engine {
            lanes,
            reports,
            progress,
            stop: &options.stop,
            order_by: options.order_by.clone(),
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            next_row: 0,
            summary: Summary::default(),
            started: Instant::now(),
            failure: None,
        };
        let broken = engine.feed(source);
        engine.finish(broken)
    })
}

struct Engine<'a> {
    lanes: Vec<Sender<Queued>>,
    reports: Receiver<Report>,
    progress: &'a mut dyn Progress,
    stop: &'a Stop,
    order_by: Option<String>,
    /// Rows without an answer yet, and their bytes.
    waiting: BTreeMap<u64, usize>,
    waiting_bytes: usize,
    next_row: u64,
    summary: Summary,
    started: Instant,
    failure: Option<ClientError>,
}

impl Engine<'_> {
    /// Takes rows until there are no more, or it is stopped; tells why the source broke, if it did.
    fn feed<S: Iterator<Item = Result<Row, SourceError>>>(&mut self, source: S) -> Option<String> {
        for row in source {
            while let Ok(report) = self.reports.try_recv() {
                self.take(report);
            }
            if self.stop.is_set() {
                return None;
            }
            match row {
                Ok(row) => self.send(row),
                Err(SourceError::Bad(bad)) => {
                    self.summary.rows += 1;
                    let problem = serde_json::json!({ "title": "No event", "detail": bad.problem });
                    self.refuse(Refused { line: bad.line, id: None, problem });
                }
                Err(SourceError::Broken(cause)) => return Some(cause),
            }
        }
        None
    }

    fn send(&mut self, row: Row) {
        self.summary.rows += 1;
        let number = self.next_row;
        self.next_row += 1;
        let lane = self.lane_of(&row);
        let id = row.event.get("id").and_then(Value::as_str).map(str::to_owned);
        let json = row.event.to_string();
        self.waiting.insert(number, json.len());
        self.waiting_bytes += json.len();
        // A lane that is gone has said why in its last report.
        let _ = self.lanes[lane].send(Queued { number, line: row.line, id, json });
        while self.window_is_full() && !self.stop.is_set() {
            match self.reports.recv() {
                Ok(report) => self.take(report),
                Err(_) => return,
            }
        }
    }

    fn window_is_full(&self) -> bool {
        let oldest = self.waiting.keys().next().copied().unwrap_or(self.next_row);
        self.next_row - oldest >= WINDOW_ROWS || self.waiting_bytes >= WINDOW_BYTES
    }

    fn lane_of(&mut self, row: &Row) -> usize {
        let mut hasher = DefaultHasher::new();
        match customer_key(&row.event, &mut self.order_by) {
            Some(key) => key.hash(&mut hasher),
            None => row.line.hash(&mut hasher),
        }
        usize::try_from(hasher.finish() % self.lanes.len() as u64).unwrap_or(0)
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Answered(answers) => {
                self.summary.batches += 1;
                for answer in answers {
                    self.take_row(answer);
                }
            }
            Report::Waiting { cause, wait } => {
                self.summary.retries += 1;
                self.progress.waiting(&cause, wait);
            }
            Report::Failed(cause) => self.failure = self.failure.take().or(Some(cause)),
        }
        self.summary.seconds = self.started.elapsed().as_secs_f64();
        self.progress.update(&self.summary);
    }

    fn take_row(&mut self, answer: RowAnswer) {
        self.waiting_bytes -= self.waiting.remove(&answer.number).unwrap_or(0);
        match answer.outcome {
            Ok(duplicate) if duplicate => self.summary.duplicates += 1,
            Ok(_) => self.summary.accepted += 1,
            Err(refused) => self.refuse(refused),
        }
    }

    fn refuse(&mut self, refused: Refused) {
        self.summary.refused += 1;
        self.progress.refused(&refused);
    }

    /// Closes the lanes, waits for their last answers and sums up.
    fn finish(mut self, broken: Option<String>) -> Result<Summary, ImportError> {
        self.lanes.clear();
        while let Ok(report) = self.reports.recv() {
            self.take(report);
        }
        let mut summary = self.summary;
        summary.seconds = self.started.elapsed().as_secs_f64();
        self.progress.update(&summary);
        if let Some(cause) = self.failure {
            return Err(ImportError::Host { cause, summary });
        }
        if let Some(cause) = broken {
            return Err(ImportError::Source { cause, summary });
        }
        summary.interrupted = self.stop.is_set();
        Ok(summary)
    }
}

/// Whose event it is: the value of the identifier that order is kept by, where the event has it;
/// else its first identifier, else its profile. The first row's first identifier is the one that
/// order is kept by when nobody named one.
fn customer_key(event: &Value, order_by: &mut Option<String>) -> Option<String> {
    let identifiers = event.get("identifiers").and_then(Value::as_object);
    if let Some(identifiers) = identifiers {
        let preferred = order_by.as_deref().and_then(|name| identifiers.get_key_value(name));
        if let Some((name, value)) = preferred.or_else(|| identifiers.iter().next()) {
            order_by.get_or_insert_with(|| name.clone());
            return Some(format!("{name}:{value}"));
        }
    }
    event.get("profile").map(Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_customer_keeps_its_lane_whatever_else_is_known_of_it() {
        let mut order_by = None;
        let first = customer_key(&json!({"identifiers": {"customer_id": "1"}}), &mut order_by);
        assert_eq!(order_by.as_deref(), Some("customer_id"));
        let more = json!({"identifiers": {"anonymous_id": "x", "customer_id": "1"}});
        assert_eq!(customer_key(&more, &mut order_by), first);
        let other = json!({"identifiers": {"customer_id": "2"}});
        assert_ne!(customer_key(&other, &mut order_by), first);
        assert_eq!(customer_key(&json!({"profile": "p"}), &mut order_by).as_deref(), Some("\"p\""));
        assert_eq!(customer_key(&json!({}), &mut order_by), None);
    }

    #[test]
    fn a_refusal_reads_as_a_line() {
        let refused = |problem| Refused { line: 1, id: None, problem };
        assert_eq!(refused(json!({"title": "No event", "detail": "no name"})).text(), "No event: no name");
        assert_eq!(refused(json!({"title": "No event"})).text(), "No event");
    }
}
