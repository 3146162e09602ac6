//! Snapshots: what the log folds into at one place in it, as one file that stands for everything
//! before. A view is folded on from the newest one that holds; and segments may leave the log only
//! when snapshots say what they said.
//!
//! ```text
//! last snapshot ─┐
//! log behind it ─┴▶ make ─▶ 00000000000123456789.snapshot ─▶ a view, when it must be folded anew
//! ```
//!
//! A snapshot is made from the one before and the log, never from the live view: it repeats what a
//! rebuild would do, and a view that went wrong doesn't get into it. Everything in it has names, as
//! in the log's records, so that a later host reads it: see [`upgrade`].
//!
//! # The files
//!
//! ```text
//! 00000000000000073125.snapshot       everything before byte 73125 of the log
//! 00000000000000073125.snapshot.new   not yet whole; removed at start
//! run-0003.new                        what didn't fit into memory; likewise
//! ```
//!
//! # The bytes
//!
//! Numbers are little-endian, CRC is CRC-32, reserved bytes are zero.
//!
//! ```text
//! snapshot   header │ block │ block │ … │ trailer
//!
//! header, 64 bytes, 44 bytes a partition, CRC
//!    0  8  "SAMSYNSN"
//!    8  2  format version                    magic and version keep these places for ever
//!   10  2  reserved
//!   12  4  version of the fold that made it
//!   16 16  log id
//!   32  8  cut: a log-wide offset; what stands before it is in here, what stands behind isn't
//!   40  8  made at, milliseconds since 1970
//!   48  4  partitions
//!   52 12  reserved
//!   64  …  partition 2, reserved 2, last sequence before the cut 8, its chain 32
//!    …  4  CRC of all before
//!
//! block, 40 bytes and its body
//!    0  4  "SBLK"
//!    4  1  kind; blocks of a kind stand together, the kinds in this order:
//!          1 the registry's records   2 profiles   3 links   4 event ids   5 counters   6 places
//!    5  3  reserved
//!    8  4  body's length
//!   12  4  entries in the body
//!   16 16  key of the first entry, where entries have keys and stand in their order
//!   32  4  CRC of the body
//!   36  4  CRC of log id, cut, the block's offset in the file, bytes 0 to 36
//!
//! entry of kind
//!    1     a record as the log has it, from the registry's first on: who decided what, with its chain
//!    2     length of the rest 4, profile id 16, partition 2, ProfileState          by id
//!    3     identifier's hash 16, profile id 16                                     by hash
//!    4     a block is received-at of the newest 8, then: fingerprint 8, partition 2, sequence 8
//!    5     length of the rest 4, Counter
//!    6     length of the rest 4, Place: cursors, revision, what was used           the last
//!
//! trailer, 64 bytes
//!    0  8  "SAMSYNSE"
//!    8  8  blocks
//!   16  8  entries
//!   24  8  profiles
//!   32 32  BLAKE3 of everything before these 32 bytes
//! ```
//!
//! `ProfileState`, `Counter` and `Place` are MessagePack with named fields. A position in a `ProfileState` stands
//! without its partition where that is the entry's.
//!
//! # What makes one usable
//!
//! It is whole (every CRC and the digest hold), of this log (its id), of this history (the link at
//! every partition's cut is the log's), not too old (the log goes on right behind its cut), and of a
//! fold this host can read. One that isn't is passed over, with a warning, for the one before; so
//! two are kept, and retention leaves what stands behind the older one.

mod builder;
mod error;
mod format;
mod merge;
mod read;
mod shelf;
mod state;
pub mod upgrade;
mod write;

#[cfg(test)]
mod tests;

pub use builder::{Proceed, Remember, SnapshotJob, SnapshotProgress};
pub use error::{BadSnapshot, SnapshotError};
pub use read::SnapshotFile;
pub use shelf::{Listed, Shelf};

use samsyn_log::LogPlace;
use samsyn_vocabulary::Timestamp;

/// What a snapshot is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Its file's name.
    pub name: String,
    /// Up to where it covers the log.
    pub place: LogPlace,
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of the fold that made it.
    pub fold: u32,
    /// Its file's length.
    pub bytes: u64,
    /// Customers in it.
    pub profiles: u64,
}
