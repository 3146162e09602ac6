//! Checking a whole log without changing it.

use std::path::Path;
use std::sync::Arc;

use super::cut::{Cut, LogPlace, Noted, NotedResult};
use super::error::{Damage, LogError};
use super::files::LogDir;
use super::floor::Floor;
use super::format::SegmentHeader;
use super::growing::{Seen, look};
use super::index::{Head, Heads};
use super::recovery::{Before, kept_numbers, refusal};
use super::scan::Progress;
use super::walk::{Ending, walk};
use samsyn_disk::{self as disk, Disk};
use samsyn_vocabulary::Partition;

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
    /// The log up to the end of what holds; none when there is no segment.
    pub end: Option<Cut>,
    /// Whether what was noted earlier still stands; none when nothing was, or when the check
    /// didn't get so far.
    pub noted: Option<NotedResult>,
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
pub fn verify(dir: &Path, progress: impl FnMut(Progress)) -> Result<VerifyReport, LogError> {
    verify_on(disk::local(), dir, None, progress)
}

/// [`verify`], and whether everything before the place that was noted is still what it was then:
/// a history that was written anew has chains of its own, and other heads.
pub fn verify_noted(
    dir: &Path,
    noted: &Noted,
    progress: impl FnMut(Progress),
) -> Result<VerifyReport, LogError> {
    verify_on(disk::local(), dir, Some(noted), progress)
}

/// Both on another disk than this machine's.
pub(super) fn verify_on(
    disk: Arc<dyn Disk>,
    dir: &Path,
    noted: Option<&Noted>,
    progress: impl FnMut(Progress),
) -> Result<VerifyReport, LogError> {
    let report = VerifyReport {
        segments: 0,
        frames: 0,
        records: 0,
        bytes: 0,
        heads: Vec::new(),
        end: None,
        noted: None,
        clean: false,
        problem: None,
    };
    let dir = &LogDir::new(disk, dir);
    let mut check = Check { dir, noted, heads: Heads::new(), report };
    let checked = check.all(progress);
    let Check { heads, mut report, .. } = check;
    report.heads = heads.into_iter().collect();
    if let Some(end) = &mut report.end {
        end.heads.clone_from(&report.heads);
    }
    match checked {
        Ok(()) => Ok(report),
        Err(LogError::Damaged(problem)) => Ok(VerifyReport { problem: Some(*problem), ..report }),
        Err(other) => Err(other),
    }
}

/// A check under way.
struct Check<'a> {
    dir: &'a LogDir,
    noted: Option<&'a Noted>,
    heads: Heads,
    report: VerifyReport,
}

impl Check<'_> {
    fn all(&mut self, mut progress: impl FnMut(Progress)) -> Result<(), LogError> {
        let floor = Floor::read(self.dir)?;
        let first_base = floor.as_ref().map_or(0, |floor| floor.first.base);
        let numbers = kept_numbers(self.dir, floor.as_ref())?;
        let mut so_far = Progress::default();
        for number in &numbers {
            let length = self.dir.open_segment(*number)?.length();
            so_far.bytes_total += length.map_err(LogError::io("read", &self.dir.segment(*number)))?;
        }
        let before = Before::first(floor);
        self.heads = before.heads;
        let mut expected = before.header;
        for number in &numbers {
            expected = self.segment(*number, Some(number) == numbers.last(), expected)?;
            so_far.bytes_done = self.report.bytes;
            so_far.records = self.report.records;
            progress(so_far);
        }
        self.judge_what_was_not_met(first_base);
        Ok(())
    }

    /// Checks one segment; answers what the next one's header must say.
    fn segment(
        &mut self,
        number: u64,
        last: bool,
        expected: Option<SegmentHeader>,
    ) -> Result<Option<SegmentHeader>, LogError> {
        let Seen { header, bytes, walk, heads } = look(self.dir, number, expected, &self.heads)?;
        self.compare_noted(&header, &bytes[..walk.end as usize]);
        self.heads = heads;
        let report = &mut self.report;
        report.end =
            Some(Cut { log_id: header.log_id, place: LogPlace(header.base + walk.end), heads: Vec::new() });
        report.segments += 1;
        report.frames += walk.frames;
        report.records += walk.records;
        report.bytes += walk.end;
        match walk.ending {
            Ending::Bad(bad) => return Err(refusal(self.dir, number, &bad)),
            Ending::Sealed if walk.zeroed > 0 && !last => {
                return Err(LogError::Damaged(Box::new(Damage {
                    segment: self.dir.segment(number),
                    offset: walk.end,
                    position: walk.last,
                    cause: "the segment goes on behind its index, but a later one is there".to_owned(),
                })));
            }
            Ending::Open | Ending::Closed if !last => {
                return Err(LogError::Damaged(Box::new(Damage {
                    segment: self.dir.segment(number),
                    offset: walk.end,
                    position: walk.last,
                    cause: "the segment ends without its index, but a later one is there".to_owned(),
                })));
            }
            Ending::Open => report.clean = false,
            Ending::Closed | Ending::Sealed => report.clean = true,
        }
        let base = header.base + walk.end;
        Ok(Some(SegmentHeader { number: number + 1, base, ..header }))
    }

    /// Walks this segment up to the noted place, when that lies in it, and compares.
    fn compare_noted(&mut self, header: &SegmentHeader, bytes: &[u8]) {
        let Some(noted) = self.noted else { return };
        let upto = noted.place.0.saturating_sub(header.base);
        if upto == 0 || upto > bytes.len() as u64 {
            return;
        }
        let mut heads = self.heads.clone();
        walk(&bytes[..upto as usize], header, &mut heads);
        let found = Cut { log_id: header.log_id, place: noted.place, heads: heads.into_iter().collect() };
        self.report.noted = Some(noted.compare(&found));
    }

    /// The noted place lay in no segment.
    fn judge_what_was_not_met(&mut self, first_base: u64) {
        let (Some(noted), None) = (self.noted, &self.report.noted) else { return };
        let end = self.report.end.as_ref().map_or(LogPlace::START, |end| end.place);
        self.report.noted = Some(if noted.place.0 <= first_base {
            NotedResult::NotKept
        } else {
            let noted = noted.place;
            NotedResult::Differs(format!("it ends at byte {end}, {noted} was noted: its end was cut off"))
        });
    }
}
