//! Records that come late: something about an item that was decided before.
//!
//! A late record stands in the order of its partition and has no items: the cursor passes it with the next item,
//! nobody is invoked for it, and it never moves `through`. What is sent, answered and due will be states of a
//! profile that such records change; this one changes nothing.

use serde::{Deserialize, Serialize};

use samsyn_vocabulary::{FullPosition, ProfileId, Timestamp};

/// Something about an item that was decided before. No host appends one yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    pub profile: ProfileId,
    /// The item it is about. It may stand in the partition of a profile that became this one.
    #[serde(with = "crate::home::item")]
    pub about: FullPosition,
    pub at: Timestamp,
}
