//! A platform admin says what fields are: what they may hold, whose they are, and why that changed.

use serde_json::json;

use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::World;

#[test]
fn a_field_takes_what_its_definition_allows_from_apps_and_plug_ins_alike() {
    let world = World::new();
    let schema = json!({"maxLength": 5, "pattern": "^[a-z]+$"});
    let note = json!({"type": "text", "schema": schema, "class": "personal", "department": "Customer service",
                      "compare": "caseless", "description": "What was said"});
    let defined = world.json("PUT", "/v1/fields/probe.note?reason=SUP-7", &note).of(200);
    for (member, value) in note.as_object().into_iter().flatten() {
        assert_eq!(defined[member], *value, "{member}");
    }
    let count = json!({"type": "integer", "unit": "calls", "schema": {"minimum": 0}});
    world.json("PUT", "/v1/fields/probe.count", &count).of(200);
    world.install(&components::probe("probe", USUAL));
    let done = world.script("ann", &["text probe.note short", "integer probe.count 3"]);
    assert_eq!(done["outcomes"][0]["refusals"], json!([]), "{done}");
    assert_eq!(world.fields("ann"), json!({"probe.note": "short", "probe.count": 3}));
    // The plug-in is told, and so is whoever looks at the event; the value itself isn't repeated.
    let refused = world.script("bo", &["text probe.note secret42"]);
    let text = refused.to_string();
    assert!(text.contains("value.not-allowed") && !text.contains("secret42"), "{refused}");
    assert_eq!(world.fields("bo"), json!({}));
    let event =
        json!({"name": "seen", "identifiers": {"customer_id": "bo"}, "proposes": {"probe.note": "LOUD"}});
    let problem = world.json("POST", "/v1/events", &event);
    assert_eq!((problem.status, problem.problem()), (422, "value-not-allowed".to_owned()));
    let shown = world.run(&["field", "show", "probe.note"]).ok();
    assert!(shown.out.contains("Customer service") && shown.out.contains("caseless"), "{shown:?}");
}

#[test]
fn a_definition_that_makes_no_sense_is_refused_with_the_reason() {
    let world = World::shared();
    for (definition, named) in [
        (json!({"type": "text", "schema": {"type": "strong"}}), "schema"),
        (json!({"type": "text", "schema": {"$ref": "file:///etc/hostname"}}), "schema"),
        (json!({"type": "integer", "compare": "caseless"}), "compare"),
        (json!({"type": "integer", "unit": ""}), "unit"),
        (json!({"type": "text", "department": "Sales\u{7}"}), "control"),
    ] {
        let refused = world.json("PUT", "/v1/fields/nonsense", &definition);
        assert!([422, 400].contains(&refused.status), "{refused:?}");
        assert!(refused.text.contains(named), "{definition}: {refused:?}");
        refused.problem();
    }
    let reason = world.json("PUT", "/v1/fields/nonsense?reason=%0A", &json!({"type": "text"}));
    assert_eq!((reason.status, reason.problem()), (400, "query-invalid".to_owned()));
    assert_eq!(world.get("/v1/fields/nonsense").status, 404);
}

#[test]
fn a_manifest_that_disagrees_with_the_dictionary_is_refused_with_both_sides() {
    let world = World::new();
    let bonus = json!({"type": "decimal", "unit": "SEK", "class": "sensitive"});
    world.json("PUT", "/v1/fields/bonus", &bonus).of(200);
    world.json("PUT", "/v1/fields/handle", &json!({"type": "text", "compare": "digits"})).of(200);
    for (field, declared, dictionary, manifest) in [
        ("bonus", "type = \"integer\"", "decimal in the dictionary", "integer in the manifest"),
        ("bonus", "type = \"decimal\", unit = \"EUR\"", "in the unit SEK", "in the unit EUR"),
        ("handle", "type = \"text\", class = \"personal\"", "of the class none", "of the class personal"),
        ("handle", "type = \"text\", identifies = \"email\"", "identifying nobody", "identifying by email"),
        ("handle", "type = \"text\", compare = \"caseless\"", "compared by digits", "compared caseless"),
    ] {
        let component = components::probe("rival", &format!("[sources]\n{field} = {{ {declared} }}\n"));
        let refused = world.post_component("", &component);
        assert_eq!((refused.status, refused.problem()), (409, "field-type-conflict".to_owned()));
        let detail = refused.json()["detail"].clone();
        let detail = detail.as_str().unwrap_or_default();
        assert!(detail.contains(dictionary) && detail.contains(manifest), "{detail}");
    }
    // What the manifest leaves out is the dictionary's to say.
    world.install(&components::probe("rival", "[sources]\nbonus = { type = \"decimal\" }\n"));
}
