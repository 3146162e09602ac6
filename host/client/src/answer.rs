//! What a batch's sender is told.

use std::time::Duration;

use serde_json::Value;

use samsyn_wire::TakenOrRefused;

/// What became of a batch.
#[derive(Debug, Clone)]
pub struct BatchAnswer {
    /// One element for each event, in the order sent; a problem is as the host wrote it.
    pub events: Vec<TakenOrRefused<Value>>,
    /// How long to wait before sending those again that can be.
    pub retry_after: Option<Duration>,
}
