//! How plain data becomes bytes: MessagePack with named fields. Entries of the view and of snapshots use it
//! as well; records go through [`Reader`](super::Reader) and [`Appender`](super::Appender) alone.
//!
//! What names records is encoded and decoded *at* its home, the partition that it stands in: see
//! [`home`](super::home).

use serde::{Deserialize, Serialize};

use super::RecordError;
use super::home::AtHome;
use samsyn_vocabulary::Partition;

/// The largest buffer a thread keeps for encoding, in bytes: a record of the usual kind has one or
/// two thousand.
const KEPT_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// MessagePack with named fields, of what stands in no partition. Encoding plain data into memory can't fail.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    with_encoded(None, value, <[u8]>::to_vec)
}

/// [`encode`] of what stands in a partition: positions in it are written without it.
pub fn encode_at<T: Serialize>(home: Partition, value: &T) -> Vec<u8> {
    with_encoded(Some(home), value, <[u8]>::to_vec)
}

/// [`encode_at`], or [`encode`], for who needs the bytes elsewhere than in a vector: lends them from a buffer that
/// the thread keeps, which has long grown as large as what it encodes.
pub(super) fn with_encoded<T: Serialize, R>(
    home: Option<Partition>,
    value: &T,
    with: impl FnOnce(&[u8]) -> R,
) -> R {
    let named =
        |bytes: &mut Vec<u8>| value.serialize(&mut rmp_serde::Serializer::new(bytes).with_struct_map());
    lent(home, named, with)
}

/// [`encode_at`] with fields in their order instead of by their names; lends the bytes.
pub fn with_encoded_in_order_at<T: Serialize, R>(
    home: Partition,
    value: &T,
    with: impl FnOnce(&[u8]) -> R,
) -> R {
    lent(Some(home), |bytes| value.serialize(&mut rmp_serde::Serializer::new(bytes)), with)
}

fn lent<R>(
    home: Option<Partition>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), rmp_serde::encode::Error>,
    with: impl FnOnce(&[u8]) -> R,
) -> R {
    thread_local! {
        static BUFFER: std::cell::Cell<Vec<u8>> = const { std::cell::Cell::new(Vec::new()) };
    }
    let mut bytes = BUFFER.take();
    bytes.clear();
    {
        let _at_home = AtHome::of(home);
        if let Err(error) = encode(&mut bytes) {
            unreachable!("plain data is encodable: {error}");
        }
    }
    let result = with(&bytes);
    if bytes.capacity() <= KEPT_BUFFER_BYTES_MAX {
        BUFFER.set(bytes);
    }
    result
}

/// What [`encode_at`] writes, as JSON for people.
pub fn json_at<T: Serialize>(home: Partition, value: &T) -> serde_json::Value {
    let _at_home = AtHome::of(Some(home));
    match serde_json::to_value(value) {
        Ok(json) => json,
        Err(error) => unreachable!("plain data is JSON: {error}"),
    }
}

/// Reads what [`encode`] wrote.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, RecordError> {
    decoded(None, bytes, |bytes| T::deserialize(bytes))
}

/// Reads what [`encode_at`] or [`with_encoded_in_order_at`] wrote with this home.
pub fn decode_at<'a, T: Deserialize<'a>>(home: Partition, bytes: &'a [u8]) -> Result<T, RecordError> {
    decoded(Some(home), bytes, |bytes| T::deserialize(bytes))
}

/// Lists and maps within one another at most; a record has a dozen.
const DEPTH_MAX: usize = 256;

/// Reads one value after the other from memory.
pub(super) type Unpacker<'a> = rmp_serde::Deserializer<rmp_serde::decode::ReadRefReader<'a, [u8]>>;

/// [`decode_at`] by a function that reads less than all of it.
pub(super) fn decoded<'a, T>(
    home: Option<Partition>,
    bytes: &'a [u8],
    read: impl FnOnce(&mut Unpacker<'a>) -> Result<T, rmp_serde::decode::Error>,
) -> Result<T, RecordError> {
    let _at_home = AtHome::of(home);
    let mut unpacker = Unpacker::from_read_ref(bytes);
    unpacker.set_max_depth(DEPTH_MAX);
    read(&mut unpacker).map_err(|error| RecordError::unreadable(&error))
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
