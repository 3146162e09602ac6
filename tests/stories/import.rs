//! Events come from files: each once, also when the import breaks off and is started again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use samsyn_harness::components;
use samsyn_harness::world::{Said, World, repository, until};

/// The first rows of the purchases, with their header.
fn purchases(rows: usize) -> String {
    let file = std::fs::File::open(repository().join("examples/data/cdnow-purchases.txt.gz"));
    let mut text = String::new();
    GzDecoder::new(file.expect("the data is there")).read_to_string(&mut text).expect("it is gzipped text");
    text.lines().take(rows + 1).map(|line| format!("{line}\n")).collect()
}

fn mapping() -> String {
    repository().join("examples/cdnow-mapping.toml").to_str().expect("its path is text").to_owned()
}

#[test]
fn purchases_become_orders_and_a_file_is_taken_once() {
    let world = World::new();
    world.install(&components::plugin("loyalty"));
    let (file, map) = (world.file("purchases.txt", purchases(1_000)), mapping());
    let import = |more: &[&str]| {
        let mut arguments = vec!["event", "import", &file, "--map", &map, "--json"];
        arguments.extend_from_slice(more);
        world.run(&arguments)
    };
    let preview = import(&["--preview", "1"]).ok().json();
    let amount = json!({"order_id": "00001-2", "amount": "11.77", "currency": "USD", "quantity": 1});
    assert_eq!((&preview["name"], &preview["properties"]), (&json!("order.completed"), &amount));
    assert_eq!(world.status()["accepted"], 0, "a preview sends nothing");
    let first = import(&[]).ok().json();
    assert_eq!((&first["accepted"], &first["refused"]), (&json!(1_000), &json!(0)), "{first}");
    world.settle();
    assert_eq!(world.fields("00001")["loyalty.points"], 11);
    assert_eq!(world.fields("00001")["loyalty.member_since"], "1997-01-01");
    let profiles = world.status()["profiles"].clone();
    let again = import(&[]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.err.contains("imported before") && again.err.contains("--again"), "{again:?}");
    let anew = import(&["--again=two"]).ok().json();
    assert_eq!(anew["accepted"], 1_000, "{anew}");
    world.settle();
    assert_eq!(world.status()["profiles"], profiles);
    assert_eq!(world.fields("00001")["loyalty.points"], 11, "the same orders, and orders count once");
}

#[test]
fn an_import_that_was_stopped_goes_on_where_it_stopped() {
    const ROWS: u64 = 12_000;
    let world = World::new();
    let (file, map) = (world.file("purchases.txt", purchases(ROWS as usize)), mapping());
    let arguments = ["event", "import", &file, "--map", &map, "--json", "--batch", "20", "--lanes", "2"];
    let mut import = world.command(&arguments);
    let import = import.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let accepted = || world.status()["accepted"].as_u64().expect("it is a number");
    until("some of it is taken", || (accepted() >= 6_000).then_some(()));
    let id = import.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().expect("kill can be run").success());
    let stopped = Said::of(import.wait_with_output().expect("its output can be read"));
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    assert!(stopped.err.contains("continues where this one stopped"), "{stopped:?}");
    let taken = accepted();
    assert!(taken < ROWS, "it was stopped before its end");
    let rest = world.run(&arguments).ok().json();
    assert_eq!(rest["rows"], ROWS, "each row was asked for: {rest}");
    let second = rest["accepted"].as_u64().expect("it is a number");
    assert_eq!(taken + second, ROWS, "{rest}");
    world.settle();
    assert_eq!(accepted(), ROWS);
}

