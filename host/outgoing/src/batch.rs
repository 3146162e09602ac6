//! Rows of many customers in one request: which travel together, and what each learns of its end.
//!
//! One of them leads (`samsyn_journal::Row`). It is attempted like any other call; before it is sent the others are put
//! into its request, and before it ends they end.

use std::time::Duration;

use futures_util::future::try_join_all;
use samsyn_contract::calls::Rows;
use samsyn_egress::policy::again::RetryClass;
use samsyn_egress::{Outcome, Unknown, UnknownWhy};
use samsyn_engine::{Again, CallError, Calls, Engine, Exchange, NextAttempt, Progress};
use samsyn_journal::{AttemptEnd, CallId, Place, Row, RowId, RowStep, WaitingCall};
use samsyn_vocabulary::{CallAnswer, Digest, Timestamp};

use crate::frame::{Frame, bytes_max, bytes_of_none, row_of};

/// Refusals that are about the whole request, whatever rows are in it: fewer rows would be refused as well.
const OF_THE_REQUEST: [u16; 14] = [401, 402, 403, 405, 406, 407, 408, 411, 415, 417, 421, 425, 426, 429];

/// The code of a row that isn't what its endpoint takes any more.
pub const UNFIT: &str = "row.unfit";

/// What is to be sent of a row.
pub enum Assembled {
    /// This, for the call and those it leads.
    Ready(Box<Exchange>, Frame),
    /// Nothing now: the rows have changed in between.
    Changed,
    /// Nothing again: a request that may have arrived can't be made as it was.
    Incomplete,
    /// Nothing: this version of the plug-in takes other rows, and nothing has left. Why.
    Unfit(String),
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

/// Makes the request of a row: the one it leads already, or a new one with as many of `others` as may travel with it.
/// `travelling` is told which do.
pub async fn assemble(
    engine: &Engine,
    rows: &Rows,
    leader: Exchange,
    others: &[CallId],
    travelling: &(dyn Fn(&[CallId]) + Send + Sync),
) -> Result<Assembled, CallError> {
    let calls = engine.calls();
    let me = row_id(&leader.id);
    let found = match &leader.waiting.row {
        Some(Row::Leads { batch, rows: led, .. }) => {
            let ids: Vec<CallId> = led.iter().map(|row| call_id(*row, &leader.id)).collect();
            let found = read(calls, &ids).await?;
            let is_complete = found.len() == ids.len() && found.iter().all(|row| is_led(&row.waiting, me));
            if let Some(frame) = framed(rows, &leader, &found)
                && is_complete
                && frame.batch == *batch
            {
                travelling(&ids);
                return Ok(Assembled::Ready(Box::new(leader), frame));
            }
            if leader.waiting.sent_since.is_some() {
                return Ok(Assembled::Incomplete);
            }
            // The host died while it was made, a row is gone, or rows are framed otherwise now; nothing has left.
            found.into_iter().filter(|row| can_be_led(&row.waiting, me)).collect()
        }
        Some(Row::Free { at_most }) => join(engine, rows, &leader, *at_most, others).await?,
        _ => Vec::new(),
    };
    let mut wanted = Vec::new();
    for row in found {
        match rows.row(row_of(&row)) {
            Ok(_) => wanted.push(row),
            Err(reason) => {
                let answer = CallAnswer::NotSent { code: UNFIT.to_owned(), reason };
                calls.answer(&row, row.waiting.attempts, answer).await?;
            }
        }
    }
    let unfit = rows.row(row_of(&leader)).err();
    let mut room = Room::of(rows, &leader, rows.max());
    let fit = if unfit.is_some() { 0 } else { wanted.iter().take_while(|row| room.take(row)).count() };
    for row in wanted.split_off(fit).iter().filter(|row| is_led(&row.waiting, me)) {
        free(engine, row, not_sent(), 0).await?;
    }
    if let Some(why) = unfit {
        return Ok(Assembled::Unfit(why));
    }
    loop {
        let Some(frame) = framed(rows, &leader, &wanted) else { return Ok(Assembled::Changed) };
        let led = wanted.iter().map(|row| row_id(&row.id)).collect();
        if !calls.frame(&leader.id, frame.batch, Place::Leads(led)).await? {
            return Ok(Assembled::Changed);
        }
        let put = wanted.iter().map(|row| calls.frame(&row.id, frame.batch, Place::In(me)));
        let put = try_join_all(put).await?;
        if put.iter().all(|put| *put) {
            let ids: Vec<CallId> = wanted.into_iter().map(|row| row.id).collect();
            travelling(&ids);
            let leader = calls.exchange(&leader.id)?.filter(|now| is_leading(&now.waiting, frame.batch));
            return Ok(leader.map_or(Assembled::Changed, |leader| Assembled::Ready(Box::new(leader), frame)));
        }
        let mut put = put.into_iter();
        wanted.retain(|_| put.next().unwrap_or(false));
    }
}

fn framed(rows: &Rows, leader: &Exchange, others: &[Exchange]) -> Option<Frame> {
    Frame::of(rows, &std::iter::once(leader).chain(others).collect::<Vec<_>>())
}

/// The room of a request beside the row that leads it.
struct Room {
    rows: usize,
    bytes: usize,
}

impl Room {
    /// For so many rows with the one that leads.
    fn of(rows: &Rows, leader: &Exchange, together: usize) -> Room {
        let taken = bytes_of_none(rows) + bytes_max(row_of(leader));
        Room { rows: together - 1, bytes: rows.bytes_max().saturating_sub(taken) }
    }

