//! The answers of docs/http.md about replays.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::call::{Call, Sent, percent_encoded};
use super::{Answer, Client, ClientError};

/// How far a replay is, and what came of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Replay {
    /// What it is asked for by.
    pub id: String,
    /// `running`, `done`, `stopped` or `failed`.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
    /// Bytes of the log that were read.
    #[serde(default)]
    pub bytes_done: u64,
    /// Bytes there are.
    #[serde(default)]
    pub bytes_total: u64,
    /// As the host wrote it, when it is done.
    pub report: Option<Box<RawValue>>,
}

/// What a new version would have decided otherwise.
#[derive(Debug, Clone, Deserialize)]
pub struct ReplayReport {
    /// The plug-in.
    pub capability: String,
    /// What was run.
    pub new: ReplayVersion,
    /// What it was compared with; none: the log.
    pub against: Option<ReplayVersion>,
    /// Who decided in the log.
    #[serde(default)]
    pub decided_by: Vec<ReplayVersion>,
    /// Percent of the customers.
    #[serde(default)]
    pub percent: f64,
    /// Customers.
    pub profiles: u64,
    /// Those with a difference.
    #[serde(default)]
    pub profiles_different: u64,
    /// Customers left out.
    #[serde(default)]
    pub profiles_skipped: u64,
    /// Deliveries that were compared.
    pub deliveries: u64,
    /// Those that differ.
    pub different: u64,
    /// Effects by how they compare.
    pub effects: ReplayEffects,
    /// The worst first.
    pub findings: Vec<ReplayFinding>,
    /// Deliveries that could not be made again, by why.
    #[serde(default)]
    pub not_replayed: BTreeMap<String, u64>,
    /// What it asks for beyond what is granted.
    #[serde(default)]
    pub wants: Vec<String>,
    /// Why it ended early.
    pub gave_up: Option<String>,
    /// How long it took.
    #[serde(default)]
    pub seconds: f64,
}

/// A component of a plug-in.
#[derive(Debug, Clone, Deserialize)]
pub struct ReplayVersion {
    /// As its manifest has it.
    pub version: Option<String>,
    /// Its hash.
    pub digest: String,
    /// Deliveries it decided in the log.
    #[serde(default)]
    pub deliveries: u64,
    /// Those that differ.
    #[serde(default)]
    pub different: u64,
}

/// Effects by how they compare.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct ReplayEffects {
    /// The same.
    pub same: u64,
    /// Another value.
    pub changed: u64,
    /// Only the new one has it.
    pub added: u64,
    /// The new one no longer has it.
    pub gone: u64,
    /// The new one refuses it.
    pub refused: u64,
    /// The new one fails.
    pub failed: u64,
    /// It no longer fails.
    pub mended: u64,
}

/// A difference.
#[derive(Debug, Clone, Deserialize)]
pub struct ReplayFinding {
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// `field`, `event`, `refusal`, `memory`, `delivery` or `other`.
    pub what: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `changed`, `added`, `gone`, `refused`, `failed` or `mended`.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// With how many customers.
    #[serde(default)]
    pub profiles: u64,
    /// A few.
    #[serde(default)]
    pub samples: Vec<ReplaySample>,
}

/// An example of a difference.
#[derive(Debug, Clone, Deserialize)]
pub struct ReplaySample {
    /// The customer's profile.
    pub profile: String,
    /// What was delivered.
    pub position: String,
    /// In a word.
    #[serde(default)]
    pub on: String,
    /// Before.
    #[serde(default)]
    pub before: Value,
    /// The value after.
    #[serde(default)]
    pub after: Value,
}

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
