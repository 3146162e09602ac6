//! Scopes that only read: `admin:read` changes nothing, and `audit:read` learns nothing of a customer.
//!
//! Every call stands in one of four lists. A new call that stands in none fails the test, so that somebody
//! says which it is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{Answered, World};
use crate::calls::calls;
use samsyn_openapi::Call;

/// Tell nothing about a host's data; they need no token.
const OPEN: [&str; 4] = ["GET /healthz", "GET /readyz", "GET /errors", "GET /openapi.json"];
/// Read, and show no customer to a token that may see none.
const NO_CUSTOMER: [&str; 22] = [
    "GET /v1/fields",
    "GET /v1/fields/{name}",
    "GET /v1/identifiers",
    "GET /v1/jobs",
    "GET /v1/registry/export",
    "POST /v1/registry/plan",
    "GET /v1/registry/report",
    "GET /v1/registry/graph",
    "GET /v1/capabilities",
    "GET /v1/capabilities/{name}",
    "GET /v1/endpoints",
    "GET /v1/endpoints/{capability}/{name}",
    "GET /v1/outgoing",
    "GET /v1/audit/reads",
    "GET /v1/audit/changes",
    "GET /v1/log/head",
    "GET /v1/snapshots",
    "GET /v1/tokens",
    "GET /v1/secrets",
    "GET /v1/tokens/{name}",
    "GET /v1/status",
    "GET /metrics",
];
/// Read, and can show a customer. The limits show none; they are for senders of events.
const CUSTOMER: [&str; 16] = [
    "GET /v1/limits",
    "GET /v1/events/{id}",
    "GET /v1/refusals",
    "POST /v1/profiles/lookup",
    "GET /v1/profiles/{ref}",
    "GET /v1/profiles/{ref}/timeline",
    "GET /v1/fields/{name}/claims",
    "GET /v1/fields/{name}/disagreements",
    "GET /v1/disagreements",
    "GET /v1/identifiers/conflicts",
    "GET /v1/replays",
    "GET /v1/replays/{id}",
    "GET /v1/parked",
    "GET /v1/calls",
    "GET /v1/calls/{id}",
    "GET /v1/timers",
];
/// Change something, or have the host work.
const WRITES: [&str; 38] = [
    "POST /v1/events",
    "PATCH /v1/profiles/{ref}",
    "PUT /v1/fields/{name}",
    "PUT /v1/fields/{name}/source",
    "POST /v1/assignments",
    "DELETE /v1/fields/{name}",
    "POST /v1/fields/{name}/accept",
    "POST /v1/fields/{name}/deprecate",
    "PUT /v1/identifiers/{name}",
    "POST /v1/registry/apply",
    "POST /v1/capabilities",
    "DELETE /v1/capabilities/{name}",
    "PATCH /v1/capabilities/{name}/grant",
    "POST /v1/capabilities/{name}/approve",
    "POST /v1/capabilities/{name}/reject",
    "PATCH /v1/capabilities/{name}/settings",
    "POST /v1/capabilities/{name}/release",
    "PUT /v1/endpoints/{capability}/{name}",
    "DELETE /v1/endpoints/{capability}/{name}",
    "POST /v1/endpoints/{capability}/{name}/pause",
    "POST /v1/endpoints/{capability}/{name}/resume",
    "POST /v1/endpoints/{capability}/{name}/test",
    "POST /v1/outgoing/pause",
    "POST /v1/outgoing/resume",
    "POST /v1/replays",
    "DELETE /v1/replays/{id}",
    "POST /v1/parked/retry",
    "POST /v1/parked/skip",
    "POST /v1/calls/{id}/retry",
    "POST /v1/calls/{id}/settle",
    "POST /v1/timers/resume",
    "POST /v1/log/retain",
    "POST /v1/snapshots",
    "POST /v1/tokens",
    "PUT /v1/secrets/{name}",
    "POST /v1/secrets/{name}/rotate",
    "POST /v1/secrets/{name}/retire",
    "DELETE /v1/tokens/{name}",
];

/// Stands in what is a customer's, and in nothing else.
const MARK: &str = "zqmark";

fn named(call: &Call) -> String {
    format!("{} {}", call.method, call.path)
}

#[track_caller]
fn assert_open(answer: &Answered, open: bool, who: &str) {
    if open {
        assert!(!matches!(answer.status, 401 | 403), "{who}: {answer:?}");
    } else {
        assert_eq!((answer.status, answer.code().as_str()), (403, "scope-missing"), "{who}: {answer:?}");
    }
}

