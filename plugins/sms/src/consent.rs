//! Whether a customer wants text messages, decided by when they said so.
//!
//! Messages arrive late and out of order. The newest wish by its own time counts, so an older
//! STOP that arrives after a newer START changes nothing; of two at the same moment STOP does.
//! The wish is the customer's, not the number's: it stays when the number changes.

use samsyn_plugin::{Memory, Timestamp};
use serde::{Deserialize, Serialize};

/// The newest wish: some ten bytes, however often the customer changes their mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    at: Timestamp,
    opted_out: bool,
}

impl Memory for Consent {
    const VERSION: u8 = 1;
}

impl Consent {
    /// A wish of that moment.
    pub(crate) fn new(opted_out: bool, at: Timestamp) -> Consent {
        Consent { at, opted_out }
    }

    /// Whether this wish counts, given the newest one known.
    pub(crate) fn counts_after(self, known: Option<Consent>) -> bool {
        known.is_none_or(|known| (self.at, self.opted_out) > (known.at, known.opted_out))
    }

    /// Whether the customer doesn't want messages.
    pub(crate) fn opted_out(self) -> bool {
        self.opted_out
    }
}
