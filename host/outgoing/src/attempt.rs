//! One attempt of one call, and what follows from how it ended.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use samsyn_contract::calls::Rows;
use samsyn_egress::policy::again::{Doubt, Ended, History, Next, RetryClass, Rule, after, before};
use samsyn_egress::policy::classify::{Sense, sense};
use samsyn_egress::policy::retry_after;
use samsyn_egress::{NotSent, Outcome, Request};
use samsyn_engine::{Again, CallError, Calls, Engine, Exchange, NextAttempt, Progress};
use samsyn_journal::{AttemptEnd, CallId, LOOK_UP_MS, Probe, Row, RowStep, WaitingCall};
use samsyn_vocabulary::{CallAnswer, Finding, Timestamp};

use crate::batch::{self, Assembled};
use crate::frame::Frame;
use crate::link::{Link, method_of};

/// A look-up only reads: it is tried for this long, whatever the class of its endpoint is.
const LOOK_UP: Rule = Rule { class: RetryClass::Safe, give_up: Duration::from_secs(3600) };

/// What came of an attempt.
pub enum Attempted {
    /// The system was called, and this came of it.
    Called(Outcome),
    /// It wasn't: there was nothing to call it for.
    NotCalled,
}

/// Makes the next attempt of a call over a link, and writes down what follows. If it is a row, as many of the others as
/// may travel with it do: `travelling` is told which, before anything is sent.
pub async fn attempt(
    engine: &Engine,
    link: &Link,
    rows: Option<&Rows>,
    (id, others): (&CallId, &[CallId]),
    travelling: &(dyn Fn(&[CallId]) + Send + Sync),
) -> Result<Attempted, CallError> {
    let calls = engine.calls();
    let exchange = match calls.next_attempt(id)? {
        // Since the lane looked it has ended, or one before it is to be sent again.
        NextAttempt::None => return Ok(Attempted::NotCalled),
        NextAttempt::Gone => {
            // It can't be sent any more.
            withdraw(engine, id, "gone", "the record that holds the request is no longer in the log").await?;
            return Ok(Attempted::NotCalled);
        }
        NextAttempt::Ready(exchange) => exchange,
    };
    let waiting = &exchange.waiting;
    let of = Of { engine, calls, exchange: &exchange, class: Some(link.rule.class), begun: None };
    if matches!(waiting.row, Some(Row::Leads { ended: Some(_), .. })) {
        // The host died while the others were told.
        of.answer(waiting.attempts, of.last_answer(None)).await?;
        return Ok(Attempted::NotCalled);
    }
    if matches!(waiting.row, Some(Row::In { .. })) {
        of.wait_for_leader().await?;
        return Ok(Attempted::NotCalled);
    }
    let rule = if waiting.looks_up.is_some() { LOOK_UP } else { link.rule };
    // An attempt that this process didn't begin: the host died during it.
    if let Some(begun) = waiting.begun {
        let next = after(rule, Ended::Crashed, of.history(begun, None));
        of.conclude(waiting.attempts, begun, None, next).await?;
        return Ok(Attempted::NotCalled);
    }
    // Its time was put off after the lane had looked.
    if waiting.next > engine.clock().now() {
        return Ok(Attempted::NotCalled);
    }
    let may_have_arrived = waiting.sent_since.is_some();
    if may_have_arrived && waiting.binding.is_some_and(|binding| binding != link.identity) {
        let reason = "the endpoint was bound to another system or account before this call had an answer";
        of.answer(waiting.attempts, unknown("rebound", reason)).await?;
        return Ok(Attempted::NotCalled);
    }
    if rule.class == RetryClass::Once && may_have_arrived && waiting.last.is_some() {
        // It was repeated as another class allowed. This one doesn't.
        let answer = match waiting.in_doubt {
            true => unknown("once", "an attempt may have arrived, and the endpoint is of the class once now"),
            false => of.last_answer(None),
        };
        of.answer(waiting.attempts, answer).await?;
        return Ok(Attempted::NotCalled);
    }
    if !of.is_settled().await? {
        return Ok(Attempted::NotCalled);
    }
    let now = engine.clock().now();
    if waiting.attempts > 0
        && let Some(next) = before(rule, of.history_before(now))
    {
        of.conclude(waiting.attempts, now, None, next).await?;
        return Ok(Attempted::NotCalled);
    }
    if waiting.row.is_none() {
        return send(&of, link, rule, request(&exchange, link)).await;
    }
    let Some(rows) = rows else {
        let reason = "this version of the plug-in has no rows at the endpoint";
        let answer =
            if may_have_arrived { unknown("rows.gone", reason) } else { not_sent("rows.gone", reason) };
        of.answer(waiting.attempts, answer).await?;
        return Ok(Attempted::NotCalled);
    };
    match batch::assemble(engine, rows, Exchange::clone(&exchange), others, travelling).await? {
        Assembled::Ready(leader, frame) => {
            let of = Of { exchange: &leader, ..of };
            send(&of, link, rule, request_of_rows(link, rows, frame)).await
        }
        Assembled::Changed => Ok(Attempted::NotCalled),
        Assembled::Incomplete => {
            let reason = "an attempt may have arrived, and the request can't be made again as it was";
            of.answer(waiting.attempts, unknown("row.gone", reason)).await?;
            Ok(Attempted::NotCalled)
        }
        Assembled::Unfit(why) => {
            let answer =
                if may_have_arrived { unknown(batch::UNFIT, &why) } else { not_sent(batch::UNFIT, &why) };
            of.answer(waiting.attempts, answer).await?;
            Ok(Attempted::NotCalled)
        }
    }
}