#[test]
fn whoever_only_reads_is_refused_each_call_that_writes_and_an_auditor_each_that_shows_a_customer() {
    let world = World::new().furnished();
    let (auditor, onlooker) =
        (world.token("auditor", &["audit:read"]), world.token("onlooker", &["admin:read"]));
    let mut listed: BTreeSet<String> = BTreeSet::new();
    for call in calls() {
        let name = named(&call);
        let stands_in = |list: &[&str]| list.contains(&name.as_str());
        let (open, registry, customer, writes) =
            (stands_in(&OPEN), stands_in(&NO_CUSTOMER), stands_in(&CUSTOMER), stands_in(&WRITES));
        let lists = [open, registry, customer, writes].into_iter().filter(|stands| *stands).count();
        assert_eq!(lists, 1, "say of {name} whether it writes, and whether it can show a customer");
        let path = call.path.replace("{ref}", "customer_id:nobody").replace("{id}", "1");
        let path = path.replace("{capability}", "nothing").replace("{name}", "nothing");
        let ask = |token: &str| world.send_as(token, call.method.as_str(), &path, &[], &json!({}));
        assert_open(&ask(&auditor), open || registry, &format!("audit:read, {name}"));
        assert_open(&ask(&onlooker), !writes, &format!("admin:read, {name}"));
        listed.insert(name);
    }
    for name in [&OPEN[..], &NO_CUSTOMER, &CUSTOMER, &WRITES].concat() {
        assert!(listed.contains(name), "{name} is no call any more");
    }
}

/// A host with a customer whom an administrator looked at. Answers the profile's id.
fn with_a_customer(world: &World) -> String {
    let whose = json!({"customer_id": MARK, "email": format!("{MARK}@example.com")});
    let event = json!({"id": format!("{MARK}-1"), "name": "probe.asked", "identifiers": whose,
                       "properties": {"script": [format!("text note {MARK}")]}});
    let answer = world.decided("POST", "/v1/events", &event);
    assert_eq!(answer.status, 200, "{answer:?}");
    let profile = world.get(&format!("/v1/profiles/customer_id:{MARK}"));
    assert_eq!(profile.json()["fields"]["note"], MARK, "{profile:?}");
    profile.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn no_answer_to_an_auditor_tells_of_a_customer() {
    let world = World::probed();
    let profile = with_a_customer(&world);
    let auditor = world.token("auditor", &["audit:read"]);
    let onlooker = world.token("onlooker", &["admin:read"]);
    let ask = |token: &str, path: &str| world.send_as(token, "GET", path, &[], &Value::Null);
    for path in NO_CUSTOMER.iter().filter_map(|call| call.strip_prefix("GET ")) {
        let path = path.replace("fields/{name}", "fields/note");
        let path = path.replace("capabilities/{name}", "capabilities/probe");
        let path = path.replace("tokens/{name}", "tokens/onlooker");
        let path = path.replace("endpoints/{capability}/{name}", "endpoints/probe/erp");
        let answer = ask(&auditor, &path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(!answer.text.contains(MARK) && !answer.text.contains(&profile), "{path}: {answer:?}");
    }
    // The list has what was read and by which application, and neither the customer nor whether a customer is
    // in it.
    let read = |token: &str| ask(token, "/v1/audit/reads").json()["items"][0].clone();
    let found = read(&auditor);
    assert_eq!(
        (&found["by"], &found["identifiers"], found.get("profile")),
        (&json!("admin"), &json!(["customer_id", "email"]), None)
    );
    let filtered = ask(&auditor, &format!("/v1/audit/reads?profile=customer_id:{MARK}"));
    assert_open(&filtered, false, "a filter by customer");
    // The search finds it for a token that reads all that administrators read.
    assert_eq!(read(&onlooker)["profile"], profile);
    let seen = ask(&onlooker, &format!("/v1/profiles/customer_id:{MARK}?claims=true"));
    assert_eq!(seen.json()["claims"]["note"][0]["value"], MARK, "{seen:?}");
    assert_eq!(ask(&onlooker, &format!("/v1/events/{MARK}-1")).code(), "unknown-event", "it is another's id");
    let fields = ask(&auditor, "/v1/fields").text;
    assert_eq!(fields, ask(&onlooker, "/v1/fields").text, "the registry is the same for both");
}

#[test]
fn whoever_only_reads_acts_for_nobody_else() {
    let world = World::new().furnished();
    let onlooker = world.token("onlooker", &["admin:read"]);
    let headers = [("samsyn-application", "web")];
    let refused = world.send_as(&onlooker, "GET", "/v1/fields", &headers, &Value::Null);
    assert_eq!((refused.status, refused.code().as_str()), (403, "application-forbidden"));
    let plan = json!({"name": "looker", "scopes": ["admin:read"]});
    let warned = world.json("POST", "/v1/tokens?dry_run=true", &plan).json()["may"]["warnings"].clone();
    assert_eq!(warned, json!(["it reads everything of every customer, and every claim"]));
    // The last administrator is a token that may change something.
    assert_eq!(world.send("DELETE", "/v1/tokens/admin", &[], b"").code(), "last-admin-token");
}
