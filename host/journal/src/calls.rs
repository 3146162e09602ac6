//! The calls of one capability for one customer: begun by what its handlers ask for, ended by their [`Answered`].
//!
//! The profile knows how far each is, not what it says: that stands in the record that began it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    AttemptEnd, CallEnd, CallId, CallRecord, Decided, DoubtStep, Framed, Outcome, ProfileState, Row, RowStep,
    Verdict,
};
use samsyn_contract::CALLS_WAITING_MAX;
use samsyn_vocabulary::{CapabilityName, Digest, EndpointName, Finding, Position, ProfileId, Seq, Timestamp};

/// A record begins no more calls with a body than an invocation may have effects.
const BODIES_MAX: Seq = 256;

/// How long a look-up may take from when the call was to be looked up, before the call ends unknown.
pub const LOOK_UP_MS: i64 = 24 * 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The most answers to a capability's calls for one customer within a day, by UTC, for which it is invoked.
pub const ANSWERS_A_DAY_MAX: u32 = 1_000;
/// Calls that failed, or of which nobody knows whether they arrived, that a profile lists of one capability; the oldest
/// goes first.
pub const PAST_CALLS_MAX: usize = 8;

/// A call that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingCall {
    /// Counts the calls that the capability has begun for this customer.
    pub number: u32,
    pub endpoint: EndpointName,
    /// The decision that began it.
    #[serde(with = "crate::home::record")]
    pub record: Position,
    /// Which of the calls of that decision, counted from 0 over all its outcomes.
    pub index: u16,
    /// When it was begun.
    pub since: Timestamp,
    /// Attempts that were made.
    pub attempts: u32,
    /// When the attempt that is under way began.
    pub begun: Option<Timestamp>,
    /// When the next attempt begins, at the earliest.
    pub next: Timestamp,
    /// When the first attempt began that may have arrived.
    pub sent_since: Option<Timestamp>,
    /// An attempt ended without anybody knowing whether it arrived.
    pub in_doubt: bool,
    /// Answers that refused the credentials.
    pub auth_refusals: u32,
    /// How long attempts took and waited, in milliseconds; pauses don't count.
    pub age_ms: u64,
    /// What the endpoint was bound to at the newest attempt.
    pub binding: Option<Digest>,
    /// How the newest attempt ended.
    pub last: Option<AttemptEnd>,
    /// It is the look-up of the call with this number.
    pub looks_up: Option<u32>,
    /// How far its own look-up is.
    pub probe: Probe,
    /// How it travels, if it is a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Row>,
}

/// How far the look-up of a call in doubt is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// It isn't looked up.
    #[default]
    None,
    /// It is to be looked up at its next time.
    Due,
    /// Its plug-in is asked, or the look-up waits for its answer.
    Asked,
    /// Its plug-in began no look-up.
    Refused,
    /// The look-up was judged.
    Judged {
        /// What it found.
        finding: Finding,
        /// The answer to the look-up.
        #[serde(with = "crate::home::record")]
        answered: Position,
    },
}

/// A call that ended badly, until an administrator settles it or newer ones take its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCall {
    pub number: u32,
    pub endpoint: EndpointName,
    /// The decision that began it.
    #[serde(with = "crate::home::record")]
    pub record: Position,
    /// Which of the calls of that decision.
    pub index: u16,
    pub since: Timestamp,
    pub attempts: u32,
    /// How it ended.
    pub how: CallEnd,
    /// What the endpoint was bound to at the newest attempt.
    pub binding: Option<Digest>,
    pub sent_since: Option<Timestamp>,
    pub at: Timestamp,
    /// It was a row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_row: bool,
}

/// All calls of a capability for a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// The number of the newest.
    last: u32,
    /// Those that wait for their answer, oldest first.
    waiting: Vec<WaitingCall>,
    /// Those that ended badly, oldest first.
    past: Vec<PastCall>,
    /// The newest day on which one was answered, counted from the epoch, by UTC.
    day: i64,
    /// How many were answered on that day.
    answered: u32,
}

impl Calls {
    /// Those that wait for their answer, oldest first.
    pub fn waiting(&self) -> &[WaitingCall] {
        &self.waiting
    }

    /// The waiting one of this number.
    pub fn get(&self, number: u32) -> Option<&WaitingCall> {
        self.waiting.iter().find(|call| call.number == number)
    }

    /// Those that ended badly, oldest first.
    pub fn past(&self) -> &[PastCall] {
        &self.past
    }

