//! A platform admin reads what a change would do before it is made, and afterwards what was done.

use serde_json::{Value, json};

use samsyn::sandbox::embed_manifest;

use samsyn_harness::components::{kept_probe, manifest, probe};
use samsyn_harness::world::{Said, World};

/// The probe as another version of a plug-in; `salt` makes other bytes of it.
fn version(name: &str, version: &str, tables: &str, salt: &str) -> Vec<u8> {
    let text = manifest(name, tables).replace("0.1.0", version);
    embed_manifest(&kept_probe(), &format!("# {salt}\n{text}")).expect("a manifest can be embedded")
}

#[track_caller]
fn assert_shows(said: &Said, words: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    for word in words {
        assert!(all.contains(word), "{word:?} isn't shown:\n{all}");
    }
}

/// The line of a text that begins so, blanks aside.
#[track_caller]
fn line<'a>(text: &'a str, start: &str) -> &'a str {
    let found = text.lines().map(str::trim).find(|line| line.starts_with(start));
    found.unwrap_or_else(|| panic!("no line begins with {start:?}:\n{text}"))
}

#[test]
fn a_plan_and_the_list_of_fields_say_what_a_field_is() {
    let world = World::new();
    world.json("PUT", "/v1/fields/fax", &json!({"type": "text", "deprecated": "use phone"})).of(200);
    let asks = "[sources]\n\
        phone = { type = \"text\", class = \"personal\", identifies = \"phone\" }\n\
        no_mail = { type = \"boolean\", protective = true }\n\
        fax = { type = \"text\" }\nsize = { type = \"text\" }\n";
    world.install(&probe("keeper", asks));
    let reads = "[consumes]\n\
        phone = { purposes = [\"service\"] }\nno_mail = { purposes = [\"service\"] }\n\
        fax = { purposes = [\"service\"] }\nsize = { purposes = [\"service\"] }\nlater = { purposes = [\"service\"] }\n";
    let file = world.file("reader.wasm", probe("reader", reads));
    let plan = world.run(&["plugin", "install", &file, "--dry-run"]).ok().out;
    for (start, words) in [
        ("phone ", vec!["personal", "identifies phone"]),
        ("no_mail ", vec!["protective"]),
        ("fax ", vec!["deprecated: use phone"]),
    ] {
        words.iter().for_each(|word| assert!(line(&plan, start).contains(word), "{word}:\n{plan}"));
    }
    assert!(!line(&plan, "size ").contains("personal"), "{plan}");
    let plan = world.run(&["plugin", "install", &file, "--dry-run", "--json"]).ok().json();
    let read = |field: &str| {
        let reads = plan["reads"].as_array().into_iter().flatten();
        reads
            .clone()
            .find(|read| read["field"] == field)
            .cloned()
            .unwrap_or_else(|| panic!("{field}: {plan}"))
    };
    assert_eq!(
        (&read("phone")["class"], &read("phone")["identifies"]),
        (&json!("personal"), &json!("phone"))
    );
    assert_eq!(
        (&read("no_mail")["protective"], &read("fax")["deprecated"]),
        (&json!(true), &json!("use phone"))
    );
    assert_eq!(read("later")["class"], Value::Null, "there is no such field yet");
    // So does the plan of who makes claims: of what the dictionary has, and of what it brings.
    let file = world.file("keeper.wasm", probe("rival", &asks.replace("size", "shoe")));
    let plan = world.run(&["plugin", "install", &file, "--dry-run"]).ok().out;
    for (start, words) in [
        ("phone (", vec!["personal", "identifies phone"]),
        ("no_mail (", vec!["protective"]),
        ("fax (", vec!["deprecated: use phone"]),
    ] {
        words.iter().for_each(|word| assert!(line(&plan, start).contains(word), "{word}:\n{plan}"));
    }
    let list = world.run(&["field", "list"]).ok().out;
    assert!(
        line(&list, "phone ").contains("personal") && line(&list, "phone ").contains("identifies phone"),
        "{list}"
    );
    assert!(line(&list, "no_mail ").contains("protective"), "{list}");
    assert!(line(&list, "fax ").contains("deprecated: use phone"), "{list}");
}

