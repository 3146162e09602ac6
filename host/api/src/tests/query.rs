//! Parameters that a call doesn't have: what caches and links add is passed over, and what somebody may
//! have meant is refused.

use serde_json::json;

use super::world::{Answered, World};
use crate::calls::calls;
use samsyn_openapi::Call;
use samsyn_openapi::scopes::NO_TOKEN;

/// What browsers, caches and links add to any address.
const NOISE: [&str; 9] = [
    "_=1764499200000",
    "_t=1",
    "utm_source=newsletter&utm_medium=mail&utm_campaign=november",
    "gclid=Cj0KCQ",
    "fbclid=IwAR0",
    "msclkid=ab",
    "mc_cid=1&mc_eid=2",
    "_ga=2.1&_gl=1",
    "&&",
];
/// What somebody may have meant, or thinks that it does something.
const MISTAKEN: [&str; 14] = [
    "dryrun=true",
    "dry-run=true",
    "Dry_Run=true",
    "_dry_run=true",
    "dry_run_=true",
    "limt=1",
    "Limit=1",
    "_limit=1",
    "simulate=true",
    "colour=red",
    "utm=1",
    "resaon=x",
    "cursor_=x",
    "dry%5Frun%20=true",
];

fn ask(world: &World, call: &Call, query: &str) -> Answered {
    let path = call.path.replace("{name}", "nobody").replace("{ref}", "customer_id:0").replace("{id}", "0");
    let path = path.replace("{capability}", "nobody");
    world.send(call.method.as_str(), &format!("{path}?{query}"), &[], b"")
}

fn is_of_the_query(answer: &Answered) -> bool {
    answer.status == 400
        && answer.json()["code"] == "query-invalid"
        && answer.json()["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("this call has no parameter"))
}

#[test]
fn what_caches_and_links_add_is_passed_over_on_every_call() {
    let world = World::new();
    for call in calls() {
        for noise in NOISE {
            let answer = ask(&world, &call, noise);
            let (method, path) = (&call.method, call.path);
            assert!(!is_of_the_query(&answer), "{method} {path}?{noise}: {answer:?}");
        }
    }
}

#[test]
fn what_somebody_may_have_meant_is_refused_on_every_call_with_a_token() {
    let world = World::new();
    for call in calls().into_iter().filter(|call| call.scopes != NO_TOKEN) {
        for mistaken in MISTAKEN {
            let answer = ask(&world, &call, mistaken);
            let (method, path) = (&call.method, call.path);
            assert!(is_of_the_query(&answer), "{method} {path}?{mistaken}: {answer:?}");
        }
    }
    // A token that may not make the request learns nothing of its parameters.
    let narrow = world.token("narrow", &["events:write"]);
    let answer = world.send_as(&narrow, "GET", "/v1/parked?colour=red", &[], &json!(null));
    assert_eq!(answer.code(), "scope-missing");
    // What nobody needs a token for has nothing to be mistaken about.
    for path in ["/healthz?verbose", "/readyz?limt=1", "/errors?colour=red", "/openapi.json?v=3"] {
        assert_eq!(world.raw("GET", path, &[], b"").status, 200, "{path}");
    }
}

#[test]
fn a_mistyped_parameter_changes_nothing_and_the_right_one_is_named() {
    let world = World::new().furnished();
    for (path, named) in [
        ("/v1/assignments?dryrun=true", "`dry_run`"),
        ("/v1/assignments?dry-run=true", "`dry_run`"),
        ("/v1/assignments?_dry_run=true", "`dry_run`"),
        ("/v1/assignments?reson=x", "`reason`"),
    ] {
        let body = json!({"fields": ["email"], "to": null});
        let answer = world.json("POST", path, &body);
        assert_eq!(answer.code(), "query-invalid", "{path}");
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(named), "{path}: {problem}");
        let place = path.split_once('?').and_then(|(_, query)| query.split('=').next()).unwrap();
        assert_eq!(problem["place"], place, "{problem}");
    }
    // A call without parameters says that it has none.
    let answer = world.json("PATCH", "/v1/profiles/customer_id:1?dry_run=true", &json!({"fields": {}}));
    assert_eq!(answer.code(), "query-invalid");
    assert!(answer.json()["detail"].as_str().unwrap().contains("no parameters"), "{answer:?}");
    // What is right beside the noise still counts.
    let fields = world.get("/v1/fields?_=1&limit=1&utm_source=x").json();
    assert_eq!(fields["items"].as_array().unwrap().len(), 1);
    let next = fields["next"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/fields?utm_source=x&cursor={next}&_=2")).status, 200);
    assert_eq!(world.get("/v1/fields?l%69mit=1").json()["items"].as_array().unwrap().len(), 1);
    for twice in ["/v1/fields?limit=1&limit=2", "/v1/fields?limit=1&l%69mit=2", "/v1/fields?limit="] {
        assert_eq!(world.get(twice).code(), "query-invalid", "{twice}");
    }
    assert_eq!(world.get("/v1/parked?code=trap").status, 200, "the older name");
}
