//! The bytes of a snapshot's header, blocks and trailer, as the module's page draws them. Pure: bytes
//! in, values out.

use samsyn_log::{
    Cut, HEAD_BYTES, LogId, LogPlace, array, checksum, read_heads, u16_at, u32_at, u64_at, write_heads,
};
use samsyn_vocabulary::Timestamp;

/// The format this host writes and the newest it reads.
pub const FORMAT_VERSION: u16 = 1;
/// The header's bytes before its partitions.
pub const HEADER_BYTES: usize = 64;
const CRC_BYTES: usize = 4;
/// A block's bytes before its body.
pub const BLOCK_HEADER_BYTES: usize = 40;
/// The trailer's bytes.
pub const TRAILER_BYTES: usize = 64;
/// Bytes of the trailer that its digest covers too.
pub const TRAILER_COUNTS_BYTES: usize = 32;
/// More partitions than a log can have: a length beyond it is no length.
const PARTITIONS_MAX: u32 = 1 << 16;

const MAGIC: [u8; 8] = *b"SAMSYNSN";
const BLOCK_MAGIC: [u8; 4] = *b"SBLK";
const TRAILER_MAGIC: [u8; 8] = *b"SAMSYNSE";

/// Why bytes can't be what should stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBytes {
    /// Something else stands there.
    #[error("{0}")]
    Shape(&'static str),
    /// A newer host wrote it.
    #[error("format version {0} is newer than this host knows")]
    Newer(u16),
}

/// What blocks hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// The registry's records.
    Registry = 1,
    /// Profiles.
    Profiles = 2,
    /// Links.
    Links = 3,
    /// Event ids.
    Events = 4,
    /// Counters.
    Counters = 5,
    /// Places of partitions.
    Places = 6,
}

impl Kind {
    fn of(byte: u8) -> Option<Kind> {
        const KINDS: [Kind; 6] =
            [Kind::Registry, Kind::Profiles, Kind::Links, Kind::Events, Kind::Counters, Kind::Places];
        KINDS.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of the fold that made it.
    pub fold: u32,
    /// The log, up to where.
    pub cut: Cut,
    pub made_at: Timestamp,
}

impl Header {
    pub fn encode(&self) -> Vec<u8> {
        let heads = &self.cut.heads;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + heads.len() * HEAD_BYTES + CRC_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.fold.to_le_bytes());
        bytes.extend_from_slice(&self.cut.log_id.0);
        bytes.extend_from_slice(&self.cut.place.number().to_le_bytes());
        bytes.extend_from_slice(&self.made_at.0.to_le_bytes());
        bytes.extend_from_slice(&(heads.len() as u32).to_le_bytes());
        bytes.resize(HEADER_BYTES, 0);
        write_heads(&mut bytes, heads.iter().copied());
        let crc = checksum(&[&bytes]);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The whole header's length, from its first [`HEADER_BYTES`] bytes.
    pub fn length(first: &[u8]) -> Result<usize, BadBytes> {
        if first[..8] != MAGIC {
            return Err(BadBytes::Shape("the file doesn't start as a snapshot"));
        }
        let partitions = u32_at(first, 48);
        if partitions > PARTITIONS_MAX {
            return Err(BadBytes::Shape("the header is longer than any"));
        }
        Ok(HEADER_BYTES + partitions as usize * HEAD_BYTES + CRC_BYTES)
    }

    /// Reads a whole header.
    pub fn decode(bytes: &[u8]) -> Result<Header, BadBytes> {
        let content = bytes.len() - CRC_BYTES;
        if u32_at(bytes, content) != checksum(&[&bytes[..content]]) {
            return Err(BadBytes::Shape("the header's checksum doesn't match"));
        }
        let version = u16_at(bytes, 8);
        if version != FORMAT_VERSION {
            return Err(BadBytes::Newer(version));
        }
        Ok(Header {
            fold: u32_at(bytes, 12),
            cut: Cut {
                log_id: LogId(array(bytes, 16)),
                place: LogPlace::from_number(u64_at(bytes, 32)),
                heads: read_heads(&bytes[HEADER_BYTES..content]).collect(),
            },
            made_at: Timestamp(u64_at(bytes, 40) as i64),
        })
    }
}

/// A block's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    pub kind: Kind,
    pub body_bytes: u32,
    pub entries: u32,
    pub first_key: [u8; 16],
    pub body_checksum: u32,
}

impl BlockHeader {
    /// As it stands at `offset` of a snapshot of `cut`.
    pub fn encode(&self, cut: &Cut, offset: u64) -> [u8; BLOCK_HEADER_BYTES] {
        let mut bytes = [0; BLOCK_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&BLOCK_MAGIC);
        bytes[4] = self.kind as u8;
        bytes[8..12].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.entries.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.first_key);
        bytes[32..36].copy_from_slice(&self.body_checksum.to_le_bytes());
        let crc = block_checksum(cut, offset, &bytes[..36]);
        bytes[36..40].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8; BLOCK_HEADER_BYTES], cut: &Cut, offset: u64) -> Result<BlockHeader, BadBytes> {
        if bytes[0..4] != BLOCK_MAGIC {
            return Err(BadBytes::Shape("no block starts here"));
        }
        if u32_at(bytes, 36) != block_checksum(cut, offset, &bytes[..36]) {
            return Err(BadBytes::Shape("the block header's checksum doesn't match"));
        }
        Ok(BlockHeader {
            kind: Kind::of(bytes[4]).ok_or(BadBytes::Shape("the block is of no known kind"))?,
            body_bytes: u32_at(bytes, 8),
            entries: u32_at(bytes, 12),
            first_key: array(bytes, 16),
            body_checksum: u32_at(bytes, 32),
        })
    }
}

fn block_checksum(cut: &Cut, offset: u64, header: &[u8]) -> u32 {
    checksum(&[&cut.log_id.0, &cut.place.number().to_le_bytes(), &offset.to_le_bytes(), header])
}

/// What stands at a snapshot's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Trailer {
    pub blocks: u64,
    pub entries: u64,
    pub profiles: u64,
    pub digest: [u8; 32],
}

impl Trailer {
    /// The bytes the digest covers too.
    pub fn counts(&self) -> [u8; TRAILER_COUNTS_BYTES] {
        let mut bytes = [0; TRAILER_COUNTS_BYTES];
        bytes[0..8].copy_from_slice(&TRAILER_MAGIC);
        bytes[8..16].copy_from_slice(&self.blocks.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.entries.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.profiles.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8; TRAILER_BYTES]) -> Result<Trailer, BadBytes> {
        if bytes[0..8] != TRAILER_MAGIC {
            return Err(BadBytes::Shape("the file doesn't end as a snapshot"));
        }
        Ok(Trailer {
            blocks: u64_at(bytes, 8),
            entries: u64_at(bytes, 16),
            profiles: u64_at(bytes, 24),
            digest: array(bytes, 32),
        })
    }
}
