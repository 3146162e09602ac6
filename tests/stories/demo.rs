//! A newcomer runs the demo, and goes on with what it leaves.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use samsyn_harness::components::plugin_file;
use samsyn_harness::world::{Said, World, samsyn};

/// Customers that are looked at afterwards: the data numbers them.
const CUSTOMERS: std::ops::Range<u32> = 1..200;

pub fn demo(directory: &Path, more: &[&str]) -> Said {
    let plugins = plugin_file("crm").parent().expect("it lies in a folder").to_owned();
    let mut command = samsyn(directory);
    command.args(["demo", "--exit", "--data", "data"]);
    if !more.contains(&"--events") {
        command.args(["--events", "2000"]);
    }
    if !more.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
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
        "a proposal of customer",
        "country: crm and sms agree on",
        "true under crm, true under service-desk, true under crm",
        "What was sent to the membership system",
    ] {
        assert!(said.out.contains(shown), "{shown:?} isn't shown:\n{}", said.out);
    }
    assert_story_first(&said.out);
}

/// What a customer sees, what was found, what was refused; and numbers at the end.
#[track_caller]
fn assert_story_first(text: &str) {
    let places = [
        "every value, its source and its cause",
        "two capabilities disagree",
        "a proposal of customer",
        "What an administrator does with it",
        "What was sent to the membership system",
        "Who owns which data point",
        "events a second",
        "CAPABILITY",
        "Try next",
    ];
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words:?} isn't there:\n{text}"));
    let found: Vec<usize> = places.iter().map(|words| place(words)).collect();
    assert!(found.is_sorted(), "{found:?}:\n{text}");
}

#[test]
fn its_percentiles_lie_within_buckets() {
    let summary = demo(directory().path(), &["--json"]).json();
    let capabilities = summary["capabilities"].as_array().expect("capabilities are a list");
    let latencies = capabilities.iter().flat_map(|found| [&found["p50_us"], &found["p99_us"]]);
    let mut latencies: Vec<f64> = latencies.filter_map(Value::as_f64).collect();
    for share in ["accept_to_decided_p50_us", "accept_to_decided_p99_us"] {
        latencies.push(summary[share].as_f64().unwrap_or_else(|| panic!("no {share}: {summary}")));
    }
    assert!(latencies.len() >= 8, "{summary}");
    // A bound of a bucket is said only by chance.
    let bounds =
        [2, 4, 6, 8, 10, 15, 20, 30, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000];
    let within =
        latencies.iter().filter(|us| !bounds.iter().any(|bound| (**us - f64::from(*bound)).abs() < 1e-9));
    assert!(within.count() > latencies.len() / 2, "{latencies:?}");
    for found in capabilities {
        let (half, most) = (found["p50_us"].as_f64(), found["p99_us"].as_f64());
        assert!(half <= most, "{found}");
    }
}

#[test]
fn what_it_says_to_try_next_works_as_it_stands() {
    let directory = directory();
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let listen = free.expect("a port can be had").to_string();
    let said = demo(directory.path(), &["--listen", &listen]);
    let behind = said.out.split("Try next").nth(1).expect("there are hints");
    let commands: Vec<&str> = behind.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let (serve, rest) = commands.split_first().expect("there are commands");
    assert!(serve.contains(" serve ") && rest.len() >= 3, "{commands:?}");
    let shell = |line: &str| {
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &format!("exec env {line}")]).current_dir(directory.path());
        shell.env_remove("SAMSYN_HOST").env_remove("SAMSYN_TOKEN").env_remove("SAMSYN_TOKEN_FILE");
        shell
    };
    let mut host = shell(&format!("{serve} --json"));
    let mut host = host.stdout(std::process::Stdio::piped()).spawn().expect("a shell can be run");
    let mut line = String::new();
    let out = host.stdout.take().expect("its output is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("it can be read");
    assert!(line.contains("listening"), "{line}");
    let answers: Vec<Said> =
        rest.iter().map(|line| Said::of(shell(line).output().expect("it can be run"))).collect();
    host.kill().expect("it can be ended");
    host.wait().expect("it ends");
    for (line, answer) in rest.iter().zip(answers) {
        // One of them proposes what is refused, to show how that looks.
        let fine = answer.code == Some(0) || answer.out.contains("refused");
        assert!(fine && !answer.out.is_empty(), "{line}: {answer:?}");
    }
}

#[test]
fn what_the_demo_leaves_is_a_host_like_any_other() {
    let directory = directory();
    let summary = demo(directory.path(), &["--json"]).json();
    assert_summary_complete(&summary);
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

fn assert_summary_complete(summary: &Value) {
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
    let paths = customers.flat_map(|path| [format!("{path}?claims=true"), format!("{path}/timeline")]);
    paths
        .map(|path| world.get(&path))
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.json())
        .collect()
}
