//! Tokens and scopes: every call, every scope, over HTTP.

use serde_json::{Value, json};

use super::world::World;
use crate::ApiLimits;
use crate::calls::calls;
use samsyn_engine::EngineConfig;
use samsyn_openapi::Call;
use samsyn_openapi::scopes::RequiredScopes;
use samsyn_registry::{Policy, Registry, Scope, ScopeName};

/// Every scope, and lists that narrow them.
const SCOPES: [&str; 11] = [
    "events:write",
    "events:write=seen",
    "profiles:read",
    "profiles:read=first_name",
    "profiles:propose",
    "profiles:propose=first_name",
    "registry:read",
    "registry:write",
    "audit:read",
    "admin:read",
    "admin",
];

/// A path that leads to the call, but to nothing that is there.
fn path_of(declared: &Call) -> String {
    declared
        .path
        .replace("{ref}", "customer_id:nobody")
        .replace("{id}", "nothing")
        .replace("{name}", "nothing")
        .replace("{capability}", "nothing")
}

#[test]
fn every_call_is_open_to_its_scopes_and_to_no_other() {
    let world = World::new().furnished();
    let tokens: Vec<(&str, String)> = SCOPES
        .iter()
        .enumerate()
        .map(|(at, scope)| (*scope, world.token(&format!("t-{at}"), &[scope])))
        .collect();
    let declared = calls();
    assert!(declared.len() > 25, "{}", declared.len());
    for call in declared {
        let (method, path) = (call.method.as_str(), path_of(&call));
        let nobody = world.raw(method, &path, &[("content-type", "application/json")], b"{}");
        assert_eq!(
            nobody.status == 401,
            call.scopes != RequiredScopes::NoToken,
            "{method} {path}: {nobody:?}"
        );
        for (scope, token) in &tokens {
            let policy = Policy::of(&[scope.parse::<Scope>().unwrap()], &Registry::default());
            let answer = world.send_as(token, method, &path, &[], &json!({}));
            if call.scopes.met_by(&policy) {
                assert_ne!(answer.status, 401, "{method} {path} with {scope}: {answer:?}");
                assert_ne!(answer.status, 403, "{method} {path} with {scope}: {answer:?}");
            } else {
                assert_eq!(answer.status, 403, "{method} {path} with {scope}: {answer:?}");
                assert_eq!(answer.code(), "scope-missing");
                let RequiredScopes::OneOf(needed) = call.scopes else { panic!("{path}") };
                let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                assert!(needed.iter().all(|name| detail.contains(&format!("`{name}`"))), "{detail}");
            }
        }
    }
}

#[test]
fn only_health_and_errors_need_no_token() {
    let open: Vec<&str> =
        calls().iter().filter(|call| call.scopes == RequiredScopes::NoToken).map(|call| call.path).collect();
    assert_eq!(open, ["/healthz", "/readyz", "/errors", "/openapi.json"]);
    let alone: Vec<&str> = calls()
        .iter()
        .filter(
            |call| matches!(call.scopes, RequiredScopes::OneOf(scopes) if scopes.contains(&ScopeName::Admin)),
        )
        .map(|call| call.path)
        .collect();
    assert!(alone.contains(&"/v1/tokens") && alone.contains(&"/v1/parked"), "{alone:?}");
}

#[test]
fn a_token_is_made_listed_and_revoked() {
    let world = World::new().furnished();
    let wanted = json!({"name": "web", "scopes": ["profiles:read=first_name,shoe"], "expires": "90d",
                        "requests_per_second": 7});
    let plan = world.json("POST", "/v1/tokens?dry_run=true", &wanted).json();
    assert_eq!(plan["may"]["reads"], json!(["first_name"]));
    assert_eq!(plan["may"]["warnings"], json!(["the dictionary has no shoe yet"]));
    assert!(plan.get("secret").is_none());
    assert_eq!(world.get("/v1/tokens/web").code(), "unknown-token");

    let made = world.json("POST", "/v1/tokens", &wanted);
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"));
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("samsyn_"));
    let shown = world.get("/v1/tokens/web");
    assert_eq!(
        shown.json(),
        json!({"name": "web", "application": "web", "scopes": ["profiles:read=first_name,shoe"],
               "state": "valid", "made_at": "2026-11-21T10:00:00Z", "made_by": "admin",
               "expires_at": "2027-02-19T10:00:00Z", "revoked_at": null, "last_used_at": null,
               "requests_per_second": 7, "events_per_second": null})
    );
    let used = world.send_as(&secret, "GET", "/v1/fields", &[], &Value::Null);
    assert_eq!(used.status, 200, "{used:?}");
    assert_eq!(world.get("/v1/tokens/web").json()["last_used_at"], "2026-11-21T10:00:00Z");
    let list = world.get("/v1/tokens");
    let names: Vec<Value> =
        list.json()["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["admin", "web"]);
    assert!(!list.text.contains(&secret) && !shown.text.contains(&secret));

    assert_eq!(world.json("POST", "/v1/tokens", &wanted).code(), "token-exists");
    assert_eq!(world.send("DELETE", "/v1/tokens/web", &[], b"").status, 204);
    let refused = world.send_as(&secret, "GET", "/v1/fields", &[], &Value::Null);
    assert_eq!(refused.code(), "unauthorized");
    assert!(refused.text.contains("revoked"), "{refused:?}");
    assert_eq!(world.get("/v1/tokens/web").json()["state"], "revoked");
    assert_eq!(world.send("DELETE", "/v1/tokens/web", &[], b"").code(), "unknown-token");
    assert_eq!(world.send("DELETE", "/v1/tokens/admin", &[], b"").code(), "last-admin-token");
    assert_eq!(world.json("POST", "/v1/tokens", &wanted).status, 201);
}

