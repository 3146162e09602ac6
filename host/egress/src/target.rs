//! One endpoint as the connector needs it: plain values, with the secrets in it as they are sent.

use std::time::Duration;

use http::Method;

use crate::address::Networks;
use crate::auth::Credentials;
use crate::base::Base;
use crate::headers::HeaderRules;
use crate::secret::Secret;

/// Bytes of a request's body at most, whatever an endpoint grants.
pub const REQUEST_MAX: usize = 4 * 1024 * 1024;
/// Bytes of an answer's body at most, whatever an endpoint grants.
pub const ANSWER_MAX: usize = 1024 * 1024;

/// An endpoint, granted and bound. It has no `Debug`: it holds secrets.
pub struct Target {
    /// Where calls go.
    pub base: Base,
    /// Which methods are granted.
    pub methods: Vec<Method>,
    /// Which headers may be set and are handed on.
    pub headers: HeaderRules,
    /// Which networks it may reach. None: what is globally reachable.
    pub networks: Networks,
    /// How a call authenticates.
    pub credentials: Credentials,
    /// The header that carries the idempotency key, if the endpoint has one.
    pub key_header: Option<String>,
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// The certificate that the host shows.
    pub client_certificate: Option<ClientCertificate>,
    /// The proxy that stands before it.
    pub proxy: Option<Proxy>,
    /// What a call may take.
    pub limits: Limits,
}

/// What one call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until there is a connection, TLS included.
    pub connect: Duration,
    /// Until the answer is complete, the connection included.
    pub whole: Duration,
    /// Bytes of the answer's body.
    pub answer_max: usize,
    /// Bytes of the answer's status line and headers, interim answers included.
    pub answer_head_max: usize,
    /// Bytes of the request's body.
    pub request_max: usize,
    /// Connections that are kept open for the next call.
    pub idle_max: usize,
    /// How long one is kept. Many servers close after 5 s; shorter than that, a call seldom meets a closed one.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(10),
            whole: Duration::from_secs(30),
            answer_max: 64 * 1024,
            answer_head_max: 16 * 1024,
            request_max: 1024 * 1024,
            idle_max: 4,
            idle: Duration::from_secs(4),
        }
    }
}

/// Whose certificates an endpoint trusts.
#[derive(Clone, Default)]
pub enum Trust {
    /// The system's.
    #[default]
    System,
    /// Those of this PEM text alone.
    Own(Vec<u8>),
}

/// The certificate that the host shows to an endpoint.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The chain, PEM.
    pub chain: Vec<u8>,
    /// Its private key, PEM.
    pub key: Secret,
}

/// An HTTP proxy that stands before one endpoint.
#[derive(Clone)]
pub struct Proxy {
    /// Where it is: `http://proxy.example:3128`. A path means nothing.
    pub base: Base,
    /// Which networks it may be in. None: what is globally reachable.
    pub networks: Networks,
    /// User and password, if it wants them.
    pub login: Option<(String, Secret)>,
    /// Who looks up the endpoint's name.
    pub lookup: Lookup,
}

/// Who looks up the name of an endpoint behind a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lookup {
    /// The host, which checks every address. A tunnel is asked for by the checked address, so that the proxy can't
    /// reach another. Plain HTTP goes by name: there the proxy looks it up once more, and its own rules decide.
    #[default]
    Host,
    /// The proxy. The host checks literals alone: for networks where only the proxy can resolve names.
    Proxy,
}

/// One request of a plug-in, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the base.
    pub path: String,
    /// The query, in its order.
    pub query: Vec<(String, String)>,
    /// Headers that the plug-in set.
    pub headers: Vec<(String, String)>,
    /// The body. Empty is none for methods that need none.
    pub body: bytes::Bytes,
    /// The idempotency key, sent in the endpoint's key header.
    pub key: Option<String>,
}

impl Request {
    /// A request without query, headers, body and key.
    pub fn new(method: Method, path: &str) -> Request {
        Request {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            key: None,
        }
    }
}
