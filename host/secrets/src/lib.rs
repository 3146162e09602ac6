//! Values of secrets: sealed at rest or read from mounted files, and handed to the host's own code alone.
//!
//! ```text
//! samsyn secret set ─▶ SecretValue ─▶ seal ─▶ DATA/secrets/NAME.v1   (the registry then names version 1)
//!                                              │
//! mounted/NAME ────────────────────────────────┴─▶ Secrets::newest, live, scrub
//! ```
//!
//! The registry says which names there are and which versions of each are live. This crate asks it through
//! [`Named`], and keeps the values. A value that can't be used has a reason ([`Unusable`]) with a next step, and
//! is handed to nobody. The host starts all the same.
//!
//! | file | what it does |
//! |---|---|
//! | `value` | a value: what it may be, and that nothing prints it |
//! | `key` | the sealing key: where it comes from, and what is derived of it |
//! | `seal` | a value as bytes that only the key opens; the file's format |
//! | `files` | the directory of sealed files |
//! | `mounted` | files that Kubernetes, Vault's agent or systemd mounts |
//! | `unusable` | why a value can't be used, and what to do |
//! | `secrets` | all of it together |
//! | `scrub` | removes values from what a peer answers |
//!
//! It must not know the registry, HTTP, or who uses a secret.

#![warn(missing_docs)]

mod files;
mod key;
mod mounted;
mod scrub;
mod seal;
mod secrets;
mod unusable;
mod value;

pub use files::StoreError;
pub use key::{CREDENTIAL, KEY_BYTES, KEY_VARIABLE, KeySource, KeySources};
pub use scrub::Scrub;
pub use secrets::{Kept, Live, Named, Secrets, SecretsConfig, State};
pub use unusable::Unusable;
pub use value::{SecretValue, VALUE_BYTES_MAX, ValueError};
