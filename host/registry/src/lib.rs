//! Which capability is the source system of which data point, and what each may see.
//!
//! The registry is the fold of its partition's records: [`RegistryChange`]s applied in order. Its
//! revision is the sequence of the last one. It never changes in place: an `Arc<Registry>`
//! holds one revision.
//!
//! | file | what it has |
//! |---|---|
//! | `change` · `fold` · `check` · `error` | what can change, the registry after it, whether it can be made, and why not |
//! | `summary` · `summary_after` · `difference` | a change in words |
//! | `dictionary` · `dictionary_check` · `identifier` | fields and identifiers |
//! | [`endpoint`] | the systems that plug-ins call: bound, paused, planned |
//! | `grant` · `pending` · `version` · `plan` | what a plug-in requests and gets, and what installing one changes |
//! | [`assignment`] · `lineage` | giving fields to another source, and whose claim is the value |
//! | `scope` · `policy` · `token` | who may call, and what for |
//! | `secret` | names and versions of secrets |
//! | `routing` | the registry as the hot path wants it |
//! | `file` | the registry as a file: exported, planned, applied |
//! | [`report`] · [`graph`] | the silo report, and the picture |
//!
//! It must not know the log's form, a profile's state, or how a plug-in runs.

pub mod assignment;
mod change;
mod check;
mod dictionary;
mod dictionary_check;
mod difference;
pub mod endpoint;
mod error;
mod file;
mod fold;
mod grant;
pub mod graph;
mod identifier;
mod lineage;
mod pending;
mod plan;
mod policy;
pub mod report;
mod routing;
mod scope;
mod secret;
mod summary;
mod summary_after;
mod token;
mod version;

pub use assignment::{Assigned, SourceMove};
pub use change::{Attribution, RegistryChange};
pub use dictionary::{Field, FieldStatus};
pub use endpoint::{Binding, BindingRequest, Bound, Endpoint, EndpointState, Pause};
pub use error::RegistryError;
pub use file::{Action, FileError, PlannedMove, RegistryFile, RegistryPlan, Step};
pub use grant::Grant;
pub use identifier::{FORM_VERSION, IDENTIFIER_BYTES_MAX, IdentifierKind, Normaliser, REJECTED_VALUES};
pub use lineage::Lineage;
pub use pending::Pending;
pub use plan::{
    Install, InstallPlan, PlannedCall, PlannedIdentifier, PlannedRead, PlannedSetting, PlannedSource,
    Rejection,
};
pub use policy::Policy;
pub use routing::{Routed, Routing};
pub use samsyn_contract::{
    Compare, DataClass, Manifest, ManifestError, Schema, SchemaError, SettingType, manifest,
};
pub use scope::{Part, Scope, ScopeError, ScopeName};
pub use secret::{SECRETS_MAX, SecretEntry, SecretUse, SecretVersion};
pub use summary::{CHANGE_KINDS, ChangeSummary};
pub use token::{FIRST_ADMIN, TOKENS_MAX, TokenEntry};
pub use version::{InstalledVersion, VersionChange};

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use samsyn_vocabulary::{
    CapabilityName, Digest, EndpointName, FieldName, IdentifierName, Role, SecretName, Seq, Timestamp,
    TokenName, Type, Value,
};

