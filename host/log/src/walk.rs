//! One pass over the bytes of one segment that checks everything: frames, digests, links, gaps, the
//! index, and that what was zeroed ahead is zeros. Recovery and `verify` judge what it found.

use super::format::{
    BadBytes, FRAME_HEADER_BYTES, FRAME_MAGIC, FrameHeader, FrameKind, RecordRef, SEGMENT_HEADER_BYTES,
    SegmentHeader, decode_frame,
};
use super::index::{Head, Heads, Runs, seal};
use samsyn_vocabulary::Position;

/// What a segment turned out to hold.
#[derive(Debug)]
pub(super) struct Walk {
    /// Everything before this offset holds.
    pub end: u64,
    /// The records before `end`.
    pub runs: Runs,
    pub records: u64,
    pub frames: u64,
    pub last: Option<Position>,
    pub ending: Ending,
    /// Bytes behind `end` that were zeroed ahead and hold nothing yet, the mark that says so included.
    pub zeroed: u64,
}

/// How a segment ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// After a frame of records, or without any frame: more may follow.
    Open,
    /// After the mark of a clean close: everything is known synced.
    Closed,
    /// With its index.
    Sealed,
    /// With something that doesn't hold.
    Bad(Bad),
}

/// How a walk goes on behind a frame.
enum Next {
    /// With the next frame; the segment would end so.
    Frame(Ending),
    /// Not at all: it ends as it ended before this frame.
    End,
}

/// The first thing in a segment that doesn't hold.
#[derive(Debug)]
pub(super) struct Bad {
    pub offset: u64,
    /// The record itself where it is known, else the last whole one before.
    pub position: Option<Position>,
    pub cause: String,
    /// A write that a crash cut short can look like this.
    pub may_be_torn: bool,
    /// The version met, when the cause is a newer format.
    pub newer: Option<u16>,
}

/// Walks a segment whose header was checked; moves `heads` over its records.
pub(super) fn walk(bytes: &[u8], segment: &SegmentHeader, heads: &mut Heads) -> Walk {
    let mut walk = Walk {
        end: SEGMENT_HEADER_BYTES as u64,
        runs: Runs::default(),
        records: 0,
        frames: 0,
        last: None,
        ending: Ending::Open,
        zeroed: 0,
    };
    while (walk.end as usize) < bytes.len() {
        match walk.step(bytes, segment, heads) {
            Ok(Next::Frame(Ending::Sealed)) => {
                walk.ending = Ending::Sealed;
                break;
            }
            Ok(Next::Frame(ending)) => walk.ending = ending,
            Ok(Next::End) => break,
            Err(bad) => {
                walk.ending = Ending::Bad(bad);
                break;
            }
        }
    }
    walk
}

impl Walk {
    /// Checks the frame at `end` and moves `end` past it.
    fn step(&mut self, bytes: &[u8], segment: &SegmentHeader, heads: &mut Heads) -> Result<Next, Bad> {
        let rest = &bytes[self.end as usize..];
        let (header, body) =
            decode_frame(rest, segment.log_id, segment.base + self.end).map_err(|bad| self.bad_frame(bad))?;
        match header.kind {
            FrameKind::Records => self.records_of(&header, body, heads)?,
            FrameKind::Closed if header.body_bytes == 0 => {}
            FrameKind::Closed => return Err(self.bad_frame(BadBytes::Shape("a closing mark has no body"))),
            FrameKind::Index => {
                let index = seal(segment, self.end, &self.runs, heads);
                // What was zeroed ahead is cut off right after the index was synced.
                if !rest.starts_with(&index) || first_written(&rest[index.len()..]).is_some() {
                    return Err(
                        self.bad_frame(BadBytes::Shape("the index isn't that of the segment's records"))
                    );
                }
                self.end += index.len() as u64;
                self.zeroed = bytes.len() as u64 - self.end;
                return Ok(Next::Frame(Ending::Sealed));
            }
            FrameKind::End => {
                let behind = &rest[FRAME_HEADER_BYTES..];
                if header.body_bytes > 0 || first_written(behind).is_some() {
                    return Err(self.bad_frame(BadBytes::Shape(
                        "something stands behind the mark that nothing is written behind",
                    )));
                }
                self.zeroed = rest.len() as u64;
                return Ok(Next::End);
            }
        }
        self.end += header.frame_bytes() as u64;
        self.frames += 1;
        Ok(Next::Frame(if header.kind == FrameKind::Closed { Ending::Closed } else { Ending::Open }))
    }

