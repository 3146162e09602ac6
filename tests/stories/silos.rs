//! An admin looks for silos: what the report says of real plug-ins, what it says when they are used,
//! and how CI takes it.

use serde_json::{Value, json};

use crate::customer::shop;
use samsyn_harness::components::{self, probe};
use samsyn_harness::world::World;

fn report(world: &World) -> Value {
    world.get("/v1/registry/report").of(200)
}

/// The findings of a code.
fn findings(world: &World, code: &str) -> Vec<Value> {
    let report = report(world);
    let all = report["findings"].as_array().into_iter().flatten();
    all.filter(|finding| finding["code"] == code).cloned().collect()
}

/// The finding of a code about a capability.
fn finding(world: &World, code: &str, capability: &str) -> Option<Value> {
    let about = |finding: &Value| {
        finding["capabilities"].as_array().is_some_and(|all| all.contains(&json!(capability)))
    };
    findings(world, code).into_iter().find(about)
}

#[test]
fn two_departments_keep_the_country_and_the_report_says_so() {
    let world = shop();
    let [twice] = &findings(&world, "field-claimed-twice")[..] else { panic!("{}", report(&world)) };
    assert_eq!((&twice["fields"], &twice["severity"]), (&json!(["country"]), &json!("note")));
    let [departments] = &findings(&world, "departments-same-field")[..] else { panic!("{}", report(&world)) };
    let explained = departments["explanation"].as_str().unwrap_or_default();
    assert!(explained.contains("Customer data team") && explained.contains("Mobile team"), "{explained}");
    // An opt-out of e-mail is no opt-out of text messages, whatever their names share.
    assert_eq!(findings(&world, "fields-look-alike"), Vec::<Value>::new());
    assert_eq!(report(&world)["errors"], 0);
}

#[test]
fn what_is_used_is_no_longer_said_to_be_unused_also_after_a_crash() {
    let mut world = shop();
    let hears = |world: &World| {
        let unheard = finding(world, "subscription-never-heard", "loyalty").expect("some are never sent");
        unheard["events"].as_array().cloned().unwrap_or_default()
    };
    assert!(hears(&world).contains(&json!("order.completed")));
    assert!(finding(&world, "event-never-emitted", "loyalty").is_some());
    assert!(finding(&world, "source-never-claimed", "crm").is_some());
    world.propose(
        "ann",
        json!({"first_name": "Ann", "last_name": "Ek", "country": "SE",
                                "email": "ann@example.com", "phone": "070-174 06 05", "marketing_opted_out": false}),
    );
    world.happens("ann", "order.completed", json!({"order_id": "1", "amount": 500}));
    world.settle();
    let look = |world: &World| {
        assert!(!hears(world).contains(&json!("order.completed")));
        assert!(hears(world).contains(&json!("order.cancelled")));
        assert_eq!(finding(world, "event-never-emitted", "loyalty"), None);
        assert_eq!(finding(world, "source-never-claimed", "crm"), None);
        report(world)
    };
    let before = look(&world);
    world.crash();
    assert_eq!(look(&world), before);
}

#[test]
fn ci_takes_the_exit_code() {
    let world = shop();
    let check = |arguments: &[&str]| world.run(&[&["registry", "check"], arguments].concat());
    let said = check(&[]).ok();
    assert!(said.out.contains("warning departments-same-field"), "{said:?}");
    assert!(said.out.contains("$ samsyn field disagreements country"), "{said:?}");
    let strict = check(&["--fail-on", "warning", "--json"]);
    assert_eq!(strict.code, Some(1), "{strict:?}");
    assert_eq!(strict.json(), report(&world), "the JSON is the host's own");
    world.install(&probe(
        "push",
        "[sources]\n\"push.opened\" = { type = \"integer\" }\n\
        [consumes]\nnickname = { purposes = [\"service\"] }\n",
    ));
    let broken = check(&["--quiet"]);
    assert_eq!(broken.code, Some(1), "push reads what nobody sources: {broken:?}");
    assert!(broken.out.starts_with("error consumed-without-source"), "{broken:?}");
    // No answer is not the same as no finding.
    let mut denied = world.command(&["registry", "check"]);
    denied.env("SAMSYN_TOKEN", "samsyn_no");
    assert_eq!(denied.output().expect("it can be run").status.code(), Some(4));
    assert_eq!(check(&["--fail-on", "nothing"]).code, Some(2));
}

#[test]
fn departments_that_name_one_thing_differently_and_plug_ins_that_turn_in_circles() {
    let world = World::new();
    world.install(&components::plugin("crm"));
    world.install(&probe(
        "desk",
        "[subscribes.\"ping.*\"]\n[emits.\"desk.moved\"]\n[sources]\n\
        \"contact.email_address\" = { type = \"text\", identifies = \"email\" }\n\
        [consumes]\n\"ping.at\" = { purposes = [\"service\"], notify = true }\n",
    ));
    world.install(&probe(
        "ping",
        "[subscribes.\"desk.moved\"]\n[sources]\n\"ping.at\" = { type = \"text\" }\n",
    ));
    let [alike] = &findings(&world, "fields-look-alike")[..] else { panic!("{}", report(&world)) };
    assert_eq!(alike["fields"], json!(["contact.email_address", "email"]));
    assert_eq!(alike["severity"], "warning", "both link customers by e-mail: {alike}");
    let [cycle] = &findings(&world, "cycle-of-triggers")[..] else { panic!("{}", report(&world)) };
    assert_eq!(cycle["capabilities"], json!(["desk", "ping"]));
}

#[test]
fn the_graph_is_json_or_mermaid() {
    let world = shop();
    let graph = world.get("/v1/registry/graph").of(200);
    let nodes = graph["nodes"].as_array().expect("nodes are a list").clone();
    let of_kind = |kind: &str| nodes.iter().filter(|node| node["kind"] == kind).count();
    assert_eq!((of_kind("department"), of_kind("capability")), (4, 4));
    for edge in graph["edges"].as_array().into_iter().flatten() {
        for end in ["from", "to"] {
            assert!(nodes.iter().any(|node| node["id"] == edge[end]), "{edge}");
        }
    }
    let drawn = world.get("/v1/registry/graph?format=mermaid");
    assert_eq!((drawn.status, drawn.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(world.run(&["registry", "graph"]).ok().out, drawn.text);
    let mermaid = world.run(&["registry", "graph", "--format", "mermaid"]).ok().out;
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("[\"country\"]"), "{mermaid}");
    assert_eq!(world.run(&["registry", "graph", "--json"]).ok().json(), graph);
    for gone in ["dot", "png"] {
        assert_eq!(world.get(&format!("/v1/registry/graph?format={gone}")).problem(), "query-invalid");
    }
    let dot = world.run(&["registry", "graph", "--format", "dot"]);
    assert!(dot.code == Some(2) && dot.err.contains("--format mermaid"), "{dot:?}");
}
