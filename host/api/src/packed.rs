//! Answers compressed with gzip, for clients that take it (`Accept-Encoding`).
//!
//! A client is known by its token and not by a cookie, so that nobody can make a browser ask on its behalf
//! and learn from the length of what comes (BREACH).

use axum::http::{HeaderValue, header};
use axum::response::Response;
use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use super::conditional::packed;

/// Bytes below which an answer stays as it is: it fits into one packet either way.
const PACKED_BYTES_MIN: u16 = 1024;

/// Compresses what is long enough. A stream of events stays as it is: each is to arrive when it is sent.
pub fn layer() -> CompressionLayer<And<SizeAbove, NotForContentType>> {
    let when = SizeAbove::new(PACKED_BYTES_MIN).and(NotForContentType::SSE);
    // JSON shrinks to a fifth at the least effort, and the thread answers others, too.
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(when)
}

/// Gives a compressed answer an `ETag` of its own: other bytes are another representation (RFC 9110,
/// section 8.8.3.3).
pub async fn tag(mut answer: Response) -> Response {
    if answer.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip")
        && let Some(etag) = answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok())
        && let Ok(etag) = HeaderValue::try_from(packed(etag))
    {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    answer
}