#[test]
fn a_token_that_cannot_be_is_refused() {
    let world = World::new();
    for (body, code) in [
        (json!({}), "missing-key"),
        (json!({"name": "Web", "scopes": ["admin"]}), "wrong-type"),
        (json!({"name": "web", "scopes": []}), "definition-invalid"),
        (json!({"name": "web", "scopes": ["everything"]}), "wrong-type"),
        (json!({"name": "web", "scopes": ["admin"], "expires": "soon"}), "definition-invalid"),
        (
            json!({"name": "web", "scopes": ["admin"], "expires": "2020-01-01T00:00:00Z"}),
            "definition-invalid",
        ),
        (json!({"name": "web", "scopes": ["admin"], "requests_per_second": 0}), "definition-invalid"),
        (json!({"name": "web", "scopes": ["admin"], "scope": "admin"}), "unknown-key"),
    ] {
        assert_eq!(world.json("POST", "/v1/tokens", &body).code(), code, "{body}");
    }
}

#[test]
fn an_expired_token_is_refused_at_once() {
    let world = World::new();
    let made = world.json(
        "POST",
        "/v1/tokens",
        &json!({"name": "web", "scopes": ["registry:read"], "expires": "1h"}),
    );
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let ask = || world.send_as(&secret, "GET", "/v1/status", &[], &Value::Null);
    assert_eq!(ask().status, 200);
    world.engine.clock().set("2026-11-21T10:59:59.999Z".parse().unwrap());
    assert_eq!(ask().status, 200);
    world.engine.clock().set("2026-11-21T11:00:00Z".parse().unwrap());
    assert_eq!(ask().code(), "unauthorized");
    assert!(ask().text.contains("expired"));
    assert_eq!(world.get("/v1/tokens/web").json()["state"], "expired");
}

#[test]
fn a_fast_token_is_told_when_to_come_back() {
    let limits =
        ApiLimits { token_requests_per_second: 3, token_events_per_second: 5, ..ApiLimits::default() };
    let world = World::with(limits, EngineConfig::default()).furnished();
    let reader = world.token("reader", &["registry:read"]);
    let ask = || world.send_as(&reader, "GET", "/v1/status", &[], &Value::Null);
    assert!((0..3).all(|_| ask().status == 200));
    let refused = ask();
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate-limited"));
    assert_eq!(refused.header("retry-after"), "1");
    // Nobody else waits, and an administrator never does.
    assert!((0..10).all(|_| world.get("/v1/status").status == 200));
    world.engine.clock().set("2026-11-21T10:00:01Z".parse().unwrap());
    assert_eq!(ask().status, 200);

    let sender = world.token("sender", &["events:write"]);
    let event = json!({"name": "seen", "identifiers": {"customer_id": "1"}});
    let batch = Value::Array(vec![event.clone(); 12]);
    let send = |body: &Value| world.send_as(&sender, "POST", "/v1/events", &[], body);
    assert_eq!(send(&batch).status, 202);
    let refused = send(&event);
    assert_eq!((refused.code().as_str(), refused.header("retry-after")), ("rate-limited", "2"));
    world.engine.clock().set("2026-11-21T10:00:03Z".parse().unwrap());
    assert_eq!(send(&event).status, 202);
}

#[test]
fn who_changes_the_registry_is_named_whatever_the_header_says() {
    let world = World::new().furnished();
    let anna = world.token("anna", &["admin"]);
    let headers = [("samsyn-application", "web")];
    let made =
        world.send_as(&anna, "POST", "/v1/tokens", &headers, &json!({"name": "bot", "scopes": ["admin"]}));
    assert_eq!(made.json()["token"]["made_by"], "anna");
    let event = json!({"name": "seen", "identifiers": {"customer_id": "1"}});
    let sent = world.send_as(&anna, "POST", "/v1/events", &headers, &event).json();
    let path = format!("/v1/events/{}", sent["position"].as_str().unwrap());
    assert_eq!(world.get(&path).json()["application"], "web");
    let bot = world.token("cart", &["events:write"]);
    let refused = world.send_as(&bot, "POST", "/v1/events", &headers, &event);
    assert_eq!((refused.status, refused.code().as_str()), (403, "application-forbidden"));
    let sent = world.send_as(&bot, "POST", "/v1/events", &[], &event).json();
    let path = format!("/v1/events/{}", sent["position"].as_str().unwrap());
    assert_eq!(world.get(&path).json()["application"], "cart");
}