    /// The oldest records of a partition that must be there for a call to be sent again: its body stands before the one
    /// that began it.
    pub fn records(&self) -> impl Iterator<Item = Position> {
        let records = self.waiting.iter().map(|call| call.record);
        records.map(|record| Position { seq: record.seq.saturating_sub(BODIES_MAX).max(1), ..record })
    }

    /// How many were answered on the day of this moment, by UTC.
    pub fn answered_on_day_of(&self, at: Timestamp) -> u32 {
        if self.day == day_of(at) { self.answered } else { 0 }
    }

    /// Folds the calls that a handler began, which stand from `first` on among those of the record.
    pub(super) fn begin(
        &mut self,
        outcome: &Outcome,
        first: usize,
        decided: &Decided,
        record: Option<Position>,
    ) {
        for (index, call) in outcome.calls.iter().enumerate().filter(|(_, call)| !call.silent) {
            self.last = self.last.wrapping_add(1);
            // The rule of the effect holds it; a profile has a bound in any case.
            if self.waiting.len() >= CALLS_WAITING_MAX {
                continue;
            }
            self.waiting.push(WaitingCall {
                number: self.last,
                endpoint: call.endpoint.clone(),
                record: record.unwrap_or(decided.root),
                index: u16::try_from(first + index).unwrap_or(u16::MAX),
                since: decided.at,
                attempts: 0,
                begun: None,
                next: decided.at,
                sent_since: None,
                in_doubt: false,
                auth_refusals: 0,
                age_ms: 0,
                binding: None,
                last: None,
                looks_up: call.looks_up,
                probe: Probe::None,
                row: call.is_row.then_some(Row::Free { at_most: 0 }),
            });
        }
    }

    /// Whether a record says something that can be so of them as they are.
    pub fn fits(&self, record: &CallRecord) -> bool {
        let waiting = self.get(record.call().number);
        match record {
            CallRecord::Sending(sending) => {
                let can_leave = |call: &WaitingCall| call.row.as_ref().is_none_or(Row::can_leave);
                waiting.is_some_and(|call| {
                    call.begun.is_none() && call.attempts + 1 == sending.attempt && can_leave(call)
                })
            }
            // Of an attempt that changes nothing at the system there is no record that it began.
            CallRecord::Retrying(retrying) => waiting
                .is_some_and(|call| retrying.attempt == call.attempts + u32::from(call.begun.is_none())),
            CallRecord::Answered(_) => waiting.is_some(),
            CallRecord::Doubted(_) => waiting.is_some_and(|call| call.probe == Probe::Due),
            CallRecord::Framed(framed) => waiting.is_some_and(|call| {
                let can_be_put = |row: &Row| row.can_be_put(&framed.place, call.sent_since.is_some());
                call.begun.is_none() && call.row.as_ref().is_some_and(can_be_put)
            }),
            CallRecord::Settled(settled) => self.past.iter().any(|past| past.number == settled.call.number),
        }
    }

