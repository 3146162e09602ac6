//! ETags: what a client already has, and what it expects to change (RFC 9110, section 13).
//!
//! A profile's ETag has two parts: `"VALUES.ANSWER"`. The first stands for the visible values and
//! is what `If-Match` holds a proposal to; the second for this very answer, with its identifiers,
//! times and claims, so that a 304 never hides a change of those. Compressed it is `"VALUES.ANSWER-gzip"`.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use super::problem::{Answer, Kind, Problem};

/// Hexadecimal digits of an answer's own part: one in 2^64 changes goes unseen.
const ANSWER_DIGITS: usize = 16;

/// What the ETag of a compressed answer has more, before its quote.
const PACKED: &str = "-gzip\"";

/// The ETag of an answer when it is compressed.
pub fn packed(etag: &str) -> String {
    etag.strip_suffix('"').map_or_else(|| etag.to_owned(), |open| format!("{open}{PACKED}"))
}

/// The ETag of the answer that the client has by its `If-None-Match`: this one, or that of the same answer
/// compressed. None when it has neither.
pub fn client_has(headers: &HeaderMap, etag: &str) -> Option<String> {
    let packed = packed(etag);
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(tags).find_map(|tag| match tag.strip_prefix("W/").unwrap_or(tag) {
        tag if tag == "*" || tag == etag => Some(etag.to_owned()),
        tag => (tag == packed).then(|| packed.clone()),
    })
}

/// The engine's ETag of the values that `If-Match` expects, in its quotes; none when the header is
/// missing or `*`.
pub fn expected(headers: &HeaderMap) -> Answer<Option<String>> {
    let invalid = |detail: &str| Err(Problem::new(Kind::PreconditionInvalid, detail));
    let mut values = headers.get_all(header::IF_MATCH).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return invalid("`If-Match` is there twice"),
    };
    let found: Vec<&str> = tags(value).collect();
    match found.as_slice() {
        ["*"] => Ok(None),
        [weak] if weak.starts_with("W/") => invalid("a weak ETag is not allowed: the profile's is strong"),
        [tag] => {
            let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            match inner.filter(|inner| !inner.is_empty() && !inner.contains('"')) {
                Some(inner) => Ok(Some(format!("\"{}\"", inner.split('.').next().unwrap_or_default()))),
                None => invalid("`If-Match` has no ETag in quotes"),
            }
        }
        [] => invalid("`If-Match` is empty"),
        _ => invalid("`If-Match` has more than one ETag"),
    }
}

/// The ETag of an answer: the engine's for the values, and the answer's own.
pub fn etag(values: &str, answer: &[u8]) -> String {
    let hash = blake3::hash(answer).to_hex();
    format!("\"{}.{}\"", values.trim_matches('"'), &hash[..ANSWER_DIGITS])
}

/// An answer with its ETag; or 304 when these are the headers of a read, and the client has it. A condition
/// on any other call is about what its path names, and a look-up's path names nobody (RFC 9110, section
/// 13.1.2): there it is passed over.
pub fn answer(read: Option<&HeaderMap>, values: &str, body: Vec<u8>) -> Answer {
    let etag = etag(values, &body);
    let has = read.and_then(|headers| client_has(headers, &etag));
    let value = HeaderValue::try_from(has.as_ref().unwrap_or(&etag)).map_err(Problem::internal)?;
    let fixed = [
        (header::ETAG, value),
        // It holds a customer's data: no shared cache may keep it.
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if has.is_some() {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((fixed, json, body).into_response())
}

/// The tags of a list. Ours hold no comma, so that a comma always parts two.
fn tags(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn what_the_client_has_is_compared_weakly() {
        let has = |values: &[&str]| client_has(&headers(header::IF_NONE_MATCH, values), "\"12-7\"").is_some();
        for yes in [&["\"12-7\""][..], &["W/\"12-7\""], &["\"a\", \"12-7\""], &["*"], &["\"a\"", "\"12-7\""]]
        {
            assert!(has(yes), "{yes:?}");
        }
        for no in [&[][..], &["12-7"], &["\"12-8\""], &[""], &["\"12-7-br\""], &["-gzip\""]] {
            assert!(!has(no), "{no:?}");
        }
        // The same answer, compressed: it is told by the name under which the client has it.
        let of = |tag: &str| client_has(&headers(header::IF_NONE_MATCH, &[tag]), "\"12-7\"");
        assert_eq!(of("W/\"12-7-gzip\"").as_deref(), Some("\"12-7-gzip\""));
        assert_eq!(of("*").as_deref(), Some("\"12-7\""));
    }

    #[test]
    fn one_strong_tag_can_be_expected() {
        let expects = |values: &[&str]| expected(&headers(header::IF_MATCH, values));
        assert_eq!(expects(&[]).unwrap(), None);
        assert_eq!(expects(&["*"]).unwrap(), None);
        assert_eq!(expects(&["\"12-7\""]).unwrap().as_deref(), Some("\"12-7\""));
        for bad in
            [&["W/\"a\""][..], &["\"a\", \"b\""], &["a"], &["\"\""], &[""], &["\"a\"", "\"b\""], &["\"a"]]
        {
            assert_eq!(expects(bad).unwrap_err().kind, Kind::PreconditionInvalid, "{bad:?}");
        }
        let etag = etag("\"ab\"", b"{}");
        assert!(etag.starts_with("\"ab."), "{etag}");
        assert_eq!(expects(&[&etag]).unwrap().as_deref(), Some("\"ab\""));
        assert_eq!(expects(&[&packed(&etag)]).unwrap().as_deref(), Some("\"ab\""));
    }
}
