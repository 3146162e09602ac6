//! A log as it can be copied while it is written: the files of a prefix of it, whole frames up to
//! one place, and everything that was acknowledged before the look began.
//!
//! Nothing is asked of the writer. A sealed segment doesn't change; of the last one every frame that
//! holds is taken, which is a prefix of what was written. Zeros behind them are left where they are. Its last frame may not be synced yet: then
//! the copy has a commit that a power cut could still take from the log, and never one less.

use std::path::{Path, PathBuf};

use super::cut::{Cut, LogPlace};
use super::error::LogError;
use super::files::LogDir;
use super::floor::{self, Floor};
use super::format::{FRAME_HEADER_BYTES, FrameKind, LogId, RecordRef, SegmentHeader, decode_frame};
use super::growing::{Seen, look};
use super::index::{Heads, SealedSegment};
use super::recovery::{Before, kept_numbers, read_sealed, refusal};
use super::retention::Hold;
use super::walk::{Ending, later_proof, walk};
use samsyn_disk as disk;
use samsyn_vocabulary::{Position, Timestamp};

/// The files of a prefix of a log. While it lives no segment is removed.
pub struct LogPrefix {
    dir: LogDir,
    log_id: LogId,
    floor: Option<Vec<u8>>,
    segments: Vec<PrefixSegment>,
    /// What of the last segment was read.
    last: Vec<u8>,
    end: Cut,
    newest: Option<Timestamp>,
    _hold: Hold,
}

/// One segment of a [`LogPrefix`].
pub struct PrefixSegment {
    pub number: u64,
    /// Its file.
    pub path: PathBuf,
    /// Bytes of it that belong to the prefix.
    pub bytes: u64,
    /// It gets no more frames.
    pub sealed: bool,
    header: SegmentHeader,
    before: Heads,
}

/// The prefix of the log in `dir` that is on the disk now. Checks how the segments join, and all of
/// the last one.
pub fn prefix(dir: &Path) -> Result<LogPrefix, LogError> {
    let hold = super::hold(dir)?;
    let dir = LogDir::new(disk::local(), dir);
    let floor = Floor::read(&dir)?;
    let numbers = kept_numbers(&dir, floor.as_ref())?;
    let floor_bytes = match &floor {
        Some(_) => {
            let path = floor::path(&dir.path);
            Some(disk::read(&*dir.disk, &path).map_err(LogError::io("read", &path))?)
        }
        None => None,
    };
    let mut before = Before::first(floor);
    let Some((last, earlier)) = numbers.split_last() else {
        return Err(LogError::io("find a segment in", &dir.path)(std::io::ErrorKind::NotFound.into()));
    };
    let mut segments = Vec::with_capacity(numbers.len());
    for number in earlier {
        let sealed = read_sealed(&dir, *number, &before)?;
        let after = Before::after(&sealed);
        let SealedSegment { header, length, .. } = sealed;
        segments.push(PrefixSegment {
            number: *number,
            path: dir.segment(*number),
            bytes: length,
            sealed: true,
            header,
            before: std::mem::replace(&mut before, after).heads,
        });
    }
    let Seen { header, mut bytes, walk: walked, heads } = look(&dir, *last, before.header, &before.heads)?;
    if let Ending::Bad(bad) = &walked.ending
        && (!bad.may_be_torn || later_proof(&bytes, &header, bad.offset).is_some())
    {
        return Err(refusal(&dir, *last, bad));
    }
    bytes.truncate(walked.end as usize);
    let newest = newest_of(&bytes, &header);
    let sealed = matches!(walked.ending, Ending::Sealed);
    let path = dir.segment(*last);
    segments.push(PrefixSegment {
        number: *last,
        path,
        bytes: walked.end,
        sealed,
        header,
        before: before.heads,
    });
    let end = Cut {
        log_id: header.log_id,
        place: LogPlace(header.base + walked.end),
        heads: heads.into_iter().collect(),
    };
    Ok(LogPrefix {
        dir,
        log_id: header.log_id,
        floor: floor_bytes,
        segments,
        last: bytes,
        end,
        newest,
        _hold: hold,
    })
}

/// When the last record of a segment whose frames hold was appended.
fn newest_of(bytes: &[u8], header: &SegmentHeader) -> Option<Timestamp> {
    let mut newest = None;
    let mut at = super::format::SEGMENT_HEADER_BYTES;
    while let Ok((frame, body)) = decode_frame(bytes.get(at..)?, header.log_id, header.base + at as u64) {
        let mut rest = body;
        while frame.kind == FrameKind::Records && !rest.is_empty() {
            let Ok(record) = RecordRef::decode(rest) else { break };
            newest = Some(record.appended_at);
            rest = &rest[record.bytes_on_disk()..];
        }
        at += FRAME_HEADER_BYTES + frame.body_bytes;
        if at >= bytes.len() {
            break;
        }
    }
    newest
}

impl LogPrefix {
    /// The log's own random id.
    pub fn log_id(&self) -> LogId {
        self.log_id
    }

    /// Where it ends.
    pub fn end(&self) -> &Cut {
        &self.end
    }

    /// When its last record was appended, if that lies in its last segment.
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// The floor's bytes, when segments have left the log.
    pub fn floor(&self) -> Option<&[u8]> {
        self.floor.as_deref()
    }

    /// Its segments, in order.
    pub fn segments(&self) -> &[PrefixSegment] {
        &self.segments
    }

    /// A segment's bytes that belong to the prefix, every frame, digest and link of them checked.
    pub fn read(&self, segment: &PrefixSegment) -> Result<Vec<u8>, LogError> {
        if Some(segment.number) == self.segments.last().map(|last| last.number) {
            return Ok(self.last.clone());
        }
        let bytes = self.dir.read_segment(segment.number)?;
        let mut heads = segment.before.clone();
        let walked = walk(&bytes, &segment.header, &mut heads);
        let (cause, position): (String, Option<Position>) = match walked.ending {
            Ending::Sealed if walked.zeroed == 0 => return Ok(bytes),
            Ending::Sealed => ("the segment goes on behind its index".to_owned(), walked.last),
            Ending::Bad(bad) => return Err(refusal(&self.dir, segment.number, &bad)),
            Ending::Open | Ending::Closed => ("the segment ends without its index".to_owned(), walked.last),
        };
        Err(LogError::Damaged(Box::new(super::Damage {
            segment: segment.path.clone(),
            offset: walked.end,
            position,
            cause,
        })))
    }
}