#[test]
fn who_came_first_is_told_where_it_decides_who_is_the_source() {
    let world = World::just_with(&[]);
    let claims = "[sources]\nnickname = { type = \"text\" }\n";
    let install = |name: &str| {
        let file = world.file(&format!("{name}.wasm"), probe(name, claims));
        world.run(&["plugin", "install", &file, "--yes"]).ok()
    };
    install("first");
    // Brought, and not accepted yet: whoever brought it becomes its source.
    let second = install("second");
    let line_of_plan = line(&second.out, "nickname (");
    assert!(
        line_of_plan.contains("first becomes its source") && line_of_plan.contains("first also makes claims"),
        "{second:?}"
    );
    let accepted = world.run(&["field", "accept", "nickname", "--yes"]).ok();
    assert_shows(&accepted, &["first becomes its source", "second also makes claims"]);
    // One is: it stays, and the plan says how that is changed.
    let third = install("third");
    let line_of_plan = line(&third.out, "nickname (");
    assert!(
        line_of_plan.contains("first stays its source") && line_of_plan.contains("second also makes claims"),
        "{third:?}"
    );
    assert_shows(&third, &["samsyn field assign nickname third"]);
    // Nobody is: the next one is, and those who claim it as well are named.
    world.run(&["field", "assign", "nickname", "--none", "--yes"]).ok();
    let file = world.file("fourth.wasm", probe("fourth", claims));
    let plan = world.run(&["plugin", "install", &file, "--dry-run"]).ok().out;
    let line_of_plan = line(&plan, "nickname (");
    assert!(
        line_of_plan.contains("becomes its source") && line_of_plan.contains("because it has none"),
        "{plan}"
    );
    assert!(line_of_plan.contains("first, second and third also make claims"), "{plan}");
    let plan = world.run(&["plugin", "install", &file, "--dry-run", "--json"]).ok().json();
    assert_eq!(plan["sources"][0]["claimed_by"], json!(["first", "second", "third"]), "{plan}");
}

#[test]
fn a_component_that_was_rejected_is_told_so_and_why() {
    let world = World::new();
    world.install(&probe("reader", ""));
    let reads = "[consumes]\nnickname = { purposes = [\"ads\"] }\n";
    let wanted = world.file("reader.wasm", version("reader", "0.2.0", reads, ""));
    let dry = || world.run(&["plugin", "install", &wanted, "--dry-run"]).ok();
    assert!(!dry().out.contains("rejected"), "{:?}", dry());
    world.run(&["plugin", "install", &wanted, "--leave-pending", "--yes"]).ok();
    world.run(&["plugin", "reject", "reader", "--yes", "--reason", "no ads here"]).ok();
    assert_shows(&dry(), &["admin rejected this component before", "no ads here"]);
    let plan = world.run(&["plugin", "install", &wanted, "--dry-run", "--json"]).ok().json();
    assert_eq!(
        (&plan["rejected"]["by"], &plan["rejected"]["reason"]),
        (&json!("admin"), &json!("no ads here"))
    );
    assert!(plan["rejected"]["at"].is_string() && plan["rejected"]["revision"].is_u64(), "{plan}");
    // Other bytes are another matter; sent again it waits again, and who approves is told as well.
    let other = world.file("other.wasm", version("reader", "0.2.0", reads, "other"));
    let plan = world.run(&["plugin", "install", &other, "--dry-run", "--json"]).ok().json();
    assert_eq!(plan["rejected"], Value::Null, "{plan}");
    let sent = world.run(&["plugin", "install", &wanted, "--leave-pending", "--yes"]).ok();
    assert_shows(&sent, &["no ads here", "waits for approval"]);
    assert_shows(&world.run(&["plugin", "show", "reader"]).ok(), &["rejected", "no ads here"]);
    let approved = world.run(&["plugin", "approve", "reader", "--yes"]).ok();
    assert_shows(&approved, &["no ads here"]);
    // Installed all the same, it is no rejected one any more.
    assert!(!dry().out.contains("rejected this"), "{:?}", dry());
    let mut world = world;
    assert!(world.stop().success());
    world.start();
    world.post_component("?dry_run=true", &version("reader", "0.2.0", reads, "")).of(200);
}

