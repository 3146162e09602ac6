//! Erasing what a record says, as the page of the format describes it, in a log that nobody has open. For
//! tests: nothing erases yet, and everything must be able to read what will be erased.

use std::path::Path;

use super::files::{LogDir, segment_path};
use super::format::{
    FLAG_ERASED, FRAME_HEADER_BYTES, FrameKind, RECORD_HEADER_BYTES, RecordRef, SALT_AT,
    SEGMENT_HEADER_BYTES, SegmentHeader, decode_frame, reencode_header,
};
use samsyn_disk as disk;
use samsyn_vocabulary::Position;

/// Erases a record of the log in `dir`; whether it was there.
pub fn erase(dir: &Path, position: Position) -> std::io::Result<bool> {
    let numbers = LogDir::new(disk::local(), dir).segment_numbers().map_err(std::io::Error::other)?;
    for number in numbers {
        let path = segment_path(dir, number);
        let mut bytes = std::fs::read(&path)?;
        if erase_in(&mut bytes, position) {
            std::fs::write(&path, bytes)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn erase_in(bytes: &mut [u8], position: Position) -> bool {
    let Ok(segment) = SegmentHeader::decode(bytes) else { return false };
    let mut at = SEGMENT_HEADER_BYTES;
    while at < bytes.len() {
        let place = segment.base + at as u64;
        let Ok((header, body)) = decode_frame(&bytes[at..], segment.log_id, place) else { return false };
        let mut record_at = 0;
        while header.kind == FrameKind::Records && record_at < body.len() {
            let Ok(record) = RecordRef::decode(&body[record_at..]) else { return false };
            let length = record.bytes_on_disk();
            if record.position != position {
                record_at += length;
                continue;
            }
            let frame_bytes = header.frame_bytes();
            let frame = &mut bytes[at..at + frame_bytes];
            let (frame_header, body) = frame.split_at_mut(FRAME_HEADER_BYTES);
            let record = &mut body[record_at..record_at + length];
            record[1] |= FLAG_ERASED;
            record[SALT_AT..RECORD_HEADER_BYTES].fill(0);
            record[RECORD_HEADER_BYTES..].fill(0);
            frame_header.copy_from_slice(&reencode_header(&header, body, segment.log_id, place));
            return true;
        }
        at += header.frame_bytes();
    }
    false
}
