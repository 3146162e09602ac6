//! How calls authenticate, what happens to tokens, and that no secret comes out again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::{BASE64, HEXLOWER};
use http::Method;
use parking_lot::Mutex;
use samsyn_testkit::peer::{Act, Arrival, Peer};

use super::support::*;
use crate::auth::{ClientAuth, Credentials, Grant, OAuth, SigV4, StoreToken, Storing};
use crate::base::Base;
use crate::secret::{Scrub, Secret};
use crate::target::Request;
use crate::{BadTarget, Endpoint, NotSent, Outcome};

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn authenticated(peer: &Peer, credentials: Credentials) -> Endpoint {
    let mut target = target(&url(peer));
    target.credentials = credentials;
    connector().endpoint(target).unwrap()
}

const CANARY: &str = "canary-7f3a9c/+=~x";

#[tokio::test]
async fn each_kind_puts_its_credential_where_it_belongs() {
    let peer = Peer::start();
    let last = || peer.arrivals().pop().unwrap();
    authenticated(&peer, Credentials::Bearer(secret("t-123456"))).call(&get()).await;
    assert_eq!(last().header("authorization"), Some("Bearer t-123456"));
    let basic = Credentials::Basic { user: "me".to_owned(), password: secret("pass:word") };
    authenticated(&peer, basic).call(&get()).await;
    assert_eq!(last().header("authorization"), Some("Basic bWU6cGFzczp3b3Jk"));
    let header = Credentials::Header { name: "X-Api-Key".to_owned(), value: secret("k-123456") };
    authenticated(&peer, header).call(&get()).await;
    assert_eq!(last().header("x-api-key"), Some("k-123456"));
    let query = || Credentials::Query { name: "api key".to_owned(), value: secret("k&123456") };
    authenticated(&peer, query()).call(&get()).await;
    assert_eq!(last().target, "/things/1?api%20key=k%26123456");
    let with_query = Request { query: vec![("a".to_owned(), "b".to_owned())], ..get() };
    authenticated(&peer, query()).call(&with_query).await;
    assert_eq!(last().target, "/things/1?a=b&api%20key=k%26123456");
    let keys = SigV4 {
        access_key: "AKIDEXAMPLE".to_owned(),
        secret_key: secret("wJalrXUtnFEMI"),
        session_token: Some(secret("session-1")),
        region: "eu-north-1".to_owned(),
        service: "ses".to_owned(),
    };
    authenticated(&peer, Credentials::SigV4(keys)).call(&post("x")).await;
    let arrival = last();
    let value = arrival.header("authorization").unwrap();
    assert!(
        value.contains(
            "/eu-north-1/ses/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,"
        ),
        "{value}"
    );
    assert_eq!(arrival.header("x-amz-security-token"), Some("session-1"));
}

#[tokio::test]
async fn a_plug_in_cannot_replace_a_credential() {
    let peer = Peer::start();
    let mut target = target(&url(&peer));
    target.credentials = Credentials::Header { name: "X-Api-Key".to_owned(), value: secret("k-123456") };
    let reserved = ["x-api-key".to_owned()];
    target.headers = crate::headers::HeaderRules::new(&[], &[], &reserved).unwrap();
    let endpoint = connector().endpoint(target).unwrap();
    let request = Request { headers: vec![("X-API-KEY".to_owned(), "mine".to_owned())], ..get() };
    assert_eq!(not_sent(&endpoint.call(&request).await), "refused.header");
}

