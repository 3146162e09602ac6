//! HTTP in and out: the interface of docs/http.md over the engine.
//!
//! ```text
//! connection ─▶ http ─▶ host ─▶ trace ─▶ packed ─▶ panic to problem ─▶ admit ─▶ access ─▶ route ─▶ scopes ─▶ query ─▶ body ─▶ engine
//!               400     span     gzip        500                 429/503   token     404/405 401/403   400  
//!               413/415
//! ```
//!
//! One file a concern. What goes wrong is a [`Problem`]; every kind of it is in [`catalogue`].
//!
//! | files | what they do |
//! |---|---|
//! | `serve` · `limits` · `named_host` · `trace` · `packed` | before and after every request |
//! | `access` · `authenticate` · [`last_use`] · `required_scopes` · `visibility` · `read_audit` | the caller, its permissions, and what it sees |
//! | `body` · `json` · `query` · `params` · `conditional` · `twice` · `pagination` · [`event_json`] | what a request says |
//! | `problem` · `convert` | what is wrong with it |
//! | `calls` · [`openapi`] | the table of requests, and its description, whose words the crate `openapi` has |
//! | `events` · `event_answer` · `waited` · `refusals` · `parked` · `timers` · `plugin_calls` | events and their results |
//! | `profiles` · `profile_answer` · `json_value` · `conflicts` · `timeline` · `claims` | customers |
//! | `fields` · `assignments` · `capabilities` · `capability_answer` · `grants` · `endpoints` · `registry_file` · `registry_report` · `replays` · `tokens` · [`secrets`] · `audit` · `words` | administration |
//! | `status` · `storage` · `followers` | the host itself |
//!
//! It must not decide anything about an event, nor know where the log lies.

mod access;
mod assignments;
pub mod audit;
mod authenticate;
mod body;
mod calls;
mod capabilities;
mod capability_answer;
mod claims;
mod conditional;
mod conflicts;
mod convert;
mod endpoints;
mod event_answer;
pub mod event_json;
mod events;
mod fields;
mod followers;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod grants;
pub(crate) mod json;
pub mod last_use;
mod limits;
mod named_host;
pub mod openapi;
mod packed;
mod pagination;
mod params;
mod parked;
mod plugin_calls;
mod problem;
mod profile_answer;
mod profiles;
mod query;
mod read_audit;
mod refusals;
mod registry_file;
mod registry_report;
pub mod replays;
mod required_scopes;
pub mod secrets;
mod serve;
mod status;
mod storage;
mod timeline;
mod timers;
mod tokens;
mod trace;
mod twice;
mod visibility;
mod waited;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{Method, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

pub use access::APPLICATION_HEADER;
pub use authenticate::Authenticator;
pub use limits::ApiLimits;
pub use problem::{Kind, Problem};
pub use samsyn_auth::{Token, TokenError};
pub use samsyn_wire::{catalogue, errors_page};
pub use serve::serve;

use limits::Admission;
use samsyn_audit::ReadAudit;
use samsyn_engine::Engine;
use samsyn_follow::HostFollowers;
use samsyn_outgoing::Outgoing;
use samsyn_secrets::Secrets;

/// What every call can reach. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    engine: Arc<Engine>,
    audit: Arc<ReadAudit>,
    followers: Arc<HostFollowers>,
    secrets: Arc<Secrets>,
    outgoing: Arc<Outgoing>,
    limits: Arc<ApiLimits>,
    admission: Arc<Admission>,
    authenticator: Arc<Authenticator>,
    /// Bytes of the largest component: the sandbox's own limit.
    component_bytes_max: u64,
}

impl ApiState {
    /// The interface over this engine, with the audit that its answers wait for, what follows its log, and the
    /// values of secrets with what sends calls.
    /// `component_bytes_max` is the sandbox's limit of a component.
    pub fn new(
        engine: Arc<Engine>,
        audit: Arc<ReadAudit>,
        followers: Arc<HostFollowers>,
        (secrets, outgoing): (Arc<Secrets>, Arc<Outgoing>),
        limits: ApiLimits,
        component_bytes_max: u64,
    ) -> ApiState {
        let admission = Admission::new(&limits);
        let authenticator = Arc::new(Authenticator::new(&limits));
        let limits = Arc::new(limits);
        ApiState {
            engine,
            audit,
            followers,
            secrets,
            outgoing,
            limits,
            admission,
            authenticator,
            component_bytes_max,
        }
    }
}

/// The interface over an engine.
pub fn router(state: ApiState) -> Router {
    calls::router()
        .method_not_allowed_fallback(other_method)
        .fallback(no_such_call)
        // Innermost first. Bodies are bounded where they are read, once it is known what they are.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(state.clone(), access::check))
        .layer(middleware::from_fn_with_state(state.clone(), limits::admit))
        .layer(CatchPanicLayer::custom(trace::panicked))
        .layer(packed::layer())
        .layer(middleware::map_response(packed::tag))
        .layer(middleware::from_fn(trace::request))
        .with_state(state)
}

/// Every method that some path takes.
const METHODS: &str = "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS";

/// The path is there, but not for this method. The router adds `Allow`. What paths take isn't a secret, for
/// the description of them all is none: nobody needs a token to ask, or to be told that none takes `TRACE`.
async fn other_method(method: Method, request: Request) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    if !matches!(method, Method::TRACE | Method::CONNECT)
        && let Some(problem) = required_scopes::unauthenticated(&request)
    {
        return problem.into_response();
    }
    let detail = format!("the path doesn't support the method {}", json::shortened(method.as_str()));
    Problem::new(Kind::MethodNotAllowed, detail).into_response()
}

async fn no_such_call(method: Method, request: Request) -> Response {
    // `OPTIONS *` asks about the host as a whole.
    if method == Method::OPTIONS && request.uri().path() == "*" {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, METHODS)]).into_response();
    }
    let asks =
        matches!(method, Method::OPTIONS | Method::TRACE | Method::CONNECT) || request.uri().path() == "*";
    let unauthenticated = required_scopes::unauthenticated(&request).filter(|_| !asks);
    let unknown = || Problem::new(Kind::NotFound, "the API has no such path");
    unauthenticated.unwrap_or_else(unknown).into_response()
}
