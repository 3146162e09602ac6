//! Systems that plug-ins call: requested by a manifest, bound and paused by an administrator, and refused where that
//! would be a mistake.

use serde_json::{Value, json};

use samsyn_harness::caller::Caller;
use samsyn_harness::components::{USUAL, calling_probe, probe};
use samsyn_harness::world::{World, until};
use samsyn_testkit::peer::{Act, Cut, Peer};

const MEMBERS: &str = "[calls.members]\nreason = \"Sets the tier\"\nurl = \"https://members.example.com/api\"\n\
    methods = [\"GET\", \"PUT\"]\nauth = \"bearer\"\n";

fn sync(more: &str) -> Vec<u8> {
    probe("sync", &format!("[subscribes.\"sync.asked\"]\n{MEMBERS}{more}"))
}

fn world() -> World {
    let world = World::new();
    let file = world.file("sync.wasm", sync(""));
    let installed = world.run(&["plugin", "install", &file, "--yes"]).ok();
    assert!(
        installed.out.contains("wants to call\n    members at https://members.example.com/api/"),
        "{installed:?}"
    );
    assert!(installed.out.contains("next: samsyn endpoint bind sync members --dry-run"), "{installed:?}");
    world
}

fn endpoint(world: &World) -> Value {
    world.get("/v1/endpoints/sync/members").of(200)
}

#[test]
fn an_endpoint_is_planned_bound_paused_resumed_and_unbound() {
    let mut world = world();
    let listed = world.run(&["endpoint", "list"]).ok();
    assert!(
        listed.out.contains("requested") && listed.out.contains("suggested: https://members"),
        "{listed:?}"
    );
    let shown = world.run(&["endpoint", "show", "sync", "members"]).ok();
    assert!(shown.out.contains("next: samsyn endpoint bind sync members"), "{shown:?}");
    let bind =
        ["endpoint", "bind", "sync", "members", "--bearer", "members_token", "--network", "10.2.0.0/16"];
    let planned = world.run(&[&bind[..], &["--dry-run"]].concat()).ok();
    assert!(planned.out.contains("bind sync/members: requested → bound"), "{planned:?}");
    assert!(planned.out.contains("needs the secrets\n    members_token"), "{planned:?}");
    assert_eq!(endpoint(&world)["state"], "requested", "a plan changes nothing");
    assert_eq!(world.run(&bind).code, Some(2), "nobody can be asked");
    world.run(&[&bind[..], &["--yes", "--reason", "MEM-4"]].concat()).ok();
    let bound = endpoint(&world);
    assert_eq!((&bound["state"], &bound["secrets"]), (&json!("bound"), &json!(["members_token"])));
    assert_eq!(bound["binding"]["auth"], json!({ "bearer": "members_token" }));
    let same = world.run(&["endpoint", "bind", "sync", "members", "--yes"]).ok();
    assert!(same.out.contains("nothing would change"), "{same:?}");
    world.run(&["endpoint", "bind", "sync", "members", "--parallel", "2", "--yes"]).ok();
    let bound = endpoint(&world);
    assert_eq!(
        (&bound["binding"]["parallel"], &bound["binding"]["networks"]),
        (&json!(2), &json!(["10.2.0.0/16"]))
    );
    assert_eq!(world.run(&["endpoint", "pause", "sync", "members"]).code, Some(2), "a pause needs a reason");
    let paused = world.run(&["endpoint", "pause", "sync", "members", "--reason", "maintenance"]).ok();
    assert!(paused.out.contains("sync/members: paused"), "{paused:?}");
    // It stays so over a restart: it is a fold of the log.
    world.crash();
    let shown = endpoint(&world);
    assert_eq!((&shown["state"], &shown["paused"]["reason"]), (&json!("paused"), &json!("maintenance")));
    assert_eq!(shown["binding"], bound["binding"]);
    let report = world.run(&["registry", "check"]);
    assert!(report.out.contains("endpoint-paused") && report.out.contains("maintenance"), "{report:?}");
    world.run(&["endpoint", "resume", "sync", "members", "--reason", "done"]).ok();
    assert_eq!(endpoint(&world)["state"], "bound");
    let capability = world.run(&["plugin", "show", "sync"]).ok();
    assert!(capability.out.contains("members (bound)"), "{capability:?}");
    world.run(&["endpoint", "unbind", "sync", "members", "--yes"]).ok();
    assert_eq!(
        (&endpoint(&world)["state"], &endpoint(&world)["binding"]),
        (&json!("requested"), &Value::Null)
    );
    let changes = world.run(&["audit", "changes"]).ok();
    for did in [
        "bound the endpoint members of sync to https://members.example.com/api/",
        "bound the endpoint members of sync otherwise: parallel 4 → 2",
        "paused the endpoint members of sync: maintenance",
        "resumed the endpoint members of sync, which admin had paused: maintenance",
        "unbound the endpoint members of sync from https://members.example.com/api/",
        "MEM-4",
    ] {
        assert!(changes.out.contains(did), "{did}: {changes:?}");
    }
    let kinds = world.get("/v1/audit/changes?kind=endpoint-bound").of(200);
    assert_eq!(kinds["items"].as_array().map(Vec::len), Some(2), "{kinds}");
}