#[test]
fn a_credential_that_cannot_be_sent_is_refused_without_being_told() {
    let all = |value: &str| {
        vec![
            Credentials::Bearer(secret(value)),
            Credentials::Header { name: "x-key".to_owned(), value: secret(value) },
            Credentials::Basic { user: "me".to_owned(), password: secret(value) },
            Credentials::Query { name: "key".to_owned(), value: secret(value) },
        ]
    };
    for value in ["s3cr3t-value\n", "s3cr3t-value\r\n", "s3cr3t-value\r\nHost: x", "s3cr3t-value\0", ""] {
        for credentials in all(value) {
            let mut target = target("http://peer.test/");
            target.credentials = credentials;
            let Err(BadTarget::Other(why)) = connector().endpoint(target) else {
                panic!("{value:?} was taken")
            };
            assert!(!why.contains("s3cr3t"));
        }
    }
    for name in ["Host", "Content-Length", "Transfer-Encoding", "Proxy-Authorization", "a b", ""] {
        let mut target = target("http://peer.test/");
        target.credentials = Credentials::Header { name: name.to_owned(), value: secret("x-123456") };
        assert!(connector().endpoint(target).is_err(), "{name}");
    }
}

/// A peer that repeats what it got, in every spelling: nothing of the secret comes back.
#[tokio::test]
async fn what_a_peer_repeats_is_scrubbed() {
    let peer = Peer::start();
    peer.judge(|arrival: &Arrival| {
        let got = format!("{:?} {}", arrival.headers, arrival.target);
        let body = format!(
            "{got} {CANARY} {} {}",
            BASE64.encode(CANARY.as_bytes()),
            HEXLOWER.encode(CANARY.as_bytes())
        );
        Act::status(200, &format!("etag: {CANARY}\r\nlocation: /x?k={CANARY}\r\n"), &body)
    });
    for credentials in [
        Credentials::Bearer(secret(CANARY)),
        Credentials::Basic { user: "me".to_owned(), password: secret(CANARY) },
        Credentials::Query { name: "key".to_owned(), value: secret(CANARY) },
        Credentials::Header { name: "x-key".to_owned(), value: secret(CANARY) },
    ] {
        let outcome = authenticated(&peer, credentials).call(&get()).await;
        let Outcome::Response(answer) = &outcome else { panic!("{outcome:?}") };
        let text = format!("{outcome:?} {}", String::from_utf8_lossy(&answer.body));
        assert!(text.contains("[secret]"));
        for spelling in
            [CANARY.to_owned(), BASE64.encode(CANARY.as_bytes()), HEXLOWER.encode(CANARY.as_bytes())]
                .into_iter()
                .chain([
                    BASE64.encode(format!("me:{CANARY}").as_bytes()),
                    "canary%2D7f3a9c".to_owned(),
                    "canary-7f3a9c%2F".to_owned(),
                ])
                .chain(["canary-7f3a9c".to_owned()])
        {
            assert!(!text.contains(&spelling), "{spelling} in {text}");
        }
    }
}

