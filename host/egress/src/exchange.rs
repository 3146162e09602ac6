//! One request and its answer over one connection.
//!
//! The connection isn't a task of its own: whoever waits for the answer drives it. So when the wait ends, by a limit
//! or because nobody waits any more, nothing goes on writing behind it, and the count of bytes that left is final.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use crate::dial::{Io, Link};
use crate::outcome::{NotSent, Unknown, UnknownWhy};
use crate::target::Limits;
use crate::wire::Meter;

/// Headers of an answer at most.
const HEADERS_MAX: usize = 96;
/// What hyper reads ahead at least.
const BUFFER_MIN: usize = 8 * 1024;
/// Bytes that may stand beside a head: TLS records, session tickets, and the body's first bytes in the same read.
const HEAD_SLACK: usize = 96 * 1024;
/// How much larger a body may be on the wire than in memory: a byte in a chunk of its own takes six, and TLS adds to
/// each record.
const BODY_FACTOR: usize = 8;

/// A connection between two exchanges.
pub(crate) struct Live {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: Option<Connection>,
    meter: Arc<Meter>,
    probe: std::net::TcpStream,
}

type Connection = http1::Connection<TokioIo<Io>, Full<Bytes>>;

/// An answer as it came.
pub(crate) struct Raw {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// How an exchange ended.
pub(crate) enum Ended {
    NotSent(NotSent),
    Response(Raw),
    Unknown(Unknown),
}

impl Live {
    /// HTTP over a new connection. Nothing is sent by it.
    pub(crate) async fn new(link: Link, limits: &Limits) -> Result<Live, NotSent> {
        let handshake = http1::Builder::new()
            .max_headers(HEADERS_MAX)
            .max_header_size(limits.answer_head_max)
            .max_buf_size(limits.answer_head_max.max(BUFFER_MIN))
            .handshake(TokioIo::new(link.io));
        let (sender, connection) = handshake.await.map_err(|error| NotSent::Closed(error.to_string()))?;
        Ok(Live { sender, connection: Some(connection), meter: link.meter, probe: link.probe })
    }

    /// Can it carry another request? The socket itself is asked: what the peer did may not have been noticed yet.
    /// A byte that nobody asked for condemns it, unless TLS eats it.
    pub(crate) fn is_alive(&mut self) -> bool {
        let quiet = self.is_quiet();
        let mut cx = Context::from_waker(Waker::noop());
        self.drive(&mut cx);
        self.connection.is_some() && self.sender.is_ready() && (quiet || self.is_quiet())
    }

    fn is_quiet(&self) -> bool {
        matches!(self.probe.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Lets the connection do what it can. At its end it is dropped, which gives back a request that it still holds.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(cx).is_ready()
        {
            self.connection = None;
        }
    }

    /// Sends the request and reads the answer, both until `deadline`. The connection comes back if it can be used
    /// again.
    pub(crate) async fn send(
        self,
        request: http::Request<Full<Bytes>>,
        limits: &Limits,
        deadline: Instant,
    ) -> (Ended, Option<Live>) {
        let meter = Arc::clone(&self.meter);
        let before = meter.written();
        let mut status = None;
        let ended = timeout_at(deadline, self.exchange(request, limits, &mut status)).await;
        // Whatever was under way is dropped by now, with its socket unless it is handed back.
        let why = match ended {
            Ok(Ok((raw, live))) => return (Ended::Response(raw), live),
            Ok(Err(why)) => why,
            Err(_) => UnknownWhy::Time,
        };
        if meter.written() == before {
            let not_sent = match why {
                UnknownWhy::Time => NotSent::Time,
                why => NotSent::Closed(why.to_string()),
            };
            return (Ended::NotSent(not_sent), None);
        }
        (Ended::Unknown(Unknown { why, status }), None)
    }

    async fn exchange(
        mut self,
        request: http::Request<Full<Bytes>>,
        limits: &Limits,
        status: &mut Option<u16>,
    ) -> Result<(Raw, Option<Live>), UnknownWhy> {
        self.meter.allow((limits.answer_head_max + HEAD_SLACK) as u64);
        let response = self.head(request).await.map_err(|error| self.why(&error, limits, true))?;
        *status = Some(response.status().as_u16());
        check_framing(&response)?;
        let (parts, body) = response.into_parts();
        if body.size_hint().lower() > limits.answer_max as u64 {
            return Err(UnknownWhy::BodyTooLarge(limits.answer_max));
        }
        self.meter.allow((limits.answer_max * BODY_FACTOR + HEAD_SLACK) as u64);
        let body = self.body(body, limits).await?;
        let raw = Raw { status: parts.status, headers: parts.headers, body };
        let reusable = self.is_alive();
        Ok((raw, reusable.then_some(self)))
    }

    async fn head(&mut self, request: http::Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        let mut waiting = pin!(self.sender.try_send_request(request));
        poll_fn(|cx| {
            self.drive(cx);
            waiting.as_mut().poll(cx)
        })
        .await
        .map_err(|failed| failed.into_error())
    }

    async fn body(&mut self, mut body: Incoming, limits: &Limits) -> Result<Vec<u8>, UnknownWhy> {
        let mut bytes = Vec::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0));
        loop {
            let frame = poll_fn(|cx| {
                self.drive(cx);
                Pin::new(&mut body).poll_frame(cx)
            });
            match frame.await {
                None => return Ok(bytes),
                Some(Err(error)) => return Err(self.why(&error, limits, false)),
                // Trailers are dropped: no list allows them.
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if bytes.len() + data.len() > limits.answer_max {
                        return Err(UnknownWhy::BodyTooLarge(limits.answer_max));
                    }
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }

    fn why(&self, error: &hyper::Error, limits: &Limits, head: bool) -> UnknownWhy {
        // hyper tells this kind of a client's error by its text alone; a test holds it.
        let head_too_large = error.is_parse() && error.to_string().contains("too large");
        if self.meter.is_exceeded() || head_too_large {
            return match head {
                true => UnknownWhy::HeadTooLarge(limits.answer_head_max),
                false => UnknownWhy::BodyTooLarge(limits.answer_max),
            };
        }
        if error.is_parse() || is_bad_input(error) {
            return UnknownWhy::Malformed(whole(error));
        }
        UnknownWhy::Cut(whole(error))
    }
}

/// What hyper lets pass and servers disagree about.
fn check_framing(response: &Response<Incoming>) -> Result<(), UnknownWhy> {
    let malformed = |why: &str| Err(UnknownWhy::Malformed(why.to_owned()));
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return malformed("it switches to a protocol that nobody asked for");
    }
    if !(200..600).contains(&response.status().as_u16()) {
        return malformed("its status is none of 200 to 599");
    }
    let headers = response.headers();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        if codings.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return malformed("its transfer coding isn't `chunked` alone");
        }
        if headers.contains_key(CONTENT_LENGTH) {
            return malformed("it has both a length and a transfer coding");
        }
    }
    Ok(())
}

fn is_bad_input(error: &hyper::Error) -> bool {
    let kinds = [io::ErrorKind::InvalidInput, io::ErrorKind::InvalidData];
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return kinds.contains(&io.kind());
        }
        cause = inner.source();
    }
    false
}

/// The error with its causes.
fn whole(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
