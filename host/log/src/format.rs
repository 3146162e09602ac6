//! The bytes of segment headers, frames and records, as the module's page draws them.
//!
//! Everything here is pure: bytes in, values out. What a bad byte means for the log is judged in
//! `walk` and `recovery`.

use std::fmt;
use std::sync::Arc;

use samsyn_vocabulary::{Partition, Position, Seq, Timestamp};

/// The format this host writes and the newest it reads.
pub(super) const FORMAT_VERSION: u16 = 1;

pub(super) const SEGMENT_HEADER_BYTES: usize = 64;
pub(super) const FRAME_HEADER_BYTES: usize = 32;
/// A record's bytes before its payload.
pub(super) const RECORD_HEADER_BYTES: usize = 104;

const SEGMENT_MAGIC: [u8; 8] = *b"SAMSYNLG";
pub(super) const FRAME_MAGIC: [u8; 4] = *b"SFRM";
/// The record's salt and payload were blanked; envelope, digest and chain still stand.
pub(super) const FLAG_ERASED: u8 = 1;
/// Where a record's salt stands in it.
#[cfg(any(test, feature = "testing"))]
pub(super) const SALT_AT: usize = 88;
/// Where a record's chain stands in it.
pub(super) const CHAIN_AT: u64 = 56;

/// Links a record to the one before it in its partition: blake3 over the previous link, the
/// envelope and the payload's digest. All zeros before the first record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ChainHash(pub [u8; 32]);

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which log a file belongs to: random, made with the log. It seeds every checksum, so that bytes
/// in a payload, or blocks of another log, can't pass for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogId(pub [u8; 16]);

/// Why bytes can't be what should stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadBytes {
    #[error("the bytes end before it does")]
    Short,
    #[error("{0}")]
    Shape(&'static str),
    #[error("format version {0} is newer than this host knows")]
    Newer(u16),
}

pub fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

/// CRC-32 over several parts.
pub fn checksum(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// Checks a version that a checksum vouches for.
fn known_version(version: u16) -> Result<(), BadBytes> {
    match version {
        FORMAT_VERSION => Ok(()),
        0 => Err(BadBytes::Shape("format version 0 was never written")),
        newer => Err(BadBytes::Newer(newer)),
    }
}

/// The first bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub log_id: LogId,
    /// 1, 2, 3, …
    pub number: u64,
    /// The log-wide offset of the segment's first byte: the length of all segments before it.
    pub base: u64,
}

impl SegmentHeader {
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[0..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.log_id.0);
        bytes[32..40].copy_from_slice(&self.number.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.base.to_le_bytes());
        let crc = checksum(&[&bytes[..60]]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<SegmentHeader, BadBytes> {
        if bytes.len() < SEGMENT_HEADER_BYTES {
            return Err(BadBytes::Short);
        }
        if bytes[0..8] != SEGMENT_MAGIC {
            return Err(BadBytes::Shape("the file doesn't start as a segment"));
        }
        if u32_at(bytes, 60) != checksum(&[&bytes[..60]]) {
            return Err(BadBytes::Shape("the segment header's checksum doesn't match"));
        }
        known_version(u16_at(bytes, 8))?;
        Ok(SegmentHeader {
            log_id: LogId(array(bytes, 16)),
            number: u64_at(bytes, 32),
            base: u64_at(bytes, 40),
        })
    }
}

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// One commit.
    Records = 0,
    /// The index of a sealed segment.
    Index = 1,
    /// The log was closed cleanly here: everything before is known synced.
    Closed = 2,
    /// Nothing was written behind it yet: the rest of the file is zeros that were synced ahead. The next
    /// frame takes its place.
    End = 3,
}

/// A frame's header, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub kind: FrameKind,
    pub body_bytes: usize,
    pub records: u32,
    /// Log-wide offset below which everything was synced when this frame was written.
    pub durable: u64,
    body_checksum: u32,
}