#[test]
fn an_import_outlives_the_host() {
    const ROWS: usize = 9_000;
    let mut world = World::new();
    world.install(&components::plugin("loyalty"));
    let text = purchases(ROWS);
    let file = world.file("purchases.txt", &text);
    let mut import =
        world.command(&["event", "import", &file, "--map", &mapping(), "--json", "--batch", "50"]);
    let import = import.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    for _ in 0..2 {
        let accepted = || world.status()["accepted"].as_u64();
        until("a third of it is taken", || (accepted() >= Some(ROWS as u64 / 3)).then_some(()));
        world.crash();
    }
    let summary = Said::of(import.wait_with_output().expect("its output can be read")).ok().json();
    let counts = summary["accepted"].as_u64().zip(summary["duplicates"].as_u64());
    assert_eq!(counts.map(|(accepted, duplicates)| accepted + duplicates), Some(ROWS as u64), "{summary}");
    world.settle();
    let mut orders: BTreeMap<&str, usize> = BTreeMap::new();
    for row in text.lines().skip(1) {
        *orders.entry(row.split_whitespace().next().expect("a customer comes first")).or_default() += 1;
    }
    assert_eq!(world.status()["profiles"], orders.len());
    for (customer, count) in orders.iter().take(200) {
        let timeline = world.get(&format!("/v1/profiles/customer_id:{customer}/timeline?limit=1000")).of(200);
        let items = timeline["items"].as_array().into_iter().flatten();
        let events: Vec<&Value> = items.filter(|item| item["kind"] == "event").collect();
        // Who is cut off answers in a later record of the same event.
        let taken: BTreeSet<&str> = events.iter().filter_map(|item| item["cause"].as_str()).collect();
        assert_eq!(taken.len(), *count, "{customer}: each once: {timeline}");
        let outcomes = events.iter().flat_map(|item| item["outcomes"].as_array().into_iter().flatten());
        assert_eq!(outcomes.count(), *count, "{customer}: delivered once: {timeline}");
    }
}

