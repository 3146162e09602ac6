//! A peer that ends the connection at every byte of the request, and at every byte of the answer.

use std::time::Duration;

use samsyn_testkit::peer::{Act, Cut, Peer};

use super::support::*;
use crate::{NotSent, Outcome};

/// How many bytes `post("hello")` has.
async fn request_length() -> usize {
    let peer = Peer::start();
    endpoint(&peer).call(&post("hello")).await;
    peer.arrivals()[0].bytes
}

#[tokio::test]
async fn at_every_byte_of_the_request() {
    let whole = request_length().await;
    assert!(whole > 100);
    for cut in [Cut::Close, Cut::Reset] {
        for at in 0..=whole {
            let peer = Peer::start();
            peer.always(Act::cut_request(at, cut));
            let outcome = endpoint(&peer).call(&post("hello")).await;
            match &outcome {
                // The proof holds: not a byte was seen.
                Outcome::NotSent(why) => {
                    assert!(
                        matches!(why, NotSent::Closed(_) | NotSent::Connect { .. }),
                        "{at} {cut:?}: {why:?}"
                    );
                    assert_eq!(at, 0, "{cut:?}: {at} bytes arrived of what was never sent");
                }
                Outcome::Unknown(unknown) => assert_eq!(unknown.status, None, "{at} {cut:?}"),
                Outcome::Response(answer) => panic!("{at} {cut:?}: {answer:?}"),
            }
            assert_eq!(peer.connections(), 1, "{at} {cut:?}: it was sent once");
        }
    }
}

#[tokio::test]
async fn at_every_byte_of_the_request_on_a_kept_connection() {
    let whole = request_length().await;
    for at in 0..=whole {
        let peer = Peer::start();
        peer.script(vec![Act::ok(), Act::cut_request(at.max(1), Cut::Close)]);
        let endpoint = endpoint(&peer);
        assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
        let outcome = endpoint.call(&post("hello")).await;
        assert_eq!(unknown(&outcome), "cut", "{at}: {outcome:?}");
        assert_eq!(peer.connections(), 1, "{at}: no second try behind our back");
    }
}

const LENGTH: &str = "HTTP/1.1 200 OK\r\nx-request-id: 7\r\ncontent-length: 11\r\n\r\nhello world";
const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nx-t: 1\r\n\r\n";
const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx";
const EMPTY: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn at_every_byte_of_the_answer() {
    for (text, status, body) in
        [(LENGTH, 200, "hello world"), (CHUNKED, 200, "hello world"), (INTERIM, 201, "x"), (EMPTY, 204, "")]
    {
        let head = text.rfind("\r\n\r\n").map(|_| head_end(text)).unwrap();
        for cut in [Cut::Close, Cut::Reset] {
            for at in 0..=text.len() {
                let peer = Peer::start();
                peer.always(Act::bytes(text).cut_answer(at, cut));
                let outcome = endpoint(&peer).call(&post("hello")).await;
                match &outcome {
                    Outcome::Response(answer) => {
                        assert_eq!(at, text.len(), "{cut:?}: complete after {at} of {text:?}");
                        assert_eq!((answer.status, answer.body.as_slice()), (status, body.as_bytes()));
                    }
                    Outcome::Unknown(unknown) => {
                        // Whoever resets may take what was written with it.
                        assert!(at < text.len() || cut == Cut::Reset, "{cut:?} {at}: {unknown:?}");
                        assert_eq!(unknown.why.code(), "cut", "{cut:?} {at}: {unknown:?}");
                        if cut == Cut::Close {
                            assert_eq!(unknown.status, (at >= head).then_some(status), "{at} of {text:?}");
                        }
                    }
                    Outcome::NotSent(why) => panic!("{at}: {why:?}"),
                }
                assert_eq!(peer.connections(), 1, "{cut:?} {at}: it was sent once");
                let arrivals = peer.arrivals();
                assert!(arrivals.len() == 1 && arrivals[0].complete);
            }
        }
    }
}

/// Where the last head of an answer ends.
fn head_end(text: &str) -> usize {
    let last = text.rfind("HTTP/1.1").unwrap();
    last + text[last..].find("\r\n\r\n").unwrap() + 4
}

#[tokio::test]
async fn an_answer_that_ends_with_its_connection_is_complete_when_that_ends_in_order() {
    let text = "HTTP/1.1 200 OK\r\n\r\nhello";
    let peer = Peer::start();
    peer.always(Act::bytes(text).cut_answer(text.len(), Cut::Close));
    assert_eq!(answer(&endpoint(&peer).call(&get()).await), (200, "hello".to_owned()));
    peer.always(Act::bytes(text).cut_answer(text.len(), Cut::Reset));
    let outcome = endpoint(&peer).call(&get()).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
}

#[tokio::test]
async fn time_runs_out_at_every_stage() {
    let short = Duration::from_millis(150);
    let peer = Peer::start();
    for act in [
        Act::never(),
        Act { drip_ms: 20, ..Act::bytes(LENGTH) },
        Act { drip_ms: 5, ..Act::endless("HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n", "x") },
        Act { drip_ms: 5, ..Act::endless("HTTP/1.1 200 OK\r\n", "x: y\r\n") },
        Act { drip_ms: 5, ..Act::endless("", "HTTP/1.1 102 Processing\r\n\r\n") },
    ] {
        peer.always(act.clone());
        let started = std::time::Instant::now();
        let outcome = within(&peer, short).call(&post("x")).await;
        assert_eq!(unknown(&outcome), "time", "{act:?}");
        assert!(started.elapsed() < short * 10, "{act:?} took {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_was_read_counts() {
    let peer = Peer::start();
    let refusal = "HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 3\r\n\r\nno!";
    peer.always(Act { early: true, closes: true, ..Act::bytes(refusal) });
    // Small enough for the socket's buffers: it is all written, and never read.
    let outcome = endpoint(&peer).call(&post(&"x".repeat(20_000))).await;
    assert_eq!(answer(&outcome), (413, "no!".to_owned()));
    // Without a word of closing, nothing is sent on that connection any more.
    let keeps = "HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nno!";
    peer.script(vec![Act { early: true, ..Act::bytes(keeps) }]);
    let endpoint = endpoint(&peer);
    let first = endpoint.call(&post(&"x".repeat(900_000))).await;
    assert!(!matches!(first, Outcome::NotSent(_)), "{first:?}");
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
}
