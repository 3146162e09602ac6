//! What a call is, when all goes well and when it may not go at all.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use samsyn_testkit::peer::{Act, Peer, Setup};

use super::support::*;
use crate::headers::HeaderRules;
use crate::steps::Did;
use crate::target::{REQUEST_MAX, Request};
use crate::{BadTarget, NotSent, Outcome};

#[tokio::test]
async fn a_request_arrives_as_it_was_meant() {
    let peer = Peer::start();
    let endpoint = endpoint(&peer);
    let request = Request {
        query: vec![("q".to_owned(), "a b&c".to_owned())],
        key: Some("k-1".to_owned()),
        ..post("hello")
    };
    assert_eq!(answer(&endpoint.call(&request).await), (200, "ok".to_owned()));
    let arrivals = peer.arrivals();
    let [arrival] = arrivals.as_slice() else { panic!("{arrivals:?}") };
    assert_eq!((arrival.method.as_str(), arrival.target.as_str()), ("POST", "/things?q=a%20b%26c"));
    assert_eq!(arrival.text(), "hello");
    assert_eq!(arrival.key.as_deref(), Some("k-1"));
    let authority = format!("peer.test:{}", peer.address().port());
    for (name, value) in [
        ("host", authority.as_str()),
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("accept-encoding", "identity"),
        ("user-agent", concat!("samsyn/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(arrival.header(name), Some(value), "{name}");
    }
    assert_eq!(arrival.headers.len(), 6, "nothing else is told: {:?}", arrival.headers);
}

#[tokio::test]
async fn a_post_without_a_body_has_a_length() {
    let peer = Peer::start();
    let endpoint = endpoint(&peer);
    endpoint.call(&Request::new(Method::POST, "x")).await;
    endpoint.call(&Request::new(Method::GET, "x")).await;
    let arrivals = peer.arrivals();
    assert_eq!(arrivals[0].header("content-length"), Some("0"));
    assert_eq!(arrivals[1].header("content-length"), None);
}

#[tokio::test]
async fn of_the_answer_only_listed_headers_are_handed_on() {
    let peer = Peer::start();
    let headers = "Content-Type: a/b\r\nSet-Cookie: s=1\r\nX-Quota: 3\r\nX-Internal: y\r\nRetry-After: 7\r\n";
    peer.always(Act::status(429, headers, "later"));
    let mut target = target(&url(&peer));
    target.headers = HeaderRules::new(&[], &["x-quota".to_owned()], &[]).unwrap();
    let outcome = connector().endpoint(target).unwrap().call(&get()).await;
    let Outcome::Response(answer) = outcome else { panic!("{outcome:?}") };
    let names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["content-type", "x-quota", "retry-after"]);
    assert_eq!(answer.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn what_may_not_be_sent_makes_no_connection() {
    let peer = Peer::start();
    let endpoint = endpoint(&peer);
    let header =
        |name: &str, value: &str| Request { headers: vec![(name.to_owned(), value.to_owned())], ..get() };
    let key = |key: &str| Request { key: Some(key.to_owned()), ..get() };
    let large = Request { body: Bytes::from(vec![0; 1024 * 1024 + 1]), ..post("") };
    for (request, code) in [
        (Request::new(Method::OPTIONS, "x"), "refused.method"),
        (Request::new(Method::GET, "../x"), "refused.url"),
        (Request::new(Method::GET, "//evil.example/"), "refused.url"),
        (Request { query: vec![("a".to_owned(), "\r\n".to_owned())], ..get() }, "refused.url"),
        (header("Host", "evil.example"), "refused.header"),
        (header("Authorization", "Bearer x"), "refused.header"),
        (header("Transfer-Encoding", "chunked"), "refused.header"),
        (header("accept", "a\r\nx: y"), "refused.header"),
        (key("k\r\n"), "refused.key"),
        (key(""), "refused.key"),
        (large, "refused.body"),
    ] {
        let outcome = endpoint.call(&request).await;
        assert_eq!(not_sent(&outcome), code, "{request:?}");
        let Outcome::NotSent(why) = outcome else { unreachable!() };
        assert!(why.is_final(), "{why}");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_pause_holds_everything_back() {
    let peer = Peer::start();
    let connector = connector();
    let endpoint = connector.endpoint(target(&url(&peer))).unwrap();
    connector.pause();
    assert_eq!(not_sent(&endpoint.call(&get()).await), "paused");
    connector.resume();
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    endpoint.pause();
    assert_eq!(not_sent(&endpoint.call(&get()).await), "paused");
    endpoint.resume();
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    assert_eq!(peer.arrivals().len(), 2);
}

#[tokio::test]
async fn a_connection_is_kept_and_used_again() {
    let peer = Peer::start();
    let endpoint = endpoint(&peer);
    for number in 0..20 {
        assert_eq!(answer(&endpoint.call(&post(&number.to_string())).await).0, 200);
        assert_eq!(endpoint.idle(), 1);
    }
    assert_eq!((peer.connections(), peer.arrivals().len()), (1, 20));
}

#[tokio::test]
async fn a_kept_connection_that_the_peer_closed_is_replaced() {
    let peer = Peer::start();
    let endpoint = endpoint(&peer);
    for number in 0..20 {
        // It promises to keep the connection, and closes it.
        peer.always(Act { closes: true, ..Act::ok() });
        let outcome = endpoint.call(&post(&number.to_string())).await;
        assert_eq!(answer(&outcome).0, 200, "{number}: {outcome:?}");
        // The close has reached this machine, and the runtime hasn't looked: the socket itself must be asked.
        std::thread::sleep(Duration::from_millis(5));
    }
    let bodies: Vec<String> = peer.arrivals().iter().map(|arrival| arrival.text()).collect();
    assert_eq!(bodies, (0..20).map(|number| number.to_string()).collect::<Vec<_>>(), "each once, in order");
    assert_eq!(peer.connections(), 20);
}

#[tokio::test]
async fn idle_connections_grow_old() {
    let peer = Peer::start();
    let mut target = target(&url(&peer));
    target.limits.idle = Duration::from_millis(30);
    let endpoint = connector().endpoint(target).unwrap();
    endpoint.call(&get()).await;
    assert_eq!(endpoint.idle(), 1);
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while endpoint.idle() > 0 && tokio::time::Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(endpoint.idle(), 0, "nobody called, and it is closed");
    endpoint.call(&get()).await;
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_closed_endpoint_keeps_nothing_and_sends_nothing() {
    let peer = Peer::start();
    let endpoint = endpoint(&peer);
    endpoint.call(&get()).await;
    assert_eq!(endpoint.idle(), 1);
    endpoint.close();
    assert_eq!(endpoint.idle(), 0);
    assert_eq!(not_sent(&endpoint.call(&get()).await), "paused");
    assert_eq!(peer.arrivals().len(), 1);
}

#[tokio::test]
async fn calls_in_parallel_have_connections_of_their_own() {
    let peer = Peer::start();
    peer.always(Act::ok().held());
    let endpoint = std::sync::Arc::new(endpoint(&peer));
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let endpoint = std::sync::Arc::clone(&endpoint);
            tokio::spawn(async move { endpoint.call(&get()).await })
        })
        .collect();
    while peer.arrivals().len() < 8 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    peer.release();
    for call in calls {
        assert_eq!(answer(&call.await.unwrap()).0, 200);
    }
    assert_eq!((peer.connections(), endpoint.idle()), (8, 4), "as many are kept as allowed");
}

#[tokio::test]
async fn a_call_that_is_dropped_writes_nothing_behind() {
    let peer = Peer::start();
    peer.always(Act::never());
    let endpoint = endpoint(&peer);
    let dropped = tokio::time::timeout(Duration::from_millis(50), endpoint.call(&post("x"))).await;
    assert!(dropped.is_err());
    peer.always(Act::ok());
    assert_eq!(answer(&endpoint.call(&post("y")).await).0, 200);
    assert_eq!(peer.connections(), 2, "the connection of the dropped call isn't used again");
}

#[tokio::test]
async fn a_target_that_makes_no_sense_is_refused() {
    let connector = connector();
    let refused = |change: fn(&mut crate::Target)| {
        let mut target = target("http://peer.test/");
        change(&mut target);
        match connector.endpoint(target) {
            Err(BadTarget::Other(_)) => {}
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was taken"),
        }
    };
    refused(|target| target.methods.clear());
    refused(|target| target.methods.push(Method::CONNECT));
    refused(|target| target.methods.push(Method::TRACE));
    refused(|target| target.limits.answer_max = 1024 * 1024 + 1);
    refused(|target| target.limits.request_max = REQUEST_MAX + 1);
    refused(|target| target.limits.answer_head_max = 10);
    refused(|target| target.key_header = Some("a b".to_owned()));
}

#[tokio::test]
async fn nothing_listens() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let endpoint = connector().endpoint(target(&format!("http://peer.test:{port}/"))).unwrap();
    let outcome = endpoint.call(&get()).await;
    assert_eq!(not_sent(&outcome), "connect");
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Connect { .. })));
}

