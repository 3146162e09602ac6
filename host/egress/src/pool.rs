//! Connections of one endpoint that wait for its next call.
//!
//! A pool belongs to one endpoint as it is bound now: address rules, credentials, certificates and proxy. Whoever
//! binds it anew makes another endpoint, with another pool; so no call ever finds a connection that was made under
//! other rules.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::exchange::Live;

/// How long a connection is used at most: after that the name is looked up again.
const AGE_MAX: Duration = Duration::from_secs(120);

struct Idle {
    live: Live,
    born: Instant,
    until: Instant,
}

#[derive(Default)]
struct State {
    idle: Vec<Idle>,
    closed: bool,
    sweeping: bool,
}

/// The idle connections of one endpoint.
pub(crate) struct Pool {
    state: Arc<Mutex<State>>,
    max: usize,
    idle: Duration,
}

impl Pool {
    pub(crate) fn new(max: usize, idle: Duration) -> Pool {
        Pool { state: Arc::default(), max, idle }
    }

    /// A connection that is still open, and when it was made. The newest is taken: the others may then grow old.
    pub(crate) fn take(&self) -> Option<(Live, Instant)> {
        loop {
            let mut idle = self.state.lock().idle.pop()?;
            let now = Instant::now();
            if now < idle.until && now < idle.born + AGE_MAX && idle.live.is_alive() {
                return Some((idle.live, idle.born));
            }
        }
    }

    /// Keeps a connection, unless there are enough or the endpoint is gone.
    pub(crate) fn put(&self, live: Live, born: Instant) {
        let mut state = self.state.lock();
        if state.closed || state.idle.len() >= self.max {
            return;
        }
        state.idle.push(Idle { live, born, until: Instant::now() + self.idle });
        if !std::mem::replace(&mut state.sweeping, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.state)));
        }
    }

    /// Closes what is idle, and whatever comes back from now on.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.idle.clear();
    }

    /// How many are idle.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.state.lock().idle.len()
    }
}

/// Closes connections as they grow old, and ends with the last.
async fn sweep(state: Weak<Mutex<State>>) {
    loop {
        let next = {
            let Some(state) = state.upgrade() else { return };
            let mut state = state.lock();
            let now = Instant::now();
            state.idle.retain(|idle| now < idle.until);
            match state.idle.iter().map(|idle| idle.until).min() {
                Some(next) => next,
                None => {
                    state.sweeping = false;
                    return;
                }
            }
        };
        tokio::time::sleep_until(next).await;
    }
}