#[test]
fn a_registry_file_shows_whom_it_concerns_and_may_clear() {
    let world = World::new();
    let keeper = |name: &str| {
        let asked = format!("[subscribes.\"{name}.asked\"]\nscript = {{ type = \"texts\" }}\n");
        probe(name, &format!("{asked}[sources]\nnickname = {{ type = \"text\" }}\n"))
    };
    world.install(&keeper("first"));
    world.install(&keeper("second"));
    let says = |who: &str, by: &str, what: &str| {
        world.happens(who, &format!("{by}.asked"), json!({"script": [format!("text nickname {what}")]}));
    };
    says("kim", "first", "Kim");
    says("kim", "second", "Kimmie");
    says("bo", "first", "Bo");
    world.settle();
    let exported = world.run(&["registry", "export"]).ok().out;
    let file = world.file("registry.toml", exported.replace("nickname = \"first\"", "nickname = \"second\""));
    let plan = world.run(&["registry", "apply", &file, "--dry-run"]);
    assert_eq!(plan.code, Some(1), "{plan:?}");
    assert_shows(
        &plan,
        &[
            "first → second",
            "1 customers get another value",
            "1 customers keep the value of an earlier source",
        ],
    );
    let clear = world.run(&["registry", "apply", &file, "--dry-run", "--clear"]);
    assert_shows(&clear, &["2 customers get another value", "1 customers lose their value"]);
    let assigned =
        world.run(&["field", "assign", "nickname", "second", "--clear", "--dry-run", "--json"]).ok();
    let plan = world.run(&["registry", "apply", &file, "--dry-run", "--clear", "--json"]);
    let plan: Value = serde_json::from_str(plan.out.lines().next().unwrap_or_default()).expect("it is JSON");
    assert_eq!(plan["moves"], assigned.json()["fields"], "the same counts, and the same customers");
    assert_eq!(plan["mode"], "clear");
    world.run(&["registry", "apply", &file, "--clear", "--yes"]).ok();
    assert_eq!((world.fields("kim"), world.fields("bo")), (json!({"nickname": "Kimmie"}), json!({})));
    // Back, and nobody loses a value.
    let file = world.file("registry.toml", &exported);
    world.run(&["registry", "apply", &file, "--inherit", "--yes"]).ok();
    assert_eq!(
        (world.fields("kim"), world.fields("bo")),
        (json!({"nickname": "Kim"}), json!({"nickname": "Bo"}))
    );
    assert_eq!(world.run(&["registry", "apply", &file, "--inherit", "--clear"]).code, Some(2));
    // A source that a file takes away is counted, too; and who may not see values is shown none.
    let less = world.file("less.toml", exported.replace("nickname = \"first\"\n", ""));
    assert_shows(
        &world.run(&["registry", "apply", &less, "--remove", "--dry-run"]),
        &["first → none", "2 customers"],
    );
    let made = world.json("POST", "/v1/tokens", &json!({"name": "ci", "scopes": ["registry:read"]})).of(201);
    let mut ci = (*world).clone();
    made["secret"].as_str().expect("it is told once").clone_into(&mut ci.token);
    let headers = [("content-type", "application/toml")];
    let body = exported.replace("nickname = \"first\"", "nickname = \"second\"");
    let plan = ci.send("POST", "/v1/registry/plan?mode=clear", &headers, body.as_bytes()).of(200);
    assert_eq!(
        (&plan["moves"][0]["changed"], &plan["moves"][0]["samples"]),
        (&json!(2), &json!([])),
        "{plan}"
    );
    let wrong = ci.send("POST", "/v1/registry/plan?mode=nonsense", &headers, body.as_bytes());
    assert_eq!(wrong.problem(), "query-invalid");
}

