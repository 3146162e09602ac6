//! What can end the engine's work, or keep it from beginning: each with its cause.

use std::sync::Arc;

use samsyn_journal::{ReadError, RecordError};
use samsyn_log::{AppendError, Failure, LogError};
use samsyn_state::view::StoreError;
use samsyn_vocabulary::{Position, ProfileId};

/// Something that should work and doesn't: the disk below the log or the view, a damaged record, or a mistake
/// of the host's own. Nothing is wrong with what was sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// A write or sync of the log failed; nothing is appended before the next start.
    #[error("the host can't write its log: {0}")]
    LogFailed(#[source] Failure),
    /// The log doesn't take these records.
    #[error("the host can't write its log: {0}")]
    NotAppended(#[source] AppendError),
    /// The view can't be read or written.
    #[error("the host can't write its view: {0}")]
    View(#[source] Arc<StoreError>),
    /// The view's writer stopped, for this reason.
    #[error("the host can't write its view: {0}")]
    ViewStopped(String),
    /// The log can't be read.
    #[error("the host can't read its log: {0}")]
    Log(#[source] Arc<LogError>),
    /// A record can't be read.
    #[error("the host can't read its log: {0}")]
    Record(#[source] Arc<RecordError>),
    /// What is kept of a customer names another customer's record.
    #[error("the host can't read its log: record {position} belongs to another customer than {profile}")]
    AnothersRecord {
        position: Position,
        /// Whose it should be.
        profile: ProfileId,
    },
    /// A mistake in the host itself.
    #[error("a mistake in the host itself: {0}; please report it")]
    Bug(&'static str),
}

impl Fault {
    /// Its cause alone.
    pub fn cause(&self) -> String {
        match self {
            Fault::ViewStopped(cause) => cause.clone(),
            Fault::Bug(what) => (*what).to_owned(),
            fault => {
                std::error::Error::source(fault).map_or_else(|| fault.to_string(), |cause| cause.to_string())
            }
        }
    }
}

/// Why nothing is accepted or decided any more, or this once.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StopCause {
    /// The host was told to stop.
    #[error("the host is stopping")]
    Stopping,
    /// It can't go on.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<AppendError> for StopCause {
    fn from(error: AppendError) -> StopCause {
        match error {
            AppendError::Closed => StopCause::Stopping,
            AppendError::Failed(failure) => Fault::LogFailed(failure).into(),
            error => Fault::NotAppended(error).into(),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::View(Arc::new(error))
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Fault {
        Fault::Log(Arc::new(error))
    }
}

impl From<RecordError> for Fault {
    fn from(error: RecordError) -> Fault {
        Fault::Record(Arc::new(error))
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Fault {
        match error {
            ReadError::Log(error) => error.into(),
            ReadError::Record(error) => error.into(),
        }
    }
}

impl From<crate::QueryError> for Fault {
    fn from(error: crate::QueryError) -> Fault {
        match error {
            crate::QueryError::View(error) => error.into(),
            crate::QueryError::Log(error) => error.into(),
            crate::QueryError::Record(error) => error.into(),
            crate::QueryError::AnothersRecord { position, profile } => {
                Fault::AnothersRecord { position, profile }
            }
        }
    }
}

/// Each of these is a fault for whoever was told to go on.
macro_rules! stops {
    ($($error:ty),*) => {
        $(impl From<$error> for StopCause {
            fn from(error: $error) -> StopCause {
                StopCause::Fault(error.into())
            }
        })*
    };
}

stops!(StoreError, LogError, RecordError, ReadError, crate::QueryError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AcceptError;
    use std::error::Error;

    fn failure() -> Failure {
        let target = samsyn_log::Target::File("0001.segment".into());
        Failure { action: "write", target, cause: Arc::new(std::io::Error::other("the disk is full")) }
    }

    #[test]
    fn every_fault_keeps_its_cause() {
        let faults = [
            StopCause::from(AppendError::Failed(failure())),
            AppendError::TooLarge { bytes: 2, max: 1 }.into(),
            StoreError::Store("locked".to_owned()).into(),
            LogError::Held("log".into()).into(),
        ];
        for cause in faults {
            let StopCause::Fault(fault) = &cause else { panic!("{cause:?}") };
            let source = fault.source().unwrap_or_else(|| panic!("{fault} has a cause")).to_string();
            assert!(fault.to_string().ends_with(&source), "{fault}: {source}");
            assert_eq!(fault.cause(), source);
            // Whoever accepts hears the same.
            assert_eq!(AcceptError::from(cause.clone()).to_string(), cause.to_string());
        }
    }

    #[test]
    fn a_mistake_of_the_host_is_no_load_and_a_closed_log_is_no_fault() {
        let bug = AcceptError::from(Fault::Bug("an append of no records"));
        assert!(matches!(bug, AcceptError::Stopped(StopCause::Fault(Fault::Bug(_)))), "{bug:?}");
        assert!(!matches!(bug, AcceptError::Busy));
        assert!(matches!(StopCause::from(AppendError::Closed), StopCause::Stopping));
    }
}
