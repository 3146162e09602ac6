//! One endpoint: which of its calls may leave now. A slow one delays nobody else's. `attempts` has what follows when
//! one begins.

mod attempts;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use samsyn_contract::calls::Rows;
use samsyn_egress::Connector;
use samsyn_egress::policy::bucket::{Bucket, Busy, Slot};
use samsyn_egress::policy::circuit::{Admission, Circuit, Pass, State as CircuitState};
use samsyn_engine::{CallError, Engine, Progress, StopCause};
use samsyn_journal::{PendingCall, Row};
use samsyn_registry::EndpointState;
use samsyn_secrets::Secrets;
use samsyn_vocabulary::{CapabilityName, EndpointName, ProfileId, SecretName, Timestamp};
use tokio::sync::Notify;
use tokio::time::sleep_until;

use crate::attempt::withdraw;
use crate::batch;
use crate::link::{Link, LinkError};
use crate::refresh_tokens::RefreshTokens;
use crate::upcoming::Upcoming;

/// How often a lane looks without being woken.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it asks the view though it knows all, in case it was not told of one.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// Calls that are looked for at once, beyond those under way.
const LOOK_AHEAD: usize = 256;

/// What lanes share.
pub struct Common {
    pub engine: Arc<Engine>,
    pub secrets: Arc<Secrets>,
    pub connector: Connector,
    /// Nothing begins any more.
    pub stopping: std::sync::atomic::AtomicBool,
    /// Attempts since the start.
    pub attempts: AtomicU64,
}

/// One endpoint.
pub struct Lane {
    common: Arc<Common>,
    pub capability: CapabilityName,
    pub endpoint: EndpointName,
    state: Mutex<State>,
    /// Held while a link is made: one at a time.
    linking: Mutex<()>,
    wake: Notify,
}

struct State {
    link: Option<Arc<Link>>,
    bucket: Bucket,
    circuit: Circuit,
    /// Customers one of whose calls is being tried, or held for one that is: of each one at a time.
    under_way: HashSet<ProfileId>,
    /// Attempts that are under way.
    attempts: usize,
    upcoming: Upcoming,
    /// When it last asked the view.
    asked: Option<Instant>,
    halt: Option<Halt>,
    halted_since: Option<Instant>,
}

/// Why nothing is sent to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// All sending is paused.
    #[error("all sending is paused")]
    OutgoingPaused,
    /// The endpoint is paused.
    #[error("the endpoint is paused")]
    Paused,
    /// Nobody has bound it, or it was revoked.
    #[error("the endpoint is not bound")]
    NotBound,
    /// It can't be called on this host.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// It keeps failing.
    #[error("the system keeps failing; the host tries again by itself")]
    CircuitOpen,
}

/// How a lane is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStatus {
    /// Attempts that are under way; one of rows is one.
    pub under_way: usize,
    /// Why nothing is sent; none while it is.
    pub halt: Option<Halt>,
    /// How long it has been so.
    pub halted_for: Duration,
}

/// How a call travels.
enum Travel {
    /// With others, so many at the most; 1: alone.
    With(usize),
    /// It waits for others until then.
    WaitsUntil(Instant),
    /// It doesn't wait any more.
    Never,
}

/// May a call begin, and with what.
enum Begin {
    Go(Arc<Link>, Slot, Pass),
    /// Not before then.
    Wait(Instant),
    /// Not before one that is under way ends.
    Full,
}

impl Lane {
    pub fn new(common: Arc<Common>, capability: CapabilityName, endpoint: EndpointName) -> Lane {
        let state = State {
            link: None,
            bucket: Bucket::new(None, 1),
            circuit: Circuit::new(Instant::now()),
            under_way: HashSet::new(),
            attempts: 0,
            upcoming: Upcoming::default(),
            asked: None,
            halt: None,
            halted_since: None,
        };
        Lane {
            common,
            capability,
            endpoint,
            state: Mutex::new(state),
            linking: Mutex::new(()),
            wake: Notify::new(),
        }
    }

    /// Has it look now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Takes calls that began to wait, and has it look now.
    pub fn add(&self, calls: Vec<PendingCall>) {
        self.state.lock().upcoming.add(calls);
        self.wake();
    }

