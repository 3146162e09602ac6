//! An id as eight bytes: the ledger only asks whether it has seen one before.

/// The hash of an id, with what kind of id it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 8]);

impl Key {
    /// An order, by the shop's id of it.
    pub fn order(order_id: &str) -> Key {
        Key::of(b'o', &[order_id])
    }

    /// A refund of an order: by its own id, else by the event that told of it.
    pub fn refund(order_id: &str, refund_id: Option<&str>, event_id: &str) -> Key {
        match refund_id {
            Some(id) => Key::of(b'r', &[order_id, id]),
            None => Key::of(b'R', &[order_id, event_id]),
        }
    }

    /// A redemption: by its own id, else by the event that told of it.
    pub fn redemption(redemption_id: Option<&str>, event_id: &str) -> Key {
        match redemption_id {
            Some(id) => Key::of(b's', &[id]),
            None => Key::of(b'S', &[event_id]),
        }
    }

    /// A part given back of a redemption: by its own id, else by the event that told of it.
    pub fn given_back(redemption_id: &str, cancellation_id: Option<&str>, event_id: &str) -> Key {
        match cancellation_id {
            Some(id) => Key::of(b'g', &[redemption_id, id]),
            None => Key::of(b'G', &[redemption_id, event_id]),
        }
    }

    /// As the ledger keeps it.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0
    }

    /// What [`Key::to_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 8]) -> Key {
        Key(bytes)
    }

    /// FNV-1a, then a mix that spreads the last bytes over all bits. Part of the memory's format:
    /// a change needs a new memory version.
    fn of(kind: u8, parts: &[&str]) -> Key {
        const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
        const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        let mut hash = step(FNV_START, kind);
        for part in parts {
            hash = part.bytes().fold(hash, step);
            // 0xff is in no UTF-8 text, so "a"+"bc" and "ab"+"c" differ.
            hash = step(hash, 0xff);
        }
        hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Key((hash ^ (hash >> 29)).to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_of_id_has_keys_of_its_own() {
        let keys = [
            Key::order("1"),
            Key::refund("1", Some("1"), "1"),
            Key::refund("1", None, "1"),
            Key::refund("11", Some(""), "1"),
            Key::refund("", Some("11"), "1"),
            Key::redemption(Some("1"), "1"),
            Key::redemption(None, "1"),
            Key::given_back("1", Some("1"), "1"),
            Key::given_back("1", None, "1"),
        ];
        assert_eq!(keys.iter().map(|key| key.0).collect::<HashSet<_>>().len(), keys.len());
    }

    #[test]
    fn ids_in_a_row_dont_collide() {
        let keys: HashSet<_> = (0..200_000).map(|id| Key::order(&format!("A{id}")).0).collect();
        assert_eq!(keys.len(), 200_000);
    }

    #[test]
    fn the_format_stays() {
        // Calculated by other means than this code.
        assert_eq!(u64::from_le_bytes(Key::order("A1").0), 14_556_053_190_887_907_629);
    }
}
