//! Somebody types commands: every error says what to do now, and every answer can be read by a
//! machine.

use serde_json::{Value, json};

use samsyn_harness::world::{Said, World, samsyn};

fn run_alone(arguments: &[&str]) -> Said {
    let directory = tempfile::tempdir().expect("a directory can be made");
    Said::of(samsyn(directory.path()).args(arguments).output().expect("the command can be run"))
}

#[test]
fn without_a_host_the_command_says_how_to_get_one() {
    // A port that was free a moment ago, and that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let host = format!("http://{}", free.expect("a port can be had"));
    for command in
        [&["status"][..], &["status", "--ready"], &["plugin", "list"], &["profile", "get", "customer_id:1"]]
    {
        let said = run_alone(&[&["--host", &host], command].concat());
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.err.contains(&host) && said.err.contains("samsyn serve"), "{said:?}");
        assert_eq!(said.out, "");
    }
    let said = run_alone(&["--host", "nonsense:port", "status"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("next: "), "{said:?}");
}

#[test]
fn a_wrong_token_is_told_where_the_right_one_is() {
    let world = World::shared();
    for wrong in ["wrong", ""] {
        let mut command = world.command(&["status", "--json"]);
        let said = Said::of(command.env("SAMSYN_TOKEN", wrong).output().expect("the command can be run"));
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("401") && said.err.contains("--token"), "{said:?}");
        assert_eq!(said.json()["code"], "unauthorized");
    }
    for path in ["/v1/status", "/metrics", "/v1/profiles/customer_id:1", "/nowhere"] {
        let answer = world.try_raw("GET", path, &[], b"").expect("the host is there");
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthorized"), "{path}");
    }
    for path in ["/healthz", "/readyz", "/errors"] {
        assert_eq!(world.try_raw("GET", path, &[], b"").expect("the host is there").status, 200, "{path}");
    }
}

#[test]
fn every_answer_can_be_read_by_a_machine() {
    let world = World::shared();
    let json = |arguments: &[&str]| world.run(&[arguments, &["--json"]].concat()).ok();
    let sent = json(&[
        "event",
        "send",
        "--name",
        "probe.asked",
        "--identifier",
        "customer_id=typed",
        "--id",
        "typed-1",
        "--property",
        "script=[\"integer probe.count 3\"]",
        "--wait",
    ]);
    assert_eq!(sent.json()["state"], "decided", "{sent:?}");
    assert_eq!(json(&["event", "show", "typed-1"]).json()["outcomes"][0]["result"], "done");
    assert_eq!(json(&["profile", "get", "customer_id:typed"]).json()["fields"], json!({"probe.count": 3}));
    let set = json(&["profile", "set", "customer_id:typed", "probe.note=hello", "--wait"]).json();
    assert_eq!(set["fields"]["probe.note"]["outcome"], "accepted", "{set}");
    assert_eq!(json(&["profile", "timeline", "customer_id:typed"]).json_lines().len(), 2);
    let fields = json(&["field", "list"]).json_lines();
    assert!(
        fields.iter().any(|field| field["name"] == "probe.count" && field["source"] == "probe"),
        "{fields:?}"
    );
    let plugins = json(&["plugin", "list"]).json_lines();
    assert!(
        plugins.iter().any(|plugin| plugin["name"] == "probe" && plugin["state"] == "active"),
        "{plugins:?}"
    );
    assert_eq!(json(&["plugin", "show", "probe"]).json()["name"], "probe");
    assert!(json(&["identifier", "list"]).json_lines().iter().any(|kind| kind["name"] == "customer_id"));
    assert_eq!(json(&["status"]).json()["version"], env!("CARGO_PKG_VERSION"));
    json(&["parked", "list"]).json_lines();
    let checked = json(&[
        "plugin",
        "check",
        samsyn_harness::components::plugin_file("loyalty").to_str().expect("text"),
    ]);
    assert_eq!((&checked.json()["name"], &checked.json()["warnings"]), (&json!("loyalty"), &json!([])));
    let unknown = world.run(&["profile", "get", "customer_id:nobody", "--json"]);
    assert_eq!((unknown.code, &unknown.json()["code"]), (Some(1), &json!("unknown-profile")));
    let tables = world.run(&["profile", "get", "customer_id:typed"]).ok();
    assert!(tables.out.contains("probe.count") && !tables.out.contains('\u{1b}'), "{tables:?}");
}

