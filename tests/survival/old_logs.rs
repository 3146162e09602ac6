//! Data directories that older builds left: each still opens, verifies and shows what it showed then.
//!
//! `tests/fixtures/log-VERSION/` has such a directory, as a kill left it, and `shown.json`, what that
//! build answered of it. It is made once for each version and never again:
//!
//! ```text
//! cargo test -p samsyn --test survival -- --ignored --exact old_logs::keep_one_of_this_version
//! ```

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::files;
use samsyn::sandbox::embed_manifest;
use samsyn_harness::components::{kept_probe, manifest, probe};
use samsyn_harness::world::{World, repository};

const CUSTOMERS: usize = 4;
const ROUNDS: usize = 7;
/// What depends on the run and not on the log.
const OF_THE_RUN: [&str; 7] = ["calls", "p50_us", "p99_us", "failures", "lag", "last_used_at", "revision"];
/// A city is told by both plug-ins.
const TABLES: &str = "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"other.asked\"]\nscript = { type = \"texts\" }\n[sources]\n\
    \"probe.count\" = { type = \"integer\" }\n\"probe.note\" = { type = \"text\" }\n\
    city = { type = \"text\", class = \"personal\", description = \"Where the customer lives\" }\n";
const OTHER: &str = "[subscribes.\"other.asked\"]\nscript = { type = \"texts\" }\n[sources]\n\
    \"other.count\" = { type = \"integer\" }\n\
    city = { type = \"text\", class = \"personal\", description = \"Where the customer lives\" }\n\
    [consumes]\n\"probe.note\" = { purposes = [\"service\"], notify = true }\n";

fn fixtures() -> PathBuf {
    repository().join("tests/fixtures")
}

fn customer(number: usize) -> String {
    format!("customer-{number}")
}

/// A host to which everything has happened that leaves a kind of record.
fn eventful() -> World {
    let world = World::with(&[("SAMSYN_LOG_SEGMENT_BYTES", "16384"), ("SAMSYN_ENGINE_PARTITIONS", "4")]);
    world.install(&probe("probe", TABLES));
    world.install(&probe("other", OTHER));
    world.json("POST", "/v1/tokens", &json!({"name": "shop", "scopes": ["events:write"]})).of(201);
    world.assign("city", json!("other"));
    for round in 0..ROUNDS {
        for number in 0..CUSTOMERS {
            let note = format!("text probe.note round {round}");
            let city = format!("emit other.asked text city city-{}", round % 3);
            world.script(&customer(number), &["add probe.count", &note, "text city elsewhere", &city]);
        }
        if round == ROUNDS / 2 {
            world.assign("city", json!("probe"));
            let newer = manifest("probe", TABLES).replace("0.1.0", "0.2.0");
            world.install(&embed_manifest(&kept_probe(), &newer).expect("a manifest can be embedded"));
        }
    }
    let known_twice = json!({"customer_id": customer(0), "email": "kim@example.com"});
    world.event(&json!({"id": "an-id", "name": "probe.asked", "identifiers": known_twice,
                        "properties": {"script": ["refuse not this one"]}}));
    world.propose(&customer(1), json!({"city": "somewhere"}));
    world.script(&customer(2), &["fail on purpose"]);
    world.script(&customer(2), &["text probe.note held behind it"]);
    world.settle();
    world
}

