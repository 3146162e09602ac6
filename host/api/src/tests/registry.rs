//! The dictionary and plug-ins, with a plug-in that really runs.

use serde_json::{Value, json};

use super::world::World;
use samsyn_sandbox::{embed_manifest, guests};

const MANIFEST: &str = r#"
    manifest = 1
    [plugin]
    name = "loyalty"
    version = "0.1.0"
    owner = "Membership team"
    description = "Points"
    identifiers = ["customer_id"]
    [subscribes."order.completed"]
    amount = { type = "decimal", required = true }
    [sources]
    "loyalty.points" = { type = "integer", description = "Points" }
    "loyalty.tier" = { type = "text", one_of = ["silver", "gold"] }
    [consumes]
    first_name = { purposes = ["service"], notify = true }
    [settings]
    points_per_unit = { type = "decimal", default = "1", description = "Points for one unit" }
"#;

fn component(manifest: &str) -> Vec<u8> {
    embed_manifest(&guests::all_roles(), manifest).unwrap()
}

fn install(world: &World, query: &str, manifest: &str) -> super::world::Answered {
    let path = format!("/v1/capabilities{query}");
    world.send("POST", &path, &[("content-type", "application/wasm")], &component(manifest))
}

#[test]
fn the_dictionary_is_kept_and_paged() {
    let world = World::new().furnished();
    let field = world.get("/v1/fields/size").json();
    assert_eq!(
        field,
        json!({"name": "size", "type": "text", "one_of": ["S", "M"], "schema": null, "unit": null,
               "description": "", "class": "none", "department": null, "identifies": null, "protective": false,
               "compare": "exact", "deprecated": null, "status": "defined", "proposed_by": null,
               "source": null, "inherits": [], "claimed_by": [], "consumed_by": []})
    );
    let names = |page: &Value| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = world.get("/v1/fields?limit=2").json();
    assert_eq!(names(&first), ["children", "credit"]);
    let second = world.get(&format!("/v1/fields?cursor={}", first["next"].as_str().unwrap())).json();
    assert_eq!(names(&second), ["email", "first_name", "size"]);
    assert!(second.get("next").is_none());
    assert!(names(&world.get("/v1/identifiers").json()).contains(&"customer_id".to_owned()));
    for (path, body, code) in [
        ("/v1/fields/Bad", json!({"type": "text"}), "name-invalid"),
        ("/v1/fields/x", json!({}), "missing-key"),
        ("/v1/fields/x", json!({"type": "money"}), "wrong-type"),
        ("/v1/fields/x", json!({"type": "text", "colour": 1}), "unknown-key"),
        ("/v1/fields/x", json!({"type": "text", "protective": true}), "definition-invalid"),
        ("/v1/fields/x", json!({"type": "text", "identifies": "passport"}), "unknown-identifier"),
        ("/v1/fields/x/source", json!({"capability": null}), "field-not-found"),
        ("/v1/fields/size/source", json!({"capability": "crm"}), "unknown-capability"),
        ("/v1/fields/size/source", json!({}), "missing-key"),
        ("/v1/identifiers/x", json!({"normaliser": "soundex", "strength": 1}), "wrong-type"),
        (
            "/v1/identifiers/x",
            json!({"name": "y", "normaliser": "exact", "strength": 1}),
            "definition-invalid",
        ),
    ] {
        assert_eq!(world.json("PUT", path, &body).code(), code, "{path} {body}");
    }
    assert_eq!(world.get("/v1/fields/x").code(), "field-not-found");
}

