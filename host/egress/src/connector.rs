//! The public face: a connector makes endpoints, an endpoint makes calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use http::header::{ACCEPT_ENCODING, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::auth::{Applied, Credentials};
use crate::base::BadBase;
use crate::channel::{Channel, Draft, Shared};
use crate::exchange::{Ended, Raw};
use crate::headers::{HeaderRules, check_value};
use crate::outcome::{Answer, NotSent, Outcome, Unknown, UnknownWhy};
use crate::pool::Pool;
use crate::resolve::{Resolve, System};
use crate::secret::{Needles, Scrub};
use crate::steps::{Did, Step, Steps};
use crate::target::{ANSWER_MAX, Limits, Proxy, REQUEST_MAX, Request, Target};
use crate::tls::{self, BadTls};

/// How the host names itself.
const AGENT: &str = concat!("samsyn/", env!("CARGO_PKG_VERSION"));

/// Why a target can't be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// Its base or its proxy's.
    #[error(transparent)]
    Base(#[from] BadBase),
    /// Its certificates.
    #[error(transparent)]
    Tls(#[from] BadTls),
    /// Something else, and what to write instead.
    #[error("{0}")]
    Other(&'static str),
}

/// Makes endpoints. One for a host: it holds the resolver, the system's certificates and the switch for all calls.
pub struct Connector {
    shared: Arc<Shared>,
}

impl Connector {
    /// A connector with this resolver. `scrub` takes the host's secrets out of errors and answers.
    pub fn new(resolver: Arc<dyn Resolve>, scrub: Arc<dyn Scrub>) -> Connector {
        let (paused, roots) = (AtomicBool::new(false), Mutex::new(None));
        Connector { shared: Arc::new(Shared { resolver, scrub, now: SystemTime::now, paused, roots }) }
    }

    /// A connector with the system's resolver.
    pub fn system(scrub: Arc<dyn Scrub>) -> Connector {
        Connector::new(Arc::new(System), scrub)
    }

    /// From now on no call leaves, from any endpoint. It is asked before each connection and before each request;
    /// what is on the wire goes on.
    pub fn pause(&self) {
        self.shared.paused.store(true, Ordering::SeqCst);
    }

    /// Calls leave again.
    pub fn resume(&self) {
        self.shared.paused.store(false, Ordering::SeqCst);
    }

    /// An endpoint that can be called. When its binding, a secret or a rule changes, make another and
    /// [`close`](Endpoint::close) this one.
    pub fn endpoint(&self, target: Target) -> Result<Endpoint, BadTarget> {
        check(&target)?;
        let config = |base_is_tls: bool| {
            base_is_tls
                .then(|| {
                    tls::config(&target.trust, target.client_certificate.as_ref(), || self.shared.roots())
                })
                .transpose()
        };
        let channel = |base, tls| Channel {
            shared: Arc::clone(&self.shared),
            base,
            networks: target.networks.clone(),
            tls,
            proxy: target.proxy.clone(),
            limits: target.limits,
            pool: Pool::new(target.limits.idle_max, target.limits.idle),
            paused: AtomicBool::new(false),
        };
        let tokens = match &target.credentials {
            Credentials::OAuth(oauth) => {
                let tls = config(oauth.token_url.is_tls())?;
                Some(Arc::new(channel(oauth.token_url.clone(), tls)))
            }
            _ => None,
        };
        let channel = Arc::new(channel(target.base.clone(), config(target.base.is_tls())?));
        let key_header = target.key_header.as_deref().map(key_header).transpose()?;
        let mut needles = target.credentials.needles();
        if let Some((_, password)) = target.proxy.as_ref().and_then(|proxy| proxy.login.as_ref()) {
            needles.add(password.expose());
        }
        let (methods, headers) = (target.methods, target.headers);
        let credentials = target.credentials.prepare(tokens.as_ref());
        Ok(Endpoint { channel, tokens, methods, headers, key_header, credentials, needles })
    }
}

fn key_header(name: &str) -> Result<HeaderName, BadTarget> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| BadTarget::Other("the key's header is no header name"))
}

