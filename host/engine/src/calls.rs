//! Calls that plug-ins began: which are to be tried, what each says, and the records about it. Whoever sends them asks
//! here before and tells after; nothing here knows a connection.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::QueryError;
use super::fault::{Fault, StopCause};
use super::new_calls::NewCalls;
use super::shared::Shared;
use super::work::Work;
use samsyn_journal::{
    Answered, AttemptEnd, Call, CallId, CallRecord, CallState, Doubted, Framed, PastCall, PendingCall, Place,
    Record, Retrying, RowStep, Sending, Settled, Verdict, WaitingCall, pending_calls,
};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{
    Application, CallAnswer, CapabilityName, Digest, EndpointName, Position, ProfileId, Reason, Timestamp,
};

/// After this time an answer begins a chain of causes of its own, as a timer does.
const CHAIN_MS: i64 = 60 * 60 * 1_000;

/// A call with all that its next attempt needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub id: CallId,
    /// How far it is.
    pub waiting: WaitingCall,
    /// The request.
    pub request: Call,
    /// The bytes of its body; none when it has none.
    pub body: Option<Vec<u8>>,
    root: Position,
    depth: u16,
    spent: u32,
}

impl Exchange {
    /// The chain of causes that an item at this time continues: its root, generations and what the root had spent.
    fn chain(&self, at: Timestamp) -> (Option<Position>, u16, u32) {
        if at.millis().saturating_sub(self.waiting.since.millis()) < CHAIN_MS {
            (Some(self.root), self.depth, self.spent)
        } else {
            (None, 0, 0)
        }
    }
}

/// What an attempt finds of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    /// It has ended, or another one of its customer goes before it.
    None,
    /// What began it has left the log.
    Gone,
    /// All that is needed.
    Ready(Box<Exchange>),
}

/// What follows an attempt that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Again {
    /// When.
    pub next: Timestamp,
    /// Whether it counts as an attempt.
    pub counts: bool,
    /// Whether the call is looked up before anything is sent again.
    pub look_up: bool,
    /// What it means for a row.
    pub row: RowStep,
}

/// A call that is listed, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCall {
    pub pending: PendingCall,
    pub progress: Progress,
}

/// How far a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    Waiting(WaitingCall),
    Past(PastCall),
}

/// Why an exchange can't go on.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// It can't be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The host is stopping, or can't write its log.
    #[error(transparent)]
    Stopped(#[from] StopCause),
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> CallError {
        CallError::Query(error.into())
    }
}

/// The calls of this engine.
pub struct Calls {
    pub(super) shared: Arc<Shared>,
}

impl Calls {
    /// From here on, [`next_new`](Calls::next_new) answers what began to wait. For one follower.
    pub fn follow(&self) {
        self.shared.new_calls.follow();
    }

    /// The calls that began to wait, or were put off, since it was last asked; waits until there is one.
    pub async fn next_new(&self) -> NewCalls {
        self.shared.new_calls.next().await
    }

    /// How many wait for their answers.
    pub fn waiting(&self) -> u64 {
        self.shared.view.calls_waiting()
    }

    /// The endpoints that have calls which wait.
    pub fn endpoints(&self) -> Result<Vec<(CapabilityName, EndpointName)>, StoreError> {
        self.shared.view.call_endpoints(CallState::Waiting)
    }

    /// The endpoints that have calls of which nobody knows whether they arrived, each with how many; no more than
    /// `max` are counted of each.
    pub fn unknown(&self, max: usize) -> Result<Vec<(CapabilityName, EndpointName, usize)>, StoreError> {
        let view = &self.shared.view;
        let endpoints = view.call_endpoints(CallState::Unknown)?.into_iter();
        let counted = endpoints.map(|(capability, endpoint)| {
            let of = (&capability, &endpoint);
            let calls = view.calls_due(CallState::Unknown, of, Timestamp(i64::MAX), max)?.len();
            Ok((capability, endpoint, calls))
        });
        counted.collect()
    }

    /// The first calls of an endpoint that are to be tried by a time, in their order; of each customer one.
    pub fn due(
        &self,
        capability: &CapabilityName,
        endpoint: &EndpointName,
        by: Timestamp,
        limit: usize,
    ) -> Result<Vec<PendingCall>, StoreError> {
        self.shared.view.calls_due(CallState::Waiting, (capability, endpoint), by, limit)
    }

    /// Calls in one state behind `after`, with how far they are. Fewer than `limit` only at the end.
    pub fn list(
        &self,
        state: CallState,
        after: Option<&PendingCall>,
        limit: usize,
    ) -> Result<Vec<ListedCall>, StoreError> {
        let mut listed = Vec::new();
        for pending in self.shared.view.calls_in(state, after, limit)? {
            // One that ended in between is nobody's any more.
            if let Some(progress) = self.progress(&pending.id())? {
                listed.push(ListedCall { pending, progress });
            }
        }
        Ok(listed)
    }

