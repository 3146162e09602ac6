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

    /// How often each field's visible value changed; none when nobody counts. See [`FieldCounts::get`].
    pub fn field_changes(&self) -> Option<Arc<BTreeMap<FieldName, u64>>> {
        self.field_changes.as_ref().map(FieldCounts::get)
    }

    /// Ends all.
    pub fn stop(&self) {
        self.followers.stop();
    }
}
