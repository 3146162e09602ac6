//! What a client that waits for the decision learns when it looks at nothing but the status, or at the
//! member that says it all: a refusal must not pass for a success.

use serde_json::{Value, json};

use super::world::{Answered, World};

const CUSTOMER: &str = "/v1/profiles/customer_id:7";

/// A host with the probe, which knows customer 7.
fn known() -> World {
    let world = World::probed();
    let seen = world.decided("POST", "/v1/events", &script_event(json!([])));
    assert_eq!(seen.status, 200, "{seen:?}");
    world
}

/// The probe is asked to do this for customer 7.
fn script_event(script: Value) -> Value {
    json!({"name": "probe.asked", "identifiers": {"customer_id": "7"}, "properties": {"script": script}})
}

fn patch(world: &World, more: &[(&str, &str)], fields: &Value) -> Answered {
    let mut headers = vec![("content-type", "application/merge-patch+json")];
    headers.extend_from_slice(more);
    world.send("PATCH", CUSTOMER, &headers, json!({ "fields": fields }).to_string().as_bytes())
}

#[test]
fn a_waited_patch_over_what_was_not_seen_is_a_412() {
    let world = known();
    let stale = world.get(CUSTOMER).header("etag").to_owned();
    let wait = ("prefer", "wait=30");
    let fresh = patch(&world, &[wait, ("if-match", &stale)], &json!({"note": "first"}));
    assert_eq!((fresh.status, &fresh.json()["verdict"]), (200, &json!("taken")));
    let late =
        patch(&world, &[wait, ("if-match", &stale)], &json!({"note": "second", "email": "a@b.example"}));
    assert_eq!((late.status, late.code().as_str()), (412, "precondition-failed"));
    assert_eq!(late.header("preference-applied"), "wait=30");
    let problem = late.json();
    assert_eq!(problem["retryable"], false, "the same would fail again");
    let event = &problem["event"];
    assert_eq!(event["verdict"], "refused");
    for field in ["note", "email"] {
        assert_eq!(event["fields"][field]["outcome"], "precondition-failed", "{problem}");
    }
    // What was proposed is in the log, and can be looked up where the answer says.
    assert_eq!(world.get(late.header("location")).json(), *event);
    assert_eq!(world.get(CUSTOMER).json()["fields"]["note"], "first");
    let any = patch(&world, &[wait, ("if-match", "*")], &json!({"note": "third"}));
    assert_eq!(any.status, 200, "{any:?}");
    // Without waiting the result comes later.
    let later = patch(&world, &[("if-match", &stale)], &json!({"note": "fourth"}));
    assert_eq!(later.status, 202);
}

#[test]
fn a_waited_patch_that_a_source_refuses_is_a_422() {
    let world = known();
    let wait = [("prefer", "wait=30")];
    for (fields, refused, taken) in [
        (json!({"note": "!refuse"}), &["note"][..], &[][..]),
        (json!({"note": "!refuse", "other_note": "!refuse"}), &["note", "other_note"], &[]),
        (json!({"note": "!refuse", "other_note": "fine"}), &["note"], &["other_note"]),
        (json!({"note": "!silent"}), &["note"], &[]),
        (json!({"note": "!silent", "other_note": "fine"}), &["note"], &["other_note"]),
    ] {
        let answer = patch(&world, &wait, &fields);
        assert_eq!((answer.status, answer.code().as_str()), (422, "proposal-refused"), "{fields}");
        let problem = answer.json();
        let detail = problem["detail"].as_str().unwrap();
        for field in refused {
            assert!(detail.contains(field), "{detail}");
            let outcome = problem["event"]["fields"][field]["outcome"].as_str().unwrap();
            assert!(matches!(outcome, "refused" | "no-answer"), "{problem}");
            if outcome == "refused" {
                assert!(
                    detail.contains("probe.refused") && detail.contains("The probe was told to."),
                    "{detail}"
                );
            }
        }
        for field in taken {
            assert_eq!(problem["event"]["fields"][field]["outcome"], "accepted", "{problem}");
        }
        assert_eq!(problem["event"]["verdict"], "refused");
        assert_eq!(world.get(answer.header("location")).json(), problem["event"]);
    }
    for (fields, verdict) in [
        (json!({"note": "fine"}), "taken"),
        (json!({"note": "!shout fine"}), "taken"),
        (json!({"note": null}), "taken"),
        // Nobody sources it yet: it is held.
        (json!({"email": "anna@example.com"}), "open"),
        (json!({"email": "anna@example.com", "note": "x"}), "open"),
    ] {
        let answer = patch(&world, &wait, &fields);
        assert_eq!((answer.status, &answer.json()["verdict"]), (200, &json!(verdict)), "{fields}");
    }
    let unwaited = patch(&world, &[], &json!({"note": "!refuse"}));
    assert_eq!(unwaited.status, 202, "who doesn't wait is told later");
}