/// What a host answers of all this.
fn shown(world: &World) -> Value {
    let mut paths: Vec<String> =
        ["fields", "identifiers", "capabilities", "parked", "tokens", "events/an-id", "disagreements"]
            .map(|list| format!("/v1/{list}"))
            .to_vec();
    for number in 0..CUSTOMERS {
        let profile = format!("/v1/profiles/customer_id:{}", customer(number));
        paths.extend([format!("{profile}?claims=true"), format!("{profile}/timeline?limit=1000")]);
    }
    let answers = paths.into_iter().map(|path| {
        let mut answer = world.get(&path).of(200);
        strip(&mut answer);
        (path, answer)
    });
    Value::Object(answers.collect::<Map<String, Value>>())
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            OF_THE_RUN.iter().for_each(|name| drop(members.remove(*name)));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Sentences that the host makes when it is asked, and says in other words now.
const REWORDED: &[(&str, &str)] = &[(
    "it waits behind a parked delivery of the same capability and customer",
    "it waits behind a parked invocation of the same capability and customer",
)];

/// Everything that was shown is shown; newer hosts may add to it.
#[track_caller]
fn still_shows(was: &Value, is: &Value, place: &str) {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            for (name, was) in was {
                let is = is.get(name).unwrap_or_else(|| panic!("{place}/{name} is gone"));
                still_shows(was, is, &format!("{place}/{name}"));
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            assert_eq!(was.len(), is.len(), "{place}");
            was.iter()
                .zip(is)
                .enumerate()
                .for_each(|(at, (was, is))| still_shows(was, is, &format!("{place}/{at}")));
        }
        (was, is) if REWORDED.iter().any(|(old, new)| was == old && is == new) => {}
        (was, is) => assert_eq!(was, is, "{place}"),
    }
}

fn opens_and_shows_the_same(fixture: &Path) {
    let mut world = World::stopped(&[], "");
    files::copy(&fixture.join("data"), &world.data());
    let report = world.run_on_data(&["log", "verify", "--json"]).ok().json();
    assert_eq!(report["problem"], Value::Null);
    assert!(report["segments"].as_u64() > Some(3), "sealed ones and a growing one: {report}");
    // Its own token was told to nobody.
    world.start_with(&["--new-admin-token"]);
    world.settle();
    let text = std::fs::read_to_string(fixture.join("shown.json")).expect("it says what it showed");
    let was: Value = serde_json::from_str(&text).expect("it is JSON");
    still_shows(&was, &shown(&world), "");
    world.script(&customer(3), &["add probe.count"]);
    assert_eq!(world.fields(&customer(3))["probe.count"], ROUNDS + 1, "it goes on");
    assert!(world.stop().success());
    let checked = world.run_on_data(&["view", "check", "--json"]).ok().json();
    assert_eq!(checked["differences"], 0, "{checked}");
}

#[test]
fn logs_of_older_builds_open_and_show_what_they_showed() {
    let fixtures = std::fs::read_dir(fixtures()).expect("there are fixtures");
    let paths = fixtures.map(|entry| entry.expect("an entry").path());
    let logs: Vec<PathBuf> = paths.filter(|path| path.join("shown.json").exists()).collect();
    assert!(!logs.is_empty());
    for log in logs {
        println!("{}", log.display());
        opens_and_shows_the_same(&log);
    }
}

/// Makes the fixture of this version. Run it by hand before a version is released.
#[test]
#[ignore = "makes a fixture that is kept"]
fn keep_one_of_this_version() {
    let fixture = fixtures().join(format!("log-{}", env!("CARGO_PKG_VERSION")));
    assert!(!fixture.exists(), "{} is there: a kept log is never made again", fixture.display());
    let mut world = eventful();
    let shown = shown(&world);
    let digests: Vec<String> = world.get("/v1/capabilities").of(200)["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|capability| capability["digest"].as_str().map(str::to_owned))
        .collect();
    world.kill();
    let data = fixture.join("data");
    for part in ["log", "components"] {
        files::copy(&world.data().join(part), &data.join(part));
    }
    std::fs::copy(world.data().join("data.toml"), data.join("data.toml")).expect("it can be copied");
    let _ = std::fs::remove_file(data.join("log/lock"));
    for component in files::all(&data.join("components")) {
        let name = component.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if !digests.iter().any(|digest| digest == name) {
            std::fs::remove_file(&component).expect("a component that isn't run any more can leave");
        }
    }
    let text = serde_json::to_string(&shown).expect("it is JSON") + "\n";
    std::fs::write(fixture.join("shown.json"), text).expect("it can be written");
}
