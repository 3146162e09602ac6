//! Rows: calls that travel with those of other customers in one request. One of them leads: what becomes of the request is
//! noted of it, and it ends last, so that a host that dies in between finds the others.
//!
//! ```text
//!           ┌──────────────── freed: refused together, or one of them is gone ───────────────┐
//!           ▼                                                                                │
//!   Free ──▶ Leads (knows the others) ──▶ Sending … Retrying … ──▶ Ended ──▶ the others are answered, then it
//!      └───▶ In    (knows who leads)
//! ```

use serde::{Deserialize, Serialize};

use super::CallNumber;
use samsyn_vocabulary::{Digest, ProfileId, Timestamp};

/// A row of the same capability and endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowId {
    pub profile: ProfileId,
    pub generation: u32,
    pub number: u32,
}

/// How a row travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Row {
    /// It is in no request yet.
    Free {
        /// Rows of a request that it can be in, at the most; 0: as many as the endpoint allows.
        at_most: u16,
    },
    /// It leads a request.
    Leads {
        /// The digest of the request and of whose rows they are.
        batch: Digest,
        /// The others.
        rows: Vec<RowId>,
        /// The request ended as the newest attempt did; the others are being told.
        ended: bool,
    },
    /// It is in a request that another one leads.
    In {
        /// The digest of that request.
        batch: Digest,
        /// Which one.
        leader: RowId,
    },
}

impl Row {
    /// Whether it can be put into a request with others.
    pub fn can_join(&self) -> bool {
        matches!(self, Row::Free { at_most } if *at_most != 1)
    }

    /// Whether it can be put there: it is in no request, or in one that is made anew.
    pub(super) fn can_be_put(&self, place: &Place) -> bool {
        match (self, place) {
            (Row::Free { .. }, _) => self.can_join(),
            (Row::Leads { ended, .. }, Place::Leads(_)) => !ended,
            (Row::In { leader, .. }, Place::In(new)) => leader == new,
            _ => false,
        }
    }
}

/// A row is put into a request. Nothing has left yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framed {
    pub profile: ProfileId,
    pub call: CallNumber,
    /// The digest of the request and of whose rows they are.
    pub batch: Digest,
    /// As what.
    pub place: Place,
    pub at: Timestamp,
}

/// A row's place in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// It leads these.
    Leads(Vec<RowId>),
    /// It is led by this one.
    In(RowId),
}

/// What the end of an attempt means for a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowStep {
    /// It stays in its request, which is sent again.
    #[default]
    Kept,
    /// The request that it leads ended so.
    Ended,
    /// It leaves its request, which had no effect.
    Freed {
        /// Rows of a request that it can be in from now on; 0: as many as the endpoint allows.
        at_most: u16,
    },
}

impl RowStep {
    /// Whether it changes nothing.
    pub fn is_kept(&self) -> bool {
        *self == RowStep::Kept
    }
}

impl From<Framed> for Row {
    fn from(Framed { batch, place, .. }: Framed) -> Row {
        match place {
            Place::Leads(rows) => Row::Leads { batch, rows, ended: false },
            Place::In(leader) => Row::In { batch, leader },
        }
    }
}
