//! The table of calls: for each its method, its path, the scope it needs, what carries it
//! out and what describes it in `/openapi.json`. A call is in the interface when it stands here, and
//! can't stand here without a scope and a description.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::query::{self, Parameters};
use super::{
    ApiState, assignments, audit, capabilities, claims, conflicts, endpoints, events, fields, grants,
    openapi, parked, plugin_calls, profiles, refusals, registry_file, registry_report, replays,
    required_scopes, secrets, status, storage, timeline, timers, tokens, trace,
};
use samsyn_openapi::operation::Describe;
use samsyn_openapi::scopes::{
    ADMIN, ADMIN_READ, AUDIT_READ, EVENT_OUTCOME, EVENTS_WRITE, FIELDS, IDENTIFIERS, LIMITS, NO_TOKEN,
    PROFILES_PROPOSE, PROFILES_READ, REGISTRY_READ, REGISTRY_WRITE, RequiredScopes,
};
use samsyn_openapi::{Call, describe};

/// A row of the table: a call, and what carries it out.
struct Row {
    call: Call,
    handler: MethodRouter<ApiState>,
}

/// Every call.
pub fn calls() -> Vec<Call> {
    table().into_iter().map(|row| row.call).collect()
}

fn table() -> Vec<Row> {
    vec![
        post("/v1/events", EVENTS_WRITE, events::take, describe::events::take),
        get("/v1/limits", LIMITS, status::limits, describe::host::limits),
        get("/v1/events/{id}", EVENT_OUTCOME, events::show, describe::events::show),
        get("/v1/refusals", EVENT_OUTCOME, refusals::list, describe::events::refusals),
        post("/v1/profiles/lookup", PROFILES_READ, profiles::look_up, describe::profiles::look_up),
        get("/v1/profiles/{ref}", PROFILES_READ, profiles::show, describe::profiles::show),
        patch("/v1/profiles/{ref}", PROFILES_PROPOSE, profiles::propose, describe::profiles::propose),
        get("/v1/profiles/{ref}/timeline", PROFILES_READ, timeline::list, describe::profiles::timeline),
        get("/v1/fields", FIELDS, fields::list, describe::fields::list),
        get("/v1/fields/{name}", FIELDS, fields::show, describe::fields::show),
        put("/v1/fields/{name}", REGISTRY_WRITE, fields::define, describe::fields::define),
        put(
            "/v1/fields/{name}/source",
            REGISTRY_WRITE,
            assignments::assign_one,
            describe::assignments::assign_one,
        ),
        get("/v1/fields/{name}/claims", ADMIN_READ, claims::list, describe::claims::list),
        get(
            "/v1/fields/{name}/disagreements",
            ADMIN_READ,
            claims::disagreements,
            describe::claims::disagreements,
        ),
        get("/v1/disagreements", ADMIN_READ, claims::all_disagreements, describe::claims::all_disagreements),
        post("/v1/assignments", REGISTRY_WRITE, assignments::assign, describe::assignments::assign),
        get("/v1/jobs", REGISTRY_READ, assignments::jobs, describe::assignments::jobs),
        delete("/v1/fields/{name}", REGISTRY_WRITE, fields::remove, describe::fields::remove),
        post("/v1/fields/{name}/accept", REGISTRY_WRITE, fields::accept, describe::fields::accept),
        post("/v1/fields/{name}/deprecate", REGISTRY_WRITE, fields::deprecate, describe::fields::deprecate),
        get("/v1/identifiers/conflicts", ADMIN_READ, conflicts::list, describe::fields::list_conflicts),
        get("/v1/identifiers", IDENTIFIERS, fields::list_identifiers, describe::fields::list_identifiers),
        put(
            "/v1/identifiers/{name}",
            REGISTRY_WRITE,
            fields::define_identifier,
            describe::fields::define_identifier,
        ),
        get("/v1/registry/export", REGISTRY_READ, registry_file::export, describe::registry_file::export),
        post("/v1/registry/plan", REGISTRY_READ, registry_file::plan, describe::registry_file::plan),
        post("/v1/registry/apply", REGISTRY_WRITE, registry_file::apply, describe::registry_file::apply),
        get("/v1/registry/report", REGISTRY_READ, registry_report::report, describe::registry_report::report),
        get("/v1/registry/graph", REGISTRY_READ, registry_report::graph, describe::registry_report::graph),
        get("/v1/capabilities", REGISTRY_READ, capabilities::list, describe::capabilities::list),
        post("/v1/capabilities", REGISTRY_WRITE, capabilities::install, describe::capabilities::install),
        get("/v1/capabilities/{name}", REGISTRY_READ, capabilities::show, describe::capabilities::show),
        delete(
            "/v1/capabilities/{name}",
            REGISTRY_WRITE,
            capabilities::remove,
            describe::capabilities::remove,
        ),
        patch("/v1/capabilities/{name}/grant", ADMIN, grants::change, describe::grants::change),
        post("/v1/capabilities/{name}/approve", ADMIN, grants::approve, describe::grants::approve),
        post("/v1/capabilities/{name}/reject", ADMIN, grants::reject, describe::grants::reject),
        patch(
            "/v1/capabilities/{name}/settings",
            REGISTRY_WRITE,
            capabilities::set,
            describe::capabilities::set,
        ),
        post(
            "/v1/capabilities/{name}/release",
            REGISTRY_WRITE,
            capabilities::release,
            describe::capabilities::release,
        ),
        get("/v1/endpoints", REGISTRY_READ, endpoints::list, describe::endpoints::list),
        get("/v1/endpoints/{capability}/{name}", REGISTRY_READ, endpoints::show, describe::endpoints::show),
        put("/v1/endpoints/{capability}/{name}", ADMIN, endpoints::bind, describe::endpoints::bind),
        delete("/v1/endpoints/{capability}/{name}", ADMIN, endpoints::unbind, describe::endpoints::unbind),
        post("/v1/endpoints/{capability}/{name}/pause", ADMIN, endpoints::pause, describe::endpoints::pause),
        post(
            "/v1/endpoints/{capability}/{name}/resume",
            ADMIN,
            endpoints::resume,
            describe::endpoints::resume,
        ),
        post("/v1/endpoints/{capability}/{name}/test", ADMIN, endpoints::test, describe::endpoints::test),
        get("/v1/outgoing", REGISTRY_READ, endpoints::show_outgoing, describe::endpoints::show_outgoing),
        post("/v1/outgoing/pause", ADMIN, endpoints::pause_outgoing, describe::endpoints::pause_outgoing),
        post("/v1/outgoing/resume", ADMIN, endpoints::resume_outgoing, describe::endpoints::resume_outgoing),
        post("/v1/replays", ADMIN, replays::start, describe::replays::start),
        get("/v1/replays", ADMIN_READ, replays::list, describe::replays::list),
        get("/v1/replays/{id}", ADMIN_READ, replays::show, describe::replays::show),
        delete("/v1/replays/{id}", ADMIN, replays::stop, describe::replays::stop),
        get("/v1/calls", ADMIN_READ, plugin_calls::list, describe::calls::list),
        get("/v1/calls/{id}", ADMIN_READ, plugin_calls::show, describe::calls::show),
        post("/v1/calls/{id}/retry", ADMIN, plugin_calls::retry, describe::calls::retry),
        post("/v1/calls/{id}/settle", ADMIN, plugin_calls::settle, describe::calls::settle),
        get("/v1/timers", ADMIN_READ, timers::list, describe::timers::list),
        post("/v1/timers/resume", ADMIN, timers::resume, describe::timers::resume),
        get("/v1/parked", ADMIN_READ, parked::list, describe::parked::list),
        post("/v1/parked/retry", ADMIN, parked::retry, describe::parked::retry),
        post("/v1/parked/skip", ADMIN, parked::skip, describe::parked::skip),
        get("/v1/audit/reads", AUDIT_READ, audit::reads, describe::audit::reads),
        get("/v1/audit/changes", AUDIT_READ, audit::changes, describe::audit::changes),
        get("/v1/log/head", AUDIT_READ, audit::head, describe::audit::head),
        post("/v1/log/retain", ADMIN, storage::retain, describe::storage::retain),
        get("/v1/snapshots", AUDIT_READ, storage::snapshots, describe::storage::snapshots),
        post("/v1/snapshots", ADMIN, storage::make_snapshot, describe::storage::make_snapshot),
        get("/v1/tokens", AUDIT_READ, tokens::list, describe::tokens::list),
        post("/v1/tokens", ADMIN, tokens::make, describe::tokens::make),
        get("/v1/tokens/{name}", AUDIT_READ, tokens::show, describe::tokens::show),
        delete("/v1/tokens/{name}", ADMIN, tokens::revoke, describe::tokens::revoke),
        get("/v1/secrets", AUDIT_READ, secrets::list, describe::secrets::list),
        put("/v1/secrets/{name}", ADMIN, secrets::set, describe::secrets::set),
        post("/v1/secrets/{name}/rotate", ADMIN, secrets::rotate, describe::secrets::rotate),
        post("/v1/secrets/{name}/retire", ADMIN, secrets::retire, describe::secrets::retire),
        get("/v1/status", REGISTRY_READ, status::status, describe::host::status),
        get("/metrics", REGISTRY_READ, status::metrics, describe::host::metrics),
        get("/healthz", NO_TOKEN, status::health, describe::host::health),
        get("/readyz", NO_TOKEN, status::ready, describe::host::ready),
        get("/errors", NO_TOKEN, status::errors, describe::host::errors),
        get("/openapi.json", NO_TOKEN, openapi::show, describe::host::openapi),
    ]
}

