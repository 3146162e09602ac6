//! One lane: gathers rows into batches, has one request in flight, tries again while that helps.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::options::Options;
use super::row::Refused;
use crate::client::{BatchItem, Client, ClientError};

/// How long a batch waits for another row: long enough to fill while a file is read, short
/// enough that a pipe's events don't lie around.
const GATHER: Duration = Duration::from_millis(20);
/// The first wait when the host doesn't say how long; it doubles from there.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// The shortest wait, even when the host says that none is needed: a lane must not spin.
const WAIT_MIN: Duration = Duration::from_millis(10);
/// The longest wait when the host doesn't say how long.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// A row on its way.
#[derive(Debug)]
pub struct Queued {
    /// Its number in this run, from 0.
    pub number: u64,
    /// Its line in the file.
    pub line: u64,
    /// Its event's id.
    pub id: Option<String>,
    /// The event.
    pub json: String,
}

/// What became of a row: taken (and whether the host had it already), or not.
#[derive(Debug)]
pub struct RowAnswer {
    /// The row's number.
    pub number: u64,
    /// `Ok(duplicate)`, or why not.
    pub outcome: Result<bool, Refused>,
}

/// What a lane has to say.
#[derive(Debug)]
pub enum Report {
    /// A batch was answered.
    Answered(Vec<RowAnswer>),
    /// A batch is tried again after this long.
    Waiting {
        /// Why.
        cause: ClientError,
        /// How long.
        wait: Duration,
    },
    /// The lane gave up.
    Failed(ClientError),
}

enum Ended {
    Interrupted,
    Failed(ClientError),
}

/// Sends what is queued until the queue closes, it is stopped, or the host can't be asked.
pub fn run(queue: &Receiver<Queued>, reports: &Sender<Report>, client: &Client, options: &Options) {
    let lane = Lane { reports, client, options };
    let mut held = None;
    while let Some(batch) = next_batch(queue, &mut held, options) {
        if options.stop.is_set() {
            return;
        }
        match lane.deliver(&batch) {
            // Nobody listens any more: the run is over.
            Ok(answers) => {
                if reports.send(Report::Answered(answers)).is_err() {
                    return;
                }
            }
            Err(Ended::Interrupted) => return,
            Err(Ended::Failed(cause)) => {
                options.stop.set();
                let _ = reports.send(Report::Failed(cause));
                return;
            }
        }
    }
}

/// As many rows as are there and fit. `held` keeps the one that didn't fit for the next batch.
fn next_batch(queue: &Receiver<Queued>, held: &mut Option<Queued>, options: &Options) -> Option<Vec<Queued>> {
    let first = match held.take() {
        Some(row) => row,
        None => queue.recv().ok()?,
    };
    let mut bytes = first.json.len();
    let mut batch = vec![first];
    let until = Instant::now() + GATHER;
    while batch.len() < options.batch_events {
        match queue.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(row) if bytes + row.json.len() > options.batch_bytes => {
                *held = Some(row);
                break;
            }
            Ok(row) => {
                bytes += row.json.len();
                batch.push(row);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(batch)
}

struct Lane<'a> {
    reports: &'a Sender<Report>,
    client: &'a Client,
    options: &'a Options,
}

impl Lane<'_> {
    /// Sends the batch; one that is refused as a whole for its content is sent in halves, so that
    /// only the rows at fault are lost.
    fn deliver(&self, batch: &[Queued]) -> Result<Vec<RowAnswer>, Ended> {
        match self.send(batch) {
            Ok(answers) => Ok(answers),
            Err(Ended::Failed(ClientError::Refused(problem))) if is_about_content(problem.status) => {
                if let [row] = batch {
                    let problem = serde_json::from_str(&problem.raw).unwrap_or(Value::String(problem.raw));
                    return Ok(vec![refused(row, problem)]);
                }
                let (first, second) = batch.split_at(batch.len() / 2);
                let mut answers = self.deliver(first)?;
                answers.extend(self.deliver(second)?);
                Ok(answers)
            }
            Err(ended) => Err(ended),
        }
    }

    fn send(&self, batch: &[Queued]) -> Result<Vec<RowAnswer>, Ended> {
        let events: Vec<&str> = batch.iter().map(|row| row.json.as_str()).collect();
        let mut backoff = BACKOFF_FIRST;
        let mut failing_since = None;
        loop {
            let cause = match self.client.send_batch(&events) {
                Ok(answer) => return pair(batch, answer.events).map_err(Ended::Failed),
                Err(cause) => cause,
            };
            let since = *failing_since.get_or_insert_with(Instant::now);
            let patience_left = self.options.patience.saturating_sub(since.elapsed());
            if !cause.is_passing() || patience_left.is_zero() {
                return Err(Ended::Failed(cause));
            }
            let wait = cause.retry_after().unwrap_or(backoff).max(WAIT_MIN).min(patience_left);
            backoff = (backoff * 2).min(BACKOFF_MAX);
            let _ = self.reports.send(Report::Waiting { cause, wait });
            if self.options.stop.wait(wait) {
                return Err(Ended::Interrupted);
            }
        }
    }
}

fn is_about_content(status: u16) -> bool {
    matches!(status, 400 | 413 | 422)
}

fn refused(row: &Queued, problem: Value) -> RowAnswer {
    let refused = Refused { line: row.line, id: row.id.clone(), problem };
    RowAnswer { number: row.number, outcome: Err(refused) }
}

/// Puts each row and its element of the answer together.
fn pair(batch: &[Queued], items: Vec<BatchItem>) -> Result<Vec<RowAnswer>, ClientError> {
    if items.len() != batch.len() {
        let cause = format!("{} elements for {} events", items.len(), batch.len());
        return Err(ClientError::Unreadable { status: 202, cause });
    }
    let answer = |(row, item): (&Queued, BatchItem)| match item {
        BatchItem::Taken(accepted) => RowAnswer { number: row.number, outcome: Ok(accepted.duplicate) },
        BatchItem::Refused { problem, .. } => refused(row, problem),
    };
    Ok(batch.iter().zip(items).map(answer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn row(number: u64, bytes: usize) -> Queued {
        Queued { number, line: number + 1, id: None, json: "x".repeat(bytes) }
    }

    #[test]
    fn a_batch_ends_at_its_limits_and_keeps_the_order() {
        let options = Options { batch_events: 3, batch_bytes: 100, ..Options::default() };
        let (send, queue) = mpsc::channel();
        for (number, bytes) in [10, 10, 10, 10, 95, 200, 1].into_iter().enumerate() {
            send.send(row(number as u64, bytes)).unwrap();
        }
        drop(send);
        let mut held = None;
        let mut batches = Vec::new();
        while let Some(batch) = next_batch(&queue, &mut held, &options) {
            batches.push(batch.iter().map(|row| row.number).collect::<Vec<_>>());
        }
        assert_eq!(batches, [vec![0, 1, 2], vec![3], vec![4], vec![5], vec![6]]);
    }

    #[test]
    fn an_answer_of_another_length_is_no_answer() {
        assert!(pair(&[row(0, 1)], Vec::new()).is_err());
    }
}
