//! Which scope a call needs. The table of calls says it, the description tells it, and the host asks every
//! request for it.

use samsyn_registry::{Policy, ScopeName};

/// What a token must have to make a call. What it may see in the answer is the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredScopes {
    /// No token at all: the answer tells nothing about a customer or the registry.
    NoToken,
    /// A token with at least one of these scopes.
    OneOf(&'static [ScopeName]),
}

/// Anybody may call.
pub const NO_TOKEN: RequiredScopes = RequiredScopes::NoToken;
/// Send events.
pub const EVENTS_WRITE: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::EventsWrite]);
/// Read profiles; the handler filters by the policy.
pub const PROFILES_READ: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::ProfilesRead]);
/// Propose values; the handler asks the policy for each field.
pub const PROFILES_PROPOSE: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::ProfilesPropose]);
/// Read the result of an event; the handler answers its sender, or a token that reads everything.
pub const EVENT_OUTCOME: RequiredScopes =
    RequiredScopes::OneOf(&[ScopeName::EventsWrite, ScopeName::ProfilesPropose, ScopeName::ProfilesRead]);
/// Look fields up; the handler answers those the policy knows.
pub const FIELDS: RequiredScopes =
    RequiredScopes::OneOf(&[ScopeName::RegistryRead, ScopeName::ProfilesRead, ScopeName::ProfilesPropose]);
/// Look identifiers up; the handler answers those the policy knows.
pub const IDENTIFIERS: RequiredScopes =
    RequiredScopes::OneOf(&[ScopeName::RegistryRead, ScopeName::EventsWrite, ScopeName::ProfilesRead]);
/// Read the registry.
pub const REGISTRY_READ: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::RegistryRead]);
/// Change the registry.
pub const REGISTRY_WRITE: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::RegistryWrite]);
/// The limits of an event.
pub const LIMITS: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::EventsWrite, ScopeName::AdminRead]);
/// An administrator alone: what changes something.
pub const ADMIN: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::Admin]);
/// Read what may show a customer as administrators see them.
pub const ADMIN_READ: RequiredScopes = RequiredScopes::OneOf(&[ScopeName::Admin, ScopeName::AdminRead]);
/// Read the audits and the reports. The handler leaves customers out for a token that may not know them.
pub const AUDIT_READ: RequiredScopes =
    RequiredScopes::OneOf(&[ScopeName::Admin, ScopeName::AdminRead, ScopeName::AuditRead]);

impl RequiredScopes {
    /// Whether a token with this policy may make the call.
    pub fn met_by(self, policy: &Policy) -> bool {
        match self {
            RequiredScopes::NoToken => true,
            RequiredScopes::OneOf(scopes) => scopes.iter().any(|scope| policy.has(*scope)),
        }
    }

    /// Whether the call looks after the host: then the token's own application acts, so that the
    /// log names it.
    pub fn is_administration(self) -> bool {
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
        matches!(self, RequiredScopes::OneOf(scopes) if scopes.iter().all(administers))
    }
}
