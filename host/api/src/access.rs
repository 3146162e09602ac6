//! Authentication of a request: its token, and the application it acts for.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use super::ApiState;
use super::authenticate::{AuthenticatedToken, Authenticator};
use super::problem::{Answer, Kind, Problem};
use super::visibility::Viewer;
use samsyn_registry::Registry;
use samsyn_vocabulary::{Application, Timestamp};

/// The header in which an administrator says for which application a call acts.
pub const APPLICATION_HEADER: &str = "samsyn-application";

/// The application a call acts for; there on every call that needs a token. For a call that looks
/// after the host it is the token's own, whatever the header says.
#[derive(Clone, Debug)]
pub struct Caller(pub Application);

/// Why a request has no [`Viewer`]. Told where a token is needed.
#[derive(Clone, Debug)]
pub struct Unauthenticated(pub Problem);

/// Authenticates the request. Whether its scopes are enough is checked where the route is known.
pub async fn check(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let (registry, now) = (state.engine.registry(), state.engine.clock().now());
    match viewer(&state.authenticator, request.headers(), &registry, now) {
        Ok(viewer) => {
            let extensions = request.extensions_mut();
            extensions.insert(Caller(viewer.application().clone()));
            extensions.insert(viewer);
        }
        Err(problem) => {
            request.extensions_mut().insert(Unauthenticated(problem));
        }
    }
    next.run(request).await
}

fn viewer(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    registry: &Registry,
    now: Timestamp,
) -> Answer<Viewer> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(sent), None) = (sent.next(), sent.next()) else {
        let detail = "the request has no `Authorization` header, or more than one";
        return Err(Problem::new(Kind::Unauthorized, detail));
    };
    let token = authenticator.admit(sent.to_str().unwrap_or_default(), registry, now)?;
    let application = application(headers, &token)?;
    Ok(Viewer::new(token, application))
}

/// A token is bound to its application; only an administrator's may act for another.
fn application(headers: &HeaderMap, token: &AuthenticatedToken) -> Answer<Application> {
    let invalid = |detail: String| Problem::new(Kind::ApplicationInvalid, detail);
    let own = &token.entry.application;
    let mut sent = headers.get_all(APPLICATION_HEADER).iter();
    let text = match (sent.next(), sent.next()) {
        (None, _) => return Ok(own.clone()),
        (Some(sent), None) => {
            sent.to_str().map_err(|_| invalid("`Samsyn-Application` is not plain text".to_owned()))?
        }
        (Some(_), Some(_)) => return Err(invalid("`Samsyn-Application` is there twice".to_owned())),
    };
    let application = Application::new(text).map_err(|error| invalid(error.to_string()))?;
    if application != *own && !token.policy.is_admin() {
        let detail = format!("the token acts for {own}, not for {application}");
        return Err(Problem::new(Kind::ApplicationForbidden, detail));
    }
    Ok(application)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::ApiLimits;
    use samsyn_auth::Token;
    use samsyn_registry::{RegistryChange, TokenEntry};
    use samsyn_vocabulary::TokenName;

    const NOW: Timestamp = Timestamp(0);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn made(token: &Token, name: &str, scope: &str) -> Registry {
        let entry = TokenEntry {
            application: Application::new(name).unwrap(),
            scopes: vec![scope.parse().unwrap()],
            ..TokenEntry::first_admin(token.hash())
        };
        let change = RegistryChange::TokenMade { name: TokenName::new(name).unwrap(), token: entry };
        Registry::default().apply(1, &change).unwrap()
    }

    #[test]
    fn only_an_administrator_acts_for_another() {
        let token = Token::generate().unwrap();
        let bearer = format!("Bearer {}", token.as_str());
        let ask = |registry: &Registry, application: Option<&str>| {
            let mut all = vec![("authorization", bearer.as_str())];
            all.extend(application.map(|name| (APPLICATION_HEADER, name)));
            viewer(&Authenticator::new(&ApiLimits::default()), &headers(&all), registry, NOW)
        };
        let who = |answer: Answer<Viewer>| answer.ok().unwrap().application().to_string();
        let kind = |answer: Answer<Viewer>| answer.err().unwrap().kind;
        let (admin, web) = (made(&token, "anna", "admin"), made(&token, "web", "events:write"));
        assert_eq!(who(ask(&admin, None)), "anna");
        assert_eq!(who(ask(&admin, Some("pos-sync"))), "pos-sync");
        assert_eq!(who(ask(&web, None)), "web");
        assert_eq!(who(ask(&web, Some("web"))), "web");
        assert_eq!(kind(ask(&web, Some("pos-sync"))), Kind::ApplicationForbidden);
        for bad in ["", "Web", "a b", "app:web"] {
            assert_eq!(kind(ask(&admin, Some(bad))), Kind::ApplicationInvalid, "{bad}");
        }
    }

    #[test]
    fn one_authorization_is_needed() {
        let token = Token::generate().unwrap();
        let registry = made(&token, "web", "events:write");
        let bearer = format!("Bearer {}", token.as_str());
        let ask = |all: &[(&'static str, &str)]| {
            viewer(&Authenticator::new(&ApiLimits::default()), &headers(all), &registry, NOW).map(|_| ())
        };
        let one = ("authorization", bearer.as_str());
        assert!(ask(&[one]).is_ok());
        for wrong in [&[][..], &[one, one]] {
            assert_eq!(ask(wrong).unwrap_err().kind, Kind::Unauthorized);
        }
    }
}