#[tokio::test]
async fn a_peer_that_dedupes_answers_a_repetition_with_the_first_answer() {
    let setup = Setup { dedupes: true, ..Setup::default() };
    let peer = Peer::with(setup, None).unwrap();
    peer.script(vec![Act::status(201, "", "first"), Act::status(201, "", "second")]);
    let endpoint = endpoint(&peer);
    let request = Request { key: Some("k".to_owned()), ..post("x") };
    assert_eq!(answer(&endpoint.call(&request).await), (201, "first".to_owned()));
    assert_eq!(answer(&endpoint.call(&request).await), (201, "first".to_owned()));
    let effects = peer.arrivals().iter().filter(|arrival| arrival.effect).count();
    assert_eq!((peer.arrivals().len(), effects), (2, 1));
}

/// No variable of the environment, such as `HTTP_PROXY`, changes where a call goes: nothing here reads one.
#[test]
fn the_environment_is_not_read() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let reads = ["env::", "var("].concat();
                assert!(!text.contains(&reads), "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20);
}

#[tokio::test]
async fn who_tries_an_endpoint_out_is_told_each_step_over_a_new_connection() {
    let peer = Peer::start();
    let endpoint = endpoint(&peer);
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    assert_eq!(endpoint.idle(), 1, "one is kept");
    let (outcome, steps) = endpoint.try_out(&get()).await;
    assert_eq!(answer(&outcome).0, 200);
    let did: Vec<Did> = steps.iter().map(|step| step.did.clone()).collect();
    let here = vec!["127.0.0.1".parse().unwrap()];
    assert_eq!(did, [Did::Addresses(here.clone()), Did::Connected(peer.address()), Did::Answer(200)]);
    assert!(steps.is_sorted_by_key(|step| step.after), "{steps:?}");
    let arrivals = peer.arrivals();
    assert_ne!(arrivals[0].connection, arrivals[1].connection);
    let mut target = target("http://peer.test:1/");
    target.limits.connect = Duration::from_secs(2);
    let (outcome, steps) = connector().endpoint(target).unwrap().try_out(&get()).await;
    assert_eq!(not_sent(&outcome), "connect");
    assert_eq!(steps.into_iter().map(|step| step.did).collect::<Vec<_>>(), [Did::Addresses(here)]);
    endpoint.pause();
    let (outcome, steps) = endpoint.try_out(&get()).await;
    assert_eq!((not_sent(&outcome), steps.len()), ("paused", 0), "nothing is even looked up");
}
