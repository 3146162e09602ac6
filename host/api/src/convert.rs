//! Errors of the floors below as problems.

use super::json::JsonPath;
use super::problem::{Kind, Problem};
use samsyn_engine::{AcceptError, ChangeError, Fault, InstallError, QueryError, StopCause};
use samsyn_registry::{FileError, RegistryError};
use samsyn_sandbox::PackageError;
use samsyn_vocabulary::CapabilityName;

/// Why an event isn't taken, with the place of the event in the request.
pub fn accept_problem(error: &AcceptError, event: &JsonPath<'_>) -> Problem {
    let detail = error.to_string();
    match error {
        AcceptError::NobodyNamed => event.key("identifiers").problem(Kind::MissingIdentifier, detail),
        AcceptError::UnknownProfile(_) => event.key("profile").problem(Kind::UnknownProfile, detail),
        AcceptError::UnknownIdentifier(name) => {
            event.key("identifiers").key(name.as_str()).problem(Kind::UnknownIdentifier, detail)
        }
        AcceptError::BadIdentifier(name, _) => {
            event.key("identifiers").key(name.as_str()).problem(Kind::IdentifierInvalid, detail)
        }
        AcceptError::TooManyIdentifiers(name) => {
            event.key("identifiers").key(name.as_str()).problem(Kind::IdentifiersTooMany, detail)
        }
        AcceptError::EventIdReused { .. } => event.key("id").problem(Kind::EventIdReused, detail),
        AcceptError::IdForgotten { .. } => event.key("id").problem(Kind::EventIdForgotten, detail),
        AcceptError::TimeAhead { .. } => event.key("at").problem(Kind::EventTimeAhead, detail),
        AcceptError::TimeEarly { .. } => event.key("at").problem(Kind::EventTimeEarly, detail),
        AcceptError::Busy => Problem::new(Kind::Busy, detail),
        AcceptError::Stopped(cause) => stop_problem(cause),
    }
}

/// Why the host can't do anything now.
fn stop_problem(cause: &StopCause) -> Problem {
    let kind = match cause {
        StopCause::Stopping => Kind::NotReady,
        StopCause::Fault(Fault::LogFailed(_) | Fault::NotAppended(_)) => Kind::LogFailed,
        StopCause::Fault(Fault::View(_) | Fault::ViewStopped(_)) => Kind::ViewFailed,
        StopCause::Fault(Fault::Log(_) | Fault::Record(_) | Fault::AnothersRecord { .. }) => {
            Kind::LogUnreadable
        }
        StopCause::Fault(Fault::Bug(_)) => Kind::Internal,
    };
    if let Kind::Internal = kind {
        return Problem::internal(cause);
    }
    Problem::new(kind, cause.to_string())
}

