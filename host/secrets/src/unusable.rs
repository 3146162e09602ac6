//! Why a secret's value can't be used, and what to do about it.

use samsyn_vocabulary::SecretName;

use crate::value::ValueError;

/// Why a secret's value can't be used. It never has a part of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The registry has no such secret.
    #[error("there is no secret of this name")]
    Unknown,
    /// The registry names it, and nobody has set it.
    #[error("nobody has set its value")]
    NotSet,
    /// Its file isn't there, as after a restore: backups have no values.
    #[error("the file of version {version} is missing, as after a restore")]
    FileMissing {
        /// Which version.
        version: u32,
    },
    /// There is no key to open it with.
    #[error("{why}")]
    NoKey {
        /// Why there is none, with what to do.
        why: String,
    },
    /// It was sealed under another key.
    #[error("version {version} was sealed under another key than this host has")]
    OtherKey {
        /// Which version.
        version: u32,
    },
    /// Its file isn't what was written.
    #[error("the file of version {version} is damaged: {why}")]
    Damaged {
        /// Which version.
        version: u32,
        /// What is wrong with it.
        why: String,
    },
    /// The system doesn't read its file.
    #[error("its file {file} can't be read: {cause}")]
    Unreadable {
        /// Which file.
        file: String,
        /// What the system says.
        cause: String,
    },
    /// What was mounted can't be a value.
    #[error("the mounted file {file} has no usable value: {why}")]
    Mounted {
        /// Which file.
        file: String,
        /// What is wrong.
        why: ValueError,
    },
}

impl Unusable {
    /// The state in one word: `unknown`, `missing`, `no-key`, `other-key`, `damaged` or `invalid`.
    pub fn word(&self) -> &'static str {
        match self {
            Unusable::Unknown => "unknown",
            Unusable::NotSet | Unusable::FileMissing { .. } => "missing",
            Unusable::NoKey { .. } => "no-key",
            Unusable::OtherKey { .. } => "other-key",
            Unusable::Damaged { .. } | Unusable::Unreadable { .. } => "damaged",
            Unusable::Mounted { .. } => "invalid",
        }
    }

    /// What to do about it.
    pub fn next_step(&self, name: &SecretName) -> String {
        let set = format!("samsyn secret set {name} --file FILE");
        match self {
            Unusable::Unknown | Unusable::NotSet | Unusable::FileMissing { .. } => {
                format!("set its value: {set}")
            }
            Unusable::NoKey { .. } => "give the host its sealing key and start it again".to_owned(),
            Unusable::OtherKey { .. } => {
                format!("start the host with the key it was sealed under, or set the value again: {set}")
            }
            Unusable::Damaged { .. } => format!("set the value again: {set}"),
            Unusable::Unreadable { .. } => "let the host's user read the file; check the disk".to_owned(),
            Unusable::Mounted {
                why: ValueError::LineFeedAtEnd | ValueError::WhiteSpaceAtEnd { .. }, ..
            } => "mount the value without white space around it, for example written with `printf %s`"
                .to_owned(),
            Unusable::Mounted { why, .. } => why.next_step().to_owned(),
        }
    }
}
