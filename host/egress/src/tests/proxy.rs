//! An explicit proxy: a tunnel for https, absolute requests for http.

use std::sync::Arc;

use samsyn_testkit::peer::{Act, Answer, Authority, Peer, Setup};

use super::support::*;
use crate::address::Networks;
use crate::base::Base;
use crate::secret::{NoScrub, Secret};
use crate::target::{Lookup, Proxy, Trust};
use crate::{BadTarget, Connector, NotSent, Outcome, Target};

fn through(proxy: &Peer, mut target: Target) -> Target {
    target.proxy = Some(Proxy {
        base: Base::parse(&proxy.url()).unwrap(),
        networks: loopback(),
        login: Some(("samsyn".to_owned(), Secret::new("proxy-pass-1".to_owned()))),
        lookup: Lookup::Host,
    });
    target
}

fn tunnel(peer: &Peer) -> Act {
    Act { answer: Answer::Tunnel(peer.address()), ..Act::default() }
}

/// `samsyn:proxy-pass-1` in base64.
const LOGIN: &str = "Basic c2Ftc3luOnByb3h5LXBhc3MtMQ==";

#[tokio::test]
async fn https_goes_through_a_tunnel_to_the_checked_address() {
    let authority = Authority::new();
    let certificate = Some(authority.certificate(&["peer.test"], false, None));
    let peer = Peer::with(Setup { certificate, ..Setup::default() }, None).unwrap();
    let proxy = Peer::start();
    proxy.always(tunnel(&peer));
    let mut target = through(&proxy, target(&url(&peer)));
    target.trust = Trust::Own(authority.pem());
    let endpoint = connector().endpoint(target).unwrap();
    for _ in 0..3 {
        assert_eq!(answer(&endpoint.call(&post("x")).await).0, 200);
    }
    let asked = proxy.arrivals();
    assert_eq!(asked.len(), 1, "the tunnel is kept");
    assert_eq!(
        (asked[0].method.as_str(), asked[0].target.as_str()),
        ("CONNECT", peer.address().to_string().as_str())
    );
    assert_eq!(asked[0].header("proxy-authorization"), Some(LOGIN));
    let arrived = peer.arrivals();
    assert!(arrived.iter().all(|arrival| arrival.header("proxy-authorization").is_none()));
    assert!(arrived[0].header("host").unwrap().starts_with("peer.test:"));
}

#[tokio::test]
async fn http_is_asked_of_the_proxy_in_absolute_form() {
    let proxy = Peer::start();
    let endpoint = connector().endpoint(through(&proxy, target("http://peer.test:81/v1/"))).unwrap();
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    let arrival = &proxy.arrivals()[0];
    assert_eq!(arrival.target, "http://peer.test:81/v1/things/1");
    assert_eq!(arrival.header("host"), Some("peer.test:81"));
    assert_eq!(arrival.header("proxy-authorization"), Some(LOGIN));
}

#[tokio::test]
async fn both_ends_are_checked() {
    let proxy = Peer::start();
    // The proxy is where it may not be.
    let mut target_ = through(&proxy, target("https://peer.test/"));
    target_.trust = Trust::Own(Authority::new().pem());
    target_.proxy.as_mut().unwrap().networks = Networks::default();
    assert_eq!(not_sent(&connector().endpoint(target_).unwrap().call(&get()).await), "address");
    // What is behind it may not be reached.
    for scheme in ["http", "https"] {
        let names = Names::new(&[("inside.test", &[&["10.0.0.1"]])]);
        let connector = Connector::new(names, Arc::new(NoScrub));
        let mut target = through(&proxy, target(&format!("{scheme}://inside.test/")));
        target.trust = Trust::Own(Authority::new().pem());
        assert_eq!(not_sent(&connector.endpoint(target).unwrap().call(&get()).await), "address", "{scheme}");
    }
    // A literal is checked even where the proxy looks names up.
    let mut literal = through(&proxy, target("http://169.254.169.254/"));
    literal.proxy.as_mut().unwrap().lookup = Lookup::Proxy;
    assert_eq!(not_sent(&connector().endpoint(literal).unwrap().call(&get()).await), "address");
    assert_eq!(proxy.connections(), 0);
    // There a name goes to it as it is.
    let mut named = through(&proxy, target("https://only-the-proxy-knows.test/"));
    named.trust = Trust::Own(Authority::new().pem());
    named.proxy.as_mut().unwrap().lookup = Lookup::Proxy;
    proxy.always(Act::status(502, "", ""));
    assert_eq!(not_sent(&connector().endpoint(named).unwrap().call(&get()).await), "proxy");
    assert_eq!(proxy.arrivals()[0].target, "only-the-proxy-knows.test:443");
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel() {
    let proxy = Peer::start();
    let mut target = through(&proxy, target("https://peer.test/"));
    target.trust = Trust::Own(Authority::new().pem());
    target.limits.connect = std::time::Duration::from_millis(300);
    let endpoint = connector().endpoint(target).unwrap();
    for (act, said) in [
        (Act::status(407, "", ""), "login (407)"),
        (Act::status(403, "", ""), "answered 403"),
        (Act::redirect("http://evil.example/"), "answered 302"),
        (Act { closes: true, ..Act::bytes("") }, "closed"),
        (Act { closes: true, ..Act::bytes("nonsense\r\n\r\n") }, "no HTTP"),
        (Act { closes: true, ..Act::bytes("HTTP/1.1 200 OK\r\n\r\nsmuggled") }, "before TLS"),
        (Act::endless("HTTP/1.1 200 OK\r\n", "x: y\r\n"), "no end"),
        (Act::never(), "too long"),
    ] {
        proxy.always(act.clone());
        let outcome = endpoint.call(&post("x")).await;
        let Outcome::NotSent(NotSent::Proxy(why)) = &outcome else { panic!("{act:?}: {outcome:?}") };
        assert!(why.contains(said), "{why}");
        assert!(!format!("{outcome:?}").contains("proxy-pass-1"));
    }
}

#[tokio::test]
async fn a_proxy_that_makes_no_sense_is_refused() {
    let proxy = Peer::start();
    let bad = |change: fn(&mut Proxy)| {
        let mut target = through(&proxy, target("http://peer.test/"));
        change(target.proxy.as_mut().unwrap());
        assert!(matches!(connector().endpoint(target), Err(BadTarget::Other(_))));
    };
    bad(|proxy| proxy.base = Base::parse("https://proxy.test/").unwrap());
    bad(|proxy| proxy.login = Some(("a:b".to_owned(), Secret::new("x".to_owned()))));
    bad(|proxy| proxy.login = Some(("a".to_owned(), Secret::new("x\r\nHost: y".to_owned()))));
}
