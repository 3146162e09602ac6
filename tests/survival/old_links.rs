//! Identifiers that a host of fbc9974 linked by its own normal forms: whoever was found still is, other
//! spellings find them too, and two links that are one name today are a conflict and never joined.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::old_identity::{answers, opened, profiles, requests, send};
use samsyn_harness::world::World;

/// As much of an event as is asked for here: some have numbers that are none of Rust's.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    identifiers: BTreeMap<String, String>,
}

/// What programs write where they know no value: refused today, whomever it found.
const REJECTED: [&str; 8] = ["null", "undefined", "none", "0", "[object Object]", "NaN", "unknown", "n/a"];

/// The profile that one identifier finds, or the code of the problem.
fn found(world: &World, identifier: &str, value: &str) -> Result<String, String> {
    let answer = world.json("POST", "/v1/profiles/lookup", &json!({ identifier: value }));
    let body = answer.json();
    match answer.status {
        200 => Ok(body["id"].as_str().expect("an id").to_owned()),
        _ => Err(body["code"].as_str().expect("a code").to_owned()),
    }
}

/// The profile that the fixture's request with this id went to.
fn owner_of(id: &str) -> String {
    let answer = answers().into_iter().find(|answer| answer["id"] == id);
    answer.expect("the fixture has it")["profile"].as_str().expect("an id").to_owned()
}

#[test]
fn whoever_an_old_spelling_found_it_finds_still() {
    let mut world = opened();
    let check = |world: &World| {
        let mut wrong = Vec::new();
        for (body, answer) in requests().iter().zip(answers()) {
            let Event { identifiers } = serde_json::from_str(body).expect("it is JSON");
            let [(name, value)] = &identifiers.iter().collect::<Vec<_>>()[..] else { continue };
            let is = found(world, name, value);
            // What programs write for no value finds nobody any more.
            let rejected = REJECTED.contains(&value.as_str());
            let was = answer["profile"].as_str().expect("an id").to_owned();
            if (rejected && is != Err("identifier-invalid".to_owned()))
                || (!rejected && is != Ok(was.clone()))
            {
                wrong.push(format!("{name} {value:?} found {was}, and now {is:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
    check(&world);
    assert!(world.stop().success());
    world.start();
    check(&world);
}

#[test]
fn an_event_with_an_old_spelling_is_the_same_customers() {
    let world = opened();
    let before = world.status()["profiles"].clone();
    for (id, spelling) in
        [("phone-2", "+46 (0)70-123 45 67"), ("phone-3", "tel:+46701234567"), ("phone-8", "1-800-FLOWERS")]
    {
        let body =
            json!({"id": format!("{id}-again"), "name": "page.seen", "identifiers": {"phone": spelling}});
        let answer = send(&world, &body.to_string()).of(202);
        assert_eq!(answer["profile"], owner_of(id), "{spelling}");
    }
    // What was never linked is no number today.
    assert_eq!(found(&world, "phone", "1-800-MATTRESS"), Err("identifier-invalid".to_owned()));
    world.settle();
    assert_eq!(world.status()["profiles"], before);
}

#[test]
fn another_spelling_finds_who_had_one_and_links_that_are_one_today_are_conflicts() {
    let world = opened();
    for (spelling, id) in [
        ("+46-70-123-45-67", "phone-1"),
        ("\u{ff0b}46 70 123 45 67", "phone-1"),
        ("+46 070 123 45 68", "phone-13"),
        ("tel:+46-70-123-45-69", "phone-15"),
    ] {
        assert_eq!(found(&world, "phone", spelling), Ok(owner_of(id)), "{spelling}");
    }
    let listed = world.get("/v1/identifiers/conflicts?limit=1000").of(200);
    let conflicts = |profile: &str| {
        let items = listed["items"].as_array().expect("a list");
        items.iter().find(|item| item["profile"] == profile).map(|item| item["conflicts"].clone())
    };
    for id in ["phone-2", "phone-3"] {
        let of = conflicts(&owner_of(id)).expect("it is listed");
        assert_eq!(of[0]["belongs_to"], owner_of("phone-1"), "{of}");
    }
    // Nobody is joined: each profile of before is there, and lists what finds it.
    for (id, was) in profiles() {
        let is = world.get(&format!("/v1/profiles/{id}")).of(200);
        for (name, values) in is["identifiers"].as_object().expect("identifiers") {
            for value in values.as_array().expect("a list") {
                let value = value.as_str().expect("a text");
                match found(&world, name, value) {
                    Ok(owner) => assert_eq!(owner, id, "{name} {value:?}"),
                    Err(code) => assert_eq!(code, "identifier-invalid", "{name} {value:?}"),
                }
                let shown = format!("{} {}", was["identifiers"][name], was["fields"]);
                assert!(shown.contains(value.trim()), "{name} {value:?} is new");
            }
        }
    }
}

#[test]
fn who_shows_a_number_that_its_owner_left_before_has_it_now() {
    let world = opened();
    assert_eq!(found(&world, "phone", "+46702223344"), Ok(owner_of("crm-2")));
    assert_eq!(found(&world, "phone", "+46702223355"), Ok(owner_of("crm-1")));
    // Still the first one's, and the second one's conflict.
    assert_eq!(found(&world, "phone", "+46702223377"), Ok(owner_of("crm-8")));
    let second = world.get(&format!("/v1/profiles/{}", owner_of("crm-9"))).of(200);
    assert_eq!(second["conflicts"][0]["belongs_to"], owner_of("crm-8"), "{second}");
}
