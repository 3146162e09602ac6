//! Proving what happened: who read a customer's data, who changed what and why, and that nothing
//! of it was rewritten.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use samsyn_harness::components;
use samsyn_harness::world::{World, until};

/// The probe as a source of personal fields.
const PERSONAL: &str = "\
    [subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n[sources]\n\
    \"email\" = { type = \"text\", class = \"personal\", description = \"Where mail goes\" }\n\
    \"probe.note\" = { type = \"text\" }\n";

fn world(settings: &[(&str, &str)]) -> World {
    let world = World::with(settings);
    world.install(&components::probe("probe", PERSONAL));
    world.script("anna", &["text email anna@example.com", "text probe.note tall"]);
    world
}

fn read_as(world: &World, application: &str, path: &str) -> u16 {
    world.send("GET", path, &[("samsyn-application", application)], b"").status
}

fn audited(world: &World, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = ["audit", "reads", "--json"].iter().chain(arguments).copied().collect();
    world.run(&arguments).ok().json_lines()
}

/// A copy of a directory, files and all.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(from).expect("it is a directory") {
        let path = entry.expect("it can be read").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("it can be copied");
        }
    }
}

fn segments(world: &World) -> Vec<PathBuf> {
    let files = fs::read_dir(world.data().join("audit")).expect("the audit is a directory");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("it can be read").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "segment"));
    files.sort();
    files
}

#[test]
fn an_admin_finds_out_who_read_a_customers_email() {
    let world = world(&[]);
    let purpose = [("samsyn-application", "desk"), ("samsyn-purpose", "a complaint")];
    let profile = world.send("GET", "/v1/profiles/customer_id:anna", &purpose, b"").of(200);
    assert_eq!(profile["fields"]["email"], "anna@example.com");
    assert_eq!(read_as(&world, "web", "/v1/profiles/customer_id:anna?fields=probe.note"), 200);
    assert_eq!(read_as(&world, "mailer", "/v1/profiles/customer_id:anna/timeline"), 200);
    let of_email = audited(&world, &["--profile", "customer_id:anna", "--field", "email"]);
    let by = |read: &Value| read["by"].as_str().expect("somebody read").to_owned();
    // The script's own answer showed the e-mail address to whoever waited for it.
    assert_eq!(of_email.iter().map(by).collect::<Vec<_>>(), ["mailer", "desk", "admin"]);
    assert_eq!(of_email[1]["purpose"], "a complaint");
    assert_eq!(of_email[1]["profile"], profile["id"]);
    assert_eq!(of_email[2]["call"], "POST /v1/events");
    world.get("/v1/fields/email/claims").of(200);
    assert_eq!(audited(&world, &["--field", "email"])[0]["call"], "GET /v1/fields/{name}/claims");
    world.get("/v1/fields/probe.note/claims").of(200);
    assert_eq!(audited(&world, &["--field", "probe.note"]), [] as [Value; 0], "it is not personal");
    assert_eq!(audited(&world, &["--by", "web", "--field", "email"]), [] as [Value; 0]);
    assert_eq!(audited(&world, &["--by", "web"])[0]["identifiers"], json!(["customer_id"]));
    let table = world.run(&["audit", "reads", "--by", "desk"]).ok().out;
    assert!(table.contains("customer_id, email") && table.contains("a complaint"), "{table}");
    let all = format!("{:?}{table}", audited(&world, &[]));
    assert!(!all.contains("anna@"), "names, never values: {all}");
    let files =
        segments(&world).iter().map(|file| fs::read(file).expect("it can be read")).collect::<Vec<_>>();
    assert!(!files.concat().windows(5).any(|bytes| bytes == b"anna@"), "nor in the files");
}