#[test]
fn what_would_be_a_mistake_is_refused_with_what_to_do() {
    let world = world();
    let bind = |body: Value| world.json("PUT", "/v1/endpoints/sync/members", &body);
    for (body, code, named) in [
        (json!({}), "missing-key", "auth"),
        (json!({ "auth": "none", "urls": 1 }), "unknown-key", "urls"),
        (json!({ "auth": "none", "url": "https://u:hunter2@a.example/" }), "", "user or password"),
        (json!({ "auth": "none", "methods": ["DELETE"] }), "endpoint-invalid", "DELETE"),
        (json!({ "auth": "none", "url": "http://members.internal/" }), "endpoint-invalid", "networks"),
        (json!({ "auth": "none", "url": "https://127.0.0.1/" }), "endpoint-invalid", "private or special"),
        (
            json!({ "auth": "none", "url": "https://api.twilio.com/" }),
            "endpoint-invalid",
            "message_api = true",
        ),
        (json!({ "auth": "none", "parallel": 65 }), "endpoint-invalid", "1 to 64"),
        (json!({ "auth": "none", "reaches": "customers" }), "endpoint-invalid", "systems"),
        (json!({ "auth": { "bearer": "Not a name" } }), "", "secret"),
    ] {
        let refused = bind(body.clone());
        assert!(refused.status == 422 || refused.status == 400, "{body}: {refused:?}");
        let problem = refused.json();
        assert!(problem.to_string().contains(named), "{body}: {problem}");
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
        if !code.is_empty() {
            assert_eq!(refused.problem(), code, "{body}: {problem}");
        }
    }
    assert_eq!(endpoint(&world)["state"], "requested", "nothing was changed");
    let unknown = world.json("PUT", "/v1/endpoints/sync/erp", &json!({ "auth": "none" }));
    assert_eq!((unknown.status, unknown.problem()), (404, "unknown-endpoint".to_owned()));
    let nobody = world.get("/v1/endpoints/nobody/members");
    assert_eq!((nobody.status, nobody.problem()), (404, "unknown-capability".to_owned()));
    let unbound = world.send("POST", "/v1/endpoints/sync/members/pause?reason=x", &[], b"");
    assert_eq!((unbound.status, unbound.problem()), (409, "endpoint-not-bound".to_owned()));
    let silent = world.send("POST", "/v1/endpoints/sync/members/pause", &[], b"");
    assert_eq!((silent.status, silent.problem()), (400, "query-invalid".to_owned()));
    let stale = world.json("PUT", "/v1/endpoints/sync/members?revision=1", &json!({ "auth": "none" }));
    assert_eq!((stale.status, stale.problem()), (409, "plan-stale".to_owned()));
    world.run(&["plugin", "revoke", "sync", "--endpoint", "members", "--yes"]).ok();
    let revoked = bind(json!({ "auth": "none" }));
    assert_eq!((revoked.status, revoked.problem()), (409, "endpoint-revoked".to_owned()));
    world.run(&["plugin", "grant", "sync", "--endpoint", "members", "--yes"]).ok();
    bind(json!({ "auth": "none" })).of(200);
    let token = world.run(&["token", "create", "builder", "--scope", "registry:write", "--yes"]).ok();
    let builder = Caller::new(world.url.clone(), token.out.trim().to_owned());
    let refused = builder.json("PUT", "/v1/endpoints/sync/members", &json!({ "auth": "none" }));
    assert_eq!((refused.status, refused.problem()), (403, "scope-missing".to_owned()));
    assert_eq!(builder.get("/v1/endpoints").of(200)["items"].as_array().map(Vec::len), Some(1));
    let file = "registry = 1\n[endpoints.sync.members]\nauth = \"none\"\nparallel = 1\n";
    let revision = world.status()["registry_revision"].clone();
    let apply = format!("/v1/registry/apply?revision={revision}");
    let headers = [("content-type", "application/toml")];
    let refused = builder.send("POST", &apply, &headers, file.as_bytes());
    assert_eq!(refused.status, 403, "a file is no way around: {refused:?}");
}

