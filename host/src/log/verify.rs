//! Checking a whole log without changing it.

use std::fs;
use std::path::Path;

use super::error::{Damage, LogError};
use super::files;
use super::format::SegmentHeader;
use super::index::{Head, Heads};
use super::recovery::{check_header, check_numbers, refusal};
use super::scan::Progress;
use super::walk::{Ending, walk};
use crate::vocabulary::Partition;

/// What a check of the whole log found.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    /// Segment files checked.
    pub segments: usize,
    /// Frames that hold.
    pub frames: u64,
    /// Records that hold, before the first problem.
    pub records: u64,
    /// Bytes that hold, before the first problem.
    pub bytes: u64,
    /// Where each partition ends, before the first problem.
    pub heads: Vec<(Partition, Head)>,
    /// Whether the log ends with the mark of a clean close or an index.
    pub clean: bool,
    /// The first thing that doesn't hold. In the last segment it may be a torn tail, which the
    /// next start cuts.
    pub problem: Option<Damage>,
}

/// Checks every checksum, digest, link, sequence and index of the log in `dir`, and changes
/// nothing. It takes no lock: of a log that is being written it may find the last frame unfinished.
///
/// `progress` is called after each segment.
pub fn verify(dir: &Path, mut progress: impl FnMut(Progress)) -> Result<VerifyReport, LogError> {
    let numbers = files::segment_numbers(dir)?;
    let mut so_far = Progress::default();
    for number in &numbers {
        let path = files::segment_path(dir, *number);
        so_far.bytes_total += fs::metadata(&path).map_err(LogError::io("read", &path))?.len();
    }
    let mut heads = Heads::new();
    let mut report = VerifyReport {
        segments: 0,
        frames: 0,
        records: 0,
        bytes: 0,
        heads: Vec::new(),
        clean: false,
        problem: None,
    };
    let checked = check_numbers(dir, &numbers).and_then(|()| {
        let mut expected = None;
        for number in &numbers {
            let last = Some(number) == numbers.last();
            expected = check_segment(dir, *number, last, expected, &mut heads, &mut report)?;
            so_far.bytes_done = report.bytes;
            so_far.records = report.records;
            progress(so_far);
        }
        Ok(())
    });
    report.heads = heads.into_iter().collect();
    match checked {
        Ok(()) => Ok(report),
        Err(LogError::Damaged(problem)) => Ok(VerifyReport { problem: Some(*problem), ..report }),
        Err(other) => Err(other),
    }
}

/// Checks one segment; answers what the next one's header must say.
fn check_segment(
    dir: &Path,
    number: u64,
    last: bool,
    expected: Option<SegmentHeader>,
    heads: &mut Heads,
    report: &mut VerifyReport,
) -> Result<Option<SegmentHeader>, LogError> {
    let path = files::segment_path(dir, number);
    let bytes = fs::read(&path).map_err(LogError::io("read", &path))?;
    let header = check_header(dir, number, &bytes, expected)?;
    let walk = walk(&bytes, &header, heads);
    report.segments += 1;
    report.frames += walk.frames;
    report.records += walk.records;
    report.bytes += walk.end;
    match walk.ending {
        Ending::Bad(bad) => return Err(refusal(dir, number, &bad)),
        Ending::Open | Ending::Closed if !last => {
            return Err(LogError::Damaged(Box::new(Damage {
                segment: path,
                offset: walk.end,
                position: walk.last,
                cause: "the segment ends without its index, but a later one is there".to_owned(),
            })));
        }
        Ending::Open => report.clean = false,
        Ending::Closed | Ending::Sealed => report.clean = true,
    }
    let base = header.base + bytes.len() as u64;
    Ok(Some(SegmentHeader { number: number + 1, base, ..header }))
}
