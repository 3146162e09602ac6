//! What a plug-in keeps of a customer between two calls: a type of its own, with a version.
//!
//! On the wire: one byte with the version, then postcard.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a plug-in remembers of one customer. Give it the version 1, and raise it whenever a
/// change makes old bytes unreadable; keep the old type and read it in [`migrate`](Memory::migrate).
///
/// Keep it small and bounded: the host takes at most 32 KiB, and every call carries it.
///
/// ```
/// use samsyn_plugin::memory::{self, Memory, MemoryError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Tally {
///     orders: u32,
///     cents: i64,
/// }
///
/// /// Version 1 didn't count money.
/// #[derive(Serialize, Deserialize)]
/// struct TallyV1 {
///     orders: u32,
/// }
///
/// impl Memory for Tally {
///     const VERSION: u8 = 2;
///
///     fn migrate(version: u8, bytes: &[u8]) -> Result<Tally, MemoryError> {
///         match version {
///             1 => memory::decode(bytes).map(|old: TallyV1| Tally { orders: old.orders, cents: 0 }),
///             _ => Err(MemoryError::Unknown { version }),
///         }
///     }
/// }
/// ```
pub trait Memory: Serialize + DeserializeOwned {
    /// The version this type writes, from 1.
    const VERSION: u8;

    /// Reads what an older version wrote; `bytes` is for [`decode`]. Refuses unless overridden.
    fn migrate(version: u8, bytes: &[u8]) -> Result<Self, MemoryError> {
        let _ = bytes;
        Err(MemoryError::Unknown { version })
    }
}

/// Why memory can't be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Written by a newer plug-in: reading it as this one could lose what that one knew.
    #[error("the memory has version {found}, this plug-in knows {known}; install the newer plug-in again")]
    Newer {
        /// The version found.
        found: u8,
        /// The newest version this plug-in reads.
        known: u8,
    },
    /// No migration reads this version.
    #[error(
        "the memory has version {version} and this plug-in has no migration from it; add one to Memory::migrate"
    )]
    Unknown {
        /// The version found.
        version: u8,
    },
    /// The bytes are not what the version promises.
    #[error("the memory can't be read ({0}); did its type change without a new Memory::VERSION?")]
    Damaged(postcard::Error),
    /// The value can't be written.
    #[error("the memory can't be written ({0})")]
    Unwritable(postcard::Error),
}

/// Reads the body of a memory, for [`Memory::migrate`].
///
/// # Errors
///
/// When the bytes are no `T`, or more than a `T`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, MemoryError> {
    match postcard::take_from_bytes(bytes).map_err(MemoryError::Damaged)? {
        (value, []) => Ok(value),
        // A shorter type reads the start of a longer one; what is left over shows it.
        (_, _) => Err(MemoryError::Damaged(postcard::Error::DeserializeBadEncoding)),
    }
}

pub(crate) fn read<T: Memory>(bytes: &[u8]) -> Result<T, MemoryError> {
    let (&found, body) =
        bytes.split_first().ok_or(MemoryError::Damaged(postcard::Error::DeserializeUnexpectedEnd))?;
    if found > T::VERSION {
        return Err(MemoryError::Newer { found, known: T::VERSION });
    }
    if found < T::VERSION { T::migrate(found, body) } else { decode(body) }
}

pub(crate) fn write<T: Memory>(value: &T) -> Result<Vec<u8>, MemoryError> {
    postcard::to_extend(value, vec![T::VERSION]).map_err(MemoryError::Unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old(u8);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New(u8, String, crate::Decimal);

    impl Memory for Old {
        const VERSION: u8 = 1;
    }

    impl Memory for New {
        const VERSION: u8 = 3;
        fn migrate(version: u8, bytes: &[u8]) -> Result<New, MemoryError> {
            match version {
                1 => decode(bytes).map(|Old(number)| New(number, String::new(), crate::Decimal::ONE)),
                _ => Err(MemoryError::Unknown { version }),
            }
        }
    }

    #[test]
    fn a_memory_reads_back_and_carries_its_version() {
        let new = New(7, "gold".into(), crate::Decimal::new(1250, 2));
        let bytes = write(&new).unwrap();
        assert_eq!(bytes[0], 3);
        assert_eq!(read::<New>(&bytes), Ok(new));
    }

    #[test]
    fn older_is_migrated_newer_is_an_error() {
        let bytes = write(&Old(7)).unwrap();
        assert_eq!(read::<New>(&bytes), Ok(New(7, String::new(), crate::Decimal::ONE)));
        assert_eq!(read::<New>(&[2, 7]), Err(MemoryError::Unknown { version: 2 }));
        let newer = write(&New(7, String::new(), crate::Decimal::ONE)).unwrap();
        assert_eq!(read::<Old>(&newer), Err(MemoryError::Newer { found: 3, known: 1 }));
    }

    #[test]
    fn bytes_left_over_or_missing_are_damage() {
        assert!(matches!(read::<Old>(&[1, 7, 7]), Err(MemoryError::Damaged(_))));
        assert!(matches!(read::<Old>(&[1]), Err(MemoryError::Damaged(_))));
        assert!(matches!(read::<Old>(&[]), Err(MemoryError::Damaged(_))));
    }
}
