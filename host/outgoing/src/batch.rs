//! Rows of many customers in one request: which travel together, and what each learns of its end.
//!
//! One of them leads (`samsyn_journal::Row`). It is attempted like any other call; before it is sent the others are put
//! into its request, and before it ends they end.

use futures_util::future::try_join_all;
use samsyn_contract::calls::Rows;
use samsyn_engine::{Again, CallError, Calls, Engine, Exchange, Progress};
use samsyn_journal::{AttemptEnd, CallId, Place, Row, RowId, RowStep, WaitingCall};
use samsyn_vocabulary::{CallAnswer, Digest, Timestamp};

use crate::frame::{Frame, bytes_max, bytes_of_none, row_of};

/// Refusals that are about the whole request, whatever rows are in it: fewer rows would be refused as well.
const OF_THE_REQUEST: [u16; 14] = [401, 402, 403, 405, 406, 407, 408, 411, 415, 417, 421, 425, 426, 429];

/// What is to be sent of a row.
pub enum Assembled {
    /// This, for the call and those it leads.
    Ready(Box<Exchange>, Frame),
    /// Nothing now: the rows have changed in between.
    Changed,
    /// Nothing again: a row of a request that may have arrived is no longer there.
    Incomplete,
}

/// A row among those of its endpoint.
fn row_id(id: &CallId) -> RowId {
    RowId { profile: id.profile, generation: id.generation, number: id.number }
}

/// The call that another row of the same endpoint is.
fn call_id(row: RowId, of: &CallId) -> CallId {
    let RowId { profile, generation, number } = row;
    CallId { profile, capability: of.capability.clone(), generation, number }
}

/// Makes the request of a row: the one it leads already, a new one with as many of `others` as may travel with it, or
/// one of it alone.
pub async fn assemble(
    engine: &Engine,
    rows: &Rows,
    exchange: Exchange,
    others: &[CallId],
) -> Result<Assembled, CallError> {
    let calls = engine.calls();
    let mut wanted = match &exchange.waiting.row {
        Some(Row::Leads { batch, rows: led, .. }) => {
            let ids: Vec<CallId> = led.iter().map(|row| call_id(*row, &exchange.id)).collect();
            let found = read(calls, &ids).await?;
            let is_complete = found.len() == ids.len()
                && found.iter().all(|row| is_in(&row.waiting, *batch, row_id(&exchange.id)));
            let frame = framed(rows, &exchange, &found);
            if is_complete && frame.batch == *batch {
                return Ok(Assembled::Ready(Box::new(exchange), frame));
            }
            if exchange.waiting.sent_since.is_some() {
                return Ok(Assembled::Incomplete);
            }
            // The host died while it was made, or a row is gone; nothing has left.
            found.into_iter().filter(|row| can_be_led(&row.waiting, row_id(&exchange.id))).collect()
        }
        Some(row) if row.can_join() => {
            let now = engine.clock().now();
            let may = |row: &Exchange| row.waiting.row == exchange.waiting.row && row.waiting.next <= now;
            read(calls, others).await?.into_iter().filter(may).collect()
        }
        _ => Vec::new(),
    };
    loop {
        let beyond = wanted.split_off(fitting(rows, &exchange, &wanted));
        for row in beyond.iter().filter(|row| matches!(row.waiting.row, Some(Row::In { .. }))) {
            free(engine, row, not_sent(), 0).await?;
        }
        let frame = framed(rows, &exchange, &wanted);
        if wanted.is_empty() && !matches!(exchange.waiting.row, Some(Row::Leads { .. })) {
            return Ok(Assembled::Ready(Box::new(exchange), frame));
        }
        let led = wanted.iter().map(|row| row_id(&row.id)).collect();
        if !calls.frame(&exchange.id, frame.batch, Place::Leads(led)).await? {
            return Ok(Assembled::Changed);
        }
        let place = Place::In(row_id(&exchange.id));
        let put = wanted.iter().map(|row| calls.frame(&row.id, frame.batch, place.clone()));
        let put = try_join_all(put).await?;
        if put.iter().all(|put| *put) {
            let leader = calls.exchange(&exchange.id)?;
            let is_led = leader.filter(|leader| is_leading(&leader.waiting, frame.batch));
            return Ok(is_led.map_or(Assembled::Changed, |leader| Assembled::Ready(Box::new(leader), frame)));
        }
        let mut put = put.into_iter();
        wanted.retain(|_| put.next().unwrap_or(false));
    }
}

