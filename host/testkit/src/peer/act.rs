//! What a peer does with one request.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// 16 MiB of zeros in 16 KiB.
const BOMB: &[u8] = include_bytes!("../../fixtures/zeros.gz");

/// What is done with one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Act {
    /// The connection ends when so many bytes of the request were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_request_at: Option<usize>,
    /// The answer waits until the peer is told to [`release`](super::Peer::release) it.
    pub held: bool,
    /// The answer waits so long.
    pub late_ms: u64,
    /// What is answered.
    pub answer: Answer,
    /// Each byte of the answer waits so long.
    pub drip_ms: u64,
    /// The connection ends when so many bytes of the answer were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_answer_at: Option<usize>,
    /// How it ends then.
    pub cut: Cut,
    /// The connection ends behind the answer, though the answer doesn't say so.
    pub closes: bool,
    /// The answer comes before the request's body was read, which isn't read then.
    pub early: bool,
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// In order: the other end reads what was written, then an end.
    #[default]
    Close,
    /// At once: the other end may lose what it hasn't read.
    Reset,
}

/// What a peer answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// These bytes, whatever they are.
    Bytes(Vec<u8>),
    /// The first bytes once, then the others without end.
    Endless(Vec<u8>, Vec<u8>),
    /// Nothing: the connection stays open.
    Never,
    /// To CONNECT: 200, and from then on the bytes of this address.
    Tunnel(SocketAddr),
}

impl Default for Answer {
    fn default() -> Answer {
        Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec())
    }
}

impl Act {
    /// 200 with the body `ok`.
    pub fn ok() -> Act {
        Act::default()
    }

    /// These bytes.
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Act {
        Act { answer: Answer::Bytes(bytes.as_ref().to_vec()), ..Act::default() }
    }

    /// A status with headers (each with its line break) and a body.
    pub fn status(status: u16, headers: &str, body: &str) -> Act {
        Act::bytes(format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Act {
        Act::status(302, &format!("location: {to}\r\n"), "")
    }

    /// No answer.
    pub fn never() -> Act {
        Act { answer: Answer::Never, ..Act::default() }
    }

    /// The first bytes, then the others for ever.
    pub fn endless(first: &str, then: &str) -> Act {
        Act { answer: Answer::Endless(first.as_bytes().to_vec(), then.as_bytes().to_vec()), ..Act::default() }
    }

    /// A compressed body of 16 KiB that is 16 MiB of zeros.
    pub fn bomb() -> Act {
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", BOMB.len());
        Act::bytes([head.as_bytes(), BOMB].concat())
    }

    /// The same twice.
    pub fn twice(self) -> Act {
        match self.answer {
            Answer::Bytes(bytes) => Act { answer: Answer::Bytes([bytes.clone(), bytes].concat()), ..self },
            answer => Act { answer, ..self },
        }
    }

    /// Held until it is released.
    pub fn held(self) -> Act {
        Act { held: true, ..self }
    }

    /// Cut when so many bytes of the answer were written.
    pub fn cut_answer(self, at: usize, cut: Cut) -> Act {
        Act { cut_answer_at: Some(at), cut, ..self }
    }

    /// Cut when so many bytes of the request were read.
    pub fn cut_request(at: usize, cut: Cut) -> Act {
        Act { cut_request_at: Some(at), cut, ..Act::default() }
    }
}
