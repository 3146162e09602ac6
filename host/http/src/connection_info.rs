//! The connection as handlers see it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::time::Instant;

/// The client at the other end of a request's connection.
#[derive(Clone)]
pub struct ConnectionInfo {
    address: IpAddr,
    activity: Arc<Activity>,
}

impl ConnectionInfo {
    /// At this address.
    pub(super) fn new(address: IpAddr, activity: Arc<Activity>) -> ConnectionInfo {
        ConnectionInfo { address, activity }
    }

    /// The client's address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Keeps the connection open until the result is dropped.
    pub fn request_under_way(&self) -> RequestUnderWay {
        self.activity.begun.fetch_add(1, Ordering::Relaxed);
        self.activity.under_way.fetch_add(1, Ordering::Relaxed);
        RequestUnderWay(self.activity.clone())
    }

    /// Some of a request's body stays unread: the client may still send it when the connection ends.
    pub fn leave_body_unread(&self) {
        self.activity.body_unread.store(true, Ordering::Relaxed);
    }

    /// Whether none of its requests is being answered.
    pub fn is_idle(&self) -> bool {
        self.activity.is_idle()
    }

    /// Done when somebody else needs the connection's slot.
    pub async fn slot_is_wanted(&self) {
        self.activity.leave.notified().await;
    }
}

/// A request that is being answered.
pub struct RequestUnderWay(Arc<Activity>);

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        let Activity { origin, under_way, ended, since_ms, .. } = &*self.0;
        since_ms.store(origin.elapsed().as_millis() as u64, Ordering::Relaxed);
        ended.fetch_add(1, Ordering::Relaxed);
        under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is known of a connection from outside the task that has it.
pub(super) struct Activity {
    /// What `since_ms` counts from.
    origin: Instant,
    under_way: AtomicUsize,
    /// Requests that have begun.
    pub begun: AtomicUsize,
    /// Requests that have been answered.
    pub ended: AtomicUsize,
    /// When it was accepted, or its newest request ended.
    pub since_ms: AtomicU64,
    /// A client may still be sending what nobody reads.
    pub body_unread: AtomicBool,
    /// Somebody else wants its slot.
    pub leave: Notify,
}

impl Activity {
    /// Of a connection accepted now; times count from `origin`.
    pub fn new(origin: Instant) -> Activity {
        let since_ms = AtomicU64::new(origin.elapsed().as_millis() as u64);
        let zero = AtomicUsize::default;
        Activity {
            origin,
            under_way: zero(),
            begun: zero(),
            ended: zero(),
            since_ms,
            body_unread: AtomicBool::new(false),
            leave: Notify::new(),
        }
    }

    /// Whether no request is being answered.
    pub fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) == 0
    }
}
