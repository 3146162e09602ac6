//! Bytes that are to be a segment, for the fuzzer.

use super::format::{
    FRAME_HEADER_BYTES, FrameBuilder, FrameKind, LogId, RecordRef, SEGMENT_HEADER_BYTES, SegmentHeader,
    decode_frame,
};
use super::index::Heads;
use super::walk::{later_proof, walk};

const HEADER: SegmentHeader = SegmentHeader { log_id: LogId([7; 16]), number: 1, base: 0 };

/// Reads the bytes as a segment as they are, and as the body of a frame whose checksums hold:
/// chance alone never gets behind those.
pub fn segment(data: &[u8]) {
    let header = SegmentHeader::decode(data).unwrap_or(HEADER);
    walked(data, &header);
    let _ = decode_frame(data, header.log_id, 0);
    let _ = later_proof(data, &header, SEGMENT_HEADER_BYTES as u64);

    let mut rest = data;
    while let Ok(record) = RecordRef::decode(rest) {
        let _ = record.digest_holds();
        rest = &rest[record.bytes_on_disk()..];
    }
    for kind in [FrameKind::Records, FrameKind::Index, FrameKind::Closed, FrameKind::End] {
        let mut frame = FrameBuilder::default();
        frame.begin();
        frame.extend(data);
        let mut bytes = HEADER.encode().to_vec();
        bytes.extend_from_slice(frame.finish(kind, HEADER.log_id, SEGMENT_HEADER_BYTES as u64));
        walked(&bytes, &HEADER);
        // The same, and something behind it.
        bytes.extend_from_slice(data);
        walked(&bytes, &HEADER);
    }
}

fn walked(bytes: &[u8], header: &SegmentHeader) {
    let mut heads = Heads::default();
    let walk = walk(bytes, header, &mut heads);
    assert!(walk.end as usize <= bytes.len().max(SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES));
}