    fn change(&mut self, record: &CallRecord) {
        let number = record.call().number;
        let waiting = self.waiting.iter().position(|call| call.number == number);
        match (record, waiting) {
            (CallRecord::Sending(sending), Some(at)) => {
                let call = &mut self.waiting[at];
                call.attempts = sending.attempt;
                call.begun = Some(sending.at);
                call.binding = Some(sending.binding);
                call.probe = Probe::None;
            }
            (CallRecord::Retrying(retrying), Some(at)) => {
                let call = &mut self.waiting[at];
                call.attempts =
                    if retrying.counts { retrying.attempt } else { retrying.attempt.saturating_sub(1) };
                call.begun = None;
                call.next = retrying.next;
                if retrying.counts {
                    let took = retrying.next.millis().saturating_sub(retrying.begun.millis()).max(0);
                    call.age_ms = call.age_ms.saturating_add(took.unsigned_abs());
                }
                match &retrying.how {
                    AttemptEnd::NotSent { .. } => {}
                    AttemptEnd::Response { status } => {
                        call.sent_since.get_or_insert(retrying.begun);
                        call.auth_refusals += u32::from(matches!(status, 401 | 403 | 407));
                    }
                    AttemptEnd::Unknown { .. } => {
                        call.sent_since.get_or_insert(retrying.begun);
                        call.in_doubt = true;
                    }
                }
                call.last = Some(retrying.how.clone());
                call.probe = if retrying.look_up { Probe::Due } else { Probe::None };
                if let Some(row) = &mut call.row {
                    row.step(retrying.row, &retrying.how);
                    if matches!(retrying.row, RowStep::Freed { .. }) {
                        // Another request begins: the waits between its attempts begin anew.
                        (call.attempts, call.auth_refusals) = (0, 0);
                        (call.in_doubt, call.sent_since) = (false, None);
                    }
                }
            }
            (CallRecord::Answered(answered), Some(at)) => {
                let call = self.waiting.remove(at);
                (self.day, self.answered) = (day_of(answered.at), self.answered_on_day_of(answered.at) + 1);
                let how = CallEnd::from(&answered.answer);
                if !matches!(how, CallEnd::Response { status } if status < 400) {
                    let WaitingCall { number, endpoint, record, index, since, begun, .. } = call;
                    let is_row = call.row.is_some();
                    if self.past.len() >= PAST_CALLS_MAX {
                        self.past.remove(0);
                    }
                    self.past.push(PastCall {
                        number,
                        endpoint,
                        record,
                        index,
                        since,
                        attempts: answered.attempts,
                        how,
                        binding: call.binding,
                        sent_since: call.sent_since.or(begun),
                        at: answered.at,
                        is_row,
                    });
                }
            }
            (CallRecord::Doubted(_), Some(at)) => self.waiting[at].probe = Probe::Asked,
            (CallRecord::Framed(framed), Some(at)) => {
                let call = &mut self.waiting[at];
                call.row = Some(Framed::clone(framed).into());
                if let Some(Row::In { .. }) = call.row {
                    // From here on it waits for the one that leads it.
                    call.next = framed.at;
                }
            }
            (CallRecord::Settled(settled), None) => {
                let Some(at) = self.past.iter().position(|call| call.number == number) else { return };
                let past = self.past.remove(at);
                if settled.verdict == Verdict::Again {
                    let PastCall { number, endpoint, record, index, since, binding, sent_since, how, .. } =
                        past;
                    // Alone: what it says of the row, it says of no other.
                    let row = past.is_row.then_some(Row::Free { at_most: 1 });
                    self.waiting.push(WaitingCall {
                        number,
                        endpoint,
                        record,
                        index,
                        since,
                        attempts: 0,
                        begun: None,
                        next: settled.at,
                        sent_since,
                        // The administrator says that it may be sent again: of `once` nothing else is in doubt.
                        in_doubt: matches!(how, CallEnd::Unknown { .. }),
                        auth_refusals: 0,
                        age_ms: 0,
                        binding,
                        last: None,
                        looks_up: None,
                        probe: Probe::None,
                        row,
                    });
                    self.waiting.sort_by_key(|call| call.number);
                }
            }
            _ => {}
        }
    }

    /// A decision asked a call's plug-in to look it up, or judged the look-up, whose answer it is about.
    fn look_up(&mut self, number: u32, finding: Option<Finding>, answered: Position) {
        let is_asked = self.waiting.iter().any(|call| call.looks_up == Some(number));
        let asked = |call: &&mut WaitingCall| call.number == number && call.probe == Probe::Asked;
        let Some(call) = self.waiting.iter_mut().find(asked) else { return };
        match finding {
            Some(finding) => {
                if finding == Finding::Absent {
                    (call.in_doubt, call.sent_since) = (false, None);
                }
                call.probe = Probe::Judged { finding, answered };
            }
            None if !is_asked => call.probe = Probe::Refused,
            None => {}
        }
    }

    /// A replay's own calls are counted otherwise than the log's: the oldest one to this endpoint is answered.
    fn forget(&mut self, endpoint: &EndpointName) {
        if let Some(at) = self.waiting.iter().position(|call| call.endpoint == *endpoint) {
            self.waiting.remove(at);
        }
    }
}

fn day_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY_MS)
}

/// Folds a record about a call, which has this number in its partition, into the profile of its customer.
pub fn fold_call(state: &mut ProfileState, seq: Seq, record: &CallRecord) {
    state.late = seq;
    let call = record.call();
    if let Some(calls) = state.calls_to_change(&call.capability, call.generation) {
        calls.change(record);
    }
}

/// Folds what a decision says of a call in doubt, behind what its handlers said.
pub(super) fn fold_doubt(state: &mut ProfileState, decided: &Decided) {
    let Some(DoubtStep { call, finding }) = decided.doubt.as_deref() else { return };
    let own = decided.outcomes.iter().filter(|outcome| outcome.capability == call.capability);
    // It isn't over while its handler waits.
    if own.clone().any(|outcome| !outcome.result.is_final()) {
        return;
    }
    if let Some(calls) = state.calls_to_change(&call.capability, call.generation) {
        calls.look_up(call.number, *finding, decided.cause.record());
    }
}

