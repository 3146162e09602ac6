//! The scope that a call needs, by the table of calls: asked of every request before its handler runs.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::{Caller, Unauthenticated};
use super::problem::{Kind, Problem};
use super::visibility::Viewer;
use samsyn_openapi::scopes::RequiredScopes;

fn missing(scopes: RequiredScopes) -> Problem {
    let names: Vec<String> = match scopes {
        RequiredScopes::NoToken => Vec::new(),
        RequiredScopes::OneOf(scopes) => scopes.iter().map(|scope| format!("`{scope}`")).collect(),
    };
    Problem::new(Kind::ScopeMissing, format!("this call needs the scope {}", names.join(" or ")))
}

/// Lets a request through to its handler that has what the call needs.
pub async fn require(State(scopes): State<RequiredScopes>, mut request: Request, next: Next) -> Response {
    if scopes == RequiredScopes::NoToken {
        return next.run(request).await;
    }
    let refused = match request.extensions().get::<Viewer>() {
        Some(viewer) if scopes.met_by(viewer.policy()) => None,
        Some(_) => Some(missing(scopes)),
        None => Some(why_unauthenticated(&request)),
    };
    if let Some(problem) = refused {
        return problem.into_response();
    }
    if scopes.is_administration()
        && let Some(viewer) = request.extensions().get::<Viewer>()
    {
        let own = viewer.own_application().clone();
        request.extensions_mut().insert(Caller(own));
    }
    next.run(request).await
}

/// Why this request's token counts for nothing.
fn why_unauthenticated(request: &Request) -> Problem {
    let why = request.extensions().get::<Unauthenticated>().map(|Unauthenticated(problem)| problem.clone());
    why.unwrap_or_else(|| Problem::new(Kind::Unauthorized, "the request has no token"))
}

/// The problem of a request without a valid token, on a path that isn't one of the interface's:
/// strangers don't learn which there are.
pub fn unauthenticated(request: &Request) -> Option<Problem> {
    request.extensions().get::<Viewer>().is_none().then(|| why_unauthenticated(request))
}