impl From<StopCause> for Problem {
    fn from(cause: StopCause) -> Problem {
        stop_problem(&cause)
    }
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Problem {
        accept_problem(&error, &JsonPath::Root)
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Problem {
        let kind = match &error {
            RegistryError::Unknown { kind: "field", .. } => Kind::FieldNotFound,
            RegistryError::Unknown { kind: "identifier", .. } => Kind::UnknownIdentifier,
            RegistryError::Unknown { kind: "token", .. } => Kind::UnknownToken,
            RegistryError::Unknown { kind: "secret", .. } => Kind::UnknownSecret,
            RegistryError::Secret { .. } => Kind::SecretConflict,
            RegistryError::TokenExists(_) => Kind::TokenExists,
            RegistryError::LastAdminToken(_) => Kind::LastAdminToken,
            RegistryError::Unknown { .. } => Kind::UnknownCapability,
            RegistryError::NotDeclared { .. } => Kind::NotDeclared,
            RegistryError::FieldConflict { .. } => Kind::FieldTypeConflict,
            RegistryError::StillSources { .. } => Kind::StillSources,
            RegistryError::PlanStale { .. } => Kind::PlanStale,
            RegistryError::InUse { .. } => Kind::FieldInUse,
            RegistryError::IsSource { .. } => Kind::StillSource,
            RegistryError::NotRequested { .. } => Kind::NotRequested,
            RegistryError::NothingPending { .. } => Kind::NothingPending,
            RegistryError::NotQuarantined(_) => Kind::NotQuarantined,
            RegistryError::Invalid { .. } => Kind::DefinitionInvalid,
            RegistryError::UnknownEndpoint { .. } => Kind::UnknownEndpoint,
            RegistryError::EndpointInvalid { .. } => Kind::EndpointInvalid,
            RegistryError::EndpointNotBound { .. } => Kind::EndpointNotBound,
            RegistryError::EndpointRevoked { .. } => Kind::EndpointRevoked,
        };
        let next = match &error {
            RegistryError::StillSources { capability, heirs, .. } => Some(heir_plan(capability, heirs)),
            _ => None,
        };
        let problem = Problem::new(kind, error.to_string());
        match next {
            Some(next) => problem.next(next),
            None => problem,
        }
    }
}

/// The plan that makes it possible to remove a source.
fn heir_plan(capability: &CapabilityName, heirs: &[CapabilityName]) -> String {
    let Some(heir) = heirs.first() else {
        return format!(
            "No other capability declares all of them: assign each with `samsyn field assign FIELD \
             CAPABILITY`, or leave them without a source with `samsyn field assign --from {capability} --all --none`."
        );
    };
    format!(
        "To see what would change: POST /v1/assignments?dry_run=true \
         {{\"from\": \"{capability}\", \"all\": true, \"to\": \"{heir}\"}}, or \
         `samsyn field assign --from {capability} --all {heir} --dry-run`."
    )
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Problem {
        Problem::new(Kind::RegistryFileInvalid, error.to_string()).at(error.place)
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Problem {
        match error {
            ChangeError::Registry(error) => error.into(),
            ChangeError::File(error) => error.into(),
            ChangeError::Stopped(cause) => cause.into(),
            ChangeError::Manifest(error) => Problem::new(Kind::ManifestInvalid, error.to_string()),
            ChangeError::Load(error) => Problem::internal(error),
        }
    }
}

impl From<PackageError> for Problem {
    fn from(error: PackageError) -> Problem {
        Problem::new(Kind::of_component(error.code()), error.to_string())
    }
}

impl From<InstallError> for Problem {
    fn from(error: InstallError) -> Problem {
        match error {
            InstallError::Package(error) => error.into(),
            InstallError::Manifest(error) => Problem::new(Kind::ManifestInvalid, error.to_string()),
            InstallError::Registry(error) => error.into(),
            InstallError::Change(error) => error.into(),
            InstallError::RoleMissing { .. } => Problem::new(Kind::ComponentNoRole, error.to_string()),
            InstallError::Store(_) => Problem::new(Kind::ComponentNotKept, error.to_string()),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Problem {
        // The place on the disk is the admin's affair, so that it goes to the host's log.
        tracing::error!(cause = %error, "stored data can't be read");
        match error {
            QueryError::View(_) => {
                Problem::new(Kind::ViewFailed, "the view can't be read; the host's log has the cause")
            }
            QueryError::Log(_) | QueryError::Record(_) => Problem::new(
                Kind::LogUnreadable,
                "a record of the log can't be read; the host's log names it",
            ),
            QueryError::AnothersRecord { .. } => Problem::new(
                Kind::LogUnreadable,
                "a record that is named for this customer belongs to another one; the host's log names it",
            ),
        }
    }
}

/// Runs what may read the disk for a while away from the threads that answer.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_sandbox::Limits;

    #[test]
    fn why_a_host_stopped_has_a_page_and_a_mistake_of_its_own_is_no_load() {
        let kinds = [
            (StopCause::Stopping, Kind::NotReady),
            (Fault::ViewStopped("the disk is full".to_owned()).into(), Kind::ViewFailed),
            (Fault::Bug("an append of no records").into(), Kind::Internal),
        ];
        for (cause, kind) in kinds {
            assert_eq!(Problem::from(cause.clone()).kind, kind, "{cause}");
            assert_eq!(Problem::from(AcceptError::Stopped(cause)).kind, kind);
        }
    }

    #[test]
    fn every_component_error_has_a_page() {
        // What the sandbox can say of a file, made by the sandbox itself.
        let error = samsyn_sandbox::Package::read(b"not wasm", &Limits::default()).unwrap_err();
        assert_eq!(Problem::from(error).kind, Kind::ComponentNotWasm);
        let error = samsyn_sandbox::Package::read(b"\0asm\x01\0\0\0", &Limits::default()).unwrap_err();
        assert_eq!(Problem::from(error.clone()).kind.entry().code, error.code());
        let all = [
            PackageError::NotWasm,
            PackageError::NoManifest,
            PackageError::NoRole,
            PackageError::UnknownRole { role: String::new() },
            PackageError::UnknownImport { import: String::new() },
            PackageError::NewerContract { name: String::new() },
            PackageError::TooLarge { what: "", found: 0, limit: 0, setting: "" },
            PackageError::Invalid { reason: String::new() },
            PackageError::CompileLimit { reason: String::new() },
            PackageError::CompilerFailed { reason: String::new() },
            PackageError::CompilerUnavailable { reason: String::new() },
        ];
        for error in all {
            assert_eq!(Problem::from(error.clone()).kind.entry().code, error.code());
        }
    }
}
