//! How much the interface takes at once, and what happens beyond: nothing waits in a queue that
//! could grow, a client is told to come back.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ApiState;
use super::problem::{Kind, Problem};
use samsyn_http::{ConnectionInfo, ConnectionLimits};
use samsyn_openapi::operation::is_always_answered;

/// What the HTTP interface takes. Everything can be configured; the defaults say why they are so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiLimits {
    /// Bytes of a JSON body after decompression. 500 KiB: 2,500 events of 200 bytes, read within
    /// a few milliseconds.
    pub body_bytes: usize,
    /// Seconds until a body must be there. 20: 500 KiB over a bad mobile connection.
    pub body_seconds: u64,
    /// Seconds until a component must be there. 120: 32 MiB at 2 Mbit/s.
    pub component_seconds: u64,
    /// Requests under way. 1,024: with the largest bodies they hold 500 MiB, with usual ones a few.
    pub requests: usize,
    /// Requests under way of one address. 512: half, so that one client can't take it all.
    pub requests_per_client: usize,
    /// Open connections. 4,096: each costs some kilobytes, at the worst some hundred, and a file
    /// descriptor. Beyond it the longest idle ones are closed for new ones.
    pub connections: usize,
    /// Seconds until a request's head must be there, from its first byte; the same for a TLS
    /// handshake. 10: a head fits into a few packets, even over a bad mobile connection.
    pub head_seconds: u64,
    /// Seconds a connection may be open without a request under way. 60: longer than the pauses of
    /// a client that keeps its connections.
    pub idle_seconds: u64,
    /// Components being planned or installed at once. 2: compiling takes a core and a gigabyte.
    pub installs: usize,
    /// Requests a second of one token that has no rate of its own; 0: no bound. 1,000: a busy web
    /// shop. An admin token is slowed only when it was made so.
    pub token_requests_per_second: u32,
    /// Events a second of one token, the same way. 10,000: four of the largest lists.
    pub token_events_per_second: u32,
}

impl ApiLimits {
    /// What concerns connections.
    pub fn of_connections(&self) -> ConnectionLimits {
        ConnectionLimits {
            connections: self.connections,
            head: Duration::from_secs(self.head_seconds),
            idle: Duration::from_secs(self.idle_seconds),
        }
    }
}

impl Default for ApiLimits {
    fn default() -> ApiLimits {
        ApiLimits {
            body_bytes: 500 * 1024,
            body_seconds: 20,
            component_seconds: 120,
            requests: 1024,
            requests_per_client: 512,
            connections: 4096,
            head_seconds: 10,
            idle_seconds: 60,
            installs: 2,
            token_requests_per_second: 1_000,
            token_events_per_second: 10_000,
        }
    }
}

impl ApiLimits {
    /// How long a JSON body may take.
    pub fn body_time(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    /// How long a component may take.
    pub fn component_time(&self) -> Duration {
        Duration::from_secs(self.component_seconds)
    }
}

/// Counts what is under way.
pub struct Admission {
    all: Arc<Semaphore>,
    installs: Arc<Semaphore>,
    per_client_max: usize,
    per_client: Mutex<HashMap<Option<IpAddr>, usize>>,
}

impl Admission {
    /// Nothing is under way yet.
    pub fn new(limits: &ApiLimits) -> Arc<Admission> {
        Arc::new(Admission {
            all: Arc::new(Semaphore::new(limits.requests)),
            installs: Arc::new(Semaphore::new(limits.installs)),
            per_client_max: limits.requests_per_client,
            per_client: Mutex::default(),
        })
    }

    /// Room for one request of this client, given back when the result is dropped.
    pub fn enter(self: &Arc<Self>, client: Option<IpAddr>) -> Result<Admitted, Problem> {
        {
            let mut per_client = self.per_client.lock();
            let count = per_client.entry(client).or_default();
            if *count >= self.per_client_max {
                let detail = format!("{count} requests of this client are under way, which is the limit");
                return Err(Problem::new(Kind::TooManyRequests, detail));
            }
            *count += 1;
        }
        // From here on dropping it gives the client's place back.
        let mut admitted = Admitted { admission: self.clone(), client, _permit: None };
        match self.all.clone().try_acquire_owned() {
            Ok(permit) => admitted._permit = Some(permit),
            Err(_) => {
                return Err(Problem::new(Kind::Busy, "the limit of requests under way is reached"));
            }
        }
        Ok(admitted)
    }

    /// Room for one component to be compiled.
    pub fn enter_install(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = |_| Problem::new(Kind::Busy, "other components are being compiled");
        self.installs.clone().try_acquire_owned().map_err(busy)
    }
}

/// A request that is under way.
pub struct Admitted {
    admission: Arc<Admission>,
    client: Option<IpAddr>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut per_client = self.admission.per_client.lock();
        if let Some(count) = per_client.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                per_client.remove(&self.client);
            }
        }
    }
}

/// Lets a request through while there is room. Health is answered always: a host that is busy is
/// not a host that is dead.
pub async fn admit(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    if is_always_answered(request.uri().path()) {
        return next.run(request).await;
    }
    let client =
        request.extensions().get::<ConnectInfo<ConnectionInfo>>().map(|ConnectInfo(info)| info.address());
    match state.admission.enter(client) {
        Ok(_admitted) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_cannot_take_all_and_places_come_back() {
        let limits = ApiLimits { requests: 3, requests_per_client: 2, ..ApiLimits::default() };
        let admission = Admission::new(&limits);
        let client = |last| Some(IpAddr::from([10, 0, 0, last]));
        let held = [admission.enter(client(1)).unwrap(), admission.enter(client(1)).unwrap()];
        assert_eq!(admission.enter(client(1)).err().unwrap().kind, Kind::TooManyRequests);
        let third = admission.enter(client(2)).unwrap();
        assert_eq!(admission.enter(client(3)).err().unwrap().kind, Kind::Busy);
        drop(held);
        drop(admission.enter(client(1)).unwrap());
        drop(third);
        assert!(admission.per_client.lock().is_empty());
        assert_eq!(admission.all.available_permits(), 3);
    }

    #[test]
    fn compiling_is_bounded_by_itself() {
        let admission = Admission::new(&ApiLimits { installs: 1, ..ApiLimits::default() });
        let held = admission.enter_install().unwrap();
        assert_eq!(admission.enter_install().err().unwrap().kind, Kind::Busy);
        drop(held);
        assert!(admission.enter_install().is_ok());
    }
}
