//! How a call proves who it is from. The values are the host's; a plug-in never sees one.

mod oauth;
mod sigv4;

use std::sync::Arc;
use std::time::SystemTime;

use data_encoding::BASE64;
use http::{HeaderName, HeaderValue, header};
use tokio::time::Instant;

pub use oauth::{ClientAuth, Grant, OAuth, StoreToken, Storing};
pub use sigv4::SigV4;

use crate::channel::{Channel, Draft};
use crate::headers::check_value;
use crate::outcome::NotSent;
use crate::secret::{Needles, Secret};

/// The credentials of one endpoint, with their values. It has no `Debug`.
pub enum Credentials {
    /// None.
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// A header of the peer's choice.
    Header {
        /// Its name.
        name: String,
        /// Its whole value.
        value: Secret,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The user, without a colon.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A part of the query, for peers that know nothing better: it stands in their logs.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// An access token, fetched and renewed by the host.
    OAuth(OAuth),
    /// AWS Signature Version 4.
    SigV4(SigV4),
}

/// Headers that a header credential can't be: they say where a request goes and how long it is.
const NO_CREDENTIAL: &[&str] =
    &["host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect"];

impl Credentials {
    /// Can they be sent as they are?
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        const SECRET: &str =
            "the secret isn't one line of visible ASCII: it may end in a line break; set it again without";
        let secret = |secret: &Secret| if secret.fits_a_header() { Ok(()) } else { Err(SECRET) };
        match self {
            Credentials::None => Ok(()),
            Credentials::Bearer(value) => secret(value),
            Credentials::Header { name, value } => {
                let known = HeaderName::from_bytes(name.as_bytes());
                let known = known.map_err(|_| "the credential's header is no header name")?;
                if NO_CREDENTIAL.contains(&known.as_str()) || known.as_str().starts_with("proxy-") {
                    return Err("the credential's header is one that the connection needs");
                }
                secret(value)
            }
            Credentials::Basic { user, password } => {
                if user.contains(':') || check_value(user).is_none() {
                    return Err("the user has a colon, or isn't one line of ASCII");
                }
                secret(password)
            }
            Credentials::Query { name, value } => {
                if name.is_empty() || name.chars().any(char::is_control) {
                    return Err("the credential's query name is empty or has a control character");
                }
                secret(value)
            }
            Credentials::OAuth(oauth) => oauth.check(),
            Credentials::SigV4(keys) => keys.check(),
        }
    }

    /// The spellings of their values.
    pub(crate) fn needles(&self) -> Needles {
        match self {
            Credentials::None => Needles::default(),
            Credentials::Bearer(value)
            | Credentials::Header { value, .. }
            | Credentials::Query { value, .. } => Needles::of([value]),
            Credentials::Basic { password, .. } => Needles::of([password]),
            Credentials::OAuth(oauth) => oauth.needles(),
            Credentials::SigV4(keys) => {
                Needles::of([&keys.secret_key].into_iter().chain(&keys.session_token))
            }
        }
    }

    fn put_on(&self, draft: &mut Draft, now: SystemTime) -> Result<(), NotSent> {
        match self {
            // A token is fetched: `Prepared::Tokens`.
            Credentials::None | Credentials::OAuth(_) => Ok(()),
            Credentials::Bearer(value) => authorize(draft, &format!("Bearer {}", value.expose())),
            Credentials::Basic { user, password } => {
                let pair = BASE64.encode(format!("{user}:{}", password.expose()).as_bytes());
                authorize(draft, &format!("Basic {pair}"))
            }
            Credentials::Header { name, value } => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| NotSent::Credential("its header is no header name"))?;
                draft.headers.insert(name, sensitive(value.expose())?);
                Ok(())
            }
            Credentials::Query { name, value } => {
                draft.place.add_query(name, value.expose());
                let fits = draft.place.as_str().len() <= crate::base::URL_MAX;
                if fits { Ok(()) } else { Err(NotSent::Place(crate::base::BadPlace::Long)) }
            }
            Credentials::SigV4(keys) => keys.sign(draft, now),
        }
    }

    /// Ready to be applied. `tokens` is the way to the authorization server.
    pub(crate) fn prepare(self, tokens: Option<&Arc<Channel>>) -> Prepared {
        match (self, tokens) {
            (Credentials::OAuth(oauth), Some(channel)) => {
                Prepared::Tokens(Arc::new(oauth::Tokens::new(oauth, Arc::clone(channel))))
            }
            (credentials, _) => Prepared::Fixed(Box::new(credentials)),
        }
    }
}

/// Credentials in use.
pub(crate) enum Prepared {
    Fixed(Box<Credentials>),
    Tokens(Arc<oauth::Tokens>),
}

/// A request with its credentials.
pub(crate) struct Applied {
    pub(crate) draft: Draft,
    /// The access token that was used, if one was fetched.
    pub(crate) token: Option<Secret>,
}

impl Prepared {
    /// Puts the credentials on a request. Only a missing access token needs the network.
    pub(crate) async fn apply(
        &self,
        mut draft: Draft,
        deadline: Instant,
        now: SystemTime,
    ) -> Result<Applied, NotSent> {
        let mut token = None;
        match self {
            Prepared::Fixed(credentials) => credentials.put_on(&mut draft, now)?,
            Prepared::Tokens(tokens) => {
                let access = tokens.access(deadline).await?;
                authorize(&mut draft, &format!("Bearer {}", access.expose()))?;
                token = Some(access);
            }
        }
        Ok(Applied { draft, token })
    }

    /// Tells what the peer made of an access token.
    pub(crate) fn answered(&self, token: &Secret, unauthorized: bool) {
        if let Prepared::Tokens(tokens) = self
            && unauthorized
        {
            tokens.refused(token);
        }
    }

    /// The spellings of tokens that were fetched.
    pub(crate) fn tokens(&self) -> Needles {
        match self {
            Prepared::Fixed(_) => Needles::default(),
            Prepared::Tokens(tokens) => tokens.needles(),
        }
    }
}

fn authorize(draft: &mut Draft, value: &str) -> Result<(), NotSent> {
    draft.headers.insert(header::AUTHORIZATION, sensitive(value)?);
    Ok(())
}

/// A header's value that hyper and others print as `Sensitive`.
fn sensitive(value: &str) -> Result<HeaderValue, NotSent> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| NotSent::Credential("it isn't one line of visible ASCII"))?;
    value.set_sensitive(true);
    Ok(value)
}