#[test]
fn a_plug_in_is_planned_installed_set_and_removed() {
    let world = World::new().furnished();
    let plan = install(&world, "?dry_run=true", MANIFEST);
    assert_eq!(plan.status, 200, "{plan:?}");
    let plan = plan.json();
    assert_eq!((&plan["capability"], &plan["change"]), (&json!("loyalty"), &json!("install")));
    assert_eq!(plan["sources"][0]["becomes_source"], true);
    assert_eq!(plan["settings"][0]["name"], "points_per_unit");
    assert_eq!(plan["settings"][0]["default"], "1");
    assert_eq!(world.get("/v1/capabilities/loyalty").code(), "unknown-capability");

    let installed = install(&world, "", MANIFEST);
    assert_eq!(installed.status, 201, "{installed:?}");
    let capability = world.get("/v1/capabilities/loyalty").json();
    assert_eq!(capability["generation"], 1);
    assert_eq!(capability["roles"].as_array().unwrap().len(), 7);
    assert_eq!(capability["sources"][0], json!({"field": "loyalty.points", "assigned": true}));
    assert_eq!(capability["settings"][0]["default"], "1");
    assert_eq!(capability["settings"][0]["value"], Value::Null);
    let field = world.get("/v1/fields/loyalty.points").json();
    assert_eq!((&field["source"], &field["claimed_by"]), (&json!("loyalty"), &json!(["loyalty"])));
    assert_eq!(world.get("/v1/fields/first_name").json()["consumed_by"], json!(["loyalty"]));
    assert_eq!(
        world.json("PUT", "/v1/fields/size/source", &json!({"capability": "loyalty"})).code(),
        "not-declared"
    );

    let settings = "/v1/capabilities/loyalty/settings";
    let tried =
        world.json("PATCH", &format!("{settings}?dry_run=true"), &json!({"points_per_unit": 2.50})).json();
    assert_eq!(tried["settings"][0]["value"], "2.5");
    assert_eq!(world.get("/v1/capabilities/loyalty").json()["settings"][0]["value"], Value::Null);
    assert_eq!(
        world.json("PATCH", settings, &json!({"points_per_unit": "3"})).json()["settings"][0]["value"],
        "3"
    );
    assert_eq!(
        world.json("PATCH", settings, &json!({"points_per_unit": null})).json()["settings"][0]["value"],
        Value::Null
    );
    assert_eq!(world.json("PATCH", settings, &json!({"points_per_unit": true})).code(), "wrong-type");
    assert_eq!(world.json("PATCH", settings, &json!({"point": 1})).code(), "definition-invalid");

    let refused = world.send("DELETE", "/v1/capabilities/loyalty", &[], b"");
    assert_eq!(refused.code(), "still-sources");
    assert_eq!(world.send("DELETE", "/v1/capabilities/loyalty?force=true", &[], b"").status, 204);
    assert_eq!(world.send("DELETE", "/v1/capabilities/loyalty", &[], b"").code(), "unknown-capability");
    assert_eq!(world.get("/v1/fields/loyalty.points").json()["source"], Value::Null);
}

#[test]
fn a_manifest_that_does_not_fit_is_refused() {
    let world = World::new().furnished();
    assert_eq!(install(&world, "", "manifest = 1\n[plugin").code(), "manifest-invalid");
    assert_eq!(install(&world, "", &MANIFEST.replace("owner", "ownr")).code(), "manifest-invalid");
    assert_eq!(
        install(&world, "", &MANIFEST.replace("\"customer_id\"", "\"passport\"")).code(),
        "unknown-identifier"
    );
    let conflict = MANIFEST.replace(
        "\"loyalty.tier\" = { type = \"text\", one_of = [\"silver\", \"gold\"] }",
        "children = { type = \"text\" }",
    );
    assert_eq!(install(&world, "?dry_run=true", &conflict).code(), "field-type-conflict");
    let bare =
        world.send("POST", "/v1/capabilities", &[("content-type", "application/wasm")], &guests::all_roles());
    assert_eq!(bare.code(), "component.no-manifest");
    assert_eq!(install(&world, "?deliver=true", MANIFEST).code(), "query-invalid");
    assert_eq!(install(&world, "?from=yesterday", MANIFEST).code(), "query-invalid");
    assert_eq!(world.get("/v1/capabilities").json()["items"], json!([]));
}