    /// It may not have been told of all calls: the view is to be asked.
    pub fn forget_upcoming(&self) {
        self.state.lock().upcoming.forget();
        self.wake();
    }

    /// How it is doing.
    pub fn status(&self) -> LaneStatus {
        let state = self.state.lock();
        let halted_for = state.halted_since.map_or(Duration::ZERO, |since| since.elapsed());
        LaneStatus { under_way: state.attempts, halt: state.halt.clone(), halted_for }
    }

    /// Follows the registry: a pause holds from here on, also for what has not left yet.
    pub fn follow(&self) {
        // Read behind the lock: nobody who read earlier says something later.
        let state = self.state.lock();
        let registry = self.common.engine.registry();
        let bound = registry
            .endpoint(self.capability.as_str(), self.endpoint.as_str())
            .is_ok_and(|endpoint| endpoint.state == EndpointState::Bound);
        if let Some(link) = &state.link {
            if bound { link.endpoint.resume() } else { link.endpoint.pause() }
        }
    }

    /// Its loop; ends when nothing is to begin any more.
    pub async fn run(self: Arc<Lane>) {
        while !self.common.stopping.load(Ordering::Relaxed) {
            let until = match self.pump().await {
                Ok(until) => until,
                Err(CallError::Stopped(StopCause::Stopping)) => return,
                Err(error) => {
                    tracing::error!(capability = %self.capability, endpoint = %self.endpoint, %error,
                        "the calls of an endpoint can't be sent");
                    Instant::now() + LOOK_EVERY
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = sleep_until(until.into()) => {}
            }
        }
    }

    /// Begins what may begin; answers when to look again.
    async fn pump(self: &Arc<Lane>) -> Result<Instant, CallError> {
        let look_again = Instant::now() + LOOK_EVERY;
        let registry = self.common.engine.registry();
        let endpoint = registry.endpoint(self.capability.as_str(), self.endpoint.as_str());
        let Ok(endpoint) = endpoint else {
            self.withdraw_all(registry.capabilities.contains_key(&self.capability)).await?;
            return Ok(look_again);
        };
        let halt = match (&registry.outgoing_paused, endpoint.state) {
            (Some(_), _) => Some(Halt::OutgoingPaused),
            (None, EndpointState::Paused) => Some(Halt::Paused),
            (None, EndpointState::Requested | EndpointState::Revoked) => Some(Halt::NotBound),
            (None, EndpointState::Bound) => None,
        };
        let rows = endpoint.request.rows.as_ref();
        let bound = match (halt, endpoint.bound) {
            (None, Some(bound)) => bound,
            (halt, _) => {
                self.halt(Some(halt.unwrap_or(Halt::NotBound)));
                return Ok(look_again);
            }
        };
        if let Err(why) = self.link(&bound.binding) {
            self.halt(Some(Halt::Link(why)));
            return Ok(look_again);
        }
        // A pause since the registry was read holds for a link that was made since.
        self.follow();
        self.state.lock().can_be_called();
        loop {
            let now = self.common.engine.clock().now();
            let Some(call) = self.next(now)? else {
                let next = self.state.lock().next_at();
                let wait = next.map(|next| next.millis().saturating_sub(now.millis()).clamp(0, 60_000));
                let until = wait.map(|wait| Instant::now() + Duration::from_millis(wait.unsigned_abs()));
                return Ok(until.unwrap_or(look_again).min(look_again));
            };
            let together = match rows.map_or(Ok(Travel::With(1)), |rows| self.travel(&call, rows, now)) {
                Ok(Travel::With(together)) => together,
                Ok(Travel::Never) => continue,
                Ok(Travel::WaitsUntil(until)) => {
                    self.state.lock().upcoming.put_back(call);
                    return Ok(until.min(look_again));
                }
                Err(error) => {
                    self.state.lock().upcoming.put_back(call);
                    return Err(error);
                }
            };
            let until = match self.may_begin(&call) {
                Begin::Go(link, slot, pass) => {
                    let mut others = Vec::new();
                    let gathered = self.gather(&mut others, together - 1, now);
                    self.begin(link, rows.cloned(), call, others, (slot, pass));
                    gathered?;
                    continue;
                }
                Begin::Wait(until) => until.max(Instant::now() + Duration::from_millis(1)),
                Begin::Full => look_again,
            };
            self.state.lock().upcoming.put_back(call);
            return Ok(until);
        }
    }

    /// The next call that is due, of a customer none of whose calls is being tried.
    fn next(&self, now: Timestamp) -> Result<Option<PendingCall>, CallError> {
        let limit = {
            let mut state = self.state.lock();
            if state.asked.is_some_and(|asked| asked.elapsed() >= ASK_EVERY) {
                state.upcoming.forget();
            }
            let next = state.take_due(now);
            if next.is_some() || !state.upcoming.may_lack(now) {
                return Ok(next);
            }
            state.asked = Some(Instant::now());
            state.upcoming.ask();
            state.under_way.len() + LOOK_AHEAD
        };
        // What is only due later is read as well: then the view is asked again when these have run out.
        let calls = self.common.engine.calls();
        let found = calls.due(&self.capability, &self.endpoint, Timestamp(i64::MAX), limit);
        let mut state = self.state.lock();
        match found {
            Ok(found) => state.upcoming.answered(found, limit),
            Err(error) => {
                state.upcoming.forget();
                return Err(error.into());
            }
        }
        Ok(state.take_due(now))
    }

    /// How a call to an endpoint that takes rows travels.
    fn travel(&self, row: &PendingCall, rows: &Rows, now: Timestamp) -> Result<Travel, CallError> {
        let Some(Progress::Waiting(waiting)) = self.common.engine.calls().progress(&row.id())? else {
            return Ok(Travel::Never);
        };
        let Some(Row::Free { at_most }) = waiting.row else { return Ok(Travel::With(1)) };
        let together = batch::together(rows, at_most);
        // Nothing has happened to it yet.
        let is_new = at_most == 0 && waiting.attempts == 0;
        let wait = i64::try_from(rows.wait().as_duration().as_millis()).unwrap_or(i64::MAX);
        let left = row.at.millis().saturating_add(wait).saturating_sub(now.millis());
        if !is_new || left <= 0 || self.state.lock().upcoming.has_due(now, together - 1) {
            return Ok(Travel::With(together));
        }
        Ok(Travel::WaitsUntil(Instant::now() + Duration::from_millis(left.unsigned_abs())))
    }

    /// Takes so many calls that may travel with one that begins.
    fn gather(&self, calls: &mut Vec<PendingCall>, count: usize, now: Timestamp) -> Result<(), CallError> {
        while calls.len() < count {
            let Some(call) = self.next(now)? else { break };
            self.state.lock().under_way.insert(call.profile);
            calls.push(call);
        }
        Ok(())
    }

    fn may_begin(&self, call: &PendingCall) -> Begin {
        let now = Instant::now();
        let mut state = self.state.lock();
        let Some(link) = state.link.clone() else { return Begin::Full };
        let pass = match state.circuit.admit(now) {
            Admission::Go(pass) => pass,
            Admission::Wait(until) => {
                state.halted(Some(Halt::CircuitOpen));
                return Begin::Wait(until);
            }
            // The endpoint is being paused.
            Admission::Shut => return Begin::Full,
        };
        match state.bucket.take(now) {
            Ok(slot) => {
                // One that only tries whether the system works again ends nothing.
                if state.circuit.state() == CircuitState::Closed {
                    state.halted(None);
                }
                state.under_way.insert(call.profile);
                Begin::Go(link, slot, pass)
            }
            Err(busy) => {
                state.circuit.give_back(pass, now);
                match busy {
                    Busy::Parallel => Begin::Full,
                    Busy::Until(until) => Begin::Wait(until),
                }
            }
        }
    }

    /// The link, made anew when the binding or a secret has changed.
    pub fn link(&self, binding: &samsyn_registry::Binding) -> Result<Arc<Link>, LinkError> {
        let _one = self.linking.lock();
        let secrets = &self.common.secrets;
        if let Some(link) = self.state.lock().link.as_ref()
            && link.is_current(binding, secrets)
        {
            return Ok(link.clone());
        }
        let tokens = |secret: &SecretName| -> Arc<dyn samsyn_egress::auth::StoreToken> {
            let (engine, secrets) = (self.common.engine.clone(), self.common.secrets.clone());
            Arc::new(RefreshTokens { engine, secrets, secret: secret.clone() })
        };
        let made = Link::of(binding, secrets, &self.common.connector, tokens);
        let mut state = self.state.lock();
        match made {
            Ok(link) => {
                // Limits begin anew; what is under way ends over its own link, which its task holds.
                let link = Arc::new(link);
                let before = state.link.replace(link.clone());
                // What has not left for another system or by other rules leaves over the new one. When only a secret has
                // changed, what is under way ends: it may be what changed the secret.
                if let Some(before) = before.as_ref().filter(|before| before.binding != link.binding) {
                    before.endpoint.close();
                }
                if before.as_ref().is_none_or(|before| {
                    before.rate() != link.rate() || before.binding.parallel != link.binding.parallel
                }) {
                    state.bucket = Bucket::new(Some(link.rate()), link.binding.parallel);
                }
                state.circuit = Circuit::new(Instant::now());
                Ok(link)
            }
            Err(why) => {
                if let Some(before) = state.link.take() {
                    before.endpoint.close();
                }
                Err(why)
            }
        }
    }

    async fn withdraw_all(&self, has_capability: bool) -> Result<(), CallError> {
        let (code, reason) = match has_capability {
            true => ("endpoint.gone", "this version of the plug-in no longer requests the endpoint"),
            false => ("capability.removed", "the capability was removed"),
        };
        let calls = self.common.engine.calls();
        let limit = LOOK_AHEAD;
        self.state.lock().upcoming.forget();
        let all = calls.due(&self.capability, &self.endpoint, Timestamp(i64::MAX), limit)?;
        let (is_all, mut withdrawn) = (all.len() < limit, false);
        for pending in all {
            let id = pending.id();
            if !self.state.lock().under_way.contains(&id.profile) {
                match withdraw(&self.common.engine, &id, code, reason).await {
                    Err(CallError::Query(error)) => tracing::error!(capability = %self.capability,
                        endpoint = %self.endpoint, profile = %id.profile, %error, "a call can't be withdrawn"),
                    ended => withdrawn |= ended?,
                }
            }
        }
        if withdrawn && !is_all {
            self.wake();
        }
        Ok(())
    }

    fn halt(&self, why: Option<Halt>) {
        self.state.lock().halted(why);
    }
}

impl State {
    fn take_due(&mut self, now: Timestamp) -> Option<PendingCall> {
        self.upcoming.take_due(now, |call| !self.under_way.contains(&call.profile))
    }