    /// How far a call is; none when it neither waits nor is listed.
    pub fn progress(&self, id: &CallId) -> Result<Option<Progress>, StoreError> {
        let Some(state) = self.shared.view.profile(id.profile)? else { return Ok(None) };
        let Some(calls) = state.calls(&id.capability, id.generation) else { return Ok(None) };
        let past = || calls.past().iter().find(|past| past.number == id.number).cloned().map(Progress::Past);
        Ok(calls.get(id.number).cloned().map(Progress::Waiting).or_else(past))
    }

    /// A call as it is listed among those that wait; none when it doesn't wait, or is behind another one of its customer
    /// to this endpoint.
    pub fn listed(&self, id: &CallId) -> Result<Option<PendingCall>, StoreError> {
        let Some(state) = self.shared.view.profile(id.profile)? else { return Ok(None) };
        let is_it = |call: &PendingCall| call.state == CallState::Waiting && call.id() == *id;
        Ok(pending_calls(&state).into_iter().find(is_it))
    }

    /// A call that is to be attempted now, with all that this needs.
    pub fn next_attempt(&self, id: &CallId) -> Result<NextAttempt, CallError> {
        let Some(state) = self.shared.view.profile(id.profile)? else { return Ok(NextAttempt::None) };
        let is_it = |call: &PendingCall| call.state == CallState::Waiting && call.id() == *id;
        if !pending_calls(&state).iter().any(is_it) {
            return Ok(NextAttempt::None);
        }
        let calls = state.calls(&id.capability, id.generation);
        let Some(waiting) = calls.and_then(|calls| calls.get(id.number)) else {
            return Ok(NextAttempt::None);
        };
        let exchange = self.exchange_of(id, waiting.clone())?;
        Ok(exchange.map_or(NextAttempt::Gone, |exchange| NextAttempt::Ready(Box::new(exchange))))
    }

    /// All calls of a customer that wait or are listed.
    pub fn of_profile(&self, profile: ProfileId) -> Result<Vec<(CallId, Progress)>, StoreError> {
        let Some(state) = self.shared.view.profile(profile)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for own in &state.capabilities {
            let Some(calls) = &own.calls else { continue };
            let id = |number| CallId {
                profile,
                capability: own.capability.clone(),
                generation: own.generation,
                number,
            };
            found.extend(
                calls.waiting().iter().map(|call| (id(call.number), Progress::Waiting(call.clone()))),
            );
            found.extend(calls.past().iter().map(|call| (id(call.number), Progress::Past(call.clone()))));
        }
        Ok(found)
    }

    /// The request of a call, as it stands in the record that began it; none when that has left the log.
    pub fn request(
        &self,
        profile: ProfileId,
        record: Position,
        index: u16,
    ) -> Result<Option<Call>, QueryError> {
        let Some(Record::Decided(decided)) = self.shared.own_record(profile, record)? else {
            return Ok(None);
        };
        let mut calls = decided.outcomes.into_iter().flat_map(|outcome| outcome.calls);
        Ok(calls.nth(usize::from(index)))
    }

    /// A call with all that an attempt needs; none when it no longer waits, or what began it has left the log.
    pub fn exchange(&self, id: &CallId) -> Result<Option<Exchange>, CallError> {
        let Some(Progress::Waiting(waiting)) = self.progress(id)? else { return Ok(None) };
        self.exchange_of(id, waiting)
    }

    fn exchange_of(&self, id: &CallId, waiting: WaitingCall) -> Result<Option<Exchange>, CallError> {
        let record = self.shared.own_record(id.profile, waiting.record)?;
        let Some(Record::Decided(decided)) = record else { return Ok(None) };
        let (root, depth, spent) = (decided.root, decided.depth, decided.spent);
        let mut calls = decided.outcomes.into_iter().flat_map(|outcome| outcome.calls);
        let Some(request) = calls.nth(usize::from(waiting.index)) else { return Ok(None) };
        let body = match &request.body {
            None => None,
            Some(body) => {
                let seq = waiting.record.seq.saturating_sub(u64::from(body.before));
                match self.shared.own_record(id.profile, Position { seq, ..waiting.record })? {
                    Some(Record::Body(found)) if found.digest == body.digest => Some(found.bytes),
                    _ => return Ok(None),
                }
            }
        };
        Ok(Some(Exchange { id: id.clone(), waiting, request, body, root, depth, spent }))
    }

    /// Notes that an attempt begins, and waits until that is on the disk: its bytes may leave then. False when the call
    /// no longer waits so.
    pub async fn begin(&self, exchange: &Exchange, binding: Digest) -> Result<bool, StopCause> {
        let record = CallRecord::Sending(Sending {
            profile: exchange.id.profile,
            call: exchange.id.in_profile(),
            attempt: exchange.waiting.attempts + 1,
            binding,
            at: self.shared.clock.now(),
        });
        self.append(record).await
    }

