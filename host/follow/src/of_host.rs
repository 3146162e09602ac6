//! The followers of a host.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use samsyn_disk::{DataDir, Disk};
use samsyn_journal::Reader;
use samsyn_machine::clock::Clock;
use samsyn_vocabulary::FieldName;

use crate::{FieldChanges, FieldCounts, FollowConfig, FollowerStatus, Followers, Pace};

/// The followers of a host.
pub struct HostFollowers {
    followers: Followers,
    field_changes: Option<FieldCounts>,
}

impl HostFollowers {
    /// Starts those that the settings want. Whoever starts them holds the log's lock.
    pub fn start(
        reader: Reader,
        disk: Arc<dyn Disk>,
        data: &DataDir,
        config: &FollowConfig,
        clock: Clock,
    ) -> io::Result<HostFollowers> {
        let followers = Followers::new(reader, disk, data.followers(), clock, Pace::of(config));
        let mut field_changes = None;
        if config.field_changes {
            let follower = FieldChanges::default();
            field_changes = Some(follower.counts());
            followers.start(follower)?;
        }
        Ok(HostFollowers { followers, field_changes })
    }

    /// How each is.
    pub fn status(&self) -> Vec<FollowerStatus> {
        self.followers.status()
    }

    /// How often the visible value of each of these fields changed. Of others nothing is shown; what was counted of
    /// a field that was removed is there again when a field gets its name. None when nobody counts, or it isn't
    /// known: see [`FieldCounts::get`].
    pub fn field_changes<'a>(
        &self,
        fields: impl Iterator<Item = &'a FieldName>,
    ) -> Option<BTreeMap<String, u64>> {
        let counts = self.field_changes.as_ref()?.get()?;
        let count = |name| counts.get(name).copied().unwrap_or(0);
        Some(fields.map(|name| (name.to_string(), count(name))).collect())
    }

    /// Ends all.
    pub fn stop(&self) {
        self.followers.stop();
    }
}