#[test]
fn an_endpoint_that_reaches_customers_is_installed_and_can_t_be_bound() {
    let world = World::new();
    let texts = probe(
        "texts",
        "[subscribes.\"sync.asked\"]\n[calls.sms]\nreason = \"Texts\"\nmethods = [\"POST\"]\nreaches = \"customers\"\n",
    );
    let plan = world.post_component("?dry_run=true", &texts).of(200);
    assert!(plan["warnings"].to_string().contains("wants to send to customers (sms)"), "{plan}");
    world.install(&texts);
    let refused = world.run(&[
        "endpoint",
        "bind",
        "texts",
        "sms",
        "--url",
        "https://sms.example.com",
        "--no-auth",
        "--yes",
    ]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("doesn't send to customers yet"), "{refused:?}");
}

#[test]
fn an_upgrade_that_wants_to_call_more_waits() {
    let world = world();
    world.run(&["endpoint", "bind", "sync", "members", "--bearer", "members_token", "--yes"]).ok();
    let wider = probe(
        "sync",
        &format!("[subscribes.\"sync.asked\"]\n{}", MEMBERS.replace("\"PUT\"", "\"PUT\", \"DELETE\"")),
    );
    let sent = world.post_component("", &wider).of(202);
    assert_eq!(sent["plan"]["wants"]["calls"], json!(["members"]), "{sent}");
    let approved = world.run(&["plugin", "approve", "sync", "--yes"]).ok();
    assert!(approved.err.contains("call members"), "{approved:?}");
    let kept = endpoint(&world);
    assert_eq!(kept["binding"]["methods"], json!(["GET", "PUT"]), "until it is bound again");
    assert_eq!(kept["requested"]["methods"], json!(["GET", "PUT", "DELETE"]));
    world.send("DELETE", "/v1/capabilities/sync", &[], b"");
    assert_eq!(world.get("/v1/endpoints").of(200)["items"], json!([]));
    world.install(&sync(""));
    assert_eq!(endpoint(&world)["state"], "requested", "it inherits nothing");
}

#[test]
fn all_sending_is_paused_and_resumed() {
    let world = world();
    world.run(&["endpoint", "bind", "sync", "members", "--bearer", "members_token", "--yes"]).ok();
    let shown = world.run(&["outgoing", "show"]).ok();
    assert!(shown.out.contains("on") && shown.out.contains("bound"), "{shown:?}");
    let planned = world.run(&["outgoing", "pause", "--reason", "a copy", "--dry-run"]).ok();
    assert!(planned.out.contains("pause sending to 1 bound endpoints"), "{planned:?}");
    assert_eq!(world.get("/v1/outgoing").of(200)["paused"], Value::Null);
    world.run(&["outgoing", "pause", "--reason", "a copy"]).ok();
    let status = world.run(&["status"]).ok();
    assert!(status.out.contains("paused by admin since") && status.out.contains("a copy"), "{status:?}");
    let metrics = world.get("/metrics").text;
    assert!(metrics.contains("samsyn_outgoing_paused 1\n"), "{metrics}");
    assert!(metrics.contains("samsyn_endpoints{state=\"bound\"} 1\n"), "{metrics}");
    let resumed = world.run(&["endpoint", "resume", "sync", "members", "--dry-run"]).ok();
    assert!(resumed.out.contains("nothing would change"), "{resumed:?}");
    assert_eq!(world.run(&["outgoing", "resume"]).code, Some(2), "nobody can be asked");
    world.run(&["outgoing", "resume", "--yes", "--reason", "the other is off"]).ok();
    let again = world.run(&["outgoing", "resume", "--yes"]).ok();
    assert!(again.out.contains("nothing would change: sending is not paused"), "{again:?}");
    assert!(world.get("/metrics").text.contains("samsyn_outgoing_paused 0\n"));
}

