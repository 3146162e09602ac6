//! Records for tests that write a log of their own.

use super::Accepted;
use samsyn_vocabulary::{Event, ProfileId, Timestamp};

/// An accepted event of this customer, with this id, which says nothing else.
pub fn accepted(profile: ProfileId, id: &str) -> Accepted {
    Accepted {
        profile,
        event: Event {
            id: id.to_owned(),
            application: Some("tests".parse().expect("a name")),
            name: "probe.asked".parse().expect("a name"),
            at: Timestamp(1),
            received_at: Timestamp(2),
            properties: Vec::new(),
        },
        identifiers: Vec::new(),
        proposals: Vec::new(),
        expected: None,
        expected_of: None,
        conflicts: Vec::new(),
        shared_by: None,
        content: 9,
    }
}
