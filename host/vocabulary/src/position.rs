//! Where a record stands in the log: partition and gapless sequence, and items inside a record.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A record's place in its partition: 1, 2, 3, … without a gap; 0 is before the first.
pub type Seq = u64;

/// One ordered stream of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

impl Partition {
    /// Fields, grants, assignments, settings, tokens.
    pub const REGISTRY: Partition = Partition(0xFFFF);
    /// Identifier to profile, first wins.
    pub const IDENTITY: Partition = Partition(0xFFFE);

    /// Whether events of customers stand in it.
    pub fn holds_customers(self) -> bool {
        self < Partition::IDENTITY
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Partition::REGISTRY => f.write_str("registry"),
            Partition::IDENTITY => f.write_str("identity"),
            Partition(number) => write!(f, "{number}"),
        }
    }
}

/// Where a record stands; written `12-345`: partition 12, record 345.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition.
    pub partition: Partition,
    /// The record's number in it, from 1.
    pub seq: Seq,
}

/// Where an item inside a record stands; written `12-345.2`. Item 0 of an `Accepted` is its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ItemPosition {
    /// The record's number in its partition.
    pub seq: Seq,
    /// The item's number in the record, from 0.
    pub index: u16,
}

/// Where an item stands in the whole log; written `12-345.2`. What can outlive a merge of two profiles names an
/// item by it: the other profile's records stand in another partition.
///
/// How it stands in bytes is the journal's affair: most of them leave the partition out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullPosition {
    /// The partition.
    pub partition: Partition,
    /// The record's number in it, from 1.
    pub seq: Seq,
    /// The item's number in the record, from 0.
    pub index: u16,
}

impl Position {
    /// An item of the record.
    pub fn item(self, index: u16) -> FullPosition {
        FullPosition { partition: self.partition, seq: self.seq, index }
    }
}

impl FullPosition {
    /// An item of a partition.
    pub fn new(partition: Partition, item: ItemPosition) -> FullPosition {
        FullPosition { partition, seq: item.seq, index: item.index }
    }

    /// The record that the item is in.
    pub fn record(self) -> Position {
        Position { partition: self.partition, seq: self.seq }
    }

    /// The item's place in this partition; none when it stands in another one. Only places in one partition have
    /// an order.
    pub fn within(self, partition: Partition) -> Option<ItemPosition> {
        (self.partition == partition).then_some(ItemPosition { seq: self.seq, index: self.index })
    }
}

/// A text that is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a position such as 12-345")]
pub struct PositionError(String);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.partition, self.seq)
    }
}

impl fmt::Display for ItemPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.index)
    }
}

impl fmt::Display for FullPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.partition, self.seq, self.index)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Position, PositionError> {
        let parse = || {
            let (partition, seq) = text.split_once('-')?;
            let partition = match partition {
                "registry" => Partition::REGISTRY,
                "identity" => Partition::IDENTITY,
                number => Partition(number.parse().ok()?),
            };
            Some(Position { partition, seq: seq.parse().ok()? })
        };
        parse().ok_or_else(|| PositionError(text.chars().take(64).collect()))
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.partition, self.seq).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Position, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            let (partition, seq) = Deserialize::deserialize(deserializer)?;
            Ok(Position { partition, seq })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_another_partition_has_no_place_in_this_one() {
        let item = Position { partition: Partition(12), seq: 345 }.item(2);
        assert_eq!(item.to_string(), "12-345.2");
        assert_eq!(item.record().to_string(), "12-345");
        assert_eq!(item.within(Partition(12)), Some(ItemPosition { seq: 345, index: 2 }));
        assert_eq!(item.within(Partition(13)), None);
    }

    #[test]
    fn positions_read_as_they_are_written() {
        for text in ["12-345", "registry-1", "identity-9"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        for text in ["", "12", "12-", "x-1", "-1"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
