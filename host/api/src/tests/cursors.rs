//! A cursor belongs to one list: of this profile or field, with these filters.

use serde_json::{Value, json};

use super::world::World;

fn script_event(customer: &str, script: Value) -> Value {
    json!({"name": "probe.asked", "identifiers": {"customer_id": customer}, "properties": {"script": script}})
}

/// A host on which every list with filters has more than one page.
fn busy() -> World {
    let world = World::probed();
    for customer in ["1", "2", "3"] {
        for text in ["a", "b", "c"] {
            let script = json!([format!("text note {customer}{text}"), format!("text other_note {text}")]);
            assert_eq!(world.decided("POST", "/v1/events", &script_event(customer, script)).status, 200);
            let refused =
                world.decided("POST", "/v1/events", &script_event(customer, json!(["refuse no.thanks"])));
            assert_eq!(refused.json()["state"], "decided");
        }
        assert_eq!(world.get(&format!("/v1/profiles/customer_id:{customer}")).status, 200);
    }
    for customer in ["1", "2", "3"] {
        let parked = world.decided("POST", "/v1/events", &script_event(customer, json!(["fail on purpose"])));
        assert_eq!(parked.json()["state"], "parked", "{parked:?}");
    }
    world
}

/// The path with one more parameter.
fn with(path: &str, more: &str) -> String {
    format!("{path}{}{more}", if path.contains('?') { '&' } else { '?' })
}

#[test]
fn a_cursor_goes_on_with_its_own_list_alone() {
    let world = busy();
    let profile = world.get("/v1/profiles/customer_id:1").json()["id"].as_str().unwrap().to_owned();
    // Each list, the same list asked for in another way, and lists of the same call that are others.
    for (list, same, others) in [
        (
            "/v1/profiles/customer_id:1/timeline",
            format!("/v1/profiles/{profile}/timeline"),
            &["/v1/profiles/customer_id:2/timeline", "/v1/profiles/customer_id:3/timeline"][..],
        ),
        ("/v1/fields/note/claims", "/v1/fields/note/claims".into(), &["/v1/fields/other_note/claims"]),
        (
            "/v1/refusals?capability=probe",
            "/v1/refusals?capability=probe".into(),
            &[
                "/v1/refusals",
                "/v1/refusals?capability=probe&code=no.thanks",
                "/v1/refusals?capability=probe&application=admin",
                "/v1/refusals?capability=probe&since=2026-11-21T09:00:00Z",
                "/v1/refusals?capability=other",
                "/v1/refusals?code=probe",
                "/v1/refusals?application=probe",
            ],
        ),
        (
            "/v1/refusals?since=2026-11-21T09:00:00Z",
            "/v1/refusals?since=2026-11-21T09:00:00Z".into(),
            &["/v1/refusals", "/v1/refusals?since=2026-11-21T10:00:00Z"],
        ),
        (
            "/v1/parked?kind=error",
            "/v1/parked?code=error".into(),
            &["/v1/parked", "/v1/parked?kind=trap", "/v1/parked?kind=error&capability=probe"],
        ),
        (
            "/v1/audit/reads?by=admin",
            "/v1/audit/reads?by=admin".into(),
            &[
                "/v1/audit/reads",
                "/v1/audit/reads?by=web",
                "/v1/audit/reads?field=admin",
                "/v1/audit/reads?by=admin&until=2026-12-01T00:00:00Z",
                "/v1/audit/reads?by=admin&since=2026-01-01T00:00:00Z",
                "/v1/audit/reads?by=admin&profile=customer_id:1",
            ],
        ),
        (
            "/v1/audit/changes?by=admin",
            "/v1/audit/changes?by=admin".into(),
            &[
                "/v1/audit/changes",
                "/v1/audit/changes?kind=admin",
                "/v1/audit/changes?field=admin",
                "/v1/audit/changes?capability=admin",
                "/v1/audit/changes?by=admin&kind=field-defined",
                "/v1/audit/changes?by=admin&since=2026-01-01T00:00:00Z",
            ],
        ),
        ("/v1/fields", "/v1/fields".into(), &["/v1/identifiers", "/v1/capabilities", "/v1/tokens"]),
    ] {
        let first = world.get(&with(list, "limit=1")).json();
        let next = first["next"].as_str().unwrap_or_else(|| panic!("{list} has one page: {first}"));
        let cursor = format!("cursor={next}");
        let second = world.get(&with(&same, &cursor));
        assert_eq!(second.status, 200, "{list}: {second:?}");
        assert_ne!(second.json()["items"][0], first["items"][0], "{list}");
        assert_eq!(world.get(&with(&same, &format!("{cursor}&limit=2"))).status, 200, "{list}: of any size");
        for other in others {
            let answer = world.get(&with(other, &cursor));
            assert_eq!((answer.status, answer.code().as_str()), (400, "cursor-invalid"), "{list} on {other}");
        }
    }
}

#[test]
fn an_audit_of_one_profile_is_the_same_by_every_name_of_it() {
    let world = busy();
    let profile = world.get("/v1/profiles/customer_id:2").json()["id"].as_str().unwrap().to_owned();
    world.get("/v1/profiles/customer_id:2");
    let first = world.get("/v1/audit/reads?profile=customer_id:2&limit=1").json();
    let cursor = first["next"].as_str().unwrap_or_else(|| panic!("{first}"));
    assert_eq!(world.get(&format!("/v1/audit/reads?profile={profile}&cursor={cursor}")).status, 200);
    let other = world.get(&format!("/v1/audit/reads?profile=customer_id:1&cursor={cursor}"));
    assert_eq!(other.code(), "cursor-invalid");
}