/// Takes the oldest call to an endpoint for answered whatever its number is.
pub fn forget_call(
    state: &mut ProfileState,
    capability: &CapabilityName,
    generation: u32,
    endpoint: &EndpointName,
) {
    if let Some(calls) = state.calls_to_change(capability, generation) {
        calls.forget(endpoint);
    }
}

/// How a call that is listed is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CallState {
    /// It waits for its answer, and is the next of its customer to this endpoint.
    Waiting = b'a',
    /// It ended, and nobody knows whether it arrived.
    Unknown = b'b',
    /// It ended badly: not sent, or answered with 400 or above.
    Failed = b'c',
}

impl CallState {
    /// All of them.
    pub const ALL: [CallState; 3] = [CallState::Waiting, CallState::Unknown, CallState::Failed];
}

/// A call that is listed: how an index of them all orders them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PendingCall {
    pub state: CallState,
    pub capability: CapabilityName,
    pub endpoint: EndpointName,
    /// When it is to be tried next; of one that ended when it did.
    pub at: Timestamp,
    pub profile: ProfileId,
    pub generation: u32,
    pub number: u32,
}

impl PendingCall {
    /// Which call it is.
    pub fn id(&self) -> CallId {
        let PendingCall { profile, capability, generation, number, .. } = self.clone();
        CallId { profile, capability, generation, number }
    }
}

/// The calls of a customer that are listed: of those that wait for one endpoint only the first, because the others wait
/// for it.
pub fn pending_calls(state: &ProfileState) -> Vec<PendingCall> {
    let mut found: Vec<PendingCall> = Vec::new();
    let mut first: Vec<(&CapabilityName, &EndpointName)> = Vec::new();
    let mut own: Vec<_> = state.capabilities.iter().filter(|own| own.calls.is_some()).collect();
    own.sort_by_key(|own| own.generation);
    for own in own {
        let pending = |state_of_call, endpoint: &EndpointName, at, number| PendingCall {
            state: state_of_call,
            capability: own.capability.clone(),
            endpoint: endpoint.clone(),
            at,
            profile: state.id,
            generation: own.generation,
            number,
        };
        let Some(calls) = &own.calls else { continue };
        for call in &calls.waiting {
            // A look-up doesn't wait for the call that it looks up.
            let is_behind = call.looks_up.is_none()
                && first.iter().any(|(capability, endpoint)| {
                    **capability == own.capability && **endpoint == call.endpoint
                });
            if is_behind {
                continue;
            }
            if call.looks_up.is_none() {
                first.push((&own.capability, &call.endpoint));
            }
            // Its plug-in may never be asked: it was removed, or what it waits for is.
            // Likewise the one that leads its request.
            let waits_for_another = call.probe == Probe::Asked || matches!(call.row, Some(Row::In { .. }));
            let overdue = if waits_for_another { LOOK_UP_MS } else { 0 };
            let at = Timestamp(call.next.millis().saturating_add(overdue));
            found.push(pending(CallState::Waiting, &call.endpoint, at, call.number));
        }
        found.extend(calls.past.iter().map(|past| {
            let is_unknown = matches!(past.how, CallEnd::Unknown { .. });
            let state = if is_unknown { CallState::Unknown } else { CallState::Failed };
            pending(state, &past.endpoint, past.at, past.number)
        }));
    }
    found
}

/// How many calls of a customer wait for their answers.
pub fn waiting_calls(state: &ProfileState) -> usize {
    let calls = state.capabilities.iter().filter_map(|own| own.calls.as_ref());
    calls.map(|calls| calls.waiting.len()).sum()
}

/// What a record does to the index of all calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallMove {
    pub call: PendingCall,
    /// Whether it is listed since; else it no longer is.
    pub is_listed: bool,
}

/// What differs between a customer's calls before a record and after it.
pub(super) fn call_moves(before: Vec<PendingCall>, after: &ProfileState) -> Vec<CallMove> {
    let after = pending_calls(after);
    if before.is_empty() && after.is_empty() {
        return Vec::new();
    }
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (before.into_iter().collect(), after.into_iter().collect());
    let ended = before.difference(&after).map(|call| CallMove { call: call.clone(), is_listed: false });
    let begun = after.difference(&before).map(|call| CallMove { call: call.clone(), is_listed: true });
    ended.chain(begun).collect()
}
