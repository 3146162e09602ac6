//! The table of calls: for each its method, its path, what carries it out and what describes it in
//! `/openapi.json`. A call is in the interface when it stands here, and can't stand here without a
//! description.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::openapi::{self, Describe};
use super::{
    ApiState, capabilities, describe, events, fields, parked, profiles, registry_report, status, timeline,
    trace,
};

/// A call of the interface.
pub struct Call {
    /// Its method.
    pub method: Method,
    /// Its path, with the name of its variable in braces.
    pub path: &'static str,
    handler: MethodRouter<ApiState>,
    /// What describes it.
    pub describe: Describe,
}

/// Every call.
pub fn calls() -> Vec<Call> {
    vec![
        post("/v1/events", events::take, describe::events::take),
        get("/v1/events/{id}", events::show, describe::events::show),
        post("/v1/profiles/lookup", profiles::look_up, describe::profiles::look_up),
        get("/v1/profiles/{ref}", profiles::show, describe::profiles::show),
        patch("/v1/profiles/{ref}", profiles::propose, describe::profiles::propose),
        get("/v1/profiles/{ref}/timeline", timeline::list, describe::profiles::timeline),
        get("/v1/fields", fields::list, describe::fields::list),
        get("/v1/fields/{name}", fields::show, describe::fields::show),
        put("/v1/fields/{name}", fields::define, describe::fields::define),
        put("/v1/fields/{name}/source", fields::assign, describe::fields::assign),
        get("/v1/identifiers", fields::list_identifiers, describe::fields::list_identifiers),
        put("/v1/identifiers/{name}", fields::define_identifier, describe::fields::define_identifier),
        get("/v1/registry/report", registry_report::report, describe::registry_report::report),
        get("/v1/registry/graph", registry_report::graph, describe::registry_report::graph),
        get("/v1/capabilities", capabilities::list, describe::capabilities::list),
        post("/v1/capabilities", capabilities::install, describe::capabilities::install),
        get("/v1/capabilities/{name}", capabilities::show, describe::capabilities::show),
        delete("/v1/capabilities/{name}", capabilities::remove, describe::capabilities::remove),
        patch("/v1/capabilities/{name}/settings", capabilities::set, describe::capabilities::set),
        post("/v1/capabilities/{name}/release", capabilities::release, describe::capabilities::release),
        get("/v1/parked", parked::list, describe::parked::list),
        post("/v1/parked/retry", parked::retry, describe::parked::retry),
        post("/v1/parked/skip", parked::skip, describe::parked::skip),
        get("/v1/status", status::status, describe::host::status),
        get("/metrics", status::metrics, describe::host::metrics),
        get("/healthz", status::health, describe::host::health),
        get("/readyz", status::ready, describe::host::ready),
        get("/errors", status::errors, describe::host::errors),
        get("/openapi.json", openapi::show, describe::host::openapi),
    ]
}

/// A router of all of them. Each tells its span which call it is.
pub fn router() -> Router<ApiState> {
    calls().into_iter().fold(Router::new(), |router, Call { path, handler, .. }| {
        router.route(path, handler.route_layer(middleware::from_fn_with_state(path, trace::route)))
    })
}

macro_rules! methods {
    ($($name:ident $method:ident;)*) => {
        $(fn $name<H, T>(path: &'static str, handler: H, describe: Describe) -> Call
        where
            H: Handler<T, ApiState>,
            T: 'static,
        {
            Call { method: Method::$method, path, handler: on(MethodFilter::$method, handler), describe }
        })*
    };
}

methods! {
    get GET;
    put PUT;
    post POST;
    patch PATCH;
    delete DELETE;
}
