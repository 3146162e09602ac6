//! Peers that are wrong in every way that users of HTTP clients have reported, and some more.

use std::time::Duration;

use http::Method;
use samsyn_testkit::peer::{Act, Peer};

use super::support::*;
use crate::target::Request;
use crate::{Outcome, UnknownWhy};

fn raw(text: &str) -> Act {
    Act { closes: true, ..Act::bytes(text) }
}

#[tokio::test]
async fn what_is_no_answer_is_unknown() {
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "y".repeat(20_000));
    let table = [
        (
            "length and coding",
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "malformed",
        ),
        (
            "coding and length",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
            "malformed",
        ),
        ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "malformed"),
        ("two lengths in one", "HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\nab", "malformed"),
        ("a length below zero", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "malformed"),
        ("a length with a sign", "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nab", "malformed"),
        ("a length in hex", "HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nab", "malformed"),
        (
            "a length beyond 2^64",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
            "malformed",
        ),
        (
            "a length of exabytes",
            "HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999999\r\n\r\n",
            "answer-too-large",
        ),
        ("a coding nobody asked for", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx", "malformed"),
        ("two codings", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "malformed"),
        (
            "chunked twice",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "malformed",
        ),
        ("an unknown coding", "HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n", "malformed"),
        ("a folded header", "HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n", "malformed"),
        ("space before a colon", "HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nab", "malformed"),
        ("a header without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "malformed"),
        ("NUL in a header", "HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n", "malformed"),
        ("a lone CR in a header", "HTTP/1.1 200 OK\r\nx: a\rb\r\ncontent-length: 0\r\n\r\n", "malformed"),
        ("HTTP/0.9", "hello", "malformed"),
        ("HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "malformed"),
        ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n", "malformed"),
        ("TLS where plain is spoken", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}", "malformed"),
        ("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "malformed"),
        ("a status of 000", "HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n", "malformed"),
        ("a status of 600", "HTTP/1.1 600 X\r\ncontent-length: 0\r\n\r\n", "malformed"),
        (
            "a switch of protocols",
            "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            "malformed",
        ),
        (
            "a chunk without size",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\nx\r\n",
            "malformed",
        ),
        (
            "a chunk of minus one",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nx\r\n",
            "malformed",
        ),
        (
            "a chunk beyond 2^64",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
            "malformed",
        ),
        (
            "a chunk that goes on",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
            "malformed",
        ),
        ("coding in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "malformed"),
        ("a header that is long", long.as_str(), "head-too-large"),
        ("many headers", &format!("HTTP/1.1 200 OK\r\n{many}\r\n"), "head-too-large"),
        (
            "an end in the middle",
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nabc",
            "cut",
        ),
        ("nothing", "", "cut"),
        ("interim answers alone", "HTTP/1.1 100 Continue\r\n\r\n", "cut"),
    ];
    let peer = Peer::start();
    for (name, text, code) in table {
        peer.always(raw(text));
        let outcome = endpoint(&peer).call(&post("x")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{name}: {outcome:?}");
        assert_eq!(unknown(&outcome), code, "{name}: {outcome:?}");
    }
    assert_eq!(peer.arrivals().len(), table.len(), "each was sent once");
}

#[tokio::test]
async fn what_is_odd_but_right_is_an_answer() {
    let peer = Peer::start();
    for (name, text, status, body) in [
        ("HTTP/1.0 until the end", "HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello"),
        ("HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, "ok"),
        (
            "interim answers first",
            "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nx: y\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            200,
            "ok",
        ),
        ("no reason", "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", 200, "ok"),
        (
            "a length twice, the same",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
            200,
            "ok",
        ),
        (
            "chunked in capitals",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            200,
            "ok",
        ),
        (
            "a chunk with an extension",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\n\r\n",
            200,
            "ok",
        ),
        (
            "trailers",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nauthorization: x\r\n\r\n",
            200,
            "ok",
        ),
        ("a status of their own", "HTTP/1.1 299 Fine\r\ncontent-length: 2\r\n\r\nok", 299, "ok"),
        ("204 with a length", "HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", 204, ""),
        ("304 with a length", "HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n", 304, ""),
        ("text in Latin-1", "HTTP/1.1 200 Gr\u{fc}\u{df}\r\ncontent-length: 2\r\n\r\nok", 200, "ok"),
    ] {
        peer.always(raw(text));
        let outcome = endpoint(&peer).call(&get()).await;
        assert_eq!(answer(&outcome), (status, body.to_owned()), "{name}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_bounded() {
    let peer = Peer::start();
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (name, act, code) in [
        ("a body", Act::endless("HTTP/1.1 200 OK\r\n\r\n", "x"), "answer-too-large"),
        ("chunks", Act::endless(chunked, "1\r\nx\r\n"), "answer-too-large"),
        ("headers", Act::endless("HTTP/1.1 200 OK\r\n", "x: y\r\n"), "head-too-large"),
        ("one header", Act::endless("HTTP/1.1 200 OK\r\nx: ", "y"), "head-too-large"),
        ("one status line", Act::endless("HTTP/1.1 200 ", "y"), "head-too-large"),
        ("interim answers", Act::endless("", "HTTP/1.1 100 Continue\r\n\r\n"), "head-too-large"),
        (
            "interim answers with headers",
            Act::endless("", "HTTP/1.1 103 E\r\nlink: </x>\r\n\r\n"),
            "head-too-large",
        ),
    ] {
        peer.always(act);
        let outcome = endpoint(&peer).call(&get()).await;
        assert_eq!(unknown(&outcome), code, "{name}: {outcome:?}");
    }
    for (name, act) in [
        ("a chunk's extension", Act::endless(&format!("{chunked}1;"), "x")),
        ("chunks with extensions", Act::endless(chunked, &format!("1;{}\r\nx\r\n", "y".repeat(900)))),
        ("trailers", Act::endless(&format!("{chunked}0\r\n"), "x: y\r\n")),
        ("one trailer", Act::endless(&format!("{chunked}0\r\nx: "), "y")),
        ("zeros of a chunk's size", Act::endless(chunked, "0")),
    ] {
        peer.always(act);
        let outcome = endpoint(&peer).call(&get()).await;
        assert!(["malformed", "answer-too-large"].contains(&unknown(&outcome)), "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_largest_answer_that_is_allowed_is_taken_however_it_is_cut_up() {
    let peer = Peer::start();
    let max = crate::Limits::default().answer_max;
    let body = "x".repeat(max);
    let chunks = |size: usize| {
        let chunks = body
            .as_bytes()
            .chunks(size)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)));
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
            chunks.collect::<String>()
        )
    };
    for act in
        [Act::status(200, "", &body), Act::bytes(chunks(1)), Act::bytes(chunks(7)), Act::bytes(chunks(max))]
    {
        peer.always(act);
        assert_eq!(answer(&endpoint(&peer).call(&get()).await).1.len(), max);
    }
    peer.always(Act::status(200, "", &format!("{body}x")));
    let outcome = endpoint(&peer).call(&get()).await;
    let Outcome::Unknown(unknown) = outcome else { panic!("{outcome:?}") };
    assert_eq!((unknown.why, unknown.status), (UnknownWhy::BodyTooLarge(max), Some(200)));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let (peer, elsewhere) = (Peer::start(), Peer::start());
    let endpoint = endpoint(&peer);
    for (status, method) in [
        (301, Method::GET),
        (302, Method::POST),
        (303, Method::POST),
        (307, Method::POST),
        (308, Method::GET),
    ] {
        peer.always(Act::status(status, &format!("location: {}\r\n", elsewhere.url()), ""));
        let outcome = endpoint.call(&Request::new(method, "x")).await;
        let Outcome::Response(answer) = outcome else { panic!("{outcome:?}") };
        assert_eq!((answer.status, answer.header("location")), (status, Some(elsewhere.url().as_str())));
    }
    peer.always(Act::redirect("http://169.254.169.254/latest/meta-data/"));
    assert_eq!(answer(&endpoint.call(&get()).await).0, 302);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_bomb_stays_as_it_came() {
    let peer = Peer::start();
    peer.always(Act::bomb());
    let outcome = endpoint(&peer).call(&get()).await;
    let Outcome::Response(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert!(answer.body.len() < 17_000 && answer.body.starts_with(&[0x1f, 0x8b]), "{}", answer.body.len());
}

#[tokio::test]
async fn bytes_behind_an_answer_are_never_the_next_ones() {
    let peer = Peer::start();
    let stray = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged";
    for (name, act) in [
        ("the answer twice", Act::status(200, "", "first").twice()),
        (
            "a forged one behind it",
            Act::bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst{stray}")),
        ),
        ("a body behind a 204", Act::bytes(format!("HTTP/1.1 204 No\r\n\r\n{stray}"))),
        (
            "a body longer than its length",
            Act::bytes("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst and more"),
        ),
    ] {
        peer.script(vec![act, Act::status(200, "", "second")]);
        let endpoint = endpoint(&peer);
        let before = peer.connections();
        assert!(answer(&endpoint.call(&get()).await).0 < 300, "{name}");
        assert_eq!(answer(&endpoint.call(&get()).await), (200, "second".to_owned()), "{name}");
        assert_eq!(peer.connections() - before, 2, "{name}: the connection was dropped");
    }
    // They come later, while the connection is idle.
    peer.script(vec![
        Act { drip_ms: 1, ..Act::status(200, "", "ok").twice() },
        Act::status(200, "", "second"),
    ]);
    let endpoint = endpoint(&peer);
    assert_eq!(answer(&endpoint.call(&get()).await).1, "ok");
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(answer(&endpoint.call(&get()).await).1, "second");
}

#[tokio::test]
async fn a_head_has_no_body() {
    let peer = Peer::start();
    peer.always(Act::bytes("HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n"));
    let endpoint = endpoint(&peer);
    let head = Request::new(Method::HEAD, "x");
    assert_eq!(answer(&endpoint.call(&head).await), (200, String::new()));
    assert_eq!(answer(&endpoint.call(&head).await), (200, String::new()));
    assert_eq!(peer.connections(), 1);
    // With a body against the rules, what follows it isn't taken for the next answer.
    peer.script(vec![Act::status(200, "", "body"), Act::status(201, "", "")]);
    assert_eq!(answer(&endpoint.call(&head).await).0, 200);
    assert_eq!(answer(&endpoint.call(&head).await).0, 201);
}
