//! What there is for workers to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use crate::way::Way;
use samsyn_decide::item::Item;
use samsyn_journal::{Accepted, CallRecord, Decided, Due, PendingTimer, ProfileState};
use samsyn_vocabulary::{CapabilityName, Position, ProfileId, Seq};
use tokio::sync::oneshot;

/// Something for a worker to do in one partition.
#[derive(Debug)]
pub enum Work {
    /// Decide an application's event.
    Accepted {
        seq: Seq,
        accepted: Arc<Accepted>,
        /// Where it waited so far.
        way: Way,
    },
    /// Decide the items of a decision.
    Derived {
        seq: Seq,
        /// The decision.
        decided: Arc<Decided>,
    },
    /// Fire a timer, if it is still set.
    Fire(Box<PendingTimer>),
    /// Decide a timer that has fired.
    Due { seq: Seq, due: Arc<Due> },
    /// Append a record about a call, if the call is as it takes it to be.
    Call {
        record: Box<CallRecord>,
        /// Is told where it stands; none: nowhere.
        reply: oneshot::Sender<Option<Position>>,
    },
    /// Decide an item about a call: its answer, or a doubt.
    OfCall { seq: Seq, item: Item },
    /// Take the newest registry revision into use.
    Adopt,
    /// Run, or skip, what waits of a capability and a customer.
    Retry {
        profile: ProfileId,
        capability: CapabilityName,
        /// Why it is given up, when it is.
        skip: Option<String>,
    },
    /// Notify the consumers of these customers what moved sources made of their values.
    NotifySourceChange { batch: NotifyBatch },
    /// Every customer has been notified.
    EndJobs {
        /// Of jobs that began up to here.
        through: Seq,
        /// Where the customers that were notified are added up.
        notified: Arc<AtomicU64>,
    },
    /// Write down where the partition's cursors are.
    NoteCursor,
    /// A lagging capability has nearly caught up: give it the rest, and let it move along.
    Join {
        capability: CapabilityName,
        /// Set when that is done, or turned out not to be due.
        done: Arc<AtomicBool>,
    },
}

/// Customers of one partition whose consumers are to be notified, as they were read from the view.
#[derive(Debug, Default)]
pub struct NotifyBatch {
    pub profiles: Vec<Arc<ProfileState>>,
    /// The partition's last record in the view before they were read.
    pub applied: Seq,
}
