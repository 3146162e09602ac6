//! An accepted event, as it came.

use serde::{Deserialize, Serialize};

use samsyn_vocabulary::{Event, FieldName, Identifier, ProfileId, Proposal};

/// An event was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whose.
    pub profile: ProfileId,
    /// What happened.
    pub event: Event,
    /// The identifiers it came with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// What it suggests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Proposal>,
    /// The ETag the profile must still have when the proposals are decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The fields that ETag is of, for a sender who sees no others; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_of: Option<Vec<FieldName>>,
    /// Identifiers of the event that belong to another profile: a recorded conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// The customer whose event this is a copy of: it is about a number or address that both share, and goes
    /// only to capabilities that ask for shared events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_by: Option<ProfileId>,
    /// A hash of what was sent: the same event id with another one is refused.
    pub content: u64,
}

impl Accepted {
    /// A copy of it for another customer who shares the number or address that it is about. A copy proposes
    /// nothing, no application sent it, and it has no id that anybody could send again.
    pub fn copy_for(&self, profile: ProfileId) -> Accepted {
        let mut copy = Accepted {
            profile,
            proposals: Vec::new(),
            identifiers: Vec::new(),
            conflicts: Vec::new(),
            expected: None,
            expected_of: None,
            shared_by: Some(self.profile),
            ..self.clone()
        };
        copy.event.application = None;
        copy
    }
}

/// An identifier that two profiles go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The identifier.
    pub identifier: Identifier,
    /// The profile it belongs to; first wins.
    pub belongs_to: ProfileId,
}