/// Sends a request, and writes down before that it begins and afterwards what follows.
async fn send(of: &Of<'_>, link: &Link, rule: Rule, request: Request) -> Result<Attempted, CallError> {
    let Of { engine, calls, exchange, .. } = of;
    let waiting = &exchange.waiting;
    if rule.class != RetryClass::Safe && !calls.begin(exchange, link.identity).await? {
        return Ok(Attempted::NotCalled);
    }
    let begun = engine.clock().now();
    let outcome = link.endpoint.call(&request).await;
    let outcome = if batch::is_shared(waiting) { batch::of_many(outcome) } else { outcome };
    let of = Of { begun: Some(begun), ..*of };
    let next = after(rule, Ended::Outcome(&outcome), of.history(begun, Some(&outcome)));
    of.conclude(waiting.attempts + 1, begun, Some(&outcome), next).await?;
    Ok(Attempted::Called(outcome))
}

/// Ends a call that can't be sent any more: nothing leaves. False when there was nothing to end, or another one ends it.
pub async fn withdraw(engine: &Engine, id: &CallId, code: &str, reason: &str) -> Result<bool, CallError> {
    let calls = engine.calls();
    let Some(Progress::Waiting(waiting)) = calls.progress(id)? else { return Ok(false) };
    if batch::leader_of(calls, id, &waiting)?.is_some() {
        return Ok(false);
    }
    let is_lost = matches!(waiting.row, Some(Row::In { .. }));
    let arrived = waiting.begun.is_some() || waiting.sent_since.is_some() || is_lost;
    let answer = if arrived { unknown(code, reason) } else { not_sent(code, reason) };
    match calls.exchange(id)? {
        Some(exchange) => {
            let of = Of { engine, calls, exchange: &exchange, class: None, begun: None };
            let has_ended = matches!(waiting.row, Some(Row::Leads { ended: Some(_), .. }));
            let answer = if has_ended { of.last_answer(None) } else { answer };
            of.answer(waiting.attempts, answer).await?;
        }
        None => {
            calls.give_up(id, &waiting, answer).await?;
        }
    }
    Ok(true)
}

fn request_of_rows(link: &Link, rows: &Rows, frame: Frame) -> Request {
    let key = link.binding.key.as_ref().map(|_| frame.key());
    Request {
        method: method_of(rows.method()),
        path: rows.path.clone(),
        query: Vec::new(),
        headers: vec![("content-type".to_owned(), rows.format.media_type().to_owned())],
        body: Bytes::from(frame.body),
        key: key.map(|key| key.to_string()),
    }
}

fn request(exchange: &Exchange, link: &Link) -> Request {
    let call = &exchange.request;
    let mut headers = call.headers.clone();
    if let Some(body) = &call.body {
        headers.push(("content-type".to_owned(), body.media_type.clone()));
    }
    let key = link.binding.key.as_ref().and(call.key);
    Request {
        method: http::Method::from_bytes(call.method.as_bytes()).unwrap_or_default(),
        path: call.path.clone(),
        query: call.query.clone(),
        headers,
        body: Bytes::from(exchange.body.clone().unwrap_or_default()),
        key: key.map(|key| key.to_string()),
    }
}

/// An exchange with what is asked about it.
#[derive(Clone, Copy)]
struct Of<'a> {
    engine: &'a Engine,
    calls: &'a Calls,
    exchange: &'a Exchange,
    /// The class of the endpoint that it is sent to; none when it isn't sent.
    class: Option<RetryClass>,
    /// When the attempt began that has just ended.
    begun: Option<Timestamp>,
}

