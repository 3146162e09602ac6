//! How plain data becomes bytes: MessagePack with named fields. Entries of the view and of snapshots use it
//! as well; records go through [`Reader`](super::Reader) and [`Appender`](super::Appender) alone.

use serde::{Deserialize, Serialize};

use super::RecordError;
use super::unpack::Unpacker;

/// The largest buffer a thread keeps for encoding, in bytes: a record of the usual kind has one or
/// two thousand.
const KEPT_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// MessagePack with named fields. Encoding plain data into memory can't fail.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    with_encoded(value, <[u8]>::to_vec)
}

/// [`encode`] for who needs the bytes elsewhere than in a vector: lends them from a buffer that the
/// thread keeps, which has long grown as large as what it encodes.
pub fn with_encoded<T: Serialize, R>(value: &T, with: impl FnOnce(&[u8]) -> R) -> R {
    let named =
        |bytes: &mut Vec<u8>| value.serialize(&mut rmp_serde::Serializer::new(bytes).with_struct_map());
    lent(named, with)
}

/// [`with_encoded`] with fields in their order instead of by their names.
pub fn with_encoded_in_order<T: Serialize, R>(value: &T, with: impl FnOnce(&[u8]) -> R) -> R {
    lent(|bytes| value.serialize(&mut rmp_serde::Serializer::new(bytes)), with)
}

fn lent<R>(
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), rmp_serde::encode::Error>,
    with: impl FnOnce(&[u8]) -> R,
) -> R {
    thread_local! {
        static BUFFER: std::cell::Cell<Vec<u8>> = const { std::cell::Cell::new(Vec::new()) };
    }
    let mut bytes = BUFFER.take();
    bytes.clear();
    if let Err(error) = encode(&mut bytes) {
        unreachable!("plain data is encodable: {error}");
    }
    let result = with(&bytes);
    if bytes.capacity() <= KEPT_BUFFER_BYTES_MAX {
        BUFFER.set(bytes);
    }
    result
}

/// Reads what [`encode`] wrote.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, RecordError> {
    T::deserialize(&mut Unpacker::new(bytes)).map_err(|error| RecordError::unreadable(&error))
}