#[test]
fn a_decided_event_says_first_what_became_of_it() {
    let world = known();
    let seen = |more: Value| {
        let mut event = json!({"name": "seen", "identifiers": {"customer_id": "7"}});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    for (event, verdict) in [
        (seen(json!({})), "unheard"),
        (script_event(json!([])), "taken"),
        (script_event(json!(["text note hello"])), "taken"),
        (script_event(json!(["refuse order.amount"])), "refused"),
        (script_event(json!(7)), "refused"),
        (seen(json!({"proposes": {"note": "fine"}})), "taken"),
        (seen(json!({"proposes": {"note": "!shout fine"}})), "taken"),
        (seen(json!({"proposes": {"note": "!refuse"}})), "refused"),
        (seen(json!({"proposes": {"note": "!refuse", "other_note": "fine"}})), "refused"),
        (seen(json!({"proposes": {"note": "!silent"}})), "refused"),
        (seen(json!({"proposes": {"email": "anna@example.com"}})), "open"),
        // A refusal is told though something else waits.
        (seen(json!({"proposes": {"email": "anna@example.com", "note": "!refuse"}})), "refused"),
        // It waits for an administrator. The last, for what follows of this customer is held behind it.
        (script_event(json!(["fail on purpose"])), "open"),
    ] {
        let decided = world.decided("POST", "/v1/events", &event);
        assert_eq!((decided.status, &decided.json()["verdict"]), (200, &json!(verdict)), "{event}");
        let position = decided.json()["position"].as_str().unwrap().to_owned();
        assert_eq!(world.get(&format!("/v1/events/{position}")).json(), decided.json(), "{event}");
    }
}

#[test]
fn what_another_than_the_source_refuses_decides_nothing() {
    let world = known();
    // The probe claims the field, and no source.
    let none = json!({"source": null, "mode": "clear"});
    assert_eq!(world.json("PUT", "/v1/fields/note/source", &none).status, 200);
    let answer = patch(&world, &[("prefer", "wait=30")], &json!({"note": "!refuse"}));
    assert_eq!((answer.status, &answer.json()["verdict"]), (200, &json!("open")), "{answer:?}");
    assert_eq!(answer.json()["fields"]["note"]["outcome"], "no-source");
    assert_eq!(answer.json()["outcomes"][0]["refusals"][0]["code"], "probe.refused");
}

#[test]
fn that_nobody_hears_an_event_is_told_to_its_sender() {
    let world = known();
    let shop = world.token("shop", &["events:write"]);
    let wait = [("prefer", "wait=30")];
    let verdict = |event: &Value| {
        let answer = world.send_as(&shop, "POST", "/v1/events", &wait, event);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["outcomes"], json!([]), "neither tells it anything of plug-ins");
        answer.json()["verdict"].clone()
    };
    assert_eq!(verdict(&script_event(json!([]))), "taken");
    // What a plug-in says of a customer in a code of its own isn't a sender's to see, nor that it said it.
    assert_eq!(verdict(&script_event(json!(["refuse order.amount"]))), "taken");
    let mistyped = json!({"name": "prope.asked", "identifiers": {"customer_id": "7"}});
    assert_eq!(verdict(&mistyped), "unheard");
}

#[test]
fn who_may_propose_a_field_reads_code_and_message_of_its_refusal() {
    let world = known();
    let form = world.token("form", &["events:write", "profiles:propose=note"]);
    let desk = world.token("desk", &["profiles:read=note,identifier:customer_id"]);
    let wait = [("prefer", "wait=30")];
    let event = json!({"id": "r1", "name": "seen", "identifiers": {"customer_id": "7"}, "proposes": {"note": "!refuse"}});
    let refused = world.send_as(&form, "POST", "/v1/events", &wait, &event).json();
    let outcome = json!({"outcome": "refused", "source": "probe", "proposed": "!refuse",
                      "code": "probe.refused", "message": "The probe was told to."});
    assert_eq!(refused["fields"]["note"], outcome);
    let refusal = json!({"field": "note", "code": "probe.refused", "message": "The probe was told to."});
    assert_eq!(refused["outcomes"][0]["refusals"], json!([refusal]), "{refused}");
    let get = |token: &str, path: &str| world.send_as(token, "GET", path, &[], &Value::Null).json();
    assert_eq!(get(&form, "/v1/events/r1")["fields"]["note"], outcome);
    let listed = get(&form, "/v1/refusals")["items"][0].clone();
    assert_eq!(
        (&listed["code"], &listed["message"]),
        (&json!("probe.refused"), &json!("The probe was told to."))
    );
    // A token that only reads the field sees that it was rejected, and not the message.
    let timeline = get(&desk, &format!("{CUSTOMER}/timeline"));
    let refusals = &timeline["items"][0]["outcomes"][0]["refusals"];
    assert_eq!(*refusals, json!([{"field": "note", "code": "probe.refused"}]), "{timeline}");
}

#[test]
fn an_unfit_property_is_told_by_name_expected_type_and_what_came() {
    let world = known();
    let shop = world.token("shop", &["events:write"]);
    for (script, got) in [
        (json!(7), "a number"),
        (json!("text"), "a text"),
        (json!({"a": 1}), "an object"),
        (json!(true), "a boolean"),
        (json!([["a"]]), "a list with other things than texts"),
    ] {
        let wait = [("prefer", "wait=30")];
        let answer = world.send_as(&shop, "POST", "/v1/events", &wait, &script_event(script.clone())).json();
        let message = format!("property script: expected texts, got {got}");
        let refusals = json!([{"code": "property.type", "message": message}]);
        assert_eq!(answer["outcomes"][0]["refusals"], refusals, "{script}: {answer}");
        assert_eq!(answer["verdict"], "refused");
    }
    let listed = world.send_as(&shop, "GET", "/v1/refusals?limit=1", &[], &Value::Null).json();
    assert!(listed["items"][0]["message"].as_str().unwrap().starts_with("property script: "), "{listed}");
}

#[test]
fn a_plug_in_cannot_speak_with_the_hosts_own_codes() {
    let world = known();
    for code in ["property.type", "property.missing"] {
        let mut event = script_event(json!([format!("refuse {code}")]));
        event["identifiers"]["customer_id"] = code.into();
        let answer = world.decided("POST", "/v1/events", &event).json();
        assert_eq!(answer["outcomes"][0]["refusals"][0]["code"], "refuse.code", "{answer}");
        assert_eq!(answer["verdict"], "open", "the plug-in made an error of it: {answer}");
    }
}