/// One revision of everything the administrators decided.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    /// The sequence of the registry record that made this revision; 0 is the empty registry.
    pub revision: Seq,
    /// The dictionary, with each field's source.
    pub fields: BTreeMap<FieldName, Field>,
    /// The identifiers customers go by.
    pub identifiers: BTreeMap<IdentifierName, IdentifierKind>,
    /// Which normal forms of identifiers stand in the log.
    pub forms: NormalForms,
    /// The installed plug-ins.
    pub capabilities: BTreeMap<CapabilityName, Arc<Capability>>,
    /// The last generation of plug-ins that were removed: what one of them did stays done.
    pub removed: BTreeMap<CapabilityName, u32>,
    /// Who may call, and what for; revoked ones stay until their name is used again.
    pub tokens: BTreeMap<TokenName, Arc<TokenEntry>>,
    /// The secrets there are, by name; never a value.
    pub secrets: BTreeMap<SecretName, Arc<SecretEntry>>,
    /// The last version of secrets that were removed: a number is never used again.
    pub removed_secrets: BTreeMap<SecretName, u32>,
    /// The last moves of sources, oldest first: what a partition that takes this revision into
    /// use has to tell.
    pub moves: Arc<Vec<SourceMove>>,
    /// Components of upgrades that an administrator rejected, each with the revision that did; one that
    /// was installed all the same is none any more.
    pub rejected: BTreeMap<CapabilityName, BTreeMap<Digest, Seq>>,
    /// The type of each field that a plug-in could ever make claims for: they are kept.
    pub claimed: BTreeMap<FieldName, Type>,
    /// Set while nothing is sent to any endpoint.
    pub outgoing_paused: Option<Pause>,
    /// Which capabilities receive, source and consume what, precomputed for the hot path.
    pub routing: Arc<Routing>,
}

/// An installed plug-in.
#[derive(Clone, Debug)]
pub struct Capability {
    /// What it is and asks for.
    pub manifest: Manifest,
    /// The manifest as it stood in the component.
    pub manifest_text: String,
    /// The component that runs.
    pub digest: Digest,
    /// What of its manifest's requests was granted.
    pub grant: Grant,
    /// The roles the component exports.
    pub roles: Vec<Role>,
    /// Whether its deliveries run.
    pub state: CapabilityState,
    /// Counts from 1; a new one starts from the oldest event with empty memory and claims.
    pub generation: u32,
    /// Its generation started from the oldest event instead of from when it was installed.
    pub from_start: bool,
    /// Whether what it emits while it catches up is delivered.
    pub deliver_while_catching_up: bool,
    /// What an administrator set, by name; a missing one has its default.
    pub settings: BTreeMap<String, Value>,
    /// The registry revision at which the settings last changed.
    pub settings_revision: Seq,
    /// The registry revision since which there is such a capability without interruption.
    pub since: Seq,
    /// When this digest was installed.
    pub installed_at: Timestamp,
    /// The version that waits for an administrator, because it wants more than is granted.
    pub pending: Option<Arc<Pending>>,
    /// The endpoints of its manifest that an administrator bound.
    pub endpoints: BTreeMap<EndpointName, Arc<Bound>>,
}

/// Whether a capability's deliveries run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapabilityState {
    /// They do.
    Active,
    /// Its cursor stands still until an administrator releases it or installs another version.
    Quarantined {
        /// What it did.
        reason: String,
    },
}

/// Which normal forms of identifiers stand in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NormalForms {
    /// Today's alone.
    #[default]
    Today,
    /// Those of an older host alone: what is known has to be linked in today's form.
    Former,
    /// Both: what was known is linked in today's form as well.
    Both,
}

impl Capability {
    /// The setting's value: what was set, else the default.
    pub fn setting(&self, name: &str) -> Option<&Value> {
        self.settings.get(name).or_else(|| self.manifest.settings.get(name)?.default.as_ref())
    }

    /// Whether it is in quarantine.
    pub fn is_quarantined(&self) -> bool {
        matches!(self.state, CapabilityState::Quarantined { .. })
    }
}

impl Registry {
    /// The newest generation of a capability, installed or removed; 0 when it never was.
    pub fn generation(&self, capability: &CapabilityName) -> u32 {
        let installed = self.capabilities.get(capability).map(|is| is.generation);
        installed.or_else(|| self.removed.get(capability).copied()).unwrap_or(0)
    }

    /// The capability whose claim is the field's value.
    pub fn source_of(&self, field: &str) -> Option<&CapabilityName> {
        self.fields.get(field)?.source.as_ref()
    }
}
