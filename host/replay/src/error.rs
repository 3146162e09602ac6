//! Why a log isn't replayed.

use samsyn_journal::RecordError;
use samsyn_log::LogError;
use samsyn_registry::ManifestError;
use samsyn_sandbox::{PackageError, SandboxError};
use samsyn_vocabulary::{CapabilityName, Position};

/// Why a log isn't replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A record can't be read.
    #[error("{position}: {cause}")]
    Record { position: Position, cause: RecordError },
    /// An item can't be read.
    #[error("{0}")]
    Item(String),
    /// The sandbox can't be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A component can't be taken.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A manifest can't be taken.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is nothing it could be compared with.
    #[error(
        "{0} was never installed here, so the log has no decisions of it; install it, or build it with the name of the capability that it replaces"
    )]
    NeverInstalled(CapabilityName),
    /// The two components are of different plug-ins.
    #[error("the components are two plug-ins, {capability} and {other}; you can compare two versions of one")]
    Another {
        /// The new one's.
        capability: CapabilityName,
        /// The other's.
        other: CapabilityName,
    },
    /// The registry's first records are gone.
    #[error(
        "the log begins at {first}: it no longer has the registry's first records, so earlier revisions are not known"
    )]
    NoBeginning {
        /// The oldest record of its partition.
        first: Position,
    },
    /// The customers don't fit into memory.
    #[error(
        "there are more than {max} customers; replay {percent:.1}% of them, or raise engine.replay_profiles_max"
    )]
    TooMany {
        /// How many may be held.
        max: u64,
        /// What would fit.
        percent: f64,
    },
    /// It was stopped.
    #[error("the replay was stopped")]
    Stopped,
    /// One runs already.
    #[error("the replay {id} of {capability} is running; wait until it ends, or stop it")]
    Running {
        id: String,
        /// Of which plug-in.
        capability: CapabilityName,
    },
    /// No such replay.
    #[error("there is no replay {0:?}; the host keeps only the last few, and none after it stops")]
    Unknown(String),
}
