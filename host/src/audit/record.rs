//! A record of the read audit: who read what, many reads at once.

use serde::{Deserialize, Serialize};

use crate::record::{RecordError, decode, encode};
use crate::vocabulary::{Application, FieldName, IdentifierName, ProfileId, Timestamp};

/// The number of the records' kind in the log's envelope. The audit's log has a numbering of its
/// own.
pub(super) const KIND_READS: u8 = 1;

/// One read of somebody's personal data. Names only, never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// When the answer was made.
    pub at: Timestamp,
    /// The application that read.
    pub by: Application,
    /// The token it used, by its name.
    pub token: Option<String>,
    /// Which call, such as `GET /v1/profiles/{ref}`.
    pub call: String,
    /// Whose data.
    pub profile: ProfileId,
    /// The personal fields whose values the answer shows.
    pub fields: Vec<FieldName>,
    /// The identifiers whose values it shows.
    pub identifiers: Vec<IdentifierName>,
    /// What for, if the caller said so.
    pub purpose: Option<String>,
}

/// What stands in the log. Fields are optional where a later host may leave them out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Stored {
    /// What was seen, each combination once: a busy application reads the same fields of everybody.
    #[serde(default)]
    seen: Vec<Seen>,
    #[serde(default)]
    reads: Vec<StoredRead>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldName>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    identifiers: Vec<IdentifierName>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredRead {
    at: Timestamp,
    by: Application,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    call: String,
    profile: ProfileId,
    /// Its place in `seen`.
    #[serde(default)]
    saw: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

/// A record's payload.
pub(super) fn to_bytes(reads: Vec<Read>) -> Vec<u8> {
    let mut stored = Stored { seen: Vec::new(), reads: Vec::with_capacity(reads.len()) };
    for read in reads {
        let Read { at, by, token, call, profile, fields, identifiers, purpose } = read;
        let seen = Seen { fields, identifiers };
        // A handful of combinations: a search is faster than a hash of names.
        let saw = stored.seen.iter().rposition(|known| *known == seen).unwrap_or_else(|| {
            stored.seen.push(seen);
            stored.seen.len() - 1
        });
        stored.reads.push(StoredRead { at, by, token, call, profile, saw, purpose });
    }
    encode(&stored)
}

/// The reads of a record, in the order they were made.
pub(super) fn from_bytes(kind: u8, payload: &[u8]) -> Result<Vec<Read>, RecordError> {
    if kind != KIND_READS {
        // A newer host's record of something else.
        return Ok(Vec::new());
    }
    let stored: Stored = decode(payload)?;
    let reads = stored.reads.into_iter().map(|read| {
        let StoredRead { at, by, token, call, profile, saw, purpose } = read;
        let Seen { fields, identifiers } = stored.seen.get(saw).cloned().unwrap_or_default();
        Read { at, by, token, call, profile, fields, identifiers, purpose }
    });
    Ok(reads.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_come_back_and_share_what_they_saw() {
        let read = |fields: &[&str], purpose: Option<&str>| Read {
            at: Timestamp(1_700_000_000_000),
            by: Application::new("crm-desk").unwrap(),
            token: None,
            call: "GET /v1/profiles/{ref}".to_owned(),
            profile: ProfileId::random(),
            fields: fields.iter().map(|name| FieldName::new(name).unwrap()).collect(),
            identifiers: vec![IdentifierName::new("customer_id").unwrap()],
            purpose: purpose.map(str::to_owned),
        };
        let one = read(&["email", "first_name"], None);
        let reads = vec![one.clone(), read(&["email"], Some("a complaint")), one.clone()];
        let bytes = to_bytes(reads.clone());
        assert_eq!(from_bytes(KIND_READS, &bytes).unwrap(), reads);
        let alone = to_bytes(vec![one.clone()]).len();
        let many = to_bytes(vec![one; 100]).len();
        assert!(many < 95 * alone, "{many} bytes for 100, {alone} for one");
        assert_eq!(from_bytes(9, b"of tomorrow").unwrap(), []);
        assert!(from_bytes(KIND_READS, b"not one").is_err());
    }
}
