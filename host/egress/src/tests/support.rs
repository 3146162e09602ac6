//! A connector whose names are the test's own, and targets that lead to a peer.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use parking_lot::Mutex;
use samsyn_testkit::peer::Peer;

use crate::address::Networks;
use crate::auth::Credentials;
use crate::base::Base;
use crate::headers::HeaderRules;
use crate::resolve::{Looking, Resolve};
use crate::secret::NoScrub;
use crate::target::{Limits, Request, Target, Trust};
use crate::{Connector, Endpoint, Outcome};

/// A resolver that may change its mind: each look-up takes the next of a name's answers, and the last one stays.
#[derive(Default)]
pub struct Names {
    answers: Mutex<BTreeMap<String, VecDeque<Vec<IpAddr>>>>,
    pub asked: Mutex<Vec<String>>,
}

impl Names {
    pub fn new(names: &[(&str, &[&[&str]])]) -> Arc<Names> {
        let answer = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let row =
            |(name, answers): &(&str, &[&[&str]])| ((*name).to_owned(), answers.iter().map(answer).collect());
        Arc::new(Names { answers: Mutex::new(names.iter().map(row).collect()), asked: Mutex::default() })
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, name: &'a str) -> Looking<'a> {
        self.asked.lock().push(name.to_owned());
        let mut answers = self.answers.lock();
        let found = answers
            .get_mut(name)
            .map(|answers| if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() });
        Box::pin(async move { found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name")) })
    }
}

/// `peer.test` is this machine.
pub fn names() -> Arc<Names> {
    Names::new(&[("peer.test", &[&["127.0.0.1"]])])
}

pub fn connector() -> Connector {
    Connector::new(names(), Arc::new(NoScrub))
}

pub fn loopback() -> Networks {
    Networks::parse(&["127.0.0.0/8", "::1/128"]).unwrap()
}

pub fn methods() -> Vec<Method> {
    vec![Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
}

/// The peer by its name.
pub fn url(peer: &Peer) -> String {
    peer.url().replace("127.0.0.1", "peer.test")
}

pub fn target(url: &str) -> Target {
    Target {
        base: Base::parse(url).unwrap(),
        methods: methods(),
        headers: HeaderRules::default(),
        networks: loopback(),
        credentials: Credentials::None,
        key_header: Some("Idempotency-Key".to_owned()),
        trust: Trust::System,
        client_certificate: None,
        proxy: None,
        limits: Limits {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(10),
            ..Limits::default()
        },
    }
}

/// An endpoint that leads to this peer.
pub fn endpoint(peer: &Peer) -> Endpoint {
    connector().endpoint(target(&url(peer))).unwrap()
}

/// An endpoint whose calls may take so long.
pub fn within(peer: &Peer, whole: Duration) -> Endpoint {
    let mut target = target(&url(peer));
    target.limits.whole = whole;
    connector().endpoint(target).unwrap()
}

pub fn get() -> Request {
    Request::new(Method::GET, "things/1")
}

pub fn post(body: &str) -> Request {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    Request { body: body.to_owned().into(), headers, ..Request::new(Method::POST, "things") }
}

/// The status and body of an answer.
#[track_caller]
pub fn answer(outcome: &Outcome) -> (u16, String) {
    match outcome {
        Outcome::Response(answer) => (answer.status, String::from_utf8_lossy(&answer.body).into_owned()),
        other => panic!("no answer: {other:?}"),
    }
}

/// The code of what was not sent.
#[track_caller]
pub fn not_sent(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::NotSent(why) => why.code(),
        other => panic!("it was sent: {other:?}"),
    }
}

/// The code of what is unknown.
#[track_caller]
pub fn unknown(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unknown(unknown) => unknown.why.code(),
        other => panic!("it is known: {other:?}"),
    }
}
