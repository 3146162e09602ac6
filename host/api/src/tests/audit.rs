//! Reads of personal data are recorded before they are answered, or not answered.

use serde_json::{Value, json};

use super::world::World;

fn reads(world: &World, query: &str) -> Vec<Value> {
    let answer = world.get(&format!("/v1/audit/reads?{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

fn send_seen(world: &World) {
    let answer = world.decided(
        "POST",
        "/v1/events",
        &json!({"name": "seen", "identifiers": {"customer_id": "00042", "email": "anna@example.com"}}),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_read_is_recorded_with_who_what_and_why_and_no_value() {
    let world = World::new().furnished();
    send_seen(&world);
    assert_eq!(reads(&world, ""), [] as [Value; 0], "an event's outcome without values is no read");
    let headers = [("samsyn-application", "desk"), ("samsyn-purpose", "ticket 17")];
    let answer = world.send("GET", "/v1/profiles/customer_id:00042", &headers, b"");
    assert_eq!(answer.status, 200);
    let profile = answer.json()["id"].clone();
    let found = reads(&world, "by=desk");
    assert_eq!(found.len(), 1);
    let read = &found[0];
    assert_eq!(read["call"], "GET /v1/profiles/{ref}");
    assert_eq!(read["identifiers"], json!(["customer_id", "email"]));
    assert_eq!(
        (&read["profile"], &read["purpose"], &read["fields"]),
        (&profile, &json!("ticket 17"), &json!([]))
    );
    assert!(!read.to_string().contains("anna") && !read.to_string().contains("00042"), "{read}");
    // A look-up is a read as well; that nothing has changed is none.
    assert_eq!(world.json("POST", "/v1/profiles/lookup", &json!({"email": "anna@example.com"})).status, 200);
    let etag = answer.header("etag").to_owned();
    let again = world.send("GET", "/v1/profiles/customer_id:00042", &[("if-none-match", &etag)], b"");
    assert_eq!(again.status, 304);
    assert_eq!(reads(&world, "").len(), 2);
    assert_eq!(reads(&world, "field=email&profile=customer_id:00042&since=2026-11-21T10:00:00Z").len(), 2);
    assert_eq!(reads(&world, "until=2026-11-21T10:00:00Z").len(), 0);
    assert_eq!(reads(&world, "field=first_name").len(), 0);
    for (query, code) in [
        ("since=yesterday", "query-invalid"),
        ("who=me", "query-invalid"),
        ("cursor=x", "cursor-invalid"),
        ("profile=nobody", "reference-invalid"),
        ("profile=customer_id:1", "unknown-profile"),
    ] {
        assert_eq!(world.get(&format!("/v1/audit/reads?{query}")).code(), code, "{query}");
    }
    let answer =
        world.send("GET", "/v1/profiles/customer_id:00042", &[("samsyn-purpose", &"x".repeat(201))], b"");
    assert_eq!(answer.code(), "purpose-invalid");
}

#[test]
fn when_reads_cant_be_recorded_only_they_are_refused() {
    let world = World::with_a_full_audit_disk().furnished();
    assert_eq!(world.get("/v1/status").json()["audit"]["state"], "ok");
    send_seen(&world);
    for _ in 0..2 {
        let refused = world.get("/v1/profiles/customer_id:00042");
        assert_eq!((refused.status, refused.code().as_str()), (503, "audit-unavailable"));
        assert_eq!(refused.header("retry-after"), "1");
        assert!(!refused.text.contains("anna"), "{refused:?}");
    }
    // Nobody is told whether somebody exists by another way.
    assert_eq!(world.get("/v1/profiles/customer_id:1").code(), "unknown-profile");
    assert_eq!(world.json("POST", "/v1/profiles/lookup", &json!({"email": "anna@example.com"})).status, 503);
    // Everything else goes on.
    send_seen(&world);
    let patch = json!({"fields": {"first_name": "Ann"}});
    assert_eq!(world.decided("PATCH", "/v1/profiles/customer_id:00042", &patch).status, 200);
    assert_eq!(world.get("/v1/profiles/customer_id:00042/timeline").status, 200, "it shows no value");
    assert_eq!(world.get("/v1/fields").status, 200);
    let status = world.get("/v1/status").json();
    assert_eq!((&status["audit"]["state"], &status["audit"]["refused"]), (&json!("failed"), &json!(3)));
    let ready = world.raw("GET", "/readyz", &[], b"");
    assert_eq!(ready.status, 200);
    assert!(ready.json()["personal_reads"]["refused"].as_str().unwrap().contains("can't write"), "{ready:?}");
    let metrics = world.get("/metrics").text;
    assert!(metrics.contains("\nsamsyn_audit_available 0\n"), "{metrics}");
    assert!(metrics.contains("\nsamsyn_audit_refused_total 3\n"), "{metrics}");
}

#[test]
fn changes_are_told_in_pages_with_who_and_why() {
    let world = World::new().furnished();
    let define = json!({"type": "text", "class": "personal", "description": "the given name"});
    let made = world.json("POST", "/v1/tokens", &json!({"name": "maria", "scopes": ["registry:write"]}));
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let path = "/v1/fields/first_name?reason=ticket%2018";
    let json = [("content-type", "application/json")];
    assert_eq!(world.send_as(&secret, "PUT", path, &json, &define).status, 200);
    let ask = |query: &str| {
        let answer = world.get(&format!("/v1/audit/changes?{query}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let found = ask("by=maria");
    let change = &found["items"][0];
    let sentence = "maria changed the field first_name: description none → the given name: ticket 18";
    assert_eq!(change["sentence"], sentence);
    assert_eq!((&change["kind"], &change["reason"]), (&json!("field-defined"), &json!("ticket 18")));
    assert_eq!(change["fields"], json!(["first_name"]));
    assert_eq!(change["details"]["class"], "personal");
    assert_eq!(ask("field=first_name&kind=field-defined")["items"].as_array().unwrap().len(), 2);
    assert_eq!(ask("kind=admin-token-made&by=host")["items"].as_array().unwrap().len(), 1);
    // The whole history, one a page, is that of the registry: every revision once, newest first.
    let (mut revisions, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask(&format!("limit=1{cursor}"));
        revisions
            .extend(page["items"].as_array().unwrap().iter().map(|item| item["revision"].as_u64().unwrap()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let newest = world.engine.registry().revision;
    assert!(revisions.iter().copied().eq((1..=newest).rev()), "{revisions:?}");
}

#[test]
fn the_logs_heads_are_told_and_read_back() {
    let world = World::new().furnished();
    send_seen(&world);
    assert_eq!(world.get("/v1/profiles/customer_id:00042").status, 200);
    let answer = world.get("/v1/log/head");
    assert_eq!(answer.status, 200);
    let noted = samsyn_audit::parse(&answer.text).unwrap();
    assert_eq!(noted["log"].digest, world.engine.log().cut().digest());
    assert_eq!(noted["audit"].heads.len(), 1);
}
