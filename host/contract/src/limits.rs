//! How much one invocation, and one capability of one customer, may take. A host's configuration can set
//! others; the numbers here are the defaults, and the only place where they stand.

use serde::{Deserialize, Serialize};

use crate::vocabulary::{FieldName, Value};

const KIB: u64 = 1 << 10;

/// Bytes of a manifest, by default. 64 KiB: it is written by hand.
pub const MANIFEST_BYTES_MAX: u64 = 64 * KIB;

/// The most that [`Limits::customer_bytes`] can be set to: it stands in one entry of the view, which
/// has 48 KiB, beside what the host itself notes there.
pub const CUSTOMER_BYTES_MAX: u64 = 40 * KIB;

/// What one claim takes besides its field's name and its value, in bytes: times and positions.
const CLAIM_BYTES: usize = 48;

/// What one invocation may ask for. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Effects one invocation may ask for, taken or refused. 256: several for each field a plug-in could
    /// sensibly source.
    pub effects: u32,
    /// Bytes of all effects of one invocation. 256 KiB: they end in one log record.
    pub effect_bytes: u64,
    /// Bytes of one value. 32 KiB: as large as a whole event may be.
    pub value_bytes: u64,
    /// Bytes a plug-in may remember of one customer. 32 KiB: read and written on every invocation.
    pub remember_bytes: u64,
    /// Bytes of a plug-in's claims and memory of one customer together. 40 KiB: they are kept in one
    /// place.
    pub customer_bytes: u64,
    /// Log lines of one invocation. 64: a debugging session, not a flood.
    pub log_lines: u32,
    /// Bytes of one log line, refusal or error message. 1 KiB: a sentence with a backtrace's worth.
    pub message_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            effects: 256,
            effect_bytes: 256 * KIB,
            value_bytes: 32 * KIB,
            remember_bytes: 32 * KIB,
            customer_bytes: CUSTOMER_BYTES_MAX,
            log_lines: 64,
            message_bytes: KIB,
        }
    }
}

/// What claims and memory of one customer take: each claim its field's name, its value and 48 bytes.
pub fn customer_bytes<'a>(
    claims: impl Iterator<Item = (&'a FieldName, Option<&'a Value>)>,
    memory: usize,
) -> usize {
    let of_claim = |(field, value): (&FieldName, Option<&Value>)| {
        CLAIM_BYTES + field.as_str().len() + value.map_or(0, Value::size)
    };
    claims.map(of_claim).sum::<usize>() + memory
}

/// Why an invocation whose effects would leave more than `limit` bytes of one customer comes to nothing.
pub fn customer_bytes_refusal(total: usize, limit: u64) -> String {
    format!("claims and memory of one customer would take {total} bytes; {limit} are the most")
}

/// A limit as a number of this machine's memory; what doesn't fit is no limit here.
pub(crate) fn as_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