#[test]
fn bad_lines_are_listed_and_the_others_taken() {
    let world = World::shared();
    let good =
        |id: &str| json!({"id": id, "name": "seen", "identifiers": {"customer_id": "imported"}}).to_string();
    let text = format!(
        "{}\nno JSON\n{}\n{}\n{}\n",
        good("import-1"),
        json!({"name": "seen"}),
        json!({"id": "import-4", "name": "seen", "identifiers": {"customer_id": "imported"}, "at": 5}),
        good("import-5"),
    );
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("events.jsonl");
    std::fs::write(&file, text).expect("a file can be written");
    let said = world.run(&["event", "import", file.to_str().expect("its path is text"), "--json"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let summary = said.json();
    assert_eq!((&summary["accepted"], &summary["refused"]), (&json!(2), &json!(3)), "{summary}");
    let report = std::fs::read_to_string(directory.path().join("events.jsonl.refused.jsonl"));
    let report = report.expect("there is a report");
    let mut lines: Vec<Value> =
        report.lines().map(|line| serde_json::from_str(line).expect("it is JSON lines")).collect();
    lines.sort_by_key(|line| line["line"].as_u64());
    let found: Vec<(u64, &str)> = lines
        .iter()
        .map(|line| (line["line"].as_u64().unwrap_or(0), line["problem"]["code"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(found[1..], [(3, "missing-identifier"), (4, "wrong-type")], "{report}");
    assert_eq!(found[0].0, 2);
    for id in ["import-1", "import-5"] {
        assert_eq!(world.get(&format!("/v1/events/{id}")).status, 200, "{id} was taken");
    }
}

#[test]
fn an_id_that_a_spreadsheet_rounded_is_told_of() {
    let world = World::new();
    let map = world.file(
        "ids.toml",
        "[event]\nname = \"order.completed\"\nid = \"shop-{key}\"\n[identifiers]\ncustomer_id = \"{number}\"\n\
         [properties]\norder_id = \"{order}\"\namount = { column = \"amount\", type = \"decimal\" }\n",
    );
    let mut text = String::from("key,number,order,amount\n");
    for row in 1..=40 {
        text.push_str(&format!("{row},1.23457E+11,A{row},1.5E+2\n"));
    }
    text.push_str("41,7,\"9,87654E+15\",2\nE-5,8,12E5,3\n");
    let file = world.file("ids.csv", text);
    for more in [&["--preview", "50"][..], &[][..]] {
        let said = world.run(&[&["event", "import", &file, "--map", &map][..], more].concat());
        let warnings: Vec<&str> = said.err.lines().filter(|line| line.contains("E+1")).collect();
        assert_eq!(warnings.len(), 2, "one a column, however many rows: {said:?}");
        assert!(warnings[0].contains("number") && warnings[0].contains("line 2"), "{warnings:?}");
        assert!(warnings[0].contains("40 rows"), "{warnings:?}");
        assert!(warnings[1].contains("order") && warnings[1].contains("line 42"), "{warnings:?}");
        assert!(said.err.contains("format the column as text"), "{said:?}");
        assert!(!said.err.contains("amount"), "a number may be written so: {said:?}");
    }
}

#[test]
fn a_host_that_holds_little_takes_a_whole_file() {
    const ROWS: usize = 6_000;
    let world = World::with(&[("SAMSYN_ENGINE_UNDECIDED_MAX", "60")]);
    world.install(&components::plugin("loyalty"));
    let file = world.file("purchases.txt", purchases(ROWS));
    let summary = world.run(&["event", "import", &file, "--map", &mapping(), "--json"]).ok().json();
    assert_eq!((&summary["accepted"], &summary["refused"]), (&json!(ROWS), &json!(0)), "{summary}");
    assert_eq!(world.status()["accepted"], ROWS);
    assert!(!world.directory().join("purchases.txt.refused.jsonl").exists(), "nothing was refused");
}

#[test]
fn events_refused_in_an_accepted_batch_say_that_and_when_to_send_them_again() {
    let world = World::with(&[("SAMSYN_ENGINE_UNDECIDED_MAX", "1")]);
    // A quick host may decide each event before the next one is placed, so that none meets the limit.
    let mut batch = 0;
    let answer = until("a part of a batch is refused as busy", || {
        batch += 1;
        let events: Vec<Value> = (0..500)
            .map(|number| json!({"id": format!("{batch}-{number}"), "name": "seen", "identifiers": {"customer_id": "1"}}))
            .chain([json!({"name": "seen"})])
            .collect();
        let answer = world.json("POST", "/v1/events", &json!({ "events": events }));
        let busy = |item: &Value| item["problem"]["code"] == "busy";
        (answer.status == 202
            && answer.json()["events"].as_array().is_some_and(|items| items.iter().any(busy)))
        .then_some(answer)
    });
    let seconds: u64 = answer.header("retry-after").parse().expect("it says seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    for item in answer.json()["events"].as_array().into_iter().flatten() {
        let problem = &item["problem"];
        match problem["code"].as_str() {
            None | Some("busy") => assert!(problem.is_null() || problem["retryable"] == true, "{item}"),
            Some(other) => assert_eq!((other, &problem["retryable"]), ("missing-identifier", &json!(false))),
        }
    }
}

#[test]
fn a_file_beyond_what_the_host_remembers_adds_no_row_twice() {
    const ROWS: usize = 5_000;
    let world = World::with(&[("SAMSYN_ENGINE_EVENT_IDS_MAX", "1000")]);
    let import = |rows: usize| {
        let file = world.file(&format!("purchases-{rows}.txt"), purchases(rows));
        world.run(&["event", "import", &file, "--map", &mapping(), "--json"])
    };
    let limits = world.get("/v1/limits").of(200);
    assert_eq!((&limits["event_ids"]["max"], &limits["event_ids"]["days"]), (&json!(1_000), &json!(30)));
    for _ in 0..2 {
        let refused = import(ROWS);
        assert!(refused.code.is_some_and(|code| code != 0), "{refused:?}");
        assert!(refused.err.contains("event_ids_max") && refused.err.contains("1,000"), "{refused:?}");
    }
    assert_eq!(world.status()["accepted"], 0, "before its first row");
    import(1_000).ok();
    let again = import(1_000);
    assert!(again.err.contains("was imported before; nothing was added"), "{again:?}");
    assert_eq!(world.status()["accepted"], 1_000);
    // Other files push the first one's ids out: how many it takes is a matter of when the view is written.
    let forgets = (900..1_000).any(|rows| {
        import(rows).ok();
        world.settle();
        !world.get("/v1/limits").of(200)["event_ids"]["complete_since"].is_null()
    });
    assert!(forgets, "the host remembers more than it says");
    let accepted = world.status()["accepted"].clone();
    let late = import(1_000);
    assert!(late.code.is_some_and(|code| code != 0), "{late:?}");
    assert!(late.err.contains("event_ids_max"), "{late:?}");
    assert_eq!(world.status()["accepted"], accepted, "no row is taken twice");
}

/// A mapping of orders with ids of their own, and a file of 30 of them: ten that amount to nothing,
/// and two whose order came before with another amount.
fn doubtful_orders(world: &World) -> (String, String) {
    let map = world.file(
        "orders.toml",
        "[event]\nname = \"order.completed\"\n[identifiers]\ncustomer_id = \"{number}\"\n[properties]\n\
         order_id = \"{order}\"\namount = { column = \"amount\", type = \"decimal\" }\ncurrency = \"USD\"\n",
    );
    let mut text = String::from("number,order,amount\n");
    for row in 0..10 {
        text.push_str(&format!("c{row},A{row},20.00\nc{row},B{row},{}\n", ["0", "-5.00"][row % 2]));
    }
    text.push_str("c1,A1,21.00\nc2,A2,22.00\n");
    for row in 0..8 {
        text.push_str(&format!("d{row},D{row},10.00\n"));
    }
    (world.file("orders.csv", text), map)
}

/// The counts of a summary, as capability, code and count.
fn refusal_counts(summary: &Value) -> Vec<(&str, &str, u64)> {
    let refusals = summary["capability_refusals"].as_array().into_iter().flatten();
    refusals
        .map(|item| {
            let of = |name: &str| item[name].as_str().unwrap_or_default();
            (of("capability"), of("code"), item["count"].as_u64().unwrap_or_default())
        })
        .collect()
}

#[test]
fn an_import_tells_what_the_capabilities_refused_and_how_to_list_it() {
    let world = World::new();
    world.install(&components::plugin("loyalty"));
    let (file, map) = doubtful_orders(&world);
    // A refusal of before, and one of the same application that is no row of the file.
    let other = json!({"order_id": "X", "amount": "0", "currency": "USD"});
    world.happens("c1", "order.completed", other.clone());
    let summary = world.run(&["event", "import", &file, "--map", &map, "--json"]).ok().json();
    assert_eq!((&summary["accepted"], &summary["refused"]), (&json!(30), &json!(0)), "{summary}");
    let expected = [("loyalty", "order.amount", 10), ("loyalty", "order.already-counted", 2)];
    assert_eq!(refusal_counts(&summary), expected, "the most frequent first: {summary}");
    assert_eq!((&summary["undecided"], &summary["refusals_hidden"]), (&json!(0), &json!(false)), "{summary}");

    let again = world.run(&["event", "import", &file, "--map", &map, "--again=2"]).ok();
    // Equal orders count once, and of those that were rejected nothing is known.
    assert!(again.out.contains("30 events accepted"), "{again:?}");
    let line = "loyalty rejected 12: order.amount (10), order.already-counted (2)";
    assert!(again.out.lines().any(|found| found == line), "{again:?}");
    let command = again.out.lines().find_map(|found| found.split_once("samsyn event refusals"));
    let (_, arguments) = command.unwrap_or_else(|| panic!("it says how to list them: {again:?}"));
    let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
    arguments.splice(0..0, ["event", "refusals"]);
    arguments.extend(["--code", "order.amount", "--json"]);
    let listed = world.run(&arguments).ok().json_lines();
    assert_eq!(listed.len(), 10, "{listed:?}");
    for refusal in &listed {
        let id = refusal["event"].as_str().unwrap_or_default();
        assert!(id.starts_with("import:") && id.ends_with("~2"), "{refusal}");
        assert!(refusal["message"].as_str().is_some_and(|text| text.contains("more than 0")), "{refusal}");
    }
    let text = world.run(&["event", "refusals", "--capability", "loyalty", "--limit", "2"]).ok();
    assert!(text.out.contains("order.") && text.err.contains("--limit"), "{text:?}");
}

#[test]
fn a_row_that_nothing_refuses_says_nothing_and_a_second_run_counts_what_it_added() {
    let world = World::new();
    world.install(&components::plugin("loyalty"));
    let (file, map) = doubtful_orders(&world);
    let arguments = ["event", "import", &file, "--map", &map, "--label", "orders"];
    world.run(&arguments).ok();
    let mut text = std::fs::read_to_string(&file).expect("it can be read");
    text.push_str("e1,E1,5.00\n");
    std::fs::write(&file, &text).expect("it can be written");
    let good = world.run(&arguments).ok();
    assert!(good.out.contains("1 events accepted, 30 already known"), "{good:?}");
    assert!(!good.out.contains("rejected"), "{good:?}");
    text.push_str("e1,E2,0\n");
    std::fs::write(&file, &text).expect("it can be written");
    let bad = world.run(&[&arguments[..], &["--json"]].concat()).ok().json();
    assert_eq!(refusal_counts(&bad), [("loyalty", "order.amount", 1)], "{bad}");
}

#[test]
fn a_token_that_only_sends_is_told_what_it_may_see_and_that_there_may_be_more() {
    let world = World::new();
    world.install(&components::plugin("loyalty"));
    let made = world.json("POST", "/v1/tokens", &json!({"name": "shop", "scopes": ["events:write"]})).of(201);
    let token = made["secret"].as_str().expect("a secret is told");
    let file = world.file(
        "orders.jsonl",
        r#"{"id":"1","name":"order.completed","identifiers":{"customer_id":"1"},"properties":{"order_id":"A","amount":"much","currency":"USD"}}
{"id":"2","name":"order.completed","identifiers":{"customer_id":"1"},"properties":{"order_id":"B","amount":"0","currency":"USD"}}
"#,
    );
    let run = |more: &[&str]| {
        let arguments = [&["event", "import", &file, "--json"][..], more].concat();
        let mut command = world.command(&arguments);
        Said::of(command.env("SAMSYN_TOKEN", token).output().expect("the command can be run")).ok()
    };
    let summary = run(&[]).json();
    assert_eq!(refusal_counts(&summary), [("loyalty", "property.type", 1)], "{summary}");
    assert_eq!(summary["refusals_hidden"], true, "{summary}");
}

#[test]
fn a_whole_file_that_is_refused_is_counted_in_seconds() {
    const ROWS: usize = 20_000;
    let world = World::new();
    world.install(&components::plugin("loyalty"));
    let map = std::fs::read_to_string(mapping()).expect("the mapping can be read");
    let map = world.file("euros.toml", map.replace("\"USD\"", "\"EUR\""));
    let file = world.file("purchases.txt", purchases(ROWS));
    let summary = world.run(&["event", "import", &file, "--map", &map, "--json"]).ok().json();
    assert_eq!(summary["accepted"], ROWS, "{summary}");
    assert_eq!(refusal_counts(&summary), [("loyalty", "order.currency", ROWS as u64)], "{summary}");
    assert_eq!(summary["undecided"], 0, "{summary}");
}

#[test]
fn what_a_capability_has_not_decided_yet_is_told() {
    let world = World::with(&[("SAMSYN_ENGINE_QUARANTINE_AFTER", "1")]);
    world.install(&components::plugin("loyalty"));
    world.install(&components::probe("probe", components::USUAL));
    world.script("bad", &["panic now"]);
    until("it is quarantined", || {
        (world.get("/v1/capabilities/probe").json()["state"] == "quarantined").then_some(())
    });
    let (file, map) = doubtful_orders(&world);
    let import = |more: &[&str]| {
        world.run(&[&["event", "import", &file, "--map", &map, "--patience", "2"][..], more].concat()).ok()
    };
    let summary = import(&["--json"]).json();
    let expected = [("loyalty", "order.amount", 10), ("loyalty", "order.already-counted", 2)];
    assert_eq!(refusal_counts(&summary), expected, "what is decided is counted: {summary}");
    assert!(summary["undecided"].as_u64() > Some(0), "{summary}");
    let said = import(&["--again"]);
    assert!(said.out.contains("not every capability has decided"), "{said:?}");
    assert!(said.out.contains("samsyn event refusals --since"), "{said:?}");
}
