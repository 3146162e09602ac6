//! When each token was used last, kept in memory and written to a file now and then.
//!
//! It is no truth that must survive: a record a call would cost more than it tells. So the file is
//! written at most once a minute and when the host stops; a crash forgets at most that minute.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ApiState;
use samsyn_disk::durable_file;
use samsyn_disk::failpoint::{Step, step};
use samsyn_vocabulary::{Timestamp, TokenName};

/// How often the file is written while tokens are used.
const WRITE_EVERY: Duration = Duration::from_secs(60);

type Uses = BTreeMap<TokenName, Timestamp>;

/// The file that last uses are kept in.
pub struct LastUses {
    path: PathBuf,
    written: Uses,
}

impl LastUses {
    /// Reads the file and tells the authenticator. A file that isn't there or can't be read is no error: it
    /// is said, and last uses are known from now on.
    pub fn open(path: &Path, state: &ApiState) -> LastUses {
        let written = match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|cause| {
                tracing::warn!(path = %path.display(), %cause, "last uses of tokens can't be read; they are recorded from now on");
                Uses::new()
            }),
            Err(_) => Uses::new(),
        };
        state.authenticator.remember(written.clone());
        LastUses { path: path.to_owned(), written }
    }

    /// Writes the file now and then, until the future is dropped.
    pub async fn keep(mut self, state: ApiState, mut stop: tokio::sync::watch::Receiver<bool>) {
        loop {
            let stopped = tokio::time::timeout(WRITE_EVERY, stop.wait_for(|stop| *stop)).await.is_ok();
            self.write(&state);
            if stopped {
                return;
            }
        }
    }

    fn write(&mut self, state: &ApiState) {
        let uses = state.authenticator.last_uses(&state.engine.registry(), state.engine.clock().now());
        if uses == self.written {
            return;
        }
        let bytes = serde_json::to_vec(&uses).unwrap_or_default();
        match step(Step::TokenUses, || durable_file::write(&self.path, &bytes)) {
            Ok(()) => self.written = uses,
            Err(cause) => {
                tracing::warn!(path = %self.path.display(), %cause, "last uses of tokens can't be written");
            }
        }
    }
}