    /// Takes room for a row; false when there is none.
    fn take(&mut self, row: &Exchange) -> bool {
        let bytes = bytes_max(row_of(row));
        let fits = self.rows > 0 && bytes <= self.bytes;
        if fits {
            self.rows -= 1;
            self.bytes -= bytes;
        }
        fits
    }
}

/// The others that may join this row, as many as fit.
async fn join(
    engine: &Engine,
    rows: &Rows,
    leader: &Exchange,
    at_most: u16,
    others: &[CallId],
) -> Result<Vec<Exchange>, CallError> {
    let now = engine.clock().now();
    let mut room = Room::of(rows, leader, together(rows, at_most));
    let mut found = Vec::new();
    for (at, id) in others.iter().enumerate() {
        if room.rows == 0 {
            break;
        }
        if at % 64 == 63 {
            tokio::task::yield_now().await;
        }
        // Since the lane took it another one of its customer may have come before it.
        if let NextAttempt::Ready(row) = engine.calls().next_attempt(id)?
            && row.waiting.row == leader.waiting.row
            && row.waiting.next <= now
        {
            if !room.take(&row) {
                break;
            }
            found.push(*row);
        }
    }
    Ok(found)
}

/// How many rows may be in a request with one that may be with so many.
pub fn together(rows: &Rows, at_most: u16) -> usize {
    if at_most == 0 { rows.max() } else { rows.max().min(usize::from(at_most)) }
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

fn is_led(waiting: &WaitingCall, by: RowId) -> bool {
    matches!(&waiting.row, Some(Row::In { leader, .. }) if *leader == by)
}

fn is_leading(waiting: &WaitingCall, request: Digest) -> bool {
    matches!(&waiting.row, Some(Row::Leads { batch, .. }) if *batch == request)
}

fn can_be_led(waiting: &WaitingCall, by: RowId) -> bool {
    let is_free = waiting.row.as_ref().is_some_and(Row::can_join) && waiting.begun.is_none();
    is_free || is_led(waiting, by)
}

/// Whether it leads others.
pub fn is_shared(waiting: &WaitingCall) -> bool {
    matches!(&waiting.row, Some(Row::Leads { rows, .. }) if !rows.is_empty())
}

/// The call that leads the request that this row is in; none when that is over.
pub fn leader_of(calls: &Calls, id: &CallId, waiting: &WaitingCall) -> Result<Option<CallId>, CallError> {
    let Some(Row::In { leader, .. }) = &waiting.row else { return Ok(None) };
    let leader = call_id(*leader, id);
    let is_leader = match calls.progress(&leader)? {
        Some(Progress::Waiting(waiting)) => {
            matches!(&waiting.row, Some(Row::Leads { rows, .. }) if rows.contains(&row_id(id)))
        }
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
    /// The class of the endpoint; none when it isn't sent any more.
    pub class: Option<RetryClass>,
}

/// Ends a request that this call leads: the others are told, and then it is. Goes on where an earlier host stopped.
pub async fn end(engine: &Engine, leader: &Exchange, end: End) -> Result<(), CallError> {
    let Some(Row::Leads { rows, may_have_worked, ended, .. }) = &leader.waiting.row else { return Ok(()) };
    let calls = engine.calls();
    if rows.is_empty() {
        calls.answer(leader, end.attempts, end.answer).await?;
        return Ok(());
    }
    let now = engine.clock().now();
    let mut attempt = leader.waiting.attempts + u32::from(leader.waiting.begun.is_none() && ended.is_none());
    let how = attempt_end(&end.answer);
    let at_most = match ended {
        Some(at_most) => *at_most,
        None => {
            let is_doubtful = *may_have_worked || leader.waiting.in_doubt;
            let at_most = divided(&end.answer, rows.len() + 1, end.class, is_doubtful);
            let again = Again { next: now, counts: true, look_up: false, row: RowStep::Ended { at_most } };
            if !calls.retry(leader, (attempt, end.begun), how.clone(), again).await? {
                return Ok(());
            }
            at_most
        }
    };
    let me = row_id(&leader.id);
    let tell = rows.iter().map(|row| {
        let (id, how, answer) = (call_id(*row, &leader.id), how.clone(), of_all(&end.answer));
        async move {
            match calls.exchange(&id)? {
                Some(row) if !is_led(&row.waiting, me) => {}
                Some(row) if at_most > 0 => free(engine, &row, how, at_most).await?,
                Some(row) => {
                    calls.answer(&row, end.attempts, answer).await?;
                }
                // It has ended, or what began it has left the log.
                None => {
                    if let Some(Progress::Waiting(waiting)) = calls.progress(&id)?
                        && is_led(&waiting, me)
                    {
                        calls.give_up(&id, &waiting, answer).await?;
                    }
                }
            }
            Ok::<(), CallError>(())
        }
    });
    try_join_all(tell).await?;
    if at_most > 0 {
        attempt += 1;
        calls.retry(leader, (attempt, now), how, freed(now, at_most)).await?;
    } else {
        calls.answer(leader, end.attempts, of_all(&end.answer)).await?;
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

/// How many rows may be together after a request of so many ended so; 0: each is told how it ended.
fn divided(answer: &CallAnswer, rows: usize, class: Option<RetryClass>, is_doubtful: bool) -> u16 {
    let CallAnswer::Response { status, .. } = answer else { return 0 };
    let may_be_of_one = (400..500).contains(status) && !OF_THE_REQUEST.contains(status);
    let can_be_sent_again = match class {
        None | Some(RetryClass::Once) => false,
        Some(RetryClass::Safe) => true,
        // In smaller requests rows have other keys: an earlier attempt must not have had an effect.
        Some(RetryClass::Keyed { .. } | RetryClass::Probe) => !is_doubtful,
    };
    if may_be_of_one && can_be_sent_again { u16::try_from(rows.div_ceil(2)).unwrap_or(u16::MAX) } else { 0 }
}

/// An outcome of a request of many rows, of whose answer nobody gets more than the status.
pub fn of_many(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Unknown(Unknown { why: UnknownWhy::BodyTooLarge(_), status: Some(status) }) => {
            Outcome::Response(samsyn_egress::Answer {
                status,
                headers: Vec::new(),
                body: Vec::new(),
                took: Duration::ZERO,
            })
        }
        other => other,
    }
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
        let keyed = RetryClass::Keyed { window: Duration::from_secs(3600) };
        for (status, rows, class, is_doubtful, at_most) in [
            (400, 1_000, keyed, false, 500),
            (422, 3, keyed, false, 2),
            (409, 2, keyed, false, 1),
            (404, 2, keyed, false, 1),
            (413, 5, keyed, false, 3),
            (422, 4, keyed, true, 0),
            (422, 4, RetryClass::Safe, true, 2),
            (422, 4, RetryClass::Once, false, 0),
            (401, 1_000, keyed, false, 0),
            (405, 1_000, keyed, false, 0),
            (415, 2, keyed, false, 0),
            (429, 2, keyed, false, 0),
            (200, 2, keyed, false, 0),
            (503, 2, RetryClass::Safe, false, 0),
        ] {
            let answer = CallAnswer::Response { status, headers: Vec::new(), body: Vec::new() };
            assert_eq!(
                divided(&answer, rows, Some(class), is_doubtful),
                at_most,
                "{status} {rows} {class:?}"
            );
        }
    }
}
