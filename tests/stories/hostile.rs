//! Plug-ins that attack the host: what comes of each is asserted, an admin sees it, and whoever
//! else is installed goes on. The plug-in is `tests/hostile`; docs/hostile.md has the table.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use samsyn_harness::caller::outcome;
use samsyn_harness::components::{self, guests, plugin};
use samsyn_harness::world::{World, until};
use samsyn_testkit::survival_json;

/// Failures in a row, each of another customer, until a plug-in of these stories is put aside.
const QUARANTINE_AFTER: usize = 6;
/// Derived deliveries one event may cause, by default.
const DERIVED_MAX: usize = 1_000;
/// What the host may write to its own log about a plug-in that goes round for ever.
const HOST_LOG_BYTES_MAX: usize = 4 << 20;

/// What came of an attack.
enum Comes<'a> {
    /// The delivery is parked, with a reason of this kind that says this.
    Parked(&'a str, &'a str),
    /// The call ends well, and exactly these things it asked for are refused.
    Refused(&'a [&'a str]),
}
use Comes::{Parked, Refused};

/// What each attack of one event comes to. Each plug-in hears only its own event.
const ATTACKS: [(&str, Comes<'_>); 15] = [
    ("memory", Parked("limit", "memory_bytes")),
    ("stack", Parked("trap", "")),
    ("trap", Parked("trap", "told to")),
    ("returned", Parked("limit", "hostcall_bytes")),
    ("list", Parked("limit", "hostcall_bytes")),
    ("properties", Refused(&["event.property"])),
    ("nested", Refused(&["value.malformed", "value.too-large"])),
    ("log", Refused(&[])),
    ("effects", Parked("limit", "256 effects")),
    ("owned", Refused(&["field.not-sourced"; 3])),
    (
        "undeclared",
        Refused(&[
            "field.not-sourced",
            "field.not-sourced",
            "field.not-sourced",
            "event.not-declared",
            "event.not-declared",
            "event.property",
        ]),
    ),
    ("names", Refused(&NAMES_REFUSED)),
    ("keep", Refused(&[])),
    ("table", Parked("limit", "table_elements")),
    ("bounds", Parked("trap", "out of bounds")),
];

/// Three effects on each of seven names, five values, a code that is none; the last is its own.
const NAMES_REFUSED: [&str; 27] = {
    let mut codes = ["field.not-sourced"; 27];
    codes[21] = "value.control-characters";
    codes[22] = "value.control-characters";
    codes[23] = "value.control-characters";
    codes[24] = "value.too-large";
    codes[25] = "refuse.code";
    codes[26] = "hostile.lies";
    codes
};

/// A plug-in of this name with this attack.
fn attacker(name: &str, attack: &str, more: &str) -> Vec<u8> {
    let tables = format!(
        "[subscribes.\"hostile.{name}\"]\n\
         [emits.\"hostile.multiplied\"]\n\
         [settings]\nattack = {{ type = \"text\", default = \"{attack}\" }}\n\
         victim = {{ type = \"text\", default = \"victim\" }}\n{more}"
    );
    let sources = "[sources]\n\"hostile.note\" = { type = \"text\" }\n\"hostile.list\" = { type = \"texts\" }\n\
                   \"hostile.tree\" = { type = \"json\" }\n";
    let sources = if more.contains("[sources]") { "" } else { sources };
    component(&plugin("hostile"), name, &format!("{tables}{sources}"))
}

fn component(bytes: &[u8], name: &str, tables: &str) -> Vec<u8> {
    samsyn::sandbox::embed_manifest(bytes, &components::manifest(name, tables)).expect("it takes a manifest")
}

/// What Rust can't express, as WebAssembly text.
fn text_attacker(name: &str) -> Option<Vec<u8>> {
    let (body, functions) = match name {
        "table" => (
            "(loop $again (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable",
            "(table $t 1 funcref)",
        ),
        "bounds" => ("(drop (i32.load (i32.const 131072)))", ""),
        _ => return None,
    };
    let module = guests::subscriber(body, functions);
    Some(component(&module, name, &format!("[subscribes.\"hostile.{name}\"]\n")))
}

/// The one that does nothing wrong: it hears every attack's event and counts.
fn quick() -> Vec<u8> {
    let tables = "[subscribes.\"hostile.*\"]\nscript = { type = \"texts\" }\n\
                  [sources]\n\"quick.count\" = { type = \"integer\" }\n\"quick.note\" = { type = \"text\" }\n";
    components::probe("quick", tables)
}

/// Something happens to a customer, and the well-behaved plug-in counts it.
#[track_caller]
fn send_hostile(world: &World, customer: &str, name: &str) -> Value {
    let event = world.happens(customer, &format!("hostile.{name}"), json!({"script": ["add quick.count"]}));
    let quick = outcome(&event, "quick");
    assert_eq!(
        (&quick["result"], &quick["claims"][0]["field"]),
        (&json!("done"), &json!("quick.count")),
        "{event}"
    );
    event
}

/// The outcome of a capability that has a thread of its own, when it is there.
#[track_caller]
fn wait_for_outcome(world: &World, event: &Value, capability: &str) -> Value {
    let path = format!("/v1/events/{}", event["id"].as_str().expect("it has an id"));
    until("it has had its turn", || {
        let event = world.get(&path).of(200);
        let mut outcomes = event["outcomes"].as_array().into_iter().flatten();
        outcomes.rfind(|outcome| outcome["capability"] == capability).cloned()
    })
}

/// What was tried, by what came of it.
#[derive(Clone, Copy, Default)]
struct Counts {
    tried: u32,
    parked: u32,
    refused: u32,
    quarantined: u32,
    others_hurt: u32,
}

/// Adds to what the stories of this file count together.
fn count(add: impl FnOnce(&mut Counts)) {
    static COUNTS: Mutex<Counts> =
        Mutex::new(Counts { tried: 0, parked: 0, refused: 0, quarantined: 0, others_hurt: 0 });
    let mut counts = COUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    counts.tried += 1;
    add(&mut counts);
    let Counts { tried, parked, refused, quarantined, others_hurt } = *counts;
    survival_json::record(
        "hostile_plugins",
        json!({"tried": tried, "parked": parked, "refused": refused, "quarantined": quarantined,
               "others_hurt": others_hurt}),
    );
}

/// The codes of what was refused.
fn codes(outcome: &Value) -> Vec<&str> {
    let refusals = outcome["refusals"].as_array().into_iter().flatten();
    refusals.map(|refusal| refusal["code"].as_str().unwrap_or_default()).collect()
}

#[test]
fn every_attack_comes_to_what_is_written_and_hurts_nobody_else() {
    // So long that each meets the limit it is about, whatever else the machine does.
    let mut world = World::with(&[("SAMSYN_SANDBOX_TIME_MS", "3000")]);
    world.install(&quick());
    for (name, _) in &ATTACKS {
        world.install(&text_attacker(name).unwrap_or_else(|| attacker(name, name, "")));
    }
    for (name, comes) in &ATTACKS {
        let event = send_hostile(&world, &format!("one-{name}"), name);
        check(&world, &event, name, comes);
    }
    assert_parked_is_visible(&world);
    assert_no_shared_memory(&world);
    for (name, _) in &ATTACKS {
        let events = if *name == "trap" { 2 } else { 1 };
        assert_eq!(world.fields(&format!("one-{name}"))["quick.count"], events, "{name}");
    }
    assert_terminal_safe(&world);
    // Nothing of it breaks the log, and a start later all stands as it stood.
    let parked = world.run(&["parked", "list", "--json"]).ok().json_lines();
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
    world.start();
    assert_eq!(world.run(&["parked", "list", "--json"]).ok().json_lines(), parked);
}

#[track_caller]
fn check(world: &World, event: &Value, name: &str, comes: &Comes<'_>) {
    let outcome = outcome(event, name);
    match comes {
        Parked(kind, says) => {
            assert_eq!(
                (&event["state"], &outcome["result"]),
                (&json!("parked"), &json!("parked")),
                "{name}: {event}"
            );
            let reason = outcome["reason"].as_str().unwrap_or_default();
            assert!(reason.contains(says) && !reason.is_empty(), "{name}: {reason:?} doesn't say {says:?}");
            assert_eq!(outcome["claims"], json!([]), "{name}: nothing of it happens");
            let listed = world.get(&format!("/v1/parked?capability={name}")).of(200);
            let item = &listed["items"][0];
            assert_eq!(
                (&item["kind"], &item["reason"]),
                (&json!(kind), &outcome["reason"]),
                "{name}: {listed}"
            );
            count(|counts| counts.parked += 1);
        }
        Refused(expected) => {
            assert_eq!(outcome["result"], "done", "{name}: {outcome}");
            assert_eq!(codes(outcome), *expected, "{name}: {outcome}");
            count(|counts| counts.refused += 1);
        }
    }
}

fn assert_parked_is_visible(world: &World) {
    // Later events of the same customer and plug-in are held, so that their order is kept.
    let held = send_hostile(world, "one-trap", "trap");
    assert_eq!(outcome(&held, "trap")["result"], "held");
    world.happens("one-trap", "unrelated", json!({}));
    let lines = world.run(&["parked", "list", "--json", "--capability", "trap"]).ok().json_lines();
    let states: Vec<&Value> = lines.iter().map(|line| &line["state"]).collect();
    assert_eq!(states, ["parked", "held"], "{lines:?}");
    let said = world.run(&["parked", "list", "--capability", "memory"]).ok().out;
    assert!(said.contains("memory_bytes"), "{said}");
    let metrics = world.get("/metrics").text;
    for line in ["capability=\"trap\",result=\"failed\"} 1", "capability=\"trap\",result=\"held\"} 1"] {
        assert!(metrics.contains(line), "no {line}");
    }
}

fn assert_no_shared_memory(world: &World) {
    for customer in 0..20 {
        let event = send_hostile(world, &format!("kept-{customer}"), "keep");
        assert_eq!(outcome(&event, "keep")["claims"][0]["value"], "listed 0, counted 0", "{event}");
    }
}

/// Whatever a plug-in writes, the command prints no control character but the line's end, and
/// nothing that turns a line around.
fn assert_terminal_safe(world: &World) {
    let lies = "\\u001b[2J\\u202eall is well\\u0007";
    let tables = format!(
        "[subscribes.\"hostile.lies\"]\n[sources]\n\"hostile.lies\" = {{ type = \"text\" }}\n\
         [settings]\nattack = {{ type = \"text\", default = \"none\", description = \"{lies}\" }}\n\"{lies}\" = {{ type = \"text\", description = \"a name\" }}\n"
    );
    let manifest = components::manifest("lies", &tables).replace("Does as it is told", lies);
    let component =
        samsyn::sandbox::embed_manifest(&plugin("hostile"), &manifest).expect("it takes a manifest");
    let file = world.file("lies.wasm", &component);
    let mut said = vec![
        world.run(&["plugin", "check", &file]),
        world.run(&["plugin", "install", "--dry-run", &file]),
        world.run(&["plugin", "install", "--yes", &file]),
    ];
    for command in [
        &["plugin", "list"][..],
        &["plugin", "show", "lies"],
        &["plugin", "show", "names"],
        &["field", "list"],
        &["field", "show", "hostile.lies"],
        &["registry", "check"],
        &["field", "claims", "hostile.note"],
        &["registry", "export"],
        &["registry", "graph"],
        &["audit", "changes"],
        &["profile", "get", "customer_id:one-names"],
        &["profile", "timeline", "customer_id:one-names"],
        &["parked", "list"],
        &["parked", "list", "--backtrace"],
        &["status"],
    ] {
        said.push(world.run(command));
    }
    for said in said {
        let said = said.ok();
        for text in [&said.out, &said.err] {
            let trick = |letter: &char| {
                letter.is_control() && *letter != '\n'
                    || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert_eq!(text.chars().find(trick), None, "{text}");
        }
    }
    count(|counts| counts.refused += 1);
}

#[test]
fn who_never_ends_is_cut_off_for_that_customer_or_put_aside() {
    let quarantine_after = QUARANTINE_AFTER.to_string();
    let world = World::with(&[
        ("SAMSYN_SANDBOX_TIME_MS", "20"),
        ("SAMSYN_ENGINE_QUARANTINE_AFTER", &quarantine_after),
    ]);
    world.install(&quick());
    for (name, attack) in [("slowforone", "slow-for-one"), ("loop", "loop"), ("trap", "trap")] {
        world.install(&attacker(name, attack, ""));
    }
    // Slow for one customer alone: only that one waits, and only with this plug-in. What a customer
    // goes by is known from the second event on.
    send_hostile(&world, "victim", "unheard");
    let event = send_hostile(&world, "victim", "slowforone");
    let outcome = wait_for_outcome(&world, &event, "slowforone");
    assert_eq!(outcome["result"], "parked", "{outcome}");
    assert!(outcome["reason"].as_str().is_some_and(|reason| reason.contains("time_ms")), "{outcome}");
    for customer in 0..4 {
        let event = send_hostile(&world, &format!("other-{customer}"), "slowforone");
        assert_eq!(wait_for_outcome(&world, &event, "slowforone")["result"], "done", "{event}");
    }
    assert_eq!(world.get("/v1/capabilities/slowforone").of(200)["parked"], 1);
    count(|counts| counts.parked += 1);

    // Slow or broken for everybody: it is put aside, and nobody waits for it.
    for name in ["loop", "trap"] {
        for customer in 0..QUARANTINE_AFTER {
            world
                .json(
                    "POST",
                    "/v1/events",
                    &json!({"name": format!("hostile.{name}"),
                "identifiers": {"customer_id": format!("{name}-{customer}")}}),
                )
                .of(202);
        }
        until("it is put aside", || {
            let capability = world.get(&format!("/v1/capabilities/{name}")).of(200);
            (capability["state"] == "quarantined").then_some(())
        });
        let shown = world.run(&["plugin", "show", name]).ok().out;
        assert!(shown.contains("quarantined") && shown.contains("in a row failed"), "{shown}");
        let event = send_hostile(&world, &format!("{name}-after"), name);
        assert!(
            event["outcomes"].as_array().into_iter().flatten().all(|outcome| outcome["capability"] != name),
            "{event}"
        );
        count(|counts| counts.quarantined += 1);
    }
    assert_eq!(world.get("/v1/capabilities/quick").of(200)["state"], "active");
    assert_eq!(world.status()["capabilities"].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_multiplies_or_goes_round_for_ever_is_ended_by_its_budget() {
    // Once moving with the partition, once each on a thread of its own, as slow ones are.
    for slow_call_us in ["1000000000", "0"] {
        let world =
            World::with(&[("SAMSYN_SANDBOX_TIME_MS", "3000"), ("SAMSYN_ENGINE_SLOW_CALL_US", slow_call_us)]);
        world.install(&quick());
        assert_multiplying_bounded(&world);
        assert_cycles_bounded(&world);
        // Whoever comes after is served as ever.
        send_and_wait_for_count(&world, "after", "nothing");
        assert!(world.log().len() < HOST_LOG_BYTES_MAX, "it says what happened, and not a million times");
    }
}

/// As [`happens`], whoever of the plug-ins lags.
#[track_caller]
fn send_and_wait_for_count(world: &World, customer: &str, name: &str) {
    let event = json!({"name": format!("hostile.{name}"), "identifiers": {"customer_id": customer},
                       "properties": {"script": ["add quick.count"]}});
    world.json("POST", "/v1/events", &event).of(202);
    until("the well-behaved one has counted it", || {
        (world.fields(customer)["quick.count"] == 1).then_some(())
    });
}

fn assert_multiplying_bounded(world: &World) {
    // Each hears what the other emits, and emits three for one.
    for (name, hears) in [("rabbit", "hostile.started"), ("hare", "hostile.unheard")] {
        let tables = format!(
            "[subscribes.\"{hears}\"]\n[subscribes.\"hostile.multiplied\"]\n[emits.\"hostile.multiplied\"]\n\
             [settings]\nattack = {{ type = \"text\", default = \"multiply\" }}\n"
        );
        world.install(&component(&plugin("hostile"), name, &tables));
    }
    send_and_wait_for_count(world, "rabbits", "started");
    world.settle();
    let reasons = until("the budget's end is on the timeline", || {
        let reasons = undelivered_reasons(world, "rabbits");
        reasons.iter().any(|reason| reason.contains("1000 are the most")).then_some(reasons)
    });
    assert!(reasons.len() <= DERIVED_MAX, "{} records say so", reasons.len());
    // What was delivered is the budget, and the accepted events themselves.
    let status = world.status();
    let calls = status["capabilities"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|capability| capability["calls"].as_u64());
    let calls: u64 = calls.flatten().sum();
    assert!((100..=DERIVED_MAX as u64 + 8).contains(&calls), "{calls} calls: {status}");
    count(|counts| counts.refused += 1);
}

fn assert_cycles_bounded(world: &World) {
    // Each changes what the other watches.
    for (name, other) in [("ping", "pong"), ("pong", "ping")] {
        let start = if name == "ping" { "[subscribes.\"hostile.served\"]\n" } else { "" };
        let tables = format!(
            "{start}[sources]\n\"{name}.n\" = {{ type = \"text\" }}\n\
             [consumes]\n\"{other}.n\" = {{ purposes = [\"service\"], notify = true }}\n\
             [settings]\nattack = {{ type = \"text\", default = \"start\" }}\nfield = {{ type = \"text\", default = \"{name}.n\" }}\n"
        );
        world.install(&component(&plugin("hostile"), name, &tables));
    }
    send_and_wait_for_count(world, "players", "served");
    world.settle();
    let reasons = until("the last generation is on the timeline", || {
        Some(undelivered_reasons(world, "players")).filter(|reasons| !reasons.is_empty())
    });
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].contains("16 are the most"), "{reasons:?}");
    let said = world.run(&["profile", "timeline", "customer_id:players"]).ok().out;
    assert!(said.contains("16 are the most"), "it is on the timeline for the admin: {said}");
    count(|counts| counts.refused += 1);
}

/// Why invocations of a customer were not made.
fn undelivered_reasons(world: &World, customer: &str) -> Vec<String> {
    let (mut reasons, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            world.get(&format!("/v1/profiles/customer_id:{customer}/timeline?limit=1000{cursor}")).of(200);
        for item in page["items"].as_array().into_iter().flatten() {
            let outcomes = item["outcomes"].as_array().into_iter().flatten();
            let undelivered = outcomes.filter(|outcome| outcome["result"] == "undeliverable");
            reasons
                .extend(undelivered.map(|outcome| outcome["reason"].as_str().unwrap_or_default().to_owned()));
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return reasons,
        }
    }
}

#[test]
fn what_pretends_to_be_another_is_refused_at_the_door() {
    let world = World::shared();
    let fine = components::manifest("innocent", "[subscribes.\"innocent.heard\"]\n");
    let homoglyph = "[sources]\n\"probe.c\u{43e}unt\" = { type = \"integer\" }\n";
    let cases = [
        ("a field that looks like another", components::manifest("innocent", homoglyph)),
        ("a plug-in that looks like another", fine.replace("\"innocent\"", "\"pr\u{43e}be\"")),
        ("a name that runs backwards", fine.replace("\"innocent\"", "\"\u{202e}eborp\"")),
        ("a name of a megabyte", fine.replace("\"innocent\"", &format!("\"{}\"", "a".repeat(1 << 20)))),
        ("the platform's own events", fine.replace("innocent.heard", "samsyn.proposed")),
    ];
    for (what, manifest) in cases {
        let component = samsyn::sandbox::embed_manifest(&plugin("hostile"), &manifest).expect("it takes one");
        let answer = world.post_component("?approve=true", &component);
        let code = answer.problem();
        assert!(["manifest-invalid", "component.too-large"].contains(&code.as_str()), "{what}: {code}");
        count(|counts| counts.refused += 1);
    }
}
