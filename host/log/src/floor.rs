//! Where a log begins once retention has removed its oldest segments: what those ended with.
//!
//! Written before a segment is removed, so that a segment that is missing without it is damage.

use std::path::{Path, PathBuf};

use super::cut::{HEAD_BYTES, read_heads, write_heads};
use super::error::{Damage, LogError};
use super::files::LogDir;
use super::format::{FORMAT_VERSION, LogId, SegmentHeader, array, checksum, u16_at, u32_at, u64_at};
use super::index::Heads;
use samsyn_disk as disk;
use samsyn_disk::failpoint::{Step, step};

const MAGIC: [u8; 8] = *b"SAMSYNFL";
const HEADER_BYTES: usize = 48;
const CRC_BYTES: usize = 4;

/// The first segment that is kept, and where every partition stood before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Floor {
    pub first: SegmentHeader,
    pub heads: Heads,
}

pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("floor")
}

impl Floor {
    /// Reads the floor of the log in `dir`; none when nothing was ever removed.
    pub fn read(dir: &LogDir) -> Result<Option<Floor>, LogError> {
        let path = path(&dir.path);
        let bytes = match disk::read(&*dir.disk, &path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(LogError::io("read", &path)(cause)),
        };
        Floor::decode(&bytes, &path).map(Some)
    }

    /// Puts the floor in place: after a crash there is this one or the one before.
    pub fn write(&self, dir: &LogDir) -> Result<(), LogError> {
        step(Step::FloorWrite, || dir.replace(&path(&dir.path), &[&self.encode()]))
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.heads.len() * HEAD_BYTES + CRC_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&(self.heads.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.first.log_id.0);
        bytes.extend_from_slice(&self.first.number.to_le_bytes());
        bytes.extend_from_slice(&self.first.base.to_le_bytes());
        write_heads(&mut bytes, self.heads.iter().map(|(partition, head)| (*partition, *head)));
        let crc = checksum(&[&bytes]);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8], path: &Path) -> Result<Floor, LogError> {
        let damage = |cause: &str| {
            let segment = path.to_owned();
            LogError::Damaged(Box::new(Damage {
                segment,
                offset: 0,
                position: None,
                cause: cause.to_owned(),
            }))
        };
        let Some(content) = bytes.len().checked_sub(CRC_BYTES).filter(|content| *content >= HEADER_BYTES)
        else {
            return Err(damage("the file is too short"));
        };
        if bytes[..8] != MAGIC || u32_at(bytes, content) != checksum(&[&bytes[..content]]) {
            return Err(damage("the checksum doesn't match"));
        }
        let found = u16_at(bytes, 8);
        if found > FORMAT_VERSION {
            let segment = path.to_owned();
            return Err(LogError::NewerFormat { segment, offset: 8, found, known: FORMAT_VERSION });
        }
        let entries = &bytes[HEADER_BYTES..content];
        if entries.len() != u32_at(bytes, 12) as usize * HEAD_BYTES {
            return Err(damage("the file is not as long as it says"));
        }
        Ok(Floor {
            first: SegmentHeader {
                log_id: LogId(array(bytes, 16)),
                number: u64_at(bytes, 32),
                base: u64_at(bytes, 40),
            },
            heads: read_heads(entries).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{ChainHash, Head};
    use samsyn_vocabulary::Partition;

    #[test]
    fn a_floor_reads_back_and_every_flipped_bit_is_found() {
        let temporary = tempfile::tempdir().unwrap();
        let dir = &LogDir::new(disk::local(), temporary.path());
        assert_eq!(Floor::read(dir).unwrap(), None);
        let head = |seq| Head { seq, chain: ChainHash([seq as u8; 32]) };
        let floor = Floor {
            first: SegmentHeader { log_id: LogId([7; 16]), number: 3, base: 2_048 },
            heads: [(Partition(0), head(5)), (Partition::REGISTRY, head(9))].into_iter().collect(),
        };
        floor.write(dir).unwrap();
        assert_eq!(Floor::read(dir).unwrap(), Some(floor));
        let good = fs::read(path(&dir.path)).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(path(&dir.path), bytes).unwrap();
            assert!(matches!(Floor::read(dir), Err(LogError::Damaged(_))), "bit {bit}");
        }
        fs::write(path(&dir.path), &good[..good.len() - 1]).unwrap();
        assert!(Floor::read(dir).is_err());
    }
}
