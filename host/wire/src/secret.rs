//! Secrets. No answer has a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Lenient;
use samsyn_vocabulary::{Application, SecretName, Timestamp};

/// A secret, without its value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Secret {
    /// Its name.
    #[schemars(with = "SecretName")]
    pub name: String,
    /// Whether the host has its newest value. `no-key`: the host has no sealing key. `other-key`: the value was
    /// sealed under another key. `invalid`: the mounted file is no usable value.
    #[schemars(extend("enum" = ["ok", "missing", "no-key", "other-key", "damaged", "invalid", "unknown"]))]
    pub state: String,
    /// Why the host doesn't have the value.
    pub reason: Option<String>,
    /// What to do then.
    pub next: Option<String>,
    /// Where its value is: `sealed` in the data directory, or a `mounted` file. Null: nobody has set it.
    #[schemars(extend("enum" = ["sealed", "mounted", null]))]
    pub origin: Option<String>,
    /// The short name of its newest value under the host's key: equal values have equal ones.
    pub fingerprint: Option<String>,
    /// Its versions in use, the newest last: at most two. A mounted secret has none.
    pub versions: Vec<SecretVersion>,
    /// What uses it.
    pub used_by: Vec<String>,
    /// True: there is a mounted file too, which the host ignores because the value was set.
    pub ignores_mounted: bool,
}

/// A version of a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct SecretVersion {
    /// Its number. Numbers are never used again.
    pub version: u32,
    /// Whether the host has its value, as for the secret.
    #[schemars(extend("enum" = ["ok", "missing", "no-key", "other-key", "damaged", "invalid", "unknown"]))]
    pub state: String,
    /// The short name of its value.
    pub fingerprint: String,
    /// When it was set.
    pub set_at: Lenient<Timestamp>,
    /// The application that set it.
    #[schemars(with = "Application")]
    pub set_by: String,
}