fn framed(rows: &Rows, leader: &Exchange, others: &[Exchange]) -> Frame {
    Frame::of(rows, &std::iter::once(leader).chain(others).collect::<Vec<_>>())
}

/// How many of the others fit into a request with the one that leads it.
fn fitting(rows: &Rows, leader: &Exchange, others: &[Exchange]) -> usize {
    let at_most = match &leader.waiting.row {
        Some(Row::Free { at_most }) if *at_most > 0 => usize::from(*at_most),
        _ => usize::MAX,
    };
    let mut bytes = bytes_of_none(rows) + bytes_max(row_of(leader));
    let fits = |row: &&Exchange| {
        bytes += bytes_max(row_of(row));
        bytes <= rows.bytes_max()
    };
    others.iter().take(rows.max().min(at_most) - 1).take_while(fits).count()
}

/// The rows that still wait.
async fn read(calls: &Calls, ids: &[CallId]) -> Result<Vec<Exchange>, CallError> {
    let mut found = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().enumerate() {
        if at % 64 == 63 {
            tokio::task::yield_now().await;
        }
        found.extend(calls.exchange(id)?);
    }
    Ok(found)
}

fn is_in(waiting: &WaitingCall, batch: Digest, leader: RowId) -> bool {
    waiting.row == Some(Row::In { batch, leader })
}

fn is_leading(waiting: &WaitingCall, request: Digest) -> bool {
    matches!(&waiting.row, Some(Row::Leads { batch, .. }) if *batch == request)
}

fn can_be_led(waiting: &WaitingCall, by: RowId) -> bool {
    match &waiting.row {
        Some(Row::In { leader, .. }) => *leader == by,
        Some(row) => row.can_join() && waiting.begun.is_none(),
        None => false,
    }
}

/// Whether it waits for others that it can travel with: nothing has happened to it yet.
pub fn waits_for_others(waiting: &WaitingCall) -> bool {
    waiting.row == Some(Row::Free { at_most: 0 }) && waiting.attempts == 0
}

/// The call that leads the request that this row is in; none when that is over.
pub fn leader_of(calls: &Calls, id: &CallId, waiting: &WaitingCall) -> Result<Option<CallId>, CallError> {
    let Some(Row::In { batch, leader }) = &waiting.row else { return Ok(None) };
    let leader = call_id(*leader, id);
    let is_leader = match calls.progress(&leader)? {
        Some(Progress::Waiting(waiting)) => match &waiting.row {
            Some(Row::Leads { batch: led, rows, .. }) => led == batch && rows.contains(&row_id(id)),
            _ => false,
        },
        _ => false,
    };
    Ok(is_leader.then_some(leader))
}

/// How a request of rows ended.
pub struct End {
    /// The answer.
    pub answer: CallAnswer,
    /// Attempts that were made.
    pub attempts: u32,
    /// When the newest one began.
    pub begun: Timestamp,
    /// Whether a refusal may be of one row: then fewer are sent together.
    pub can_divide: bool,
}

