//! What can change in the registry, as it stands in the log.
//!
//! Checks happen before a change is written ([`super::Registry::check`]); applying one that is in the log
//! can't fail on a host that wrote it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::endpoint::{Binding, Pause};
use super::{Assigned, FORM_VERSION, Field, Grant, IdentifierKind, SecretVersion, TokenEntry};
use samsyn_vocabulary::{
    Application, CapabilityName, Digest, EndpointName, FieldName, IdentifierName, Reason, Role, SecretName,
    Timestamp, TokenName, Value,
};

/// The application that changes the registry, and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    pub by: Application,
    /// Why, when they said so.
    pub reason: Option<Reason>,
}

impl From<Application> for Attribution {
    fn from(by: Application) -> Attribution {
        Attribution { by, reason: None }
    }
}

impl From<&Application> for Attribution {
    fn from(by: &Application) -> Attribution {
        Attribution::from(by.clone())
    }
}

/// One change of the registry, as it stands in the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistryChange {
    /// A field was defined or its definition changed; its source stays.
    FieldDefined {
        name: FieldName,
        /// What it is now.
        field: Field,
    },
    /// A field's source moved, and nobody else's claims stand in for it.
    SourceAssigned {
        field: FieldName,
        /// Its source from now on; one or none.
        source: Option<CapabilityName>,
    },
    /// Sources of several fields moved at once.
    SourcesMoved {
        /// The fields, with whose claims are their values from now on.
        fields: Vec<Assigned>,
    },
    /// An identifier was defined or changed.
    IdentifierDefined {
        name: IdentifierName,
        /// What it is now.
        kind: IdentifierKind,
        /// The version of normal forms that the host which wrote this links by; 1 when it doesn't say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form: Option<u8>,
    },
    /// What was linked by normal forms of an older host is linked by those of this version as well.
    IdentifiersNormalised {
        /// The version.
        form: u8,
    },
    /// A plug-in was installed or upgraded. One change: it brings its fields and sources with it.
    Installed {
        /// What runs.
        digest: Digest,
        /// The manifest's text.
        manifest: String,
        /// What was granted.
        grant: Grant,
        /// The roles the component exports.
        roles: Vec<Role>,
        /// Fields nobody had defined.
        #[serde(default)]
        new_fields: Vec<FieldName>,
        /// Those of them that wait for an administrator to accept them.
        #[serde(default)]
        proposed: Vec<FieldName>,
        /// Fields nobody sourced, which are its own now.
        #[serde(default)]
        assigned: Vec<FieldName>,
        /// The generation that runs.
        generation: u32,
        /// The generation starts from the oldest event.
        #[serde(default)]
        from_start: bool,
        /// Whether what it emits while it catches up is delivered.
        #[serde(default)]
        deliver_while_catching_up: bool,
        at: Timestamp,
    },
    /// Settings were set; none goes back to the default.
    SettingsChanged {
        capability: CapabilityName,
        /// By name, of the declared types.
        settings: BTreeMap<String, Option<Value>>,
    },
    /// A plug-in failed so often that the host stopped calling it.
    Quarantined {
        capability: CapabilityName,
        /// The component that did it.
        digest: Digest,
        /// What it did.
        reason: String,
    },
    /// An administrator ended a quarantine.
    Released { capability: CapabilityName },
    /// A plug-in was removed; its claims stay, and no field has it as source any more.
    Removed { capability: CapabilityName },
    /// The host made an admin token named `admin`; one of that name is valid no more.
    AdminTokenMade {
        /// BLAKE3 of the token.
        hash: Digest,
    },
    /// A token is valid from now on.
    TokenMade {
        name: TokenName,
        /// What it may do.
        token: TokenEntry,
    },
    /// A token is valid no more.
    TokenRevoked { name: TokenName, at: Timestamp },
    /// There is a secret of this name from now on; its value is set later, or mounted.
    SecretNamed { name: SecretName },
    /// A secret's value was set: this is its only version from now on.
    SecretSet {
        name: SecretName,
        /// Without the value.
        version: SecretVersion,
    },
    /// A secret has a newer value; the one before stays in use until it is retired.
    SecretRotated {
        name: SecretName,
        /// Without the value.
        version: SecretVersion,
    },
    /// The version before the newest is in use no more.
    SecretRetired {
        name: SecretName,
        /// Which.
        version: u32,
    },
    /// There is no such secret any more.
    SecretRemoved { name: SecretName },
    /// A field that a plug-in brought is a defined one from now on.
    FieldAccepted { name: FieldName },
    /// A field has another name; nothing sources or reads it.
    FieldRenamed {
        /// Its name until now.
        from: FieldName,
        /// Its name from now on.
        to: FieldName,
    },
    /// A field that nothing sources or reads is gone.
    FieldRemoved { name: FieldName },
    /// What a plug-in may do was given or taken back.
    Granted {
        capability: CapabilityName,
        /// All of what it may do from now on.
        grant: Grant,
    },
    /// A new version wants more than is granted: it waits for an administrator while the old one
    /// runs.
    UpgradePending {
        capability: CapabilityName,
        /// The new component.
        digest: Digest,
        /// Its manifest's text.
        manifest: String,
        /// It would start from the oldest event.
        #[serde(default)]
        from_start: bool,
        /// Whether what it emits meanwhile would be delivered.
        #[serde(default)]
        deliver_while_catching_up: bool,
        /// When it was sent.
        at: Timestamp,
    },
    /// The version that waits isn't wanted.
    UpgradeRejected {
        capability: CapabilityName,
        /// The component that isn't.
        digest: Digest,
    },
    /// An endpoint that a plug-in requests is bound, or bound otherwise. A pause stays.
    EndpointBound {
        capability: CapabilityName,
        name: EndpointName,
        /// To what.
        binding: Box<Binding>,
    },
    /// An endpoint is bound no more.
    EndpointUnbound { capability: CapabilityName, name: EndpointName },
    /// Nothing is sent to an endpoint until it is resumed.
    EndpointPaused {
        capability: CapabilityName,
        name: EndpointName,
        /// Who, why and since when.
        pause: Pause,
    },
    /// What waits for an endpoint is sent.
    EndpointResumed { capability: CapabilityName, name: EndpointName },
    /// Nothing is sent to any endpoint until that is resumed.
    OutgoingPaused {
        /// Who, why and since when.
        pause: Pause,
    },
    /// What waits is sent.
    OutgoingResumed {},
    /// Several changes that are one: all of them or none.
    Many {
        /// In the order in which they are made.
        changes: Vec<RegistryChange>,
    },
}

impl RegistryChange {
    /// An identifier is defined by this host, or changed.
    pub fn identifier(name: IdentifierName, kind: IdentifierKind) -> RegistryChange {
        RegistryChange::IdentifierDefined { name, kind, form: Some(FORM_VERSION) }
    }
}
