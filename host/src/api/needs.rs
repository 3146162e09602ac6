//! Which scope a call needs: said in the table of calls, and asked of every request before its
//! handler runs.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::{Caller, Stranger};
use super::problem::{Kind, Problem};
use super::viewer::Viewer;
use crate::registry::{Policy, ScopeName};

/// What a token must have to make a call. What it may see in the answer is the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No token at all: the answer tells nothing about a customer or the registry.
    NoToken,
    /// A token with at least one of these scopes.
    OneOf(&'static [ScopeName]),
}

/// Anybody may call.
pub const NO_TOKEN: Needs = Needs::NoToken;
/// Send events.
pub const EVENTS_WRITE: Needs = Needs::OneOf(&[ScopeName::EventsWrite]);
/// Read profiles; the handler filters by the policy.
pub const PROFILES_READ: Needs = Needs::OneOf(&[ScopeName::ProfilesRead]);
/// Propose values; the handler asks the policy for each field.
pub const PROFILES_PROPOSE: Needs = Needs::OneOf(&[ScopeName::ProfilesPropose]);
/// Learn what became of an event; the handler answers its sender, or who reads everything.
pub const EVENT_OUTCOME: Needs =
    Needs::OneOf(&[ScopeName::EventsWrite, ScopeName::ProfilesPropose, ScopeName::ProfilesRead]);
/// Look fields up; the handler answers those the policy knows.
pub const FIELDS: Needs =
    Needs::OneOf(&[ScopeName::RegistryRead, ScopeName::ProfilesRead, ScopeName::ProfilesPropose]);
/// Look identifiers up; the handler answers those the policy knows.
pub const IDENTIFIERS: Needs =
    Needs::OneOf(&[ScopeName::RegistryRead, ScopeName::EventsWrite, ScopeName::ProfilesRead]);
/// Read the registry.
pub const REGISTRY_READ: Needs = Needs::OneOf(&[ScopeName::RegistryRead]);
/// Change the registry.
pub const REGISTRY_WRITE: Needs = Needs::OneOf(&[ScopeName::RegistryWrite]);
/// What an event may hold; who only looks on may know it as well.
pub const LIMITS: Needs = Needs::OneOf(&[ScopeName::EventsWrite, ScopeName::AdminRead]);
/// An administrator alone: whatever changes something.
pub const ADMIN: Needs = Needs::OneOf(&[ScopeName::Admin]);
/// Read what may show a customer as administrators see them.
pub const ADMIN_READ: Needs = Needs::OneOf(&[ScopeName::Admin, ScopeName::AdminRead]);
/// Read the audits and what else shows no customer to who may see none; the handler leaves those out.
pub const AUDIT_READ: Needs = Needs::OneOf(&[ScopeName::Admin, ScopeName::AdminRead, ScopeName::AuditRead]);

impl Needs {
    /// Whether a token with this policy may make the call.
    pub fn met_by(self, policy: &Policy) -> bool {
        match self {
            Needs::NoToken => true,
            Needs::OneOf(scopes) => scopes.iter().any(|scope| policy.has(*scope)),
        }
    }

    /// Whether the call looks after the host: then the token's own application acts, so that the
    /// log names who it was.
    fn is_administration(self) -> bool {
        let administers = |scope: &ScopeName| {
            matches!(
                scope,
                ScopeName::RegistryRead
                    | ScopeName::RegistryWrite
                    | ScopeName::AuditRead
                    | ScopeName::AdminRead
                    | ScopeName::Admin
            )
        };
        matches!(self, Needs::OneOf(scopes) if scopes.iter().all(administers))
    }

    fn missing(self) -> Problem {
        let names: Vec<String> = match self {
            Needs::NoToken => Vec::new(),
            Needs::OneOf(scopes) => scopes.iter().map(|scope| format!("`{scope}`")).collect(),
        };
        Problem::new(Kind::ScopeMissing, format!("this call needs the scope {}", names.join(" or ")))
    }
}

/// Lets a request through to its handler that has what the call needs.
pub async fn require(State(needs): State<Needs>, mut request: Request, next: Next) -> Response {
    if needs == Needs::NoToken {
        return next.run(request).await;
    }
    let refused = match request.extensions().get::<Viewer>() {
        Some(viewer) if needs.met_by(viewer.policy()) => None,
        Some(_) => Some(needs.missing()),
        None => Some(stranger(&request)),
    };
    if let Some(problem) = refused {
        return problem.into_response();
    }
    if needs.is_administration()
        && let Some(viewer) = request.extensions().get::<Viewer>()
    {
        let own = viewer.own_application().clone();
        request.extensions_mut().insert(Caller(own));
    }
    next.run(request).await
}

/// Why this request's token counts for nothing.
fn stranger(request: &Request) -> Problem {
    let why = request.extensions().get::<Stranger>().map(|Stranger(problem)| problem.clone());
    why.unwrap_or_else(|| Problem::new(Kind::Unauthorized, "the call has no token"))
}

/// The problem of a request without a valid token, on a path that isn't one of the interface's:
/// strangers don't learn which there are.
pub fn is_stranger(request: &Request) -> Option<Problem> {
    request.extensions().get::<Viewer>().is_none().then(|| stranger(request))
}
