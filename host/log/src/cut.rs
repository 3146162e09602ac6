//! Where every partition stood at one moment: little enough to note elsewhere, and enough to prove
//! later that nothing before it was rewritten.

use super::format::{ChainHash, LogId, array, u16_at, u64_at};
use super::index::Head;
use super::reader::LogReader;
use samsyn_vocabulary::Partition;

/// Bytes of one partition's head in a file: the partition, 2 bytes of zero, the last record's
/// sequence and link.
pub const HEAD_BYTES: usize = 44;

/// Writes heads one behind the other, [`HEAD_BYTES`] each.
pub fn write_heads(bytes: &mut Vec<u8>, heads: impl IntoIterator<Item = (Partition, Head)>) {
    for (partition, head) in heads {
        bytes.extend_from_slice(&partition.0.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&head.seq.to_le_bytes());
        bytes.extend_from_slice(&head.chain.0);
    }
}

/// Reads what [`write_heads`] wrote; bytes that are no whole head at the end don't count.
pub fn read_heads(bytes: &[u8]) -> impl Iterator<Item = (Partition, Head)> + '_ {
    bytes.chunks_exact(HEAD_BYTES).map(|entry| {
        let head = Head { seq: u64_at(entry, 4), chain: ChainHash(array(entry, 12)) };
        (Partition(u16_at(entry, 0)), head)
    })
}

/// A place in a log, between two records. Places of one log are ordered; what the number counts is the log's
/// own affair, and a place says nothing of another log.
///
/// Files and answers keep it as a number: [`number`](LogPlace::number) and
/// [`from_number`](LogPlace::from_number).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct LogPlace(pub(super) u64);

impl LogPlace {
    /// Before the first record there ever was.
    pub const START: LogPlace = LogPlace(0);

    /// It as files and answers keep it.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The place whose [`number`](LogPlace::number) this is.
    pub fn from_number(number: u64) -> LogPlace {
        LogPlace(number)
    }

    /// About how many bytes were appended between an earlier place and this one; 0 when it isn't earlier.
    pub fn bytes_since(self, earlier: LogPlace) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::fmt::Display for LogPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for LogPlace {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<LogPlace, Self::Err> {
        text.parse().map(LogPlace)
    }
}

/// A log up to a place: everything before it is durable, nothing behind it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub log_id: LogId,
    /// Where it is cut.
    pub place: LogPlace,
    /// Where each partition ends before it, ascending.
    pub heads: Vec<(Partition, Head)>,
}

impl Cut {
    /// BLAKE3 over the log's id and every partition's head. A chain can't be changed anywhere
    /// without changing its head.
    pub fn digest(&self) -> ChainHash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.log_id.0);
        for (partition, head) in self.heads.iter().filter(|(_, head)| head.seq > 0) {
            hasher.update(&partition.0.to_le_bytes());
            hasher.update(&head.seq.to_le_bytes());
            hasher.update(&head.chain.0);
        }
        ChainHash(*hasher.finalize().as_bytes())
    }
}

impl LogReader {
    /// The log as it is on the disk now.
    pub fn cut(&self) -> Cut {
        let state = self.0.state.read();
        let active = &state.active;
        Cut {
            log_id: self.0.log_id,
            place: LogPlace(active.header.base + active.durable),
            heads: active.heads.iter().map(|(partition, head)| (*partition, *head)).collect(),
        }
    }
}

/// What somebody noted of a [`Cut`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// [`Cut::place`].
    pub place: LogPlace,
    /// [`Cut::digest`].
    pub digest: ChainHash,
    /// [`Cut::heads`], when they were noted too: then a difference can be named.
    pub heads: Vec<(Partition, Head)>,
}

/// Whether what was noted still stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotedResult {
    /// It does: everything before it is what it was.
    Holds,
    /// It lies before the oldest record that is kept: nothing can be said.
    NotKept,
    /// It doesn't.
    Differs(String),
}

impl Noted {
    /// Compares with what stands before the noted place now.
    pub(super) fn compare(&self, found: &Cut) -> NotedResult {
        if found.digest() == self.digest {
            return NotedResult::Holds;
        }
        let mut differences: Vec<String> = Vec::new();
        for (partition, noted) in &self.heads {
            let now = found.heads.iter().find(|(other, _)| other == partition).map(|(_, head)| *head);
            if now != Some(*noted) {
                let now = now.map_or_else(|| "nothing".to_owned(), |now| now.to_string());
                differences.push(format!("partition {partition} stood at {noted} and stands at {now}"));
            }
        }
        if differences.is_empty() {
            differences.push("the digest over all partitions is another one".to_owned());
        }
        NotedResult::Differs(differences.join("; "))
    }
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.seq, self.chain)
    }
}