    /// Checks the records of a frame whose checksum holds: what is wrong here was never torn.
    fn records_of(&mut self, header: &FrameHeader, body: &[u8], heads: &mut Heads) -> Result<(), Bad> {
        let mut at = 0;
        for _ in 0..header.records {
            let offset = self.end + (FRAME_HEADER_BYTES + at) as u64;
            let record = RecordRef::decode(&body[at..]).map_err(|bad| Bad {
                offset,
                position: self.last,
                cause: format!("a record can't be read: {bad}"),
                may_be_torn: false,
                newer: None,
            })?;
            let head = heads.entry(record.position.partition).or_default();
            if let Some(cause) = broken_link(head, &record) {
                let position = Some(record.position);
                return Err(Bad { offset, position, cause, may_be_torn: false, newer: None });
            }
            *head = Head { seq: record.position.seq, chain: record.chain };
            self.runs.push(record.position, offset as u32);
            self.last = Some(record.position);
            self.records += 1;
            at += record.bytes_on_disk();
        }
        if at != body.len() {
            let mut bad = self.bad_frame(BadBytes::Shape("the frame holds more than its records"));
            bad.may_be_torn = false;
            return Err(bad);
        }
        Ok(())
    }

    fn bad_frame(&self, bad: BadBytes) -> Bad {
        let newer = match bad {
            BadBytes::Newer(version) => Some(version),
            _ => None,
        };
        let may_be_torn = newer.is_none();
        Bad { offset: self.end, position: self.last, cause: bad.to_string(), may_be_torn, newer }
    }
}

/// Why `record` can't follow `head`, if so.
fn broken_link(head: &Head, record: &RecordRef<'_>) -> Option<String> {
    if record.position.seq != head.seq + 1 {
        return Some(format!("record {} can't follow {}", record.position.seq, head.seq));
    }
    if !record.digest_holds() {
        return Some("the payload isn't that of its digest".to_owned());
    }
    if !record.is_linked_to(&head.chain) {
        return Some("the record isn't linked to the one before it".to_owned());
    }
    None
}

/// Where after `offset` a frame stands that was written when more than `offset` bytes of
/// this segment were known synced: then what stands at `offset` was synced once and is damaged.
pub(super) fn later_proof(bytes: &[u8], segment: &SegmentHeader, offset: u64) -> Option<u64> {
    let mut at = offset as usize + 1;
    while let Some(found) = bytes.get(at..).and_then(find_magic) {
        at += found;
        // Its header alone is enough, which also a newer host's has: the body may be cut short.
        let log_wide = segment.base + at as u64;
        match FrameHeader::decode(&bytes[at..], segment.log_id, log_wide) {
            Ok(header) if header.durable > segment.base + offset => return Some(at as u64),
            Err(BadBytes::Newer(_)) => return Some(at as u64),
            _ => at += 1,
        }
    }
    None
}

/// Where bytes that were zeroed ahead hold something.
fn first_written(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte != 0)
}

/// The fewest zeros at the end of a file that are taken for a rest which nothing was written to.
const ZEROS_MIN: usize = 4096;

/// What somebody wrote of bytes that may go on with zeros: what is kept of them, for a long rest of zeros
/// says nothing.
pub(super) fn without_zeros(bytes: &[u8]) -> &[u8] {
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    // Some of the zeros stay: they show that there were any.
    if bytes.len() - written > ZEROS_MIN { &bytes[..written + ZEROS_MIN] } else { bytes }
}

pub(super) fn find_magic(bytes: &[u8]) -> Option<usize> {
    bytes.windows(FRAME_MAGIC.len()).position(|window| window == FRAME_MAGIC)
}