#[test]
fn what_a_plug_in_says_is_seen_with_its_source() {
    let world = World::new().furnished();
    assert_eq!(install(&world, "", MANIFEST).status, 201);
    let order = json!({"id": "A1", "name": "order.completed", "identifiers": {"customer_id": "1"},
                       "properties": {"amount": 12}, "proposes": {"loyalty.points": 41}});
    let event = world.decided("POST", "/v1/events", &order).json();
    assert_eq!(event["state"], "decided", "{event}");
    let answer = &event["fields"]["loyalty.points"];
    assert_eq!(answer["source"], "loyalty");
    assert_eq!(event["outcomes"].as_array().unwrap().len(), 2, "{event}");
    let profile = world.get("/v1/profiles/customer_id:1?claims=true").json();
    assert_eq!(profile["fields"]["loyalty.tier"], "gold");
    assert_eq!(profile["meta"]["loyalty.tier"]["source"], "loyalty");
    assert_eq!(profile["meta"]["loyalty.tier"]["cause"], event["position"]);
    let claim = &profile["claims"]["loyalty.tier"][0];
    assert_eq!((&claim["by"], &claim["visible"]), (&json!("loyalty"), &json!(true)));
    let narrow = world.get("/v1/profiles/customer_id:1?fields=loyalty.tier").json();
    assert_eq!(narrow["fields"], json!({"loyalty.tier": "gold"}));
    let timeline = world.get("/v1/profiles/customer_id:1/timeline").json();
    let changes =
        timeline["items"].as_array().unwrap().iter().flat_map(|item| item["changes"].as_array().unwrap());
    let tier = json!({"field": "loyalty.tier", "before": null, "after": "gold"});
    assert!(changes.clone().any(|change| *change == tier), "{timeline}");
}

#[test]
fn parked_deliveries_are_listed_and_skipped() {
    let world = World::new().furnished();
    let trap = guests::subscriber("unreachable", "");
    let manifest = r#"
        manifest = 1
        [plugin]
        name = "broken"
        version = "0.1.0"
        owner = "Nobody"
        description = "Traps"
        [subscribes."order.completed"]
    "#;
    let trap = embed_manifest(&trap, manifest).unwrap();
    let installed = world.send("POST", "/v1/capabilities", &[("content-type", "application/wasm")], &trap);
    assert_eq!(installed.status, 201, "{installed:?}");
    for customer in ["1", "2", "3"] {
        let order =
            json!({"id": customer, "name": "order.completed", "identifiers": {"customer_id": customer}});
        let event = world.decided("POST", "/v1/events", &order).json();
        assert_eq!(
            (&event["state"], &event["outcomes"][0]["result"]),
            (&json!("parked"), &json!("parked")),
            "{event}"
        );
    }
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/v1/parked?capability=broken&limit=1{cursor}")).json();
        items.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(items.len(), 3);
    assert_eq!(
        (&items[0]["kind"], &items[0]["state"], &items[0]["role"]),
        (&json!("trap"), &json!("parked"), &json!("subscriber"))
    );
    assert!(items[0]["item"].as_str().unwrap().ends_with(".0"));
    assert_eq!(world.get("/v1/capabilities/broken").json()["parked"], 3);
    assert_eq!(world.get("/v1/parked?kind=timeout").json()["items"], json!([]));
    assert_eq!(world.get("/v1/parked?kind=boredom").code(), "query-invalid");

    assert_eq!(world.json("POST", "/v1/parked/retry", &json!({})).code(), "filter-empty");
    assert_eq!(world.json("POST", "/v1/parked/skip", &json!({"capability": "broken"})).code(), "missing-key");
    let one = json!({"profile": items[0]["profile"], "reason": "a test order"});
    let skipped = world.json("POST", "/v1/parked/skip", &one);
    assert_eq!((skipped.status, &skipped.json()["matched"]), (202, &json!(1)));
    let none = json!({"capability": "elsewhere"});
    assert_eq!(world.json("POST", "/v1/parked/retry", &none).json()["matched"], 0);
    assert!(world.engine.drain(super::world::PATIENCE));
    assert_eq!(world.get("/v1/parked").json()["items"].as_array().unwrap().len(), 2);
    let timeline =
        world.get(&format!("/v1/profiles/{}/timeline", items[0]["profile"].as_str().unwrap())).json();
    let newest = &timeline["items"][0];
    assert_eq!((&newest["kind"], &newest["outcomes"][0]["result"]), (&json!("retry"), &json!("skipped")));
    assert_eq!(newest["outcomes"][0]["reason"], "a test order (skipped by admin)");
}
