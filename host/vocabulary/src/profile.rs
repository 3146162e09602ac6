//! A customer's id, and what one plug-in may know of the customer.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{FieldName, Identifier, Partition, TimerName, Timestamp, Value};

/// A customer. Random, so that it says nothing about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileId(pub uuid::Uuid);

impl ProfileId {
    /// A new id from the operating system's randomness.
    pub fn random() -> ProfileId {
        ProfileId(uuid::Uuid::new_v4())
    }

    /// The home partition among `count`; it never changes. The first eight bytes of a random id
    /// are as good as a hash of it.
    pub fn partition(self, count: u16) -> Partition {
        let (high, _) = self.0.as_u64_pair();
        Partition((high % u64::from(count)) as u16)
    }
}

/// How many partitions customers are spread over, which says where each is at home. A data directory is made
/// with a number, and it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Homes(NonZeroU16);

impl Homes {
    /// So many partitions; of none there is one.
    pub fn among(partitions: u16) -> Homes {
        Homes(NonZeroU16::new(partitions).unwrap_or(NonZeroU16::MIN))
    }

    /// The partition that a profile's own records stand in.
    pub fn of(self, profile: ProfileId) -> Partition {
        profile.partition(self.0.get())
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ProfileId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<ProfileId, uuid::Error> {
        text.parse().map(ProfileId)
    }
}

/// One value on a profile, as a plug-in sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct DataPoint<'a> {
    /// The field.
    pub field: FieldName,
    /// Its value.
    pub value: Cow<'a, Value>,
    /// When the claim behind it was made.
    pub observed_at: Timestamp,
}

/// What one plug-in may know of a customer: only what it declared and was granted. Made for every
/// invocation, so it borrows from the profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection<'a> {
    /// The customer.
    pub id: ProfileId,
    /// Only the identifiers that the manifest lists.
    pub identifiers: Vec<Cow<'a, Identifier>>,
    /// Sourced fields with the plug-in's own claim, consumed fields with the visible value.
    pub points: Vec<DataPoint<'a>>,
    /// What the plug-in last asked to remember of this customer.
    pub memory: Option<Cow<'a, [u8]>>,
    /// Its timers that are set for this customer. The host counts them; they don't enter the sandbox.
    pub timers: Vec<TimerName>,
    /// How many of its calls for this customer wait for their answer. They don't enter the sandbox either.
    pub calls: usize,
}
