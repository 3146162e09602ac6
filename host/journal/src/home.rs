//! How positions stand in bytes: without their partition where that is the home of what they stand in, the
//! partition of a record or of a profile.
//!
//! Hosts before there were full positions wrote none at all, and meant that one. So what they wrote reads as what
//! it means, whatever stands at home has the same bytes still, and what is read has always a partition.
//!
//! serde hands nothing down to the fields of a value. So the home is noted for the thread while one is encoded or
//! decoded, by [`codec`](super::codec) and nobody else. Without a note every partition is written, and nothing
//! is read that lacks one.

use std::cell::Cell;

use samsyn_vocabulary::Partition;

thread_local! {
    static HOME: Cell<Option<Partition>> = const { Cell::new(None) };
}

/// While it lives, a position without a partition stands in this one.
pub(super) struct AtHome(Option<Partition>);

impl AtHome {
    pub fn of(home: Option<Partition>) -> AtHome {
        AtHome(HOME.replace(home))
    }
}

impl Drop for AtHome {
    fn drop(&mut self) {
        HOME.set(self.0);
    }
}

/// The partition, where it has to be written.
fn elsewhere(partition: Partition) -> Option<Partition> {
    (HOME.get() != Some(partition)).then_some(partition)
}

/// The partition of what was written without one.
fn at_home<E: serde::de::Error>() -> Result<Partition, E> {
    HOME.get().ok_or_else(|| E::custom("a position lacks its partition"))
}

/// An item: `{seq, index}`, and `partition` when it stands elsewhere.
pub(super) mod item {
    use samsyn_vocabulary::{FullPosition, Partition, Seq};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Written {
        seq: Seq,
        index: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<Partition>,
    }

    pub fn serialize<S: Serializer>(item: &FullPosition, serializer: S) -> Result<S::Ok, S::Error> {
        let FullPosition { partition, seq, index } = *item;
        Written { seq, index, partition: super::elsewhere(partition) }.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FullPosition, D::Error> {
        let Written { seq, index, partition } = Written::deserialize(deserializer)?;
        let partition = partition.map_or_else(super::at_home, Ok)?;
        Ok(FullPosition { partition, seq, index })
    }
}

/// A record: its number, or `[partition, number]` when it stands elsewhere.
pub(super) mod record {
    use std::fmt;

    use samsyn_vocabulary::{Position, Seq};
    use serde::de::value::SeqAccessDeserializer;
    use serde::de::{self, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(record: &Position, serializer: S) -> Result<S::Ok, S::Error> {
        let Position { partition, seq } = *record;
        match super::elsewhere(partition) {
            Some(partition) => (partition, seq).serialize(serializer),
            None => serializer.serialize_u64(seq),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Position, D::Error> {
        struct Record;
        impl<'de> Visitor<'de> for Record {
            type Value = Position;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record's number, or its partition and number")
            }
            fn visit_u64<E: de::Error>(self, seq: Seq) -> Result<Position, E> {
                Ok(Position { partition: super::at_home()?, seq })
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, items: A) -> Result<Position, A::Error> {
                let (partition, seq) = Deserialize::deserialize(SeqAccessDeserializer::new(items))?;
                Ok(Position { partition, seq })
            }
        }
        deserializer.deserialize_any(Record)
    }
}

/// A [`record`], or none.
pub(super) mod record_if_any {
    use samsyn_vocabulary::Position;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(record: &Option<Position>, serializer: S) -> Result<S::Ok, S::Error> {
        match record {
            Some(record) => super::record::serialize(record, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Position>, D::Error> {
        #[derive(Deserialize)]
        struct Read(#[serde(with = "super::record")] Position);
        let read = Option::<Read>::deserialize(deserializer)?;
        Ok(read.map(|Read(record)| record))
    }
}

/// A profile's newest [`record`]; the number 0 when there is none.
pub(super) mod head {
    use samsyn_vocabulary::Position;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(head: &Option<Position>, serializer: S) -> Result<S::Ok, S::Error> {
        match head {
            Some(head) => super::record::serialize(head, serializer),
            None => serializer.serialize_u64(0),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Position>, D::Error> {
        let head = super::record::deserialize(deserializer)?;
        Ok((head.seq > 0).then_some(head))
    }
}