#[tokio::test]
async fn the_hosts_own_scrubber_is_applied_to_errors_and_answers() {
    struct Shout;
    impl Scrub for Shout {
        fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
            String::from_utf8_lossy(&bytes).replace("hush", "[scrubbed]").into_bytes()
        }
    }
    let peer = Peer::start();
    let connector = crate::Connector::new(names(), Arc::new(Shout));
    let endpoint = connector.endpoint(target(&url(&peer))).unwrap();
    peer.always(Act::status(200, "etag: hush\r\n", "hush hush"));
    let outcome = endpoint.call(&get()).await;
    let Outcome::Response(answer) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(
        (answer.body.as_slice(), answer.header("etag")),
        (&b"[scrubbed] [scrubbed]"[..], Some("[scrubbed]"))
    );
    let hush = Names::new(&[]);
    let connector = crate::Connector::new(hush, Arc::new(Shout));
    struct Says;
    impl crate::resolve::Resolve for Says {
        fn resolve<'a>(&'a self, _: &'a str) -> crate::resolve::Looking<'a> {
            Box::pin(async { Err(std::io::Error::other("hush")) })
        }
    }
    drop(connector);
    let connector = crate::Connector::new(Arc::new(Says), Arc::new(Shout));
    let outcome = connector.endpoint(target("http://peer.test/")).unwrap().call(&get()).await;
    let Outcome::NotSent(NotSent::Dns { why, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(why, "[scrubbed]");
}

/// Remembers what was stored, and may fail.
#[derive(Default)]
struct Store {
    stored: Mutex<Vec<String>>,
    fails: AtomicU64,
    /// How many calls had arrived at the peer when it stored.
    peer: Mutex<Option<Arc<Peer>>>,
    arrivals: Mutex<Vec<usize>>,
}

impl StoreToken for Store {
    fn store<'a>(&'a self, refresh_token: &'a Secret) -> Storing<'a> {
        Box::pin(async move {
            if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
            {
                return Err("the disk is full".to_owned());
            }
            let arrivals = self.peer.lock().as_ref().map_or(0, |peer| peer.arrivals().len());
            self.arrivals.lock().push(arrivals);
            self.stored.lock().push(refresh_token.expose().to_owned());
            Ok(())
        })
    }
}

fn oauth(server: &Peer, grant: Grant, client_auth: ClientAuth) -> Credentials {
    Credentials::OAuth(OAuth {
        token_url: Base::parse(&format!("{}token", url(server))).unwrap(),
        client_id: "the client".to_owned(),
        client_secret: Some(secret("client&secret")),
        client_auth,
        grant,
        scope: Some("a b".to_owned()),
        parameters: vec![("audience".to_owned(), "https://api/".to_owned())],
    })
}

fn token(text: &str, rest: &str) -> Act {
    Act::status(200, "", &format!(r#"{{"access_token":"{text}","token_type":"Bearer"{rest}}}"#))
}

#[tokio::test]
async fn a_token_is_fetched_once_and_used_until_it_ends() {
    let (peer, server) = (Peer::start(), Peer::start());
    server.script(vec![token("access-1", r#","expires_in":3600"#), token("access-2", "")]);
    let credentials = oauth(&server, Grant::ClientCredentials, ClientAuth::Basic);
    let endpoint = Arc::new(authenticated(&peer, credentials));
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let endpoint = Arc::clone(&endpoint);
            tokio::spawn(async move { endpoint.call(&get()).await })
        })
        .collect();
    for call in calls {
        assert_eq!(answer(&call.await.unwrap()).0, 200);
    }
    let asked = server.arrivals();
    assert_eq!(asked.len(), 1, "ten calls wait for one fetch");
    assert_eq!(asked[0].target, "/token");
    // "the%20client:client%26secret"
    assert_eq!(asked[0].header("authorization"), Some("Basic dGhlJTIwY2xpZW50OmNsaWVudCUyNnNlY3JldA=="));
    assert_eq!(asked[0].text(), "grant_type=client_credentials&scope=a%20b&audience=https%3A%2F%2Fapi%2F");
    let used = peer.arrivals();
    assert!(used.iter().all(|arrival| arrival.header("authorization") == Some("Bearer access-1")));
}

#[tokio::test]
async fn a_token_that_has_ended_is_renewed() {
    let (peer, server) = (Peer::start(), Peer::start());
    server.script((1..=3).map(|number| token(&format!("access-{number}"), r#","expires_in":0"#)).collect());
    let endpoint = authenticated(&peer, oauth(&server, Grant::ClientCredentials, ClientAuth::Body));
    for number in 1..=3 {
        assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
        let expected = format!("Bearer access-{number}");
        assert_eq!(peer.arrivals().last().unwrap().header("authorization"), Some(expected.as_str()));
    }
    assert!(server.arrivals()[0].text().ends_with("&client_id=the%20client&client_secret=client%26secret"));
}

#[tokio::test]
async fn a_401_forces_one_new_token_and_sends_nothing_again() {
    let (peer, server) = (Peer::start(), Peer::start());
    let number = AtomicU64::new(0);
    server.judge(move |_| token(&format!("access-{}", number.fetch_add(1, Ordering::SeqCst)), ""));
    peer.always(Act::status(401, "", ""));
    let endpoint = authenticated(&peer, oauth(&server, Grant::ClientCredentials, ClientAuth::Basic));
    for _ in 0..5 {
        assert_eq!(answer(&endpoint.call(&get()).await).0, 401);
    }
    assert_eq!(peer.arrivals().len(), 5, "each call is sent once");
    assert_eq!(server.arrivals().len(), 2, "one token, and one more: the peer refuses them all");
}

#[tokio::test]
async fn a_new_refresh_token_is_stored_before_the_access_token_is_used() {
    let (peer, server) = (Arc::new(Peer::start()), Peer::start());
    server.script(vec![
        token("access-1", r#","expires_in":0,"refresh_token":"refresh-2""#),
        token("access-2", r#","expires_in":0,"refresh_token":"refresh-2""#),
        token("access-3", r#","expires_in":"3600","refresh_token":"refresh-3""#),
    ]);
    let store = Arc::new(Store { peer: Mutex::new(Some(Arc::clone(&peer))), ..Store::default() });
    let grant =
        Grant::Refresh { token: secret("refresh-1"), store: Arc::clone(&store) as Arc<dyn StoreToken> };
    let endpoint = authenticated(&peer, oauth(&server, grant, ClientAuth::Basic));
    for _ in 0..4 {
        assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    }
    let sent: Vec<String> = server.arrivals().iter().map(|arrival| arrival.text()).collect();
    let with = |token: &str| {
        format!("grant_type=refresh_token&refresh_token={token}&scope=a%20b&audience=https%3A%2F%2Fapi%2F")
    };
    assert_eq!(sent, [with("refresh-1"), with("refresh-2"), with("refresh-2")]);
    assert_eq!(*store.stored.lock(), ["refresh-2", "refresh-3"]);
    assert_eq!(*store.arrivals.lock(), [0, 2], "before the call that uses what came with it");
}

#[tokio::test]
async fn a_refresh_token_that_cannot_be_stored_is_kept_and_stored_later() {
    let (peer, server) = (Peer::start(), Peer::start());
    server.script(vec![
        token("access-1", r#","refresh_token":"refresh-2""#),
        token("access-2", r#","refresh_token":"refresh-3""#),
    ]);
    let store = Arc::new(Store { fails: AtomicU64::new(2), ..Store::default() });
    let grant =
        Grant::Refresh { token: secret("refresh-1"), store: Arc::clone(&store) as Arc<dyn StoreToken> };
    let endpoint = authenticated(&peer, oauth(&server, grant, ClientAuth::Basic));
    for _ in 0..2 {
        let outcome = endpoint.call(&get()).await;
        let Outcome::NotSent(NotSent::Token { why, refused: false }) = outcome else { panic!("{outcome:?}") };
        assert!(why.contains("the disk is full"), "{why}");
    }
    assert_eq!(server.arrivals().len(), 1, "no new token is fetched while the last isn't safe");
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    assert_eq!(*store.stored.lock(), ["refresh-2", "refresh-3"]);
    assert_eq!(peer.arrivals().len(), 1);
}

/// The call's time is over, but the fetch goes on: its refresh token is used up at the server.
#[tokio::test]
async fn a_fetch_outlives_the_call_that_began_it() {
    let (peer, server) = (Peer::start(), Peer::start());
    server.always(token("access-1", r#","refresh_token":"refresh-2""#).held());
    let store = Arc::new(Store::default());
    let grant =
        Grant::Refresh { token: secret("refresh-1"), store: Arc::clone(&store) as Arc<dyn StoreToken> };
    let endpoint = authenticated(&peer, oauth(&server, grant, ClientAuth::Basic));
    let call = tokio::time::timeout(std::time::Duration::from_millis(60), endpoint.call(&get())).await;
    assert!(call.is_err());
    while server.arrivals().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    server.release();
    assert_eq!(answer(&endpoint.call(&get()).await).0, 200);
    assert_eq!((server.arrivals().len(), store.stored.lock().len()), (1, 1));
}

#[tokio::test]
async fn a_server_that_gives_no_token() {
    let (peer, server) = (Peer::start(), Peer::start());
    let endpoint = authenticated(&peer, oauth(&server, Grant::ClientCredentials, ClientAuth::Basic));
    let big = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(20_000));
    for (act, said, is_refused) in [
        (
            Act::status(400, "", r#"{"error":"invalid_client","error_description":"client&secret"}"#),
            "400 (invalid_client)",
            true,
        ),
        (Act::status(401, "", "client&secret"), "answered 401", true),
        (Act::status(400, "", r#"{"error":"Very\r\nOdd"}"#), "answered 400", true),
        (Act::status(400, "", r#"{"error":"temporarily_unavailable"}"#), "temporarily_unavailable", false),
        (Act::status(503, "", ""), "answered 503", false),
        (Act::redirect("http://evil.example/token"), "answered 302", false),
        (Act::status(200, "", "no json"), "no JSON", false),
        (Act::status(200, "", r#"{"token":"x"}"#), "no JSON", false),
        (Act::status(200, "", r#"{"access_token":""}"#), "empty", false),
        (Act::status(200, "", r#"{"access_token":"a\r\nb"}"#), "no text for a header", false),
        (Act::status(200, "", &big), "too long", false),
        (token("x-123456", r#","token_type":"mac""#), "no JSON", false),
        (Act::status(200, "", r#"{"access_token":"x","token_type":"mac"}"#), "isn't a bearer", false),
        (
            Act { closes: true, ..Act::bytes("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n") },
            "authorization server",
            false,
        ),
        (Act::endless("HTTP/1.1 200 OK\r\n\r\n", "x"), "larger than", false),
    ] {
        server.always(act.clone());
        let outcome = endpoint.call(&post("x")).await;
        let Outcome::NotSent(NotSent::Token { why, refused }) = &outcome else {
            panic!("{act:?}: {outcome:?}")
        };
        assert!(why.contains(said), "{why}");
        assert_eq!(*refused, is_refused, "{why}");
        assert!(!why.contains("client&secret"), "{why}");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn the_servers_addresses_are_checked_like_the_endpoints() {
    let peer = Peer::start();
    let names = Names::new(&[("peer.test", &[&["127.0.0.1"]]), ("login.test", &[&["10.0.0.1"]])]);
    let mut target = target(&url(&peer));
    target.credentials = Credentials::OAuth(OAuth {
        token_url: Base::parse("http://login.test/token").unwrap(),
        client_id: "me".to_owned(),
        client_secret: None,
        client_auth: ClientAuth::Basic,
        grant: Grant::ClientCredentials,
        scope: None,
        parameters: Vec::new(),
    });
    let connector = crate::Connector::new(names, Arc::new(crate::secret::NoScrub));
    let outcome = connector.endpoint(target).unwrap().call(&get()).await;
    let Outcome::NotSent(NotSent::Token { why, .. }) = &outcome else { panic!("{outcome:?}") };
    assert!(why.contains("10.0.0.1"), "{why}");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn tokens_that_a_peer_repeats_are_scrubbed() {
    let (peer, server) = (Peer::start(), Peer::start());
    server.always(token("access-canary-1", r#","refresh_token":"refresh-canary-1""#));
    peer.judge(|arrival: &Arrival| {
        Act::status(200, "", &format!("{:?} refresh-canary-1", arrival.header("authorization")))
    });
    let endpoint = authenticated(&peer, oauth(&server, Grant::ClientCredentials, ClientAuth::Basic));
    let text = answer(&endpoint.call(&Request::new(Method::GET, "x")).await).1;
    assert!(!text.contains("canary") && text.contains("[secret]"), "{text}");
}