    /// When the next call that waits for its time is to be tried.
    fn next_at(&self) -> Option<Timestamp> {
        self.upcoming.next_at(|call| !self.under_way.contains(&call.profile))
    }

    fn halted(&mut self, why: Option<Halt>) {
        if self.halt.is_some() != why.is_some() {
            self.halted_since = why.is_some().then(Instant::now);
        }
        self.halt = why;
    }

    /// It is bound and can be called: what else held it back no longer does.
    fn can_be_called(&mut self) {
        if self.halt != Some(Halt::CircuitOpen) || self.circuit.state() == CircuitState::Closed {
            self.halted(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_egress::policy::classify::Health;

    #[test]
    fn a_system_that_keeps_failing_halts_its_endpoint_until_it_works_and_all_else_until_it_is_gone() {
        let now = Instant::now();
        let mut state = State {
            link: None,
            bucket: Bucket::new(None, 1),
            circuit: Circuit::new(now),
            under_way: HashSet::new(),
            attempts: 0,
            upcoming: Upcoming::default(),
            asked: None,
            halt: None,
            halted_since: None,
        };
        state.halted(Some(Halt::Paused));
        state.can_be_called();
        assert_eq!((&state.halt, state.halted_since), (&None, None), "it was resumed");
        while let Admission::Go(pass) = state.circuit.admit(now) {
            state.circuit.record(pass, Health::Bad, now);
        }
        state.halted(Some(Halt::CircuitOpen));
        let since = state.halted_since;
        state.can_be_called();
        assert_eq!(
            (&state.halt, state.halted_since),
            (&Some(Halt::CircuitOpen), since),
            "it may be called, and fails"
        );
        state.circuit.reopen();
        state.can_be_called();
        assert_eq!(state.halt, None);
    }
}
