//! How to import.

use std::time::Duration;

use super::stop::Stop;

/// How to import.
#[derive(Debug, Clone)]
pub struct Options {
    /// Requests in flight at once, at least 1.
    pub lanes: usize,
    /// Events a request, at most the host's 2,500.
    pub batch_events: usize,
    /// Bytes of JSON a request, below the host's 500 KiB.
    pub batch_bytes: usize,
    /// How long to go on trying while the host is full or away.
    pub patience: Duration,
    /// The identifier whose customer's order is kept; none for the first row's first one.
    pub order_by: Option<String>,
    /// Ends the import early. A run that fails sets it too.
    pub stop: Stop,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            lanes: 4,
            batch_events: 200,
            // Below the host's 500 KiB, with room for a longer event than expected.
            batch_bytes: 400 * 1024,
            patience: Duration::from_secs(60),
            order_by: None,
            stop: Stop::default(),
        }
    }
}