#[test]
fn a_refusal_ends_the_command_with_1_and_says_who_refused_what() {
    let world = World::shared();
    let whose = ["--identifier", "customer_id=refused"];
    let send = |name: &str, more: &[&str]| {
        world.run(&[&["event", "send", "--name", name], &whose[..], &["--wait"], more].concat())
    };
    send("probe.asked", &[]).ok();
    for (said, of, code) in [
        (send("profile.updated", &["--propose", "probe.note=!refuse"]), "probe.note", "probe.refused"),
        (send("probe.asked", &["--property", "script=[\"refuse no.thanks\"]"]), "probe.asked", "no.thanks"),
        (send("probe.asked", &["--property", "script=7"]), "script", "property.type"),
        (
            world.run(&["profile", "set", "customer_id:refused", "probe.note=!refuse"]),
            "probe.note",
            "probe.refused",
        ),
        (
            world.run(&["profile", "set", "customer_id:refused", "probe.note=!refuse", "--wait=20"]),
            "probe.note",
            "probe.refused",
        ),
    ] {
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.starts_with("error: "), "{said:?}");
        assert!(said.err.contains(of) && said.err.contains(code), "{said:?}");
        assert!(said.out.contains("position"), "what became of it is told all the same: {said:?}");
    }
    // Without an answer there is nothing to be told of.
    let silent = world.run(&["profile", "set", "customer_id:refused", "probe.note=!silent"]);
    assert_eq!(silent.code, Some(1), "{silent:?}");
    assert!(silent.err.contains("no answer"), "{silent:?}");
    // For a machine: what the host said on stdout, once, and the same ending.
    let json = send("profile.updated", &["--propose", "probe.note=!refuse", "--json"]);
    assert_eq!((json.code, &json.json()["verdict"]), (Some(1), &json!("refused")), "{json:?}");
    let json = world.run(&["profile", "set", "customer_id:refused", "probe.note=!refuse", "--json"]);
    assert_eq!((json.code, &json.json()["code"]), (Some(1), &json!("proposal-refused")), "{json:?}");
    assert_eq!(json.json()["event"]["fields"]["probe.note"]["code"], "probe.refused");
    // Who doesn't wait isn't told yet.
    let unwaited = ["profile", "set", "customer_id:refused", "probe.note=!refuse", "--wait=0"];
    let unwaited = world.run(&unwaited).ok();
    assert!(unwaited.out.contains("accepted"), "{unwaited:?}");
    let fine = world.run(&["profile", "set", "customer_id:refused", "probe.note=fine"]).ok();
    assert!(fine.out.contains("decided"), "it waits without being told to: {fine:?}");
}

#[test]
fn an_event_that_nobody_hears_is_told_from_one_that_changed_nothing() {
    let world = World::shared();
    let send = |name: &str| {
        world
            .run(&["event", "send", "--name", name, "--identifier", "customer_id=unheard", "--wait"])
            .ok()
            .out
    };
    let (unheard, heard) = (send("prope.asked"), send("probe.asked"));
    assert!(unheard.contains("no installed capability subscribes to prope.asked"), "{unheard}");
    assert!(!heard.contains("no installed capability") && heard.contains("probe received it"), "{heard}");
    assert!(heard.contains("changed nothing"), "{heard}");
}