#[test]
fn a_token_for_fields_that_there_are_not_is_made_only_when_that_is_said() {
    let world = World::new();
    world.json("PUT", "/v1/fields/first_name", &json!({"type": "text", "class": "personal"})).of(200);
    let create = |scope: &str, more: &[&str]| {
        world.run(&[&["token", "create", "web", "--scope", scope, "--yes"], more].concat())
    };
    for (scope, unknown, meant) in [
        ("profiles:read=frist_name", "frist_name", "`first_name`"),
        ("profiles:propose=frist_name,first_name", "frist_name", "`first_name`"),
        ("profiles:read=identifier:customer_d", "identifier:customer_d", "`identifier:customer_id`"),
        ("profiles:read=zodiac", "zodiac", "--allow-unknown"),
    ] {
        let refused = create(scope, &[]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{scope}: {refused:?}");
        assert_shows(&refused, &[unknown, meant, "--allow-unknown"]);
    }
    assert!(world.get("/v1/tokens/web").status == 404, "nothing was made");
    let made = create("profiles:read=zodiac", &["--allow-unknown"]).ok();
    assert!(made.out.starts_with("samsyn_"), "{made:?}");
    world.run(&["token", "revoke", "web", "--yes"]).ok();
    create("profiles:read=first_name,identifier:customer_id", &[]).ok();
    let plan = world.json(
        "POST",
        "/v1/tokens?dry_run=true",
        &json!({"name": "x", "scopes": ["profiles:read=frist_name"]}),
    );
    let plan = plan.of(200);
    assert_eq!(plan["may"]["unknown"], json!(["frist_name"]), "{plan}");
    assert_shows(
        &world.run(&["token", "create", "x", "--scope", "profiles:read=frist_name", "--dry-run"]).ok(),
        &["`first_name`"],
    );
}

#[test]
fn an_active_plug_in_cant_be_released() {
    let world = World::new();
    world.install(&probe("reader", ""));
    let revision = world.status()["registry_revision"].clone();
    let refused = world.run(&["plugin", "release", "reader", "--json"]);
    assert_eq!((refused.code, &refused.json()["code"]), (Some(1), &json!("not-quarantined")), "{refused:?}");
    assert_shows(&refused, &["reader is not quarantined"]);
    assert_eq!(world.status()["registry_revision"], revision, "nothing was recorded");
}

#[test]
fn versions_are_called_what_they_are() {
    let world = World::new();
    let tables = "[sources]\nsize = { type = \"text\" }\n";
    let file = |number: &str, salt: &str| world.file("it.wasm", version("shop", number, tables, salt));
    let plan = |file: &str| world.run(&["plugin", "install", file, "--dry-run", "--json"]).ok().json();
    let install = |file: &str| world.run(&["plugin", "install", file, "--yes"]).ok();
    let first = file("0.9.0", "a");
    assert_eq!((&plan(&first)["change"], &plan(&first)["before"]), (&json!("install"), &Value::Null));
    assert_shows(&install(&first), &["Install shop 0.9.0", "installed shop 0.9.0"]);
    for (number, salt, change, title, done) in [
        ("0.9.0", "a", "reinstall", "Install again shop 0.9.0", "installed shop 0.9.0 again"),
        ("0.10.0", "b", "upgrade", "Upgrade shop 0.9.0 → 0.10.0", "upgraded shop 0.9.0 → 0.10.0"),
        (
            "0.10.0",
            "c",
            "same-version",
            "Replace shop 0.10.0: same version, different content",
            "replaced shop 0.10.0",
        ),
        ("0.9.0", "a", "downgrade", "Downgrade shop 0.10.0 → 0.9.0", "downgraded shop 0.10.0 → 0.9.0"),
        ("1.0.0-rc.1", "d", "upgrade", "Upgrade shop 0.9.0 → 1.0.0-rc.1", "upgraded shop"),
        ("1.0.0", "e", "upgrade", "Upgrade shop 1.0.0-rc.1 → 1.0.0", "upgraded shop"),
        ("nightly", "f", "other-version", "Change shop 1.0.0 → nightly", "changed shop 1.0.0 → nightly"),
    ] {
        let file = file(number, salt);
        let planned = plan(&file);
        assert_eq!(planned["change"], change, "{planned}");
        assert!(
            planned["before"]["version"].is_string() && planned["before"]["digest"].is_string(),
            "{planned}"
        );
        assert_shows(&install(&file), &[title, done]);
    }
    let changes = world.run(&["audit", "changes", "--kind", "installed"]).ok().out;
    for did in [
        "admin installed shop 0.9.0",
        "admin installed shop 0.9.0 again",
        "admin upgraded shop 0.9.0 → 0.10.0",
        "admin replaced shop 0.10.0 by other bytes of the same version",
        "admin downgraded shop 0.10.0 → 0.9.0",
        "admin changed shop 1.0.0 → nightly",
    ] {
        assert!(changes.contains(did), "{did}:\n{changes}");
    }
}

#[test]
fn what_starts_from_the_oldest_event_says_with_which_settings() {
    let world = World::new();
    let tables = "[settings]\nlimit = { type = \"integer\", default = 3 }\nword = { type = \"text\", default = \"STOP\" }\n";
    let file = world.file("it.wasm", version("shop", "0.1.0", tables, ""));
    world.run(&["plugin", "install", &file, "--yes"]).ok();
    world.run(&["plugin", "set", "shop", "limit=7"]).ok();
    let upgrade = world.file("it.wasm", version("shop", "0.2.0", tables, ""));
    let plain = world.run(&["plugin", "install", &upgrade, "--dry-run"]).ok();
    assert_shows(&plain, &["limit = 7 (set)", "word = STOP"]);
    assert!(!plain.out.contains("as they are now"), "{plain:?}");
    let from = world.run(&["plugin", "install", &upgrade, "--dry-run", "--from", "start"]).ok();
    assert_shows(&from, &["settings as they are now", "limit = 7 (set)", "word = STOP (default)"]);
    let plan = world.run(&["plugin", "install", &upgrade, "--dry-run", "--json"]).ok().json();
    assert_eq!(
        (&plan["settings"][0]["value"], &plan["settings"][1]["value"]),
        (&json!(7), &Value::Null),
        "{plan}"
    );
}

#[test]
fn the_last_move_is_listed_also_when_nobody_had_to_be_told() {
    let mut world = World::new();
    world.install(&probe("first", "[sources]\nnickname = { type = \"text\" }\n"));
    world.install(&probe("second", "[sources]\nnickname = { type = \"text\" }\n"));
    let jobs = |world: &World| world.run(&["field", "jobs"]).ok().out;
    world.run(&["field", "assign", "nickname", "second", "--yes"]).ok();
    world.settle();
    let revision = world.status()["registry_revision"].clone();
    let listed = jobs(&world);
    assert!(listed.contains("nickname") && listed.contains("done"), "{listed}");
    let first = world.get("/v1/jobs").of(200)["items"][0].clone();
    assert_eq!(
        (&first["revision"], &first["state"], &first["told"]),
        (&revision, &json!("done"), &json!(0)),
        "{first}"
    );
    assert!(first["started_at"].is_string() && first["ended_at"].is_string(), "{first}");
    // After a start nobody knows how many were told before it; that there was a move is known.
    assert!(world.stop().success());
    world.start();
    let again = world.get("/v1/jobs").of(200)["items"][0].clone();
    assert_eq!((&again["revision"], &again["fields"]), (&revision, &json!(["nickname"])), "{again}");
    assert_eq!(again["told"], Value::Null, "{again}");
    assert!(jobs(&world).contains("nickname"), "{}", jobs(&world));
}

#[test]
fn a_kind_that_there_is_not_is_refused() {
    let world = World::shared();
    for path in ["/v1/audit/changes?kind=nonsense", "/v1/parked?kind=nonsense", "/v1/parked?code=nonsense"] {
        let refused = world.get(path);
        assert_eq!((refused.status, refused.problem()), (400, "query-invalid".to_owned()), "{path}");
    }
    let near = world.get("/v1/audit/changes?kind=source-moved").json();
    let message = format!("{}{}", near["detail"], near["next"]);
    assert!(message.contains("`sources-moved`") && message.contains("`token-made`"), "{near}");
    let skip = world.json("POST", "/v1/parked/skip", &json!({"kind": "nonsense", "reason": "x"}));
    assert_eq!(skip.problem(), "wrong-type");
    for kind in ["sources-moved", "source-assigned", "many", "installed", "token-made"] {
        world.get(&format!("/v1/audit/changes?kind={kind}")).of(200);
    }
}

#[test]
fn the_audit_names_what_changed_from_what_to_what() {
    let world = World::new();
    let run = |arguments: &[&str]| world.run(arguments).ok();
    let newest = || {
        let changes = run(&["audit", "changes", "--limit", "1", "--json"]).json_lines();
        changes[0]["sentence"].as_str().expect("it is a sentence").to_owned()
    };
    world.install(&probe("first", "[sources]\nnickname = { type = \"text\" }\n"));
    world.install(&probe("second", "[sources]\nnickname = { type = \"text\" }\n"));
    run(&["field", "define", "size", "--type", "text", "--one-of", "S,M", "--yes"]);
    assert_eq!(newest(), "admin defined the field size (text)");
    run(&[
        "field", "define", "size", "--one-of", "S,M,L", "--class", "personal", "--yes", "--reason", "WEB-31",
    ]);
    assert_eq!(
        newest(),
        "admin changed the field size: class none → personal; one_of S, M → S, M, L: WEB-31"
    );
    run(&["field", "deprecate", "size", "--note", "use fit", "--yes"]);
    assert_eq!(newest(), "admin changed the field size: deprecated none → use fit");
    run(&["field", "assign", "nickname", "second", "--yes"]);
    assert_eq!(newest(), "admin made second the source of nickname (first → second)");
    run(&["field", "assign", "nickname", "--none", "--yes"]);
    assert_eq!(newest(), "admin left nickname without a source (second → none)");
    run(&["field", "assign", "nickname", "first", "--yes"]);
    assert_eq!(newest(), "admin made first the source of nickname (none → first)");
    run(&["identifier", "define", "card", "--normaliser", "exact", "--strength", "10", "--yes"]);
    assert_eq!(newest(), "admin defined the identifier card (strength 10)");
    run(&["identifier", "define", "card", "--normaliser", "exact", "--strength", "20", "--yes"]);
    assert_eq!(newest(), "admin changed the identifier card: strength 10 → 20");
    let reads = "[sources]\nlast = { type = \"text\" }\n[consumes]\nnickname = { purposes = [\"service\"] }\n\
                 [settings]\nlimit = { type = \"integer\", default = 3 }\n";
    let file = world.file("reader.wasm", version("reader", "1.0.0", reads, ""));
    run(&["plugin", "install", &file, "--yes"]);
    assert_eq!(
        newest(),
        "admin installed reader 1.0.0, which may read nickname, and made it the source of last"
    );
    run(&["plugin", "revoke", "reader", "--field", "nickname", "--yes"]);
    assert_eq!(newest(), "admin changed what reader may do: no longer reading nickname");
    run(&["plugin", "grant", "reader", "--field", "nickname", "--yes"]);
    assert_eq!(newest(), "admin changed what reader may do: from now on reading nickname");
    run(&["plugin", "set", "reader", "limit=7"]);
    assert_eq!(newest(), "admin set limit of reader", "never what it was set to");
    let more = reads.replace("service", "service\", \"ads");
    let file = world.file("reader.wasm", version("reader", "1.1.0", &more, ""));
    run(&["plugin", "install", &file, "--leave-pending", "--yes"]);
    let pending = "admin sent an upgrade of reader (1.0.0 → 1.1.0) that wants more than is granted and waits: reading nickname";
    assert_eq!(newest(), pending);
    run(&["plugin", "reject", "reader", "--yes", "--reason", "no ads"]);
    assert_eq!(newest(), "admin rejected the upgrade of reader (1.0.0 → 1.1.0) that waited: no ads");
    let file = world.file("reader.wasm", version("reader", "0.9.0", &more, ""));
    run(&["plugin", "install", &file, "--leave-pending", "--yes"]);
    let pending = "admin sent a downgrade of reader (1.0.0 → 0.9.0) that wants more than is granted and waits: \
                   reading nickname";
    assert_eq!(newest(), pending);
    run(&["plugin", "reject", "reader", "--yes"]);
    assert_eq!(newest(), "admin rejected the downgrade of reader (1.0.0 → 0.9.0) that waited");
    let file = world.file("reader.wasm", version("reader", "1.0.0", &more, ""));
    run(&["plugin", "install", &file, "--leave-pending", "--yes"]);
    assert!(newest().starts_with("admin sent other bytes of reader 1.0.0 that want more"), "{}", newest());
    run(&["plugin", "reject", "reader", "--yes"]);
    run(&["plugin", "remove", "reader", "--force", "--yes"]);
    assert_eq!(newest(), "admin removed reader 1.0.0, which was the source of last");
    run(&["token", "create", "web", "--scope", "registry:read", "--yes"]);
    run(&["token", "revoke", "web", "--yes"]);
    assert_eq!(newest(), "admin revoked the token web of the application web (registry:read)");
    run(&["field", "remove", "size", "--yes"]);
    assert_eq!(newest(), "admin removed the field size (text)");
    // A file's changes are told in turn, each after the one before it.
    let exported = run(&["registry", "export"]).out;
    let edited = exported
        .replace("nickname = \"first\"", "nickname = \"second\"")
        .replace("strength = 20", "strength = 30");
    let file = world.file("registry.toml", edited);
    run(&["registry", "apply", &file, "--yes"]);
    let said = newest();
    assert!(said.contains("changed the identifier card: strength 20 → 30"), "{said}");
    assert!(said.contains("made second the source of nickname (first → second)"), "{said}");
    // Somebody who planned on an older revision is told the same.
    let stale =
        world.json("POST", "/v1/assignments", &json!({"fields": ["nickname"], "to": "first", "revision": 1}));
    assert_eq!(stale.problem(), "plan-stale");
    assert!(
        stale.text.contains("class none → personal") || stale.text.contains("first → second"),
        "{stale:?}"
    );
    // The first page and a later one tell of one change alike.
    let all = run(&["audit", "changes", "--json"]).json_lines();
    let paged = world.get("/v1/audit/changes?limit=3").of(200);
    let next = paged["next"].as_str().expect("there are more");
    let second = world.get(&format!("/v1/audit/changes?limit=3&cursor={next}")).of(200);
    assert_eq!(second["items"][0]["sentence"], all[3]["sentence"]);
}
