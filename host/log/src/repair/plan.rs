//! What repairing a damaged log takes: one pass over all of it, as far as it holds.

use std::collections::BTreeMap;

use super::{Edit, LogCut, LostRecords, Part, Rebuilt, RepairPlan};
use crate::error::{Damage, LogError};
use crate::files::LogDir;
use crate::floor::Floor;
use crate::format::{FrameKind, LogId, RecordRef, SEGMENT_HEADER_BYTES, SegmentHeader, array, decode_frame};
use crate::index::{Heads, SealedSegment, seal};
use crate::recovery::{Before, check_header, refusal};
use crate::scan::Progress;
use crate::walk::{Bad, Ending, Walk, find_magic, later_proof, walk, without_zeros};
use samsyn_vocabulary::{Partition, Seq};

/// A plan under way.
pub(super) struct Planning<'a> {
    dir: &'a LogDir,
    numbers: Vec<u64>,
    /// What the next segment's header must say.
    expected: Option<SegmentHeader>,
    /// Where each partition ends in what holds so far.
    heads: Heads,
    plan: RepairPlan,
    edits: Vec<Edit>,
}

impl Planning<'_> {
    pub fn new(dir: &LogDir) -> Result<Planning<'_>, LogError> {
        let floor = Floor::read(dir)?;
        let first = floor.as_ref().map_or(1, |floor| floor.first.number);
        let mut numbers = dir.segment_numbers()?;
        numbers.retain(|number| *number >= first);
        let Before { header: expected, heads } = Before::first(floor);
        let (plan, edits) = (RepairPlan::default(), Vec::new());
        let planning = Planning { dir, numbers, expected, heads, plan, edits };
        if planning.numbers.first().is_some_and(|number| *number != first) {
            // Where each partition stood before it can't be known, so nothing can be checked.
            return Err(LogError::Damaged(Box::new(planning.missing(first))));
        }
        Ok(planning)
    }

    pub fn all(mut self, mut progress: impl FnMut(Progress)) -> Result<(RepairPlan, Vec<Edit>), LogError> {
        let mut so_far = Progress::default();
        for number in &self.numbers {
            so_far.bytes_total += self.length(*number)?;
        }
        let numbers = self.numbers.clone();
        let first = numbers.first().copied().unwrap_or(1);
        for (expected, number) in (first..).zip(numbers) {
            if number != expected {
                self.cut(self.missing(expected), expected, 0, None, &[])?;
                break;
            }
            let bytes = self.dir.read_segment(number)?;
            let goes_on = self.segment(number, &bytes)?;
            so_far.bytes_done += bytes.len() as u64;
            so_far.records = self.plan.records_kept;
            progress(so_far);
            if !goes_on {
                break;
            }
        }
        Ok((self.plan, self.edits))
    }

    fn length(&self, number: u64) -> Result<u64, LogError> {
        let length = self.dir.open_segment(number)?.length();
        length.map_err(LogError::io("read", &self.dir.segment(number)))
    }

    fn missing(&self, number: u64) -> Damage {
        let segment = self.dir.segment(number);
        let cause = "the segment is missing, a later one is there".to_owned();
        Damage { segment, offset: 0, position: None, cause }
    }

    /// Looks at one segment; false when the log ends in it.
    fn segment(&mut self, number: u64, bytes: &[u8]) -> Result<bool, LogError> {
        let header = match check_header(self.dir, number, bytes, self.expected) {
            Ok(header) => header,
            Err(LogError::Damaged(damage)) => match self.derive_header(number, bytes)? {
                Some(header) => {
                    self.rebuild(Part::Header, *damage, number, (0, SEGMENT_HEADER_BYTES), &header.encode());
                    header
                }
                None => {
                    self.without_header(*damage, number, bytes)?;
                    return Ok(false);
                }
            },
            Err(other) => return Err(other),
        };
        let before = self.heads.clone();
        let mut holds = walk(bytes, &header, &mut self.heads);
        let ending = std::mem::replace(&mut holds.ending, Ending::Open);
        if let Ending::Bad(_) = ending {
            // The frame that doesn't hold may have counted some of its records.
            self.heads = before;
            holds = walk(&bytes[..holds.end as usize], &header, &mut self.heads);
        }
        self.plan.records_kept += holds.records;
        self.judge(&header, bytes, &holds, ending)
    }

    /// Nothing says what a segment's header was, and no frame in it holds.
    fn without_header(&mut self, damage: Damage, number: u64, bytes: &[u8]) -> Result<(), LogError> {
        match self.expected {
            None => Err(LogError::Damaged(Box::new(damage))),
            // The floor names the first segment: an empty one must be there.
            Some(header) if self.numbers.first() == Some(&number) => {
                let taken = (0, SEGMENT_HEADER_BYTES.min(bytes.len()));
                self.rebuild(Part::Header, damage.clone(), number, taken, &header.encode());
                self.cut(damage, number, SEGMENT_HEADER_BYTES as u64, Some(header), bytes)
            }
            Some(header) => self.cut(damage, number, 0, Some(header), bytes),
        }
    }

    /// What a segment's end means; false when the log ends with it.
    fn judge(
        &mut self,
        header: &SegmentHeader,
        bytes: &[u8],
        holds: &Walk,
        ending: Ending,
    ) -> Result<bool, LogError> {
        let number = header.number;
        let is_last = self.numbers.last() == Some(&number);
        let next = |length: usize| {
            Some(SegmentHeader { number: number + 1, base: header.base + length as u64, ..*header })
        };
        let bad = match ending {
            Ending::Sealed => {
                if holds.zeroed > 0 && !is_last {
                    self.cut_zeros(number, holds);
                }
                self.expected = next(holds.end as usize);
                return Ok(true);
            }
            Ending::Open | Ending::Closed if is_last => return Ok(false),
            Ending::Open | Ending::Closed => Bad {
                offset: holds.end,
                position: holds.last,
                cause: "the segment ends without its index, but a later one is there".to_owned(),
                may_be_torn: false,
                newer: None,
            },
            Ending::Bad(bad) => bad,
        };
        let damage = match refusal(self.dir, number, &bad) {
            LogError::Damaged(damage) => *damage,
            other => return Err(other),
        };
        if is_last && bad.may_be_torn && later_proof(bytes, header, bad.offset).is_none() {
            self.plan.torn_tail = true;
            return Ok(false);
        }
        if let Some(index) = self.derive_index(header, holds)? {
            let rest = bytes.len() - holds.end as usize;
            self.expected = next(holds.end as usize + index.len());
            self.rebuild(Part::Index, damage, number, (holds.end, rest), &index);
            return Ok(true);
        }
        self.cut(damage, number, holds.end, Some(*header), bytes)?;
        Ok(false)
    }

    /// A sealed segment goes on with zeros, though a later one is there: its end is its index's.
    fn cut_zeros(&mut self, number: u64, holds: &Walk) {
        let damage = Damage {
            segment: self.dir.segment(number),
            offset: holds.end,
            position: holds.last,
            cause: "the segment goes on behind its index, but a later one is there".to_owned(),
        };
        self.rebuild(Part::Index, damage, number, (holds.end, holds.zeroed as usize), &[]);
    }

    fn rebuild(&mut self, part: Part, damage: Damage, segment: u64, taken: (u64, usize), bytes: &[u8]) {
        let (from, length) = taken;
        self.plan.rebuilt.push(Rebuilt { part, damage });
        self.edits.push(Edit { segment, from, to: from + length as u64, bytes: bytes.to_owned() });
    }

    /// The header a segment must have had, if its frames prove it: their checksums hold only in
    /// their own log and place.
    fn derive_header(&self, number: u64, bytes: &[u8]) -> Result<Option<SegmentHeader>, LogError> {
        let mut candidates: Vec<SegmentHeader> = self.expected.into_iter().collect();
        if candidates.is_empty() && number == 1 {
            let mut ids = Vec::new();
            if bytes.len() >= SEGMENT_HEADER_BYTES {
                ids.push(LogId(array(bytes, 16)));
            }
            for later in self.numbers.iter().filter(|later| **later > number) {
                let header = SegmentHeader::decode(&self.dir.read_segment(*later)?);
                ids.extend(header.ok().map(|header| header.log_id));
            }
            candidates.extend(ids.into_iter().map(|log_id| SegmentHeader { log_id, number, base: 0 }));
        }
        let holds = |header: &SegmentHeader| {
            let walk = walk(bytes, header, &mut self.heads.clone());
            walk.frames > 0 || walk.zeroed > 0 || matches!(walk.ending, Ending::Sealed)
        };
        Ok(candidates.into_iter().find(holds))
    }

    /// The index that follows what holds of a segment, if the next segment proves that no other
    /// record was there: it says where it begins, and fewer records make a shorter segment.
    fn derive_index(&self, header: &SegmentHeader, holds: &Walk) -> Result<Option<Vec<u8>>, LogError> {
        let number = header.number + 1;
        if !self.numbers.contains(&number) {
            return Ok(None);
        }
        let Ok(next) = SegmentHeader::decode(&self.dir.read_segment(number)?) else { return Ok(None) };
        let index = seal(header, holds.end, &holds.runs, &self.heads);
        let fits = header.base + holds.end + index.len() as u64 == next.base;
        Ok((fits && next.log_id == header.log_id).then_some(index))
    }

    /// Cuts the log at an offset of a segment, which may be missing.
    fn cut(
        &mut self,
        damage: Damage,
        segment: u64,
        offset: u64,
        header: Option<SegmentHeader>,
        bytes: &[u8],
    ) -> Result<(), LogError> {
        let later: Vec<u64> = self.numbers.iter().copied().filter(|number| *number > segment).collect();
        let mut seen = Seen::default();
        if let Some(header) = header {
            seen.salvage(bytes, &header, offset);
        }
        let lost = bytes.get(offset as usize..).unwrap_or_default();
        let mut lost_bytes = without_zeros(lost).len() as u64;
        for number in &later {
            lost_bytes += self.length(*number)?;
            let bytes = self.dir.read_segment(*number)?;
            if let Ok(header) = SegmentHeader::decode(&bytes) {
                seen.salvage(&bytes, &header, SEGMENT_HEADER_BYTES as u64);
            }
            let sealed = SealedSegment::read(&*self.dir.open_segment(*number)?);
            if let Ok(sealed) = sealed.map_err(LogError::io("read", &self.dir.segment(*number)))? {
                seen.heads(&sealed);
            }
        }
        let lost = seen.0.into_iter().filter_map(|(partition, (known_through, readable))| {
            let kept_through = self.heads.get(&partition).map_or(0, |head| head.seq);
            let lost = LostRecords { partition, kept_through, known_through, readable };
            (known_through > kept_through).then_some(lost)
        });
        self.plan.cut =
            Some(LogCut { damage, segment, offset, later, bytes: lost_bytes, lost: lost.collect() });
        Ok(())
    }
}

