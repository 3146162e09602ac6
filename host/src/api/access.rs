//! Who may call: one admin token, of which the host keeps only the hash.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rand::TryRng;
use rand::rngs::SysRng;

use super::ApiState;
use super::base64url;
use super::problem::{Answer, Kind, Problem};
use crate::vocabulary::{Application, Digest};

/// What every token starts with, so that a scanner for leaked secrets can find it.
const PREFIX: &str = "samsyn_";
/// Random bytes of a token: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;
/// Their length as base64url.
const SECRET_CHARS: usize = 43;
/// The checksum's length as base64url: a mistyped token is told apart without the registry.
const CHECK_CHARS: usize = 6;
/// For whom an admin token acts when the call doesn't say.
const DEFAULT_APPLICATION: &str = "admin";
/// The header that says it.
pub const APPLICATION_HEADER: &str = "samsyn-application";

/// Paths that anybody may call: they tell nothing about a customer.
const OPEN_PATHS: [&str; 4] = ["/healthz", "/readyz", "/errors", "/openapi.json"];

/// Whether a path needs no token.
pub fn is_open(path: &str) -> bool {
    OPEN_PATHS.contains(&path)
}

/// An admin token: `samsyn_`, 256 random bits and a checksum. Never logged, never stored.
pub struct Token(String);

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error(
    "the operating system gave no random bytes for a token: {0}; see to its entropy source, then start again"
)]
pub struct TokenError(rand::rngs::SysError);

impl Token {
    /// A new token from the operating system's randomness.
    pub fn generate() -> Result<Token, TokenError> {
        let mut secret = [0; SECRET_BYTES];
        SysRng.try_fill_bytes(&mut secret).map_err(TokenError)?;
        let secret = base64url::encode(&secret);
        Ok(Token(format!("{PREFIX}{secret}{}", checksum(&secret))))
    }

    /// Reads a token; `None` when it can't be one.
    pub fn parse(text: &str) -> Option<Token> {
        let rest = text.strip_prefix(PREFIX)?;
        if rest.len() != SECRET_CHARS + CHECK_CHARS || !rest.is_ascii() {
            return None;
        }
        let (secret, check) = rest.split_at(SECRET_CHARS);
        let whole = base64url::decode(secret)?.len() == SECRET_BYTES;
        (whole && check == checksum(secret)).then(|| Token(text.to_owned()))
    }

    /// The token, to be printed once.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the registry keeps of it. A fast hash will do: 256 random bits can't be guessed.
    pub fn hash(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

fn checksum(secret: &str) -> String {
    base64url::encode(&crc32fast::hash(secret.as_bytes()).to_be_bytes())
}

/// Lets a request through that is allowed, and tells the handlers for which application it acts.
pub async fn check(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    if !is_open(request.uri().path()) {
        let valid = state.engine.registry().admin_token;
        let admitted = authorize(request.headers(), valid).and_then(|()| application(request.headers()));
        match admitted {
            Ok(application) => request.extensions_mut().insert(Caller(application)),
            Err(problem) => {
                super::body::discard(request).await;
                return problem.into_response();
            }
        };
    }
    next.run(request).await
}

/// The application a call acts for; there on every path that needs a token.
#[derive(Clone, Debug)]
pub struct Caller(pub Application);

/// Compares the hash of what was sent with the hash that is valid, in constant time.
fn authorize(headers: &HeaderMap, valid: Option<Digest>) -> Answer<()> {
    let unauthorized = |detail: &str| Err(Problem::new(Kind::Unauthorized, detail));
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(sent), None) = (sent.next(), sent.next()) else {
        return unauthorized("the call has no `Authorization` header, or more than one");
    };
    // RFC 9110: the scheme's case doesn't count.
    let token = sent.to_str().ok().and_then(|sent| sent.split_once(' '));
    let Some((_, token)) = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return unauthorized("the `Authorization` header doesn't say `Bearer TOKEN`");
    };
    let Some(token) = Token::parse(token.trim()) else {
        return unauthorized("this can't be a token: it is cut off or mistyped");
    };
    let same = valid
        .is_some_and(|valid| blake3::Hash::from_bytes(valid.0) == blake3::Hash::from_bytes(token.hash().0));
    if same { Ok(()) } else { unauthorized("the token is not the one that is valid now") }
}

fn application(headers: &HeaderMap) -> Answer<Application> {
    let invalid = |detail: String| Problem::new(Kind::ApplicationInvalid, detail);
    let mut sent = headers.get_all(APPLICATION_HEADER).iter();
    let text = match (sent.next(), sent.next()) {
        (None, _) => DEFAULT_APPLICATION,
        (Some(sent), None) => {
            sent.to_str().map_err(|_| invalid("`Samsyn-Application` is not plain text".to_owned()))?
        }
        (Some(_), Some(_)) => return Err(invalid("`Samsyn-Application` stands there twice".to_owned())),
    };
    Application::new(text).map_err(|error| invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_token_is_told_from_a_mistyped_one() {
        let token = Token::generate().unwrap();
        let text = token.as_str().to_owned();
        assert_eq!(text.len(), PREFIX.len() + SECRET_CHARS + CHECK_CHARS);
        assert_eq!(Token::parse(&text).unwrap().hash(), token.hash());
        assert_ne!(Token::generate().unwrap().hash(), token.hash());
        assert_eq!(format!("{token:?}"), "Token(…)");
        for at in PREFIX.len()..text.len() {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut mistyped = text.clone();
            mistyped.replace_range(at..=at, other);
            assert!(Token::parse(&mistyped).is_none(), "{at}");
        }
        for bad in ["", "samsyn_", &text[1..], &text[..text.len() - 1], &text.replace("samsyn_", "samsyn-")] {
            assert!(Token::parse(bad).is_none());
        }
    }

    #[test]
    fn only_the_valid_token_is_let_through() {
        let (token, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        let valid = Some(token.hash());
        let bearer = |token: &Token| format!("Bearer {}", token.as_str());
        let check = |value: &str| authorize(&headers(&[("authorization", value)]), valid);
        assert!(check(&bearer(&token)).is_ok());
        assert!(check(&bearer(&token).replace("Bearer", "bEARER")).is_ok());
        for bad in
            [bearer(&other), format!("Basic {}", token.as_str()), token.as_str().to_owned(), "Bearer".into()]
        {
            assert_eq!(check(&bad).unwrap_err().kind, Kind::Unauthorized);
        }
        let good = bearer(&token);
        assert!(authorize(&headers(&[]), valid).is_err());
        assert!(authorize(&headers(&[("authorization", &good)]), None).is_err());
        assert!(authorize(&headers(&[("authorization", &good), ("authorization", &good)]), valid).is_err());
    }

    #[test]
    fn an_application_is_a_name_or_admin() {
        assert_eq!(application(&headers(&[])).unwrap().as_str(), "admin");
        assert_eq!(
            application(&headers(&[("samsyn-application", "pos-sync")])).unwrap().as_str(),
            "pos-sync"
        );
        for bad in ["", "Web", "a b", "app:web"] {
            let problem = application(&headers(&[("samsyn-application", bad)])).unwrap_err();
            assert_eq!(problem.kind, Kind::ApplicationInvalid);
        }
    }
}
