//! A newcomer runs the demo.

use std::process::Command;

use crate::components::plugin_file;
use crate::world::{Said, samsyn};

fn demo(more: &[&str]) -> Said {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let plugins = plugin_file("crm").parent().expect("it lies in a folder").to_owned();
    let mut command: Command = samsyn(directory.path());
    command.args(["demo", "--exit", "--events", "2000", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(directory.path().join("data")).arg("--plugins").arg(plugins).args(more);
    Said::of(command.output().expect("the command can be run"))
}

#[test]
fn the_demo_tells_what_a_newcomer_wants_to_see() {
    let said = demo(&[]).ok();
    for shown in ["first_name", "loyalty.points", "crm", "sms", "events", "sandboxes", "country", "refused"] {
        assert!(said.out.contains(shown), "{shown} isn't shown:\n{}", said.out);
    }
}

#[test]
fn the_demo_can_be_read_by_a_machine() {
    let said = demo(&["--json"]).ok();
    let summary = said.json();
    assert_eq!(summary["purchases"], 2000, "{summary}");
    assert_eq!(summary["refused"], 0, "{summary}");
    let disagreement = &summary["disagreement"];
    assert!(disagreement.is_object(), "{summary}");
    assert!(summary["refusal"]["code"].is_string() || summary["refusal"].is_object(), "{summary}");
    let fields = summary["fields"].as_array().expect("fields are a list");
    assert!(fields.iter().any(|field| field["field"] == "country" && field["source"] == "crm"), "{summary}");
}