#[test]
fn a_kill_right_after_an_answer_loses_no_read() {
    let mut world = world(&[]);
    let before = audited(&world, &[]).len();
    for round in 0..4 {
        for _ in 0..5 {
            let application = format!("round-{round}");
            assert_eq!(read_as(&world, &application, "/v1/profiles/customer_id:anna"), 200);
        }
        world.crash();
        assert_eq!(audited(&world, &["--by", &format!("round-{round}")]).len(), 5);
    }
    assert_eq!(audited(&world, &[]).len(), before + 20);
    assert!(world.stop().success());
    assert_eq!(world.run_on_data(&["log", "verify", "--json"]).ok().json()["problem"], Value::Null);
}

#[test]
fn a_damaged_audit_refuses_personal_reads_alone_and_says_so() {
    let mut world = world(&[]);
    for _ in 0..5 {
        assert_eq!(read_as(&world, "web", "/v1/profiles/customer_id:anna"), 200);
    }
    let noted = world.run(&["log", "head"]).ok().out;
    assert!(world.stop().success());
    let segment = segments(&world).remove(0);
    let good = fs::read(&segment).expect("it can be read");
    let mut bytes = good.clone();
    bytes[400] ^= 0x20;
    fs::write(&segment, &bytes).expect("it can be written");
    let verified = world.run_on_data(&["log", "verify"]);
    assert_eq!(verified.code, Some(1));
    assert!(
        verified.err.contains("audit of reads is damaged") && verified.err.contains("next: "),
        "{verified:?}"
    );

    world.start();
    // It is taken and decided; only what was made of it, an e-mail address, isn't told.
    let asked = json!({
        "name": "probe.asked", "identifiers": { "customer_id": "bertil" },
        "properties": { "script": ["text email bertil@example.com"] },
    });
    let prefer = [("content-type", "application/json"), ("prefer", "wait=30")];
    let taken = world.send("POST", "/v1/events", &prefer, asked.to_string().as_bytes()).of(202);
    assert!(taken["position"].is_string(), "{taken}");
    let refused = world.get("/v1/profiles/customer_id:anna");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "audit-unavailable"));
    assert_eq!(world.get("/v1/fields/email/claims").problem(), "audit-unavailable");
    assert_eq!(world.get("/v1/audit/reads").problem(), "audit-unavailable");
    let ready = world.get("/readyz").of(200);
    assert!(
        ready["personal_reads"]["refused"].as_str().is_some_and(|why| why.contains("damaged at byte")),
        "{ready}"
    );
    assert!(world.run(&["status"]).ok().out.contains("reads of personal data are rejected"));
    let said = world.command(&["status", "--ready"]).env("SAMSYN_TOKEN", "").output().expect("it can be run");
    let said = samsyn_harness::world::Said::of(said).ok();
    assert!(said.out.starts_with("ready; reads of personal data are rejected: "), "{said:?}");
    assert!(world.log().contains("reads of personal data can't be recorded"), "{}", world.log());
    assert!(world.stop().success());

    // Kept elsewhere, a new one begins; that the old one is gone is found by what was noted.
    fs::rename(world.data().join("audit"), world.directory().join("damaged")).expect("it can be moved");
    world.start();
    assert_eq!(world.fields("bertil"), json!({"email": "bertil@example.com"}));
    assert!(world.stop().success());
    world.run_on_data(&["log", "verify"]).ok();
    let compared = world.run_on_data(&["log", "verify", "--head", &noted]);
    assert_eq!(compared.code, Some(1), "{compared:?}");
    assert!(compared.err.contains("the audit of reads differs from the given head"), "{compared:?}");
}

