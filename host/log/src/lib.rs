//! The log: the truth of a host. Everything else is folded from it.
//!
//! It holds opaque records in ordered partitions, in segment files that only grow. It must not know
//! what a record says. One thread writes; whatever queued up while it synced is its next frame.
//!
//! # The files
//!
//! ```text
//! lock                        held by the process that serves the log
//! 0000000001.segment          sealed: gets no more frames, ends in its index
//! 0000000002.segment          the last one grows
//! 0000000002.segment.new      not yet whole; removed at start
//! ahead.segment.new           will be the next segment: zeros that are synced; likewise
//! 0000000002-1234-1.tail      what a start cut off segment 2 at byte 1234
//! floor                       once segments were removed: where the log begins now
//! repaired-1/                 what `samsyn log repair` took out
//! hold                        has a shared lock on it while segments must stay, as for a backup
//! ```
//!
//! # The bytes
//!
//! Numbers are little-endian. *At* is a frame's log-wide offset: its segment's base plus its place
//! in the file. A CRC is CRC-32. Reserved bytes are zero.
//!
//! ```text
//! segment   header │ frame │ frame │ …                                  while it grows
//!           header │ frame │ frame │ … │ end mark │ zeros               the same, zeroed ahead
//!           header │ frame │ frame │ … │ index frame │ trailer          sealed
//!
//! header, 64 bytes
//!    0  8  "SAMSYNLG"
//!    8  2  format version                    magic, version and CRC keep these places for ever
//!   10  6  reserved
//!   16 16  log id: random, the same in all segments
//!   32  8  segment number, from 1
//!   40  8  base: the length of all segments before
//!   48 12  reserved
//!   60  4  CRC of bytes 0 to 60
//!
//! frame, 32 bytes and its body: one commit
//!    0  4  "SFRM"
//!    4  2  format version                    magic, version and header CRC likewise
//!    6  2  kind: 0 records, 1 index, 2 mark of a clean close, 3 mark of the end
//!    8  4  body's length
//!   12  4  records in the body
//!   16  8  durable: all bytes of the log before this log-wide offset were known synced
//!   24  4  CRC of the body
//!   28  4  CRC of log id, at, bytes 0 to 28
//!   32  …  body: records, one after the other
//!
//! record, 104 bytes and its payload
//!    0  1  kind, in the appender's numbering           ┐
//!    1  1  flags: 1 erased                             │
//!    2  2  partition                                   │ the envelope is kind, partition,
//!    4  4  payload's length                            │ sequence and time
//!    8  8  sequence in its partition, from 1           │
//!   16  8  appended at, milliseconds since 1970        ┘
//!   24 32  digest: blake3(salt ‖ payload)
//!   56 32  chain: blake3(chain of the record before ‖ envelope ‖ digest), 32 zeros before the first
//!   88 16  salt: random
//!  104  …  payload
//!
//! index frame's body: by partition, ascending, every partition the log knows
//!    …  4  each record's offset in the file            tables, one partition after the other
//!    …     partition 2, reserved 2, records 4,         directory, 52 bytes a partition
//!          last sequence 8, its table's offset 4, last record's chain 32
//! trailer, 32 bytes at the end of the file
//!    0  4  directory's offset in the file
//!    4  4  partitions in the directory
//!    8  4  index frame's offset in the file
//!   12  4  records in the segment
//!   16  4  reserved
//!   20  4  CRC of log id, segment number, directory, the trailer's other bytes
//!   24  8  "SAMSYNIX"
//! ```
//!
//! ```text
//! floor, 48 bytes, 44 bytes a partition, CRC
//!    0  8  "SAMSYNFL"
//!    8  2  format version
//!   10  2  reserved
//!   12  4  partitions
//!   16 16  log id
//!   32  8  the first segment that is kept
//!   40  8  its base
//!   48  …  partition 2, reserved 2, last sequence before that segment 8, its chain 32
//!    …  4  CRC of all before
//! ```
//!
//! The CRC of a frame's header takes in the log's random id and the frame's place, so no bytes in
//! a payload and no old block of the disk can pass for a frame. To erase a payload, its salt and
//! bytes are zeroed, the flag set and the frame's checksums renewed: digest and chain still stand.
//! The directory lists partitions without records too, so that heads outlive retention: removing
//! segments writes the last one's heads into the floor first, and a chain is checked from there.
//!
//! # What it assumes of the disk
//!
//! - After `fdatasync` returned without an error, the bytes and the file's length survive power loss.
//! - After `fsync` of a file, `rename`, and `fsync` of the directory, the new file is found by its name.
//! - A write that wasn't synced may be there wholly, partly, in any order of blocks, or not at all.
//! - After a failed sync nothing is known, and what is read back may be in memory alone. So no write
//!   is tried twice: the log stops, and the next start writes the last segment anew.
//! - Other bytes don't change by themselves; where they do, checksums show it.
//!
//! # Tail and damage
//!
//! A segment that was zeroed ahead goes on behind its last frame with a mark of 32 bytes, a frame of no body
//! that is written with that frame and that the next one overwrites, and then with zeros to the end of the
//! file. That rest holds nothing, and is neither tail nor damage. Zeros without the mark are what a lost
//! write leaves, and anything but zeros behind the mark a torn one: both are judged as below. The rest is cut
//! off when the segment is sealed and when the log is closed. A host that doesn't know the mark yet takes it
//! for a torn tail, after a kill alone, and keeps it aside: nothing is lost.
//!
//! A frame is written only after the one before it is synced, and says so in `durable`. So when a
//! frame doesn't hold and the header of a later one does, the disk lost something it had synced: that
//! is damage, and the log isn't opened. When no later one holds, a crash cut the write short and nobody was
//! told of it: it is the tail, which is kept in a file of its own and cut. A sealed segment with a
//! later one after it has no tail. A clean close ends with an empty frame that vouches for the rest.
//!
//! # The map
//!
//! `partitioned` what any log promises, whichever backend keeps it, and `conformance` the tests that a backend
//! has to pass; `memory` a second backend, for tests. All other files are the backend on local disks:
//!
//! `format` the bytes, `index` where records stand, `files` names and syncs, `walk` one segment checked
//! whole, `recovery` opening, `queue` and `writer` appending, `ahead` the next segment, `reader` and `scan`
//! reading `stored` records, `growth` waking who waits for more, `state` what these share, `growing` a look at a segment while it is written,
//! `verify` the check of all, `repair` repairing it, `cut` what to note of it, `stopped` a log that is only
//! read, `floor` and `retention` where it begins, `carried` records that outlive their segment, `prefix`
//! what can be copied, `error` what can go wrong, `local` the log that puts them together.