impl Of<'_> {
    /// A row whose leader has not ended for a long time.
    async fn wait_for_leader(&self) -> Result<(), CallError> {
        let Exchange { id, waiting, .. } = self.exchange;
        if batch::leader_of(self.calls, id, waiting)?.is_some() {
            let reason = "the request that it is in waits".to_owned();
            let how = AttemptEnd::NotSent { code: "waits".to_owned(), reason };
            let now = self.engine.clock().now();
            let again = Again { next: now, counts: false, look_up: false, row: RowStep::Kept };
            self.calls.retry(self.exchange, (waiting.attempts + 1, now), how, again).await?;
        } else {
            let reason = "the request that it was in may have arrived, and what became of it isn't known";
            self.calls.answer(self.exchange, waiting.attempts, unknown("row.gone", reason)).await?;
        }
        Ok(())
    }

    /// Goes on with the look-up of a call in doubt. True when nothing is in doubt, so that the call can be sent.
    async fn is_settled(&self) -> Result<bool, CallError> {
        let attempts = self.exchange.waiting.attempts;
        let (finding, answered) = match self.exchange.waiting.probe {
            Probe::None => return Ok(true),
            Probe::Asked => {
                let waited = self.engine.clock().now().millis() - self.exchange.waiting.next.millis();
                if waited >= LOOK_UP_MS {
                    let reason =
                        "an attempt may have arrived, and the plug-in didn't look it up within a day";
                    self.answer(attempts, unknown("no-look-up", reason)).await?;
                }
                return Ok(false);
            }
            Probe::Due => {
                self.calls.doubt(self.exchange).await?;
                return Ok(false);
            }
            Probe::Refused => {
                let reason = "an attempt may have arrived, and the plug-in began no look-up";
                self.answer(attempts, unknown("no-look-up", reason)).await?;
                return Ok(false);
            }
            Probe::Judged { finding, answered } => (finding, answered),
        };
        match finding {
            // It doesn't wait for the turn of a new attempt: this is one.
            Finding::Absent => return Ok(true),
            Finding::Found => {
                let answer = self.calls.answer_at(self.exchange.id.profile, answered)?;
                let reason = "the system has it, but the answer to the look-up is no longer in the log";
                self.answer(attempts, answer.unwrap_or_else(|| unknown("gone", reason))).await?;
            }
            Finding::Unknown => {
                let reason = "an attempt may have arrived, and its look-up didn't tell";
                self.answer(attempts, unknown("not-found-out", reason)).await?;
            }
        }
        Ok(false)
    }

    fn history_before(&self, now: Timestamp) -> History {
        let WaitingCall { attempts, age_ms, in_doubt, sent_since, auth_refusals, .. } = self.exchange.waiting;
        History {
            attempts,
            age: Duration::from_millis(age_ms),
            in_doubt,
            first_sent: sent_since.map(|since| passed(since, now)),
            auth_refusals,
            endpoint_shut: false,
            retry_after: None,
            // Any bits of the key do: it is random.
            seed: self.exchange.request.key.map_or(0, |key| key.as_u64_pair().0),
        }
    }

    /// When an attempt that began at this time has ended.
    fn history(&self, begun: Timestamp, outcome: Option<&Outcome>) -> History {
        let now = self.engine.clock().now();
        let before = self.history_before(now);
        let left = !matches!(outcome, Some(Outcome::NotSent(_)));
        let is_auth = outcome.is_some_and(|outcome| sense(outcome) == Sense::Auth);
        let first = self.exchange.waiting.sent_since.or(left.then_some(begun));
        History {
            attempts: self.exchange.waiting.attempts + u32::from(outcome.is_some()),
            age: before.age + passed(begun, now),
            first_sent: first.map(|since| passed(since, now)),
            auth_refusals: before.auth_refusals + u32::from(is_auth),
            retry_after: outcome.and_then(asked_to_wait),
            ..before
        }
    }

    async fn conclude(
        &self,
        attempt: u32,
        begun: Timestamp,
        outcome: Option<&Outcome>,
        next: Next,
    ) -> Result<(), CallError> {
        match next {
            Next::Again { wait, counts } => {
                // After a pause it is the next in its turn.
                let wait = if counts { wait } else { Duration::ZERO };
                self.again(
                    (attempt, begun),
                    outcome,
                    Again { next: self.after(wait), counts, look_up: false, row: RowStep::Kept },
                )
                .await?;
            }
            Next::InDoubt(Doubt::LookUp { wait }) => {
                let (next, row) = (self.after(wait), RowStep::Kept);
                let again = Again { next, counts: true, look_up: true, row };
                self.again((attempt, begun), outcome, again).await?;
            }
            Next::Final => self.answer(attempt, self.last_answer(outcome)).await?,
            Next::InDoubt(doubt) => {
                let answer = match (doubt, outcome) {
                    (Doubt::KeyExpired, _) => unknown(
                        "key-expired",
                        "an attempt may have arrived, and the system may have forgotten the key since",
                    ),
                    (Doubt::GaveUp, _) => unknown(
                        "gave-up",
                        "an attempt may have arrived, and no later one had an answer in time",
                    ),
                    (_, None) => unknown("crashed", "the host stopped between the request and its answer"),
                    (_, Some(outcome)) => in_doubt(outcome),
                };
                self.answer(attempt, answer).await?;
            }
        }
        Ok(())
    }

    async fn again(
        &self,
        attempt: (u32, Timestamp),
        outcome: Option<&Outcome>,
        again: Again,
    ) -> Result<(), CallError> {
        let how = outcome.map_or_else(crashed, attempt_end);
        self.calls.retry(self.exchange, attempt, how, again).await?;
        Ok(())
    }

    /// This time from now.
    fn after(&self, wait: Duration) -> Timestamp {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.engine.clock().now().millis().saturating_add(wait))
    }

    async fn answer(&self, attempts: u32, answer: CallAnswer) -> Result<(), CallError> {
        let waiting = &self.exchange.waiting;
        if matches!(waiting.row, Some(Row::Leads { .. })) {
            let end = batch::End {
                answer,
                attempts,
                begun: self.begun.or(waiting.begun).unwrap_or(self.engine.clock().now()),
                class: self.class,
            };
            return batch::end(self.engine, self.exchange, end).await;
        }
        self.calls.answer(self.exchange, attempts, answer).await?;
        Ok(())
    }

    /// The answer that an outcome is; without one that of the newest attempt, as far as it is known.
    fn last_answer(&self, outcome: Option<&Outcome>) -> CallAnswer {
        match outcome {
            Some(Outcome::Response(answer)) => CallAnswer::Response {
                status: answer.status,
                headers: answer.headers.clone(),
                body: answer.body.clone(),
            },
            Some(Outcome::NotSent(why)) => not_sent(why.code(), &why.to_string()),
            Some(Outcome::Unknown(why)) => unknown(why.why.code(), &why.to_string()),
            None => match &self.exchange.waiting.last {
                Some(AttemptEnd::Response { status }) => {
                    CallAnswer::Response { status: *status, headers: Vec::new(), body: Vec::new() }
                }
                Some(AttemptEnd::NotSent { code, reason }) => not_sent(code, reason),
                Some(AttemptEnd::Unknown { code, reason }) => unknown(code, reason),
                None => not_sent("gave-up", "it could not be sent in time"),
            },
        }
    }
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(now.millis().saturating_sub(since.millis()).max(0).unsigned_abs())
}

