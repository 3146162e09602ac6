//! Rows in, batches out: several lanes at once, the events of one customer in the order given.
//!
//! A row goes to the lane that its customer's identifier hashes to, and a lane has one request in
//! flight. How far the lanes may drift apart is bounded: no row is taken while one that came
//! [`WINDOW_ROWS`] before it has no answer yet, so that a lane which waits doesn't fill the memory.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::added::Added;
use super::lane::{self, Queued, Report, RowAnswer};
use super::options::Options;
use super::patience::Patience;
use super::row::{Refused, Row, SourceError};
use samsyn_client::{Client, ClientError};
use samsyn_terminal::Stop;

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
    /// Rows that were sent, or were to be, and have no answer: none at the end of a whole import.
    pub unanswered: u64,
    /// Whether it was ended early.
    pub interrupted: bool,
    /// How long it took so far, seconds.
    pub seconds: f64,
    /// Where the events stand that this run added.
    #[serde(skip)]
    pub added: Added,
}

impl Summary {
    /// Rows that were taken, known or refused.
    pub fn answered(&self) -> u64 {
        self.accepted + self.duplicates + self.refused
    }
}

/// Is told how it goes. Called on the thread that called [`run`].
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
        summary: Box<Summary>,
    },
    /// The source can't be read on.
    #[error("{cause}")]
    Source {
        cause: String,
        /// What was done until then.
        summary: Box<Summary>,
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
    let patience = &Patience::new(options.patience);
    thread::scope(|scope| {
        let (reports_in, reports) = mpsc::channel();
        let mut lanes = Vec::new();
        for _ in 0..options.lanes.max(1) {
            let (queue, queued) = mpsc::channel();
            let reports_in = reports_in.clone();
            scope.spawn(move || lane::run(&queued, &reports_in, client, options, patience));
            lanes.push(queue);
        }
        drop(reports_in);
        let mut dispatcher = Dispatcher {
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
        let broken = dispatcher.feed(source);
        dispatcher.finish(broken)
    })
}

/// Gives rows to lanes and takes their answers.
struct Dispatcher<'a> {
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

impl Dispatcher<'_> {
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
                    self.refuse(Refused::of_bad(bad));
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
        let Row { line, json, id, .. } = row;
        self.waiting.insert(number, json.len());
        self.waiting_bytes += json.len();
        // A lane that is gone has said why in its last report.
        let _ = self.lanes[lane].send(Queued { number, line, id, json });
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
        match customer_key(row, &mut self.order_by) {
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
            Ok(taken) => {
                self.summary.duplicates += u64::from(taken.duplicate);
                self.summary.accepted += u64::from(!taken.duplicate);
                let position = taken.position.filter(|_| !taken.duplicate || taken.resent);
                position.into_iter().for_each(|position| self.summary.added.insert(position));
            }
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
        summary.unanswered = summary.rows.saturating_sub(summary.answered());
        self.progress.update(&summary);
        if let Some(cause) = self.failure {
            return Err(ImportError::Host { cause, summary: Box::new(summary) });
        }
        if let Some(cause) = broken {
            return Err(ImportError::Source { cause, summary: Box::new(summary) });
        }
        summary.interrupted = self.stop.is_set();
        Ok(summary)
    }
}

/// Whose event it is: the value of the identifier that order is kept by, where the event has it;
/// else its first identifier, else its profile. The first row's first identifier is the one that
/// order is kept by when nobody named one.
fn customer_key(row: &Row, order_by: &mut Option<String>) -> Option<String> {
    let named = |name: &str| row.identifiers.iter().find(|(known, _)| known == name);
    let preferred = order_by.as_deref().and_then(named);
    if let Some((name, value)) = preferred.or_else(|| row.identifiers.first()) {
        order_by.get_or_insert_with(|| name.clone());
        return Some(format!("{name}:{value}"));
    }
    row.profile.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_customer_keeps_its_lane_whatever_else_is_known_of_it() {
        let mut order_by = None;
        let mut key = |event: serde_json::Value| customer_key(&Row::of_columns(1, event), &mut order_by);
        let first = key(json!({"identifiers": {"customer_id": "1"}}));
        assert_eq!(key(json!({"identifiers": {"anonymous_id": "x", "customer_id": "1"}})), first);
        assert_ne!(key(json!({"identifiers": {"customer_id": "2"}})), first);
        assert_eq!(key(json!({"profile": "p"})).as_deref(), Some("\"p\""));
        assert_eq!(key(json!({})), None);
        let written = Row::of_json(1, r#"{"identifiers":{"customer_id":"\u0031"}}"#.to_owned());
        assert_eq!(customer_key(&written, &mut order_by), first, "the same, written otherwise");
        assert_eq!(order_by.as_deref(), Some("customer_id"));
    }
}