#[test]
fn old_reads_leave_in_whole_files_and_the_rest_still_verifies() {
    let small = [("SAMSYN_AUDIT_SEGMENT_BYTES", "1024"), ("SAMSYN_AUDIT_KEEP_BYTES", "8192")];
    let mut world = world(&small);
    let noted = world.run(&["log", "head", "--json"]).ok().out;
    for _ in 0..100 {
        assert_eq!(read_as(&world, "web", "/v1/profiles/customer_id:anna"), 200);
    }
    let bytes = || world.status()["audit"]["bytes"].as_u64().expect("it is told");
    until("the first files have left", || (bytes() <= 8_192).then_some(()));
    // Whole files have left: what lies there is what is told, but for the one that grows.
    let files = segments(&world);
    let sealed = files.iter().rev().skip(1).map(|file| fs::metadata(file).map_or(0, |file| file.len()));
    assert!(sealed.sum::<u64>() <= 8_192, "{files:?}");
    let kept = audited(&world, &[]);
    assert!((5..100).contains(&kept.len()), "{}", kept.len());
    let later = world.run(&["log", "head"]).ok().out;
    world.crash();
    assert_eq!(audited(&world, &[]), kept);
    assert!(world.stop().success());
    let file = world.file("noted.json", noted);
    let verified = world.run_on_data(&["log", "verify", "--json", "--head", &file]).ok().json();
    assert_eq!(verified["problem"], Value::Null);
    assert_eq!(verified["logs"]["log"]["noted"], "holds");
    assert_eq!(verified["logs"]["audit"]["noted"], "not-kept");
    let verified = world.run_on_data(&["log", "verify", "--json", "--head", &later]).ok().json();
    assert_eq!(verified["logs"]["audit"]["noted"], "holds");
}

#[test]
fn who_assigned_a_source_and_why_is_told_in_a_sentence() {
    let world = world(&[]);
    world.install(&components::probe("other", "[sources]\n\"probe.note\" = { type = \"text\" }\n"));
    let token = json!({ "name": "maria", "scopes": ["registry:write"] });
    let made = world.json("POST", "/v1/tokens", &token).of(201);
    let mut maria = (*world).clone();
    made["secret"].as_str().expect("a secret is told").clone_into(&mut maria.token);
    let path = "/v1/fields/probe.note/source?reason=the%20new%20vendor%20answers%20for%20notes";
    maria.json("PUT", path, &json!({ "capability": "other" })).of(200);
    let lines = world.run(&["audit", "changes", "--field", "probe.note", "--by", "maria"]).ok().out;
    let sentence =
        "maria made other the source of probe.note (probe → other): the new vendor answers for notes";
    assert!(lines.lines().next().is_some_and(|line| line.ends_with(sentence)), "{lines}");
    let changes = world.run(&["audit", "changes", "--capability", "probe", "--json"]).ok().json_lines();
    assert_eq!(changes[0]["kind"], "installed");
    assert_eq!(changes[0]["details"]["became_source_of"], json!(["email", "probe.note"]));
}

#[test]
fn a_history_that_was_written_anew_is_found_by_what_was_noted() {
    let mut world = world(&[]);
    assert!(world.stop().success());
    let backup = world.directory().join("backup");
    copy(&world.data(), &backup);
    world.start();
    world.script("anna", &["text probe.note what happened"]);
    assert!(world.stop().success());
    // A stopped host's heads are read from its directory.
    let noted = world.run_on_data(&["log", "head"]).ok().out;
    let line = noted.lines().next().expect("there is a line").to_owned();
    let check = |world: &World, noted: &str| world.run_on_data(&["log", "verify", "--head", noted]);
    check(&world, &line).ok();
    // Back to yesterday, and another story from there on, by a host of the same version.
    fs::remove_dir_all(world.data()).expect("it can be removed");
    copy(&backup, &world.data());
    world.start();
    world.script("anna", &["text probe.note what never happened"]);
    world.script("anna", &["text probe.note and so on"]);
    assert!(world.stop().success());
    world.run_on_data(&["log", "verify"]).ok();
    for noted in [&noted, &line] {
        let found = check(&world, noted);
        assert_eq!(found.code, Some(1), "{found:?}");
        assert!(found.err.contains("it was rewritten"), "{found:?}");
    }
    assert!(check(&world, &noted).err.contains("stood at"), "the table names the partition");
    let usage = check(&world, "nothing that was ever noted");
    assert_eq!(usage.code, Some(2), "{usage:?}");
}
