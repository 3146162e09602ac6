//! Headers that calls take and answers have, as the description names them.

use serde_json::{Value, json};

/// A header that calls take or answers have.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// What its values look like; empty for any.
    pub pattern: &'static str,
    /// How long they may be, in characters.
    pub length_max: Option<usize>,
    /// One of its values.
    pub example: &'static str,
}

impl Header {
    /// The schema of its values.
    pub fn schema(self) -> Value {
        let mut schema = json!({ "type": "string" });
        if !self.pattern.is_empty() {
            schema["pattern"] = self.pattern.into();
        }
        if let Some(length_max) = self.length_max {
            schema["maxLength"] = length_max.into();
        }
        schema
    }

    /// As a header of an answer.
    pub fn answered(self) -> Value {
        json!({ "description": self.description, "schema": self.schema(), "example": self.example })
    }
}

/// For which application an admin's token acts.
pub const APPLICATION: Header = Header {
    name: "Samsyn-Application",
    description: "The application that the call acts for; `admin` by default",
    pattern: "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    length_max: Some(64),
    example: "web",
};
/// What personal data is read for.
pub const PURPOSE: Header = Header {
    name: "Samsyn-Purpose",
    description: "The purpose of a read of personal data, at most 200 bytes. It is kept with the record of the read",
    pattern: "^[ -~]*$",
    length_max: Some(200),
    example: "a complaint",
};
/// How long to wait for the decision.
pub const PREFER: Header = Header {
    name: "Prefer",
    description: "With `wait=5` the answer has the decision, if it is made within 5 seconds; at most 30 \
                  (RFC 7240). An invalid preference is ignored",
    pattern: "",
    length_max: None,
    example: "wait=5",
};
/// Since when a client may have sent the ids of a request before.
pub const IDS_SINCE: Header = Header {
    name: "Samsyn-Ids-Since",
    description: "The client may have sent these ids before, but not before this time (RFC 3339). If the host has \
                  forgotten ids of that time, it rejects an id that it doesn't know with `event-id-forgotten`: it could \
                  be a forgotten one",
    pattern: "",
    length_max: None,
    example: "2026-11-20T10:00:00Z",
};
/// What `PREFER` became.
pub const PREFERENCE_APPLIED: Header = Header {
    name: "Preference-Applied",
    description: "The wait that was applied; absent without `Prefer`",
    pattern: "^wait=[0-9]+$",
    length_max: None,
    example: "wait=5",
};
/// What a proposal relies on.
pub const IF_MATCH: Header = Header {
    name: "If-Match",
    description: "The profile's `ETag` as it was read: the proposal counts only if the visible values are \
                  the same when it is decided",
    pattern: r#"^("[!#-+\x2d-~]+"|\*)$"#,
    length_max: None,
    example: "\"6d1f0c.93ab12\"",
};
/// What the client has.
pub const IF_NONE_MATCH: Header = Header {
    name: "If-None-Match",
    description: "An `ETag` of an earlier answer: 304 when nothing has changed since",
    pattern: "",
    length_max: None,
    example: "\"6d1f0c.93ab12\"",
};
/// What an answer stands for.
pub const ETAG: Header = Header {
    name: "ETag",
    description: "Identifies this answer, as this token sees it",
    pattern: "^\"[^\"]+\"$",
    length_max: None,
    example: "\"6d1f0c.93ab12\"",
};
/// Where what was made can be read.
pub const LOCATION: Header = Header {
    name: "Location",
    description: "The address of the result",
    pattern: "^/v1/",
    length_max: None,
    example: "/v1/events/0190f3c2-7b1e-7cc0-a4a5-2f4f6b1f0c11",
};
/// When to come back.
pub const RETRY_AFTER: Header = Header {
    name: "Retry-After",
    description: "Seconds to wait before sending the same request again",
    pattern: "^[0-9]+$",
    length_max: None,
    example: "1",
};
/// How a client authenticates.
pub const WWW_AUTHENTICATE: Header = Header {
    name: "WWW-Authenticate",
    description: "The authentication scheme",
    pattern: "^Bearer ",
    length_max: None,
    example: "Bearer realm=\"samsyn\"",
};