    /// Notes that an attempt, which began at this time, ended, and that another one follows.
    pub async fn retry(
        &self,
        exchange: &Exchange,
        (attempt, begun): (u32, Timestamp),
        how: AttemptEnd,
        Again { next, counts, look_up, row }: Again,
    ) -> Result<bool, StopCause> {
        let (profile, call) = (exchange.id.profile, exchange.id.in_profile());
        let at = self.shared.clock.now();
        let retrying = Retrying { profile, call, attempt, how, begun, next, counts, look_up, row, at };
        self.append(CallRecord::Retrying(retrying)).await
    }

    /// Puts a row into a request, of which nothing has left. False when it can't be put there any more.
    pub async fn frame(&self, id: &CallId, batch: Digest, place: Place) -> Result<bool, StopCause> {
        let (profile, call, at) = (id.profile, id.in_profile(), self.shared.clock.now());
        self.append(CallRecord::Framed(Box::new(Framed { profile, call, batch, place, at }))).await
    }

    /// Notes that a call is in doubt and that its plug-in is to look it up. Its handler is invoked in its turn.
    pub async fn doubt(&self, exchange: &Exchange) -> Result<bool, StopCause> {
        let at = self.shared.clock.now();
        let (root, depth, spent) = exchange.chain(at);
        let record = CallRecord::Doubted(Box::new(Doubted {
            profile: exchange.id.profile,
            call: exchange.id.in_profile(),
            endpoint: exchange.waiting.endpoint.clone(),
            note: exchange.request.note.clone(),
            at,
            root,
            depth,
            spent,
        }));
        self.append(record).await
    }

    /// The answer of a call, in its record; none when that has left the log.
    pub fn answer_at(&self, profile: ProfileId, record: Position) -> Result<Option<CallAnswer>, QueryError> {
        Ok(match self.shared.own_record(profile, record)? {
            Some(Record::Call(CallRecord::Answered(answered))) => Some(answered.answer),
            _ => None,
        })
    }

    /// Notes how a call ended. Its handler is invoked in its turn.
    pub async fn answer(
        &self,
        exchange: &Exchange,
        attempts: u32,
        answer: CallAnswer,
    ) -> Result<bool, StopCause> {
        let at = self.shared.clock.now();
        let (root, depth, spent) = exchange.chain(at);
        let record = CallRecord::Answered(Box::new(Answered {
            profile: exchange.id.profile,
            call: exchange.id.in_profile(),
            endpoint: exchange.waiting.endpoint.clone(),
            answer,
            note: exchange.request.note.clone(),
            attempts,
            looks_up: exchange.waiting.looks_up,
            at,
            root,
            depth,
            spent,
        }));
        self.append(record).await
    }

    /// Ends a call of which nothing is left but what the profile knows: the record that began it can't be read.
    pub async fn give_up(
        &self,
        id: &CallId,
        waiting: &WaitingCall,
        answer: CallAnswer,
    ) -> Result<bool, StopCause> {
        let record = CallRecord::Answered(Box::new(Answered {
            profile: id.profile,
            call: id.in_profile(),
            endpoint: waiting.endpoint.clone(),
            answer,
            note: None,
            attempts: waiting.attempts,
            looks_up: waiting.looks_up,
            at: self.shared.clock.now(),
            root: None,
            depth: 0,
            spent: 0,
        }));
        self.append(record).await
    }

    /// Notes what an administrator says is to become of a call that ended badly. False when it isn't listed.
    pub async fn settle(
        &self,
        id: &CallId,
        verdict: Verdict,
        by: Application,
        reason: Reason,
    ) -> Result<bool, StopCause> {
        let (profile, call, at) = (id.profile, id.in_profile(), self.shared.clock.now());
        self.append(CallRecord::Settled(Settled { profile, call, verdict, by, reason, at })).await
    }

    /// Has the worker of the customer's partition append a record about a call, and waits until it is on the disk.
    async fn append(&self, record: CallRecord) -> Result<bool, StopCause> {
        let (reply, appended) = oneshot::channel();
        let partition = self.shared.home(record.profile());
        self.shared.schedule.push(partition, Work::Call { record: Box::new(record), reply });
        match appended.await {
            // Whoever looks next must see it.
            Ok(Some(position)) => self.shared.readable(position).await.map(|()| true),
            Ok(None) => Ok(false),
            // The worker ended before it came to it.
            Err(_) => Err(self.shared.why_stopped()),
        }
    }
}

impl From<CallError> for StopCause {
    fn from(error: CallError) -> StopCause {
        match error {
            CallError::Query(error) => StopCause::Fault(Fault::from(error)),
            CallError::Stopped(cause) => cause,
        }
    }
}