fn asked_to_wait(outcome: &Outcome) -> Option<Duration> {
    let Outcome::Response(answer) = outcome else { return None };
    retry_after::parse(answer.header("retry-after")?, answer.header("date"), SystemTime::now())
}

fn crashed() -> AttemptEnd {
    let reason = "the host stopped between the request and its answer".to_owned();
    AttemptEnd::Unknown { code: "crashed".to_owned(), reason }
}

fn attempt_end(outcome: &Outcome) -> AttemptEnd {
    match outcome {
        Outcome::NotSent(why) => {
            AttemptEnd::NotSent { code: why.code().to_owned(), reason: shortened(&why.to_string()) }
        }
        Outcome::Response(answer) => AttemptEnd::Response { status: answer.status },
        Outcome::Unknown(why) => {
            AttemptEnd::Unknown { code: why.why.code().to_owned(), reason: shortened(&why.to_string()) }
        }
    }
}

/// Nobody knows whether it had its effect: also after a complete answer that says the system failed.
fn in_doubt(outcome: &Outcome) -> CallAnswer {
    match outcome {
        Outcome::Response(answer) => unknown(
            "failed",
            &format!("the system answered {}, so it may have done a part of it", answer.status),
        ),
        Outcome::NotSent(NotSent::Paused) => unknown("paused", "an earlier attempt may have arrived"),
        Outcome::NotSent(why) => {
            unknown(why.code(), &format!("an earlier attempt may have arrived; then: {why}"))
        }
        Outcome::Unknown(why) => unknown(why.why.code(), &why.to_string()),
    }
}

fn not_sent(code: &str, reason: &str) -> CallAnswer {
    CallAnswer::NotSent { code: code.to_owned(), reason: shortened(reason) }
}

fn unknown(code: &str, reason: &str) -> CallAnswer {
    CallAnswer::Unknown { code: code.to_owned(), reason: shortened(reason) }
}

/// A sentence that a system or a library may have had a part in, bounded.
fn shortened(reason: &str) -> String {
    const REASON_BYTES_MAX: usize = 500;
    reason[..reason.floor_char_boundary(REASON_BYTES_MAX)].to_owned()
}
