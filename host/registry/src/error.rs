//! Why a change of the registry is refused, with what to do instead.

use samsyn_vocabulary::{CapabilityName, Digest, EndpointName, FieldName, SecretName, Seq, TokenName};

/// Why a change of the registry is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Nothing of that name.
    #[error("there is no {kind} {name}; see `samsyn {kind} list`")]
    Unknown {
        /// `field`, `capability` (command `plugin`), `identifier`, `token` or `secret`.
        kind: &'static str,
        name: String,
    },
    /// The capability doesn't declare the field among its sources.
    #[error("{capability} does not source {field}: its manifest must declare it under [sources]")]
    NotDeclared { capability: CapabilityName, field: FieldName },
    /// Manifest and dictionary disagree.
    #[error(
        "the manifest differs from the dictionary about {field}: it is {manifest} in the manifest and {dictionary} in the dictionary; change one of them"
    )]
    FieldConflict {
        field: FieldName,
        /// The dictionary's side.
        dictionary: String,
        /// The manifest's side.
        manifest: String,
    },
    /// A token that is valid has this name.
    #[error("the token {0} exists already; revoke it first, or choose another name")]
    TokenExists(TokenName),
    /// Nobody could make tokens any more.
    #[error(
        "{0} is the last admin token that doesn't expire; create another first: samsyn token create NAME --scope admin"
    )]
    LastAdminToken(TokenName),
    /// The capability is the source of fields.
    #[error("{capability} is the source of {}; assign them to another capability first", names(.fields))]
    StillSources {
        capability: CapabilityName,
        fields: Vec<FieldName>,
        /// Capabilities that could source all of them.
        heirs: Vec<CapabilityName>,
    },
    /// A plan was made for an older registry.
    #[error(
        "the plan is of revision {planned}, the registry is at {revision}; since then: {}",
        .since.join("; ")
    )]
    PlanStale {
        /// The plan's revision.
        planned: Seq,
        /// The registry's.
        revision: Seq,
        /// What changed since, oldest first.
        since: Vec<String>,
    },
    /// A plug-in sources or reads the field.
    #[error(
        "{field} is in use by {}; revoke the grant with `samsyn plugin revoke NAME --field {field}`, or remove the capability",
        .by.iter().map(CapabilityName::as_str).collect::<Vec<_>>().join(", ")
    )]
    InUse {
        field: FieldName,
        /// By whom.
        by: Vec<CapabilityName>,
    },
    /// A capability must keep making claims for a field as long as it is its source.
    #[error(
        "{capability} is the source of {field}; first assign another source, or none: `samsyn field assign {field} --none`"
    )]
    IsSource { capability: CapabilityName, field: FieldName },
    /// A grant beyond what the manifest asks for.
    #[error("{capability} doesn't request {}; you can grant only what its manifest requests", .what.join(", "))]
    NotRequested {
        capability: CapabilityName,
        /// What it doesn't ask for.
        what: Vec<String>,
    },
    /// Nothing waits for approval, or something else than was meant.
    #[error("no upgrade of {capability} waits for approval{}", .digest.map(|digest| format!(" that is {digest}")).unwrap_or_default())]
    NothingPending {
        capability: CapabilityName,
        /// The component that was meant.
        digest: Option<Digest>,
    },
    /// There is no quarantine to end.
    #[error("{0} is not quarantined: it is active")]
    NotQuarantined(CapabilityName),
    /// The manifest of a capability requests no endpoint of this name.
    #[error("{capability} requests no endpoint {name:?}; {}", requested(.known))]
    UnknownEndpoint {
        capability: CapabilityName,
        name: String,
        /// Those that it requests.
        known: Vec<EndpointName>,
    },
    /// An endpoint can't be bound so.
    #[error("the endpoint {name} of {capability} can't be bound so: {why}")]
    EndpointInvalid {
        capability: CapabilityName,
        name: EndpointName,
        /// What is wrong with it.
        why: String,
    },
    /// An endpoint isn't bound.
    #[error(
        "the endpoint {name} of {capability} isn't bound; bind it with `samsyn endpoint bind {capability} {name}`"
    )]
    EndpointNotBound { capability: CapabilityName, name: EndpointName },
    /// An administrator took an endpoint back.
    #[error(
        "the endpoint {name} of {capability} is revoked; first grant it: `samsyn plugin grant {capability} --endpoint {name}`"
    )]
    EndpointRevoked { capability: CapabilityName, name: EndpointName },
    /// A secret isn't in a state for this.
    #[error("the secret {name} {why}")]
    Secret {
        name: SecretName,
        /// Why not, and what to do.
        why: String,
    },
    /// A definition that can't be.
    #[error("{name}: {why}")]
    Invalid {
        /// The field, setting or identifier.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The endpoints that there are.
fn requested(known: &[EndpointName]) -> String {
    match known {
        [] => "its manifest requests none".to_owned(),
        known => {
            let names: Vec<&str> = known.iter().map(EndpointName::as_str).collect();
            format!("it requests: {}", names.join(", "))
        }
    }
}

/// The first fields of a list, and how many more there are.
fn names(fields: &[FieldName]) -> String {
    const NAMED_MAX: usize = 5;
    let named: Vec<&str> = fields.iter().take(NAMED_MAX).map(FieldName::as_str).collect();
    match fields.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
