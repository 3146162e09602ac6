//! Answers are compressed for clients that take that.

use std::io::Read;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use flate2::read::GzDecoder;
use serde_json::json;
use tower_service::Service;

use super::world::World;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn varies_by(&self, name: &str) -> bool {
        let values = self.headers.get_all("vary").iter().flat_map(|value| value.to_str().unwrap().split(','));
        values.into_iter().any(|value| value.trim().eq_ignore_ascii_case(name))
    }

    fn unpacked(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        GzDecoder::new(self.body.as_slice()).read_to_end(&mut plain).expect("it is gzip");
        plain
    }
}

fn ask(world: &World, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {}", world.token.as_str());
    let mut request = Request::builder().method(method).uri(path).header("authorization", bearer);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let call = world.router().call(request.body(Body::from(body.to_owned())).unwrap());
    world.block_on(async move {
        let Ok(response) = call.await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("the answer is whole").to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    })
}

#[test]
fn a_large_answer_is_packed_for_who_takes_it() {
    let world = World::new();
    for path in ["/openapi.json", "/errors", "/metrics"] {
        let plain = ask(&world, "GET", path, &[], "");
        assert_eq!((plain.status, plain.header("content-encoding")), (200, ""), "{path}");
        assert!(plain.varies_by("accept-encoding"), "{path}");
        for accepts in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.5", "GZIP"] {
            let packed = ask(&world, "GET", path, &[("accept-encoding", accepts)], "");
            assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"), "{path} {accepts}");
            assert!(packed.varies_by("accept-encoding"), "{path}");
            assert_eq!(packed.header("content-type"), plain.header("content-type"));
            assert!(packed.body.len() * 2 < plain.body.len(), "{path}: {}", packed.body.len());
            if path != "/metrics" {
                assert_eq!(packed.unpacked(), plain.body, "{path}");
            }
        }
        for accepts in ["identity", "gzip;q=0", "br", "", "gzip;q=0, identity"] {
            let answer = ask(&world, "GET", path, &[("accept-encoding", accepts)], "");
            assert_eq!(answer.header("content-encoding"), "", "{path} {accepts}");
        }
    }
    assert!(ask(&world, "GET", "/errors", &[], "").varies_by("accept"), "the other reason stays");
}

#[test]
fn a_head_says_what_the_answer_would() {
    let world = World::new();
    for headers in [&[][..], &[("accept-encoding", "gzip")]] {
        let (get, head) = (
            ask(&world, "GET", "/openapi.json", headers, ""),
            ask(&world, "HEAD", "/openapi.json", headers, ""),
        );
        assert_eq!(head.body, b"");
        for name in ["content-encoding", "content-type", "vary", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{name} {headers:?}");
        }
    }
}

#[test]
fn a_small_answer_and_one_without_a_body_stay_as_they_are() {
    let world = World::new();
    let gzip = ("accept-encoding", "gzip");
    for (method, path) in
        [("GET", "/healthz"), ("GET", "/v1/limits"), ("GET", "/nowhere"), ("OPTIONS", "/v1/events")]
    {
        let answer = ask(&world, method, path, &[gzip], "");
        assert_eq!(answer.header("content-encoding"), "", "{path}");
    }
}

#[test]
fn an_etag_stands_for_the_bytes_that_came_and_is_taken_back_either_way() {
    let world = World::new().furnished();
    let long = "Anna-Maria ".repeat(300);
    let seen = json!({"name": "seen", "identifiers": {"customer_id": "7"}, "proposes": {"first_name": long}});
    assert_eq!(world.decided("POST", "/v1/events", &seen).status, 200);
    let path = "/v1/profiles/customer_id:7?claims=true";
    let gzip = ("accept-encoding", "gzip");
    let (plain, packed) = (ask(&world, "GET", path, &[], ""), ask(&world, "GET", path, &[gzip], ""));
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    assert_eq!(packed.unpacked(), plain.body);
    let (plain, packed) = (plain.header("etag"), packed.header("etag"));
    // RFC 9110, 8.8.3.3: other bytes are another representation.
    assert_ne!(plain, packed);
    for etag in [plain, packed] {
        assert!(etag.starts_with('"') && etag.ends_with('"'), "a strong one: {etag}");
        for accepts in [&[][..], &[gzip]] {
            let headers = [&[("if-none-match", etag)], accepts].concat();
            let again = ask(&world, "GET", path, &headers, "");
            assert_eq!((again.status, again.header("etag"), again.body.len()), (304, etag, 0), "{accepts:?}");
            assert!(again.varies_by("accept-encoding"));
        }
    }
    let stale = packed.replace('"', "").chars().rev().collect::<String>();
    let stale = ask(&world, "GET", path, &[("if-none-match", &format!("\"{stale}\"")), gzip], "");
    assert_eq!(stale.status, 200);
    for etag in [plain, packed] {
        let headers = [("content-type", "application/json"), ("prefer", "wait=30"), ("if-match", etag)];
        let body = json!({"fields": {"children": 2}}).to_string();
        let patched = ask(&world, "PATCH", "/v1/profiles/customer_id:7", &headers, &body);
        assert_eq!(patched.status, 200, "{etag}");
    }
}
