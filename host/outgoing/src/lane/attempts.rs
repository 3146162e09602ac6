//! The attempts of an endpoint: each begins, and gives back its place however it ends.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use parking_lot::Mutex;
use samsyn_contract::calls::Rows;
use samsyn_egress::policy::bucket::Slot;
use samsyn_egress::policy::circuit::{Pass, State as CircuitState};
use samsyn_egress::policy::classify::{health, is_too_many};
use samsyn_engine::{CallError, StopCause};
use samsyn_journal::{CallId, PendingCall};
use samsyn_registry::endpoint::EndpointChange;
use samsyn_registry::{Attribution, Pause};
use samsyn_vocabulary::{Application, ProfileId, Reason};

use super::{Halt, LOOK_EVERY, Lane};
use crate::attempt::{Attempted, attempt};
use crate::link::Link;

impl Lane {
    /// Begins an attempt of a call. If it is a row, the others are those that may travel with it.
    pub(super) fn begin(
        self: &Arc<Lane>,
        link: Arc<Link>,
        rows: Option<Rows>,
        call: PendingCall,
        others: Vec<PendingCall>,
        (slot, pass): (Slot, Pass),
    ) {
        let lane = self.clone();
        self.state.lock().attempts += 1;
        tokio::spawn(async move {
            let held = Arc::new(Mutex::new(others));
            let ended = lane.attempted(&link, rows, &call, &held).await;
            if ended.is_none() && !lane.common.stopping.load(Ordering::Relaxed) {
                // It would be the next again at once.
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let was_called = matches!(ended, Some(Attempted::Called(_)));
            // One that can't be read is asked for later.
            let listed = |call: &PendingCall| lane.common.engine.calls().listed(&call.id()).ok().flatten();
            let calls: Vec<PendingCall> = std::iter::once(call).chain(mem::take(&mut *held.lock())).collect();
            let listed: Vec<Option<PendingCall>> = calls.iter().map(listed).collect();
            let now = Instant::now();
            let shut = {
                let mut state = lane.state.lock();
                // What an earlier link's answers say is no news of this one.
                let is_current = state.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, &link));
                match &ended {
                    Some(Attempted::Called(outcome)) => {
                        lane.common.attempts.fetch_add(1, Ordering::Relaxed);
                        if is_too_many(outcome) {
                            state.bucket.refused(&slot, now);
                        }
                        state.bucket.finish(slot);
                        if is_current {
                            state.circuit.record(pass, health(outcome), now);
                        }
                    }
                    Some(Attempted::NotCalled) | None => {
                        state.bucket.give_back(slot);
                        if is_current {
                            state.circuit.give_back(pass, now);
                        }
                    }
                }
                state.attempts -= 1;
                for (at, (call, listed)) in calls.into_iter().zip(listed).enumerate() {
                    state.under_way.remove(&call.profile);
                    // A row that may not have travelled waits as before.
                    let may_wait = was_called || at > 0;
                    match listed {
                        // No record says what became of it, so nobody will say that it waits.
                        _ if ended.is_none() => state.upcoming.put_back(call),
                        // Its time may be the same again, or the clock went back: then nobody says so either.
                        Some(listed) if listed != call || may_wait => {
                            state.upcoming.add([listed]);
                        }
                        _ => {}
                    }
                }
                if state.circuit.state() == CircuitState::Closed && state.halt == Some(Halt::CircuitOpen) {
                    state.halted(None);
                }
                matches!(state.circuit.state(), CircuitState::Shut { .. })
            };
            if shut {
                lane.pause_for_credentials();
            }
            lane.wake();
        });
    }

    /// Lets those of the held calls go on that don't travel.
    fn give_back(&self, held: &Mutex<Vec<PendingCall>>, travelling: &[CallId]) {
        let travelling: HashSet<ProfileId> = travelling.iter().map(|id| id.profile).collect();
        let left: Vec<PendingCall> =
            held.lock().extract_if(.., |call| !travelling.contains(&call.profile)).collect();
        if left.is_empty() {
            return;
        }
        {
            let mut state = self.state.lock();
            for call in left {
                state.under_way.remove(&call.profile);
                state.upcoming.put_back(call);
            }
        }
        self.wake();
    }

    /// Makes an attempt; none when it isn't known what became of it, which is said here.
    async fn attempted(
        self: &Arc<Lane>,
        link: &Arc<Link>,
        rows: Option<Rows>,
        call: &PendingCall,
        held: &Arc<Mutex<Vec<PendingCall>>>,
    ) -> Option<Attempted> {
        let (lane, link, id, held) = (self.clone(), link.clone(), call.id(), held.clone());
        let others: Vec<CallId> = held.lock().iter().map(PendingCall::id).collect();
        // A task of its own: one that panics gives back its place like any other.
        let attempt = tokio::spawn(async move {
            let travelling = |ids: &[CallId]| lane.give_back(&held, ids);
            attempt(&lane.common.engine, &link, rows.as_ref(), (&id, &others), &travelling).await
        });
        let (capability, endpoint, profile) = (&self.capability, &self.endpoint, call.profile);
        match attempt.await {
            Ok(Ok(attempted)) => return Some(attempted),
            Ok(Err(CallError::Stopped(StopCause::Stopping))) => {}
            Ok(Err(error)) => tracing::error!(%capability, %endpoint, %profile, %error,
                "what became of a call can't be written down"),
            Err(error) => tracing::error!(%capability, %endpoint, %profile, %error,
                "an attempt to call a system failed; this is a fault of the host"),
        }
        None
    }

    /// The system refused the host's credentials three times in a row: nothing more is sent until somebody has looked.
    fn pause_for_credentials(&self) {
        let reason = "the system refused the credentials 3 times: check the secret, then resume the endpoint";
        let (Ok(by), Ok(reason)) = (Application::new("host"), reason.parse::<Reason>()) else { return };
        let pause = Pause { by: by.clone(), reason: reason.clone(), at: self.common.engine.clock().now() };
        let changed = self.common.engine.registrar().change_endpoint(
            self.capability.as_str(),
            self.endpoint.as_str(),
            EndpointChange::Pause(pause),
            None,
            Attribution { by, reason: Some(reason) },
        );
        match changed {
            Ok((_, Some(_))) => tracing::error!(capability = %self.capability, endpoint = %self.endpoint,
                "the endpoint is paused: the system refused the credentials 3 times"),
            // It is paused already.
            Ok((_, None)) => {}
            Err(error) => tracing::error!(capability = %self.capability, endpoint = %self.endpoint, %error,
                "the endpoint can't be paused"),
        }
        // What has begun and not left doesn't leave.
        self.follow();
        self.state.lock().circuit.reopen();
    }
}
