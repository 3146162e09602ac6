//! The calls about replays.

use serde_json::value::RawValue;

use super::call::{Call, Sent, percent_encoded};
use super::{Answer, Client, ClientError};

/// A replay whose report is kept as the host wrote it.
pub type Replay = samsyn_wire::Replay<Box<RawValue>>;

impl Client {
    /// Starts a replay of a component, compared with another one or with the log.
    pub fn start_replay(
        &self,
        new: &[u8],
        against: Option<&[u8]>,
        percent: Option<f64>,
    ) -> Result<Answer<Replay>, ClientError> {
        let both = against.map(|against| [new, against].concat());
        let mut call = Call::new("POST", "/v1/replays");
        if let Some(against) = against {
            call = call.query("against_bytes", against.len());
        }
        if let Some(percent) = percent {
            call = call.query("profiles", percent);
        }
        call.sent = Sent::Wasm(both.as_deref().unwrap_or(new));
        self.call(call)
    }

    /// How far a replay is; with `values` its examples show them.
    pub fn replay(&self, id: &str, values: bool) -> Result<Answer<Replay>, ClientError> {
        let path = format!("/v1/replays/{}", percent_encoded(id));
        self.call(Call::new("GET", path).flag("values", values))
    }

    /// Stops a replay.
    pub fn stop_replay(&self, id: &str) -> Result<Answer<Replay>, ClientError> {
        self.call(Call::new("DELETE", format!("/v1/replays/{}", percent_encoded(id))))
    }
}
