//! Certificates: the right one, and all others.

use samsyn_testkit::peer::{Act, Authority, Cut, Peer, Setup};

use super::support::*;
use crate::secret::Secret;
use crate::target::{ClientCertificate, Trust};
use crate::tls::BadTls;
use crate::{BadTarget, Outcome};

fn peer(certificate: samsyn_testkit::peer::Certificate) -> Peer {
    Peer::with(Setup { certificate: Some(certificate), ..Setup::default() }, None).unwrap()
}

fn trusting(peer: &Peer, authority: &Authority) -> crate::Target {
    let mut target = target(&url(peer));
    target.trust = Trust::Own(authority.pem());
    target
}

#[tokio::test]
async fn the_right_certificate_is_taken_and_the_connection_kept() {
    let authority = Authority::new();
    let peer = peer(authority.certificate(&["peer.test"], false, None));
    let endpoint = connector().endpoint(trusting(&peer, &authority)).unwrap();
    for number in 0..5 {
        assert_eq!(answer(&endpoint.call(&post(&number.to_string())).await).0, 200);
    }
    assert_eq!((peer.connections(), peer.arrivals().len()), (1, 5));
}

#[tokio::test]
async fn no_request_leaves_to_a_wrong_certificate() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (name, certificate) in [
        ("another name", authority.certificate(&["other.test"], false, None)),
        ("the address instead of the name", authority.certificate(&["127.0.0.1"], false, None)),
        ("a wildcard above", authority.certificate(&["*.peer.test"], false, None)),
        ("an expired one", authority.certificate(&["peer.test"], true, None)),
        ("another authority's", other.certificate(&["peer.test"], false, None)),
    ] {
        let peer = peer(certificate);
        let outcome = connector().endpoint(trusting(&peer, &authority)).unwrap().call(&post("x")).await;
        assert_eq!(not_sent(&outcome), "tls", "{name}: {outcome:?}");
        assert!(peer.arrivals().iter().all(|arrival| arrival.bytes == 0), "{name}");
    }
    // The system's authorities don't know the test's.
    let peer = peer(authority.certificate(&["peer.test"], false, None));
    match connector().endpoint(target(&url(&peer))) {
        Ok(endpoint) => assert_eq!(not_sent(&endpoint.call(&get()).await), "tls"),
        Err(error) => assert_eq!(error, BadTarget::Tls(BadTls::NoSystemCa)),
    }
}

#[tokio::test]
async fn an_address_has_a_certificate_of_its_own() {
    let authority = Authority::new();
    let peer = peer(authority.certificate(&["127.0.0.1"], false, None));
    let mut target = trusting(&peer, &authority);
    target.base = crate::base::Base::parse(&peer.url()).unwrap();
    assert_eq!(answer(&connector().endpoint(target).unwrap().call(&get()).await).0, 200);
}

#[tokio::test]
async fn plain_where_tls_is_expected() {
    let peer = Peer::start();
    let authority = Authority::new();
    let mut target = target(&url(&peer).replace("http:", "https:"));
    target.trust = Trust::Own(authority.pem());
    target.limits.connect = std::time::Duration::from_millis(300);
    assert_eq!(not_sent(&connector().endpoint(target).unwrap().call(&post("x")).await), "tls");
    assert!(peer.arrivals().iter().all(|arrival| arrival.method != "POST"));
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let peer = peer(authority.certificate(&["peer.test"], false, Some(&clients)));
    let (chain, key) = clients.issue(&["samsyn.test"], false);
    let mut with = trusting(&peer, &authority);
    let certificate = ClientCertificate { chain: chain.into_bytes(), key: Secret::new(key) };
    with.client_certificate = Some(certificate.clone());
    assert_eq!(answer(&connector().endpoint(with).unwrap().call(&get()).await).0, 200);
    // Without it nothing arrives. In TLS 1.3 the refusal comes when bytes have already left.
    let without = connector().endpoint(trusting(&peer, &authority)).unwrap();
    let outcome = without.call(&post("x")).await;
    assert!(!matches!(outcome, Outcome::Response(_)), "{outcome:?}");
    assert_eq!(peer.arrivals().len(), 1);
    let (_, other) = clients.issue(&["samsyn.test"], false);
    let mut wrong = trusting(&peer, &authority);
    wrong.client_certificate = Some(ClientCertificate { key: Secret::new(other), ..certificate.clone() });
    assert!(matches!(connector().endpoint(wrong), Err(BadTarget::Tls(BadTls::Client(_)))));
    let mut garbage = trusting(&peer, &authority);
    garbage.client_certificate =
        Some(ClientCertificate { key: Secret::new("garbage".to_owned()), ..certificate });
    assert!(matches!(connector().endpoint(garbage), Err(BadTarget::Tls(BadTls::Client(_)))));
}

#[tokio::test]
async fn a_ca_file_that_holds_none_is_refused() {
    for pem in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut target = target("https://peer.test/");
        target.trust = Trust::Own(pem.as_bytes().to_vec());
        let refused = connector().endpoint(target);
        assert!(matches!(refused, Err(BadTarget::Tls(BadTls::Ca(_)))), "{pem}");
    }
}

/// Over TLS an answer that is told to end with its connection is complete only if the peer said that it ended.
#[tokio::test]
async fn an_end_that_was_not_said_is_a_cut() {
    let authority = Authority::new();
    let peer = peer(authority.certificate(&["peer.test"], false, None));
    let text = "HTTP/1.1 200 OK\r\n\r\nhello";
    let endpoint = connector().endpoint(trusting(&peer, &authority)).unwrap();
    peer.always(Act { closes: true, ..Act::bytes(text) });
    assert_eq!(answer(&endpoint.call(&get()).await), (200, "hello".to_owned()));
    peer.always(Act::bytes(text).cut_answer(text.len(), Cut::Close));
    let outcome = endpoint.call(&get()).await;
    assert_eq!(unknown(&outcome), "cut", "{outcome:?}");
}

#[tokio::test]
async fn cuts_over_tls_are_told_apart_as_well() {
    let authority = Authority::new();
    let peer = peer(authority.certificate(&["peer.test"], false, None));
    let endpoint = connector().endpoint(trusting(&peer, &authority)).unwrap();
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    for at in 0..text.len() {
        peer.always(Act::bytes(text).cut_answer(at, Cut::Close));
        let outcome = endpoint.call(&post("x")).await;
        assert_eq!(unknown(&outcome), "cut", "{at}: {outcome:?}");
    }
    for at in 1..60 {
        peer.always(Act::cut_request(at, Cut::Reset));
        let outcome = endpoint.call(&post("x")).await;
        assert_eq!(unknown(&outcome), "cut", "{at}: {outcome:?}");
    }
    // Kept, then closed by the peer: it is noticed, and nothing is lost.
    for number in 0..10 {
        peer.always(Act { closes: true, ..Act::ok() });
        let outcome = endpoint.call(&post(&number.to_string())).await;
        assert_eq!(answer(&outcome).0, 200, "{number}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}
