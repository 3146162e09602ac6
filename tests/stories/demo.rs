//! A newcomer runs the demo, and goes on with what it leaves.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::components::plugin_file;
use crate::world::{Said, World, samsyn};

/// Customers that are looked at afterwards: the data numbers them.
const CUSTOMERS: std::ops::Range<u32> = 1..200;

pub fn demo(directory: &Path, more: &[&str]) -> Said {
    let plugins = plugin_file("crm").parent().expect("it lies in a folder").to_owned();
    let mut command = samsyn(directory);
    command.args(["demo", "--exit", "--data", "data", "--listen", "127.0.0.1:0"]);
    if !more.contains(&"--events") {
        command.args(["--events", "2000"]);
    }
    command.arg("--plugins").arg(plugins).args(more);
    Said::of(command.output().expect("the command can be run")).ok()
}

pub fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory can be made")
}

#[test]
fn the_demo_tells_what_a_newcomer_wants_to_see() {
    let said = demo(directory().path(), &[]);
    for shown in [
        "events a second",
        "sandboxes",
        "Who owns which data point",
        "loyalty.points",
        "every value, its source and its cause",
        "two capabilities disagree",
        "a proposal that was refused",
        "country: crm and sms agree on",
        "true under crm, true under contacts, true under crm",
    ] {
        assert!(said.out.contains(shown), "{shown:?} isn't shown:\n{}", said.out);
    }
}

#[test]
fn what_the_demo_leaves_is_a_host_like_any_other() {
    let directory = directory();
    let summary = demo(directory.path(), &["--json"]).json();
    the_summary_is_whole(&summary);
    let mut world = World::after_demo(directory);
    let before = everybody(&world);
    assert!(before.len() >= 100, "{} customers", before.len());
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
    std::fs::remove_dir_all(world.data().join("view")).expect("the view is a directory");
    world.start();
    assert_eq!(world.status()["profiles"], summary["profiles"]);
    for (one, other) in before.iter().zip(everybody(&world)) {
        assert_eq!(*one, other, "the view comes back equal");
    }
}

fn the_summary_is_whole(summary: &Value) {
    assert_eq!((&summary["purchases"], &summary["refused"]), (&json!(2000), &json!(0)), "{summary}");
    let fields = summary["fields"].as_array().expect("fields are a list");
    assert!(fields.iter().any(|field| field["field"] == "country" && field["source"] == "crm"), "{summary}");
    let disagreement = &summary["disagreement"];
    assert_eq!(disagreement["field"], "country", "{summary}");
    let refusal = &summary["refusal"];
    for member in ["code", "message"] {
        assert!(refusal[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {refusal}");
    }
    let owning = &summary["owning"];
    assert!(owning["disagreements"]["differ"].as_u64() > Some(0), "{owning}");
    assert!(owning["plan"]["changed"].as_u64() >= owning["disagreements"]["differ"].as_u64(), "{owning}");
    assert_eq!(owning["proposal"]["outcome"], "accepted-in-another-form", "{owning}");
    assert_eq!(
        (&owning["swap"]["fields"], owning["swap"]["steps"].as_array().map(Vec::len)),
        (&json!(6), Some(3))
    );
    assert!(summary["rss_bytes"].as_u64() > Some(0), "{summary}");
}

/// Profiles and timelines of the first customers.
fn everybody(world: &World) -> Vec<Value> {
    let customers = CUSTOMERS.map(|customer| format!("/v1/profiles/customer_id:{customer:05}"));
    let told = customers.flat_map(|path| [format!("{path}?claims=true"), format!("{path}/timeline")]);
    told.map(|path| world.get(&path))
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.json())
        .collect()
}