/// Ends a request that this call leads: the others are told, and then it is. Goes on where an earlier host stopped.
pub async fn end(engine: &Engine, leader: &Exchange, end: End) -> Result<(), CallError> {
    let Some(Row::Leads { batch, rows, ended }) = &leader.waiting.row else { return Ok(()) };
    let calls = engine.calls();
    let now = engine.clock().now();
    let mut attempt = leader.waiting.attempts + u32::from(leader.waiting.begun.is_none() && !ended);
    let how = attempt_end(&end.answer);
    if !ended && !rows.is_empty() {
        let again = Again { next: now, counts: true, look_up: false, row: RowStep::Ended };
        if !calls.retry(leader, (attempt, end.begun), how.clone(), again).await? {
            return Ok(());
        }
    }
    let divided = match end.answer {
        CallAnswer::Response { status, .. } if end.can_divide && !rows.is_empty() => {
            divided(status, rows.len() + 1)
        }
        _ => None,
    };
    let me = row_id(&leader.id);
    let tell = rows.iter().map(|row| {
        let (id, how, answer) = (call_id(*row, &leader.id), how.clone(), of_all(&end.answer));
        async move {
            let Some(Progress::Waiting(waiting)) = calls.progress(&id)? else {
                return Ok::<(), CallError>(());
            };
            if !is_in(&waiting, *batch, me) {
                return Ok(());
            }
            match (calls.exchange(&id)?, divided) {
                (Some(row), Some(at_most)) => free(engine, &row, how, at_most).await?,
                (Some(row), None) => {
                    calls.answer(&row, end.attempts, answer).await?;
                }
                (None, _) => {
                    calls.give_up(&id, &waiting, answer).await?;
                }
            }
            Ok(())
        }
    });
    try_join_all(tell).await?;
    match divided {
        Some(at_most) => {
            attempt += 1;
            calls.retry(leader, (attempt, now), how, freed(now, at_most)).await?;
        }
        None => {
            let answer = if rows.is_empty() { end.answer } else { of_all(&end.answer) };
            calls.answer(leader, end.attempts, answer).await?;
        }
    }
    Ok(())
}

/// Takes a row out of a request that had no effect.
async fn free(engine: &Engine, row: &Exchange, how: AttemptEnd, at_most: u16) -> Result<(), CallError> {
    let now = engine.clock().now();
    let attempt = row.waiting.attempts + u32::from(row.waiting.begun.is_none());
    engine.calls().retry(row, (attempt, now), how, freed(now, at_most)).await?;
    Ok(())
}

fn freed(next: Timestamp, at_most: u16) -> Again {
    Again { next, counts: true, look_up: false, row: RowStep::Freed { at_most } }
}

/// How many rows may be together after a refusal of so many; none: the refusal is of the whole request.
fn divided(status: u16, rows: usize) -> Option<u16> {
    let can_be_of_one = (400..500).contains(&status) && !OF_THE_REQUEST.contains(&status);
    can_be_of_one.then(|| u16::try_from(rows.div_ceil(2)).unwrap_or(u16::MAX))
}

/// What an answer to the request of many says of each: it may speak of the others.
fn of_all(answer: &CallAnswer) -> CallAnswer {
    match answer {
        CallAnswer::Response { status, .. } => {
            CallAnswer::Response { status: *status, headers: Vec::new(), body: Vec::new() }
        }
        other => other.clone(),
    }
}

fn attempt_end(answer: &CallAnswer) -> AttemptEnd {
    match answer.clone() {
        CallAnswer::Response { status, .. } => AttemptEnd::Response { status },
        CallAnswer::NotSent { code, reason } => AttemptEnd::NotSent { code, reason },
        CallAnswer::Unknown { code, reason } => AttemptEnd::Unknown { code, reason },
    }
}

fn not_sent() -> AttemptEnd {
    let reason = "the request was made anew, without this row".to_owned();
    AttemptEnd::NotSent { code: "framed-anew".to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_may_be_of_one_row_halves_the_request() {
        for (status, rows, at_most) in [
            (400, 1_000, Some(500)),
            (422, 3, Some(2)),
            (409, 2, Some(1)),
            (404, 2, Some(1)),
            (413, 5, Some(3)),
            (401, 1_000, None),
            (405, 1_000, None),
            (415, 2, None),
            (429, 2, None),
            (200, 2, None),
            (503, 2, None),
        ] {
            assert_eq!(divided(status, rows), at_most, "{status} {rows}");
        }
    }
}
