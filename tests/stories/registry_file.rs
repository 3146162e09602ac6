//! The registry in version control: exported, reviewed, applied; and what can't be is refused whole.

use serde_json::json;

use crate::customer::shop;
use samsyn_harness::caller::Answer;
use samsyn_harness::components::probe;
use samsyn_harness::world::World;

fn post(world: &World, call: &str, file: &str) -> Answer {
    let headers = [("content-type", "application/toml")];
    world.send("POST", &format!("/v1/registry/{call}"), &headers, file.as_bytes())
}

#[test]
fn what_is_exported_is_applied_elsewhere_and_is_the_same_again() {
    let world = shop();
    let file = world.directory().join("registry.toml");
    let file = file.to_str().expect("its path is text");
    world.run(&["registry", "export", "--output", file]).ok();
    let exported = std::fs::read_to_string(file).expect("it was written");
    assert_eq!(world.run(&["registry", "export"]).ok().out, exported);
    let same = world.run(&["registry", "apply", file, "--remove", "--dry-run"]).ok();
    assert!(same.out.contains("the registry matches the file"), "{same:?}");
    // Another host with the same plug-ins, on which nobody decided anything yet.
    let other = World::just_with(&[]);
    for name in ["crm", "loyalty", "email", "sms"] {
        other.install(&samsyn_harness::components::plugin(name));
    }
    let check = other.run(&["registry", "apply", file, "--dry-run"]);
    assert_eq!(check.code, Some(1), "{check:?}");
    let applied =
        other.run(&["registry", "apply", file, "--remove", "--yes", "--reason", "as on the other"]).ok();
    assert!(applied.err.contains("accept field country"), "{applied:?}");
    assert_eq!(other.run(&["registry", "export"]).ok().out, exported);
    other.propose("eva", json!({"country": "Sweden"}));
    assert_eq!(other.fields("eva")["country"], "SE");
}

#[test]
fn a_change_is_planned_asked_for_and_applied_as_one() {
    let world = World::new();
    world.install(&probe("keeper", "[sources]\nnickname = { type = \"text\" }\n"));
    let exported = world.run(&["registry", "export"]).ok().out;
    let edited = exported.replace("[fields.nickname]\n", "[fields.nickname]\nclass = \"personal\"\n")
        + "\n[fields.handle]\ntype = \"text\"\ncompare = \"caseless\"\n";
    let file = world.file("registry.toml", &edited);
    let asked = world.run(&["registry", "apply", &file]);
    assert_eq!(asked.code, Some(2), "nobody can be asked: {asked:?}");
    assert!(
        asked.err.contains("change field nickname") && asked.err.contains("class: none → personal"),
        "{asked:?}"
    );
    assert_eq!(world.get("/v1/fields/handle").status, 404);
    let before = world.status()["registry_revision"].as_u64().unwrap_or(0);
    world.run(&["registry", "apply", &file, "--yes", "--reason", "release 41"]).ok();
    assert_eq!(world.status()["registry_revision"].as_u64(), Some(before + 1), "one record");
    assert_eq!(world.get("/v1/fields/handle").of(200)["compare"], "caseless");
    let again = world.run(&["registry", "apply", &file, "--yes"]).ok();
    assert!(again.out.contains("the registry matches the file"), "{again:?}");
    assert_eq!(world.status()["registry_revision"].as_u64(), Some(before + 1), "nothing to do is no record");
    // What the file leaves out stays until somebody says otherwise.
    let without = world.file("less.toml", &exported);
    let kept = world.run(&["registry", "apply", &without, "--dry-run"]);
    assert!(kept.out.contains("the field handle is not in the file and stays"), "{kept:?}");
    world.run(&["registry", "apply", &without, "--remove", "--yes"]).ok();
    assert_eq!(world.get("/v1/fields/handle").status, 404);
}

#[test]
fn of_two_admins_at_once_the_second_is_told_what_the_first_did() {
    let world = World::new();
    let file = "registry = 1\n[fields.first]\ntype = \"text\"\n";
    let plan = post(&world, "plan", file).of(200);
    let revision = plan["revision"].as_u64().expect("a revision is a number");
    world.json("PUT", "/v1/fields/second?reason=quick", &json!({"type": "text"})).of(200);
    let stale = post(&world, &format!("apply?revision={revision}"), file);
    assert_eq!((stale.status, stale.problem()), (409, "plan-stale".to_owned()));
    assert!(stale.text.contains("second"), "{stale:?}");
    assert_eq!(world.get("/v1/fields/first").status, 404);
    let applied = post(&world, &format!("apply?revision={}", revision + 1), file).of(200);
    assert_eq!(applied["revision"], revision + 2);
    let twice = post(&world, &format!("apply?revision={}", revision + 1), file);
    assert_eq!(twice.problem(), "plan-stale", "a plan is applied once");
}

#[test]
fn a_file_that_cant_be_is_refused_with_the_place_and_changes_nothing() {
    let world = World::new();
    world.install(&probe("keeper", "[sources]\nnickname = { type = \"text\" }\n"));
    let revision = world.status()["registry_revision"].clone();
    for (file, place) in [
        ("registry = 1\n[fields.a]\ntype = \"text\"\n[fields.a]\ntype = \"text\"\n", "line 4"),
        (
            "registry = 1\n[fields]\na = { type = \"text\", renamed_from = \"b\" }\nb = { type = \"text\", renamed_from = \"a\" }\n",
            "renamed_from",
        ),
        ("registry = 1\n[fields]\nnickname = { type = \"integer\" }\n", "fields.nickname"),
        (
            "registry = 1\n[fields]\ngood = { type = \"text\" }\n[sources]\ngood = \"keeper\"\n",
            "sources.good",
        ),
        ("registry = 1\n[sources]\nnickname = \"nobody\"\n", "sources.nickname"),
        ("registry = 1\n[grants.keeper]\nsources = []\n", "grants.keeper"),
        ("registry = 1\nfields = [", "line 2"),
    ] {
        let refused = post(&world, &format!("apply?revision={revision}"), file);
        assert_eq!((refused.status, refused.problem()), (422, "registry-file-invalid".to_owned()), "{file}");
        let problem = refused.json();
        assert!(problem["place"].as_str().is_some_and(|found| found.contains(place)), "{file}: {problem}");
        let path = world.file("bad.toml", file);
        assert_eq!(world.run(&["registry", "apply", &path, "--yes"]).code, Some(1), "{file}");
    }
    assert_eq!(world.status()["registry_revision"], revision, "nothing was changed");
    assert_eq!(world.get("/v1/fields/good").status, 404);
    let missing = world.run(&["registry", "apply", "nowhere.toml"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert_eq!(post(&world, "apply", "registry = 1\n").problem(), "query-invalid", "whose plan is it?");
    assert_eq!(world.json("POST", "/v1/registry/plan", &json!({})).status, 415);
}