mod ahead;
mod carried;
mod cut;
mod error;
mod files;
mod floor;
mod format;
mod growing;
mod growth;
mod index;
mod local;
mod partitioned;
mod prefix;
mod queue;
mod reader;
mod recovery;
mod repair;
mod retention;
mod scan;
mod state;
mod stopped;
mod stored;
mod verify;
mod walk;
mod writer;

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod erasing;
#[cfg(any(test, feature = "testing"))]
pub mod flips;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
#[cfg(test)]
mod tests;

pub use carried::{CarryError, head_after, split_records};
pub use cut::{Cut, LogPlace, Noted, NotedResult};
pub use cut::{HEAD_BYTES, read_heads, write_heads};
pub use error::{AppendError, Damage, Failure, LogError, Target};
pub use format::{ChainHash, LogId, Payload, RecordRef};
pub use format::{array, checksum, u16_at, u32_at, u64_at};
pub use growth::{Growth, GrowthWaiter};
pub use index::Head;
pub use local::LocalLog;
pub use partitioned::{PartitionedLog, ReadLog, ScanLog};
pub use prefix::{LogPrefix, PrefixSegment, prefix};
pub use reader::{LogReader, PartitionScan};
pub use recovery::{CutTail, Recovered, Torn};
pub use repair::{LogCut, LostRecords, Part, Rebuilt, Repair, RepairPlan};
pub use retention::{Hold, SealedInfo, SegmentInfo, hold};
pub use scan::{LogScan, Progress, ScanFrom};
pub use stopped::StoppedLog;
pub use stored::StoredRecord;
pub use verify::{VerifyReport, verify, verify_noted};
pub use writer::{Commit, Committed};

use samsyn_vocabulary::{Partition, Position, Seq, Timestamp};

/// The backend that hosts are built with: the one line that names it.
pub type HostLog<T> = LocalLog<T>;

/// How a log is kept.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where a segment is sealed and the next begins, in bytes; 1 KiB to 1 GiB. One segment is
    /// read whole at start, and one index is held in memory.
    pub segment_bytes: u64,
    /// The most one commit writes, and one append holds, in bytes; 1 KiB to 64 MiB. It bounds how
    /// long an append waits behind a burst.
    pub frame_bytes_max: usize,
    /// Queued bytes from which on [`LocalLog::is_full`] says so. Appends are still taken: a caller that must
    /// slow down is for the callers to say.
    pub queue_bytes_max: usize,
    /// Microseconds from the start of one commit to the next, at least, when there is work: on a
    /// disk that syncs faster, more appends share a sync. A lone append never waits for it.
    pub commit_interval_us: u64,
    /// Whether the next segment's file is filled with zeros before it is needed, in the background:
    /// a commit's sync then waits for its own bytes alone.
    pub zero_ahead: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: 64 << 20,
            frame_bytes_max: 4 << 20,
            queue_bytes_max: 32 << 20,
            commit_interval_us: 1_000,
            zero_ahead: true,
        }
    }
}

impl Options {
    fn check(&self) -> Result<(), LogError> {
        let refuse = |option, value, rule| Err(LogError::Option { option, value, rule });
        if !(1 << 10..=1 << 30).contains(&self.segment_bytes) {
            return refuse("segment_bytes", self.segment_bytes, "from 1 KiB to 1 GiB");
        }
        if !(1 << 10..=64 << 20).contains(&self.frame_bytes_max) {
            return refuse("frame_bytes_max", self.frame_bytes_max as u64, "from 1 KiB to 64 MiB");
        }
        Ok(())
    }
}

/// A record to append.
#[derive(Debug)]
pub struct Entry<T> {
    /// The partition it belongs to.
    pub partition: Partition,
    /// The sequence the partition must end at, counted after the entries before this one in the
    /// same append; none to go on from wherever it ends.
    pub expected_head: Option<Seq>,
    /// A record that was appended before it, which it relies on: it doesn't become durable without that one. Of
    /// the records of its own partition before it this is so in any case.
    pub relies_on: Option<Position>,
    /// What the payload is, in the appender's numbering.
    pub kind: u8,
    /// The appender's time.
    pub appended_at: Timestamp,
    /// The content, already hashed.
    pub payload: Payload,
    /// Comes out again when the record is durable; dropped when it can't be.
    pub attachment: T,
}

/// Where a record went. It isn't durable yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place in its partition: the partition's new head.
    pub position: Position,
    /// Its link.
    pub chain: ChainHash,
}