/// A router of all of them. Each tells its span which call it is, and looks at the query once it is known
/// that the token may make the call. What needs no token takes no parameters, and any are passed over.
pub fn router() -> Router<ApiState> {
    let rows: Vec<(BTreeSet<String>, Row)> =
        table().into_iter().map(|row| (row.call.parameters(), row)).collect();
    let of_all: Arc<BTreeSet<String>> = Arc::new(rows.iter().flat_map(|(own, _)| own).cloned().collect());
    rows.into_iter().fold(Router::new(), |router, (own, Row { call: Call { path, scopes, .. }, handler })| {
        let handler = match scopes {
            RequiredScopes::NoToken => handler,
            RequiredScopes::OneOf(_) => {
                let parameters = Parameters::new(own, of_all.clone());
                handler.route_layer(middleware::from_fn_with_state(parameters, query::check))
            }
        };
        let guarded = handler.route_layer(middleware::from_fn_with_state(scopes, required_scopes::require));
        router.route(path, guarded.route_layer(middleware::from_fn_with_state(path, trace::route)))
    })
}

macro_rules! methods {
    ($($name:ident $method:ident;)*) => {
        $(fn $name<H, T>(path: &'static str, scopes: RequiredScopes, handler: H, describe: Describe) -> Row
        where
            H: Handler<T, ApiState>,
            T: 'static,
        {
            let call = Call { method: Method::$method, path, scopes, describe };
            Row { call, handler: on(MethodFilter::$method, handler) }
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
