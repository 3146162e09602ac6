//! OAuth 2 access tokens: the host's own calls to an authorization server (RFC 6749, 4.4 and 6).
//!
//! One request at a time fetches a token, whoever waits for it. It runs on even if nobody waits any more: a server
//! that rotates refresh tokens has used the old one up, and the new one must not be lost. A new refresh token is
//! stored before the access token that came with it is used.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use parking_lot::Mutex;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::sensitive;
use crate::base::Base;
use crate::channel::{Channel, Draft};
use crate::exchange::{Ended, Raw};
use crate::headers::check_value;
use crate::outcome::NotSent;
use crate::secret::{Needles, Secret};

/// How long a token is used if the server doesn't say.
const LIFE: Duration = Duration::from_secs(300);
/// How long a token is used at most, whatever the server says.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// So long before its end a token is renewed: a call takes that long to get there.
const MARGIN: Duration = Duration::from_secs(60);
/// A refused token is replaced at most so often: a peer that refuses every token mustn't make us fetch for each call.
const FORCED_MIN: Duration = Duration::from_secs(60);
/// Bytes of a token.
const TOKEN_MAX: usize = 16 * 1024;
/// What stands for itself in a form.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How access tokens are fetched. It has no `Debug`.
pub struct OAuth {
    /// The server's token endpoint. Its addresses are checked by the networks of the endpoint.
    pub token_url: Base,
    /// The client's name.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<Secret>,
    /// Where the client's name and secret stand.
    pub client_auth: ClientAuth,
    /// What is given for a token.
    pub grant: Grant,
    /// The scopes that are asked for, separated by spaces.
    pub scope: Option<String>,
    /// More parameters that a server wants, such as `audience`.
    pub parameters: Vec<(String, String)>,
}

/// Where the client authenticates (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// `Authorization: Basic`, which every server must know.
    #[default]
    Basic,
    /// In the body, for servers that know nothing else.
    Body,
}

/// What is given for an access token.
pub enum Grant {
    /// The client itself.
    ClientCredentials,
    /// A refresh token.
    Refresh {
        /// The newest one that was stored.
        token: Secret,
        /// Where a new one is stored.
        store: Arc<dyn StoreToken>,
    },
}

/// A store under way: nothing, or why it failed.
pub type Storing<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Keeps refresh tokens. Called once for each new one, before the access token that came with it is used; called
/// again with the same one if it failed.
pub trait StoreToken: Send + Sync {
    /// Returns when the token is durable.
    fn store<'a>(&'a self, refresh_token: &'a Secret) -> Storing<'a>;
}

impl OAuth {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let secret = self.client_secret.as_ref().is_none_or(Secret::fits_a_header);
        let refresh = match &self.grant {
            Grant::ClientCredentials => true,
            Grant::Refresh { token, .. } => !token.expose().chars().any(char::is_control),
        };
        if !secret || !refresh {
            return Err(
                "a secret of the client isn't one line of visible ASCII; set it again without line break",
            );
        }
        if check_value(&self.client_id).is_none() || self.client_id.is_empty() {
            return Err("the client id isn't one line of ASCII");
        }
        let own = ["grant_type", "client_id", "client_secret", "refresh_token", "scope"];
        if self.parameters.iter().any(|(name, _)| own.contains(&name.as_str())) {
            return Err("a parameter is one that the host sets");
        }
        Ok(())
    }

    pub(super) fn needles(&self) -> Needles {
        let mut needles = Needles::of(&self.client_secret);
        if let Grant::Refresh { token, .. } = &self.grant {
            needles.add(token.expose());
        }
        needles
    }
}

struct Access {
    token: Secret,
    until: Instant,
}

type Fetched = Option<Result<Secret, NotSent>>;

#[derive(Default)]
struct State {
    access: Option<Access>,
    /// The fetch under way.
    flight: Option<watch::Receiver<Fetched>>,
    /// The newest refresh token.
    refresh: Option<Secret>,
    /// It isn't stored yet.
    unstored: bool,
    /// When a refused token was dropped last.
    forced: Option<Instant>,
    /// Spellings of the tokens of late, so that an answer that repeats one is scrubbed.
    known: Needles,
    before: Needles,
}