fn check(target: &Target) -> Result<(), BadTarget> {
    let Limits { answer_max, request_max, answer_head_max, .. } = target.limits;
    let other = |why| Err(BadTarget::Other(why));
    if target.methods.is_empty() {
        return other("no method is granted");
    }
    if target.methods.iter().any(|method| [Method::CONNECT, Method::TRACE].contains(method)) {
        return other("CONNECT and TRACE can't be granted");
    }
    if answer_max > ANSWER_MAX || request_max > REQUEST_MAX {
        return other("an answer has at most 1 MiB, a request at most 4 MiB");
    }
    if !(1024..=256 * 1024).contains(&answer_head_max) {
        return other("an answer's headers have 1 KiB to 256 KiB");
    }
    if let Some(Proxy { base, .. }) = &target.proxy
        && base.is_tls()
    {
        return other("a proxy is reached by http://; TLS goes through it to the endpoint");
    }
    if let Some((user, password)) = target.proxy.as_ref().and_then(|proxy| proxy.login.as_ref())
        && (user.contains(':') || check_value(user).is_none() || !password.fits_a_header())
    {
        return other("the proxy's login has a colon in its user, or isn't one line of ASCII");
    }
    if target.client_certificate.is_some() && !target.base.is_tls() {
        return other("a client certificate needs an https:// base");
    }
    target.credentials.check().map_err(BadTarget::Other)
}

/// One endpoint. Cheap to keep; calls may be made in parallel, and who makes them bounds how many.
pub struct Endpoint {
    channel: Arc<Channel>,
    tokens: Option<Arc<Channel>>,
    methods: Vec<Method>,
    headers: HeaderRules,
    key_header: Option<HeaderName>,
    credentials: crate::auth::Prepared,
    needles: Needles,
}

impl Endpoint {
    /// Makes one call: sends the request at most once, follows no redirect, decompresses nothing.
    ///
    /// The record that allows it must be durable before. A future that is dropped cuts its connection; what happened
    /// is then unknown.
    pub async fn call(&self, request: &Request) -> Outcome {
        self.call_and_watch(request, None).await
    }

    /// Makes one call over a new connection, whatever is kept, and says how far it came: for who tries it out.
    pub async fn try_out(&self, request: &Request) -> (Outcome, Vec<Step>) {
        let steps = Steps::begun();
        let outcome = self.call_and_watch(request, Some(&steps)).await;
        (outcome, steps.all())
    }

    async fn call_and_watch(&self, request: &Request, watched: Option<&Steps>) -> Outcome {
        let started = Instant::now();
        let deadline = started + self.channel.limits.whole;
        let outcome = match self.attempt(request, deadline, watched).await {
            Ended::NotSent(why) => Outcome::NotSent(why),
            Ended::Unknown(unknown) => Outcome::Unknown(unknown),
            Ended::Response(raw) => Outcome::Response(self.answer(raw, started)),
        };
        self.scrub(outcome)
    }

    async fn attempt(&self, request: &Request, deadline: Instant, watched: Option<&Steps>) -> Ended {
        let draft = match self.draft(request) {
            Ok(draft) => draft,
            Err(why) => return Ended::NotSent(why),
        };
        if self.channel.is_paused() {
            return Ended::NotSent(NotSent::Paused);
        }
        let Applied { draft, token } =
            match self.credentials.apply(draft, deadline, (self.channel.shared.now)()).await {
                Ok(applied) => applied,
                Err(why) => return Ended::NotSent(why),
            };
        let ended = match watched {
            None => self.channel.send(&draft, deadline).await,
            Some(steps) => {
                if token.is_some() {
                    steps.add(|| Did::Token);
                }
                self.channel.send_watched(&draft, deadline, steps).await
            }
        };
        if let (Ended::Response(raw), Some(token)) = (&ended, token) {
            self.credentials.answered(&token, raw.status == StatusCode::UNAUTHORIZED);
        }
        ended
    }