#[test]
fn a_file_carries_bindings_to_another_host() {
    let world = world();
    world
        .run(&[
            "endpoint",
            "bind",
            "sync",
            "members",
            "--bearer",
            "members_token",
            "--rate",
            "5 per 1s",
            "--yes",
        ])
        .ok();
    world.run(&["endpoint", "pause", "sync", "members", "--reason", "moving"]).ok();
    let exported = world.run(&["registry", "export"]).ok().out;
    assert!(exported.contains("[endpoints.sync.members]") && !exported.contains("moving"), "{exported}");
    let file = world.file("registry.toml", &exported);
    let same = world.run(&["registry", "apply", &file, "--remove", "--dry-run"]).ok();
    assert!(same.out.contains("the registry matches the file"), "{same:?}");
    let other = World::new();
    other.install(&sync(""));
    let applied = other.run(&["registry", "apply", &file, "--yes"]).ok();
    assert!(applied.err.contains("bind endpoint sync/members"), "{applied:?}");
    assert_eq!(endpoint(&other)["binding"], endpoint(&world)["binding"]);
    assert_eq!(other.run(&["registry", "export"]).ok().out, exported);
}

#[test]
fn a_test_shows_how_far_a_request_comes_and_never_a_secret() {
    const TOKEN: &str = "mk-7f3a91c2d8";
    let world = World::with(&[("SAMSYN_SECRETS_KEY", &"05".repeat(32))]);
    world.install(&calling_probe("sync", &format!("[subscribes.\"sync.asked\"]\n{MEMBERS}")));
    let peer = Peer::start();
    let test = |more: &[&str]| world.run(&[&["endpoint", "test", "sync", "members"][..], more].concat());
    let unbound = test(&[]);
    assert!(unbound.code == Some(1) && unbound.err.contains("isn't bound"), "{unbound:?}");
    let bind = |more: Value| {
        let mut body =
            json!({ "url": peer.url(), "networks": ["127.0.0.0/8"], "auth": { "bearer": "members_token" } });
        body.as_object_mut().expect("it is one").extend(more.as_object().cloned().unwrap_or_default());
        world.json("PUT", "/v1/endpoints/sync/members", &body).of(200);
    };
    bind(json!({}));
    let no_secret = test(&["--json"]);
    assert_eq!(
        (no_secret.code, &no_secret.json()["code"], &no_secret.json()["sent"]),
        (Some(1), &json!("secret-missing"), &json!("no")),
        "{no_secret:?}"
    );
    assert!(no_secret.err.contains("samsyn secret set members_token"), "{no_secret:?}");
    let file = world.file("token", TOKEN);
    world.run(&["secret", "set", "members_token", "--file", &file]).ok();
    let good = test(&["--path", "members/1"]).ok();
    let shown = [format!("GET {}members/1", peer.url()), format!("connected to {}", peer.address())];
    for part in [shown[0].as_str(), &shown[1], "answer 200", "the system answered (200)"] {
        assert!(good.out.contains(part), "{part}: {good:?}");
    }
    let arrivals = peer.arrivals();
    let [arrival] = &arrivals[..] else { panic!("one request: {arrivals:?}") };
    assert_eq!(
        (arrival.method.as_str(), arrival.target.as_str()),
        ("GET", "/members/1"),
        "HEAD isn't granted"
    );
    assert_eq!(arrival.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    // A system that shows in its answer what it got.
    peer.always(Act::status(401, &format!("www-authenticate: {TOKEN}\r\n"), TOKEN));
    let refused = test(&[]);
    assert!(refused.code == Some(1) && refused.out.contains("refuses the credentials (401)"), "{refused:?}");
    for said in [&no_secret, &good, &refused, &test(&["--json"])] {
        assert!(!format!("{said:?}").contains(TOKEN), "{said:?}");
    }
    assert!(!world.log().contains(TOKEN));
    let head = test(&["--method", "HEAD", "--json"]);
    assert_eq!(head.json()["code"], "refused.method", "{head:?}");
    assert_eq!(world.send("POST", "/v1/endpoints/sync/members/test?method=PUT", &[], b"").status, 400);
    let sent = peer.arrivals().len();
    world.run(&["endpoint", "pause", "sync", "members", "--reason", "maintenance"]).ok();
    let paused = test(&[]);
    assert!(
        paused.code == Some(1) && paused.err.contains("samsyn endpoint resume sync members"),
        "{paused:?}"
    );
    world.run(&["endpoint", "resume", "sync", "members", "--reason", "done"]).ok();
    world.run(&["outgoing", "pause", "--reason", "a copy"]).ok();
    let paused = test(&["--json"]).json();
    assert_eq!((&paused["code"], &paused["steps"]), (&json!("paused"), &json!([])), "{paused}");
    world.run(&["outgoing", "resume", "--yes"]).ok();
    assert_eq!(peer.arrivals().len(), sent, "nothing arrived while it was paused");
    for (more, code) in [
        (
            json!({ "url": peer.url().replace("127.0.0.1", "localhost"), "networks": ["10.0.0.0/8"] }),
            "address",
        ),
        (json!({ "url": "http://nowhere.invalid/" }), "dns"),
        (json!({ "url": "http://127.0.0.1:1/" }), "connect"),
        (json!({ "url": peer.url().replace("http:", "https:") }), "tls"),
    ] {
        bind(more.clone());
        let failed = test(&["--json"]);
        assert_eq!(
            (failed.code, &failed.json()["code"], &failed.json()["sent"]),
            (Some(1), &json!(code), &json!("no")),
            "{more}: {failed:?}"
        );
        assert!(failed.json()["next"].is_string(), "{failed:?}");
    }
    let changes = world.run(&["audit", "changes"]).ok();
    assert!(!changes.out.contains("test"), "a test changes nothing: {changes:?}");
    let token = world.run(&["token", "create", "onlooker", "--scope", "admin:read", "--yes"]).ok();
    let onlooker = Caller::new(world.url.clone(), token.out.trim().to_owned());
    let forbidden = onlooker.send("POST", "/v1/endpoints/sync/members/test", &[], b"");
    assert_eq!((forbidden.status, forbidden.problem()), (403, "scope-missing".to_owned()));
}

#[test]
fn calls_in_doubt_are_reported_with_the_command_that_lists_them() {
    let world = World::new();
    let calls = "timers = true\n[calls.system]\nreason = \"A system\"\nmethods = [\"PUT\"]\n";
    world.install(&calling_probe("probe", &format!("{calls}{USUAL}")));
    let peer = Peer::start();
    let binding = json!({ "url": peer.url(), "auth": "none", "repeat": "once", "networks": ["127.0.0.0/8"] });
    world.json("PUT", "/v1/endpoints/probe/system", &binding).of(200);
    assert!(world.get("/metrics").text.contains("samsyn_calls_unknown 0\n"));
    peer.always(Act::ok().cut_answer(9, Cut::Close));
    world.script("anna", &["call system PUT /1 x"]);
    until("it is in doubt", || world.get("/metrics").text.contains("samsyn_calls_unknown 1\n").then_some(()));
    let report = world.run(&["registry", "check"]).ok();
    assert!(report.out.contains("calls-unknown") && report.out.contains("1 call of probe"), "{report:?}");
    let listed =
        world.run(&["call", "list", "--state", "unknown", "--capability", "probe", "--endpoint", "system"]);
    assert!(report.out.contains("$ samsyn call list --state unknown --capability probe --endpoint system"));
    let listed = listed.ok();
    assert!(listed.out.contains("system") && listed.out.contains("cut"), "{listed:?}");
    let call = world.get("/v1/calls?state=unknown").of(200)["items"][0]["id"].take();
    let call = call.as_str().expect("it has an id");
    world.run(&["call", "settle", call, "--as", "done", "--reason", "the system shows it"]).ok();
    until("nothing is in doubt", || {
        let report = world.run(&["registry", "check"]);
        (!report.out.contains("calls-unknown")).then_some(())
    });
}
