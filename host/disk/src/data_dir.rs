//! Where a data directory keeps what.

use std::path::PathBuf;

/// Where a data directory keeps what.
#[derive(Clone, Debug)]
pub struct DataDir(pub PathBuf);

impl DataDir {
    /// The log: the truth.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// The audit of reads: a log of its own.
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// The view: can be deleted.
    pub fn view(&self) -> PathBuf {
        self.0.join("view")
    }

    /// A second view, while the first is checked: can be deleted.
    pub fn view_check(&self) -> PathBuf {
        self.0.join("view.check")
    }

    /// Snapshots: what the log folds into. Where segments have left, nothing else says what they said.
    pub fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// The installed components, by digest: what the log names but does not hold.
    pub fn components(&self) -> PathBuf {
        self.0.join("components")
    }

    /// Compiled components: can be deleted.
    pub fn compiled(&self) -> PathBuf {
        self.0.join("compiled")
    }

    /// What followers keep of the log, each in a file. Where segments have left, nothing else says it.
    pub fn followers(&self) -> PathBuf {
        self.0.join("followers")
    }

    /// Values of secrets, sealed. No backup has them.
    pub fn secrets(&self) -> PathBuf {
        self.0.join("secrets")
    }

    /// When each token was used last: can be deleted.
    pub fn token_uses(&self) -> PathBuf {
        self.0.join("token-uses.json")
    }

    /// What was decided when the directory was made.
    pub fn settings(&self) -> PathBuf {
        self.0.join("data.toml")
    }

    /// Where the directory was used last. No backup has it.
    pub fn place(&self) -> PathBuf {
        self.0.join("place.toml")
    }

    /// Everything that a host keeps here.
    pub fn all(&self) -> [PathBuf; 12] {
        [
            self.log(),
            self.audit(),
            self.view(),
            self.view_check(),
            self.snapshots(),
            self.components(),
            self.compiled(),
            self.followers(),
            self.secrets(),
            self.token_uses(),
            self.settings(),
            self.place(),
        ]
    }
}
