//! A request's body: of a type the call takes, within its bound of bytes and time, decompressed.

use std::io::Read;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
pub use samsyn_wire::media::{JSON, MERGE_PATCH, TOML};
use samsyn_wire::media::{SECRET, WASM};

use super::limits::ApiLimits;
use super::problem::{Answer, Kind, Problem};
use samsyn_secrets::VALUE_BYTES_MAX;

/// Reads a body of text, mostly JSON, of one of these types.
pub async fn json(request: Request, types: &[&str], limits: &ApiLimits) -> Answer<Vec<u8>> {
    read(request, types, limits.body_bytes, limits.body_time()).await
}

/// Reads a secret's value.
pub async fn secret(request: Request, limits: &ApiLimits) -> Answer<Vec<u8>> {
    read(request, SECRET, VALUE_BYTES_MAX, limits.body_time()).await
}

/// Reads a component of at most this many bytes.
pub async fn component(request: Request, bytes_max: u64, limits: &ApiLimits) -> Answer<Vec<u8>> {
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    read(request, WASM, bytes_max, limits.component_time()).await
}

async fn read(request: Request, types: &[&str], bytes_max: usize, time: Duration) -> Answer<Vec<u8>> {
    let (parts, mut body) = request.into_parts();
    check_type(&parts.headers, types)?;
    let is_gzip = is_gzip(&parts.headers)?;
    // What is said to be too long isn't waited for.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large(bytes_max));
    }
    let bytes = match tokio::time::timeout(time, collect(&mut body, bytes_max)).await {
        Ok(bytes) => bytes?,
        Err(_) => {
            let detail = format!("the body was not complete within {} seconds", time.as_secs());
            return Err(Problem::new(Kind::SlowBody, detail));
        }
    };
    if is_gzip { inflate(&bytes, bytes_max) } else { Ok(bytes) }
}

async fn collect(body: &mut Body, bytes_max: usize) -> Answer<Vec<u8>> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(announced.min(bytes_max));
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Problem::new(Kind::BodyIncomplete, "the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > bytes_max - bytes.len() {
            return Err(too_large(bytes_max));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// Decompresses no further than one byte over the limit, however much a bomb holds.
fn inflate(bytes: &[u8], bytes_max: usize) -> Answer<Vec<u8>> {
    let mut inflated = Vec::with_capacity((bytes.len() * 4).min(bytes_max));
    let mut decoder = MultiGzDecoder::new(bytes).take(bytes_max as u64 + 1);
    decoder
        .read_to_end(&mut inflated)
        .map_err(|error| Problem::new(Kind::BadGzip, format!("the body can't be decompressed: {error}")))?;
    if inflated.len() > bytes_max { Err(too_large(bytes_max)) } else { Ok(inflated) }
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(
        Kind::BodyTooLarge,
        format!("the body has more than {bytes_max} bytes, counted after decompression"),
    )
}

fn check_type(headers: &HeaderMap, types: &[&str]) -> Answer<()> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
    let mut parts = sent.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = types.iter().any(|known| essence.eq_ignore_ascii_case(known));
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if known && utf8 {
        return Ok(());
    }
    let wanted = types.join(" or ");
    let detail = match essence {
        "" => format!("`Content-Type` is missing; this call needs {wanted}"),
        _ if known => format!("{wanted} must be UTF-8; another `charset` is not supported"),
        other => format!("this call needs {wanted}, not {}", super::json::shortened(other)),
    };
    Err(Problem::new(Kind::UnknownContentType, detail).next(format!("Send `Content-Type: {}`.", types[0])))
}

fn is_gzip(headers: &HeaderMap) -> Answer<bool> {
    let mut sent = headers.get_all(header::CONTENT_ENCODING).iter();
    let (first, more) = (sent.next(), sent.next());
    let name = first.map_or(Ok("identity"), |first| first.to_str()).unwrap_or("?");
    match name.trim().to_ascii_lowercase().as_str() {
        "identity" if more.is_none() => Ok(false),
        "gzip" | "x-gzip" if more.is_none() => Ok(true),
        other => {
            let detail = format!("the encoding {:?} is not supported", super::json::shortened(other));
            Err(Problem::new(Kind::UnknownEncoding, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn request(headers: &[(&str, &str)], body: Vec<u8>) -> Request {
        let request = headers
            .iter()
            .fold(axum::http::Request::builder(), |request, (name, value)| request.header(*name, *value));
        request.body(Body::from(body)).unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn kind(headers: &[(&str, &str)], body: Vec<u8>) -> Kind {
        json(request(headers, body), JSON, &ApiLimits::default()).await.unwrap_err().kind
    }

    const IS_JSON: (&str, &str) = ("content-type", "application/json");
    const IS_GZIP: (&str, &str) = ("content-encoding", "gzip");

    #[tokio::test]
    async fn a_body_comes_plain_or_compressed() {
        let limits = ApiLimits::default();
        let typed = [("content-type", "Application/JSON; charset=UTF-8")];
        assert_eq!(json(request(&typed, b"{}".to_vec()), JSON, &limits).await.unwrap(), b"{}");
        let packed = [gzip(b"[1,"), gzip(b"2]")].concat();
        assert_eq!(json(request(&[IS_JSON, IS_GZIP], packed), JSON, &limits).await.unwrap(), b"[1,2]");
        let patch = [("content-type", "application/merge-patch+json")];
        assert!(json(request(&patch, b"{}".to_vec()), MERGE_PATCH, &limits).await.is_ok());
    }

    #[tokio::test]
    async fn a_bomb_is_not_inflated_beyond_the_limit() {
        let bomb = gzip(&vec![b' '; 100 << 20]);
        assert!(bomb.len() < 200_000);
        assert_eq!(kind(&[IS_JSON, IS_GZIP], bomb.clone()).await, Kind::BodyTooLarge);
        assert!(inflate(&bomb, 1000).is_err());
        assert_eq!(inflate(&gzip(&[b'a'; 1000]), 1000).unwrap().len(), 1000);
        assert_eq!(kind(&[IS_JSON], vec![b' '; 500 * 1024 + 1]).await, Kind::BodyTooLarge);
    }

    #[tokio::test]
    async fn what_is_not_understood_is_refused_by_name() {
        for bad in ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
        {
            assert_eq!(
                kind(&[("content-type", bad)], b"{}".to_vec()).await,
                Kind::UnknownContentType,
                "{bad}"
            );
        }
        assert_eq!(kind(&[IS_JSON, ("content-encoding", "br")], Vec::new()).await, Kind::UnknownEncoding);
        assert_eq!(kind(&[IS_JSON, IS_GZIP, IS_GZIP], Vec::new()).await, Kind::UnknownEncoding);
        assert_eq!(kind(&[IS_JSON, IS_GZIP], b"no gzip".to_vec()).await, Kind::BadGzip);
        let mut cut = gzip(b"{\"a\":1}");
        cut.truncate(cut.len() - 4);
        assert_eq!(kind(&[IS_JSON, IS_GZIP], cut).await, Kind::BadGzip);
    }
}