impl FrameHeader {
    /// Reads the header of a frame that stands at log-wide offset `at`.
    pub fn decode(bytes: &[u8], log_id: LogId, at: u64) -> Result<FrameHeader, BadBytes> {
        if bytes.len() < FRAME_HEADER_BYTES {
            return Err(BadBytes::Short);
        }
        if bytes[0..4] != FRAME_MAGIC {
            return Err(BadBytes::Shape("no frame starts here"));
        }
        if u32_at(bytes, 28) != checksum(&[&log_id.0, &at.to_le_bytes(), &bytes[..28]]) {
            return Err(BadBytes::Shape("the frame header's checksum doesn't match"));
        }
        known_version(u16_at(bytes, 4))?;
        let kind = match u16_at(bytes, 6) {
            0 => FrameKind::Records,
            1 => FrameKind::Index,
            2 => FrameKind::Closed,
            3 => FrameKind::End,
            _ => return Err(BadBytes::Shape("the frame is of no known kind")),
        };
        let durable = u64_at(bytes, 16);
        if durable > at {
            return Err(BadBytes::Shape("the frame claims bytes as synced that come after it"));
        }
        Ok(FrameHeader {
            kind,
            body_bytes: u32_at(bytes, 8) as usize,
            records: u32_at(bytes, 12),
            durable,
            body_checksum: u32_at(bytes, 24),
        })
    }

    /// The whole frame's length in bytes.
    pub fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.body_bytes
    }

    /// Checks the body, which may be followed by other bytes, and cuts it out.
    pub fn body<'a>(&self, after_header: &'a [u8]) -> Result<&'a [u8], BadBytes> {
        let body = after_header.get(..self.body_bytes).ok_or(BadBytes::Short)?;
        if self.body_checksum != checksum(&[body]) {
            return Err(BadBytes::Shape("the frame's checksum doesn't match"));
        }
        Ok(body)
    }
}

/// Reads a frame, header and body, from bytes that start with it.
pub(super) fn decode_frame(bytes: &[u8], log_id: LogId, at: u64) -> Result<(FrameHeader, &[u8]), BadBytes> {
    let header = FrameHeader::decode(bytes, log_id, at)?;
    let body = header.body(&bytes[FRAME_HEADER_BYTES..])?;
    Ok((header, body))
}

/// The mark that the frames end at log-wide offset `at`, all before `durable` synced.
pub(super) fn end_mark(log_id: LogId, at: u64, durable: u64) -> [u8; FRAME_HEADER_BYTES] {
    encode_header(FrameKind::End, &[], 0, (at, durable), log_id)
}

/// The header of a frame at log-wide offset `at`, written when all before `durable` was synced.
fn encode_header(
    kind: FrameKind,
    body: &[u8],
    records: u32,
    (at, durable): (u64, u64),
    log_id: LogId,
) -> [u8; FRAME_HEADER_BYTES] {
    let mut header = [0; FRAME_HEADER_BYTES];
    header[0..4].copy_from_slice(&FRAME_MAGIC);
    header[4..6].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    header[6..8].copy_from_slice(&(kind as u16).to_le_bytes());
    header[8..12].copy_from_slice(&(body.len() as u32).to_le_bytes());
    header[12..16].copy_from_slice(&records.to_le_bytes());
    header[16..24].copy_from_slice(&durable.to_le_bytes());
    header[24..28].copy_from_slice(&checksum(&[body]).to_le_bytes());
    let crc = checksum(&[&log_id.0, &at.to_le_bytes(), &header[..28]]);
    header[28..32].copy_from_slice(&crc.to_le_bytes());
    header
}

/// The header of a frame whose body has changed under the same records.
#[cfg(any(test, feature = "testing"))]
pub(super) fn reencode_header(
    header: &FrameHeader,
    body: &[u8],
    log_id: LogId,
    at: u64,
) -> [u8; FRAME_HEADER_BYTES] {
    encode_header(header.kind, body, header.records, (at, header.durable), log_id)
}

/// Builds one frame after the other in the same memory.
#[derive(Default)]
pub(super) struct FrameBuilder {
    bytes: Vec<u8>,
    records: u32,
}