#[test]
fn the_configuration_is_printed_whole_and_can_be_used_as_it_is() {
    let printed = run_alone(&["serve", "--print-config"]).ok().out;
    let table: toml::Table = toml::from_str(&printed).expect("it is TOML");
    for section in ["http", "engine", "log", "view", "sandbox"] {
        assert!(table.get(section).is_some_and(toml::Value::is_table), "{section}");
    }
    let directory = tempfile::tempdir().expect("a directory can be made");
    std::fs::write(directory.path().join("samsyn.toml"), &printed).expect("a file can be written");
    let mut command = samsyn(directory.path());
    command.env("SAMSYN_ENGINE_UNDECIDED_MAX", "77").args(["serve", "--print-config"]);
    let changed = Said::of(command.output().expect("the command can be run")).ok().out;
    let changed: toml::Table = toml::from_str(&changed).expect("it is TOML");
    assert_eq!(changed["engine"]["undecided_max"].as_integer(), Some(77), "the environment wins");
    std::fs::write(directory.path().join("samsyn.toml"), "lisen = \"x\"\n").expect("a file can be written");
    let wrong = Said::of(samsyn(directory.path()).args(["serve"]).output().expect("the command can be run"));
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("lisen") && wrong.err.contains("--print-config"), "{wrong:?}");
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run_alone(&["completions", shell]).ok().out;
        assert!(script.contains("samsyn") && script.contains("timeline"), "{shell}");
    }
}

#[test]
fn a_host_shows_metrics_and_no_customer() {
    let world = World::shared();
    world.script("Metric-Customer", &["integer probe.count 1"]);
    let metrics = world.get("/metrics");
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for series in [
        "samsyn_events_accepted_total ",
        "samsyn_queue_depth ",
        "samsyn_deliveries_total{result=\"done\"}",
        "samsyn_call_seconds_bucket{capability=\"probe\",le=",
        "samsyn_lag_records{capability=\"probe\"}",
        "samsyn_log_write_seconds_count",
        "samsyn_log_sync_seconds_count",
    ] {
        assert!(metrics.text.lines().any(|line| line.starts_with(series)), "no {series}:\n{}", metrics.text);
    }
    assert!(!metrics.text.contains("Metric-Customer") && !world.log().contains("Metric-Customer"));
    let secret: Value = world.token.clone().into();
    assert!(!world.log().contains(secret.as_str().unwrap_or_default()), "the token is shown once, elsewhere");
}

#[test]
fn a_host_that_cannot_start_says_why_and_what_to_do() {
    let world = World::shared();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let serve = |arguments: &[&str]| {
        let mut command = samsyn(directory.path());
        Said::of(command.arg("serve").args(arguments).output().expect("the command can be run"))
    };
    let taken = serve(&["--listen", world.url.trim_start_matches("http://")]);
    assert_eq!(taken.code, Some(1), "{taken:?}");
    assert!(taken.err.contains("--listen"), "{taken:?}");
    let file = directory.path().join("file");
    std::fs::write(&file, "no directory").expect("a file can be written");
    let no_directory =
        serve(&["--listen", "127.0.0.1:0", "--data", file.to_str().expect("its path is text")]);
    assert_eq!(no_directory.code, Some(1), "{no_directory:?}");
    assert!(no_directory.err.contains("next: "), "{no_directory:?}");
}

#[test]
fn the_hosts_log_can_be_lines_of_json() {
    let world = World::with(&[("SAMSYN_LOG_FORMAT", "json")]);
    let panicked = samsyn_harness::components::probe("probe", samsyn_harness::components::USUAL);
    world.install(&panicked);
    let trapped = world.script("Logged-Customer", &["panic the shelf is empty"]);
    let lines: Vec<Value> = world
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let parked = lines.iter().find(|line| line["position"] == trapped["position"]);
    let parked = parked.unwrap_or_else(|| panic!("nothing of the failure: {lines:#?}"));
    assert_eq!((&parked["capability"], &parked["profile"]), (&json!("probe"), &trapped["profile"]));
    assert!(
        parked["message"].as_str().is_some_and(|text| text.starts_with("a delivery is parked")),
        "{parked}"
    );
    assert_eq!(parked["kind"], "trap");
    // What a plug-in says may be a customer's.
    assert!(!parked.to_string().contains("the shelf is empty"), "{parked}");
    assert!(!world.log().contains("Logged-Customer"));
}
