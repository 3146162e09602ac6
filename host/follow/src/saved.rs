//! The bytes of a follower's file. Pure: bytes in, values out.
//!
//! ```text
//!  0  8  "SAMSYNFW"
//!  8  2  format version       magic, version, length and CRC keep these places for ever
//! 10  2  version of the state, which is the follower's own
//! 12  4  length of the body
//! 16  4  CRC of bytes 8 to 16 and the body
//! 20  …  body: MessagePack with named fields
//! ```
//!
//! Numbers are little-endian, the CRC is CRC-32.

use serde::{Deserialize, Serialize};

use samsyn_journal::{decode, encode};
use samsyn_log::{LogId, array, checksum, read_heads, u16_at, u32_at, write_heads};
use samsyn_vocabulary::Timestamp;

use crate::progress::{Missed, Progress, Rebuilt};

/// The format this host writes, and the newest it reads.
pub const FORMAT_VERSION: u16 = 1;
const MAGIC: [u8; 8] = *b"SAMSYNFW";
const HEADER_BYTES: usize = 20;
const LOG_ID_BYTES: usize = 16;

/// What stands in a follower's file.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The version of the state.
    pub state_version: u16,
    pub progress: Progress,
    /// The state's own bytes.
    pub state: Vec<u8>,
}

/// Why bytes are no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Something else stands there.
    Damaged(&'static str),
    /// A newer host wrote it, in this format.
    Newer(u16),
}

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(with = "samsyn_journal::bytes")]
    log_id: Vec<u8>,
    #[serde(with = "samsyn_journal::bytes")]
    cursors: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(default)]
    missed: Missed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rebuilt: Option<Rebuilt>,
    #[serde(with = "samsyn_journal::bytes")]
    state: Vec<u8>,
}

impl Saved {
    /// It as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Progress { log_id, cursors, since, missed, rebuilt } = &self.progress;
        let mut heads = Vec::new();
        write_heads(&mut heads, cursors.iter().map(|(partition, head)| (*partition, *head)));
        let body = Body {
            log_id: log_id.0.to_vec(),
            cursors: heads,
            since: *since,
            missed: missed.clone(),
            rebuilt: rebuilt.clone(),
            state: self.state.clone(),
        };
        let body = encode(&body);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.state_version.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        let crc = checksum(&[&bytes[MAGIC.len()..], &body]);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    /// Reads what [`to_bytes`](Saved::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Saved, Bad> {
        if bytes.len() < HEADER_BYTES {
            return Err(Bad::Damaged("it is too short"));
        }
        let (header, body) = bytes.split_at(HEADER_BYTES);
        if header[..MAGIC.len()] != MAGIC {
            return Err(Bad::Damaged("it doesn't begin as a follower's file does"));
        }
        if u32_at(header, 12) as usize != body.len() {
            return Err(Bad::Damaged("it has another length than it says"));
        }
        if checksum(&[&header[MAGIC.len()..16], body]) != u32_at(header, 16) {
            return Err(Bad::Damaged("its checksum doesn't match"));
        }
        let version = u16_at(header, 8);
        if version > FORMAT_VERSION {
            return Err(Bad::Newer(version));
        }
        let body: Body = decode(body).map_err(|_| Bad::Damaged("its content can't be read"))?;
        if body.log_id.len() != LOG_ID_BYTES {
            return Err(Bad::Damaged("it doesn't name a log"));
        }
        let progress = Progress {
            log_id: LogId(array(&body.log_id, 0)),
            cursors: read_heads(&body.cursors).collect(),
            since: body.since,
            missed: body.missed,
            rebuilt: body.rebuilt,
        };
        Ok(Saved { state_version: u16_at(header, 10), progress, state: body.state })
    }
}
