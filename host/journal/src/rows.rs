//! Rows: calls that travel with those of other customers in one request. One of them leads: what becomes of the request is
//! noted of it, and it ends last, so that a host that dies in between finds the others.
//!
//! ```text
//!           ┌─────────────── freed: refused together, or the request is made anew ────────────┐
//!           ▼                                                                                │
//!   Free ──▶ Leads (knows the others) ──▶ Sending … Retrying … ──▶ Ended ──▶ the others are answered, then it
//!      └───▶ In    (knows who leads)
//! ```

use serde::{Deserialize, Serialize};

use super::{AttemptEnd, CallNumber};
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
        /// The others; none of a row that travels alone.
        rows: Vec<RowId>,
        /// An attempt of it ended so that a part of it may have had an effect.
        may_have_worked: bool,
        /// The request ended as the newest attempt did, and the others are being told: 0 that, else that they may be
        /// together again with so many at the most.
        ended: Option<u16>,
    },
    /// It is in a request that another one leads.
    In {
        /// The digest of that request, as it was first made.
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

    /// Whether it can be put there: it is in no request, or in one of which nothing has left and that is made anew.
    pub(super) fn can_be_put(&self, place: &Place, may_have_left: bool) -> bool {
        match (self, place) {
            // Sent again by an administrator it travels alone, whatever has left before.
            (Row::Free { .. }, Place::Leads(rows)) if rows.is_empty() => true,
            (Row::Free { .. }, _) => self.can_join(),
            (Row::Leads { ended: None, .. }, Place::Leads(_)) => !may_have_left,
            (Row::In { leader, .. }, Place::In(new)) => leader == new,
            _ => false,
        }
    }

    /// Whether an attempt of it can begin: it leads a request that hasn't ended.
    pub(super) fn can_leave(&self) -> bool {
        matches!(self, Row::Leads { ended: None, .. })
    }

    /// An attempt of its request ended, and this follows.
    pub(super) fn step(&mut self, step: RowStep, how: &AttemptEnd) {
        match (step, &mut *self) {
            (RowStep::Freed { at_most }, _) => *self = Row::Free { at_most },
            (RowStep::Ended { at_most }, Row::Leads { ended, .. }) => *ended = Some(at_most),
            (RowStep::Kept, Row::Leads { may_have_worked, .. }) => {
                *may_have_worked |= match how {
                    AttemptEnd::NotSent { .. } => false,
                    AttemptEnd::Response { status } => *status >= 500,
                    AttemptEnd::Unknown { .. } => true,
                }
            }
            _ => {}
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
    Ended {
        /// Of a refusal that may be of one row: how many may be together from now on. 0: each is told how it ended.
        at_most: u16,
    },
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
            Place::Leads(rows) => Row::Leads { batch, rows, may_have_worked: false, ended: None },
            Place::In(leader) => Row::In { batch, leader },
        }
    }
}