impl FrameBuilder {
    /// Starts the next frame and forgets the last.
    pub fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.resize(FRAME_HEADER_BYTES, 0);
        self.records = 0;
    }

    /// Adds a record; answers its offset from the frame's first byte.
    pub fn push(&mut self, record: &NewRecord) -> usize {
        let at = self.bytes.len();
        record.encode(&mut self.bytes);
        self.records += 1;
        at
    }

    /// Adds bytes that are no record.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Fills in the header of a frame that goes to log-wide offset `at`, all before it synced.
    pub fn finish(&mut self, kind: FrameKind, log_id: LogId, at: u64) -> &[u8] {
        let (header, body) = self.bytes.split_at_mut(FRAME_HEADER_BYTES);
        header.copy_from_slice(&encode_header(kind, body, self.records, (at, at), log_id));
        &self.bytes
    }

    /// Adds the mark that the frames end here, behind a frame that is finished and goes to log-wide offset
    /// `at`: for a file that goes on with zeros.
    pub fn mark_end(&mut self, log_id: LogId, at: u64) {
        let end = at + self.bytes.len() as u64;
        self.bytes.extend_from_slice(&end_mark(log_id, end, at));
    }

    /// The frame, once it is finished.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A record's content with its salt and digest. Making one hashes it, so make it before taking
/// any lock.
#[derive(Clone, Debug)]
pub struct Payload {
    pub(super) bytes: Arc<[u8]>,
    pub(super) salt: [u8; 16],
    pub(super) digest: [u8; 32],
}

impl Payload {
    /// Draws a salt and computes the digest: about 0.5 µs for 400 bytes.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Payload {
        let bytes = bytes.into();
        let salt: [u8; 16] = rand::random();
        let digest = digest(&salt, &bytes);
        Payload { bytes, salt, digest }
    }

    /// The content.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }
}

pub(super) fn digest(salt: &[u8; 16], payload: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(salt);
    hasher.update(payload);
    *hasher.finalize().as_bytes()
}

/// What the log itself knows of a record, apart from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub position: Position,
    pub kind: u8,
    pub appended_at: Timestamp,
}

impl Envelope {
    /// The link of this record after the link `previous`.
    pub fn chain(&self, previous: &ChainHash, digest: &[u8; 32]) -> ChainHash {
        let mut linked = [0; 32 + 19 + 32];
        linked[..32].copy_from_slice(&previous.0);
        linked[32] = self.kind;
        linked[33..35].copy_from_slice(&self.position.partition.0.to_le_bytes());
        linked[35..43].copy_from_slice(&self.position.seq.to_le_bytes());
        linked[43..51].copy_from_slice(&self.appended_at.0.to_le_bytes());
        linked[51..].copy_from_slice(digest);
        ChainHash(*blake3::hash(&linked).as_bytes())
    }
}

/// A record on its way to the disk.
pub(super) struct NewRecord {
    pub envelope: Envelope,
    pub payload: Payload,
    pub chain: ChainHash,
}

impl NewRecord {
    /// Its length on disk.
    pub fn bytes_on_disk(&self) -> usize {
        RECORD_HEADER_BYTES + self.payload.bytes.len()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let mut header = [0; RECORD_HEADER_BYTES];
        header[0] = self.envelope.kind;
        header[2..4].copy_from_slice(&self.envelope.position.partition.0.to_le_bytes());
        header[4..8].copy_from_slice(&(self.payload.bytes.len() as u32).to_le_bytes());
        header[8..16].copy_from_slice(&self.envelope.position.seq.to_le_bytes());
        header[16..24].copy_from_slice(&self.envelope.appended_at.0.to_le_bytes());
        header[24..56].copy_from_slice(&self.payload.digest);
        header[56..88].copy_from_slice(&self.chain.0);
        header[88..104].copy_from_slice(&self.payload.salt);
        out.extend_from_slice(&header);
        out.extend_from_slice(&self.payload.bytes);
    }
}

/// A record as it stands in memory that was read from the disk.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    /// Its place in its partition.
    pub position: Position,
    /// What the payload is, in the appender's numbering.
    pub kind: u8,
    /// When it was appended, by the appender's clock.
    pub appended_at: Timestamp,
    /// Its link to the record before it.
    pub chain: ChainHash,
    /// Whether its payload was erased; the payload is zeros then.
    pub erased: bool,
    /// The content.
    pub payload: &'a [u8],
    pub(super) digest: [u8; 32],
    salt: [u8; 16],
}

