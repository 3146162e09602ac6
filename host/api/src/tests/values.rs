//! What an application's values are taken for: texts with line ends of other systems, times that can't
//! be, and an event that comes again in another spelling.

use serde_json::{Value, json};

use super::world::World;
use crate::ApiLimits;
use samsyn_engine::EngineConfig;
use samsyn_vocabulary::{Position, Value as Held};

/// Sends an event with this member beside its name and identifier, as it stands.
fn send(world: &World, member: &str) -> super::world::Answered {
    world.event(format!("{{\"name\":\"seen\",\"identifiers\":{{\"customer_id\":\"7\"}},{member}}}"))
}

/// The properties of an event that was taken, as the log has them.
fn kept(world: &World, answer: &Value) -> Vec<(String, String)> {
    let position: Position = answer["position"].as_str().expect("it was taken").parse().unwrap();
    let decisions = loop {
        match world.engine.query().decisions(position).unwrap() {
            Some(decisions) => break decisions,
            None => std::thread::yield_now(),
        }
    };
    let json = |value: &Held| match value {
        Held::Json(json) => json.clone(),
        other => panic!("{other:?}"),
    };
    let properties = decisions.accepted.event.properties.iter();
    properties.map(|property| (property.name.clone(), json(&property.value))).collect()
}

#[test]
fn an_event_written_in_another_way_is_a_duplicate_over_http() {
    let world = World::new().furnished();
    let first = r#"{"id":"A1","name":"seen","at":"2026-11-20T10:00:00.500Z","identifiers":{"customer_id":"7","email":"a@example.com"},
        "properties":{"amount":10.00,"city":"G\u00e5rdsby","cart":{"b":1,"a":[1,2]}},"proposes":{"credit":"12.50","email":"a@example.com"}}"#;
    let again = r#"{"proposes":{"email":"a@example.com","credit":12.5},"properties":{"cart":{"a":[1.0,2],"b":1},"city":"Gårdsby","amount":1e1},
        "identifiers":{"email":"a@example.com","customer_id":"7"},"at":"2026-11-20T11:00:00.5+01:00","name":"seen","id":"A1"}"#;
    let first = world.event(first);
    assert_eq!(first.status, 202, "{first:?}");
    let again = world.event(again);
    assert_eq!(again.status, 202, "{again:?}");
    assert_eq!(again.json()["duplicate"], true);
    assert_eq!(again.json()["position"], first.json()["position"]);
}