    /// Everything that can be refused without the network, in one place.
    fn draft(&self, request: &Request) -> Result<Draft, NotSent> {
        if !self.methods.contains(&request.method) {
            return Err(NotSent::Method(request.method.to_string()));
        }
        let place = self.channel.base.join(&request.path, &request.query)?;
        let mut headers = self.headers.check_all(&request.headers)?;
        let max = self.channel.limits.request_max;
        if request.body.len() > max {
            return Err(NotSent::Body(max));
        }
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(key) = &request.key {
            let name = self.key_header.clone().ok_or(NotSent::Key)?;
            let value = check_value(key).filter(|_| !key.is_empty()).ok_or(NotSent::Key)?;
            headers.insert(name, value);
        }
        Ok(Draft { method: request.method.clone(), place, headers, body: request.body.clone() })
    }

    fn answer(&self, raw: Raw, started: Instant) -> Answer {
        Answer {
            status: raw.status.as_u16(),
            headers: self.headers.answer(&raw.headers),
            body: raw.body,
            took: started.elapsed(),
        }
    }

    /// No secret leaves in what the peer or a library said.
    fn scrub(&self, outcome: Outcome) -> Outcome {
        let tokens = self.credentials.tokens();
        let bytes = |bytes: Vec<u8>| self.channel.shared.scrub.scrub(tokens.scrub(self.needles.scrub(bytes)));
        let text = |text: String| String::from_utf8_lossy(&bytes(text.into_bytes())).into_owned();
        match outcome {
            Outcome::NotSent(why) => Outcome::NotSent(match why {
                NotSent::Dns { name, why } => NotSent::Dns { name, why: text(why) },
                NotSent::Connect { to, why } => NotSent::Connect { to, why: text(why) },
                NotSent::Tls { to, why } => NotSent::Tls { to, why: text(why) },
                NotSent::Proxy(why) => NotSent::Proxy(text(why)),
                NotSent::Token { why, refused } => NotSent::Token { why: text(why), refused },
                NotSent::Closed(why) => NotSent::Closed(text(why)),
                NotSent::Header(_) | NotSent::Method(_) | NotSent::Place(_) | NotSent::Body(_) => why,
                NotSent::Paused | NotSent::Key | NotSent::Time | NotSent::Credential(_) => why,
                NotSent::Address { .. } => why,
            }),
            Outcome::Unknown(Unknown { why, status }) => {
                let why = match why {
                    UnknownWhy::Cut(why) => UnknownWhy::Cut(text(why)),
                    UnknownWhy::Malformed(why) => UnknownWhy::Malformed(text(why)),
                    why => why,
                };
                Outcome::Unknown(Unknown { why, status })
            }
            Outcome::Response(Answer { status, headers, body, took }) => {
                let headers = headers.into_iter().map(|(name, value)| (name, text(value))).collect();
                Outcome::Response(Answer { status, headers, body: bytes(body), took })
            }
        }
    }

    /// From now on no call of this endpoint leaves.
    pub fn pause(&self) {
        self.channels().for_each(|channel| channel.paused.store(true, Ordering::SeqCst));
    }

    /// Calls leave again.
    pub fn resume(&self) {
        self.channels().for_each(|channel| channel.paused.store(false, Ordering::SeqCst));
    }

    /// Closes its idle connections, and those under way when their call ends. Nothing leaves any more.
    pub fn close(&self) {
        self.pause();
        self.channels().for_each(|channel| channel.pool.close());
    }

    fn channels(&self) -> impl Iterator<Item = &Channel> {
        std::iter::once(self.channel.as_ref()).chain(self.tokens.as_deref())
    }

    /// How many connections wait for the next call.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.channel.pool.len()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.channels().for_each(|channel| channel.pool.close());
    }
}