/// The tokens of one endpoint.
pub(crate) struct Tokens {
    oauth: OAuth,
    channel: Arc<Channel>,
    state: Mutex<State>,
}

/// The server's answer (RFC 6749, 5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
}

/// Its refusal (5.2). The description may repeat what was sent; it isn't read.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Tokens {
    pub(super) fn new(oauth: OAuth, channel: Arc<Channel>) -> Tokens {
        let refresh = match &oauth.grant {
            Grant::ClientCredentials => None,
            Grant::Refresh { token, .. } => Some(token.clone()),
        };
        Tokens { oauth, channel, state: Mutex::new(State { refresh, ..State::default() }) }
    }

    /// A token that is valid for some time yet.
    pub(super) async fn access(self: &Arc<Self>, deadline: Instant) -> Result<Secret, NotSent> {
        let mut flight = {
            let mut state = self.state.lock();
            if let Some(access) = state.access.as_ref().filter(|access| Instant::now() < access.until) {
                return Ok(access.token.clone());
            }
            match &state.flight {
                Some(flight) => flight.clone(),
                None => {
                    let (landed, flight) = watch::channel(None);
                    state.flight = Some(flight.clone());
                    let tokens = Arc::clone(self);
                    tokio::spawn(async move {
                        let fetched = tokens.fetch().await;
                        tokens.state.lock().flight = None;
                        let _ = landed.send(Some(fetched));
                    });
                    flight
                }
            }
        };
        match timeout_at(deadline, flight.wait_for(Option::is_some)).await {
            Ok(Ok(fetched)) => fetched.clone().unwrap_or(Err(NotSent::Time)),
            Ok(Err(_)) => Err(token("the fetch ended without a result", false)),
            Err(_) => Err(NotSent::Time),
        }
    }

    /// The peer refused this token: the next call fetches another, unless one was just replaced for that reason.
    pub(super) fn refused(&self, used: &Secret) {
        let mut state = self.state.lock();
        let current = state.access.as_ref().is_some_and(|access| access.token.expose() == used.expose());
        let late = state.forced.is_none_or(|forced| forced + FORCED_MIN <= Instant::now());
        if current && late {
            state.access = None;
            state.forced = Some(Instant::now());
        }
    }

    pub(super) fn needles(&self) -> Needles {
        let state = self.state.lock();
        state.known.clone().and(&state.before)
    }

    async fn fetch(&self) -> Result<Secret, NotSent> {
        self.store().await?;
        let draft = self.draft()?;
        let deadline = Instant::now() + self.channel.limits.whole;
        let asked = Instant::now();
        let raw = match self.channel.send(&draft, deadline).await {
            Ended::Response(raw) => raw,
            Ended::NotSent(NotSent::Paused) => return Err(NotSent::Paused),
            Ended::NotSent(why) => return Err(token(&format!("the authorization server: {why}"), false)),
            Ended::Unknown(unknown) => {
                return Err(token(&format!("the authorization server: {unknown}"), false));
            }
        };
        let granted = read(&raw)?;
        let access = Secret::new(granted.access_token);
        let life = life(granted.expires_in.as_ref());
        {
            let mut state = self.state.lock();
            state.before = std::mem::take(&mut state.known);
            state.known.add(access.expose());
            if let Some(fresh) = granted.refresh_token.filter(|fresh| !fresh.is_empty()) {
                let fresh = Secret::new(fresh);
                state.known.add(fresh.expose());
                let changed = state.refresh.as_ref().is_none_or(|known| known.expose() != fresh.expose());
                if changed && matches!(self.oauth.grant, Grant::Refresh { .. }) {
                    state.refresh = Some(fresh);
                    state.unstored = true;
                }
            }
        }
        self.store().await?;
        // The margin is at most a tenth, so that a short life isn't all margin.
        let until = asked + life.saturating_sub(MARGIN.min(life / 10));
        self.state.lock().access = Some(Access { token: access.clone(), until });
        Ok(access)
    }

    /// Stores the newest refresh token, if it isn't yet.
    async fn store(&self) -> Result<(), NotSent> {
        let Grant::Refresh { store, .. } = &self.oauth.grant else { return Ok(()) };
        let unstored = {
            let state = self.state.lock();
            state.refresh.clone().filter(|_| state.unstored)
        };
        let Some(refresh) = unstored else { return Ok(()) };
        store
            .store(&refresh)
            .await
            .map_err(|why| token(&format!("the new refresh token can't be stored: {why}"), false))?;
        self.state.lock().unstored = false;
        Ok(())
    }

    fn draft(&self) -> Result<Draft, NotSent> {
        let oauth = &self.oauth;
        let mut form: Vec<(&str, &str)> = Vec::new();
        let refresh = self.state.lock().refresh.clone();
        match &refresh {
            None => form.push(("grant_type", "client_credentials")),
            Some(refresh) => {
                form.extend([("grant_type", "refresh_token"), ("refresh_token", refresh.expose())]);
            }
        }
        if let Some(scope) = &oauth.scope {
            form.push(("scope", scope));
        }
        form.extend(oauth.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        match (oauth.client_auth, &oauth.client_secret) {
            (ClientAuth::Basic, Some(secret)) => {
                // Both are form-encoded before they are joined.
                let pair = format!("{}:{}", encode(&oauth.client_id), encode(secret.expose()));
                headers
                    .insert(AUTHORIZATION, sensitive(&format!("Basic {}", BASE64.encode(pair.as_bytes())))?);
            }
            (ClientAuth::Body, Some(secret)) => {
                form.extend([("client_id", oauth.client_id.as_str()), ("client_secret", secret.expose())]);
            }
            (_, None) => form.push(("client_id", &oauth.client_id)),
        }
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let body = Bytes::from(body.join("&"));
        Ok(Draft { method: Method::POST, place: oauth.token_url.place(), headers, body })
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string()
}

fn token(why: &str, refused: bool) -> NotSent {
    NotSent::Token { why: why.to_owned(), refused }
}

fn read(raw: &Raw) -> Result<Granted, NotSent> {
    if !raw.status.is_success() {
        let status = raw.status.as_u16();
        let refusal: Option<Refusal> = serde_json::from_slice(&raw.body).ok();
        let plain =
            |text: &String| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let code = refusal.map(|refusal| refusal.error).filter(plain);
        let refused = matches!(status, 400 | 401 | 403) && code.as_deref() != Some("temporarily_unavailable");
        let why = code.map_or(String::new(), |code| format!(" ({code})"));
        return Err(token(&format!("the authorization server answered {status}{why}"), refused));
    }
    let granted: Granted = serde_json::from_slice(&raw.body)
        .map_err(|_| token("the authorization server's answer is no JSON with an access_token", false))?;
    let bearer = granted.token_type.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    if !bearer {
        return Err(token("the authorization server gave a token that isn't a bearer token", false));
    }
    let visible = |text: &str| text.bytes().all(|byte| (0x21..0x7F).contains(&byte));
    let access = &granted.access_token;
    if access.is_empty() || access.len() > TOKEN_MAX || !visible(access) {
        return Err(token("the access token is empty, too long or no text for a header", false));
    }
    if granted.refresh_token.as_ref().is_some_and(|refresh| refresh.len() > TOKEN_MAX) {
        return Err(token("the refresh token is too long", false));
    }
    Ok(granted)
}

/// Seconds as a number, or, as some servers have it, as a text.
fn life(expires_in: Option<&serde_json::Value>) -> Duration {
    let seconds = match expires_in {
        Some(serde_json::Value::Number(number)) => number.as_f64(),
        Some(serde_json::Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let seconds = seconds.filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0);
    seconds.map_or(LIFE, |seconds| Duration::from_secs_f64(seconds.min(LIFE_MAX.as_secs_f64())))
}
