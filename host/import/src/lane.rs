//! One lane: gathers rows into batches, has one request in flight, tries again while that helps.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::options::Options;
use super::patience::Patience;
use super::row::Refused;
use samsyn_client::{BatchAnswer, BatchItem, Client, ClientError, Problem};
use samsyn_vocabulary::Position;

/// How long a batch waits for another row: long enough to fill while a file is read, short
/// enough that a pipe's events don't lie around.
const GATHER: Duration = Duration::from_millis(20);
/// The first wait when the host doesn't say how long; it doubles from there.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// The code of a row that the host may have had and forgotten: those behind it are no better off.
pub const FORGOTTEN: &str = "event-id-forgotten";
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

/// What became of a row: taken, or not.
#[derive(Debug)]
pub struct RowAnswer {
    /// The row's number.
    pub number: u64,
    /// What the host has of it, or why not.
    pub outcome: Result<TakenRow, Refused>,
}

/// A row that the host has.
#[derive(Debug)]
pub struct TakenRow {
    /// The host had it already.
    pub duplicate: bool,
    /// It had been sent by this run before, whose answer was lost: the host may have it from then.
    pub resent: bool,
    /// Where its event stands; none when the answer doesn't say.
    pub position: Option<Position>,
}

/// What a lane has to say.
#[derive(Debug)]
pub enum Report {
    /// A batch was answered.
    Answered(Vec<RowAnswer>),
    /// A batch is tried again after this long.
    Waiting {
        cause: ClientError,
        /// How long.
        wait: Duration,
    },
    /// The lane gave up.
    Failed(ClientError),
}

enum Ended {
    Interrupted,
    Failed(Box<ClientError>),
}

impl Ended {
    fn failed(cause: ClientError) -> Ended {
        Ended::Failed(Box::new(cause))
    }
}