impl<'a> RecordRef<'a> {
    /// Reads the record that `bytes` start with.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<RecordRef<'a>, BadBytes> {
        let payload_bytes = RecordRef::payload_bytes(bytes)?;
        let payload = bytes[RECORD_HEADER_BYTES..].get(..payload_bytes).ok_or(BadBytes::Short)?;
        if bytes[1] & !FLAG_ERASED != 0 {
            return Err(BadBytes::Shape("the record has a flag this host doesn't know"));
        }
        Ok(RecordRef {
            position: Position { partition: Partition(u16_at(bytes, 2)), seq: u64_at(bytes, 8) as Seq },
            kind: bytes[0],
            appended_at: Timestamp(u64_at(bytes, 16) as i64),
            chain: ChainHash(array(bytes, 56)),
            erased: bytes[1] & FLAG_ERASED != 0,
            payload,
            digest: array(bytes, 24),
            salt: array(bytes, 88),
        })
    }

    /// A record that was checked when it was read: what it was checked by isn't kept.
    pub(super) fn of_stored(
        position: Position,
        kind: u8,
        appended_at: Timestamp,
        chain: ChainHash,
        erased: bool,
        payload: &'a [u8],
    ) -> RecordRef<'a> {
        RecordRef { position, kind, appended_at, chain, erased, payload, digest: [0; 32], salt: [0; 16] }
    }

    /// The payload's length, from a record's first bytes.
    pub(super) fn payload_bytes(header: &[u8]) -> Result<usize, BadBytes> {
        if header.len() < RECORD_HEADER_BYTES {
            return Err(BadBytes::Short);
        }
        Ok(u32_at(header, 4) as usize)
    }

    pub(super) fn bytes_on_disk(&self) -> usize {
        RECORD_HEADER_BYTES + self.payload.len()
    }

    pub(super) fn envelope(&self) -> Envelope {
        Envelope { position: self.position, kind: self.kind, appended_at: self.appended_at }
    }

    /// Whether the content is what was appended, or all zeros where it was erased.
    pub(super) fn digest_holds(&self) -> bool {
        if self.erased {
            return self.salt.iter().chain(self.payload).all(|byte| *byte == 0);
        }
        digest(&self.salt, self.payload) == self.digest
    }

    /// Whether it follows the record with this link: its envelope and its own link are right.
    pub(super) fn is_linked_to(&self, previous: &ChainHash) -> bool {
        self.envelope().chain(previous, &self.digest) == self.chain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId([7; 16]);

    fn frame(at: u64) -> Vec<u8> {
        let payload = Payload::new(&b"hello"[..]);
        let envelope = Envelope {
            position: Position { partition: Partition(3), seq: 9 },
            kind: 2,
            appended_at: Timestamp(-5),
        };
        let chain = envelope.chain(&ChainHash::default(), &payload.digest);
        let mut frame = FrameBuilder::default();
        frame.begin();
        assert_eq!(frame.push(&NewRecord { envelope, payload, chain }), FRAME_HEADER_BYTES);
        frame.finish(FrameKind::Records, LOG, at).to_vec()
    }

    #[test]
    fn a_frame_reads_back_as_written() {
        let bytes = frame(640);
        let (header, body) = decode_frame(&bytes, LOG, 640).unwrap();
        assert_eq!((header.kind, header.records, header.durable), (FrameKind::Records, 1, 640));
        let record = RecordRef::decode(body).unwrap();
        assert_eq!(record.position.to_string(), "3-9");
        assert_eq!((record.kind, record.appended_at, record.payload), (2, Timestamp(-5), &b"hello"[..]));
        assert!(record.digest_holds());
    }

    #[test]
    fn a_frame_is_valid_in_its_own_log_and_place_alone() {
        let bytes = frame(640);
        assert!(decode_frame(&bytes, LogId([8; 16]), 640).is_err());
        assert!(decode_frame(&bytes, LOG, 641).is_err());
        assert_eq!(decode_frame(&bytes[..bytes.len() - 1], LOG, 640).unwrap_err(), BadBytes::Short);
    }

    #[test]
    fn a_newer_format_is_refused_by_its_number() {
        let mut bytes = frame(0);
        bytes[4] = 2;
        let crc = checksum(&[&LOG.0, &0u64.to_le_bytes(), &bytes[..28]]);
        bytes[28..32].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(decode_frame(&bytes, LOG, 0).unwrap_err(), BadBytes::Newer(2));

        let mut header = SegmentHeader { log_id: LOG, number: 1, base: 0 }.encode();
        assert!(SegmentHeader::decode(&header).is_ok());
        header[8] = 3;
        assert!(matches!(SegmentHeader::decode(&header), Err(BadBytes::Shape(_))));
        let crc = checksum(&[&header[..60]]);
        header[60..64].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&header).unwrap_err(), BadBytes::Newer(3));
    }
}
