//! The calls about what the host keeps: snapshots, and how far back the log goes.

use samsyn_wire::{Retention, Snapshots};

use super::call::Call;
use super::{Answer, Client, ClientError};

impl Client {
    /// The snapshots there are.
    pub fn snapshots(&self) -> Result<Answer<Snapshots>, ClientError> {
        self.call(Call::new("GET", "/v1/snapshots"))
    }

    /// Has a snapshot made, in the background.
    pub fn make_snapshot(&self) -> Result<Answer<Snapshots>, ClientError> {
        self.call(Call::new("POST", "/v1/snapshots"))
    }

    /// Has old segments leave, or says which would.
    pub fn retain(&self, dry_run: bool) -> Result<Answer<Retention>, ClientError> {
        self.call(Call::new("POST", "/v1/log/retain").flag("dry_run", dry_run))
    }
}