/// Sends what is queued until the queue closes, it is stopped, or the host can't be asked.
pub fn run(
    queue: &Receiver<Queued>,
    reports: &Sender<Report>,
    client: &Client,
    options: &Options,
    patience: &Patience,
) {
    let lane = Lane { reports, client, options, patience };
    let mut held = None;
    while let Some(batch) = next_batch(queue, &mut held, options) {
        if options.stop.is_set() {
            return;
        }
        match lane.deliver(batch) {
            Ok(()) => {}
            Err(Ended::Interrupted) => return,
            Err(Ended::Failed(cause)) => {
                options.stop.set();
                let _ = reports.send(Report::Failed(*cause));
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
    patience: &'a Patience,
}

impl Lane<'_> {
    /// Sends rows until each is answered for good. What passes is sent again, in the order it was
    /// in, before anything that comes later: a row must not overtake one of the same customer. A
    /// batch that is refused as a whole for its content is sent in halves, so that only the rows
    /// at fault are lost.
    fn deliver(&self, mut batch: Vec<Queued>) -> Result<(), Ended> {
        let mut waits = Waits::new();
        let (first_sent, mut again) = (Instant::now(), false);
        while !batch.is_empty() {
            let events: Vec<&str> = batch.iter().map(|row| row.json.as_str()).collect();
            let since = self.options.sent_since.and_then(|since| since.of(first_sent, again));
            let cause = match self.client.send_batch(&events, since) {
                Ok(answer) => {
                    let sorted = Sorted::of(batch, answer, again)?;
                    let any = !sorted.answered.is_empty();
                    if any {
                        self.patience.progress();
                        waits = Waits::new();
                        // Nobody listens any more: the run is over.
                        self.reports
                            .send(Report::Answered(sorted.answered))
                            .map_err(|_| Ended::Interrupted)?;
                    }
                    if let Some(fault) = sorted.fault {
                        return Err(Ended::failed(fault));
                    }
                    batch = sorted.left;
                    let Some(cause) = sorted.passing else { return Ok(()) };
                    if any {
                        // Some were taken, so there is room again in a moment.
                        self.wait(cause, WAIT_MIN)?;
                        continue;
                    }
                    cause
                }
                Err(ClientError::Refused(problem)) if is_about_content(&problem) => {
                    if batch.len() > 1 {
                        let second = batch.split_off(batch.len() / 2);
                        self.deliver(batch)?;
                        batch = second;
                        continue;
                    }
                    let problem = serde_json::from_str(&problem.raw).unwrap_or(Value::String(problem.raw));
                    let answers = batch.into_iter().map(|row| refused(row, problem.clone())).collect();
                    self.patience.progress();
                    return self.reports.send(Report::Answered(answers)).map_err(|_| Ended::Interrupted);
                }
                Err(cause) => {
                    // The host may have taken them, and its answer was lost.
                    again = true;
                    cause
                }
            };
            let left = self.patience.left(waits.failing_since);
            if !cause.is_passing() || left.is_zero() {
                return Err(Ended::failed(cause));
            }
            let wait = waits.next(&cause).min(left);
            self.wait(cause, wait)?;
        }
        Ok(())
    }

    fn wait(&self, cause: ClientError, wait: Duration) -> Result<(), Ended> {
        let _ = self.reports.send(Report::Waiting { cause, wait });
        if self.options.stop.wait(wait) { Err(Ended::Interrupted) } else { Ok(()) }
    }
}

/// How long a lane waits each time while none of its rows is taken.
struct Waits {
    failing_since: Instant,
    backoff: Duration,
}

impl Waits {
    fn new() -> Waits {
        Waits { failing_since: Instant::now(), backoff: BACKOFF_FIRST }
    }

    fn next(&mut self, cause: &ClientError) -> Duration {
        let wait = cause.retry_after().unwrap_or(self.backoff).max(WAIT_MIN);
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
        wait
    }
}

/// Whether the call was refused for what its events are. What is wrong with the call itself, such
/// as the name of the application, says nothing of any row.
fn is_about_content(problem: &Problem) -> bool {
    let is_about_the_call = ["application-invalid", "query-invalid", "purpose-invalid"];
    matches!(problem.status, 400 | 413 | 422) && !is_about_the_call.contains(&problem.code.as_str())
}

fn refused(row: Queued, problem: Value) -> RowAnswer {
    let Queued { number, line, id, json } = row;
    let refused = Refused { line, id, problem, event: Some(json), text: None, columns: None };
    RowAnswer { number, outcome: Err(refused) }
}

/// The rows of a batch by what the host said of each.
struct Sorted {
    /// Taken, known, or refused for good.
    answered: Vec<RowAnswer>,
    /// Not taken for a cause that passes, in their order.
    left: Vec<Queued>,
    /// That cause, of the first of them.
    passing: Option<ClientError>,
    /// Internal error that doesn't pass, and says nothing of the row.
    fault: Option<ClientError>,
}

impl Sorted {
    /// Puts each row and its element of the answer together. An answer that isn't about these
    /// rows is none.
    fn of(batch: Vec<Queued>, answer: BatchAnswer, resent: bool) -> Result<Sorted, Ended> {
        let unreadable = |cause: String| Ended::failed(ClientError::Unreadable { status: 202, cause });
        if answer.events.len() != batch.len() {
            return Err(unreadable(format!("{} answers for {} events", answer.events.len(), batch.len())));
        }
        let mut sorted = Sorted { answered: Vec::new(), left: Vec::new(), passing: None, fault: None };
        for (at, (row, item)) in batch.into_iter().zip(answer.events).enumerate() {
            match item {
                BatchItem::Taken(taken) if row.id.as_ref().is_some_and(|id| *id != taken.id) => {
                    return Err(unreadable(format!("{:?} instead of {:?}", taken.id, row.id)));
                }
                BatchItem::Taken(taken) => {
                    let (duplicate, position) = (taken.duplicate, taken.position.parse().ok());
                    let outcome = Ok(TakenRow { duplicate, resent, position });
                    sorted.answered.push(RowAnswer { number: row.number, outcome });
                }
                BatchItem::Refused { index, .. } if index != at => {
                    return Err(unreadable(format!("the answer for event {index} instead of event {at}")));
                }
                BatchItem::Refused { problem, .. } => sorted.refused(row, problem, answer.retry_after),
            }
        }
        Ok(sorted)
    }

    fn refused(&mut self, row: Queued, document: Value, retry_after: Option<Duration>) {
        let mut problem: Problem = serde_json::from_value(document.clone()).unwrap_or_default();
        problem.raw = document.to_string();
        problem.retry_after = retry_after;
        if problem.is_passing() {
            self.left.push(row);
            self.passing.get_or_insert_with(|| ClientError::Refused(Box::new(problem)));
        } else if problem.is_of_the_host() || problem.code == FORGOTTEN {
            self.fault.get_or_insert_with(|| ClientError::Refused(Box::new(problem)));
        } else {
            self.answered.push(refused(row, document));
        }
    }
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

    fn sorted(rows: u64, items: Value) -> Result<Sorted, Ended> {
        let batch =
            (0..rows).map(|number| Queued { id: Some(number.to_string()), ..row(number, 1) }).collect();
        let answer = serde_json::json!({"accepted": 0, "refused": 0, "events": items});
        Sorted::of(batch, serde_json::from_value(answer).unwrap(), false)
    }

    #[test]
    fn an_answer_that_is_not_about_the_rows_is_none() {
        let taken = |id: &str| serde_json::json!({"id": id});
        let no = serde_json::json!({"index": 0, "problem": {"title": "No", "status": 422}});
        for items in [vec![], vec![taken("0")], vec![taken("1"), taken("0")], vec![taken("0"), no.clone()]] {
            assert!(sorted(2, items.clone().into()).is_err(), "{items:?}");
        }
        assert_eq!(sorted(2, vec![no, taken("1")].into()).ok().unwrap().answered.len(), 2);
    }

    #[test]
    fn what_passes_is_left_and_a_fault_of_the_host_is_no_refusal() {
        let item = |index: usize, code: &str, status: u16, retryable: Option<bool>| {
            let mut problem = serde_json::json!({"title": code, "code": code, "status": status});
            if let Some(retryable) = retryable {
                problem["retryable"] = retryable.into();
            }
            serde_json::json!({"index": index, "problem": problem})
        };
        for (code, status, retryable, answered, left, is_fault) in [
            ("busy", 503, None, 0, 1, false),
            ("later", 422, Some(true), 0, 1, false),
            ("wrong-type", 422, None, 1, 0, false),
            ("internal", 500, Some(false), 0, 0, true),
            ("component.not-kept", 503, Some(false), 0, 0, true),
            (FORGOTTEN, 409, Some(false), 0, 0, true),
            ("event-id-reused", 409, Some(false), 1, 0, false),
        ] {
            let sorted = sorted(1, vec![item(0, code, status, retryable)].into()).ok().unwrap();
            let found = (sorted.answered.len(), sorted.left.len(), sorted.fault.is_some());
            assert_eq!(found, (answered, left, is_fault), "{code}");
        }
    }
}