/// By partition, the last record that is known to have been there and how many can be read.
#[derive(Default)]
struct Seen(BTreeMap<Partition, (Seq, u64)>);

impl Seen {
    /// Counts the records of every frame that holds from an offset on.
    fn salvage(&mut self, bytes: &[u8], header: &SegmentHeader, from: u64) {
        let mut at = from as usize;
        while let Some(rest) = bytes.get(at..) {
            match decode_frame(rest, header.log_id, header.base + at as u64) {
                Ok((frame, body)) => {
                    if frame.kind == FrameKind::Records {
                        self.records(body);
                    }
                    at += frame.frame_bytes();
                }
                Err(_) => match rest.get(1..).and_then(find_magic) {
                    Some(found) => at += 1 + found,
                    None => return,
                },
            }
        }
    }

    fn records(&mut self, mut body: &[u8]) {
        while let Ok(record) = RecordRef::decode(body) {
            let (last, count) = self.0.entry(record.position.partition).or_default();
            *last = record.position.seq.max(*last);
            *count += 1;
            body = &body[record.bytes_on_disk()..];
        }
    }

    fn heads(&mut self, sealed: &SealedSegment) {
        for entry in &sealed.directory {
            let (last, _) = self.0.entry(entry.partition).or_default();
            *last = entry.head.seq.max(*last);
        }
    }
}
