//! A look at the last segment while its writer may be at work.
//!
//! Where a file only grew, what was read of it could only be too short. Where frames go into zeros, one that
//! is read while it is written may be found in pieces, and later ones behind it. It is whole a moment later:
//! so what doesn't hold is read again, and it is damaged, or torn, when it stays so.

use std::time::Duration;

use super::error::LogError;
use super::files::LogDir;
use super::format::SegmentHeader;
use super::index::Heads;
use super::recovery::check_header;
use super::walk::{Ending, Walk, walk};

/// Looks that may each find the end farther on. Then somebody writes, and what holds is what there is.
const LOOKS_MAX: usize = 16;
/// Looks that must find the same, and the time between two: a writer may be put aside in the middle.
const SAME_LOOKS: usize = 3;
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A segment as it was found.
pub(super) struct Seen {
    pub header: SegmentHeader,
    pub bytes: Vec<u8>,
    pub walk: Walk,
    /// Where each partition stands behind what holds.
    pub heads: Heads,
}

/// Reads and walks a segment that may be growing, from these heads on.
pub(super) fn look(
    dir: &LogDir,
    number: u64,
    expected: Option<SegmentHeader>,
    before: &Heads,
) -> Result<Seen, LogError> {
    let (mut end, mut same) = (None, 0);
    for _ in 0..LOOKS_MAX {
        let seen = look_once(dir, number, expected, before, u64::MAX)?;
        same = if end == Some(seen.walk.end) { same + 1 } else { 1 };
        let is_bad = matches!(seen.walk.ending, Ending::Bad(_));
        if !is_bad || same == SAME_LOOKS {
            return Ok(seen);
        }
        end = Some(seen.walk.end);
        if matches!(dir.lock_to_read(), Err(LogError::Locked(_))) {
            std::thread::sleep(LOOK_EVERY);
        } else if same > 1 {
            // Nobody has it open, and it was found so again.
            return Ok(seen);
        }
    }
    look_once(dir, number, expected, before, end.unwrap_or(u64::MAX))
}

fn look_once(
    dir: &LogDir,
    number: u64,
    expected: Option<SegmentHeader>,
    before: &Heads,
    upto: u64,
) -> Result<Seen, LogError> {
    let mut bytes = dir.read_segment(number)?;
    bytes.truncate(usize::try_from(upto).unwrap_or(usize::MAX));
    let header = check_header(dir, number, &bytes, expected)?;
    let mut heads = before.clone();
    let walk = walk(&bytes, &header, &mut heads);
    Ok(Seen { header, bytes, walk, heads })
}