#[test]
fn a_text_with_other_line_ends_or_nuls_at_its_end_is_taken() {
    let world = World::new().furnished();
    for (sent, taken) in [
        (r#""STOP\r\n""#, r#""STOP\n""#),
        (r#""STOP\r""#, r#""STOP\n""#),
        (r#""STOP\u0000""#, r#""STOP""#),
        (r#""STOP\u0000\u0000\u0000""#, r#""STOP""#),
        (r#""STOP\r\n\u0000""#, r#""STOP\n""#),
        (r#""STOP\u0000\r\n""#, r#""STOP\n""#),
        (r#""\u000d\u000A""#, r#""\n""#),
        (r#""one\r\ntwo\rthree\n""#, r#""one\ntwo\nthree\n""#),
        (r#""\r\r\n""#, r#""\n\n""#),
        (r#""a\n\r""#, r#""a\n\n""#),
        (r#"{"a":["x\r\n",{"b":"y\u0000"}],"c":1.50}"#, r#"{"a":["x\n",{"b":"y"}],"c":1.50}"#),
        (r#"["\\r\r\n", "\\u0000"]"#, r#"["\\r\n", "\\u0000"]"#),
        (r#""G\u00e5rdsby""#, r#""G\u00e5rdsby""#),
    ] {
        let answer = send(&world, &format!("\"properties\":{{\"body\":{sent}}}"));
        assert_eq!(answer.status, 202, "{sent}: {answer:?}");
        assert_eq!(kept(&world, &answer.json()), [("body".to_owned(), taken.to_owned())], "{sent}");
    }
}

#[test]
fn a_text_that_would_lose_something_is_still_refused() {
    let world = World::new().furnished();
    for sent in [
        r#""\u0000""#,
        r#""\r""#,
        r#""ST\u0000OP""#,
        r#""\u0000STOP""#,
        r#""STOP\u0007""#,
        r#""\u001b[2J""#,
        r#""a\b""#,
        r#""a\f""#,
        r#""a\u000b""#,
        r#""a\u0085""#,
        "\"a\u{7f}\"",
        "\"a\u{9f}\"",
        r#""a\u0000\u0007""#,
        r#"["STOP\r\n","\u0007"]"#,
        // A key is a name: two of them must not become one.
        r#"{"a\r\n":1}"#,
        r#"{"a\u0000":1}"#,
    ] {
        for member in
            [format!("\"properties\":{{\"body\":{sent}}}"), format!("\"proposes\":{{\"first_name\":{sent}}}")]
        {
            let answer = send(&world, &member);
            assert_eq!((answer.status, answer.code().as_str()), (422, "control-characters"), "{member}");
        }
    }
    assert_eq!(send(&world, r#""properties":{"a\r\n":1}"#).code(), "name-invalid");
}

#[test]
fn a_proposed_text_is_taken_in_the_same_way() {
    let world = World::new().furnished();
    let body =
        json!({"name": "seen", "identifiers": {"customer_id": "8"}, "proposes": {"first_name": "Ann\r\n"}});
    let answer = world.decided("POST", "/v1/events", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["fields"]["first_name"]["proposed"], "Ann\n");
    let patch = json!({"fields": {"first_name": "Bo\u{0}"}});
    let headers = [("content-type", "application/merge-patch+json"), ("prefer", "wait=30")];
    let answer = world.send("PATCH", "/v1/profiles/customer_id:8", &headers, patch.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["fields"]["first_name"]["proposed"], "Bo");
}

#[test]
fn a_proposal_for_a_text_is_no_number() {
    let world = World::new().furnished();
    for number in ["7", "-5", "46701234567", "1.5", "true"] {
        let answer = send(&world, &format!("\"proposes\":{{\"first_name\":{number}}}"));
        assert_eq!((answer.status, answer.code().as_str()), (422, "wrong-type"), "{number}");
    }
}

#[test]
fn a_proposed_value_that_no_plug_in_can_read_is_refused() {
    let world = World::new().furnished();
    assert_eq!(world.json("PUT", "/v1/fields/cart", &json!({"type": "json"})).status, 200);
    let long = "1".repeat(400);
    let (long, deep) = (long.as_str(), format!("{{\"a\":[{{\"b\":-{long}}}]}}"));
    for (field, value) in [
        ("cart", long),
        ("cart", deep.as_str()),
        ("credit", "12345678901234567890123456789"),
        ("credit", "0.1234567890123456789012345678901234567890"),
        ("credit", "\"1e28\""),
        ("cart", "1e400"),
    ] {
        let answer = send(&world, &format!("\"id\":\"an-id\",\"proposes\":{{\"{field}\":{value}}}"));
        assert_eq!((answer.status, answer.code().as_str()), (422, "wrong-type"), "{field}: {value}");
    }
    let taken = send(&world, "\"proposes\":{\"credit\":1234567890123456789012345678}");
    assert_eq!(taken.status, 202, "{taken:?}");
    // The same by the other way in.
    let patch = |value: &str| {
        let body = format!("{{\"fields\":{{\"cart\":{value}}}}}");
        world.send(
            "PATCH",
            "/v1/profiles/customer_id:7",
            &[("content-type", "application/json")],
            body.as_bytes(),
        )
    };
    for value in [long, "[1e400]"] {
        assert_eq!(patch(value).code(), "wrong-type", "{value}");
        assert!(patch(value).json()["detail"].as_str().unwrap().contains("double"), "{value}");
    }
    assert_eq!(patch("[1e308, 123456789012345678901234567890]").status, 202);
}

#[test]
fn a_number_is_proposed_in_any_spelling_of_a_double() {
    let world = World::new().furnished();
    assert_eq!(world.json("PUT", "/v1/fields/score", &json!({"type": "number"})).status, 200);
    for (sent, held) in [
        ("1e100", "1e100"),
        ("2.2e-308", "2.2e-308"),
        ("0.10000000000000001", "0.1"),
        ("0.1000000000000000055511151231257827021181583404541015625", "0.1"),
        ("1.0E+2", "100.0"),
    ] {
        let answer = send(&world, &format!("\"proposes\":{{\"score\":{sent}}}"));
        assert_eq!(answer.status, 202, "{sent}: {answer:?}");
        let event = format!("/v1/events/{}", answer.json()["position"].as_str().unwrap());
        let proposed = world.get(&event).json()["fields"]["score"]["proposed"].clone();
        assert_eq!(proposed.as_f64(), held.parse().ok(), "{sent}");
    }
    for sent in ["1e400", "9007199254740993", "1e-400", "true"] {
        assert_eq!(
            send(&world, &format!("\"proposes\":{{\"score\":{sent}}}")).code(),
            "wrong-type",
            "{sent}"
        );
    }
}

#[test]
fn an_event_before_the_floor_is_refused() {
    let world = World::new().furnished();
    let at = |at: &str| send(&world, &format!("\"at\":\"{at}\""));
    for early in [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0026-11-20T10:00:00Z",
        "1753-01-01T00:00:00Z",
        "1899-12-30T00:00:00Z",
        "1899-12-31T23:59:59.999Z",
        "1900-01-01T00:59:59+01:00",
    ] {
        let answer = at(early);
        assert_eq!((answer.status, answer.code().as_str()), (422, "event-time-early"), "{early}");
        let problem = answer.json();
        assert_eq!(problem["place"], "at", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("1900-01-01"), "{problem}");
    }
    for late in
        ["1900-01-01T00:00:00Z", "1900-01-01T01:00:00+01:00", "1969-12-31T23:59:59Z", "2026-11-20T10:00:00Z"]
    {
        assert_eq!(at(late).status, 202, "{late}");
    }
    let list = "[{\"name\":\"seen\",\"at\":\"0001-01-01T00:00:00Z\",\"identifiers\":{\"customer_id\":\"7\"}},\
                 {\"name\":\"seen\",\"identifiers\":{\"customer_id\":\"7\"}}]";
    let answer = world.event(list).json();
    assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(1), &json!(1)), "{answer}");
    assert_eq!(answer["events"][0]["problem"]["place"], "[0].at", "{answer}");
}

#[test]
fn the_floor_is_a_setting() {
    let engine: EngineConfig =
        serde_json::from_value(json!({"event_earliest": "1995-06-01"})).expect("it is a setting");
    let world = World::with(ApiLimits::default(), engine).furnished();
    let at = |at: &str| send(&world, &format!("\"at\":\"{at}\""));
    assert_eq!(at("1995-05-31T23:59:59Z").code(), "event-time-early");
    assert_eq!(at("1995-06-01T00:00:00Z").status, 202);
    for bad in ["1995-06-31", "yesterday", "1995", ""] {
        assert!(serde_json::from_value::<EngineConfig>(json!({"event_earliest": bad})).is_err(), "{bad}");
    }
}

#[test]
fn a_time_that_rfc_3339_does_not_have_is_refused() {
    let world = World::new().furnished();
    for at in [
        "2026-11-20T10:00:00+24:00",
        "2026-11-20T10:00:00+25:00",
        "2026-11-20T10:00:00-25:59",
        "2026-11-20T10:00:00+0100",
        "2026-11-20T10:00:00+01",
        "2026-11-20T10:00:00+01:00:00",
        "2026-11-20T10:00:00,5Z",
        "2026-11-20T10:00:60Z",
        "2026-11-20T24:00:00Z",
    ] {
        let answer = send(&world, &format!("\"id\":\"an-id\",\"at\":\"{at}\""));
        assert_eq!((answer.status, answer.code().as_str()), (422, "wrong-type"), "{at}");
        assert_eq!(answer.json()["place"], "at");
    }
}

#[test]
fn no_way_in_takes_a_time_that_rfc_3339_does_not_have() {
    let world = World::new().furnished();
    assert_eq!(world.json("PUT", "/v1/fields/seen_at", &json!({"type": "timestamp"})).status, 200);
    let event = r#"{"name":"seen","identifiers":{"customer_id":"7"}}"#;
    assert_eq!(world.event(event).status, 202);
    let in_query = |path: &str, at: &str| world.get(&format!("{path}{}", at.replace('+', "%2B"))).status;
    let answers = |at: &str| {
        let json = ("content-type", "application/json");
        let patch = format!("{{\"fields\":{{\"seen_at\":\"{at}\"}}}}");
        [
            send(&world, &format!("\"at\":\"{at}\"")).status,
            send(&world, &format!("\"proposes\":{{\"seen_at\":\"{at}\"}}")).status,
            world.send("PATCH", "/v1/profiles/customer_id:7", &[json], patch.as_bytes()).status,
            world.send("POST", "/v1/events", &[json, ("samsyn-ids-since", at)], event.as_bytes()).status,
            in_query("/v1/audit/reads?since=", at),
            in_query("/v1/audit/reads?until=", at),
            in_query("/v1/audit/changes?since=", at),
            in_query("/v1/audit/changes?until=", at),
            in_query("/v1/refusals?since=", at),
            world
                .json(
                    "POST",
                    "/v1/tokens?dry_run=true",
                    &json!({"name": "t", "scopes": ["admin"], "expires": at}),
                )
                .status,
        ]
    };
    for at in [
        "2026-11-22T09:00:00+24:00",
        "2026-11-22T09:00:00-24:00",
        "2026-11-22T09:00:00+25:59",
        "2026-11-22T09:00:00,5Z",
        "2026-11-22T09:00:00,5+01:00",
        "2026-11-22T09:00:00+0100",
        "2026-11-22T09:00:00",
        "2026-11-22",
    ] {
        for (number, status) in answers(at).into_iter().enumerate() {
            assert!(matches!(status, 400 | 422), "{at}: {number} answers {status}");
        }
    }
    for (number, status) in answers("2026-11-22T09:00:00.5+01:00").into_iter().enumerate() {
        assert!(status < 300, "{number} answers {status}");
    }
}
