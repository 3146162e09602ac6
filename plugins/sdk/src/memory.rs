//! What a plug-in keeps about a customer between two invocations: a type of its own, with a version.
//!
//! The bytes: one byte for the version, then postcard.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a plug-in remembers about one customer. Start with version 1. Raise the version when a
/// change makes old bytes unreadable. Keep the old type, and read it in [`migrate`](Memory::migrate).
///
/// Keep the memory small and bounded: the host accepts at most 32 KiB, and every invocation reads it.
///
/// # A plug-in that remembers
///
/// ```
/// use samsyn_plugin::testing::{Host, event};
/// use samsyn_plugin::{Effects, Error, Event, Memory, Profile, Settings, Subscriber};
/// use serde::{Deserialize, Serialize};
///
/// /// The ids of the newest orders, so that a repeated order counts once.
/// #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
/// struct Orders {
///     ids: Vec<String>,
/// }
///
/// impl Memory for Orders {
///     const VERSION: u8 = 1;
/// }
///
/// struct Count;
///
/// impl Subscriber for Count {
///     fn on_event(event: &Event, profile: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
///         let mut orders = profile.memory::<Orders>()?.unwrap_or_default();
///         let id = event.text("order_id")?;
///         if orders.ids.iter().any(|known| known == id) {
///             return Ok(());
///         }
///         orders.ids.push(id.to_owned());
///         // Bounded: only the newest 100 are kept.
///         if orders.ids.len() > 100 {
///             orders.ids.remove(0);
///         }
///         effects.set("shop.orders", profile.integer("shop.orders").unwrap_or(0) + 1)?;
///         effects.remember(&orders)
///     }
/// }
///
/// const MANIFEST: &str = r#"
/// manifest = 1
/// [plugin]
/// name = "count"
/// version = "0.1.0"
/// owner = "Web team"
/// description = "Counts each order once"
/// [subscribes."order.completed"]
/// order_id = { type = "text", required = true }
/// [sources]
/// "shop.orders" = { type = "integer" }
/// "#;
///
/// let host = Host::from_manifest(MANIFEST);
/// let mut anna = host.customer();
/// let order = event("order.completed").property("order_id", "A1");
/// let first = anna.on_event::<Count>(&order);
/// assert_eq!(first.memory::<Orders>(), Some(Orders { ids: vec!["A1".into()] }));
/// let repeated = anna.on_event::<Count>(&order);
/// assert!(repeated.effects.is_empty());
/// assert_eq!(anna.value("shop.orders"), Some(&1.into()));
/// ```
///
/// # A new version of the memory
///
/// ```
/// use samsyn_plugin::testing::{Host, event, profile};
/// # use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber};
/// use samsyn_plugin::memory::{self, Memory, MemoryError};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Total {
///     orders: u32,
///     cents: i64,
/// }
///
/// /// Version 1 had no amount.
/// #[derive(Serialize, Deserialize)]
/// struct TotalV1 {
///     orders: u32,
/// }
///
/// impl Memory for Total {
///     const VERSION: u8 = 2;
///
///     fn migrate(version: u8, bytes: &[u8]) -> Result<Total, MemoryError> {
///         match version {
///             1 => memory::decode(bytes).map(|old: TotalV1| Total { orders: old.orders, cents: 0 }),
///             _ => Err(MemoryError::Unknown { version }),
///         }
///     }
/// }
///
/// # struct Plugin;
/// # impl Subscriber for Plugin {
/// #     fn on_event(_: &Event, profile: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
/// #         let mut total = profile.memory::<Total>()?.unwrap_or(Total { orders: 0, cents: 0 });
/// #         total.orders += 1;
/// #         effects.remember(&total)
/// #     }
/// # }
/// # const MANIFEST: &str = r#"
/// # manifest = 1
/// # [plugin]
/// # name = "total"
/// # version = "0.2.0"
/// # owner = "Web team"
/// # description = "Totals of orders"
/// # [subscribes."order.completed"]
/// # "#;
/// # let host = Host::from_manifest(MANIFEST);
/// // Version 1 wrote these bytes: the version, then `orders`.
/// let old = profile().memory_bytes([1, 7]);
/// // The handler adds one order.
/// let run = host.on_event::<Plugin>(&event("order.completed"), &old);
/// let total = run.memory::<Total>().expect("the handler remembers");
/// assert_eq!((total.orders, total.cents), (8, 0));
///
/// // A version that no migration reads is an error: the invocation is parked, nothing is lost.
/// let unknown = profile().memory_bytes([0, 7]);
/// let run = host.on_event::<Plugin>(&event("order.completed"), &unknown);
/// assert_eq!(run.result, Err(MemoryError::Unknown { version: 0 }.into()));
/// ```
pub trait Memory: Serialize + DeserializeOwned {
    /// The version that this type writes. Start with 1.
    const VERSION: u8;

    /// Reads what an older version wrote; decode `bytes` with [`decode`].
    ///
    /// # Errors
    ///
    /// Unless overridden, always [`MemoryError::Unknown`].
    fn migrate(version: u8, bytes: &[u8]) -> Result<Self, MemoryError> {
        let _ = bytes;
        Err(MemoryError::Unknown { version })
    }
}

/// Why the memory can't be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// A newer version of the plug-in wrote it. Reading it here could lose data.
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
    /// The bytes don't match the type of this version.
    #[error("the memory can't be read ({0}); did its type change without a new Memory::VERSION?")]
    Damaged(postcard::Error),
    /// The value can't be encoded.
    #[error("the memory can't be written ({0})")]
    Unwritable(postcard::Error),
}

/// Decodes the bytes of a memory, for [`Memory::migrate`].
///
/// # Errors
///
/// [`MemoryError::Damaged`] when the bytes are not exactly one `T`.
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
