//! How far a call came: for an administrator who tries an endpoint out.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// What was done for a call, none of it secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// The authorization server gave an access token.
    Token,
    /// These addresses were found, and all of them are allowed.
    Addresses(Vec<IpAddr>),
    /// A connection was made, to the endpoint or to its proxy.
    Connected(SocketAddr),
    /// The proxy opened a tunnel.
    Tunnel,
    /// TLS was agreed on: its version.
    Tls(&'static str),
    /// The answer began: its status.
    Answer(u16),
}

/// A step, and when it was done, counted from the call's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub did: Did,
    /// When.
    pub after: Duration,
}

/// The steps of one call. Calls that nobody watches keep none.
pub(crate) struct Steps(Option<(Instant, Mutex<Vec<Step>>)>);

impl Steps {
    /// Keeps nothing.
    pub(crate) const NONE: Steps = Steps(None);

    /// Counts from now.
    pub(crate) fn begun() -> Steps {
        Steps(Some((Instant::now(), Mutex::default())))
    }

    pub(crate) fn add(&self, did: impl FnOnce() -> Did) {
        if let Steps(Some((began, steps))) = self {
            steps.lock().push(Step { did: did(), after: began.elapsed() });
        }
    }

    pub(crate) fn all(self) -> Vec<Step> {
        self.0.map(|(_, steps)| steps.into_inner()).unwrap_or_default()
    }
}
