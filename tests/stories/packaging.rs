//! Somebody installs the host: what `make install` leaves, and the unit that starts it.

use std::process::Command;

use samsyn_harness::world::{Said, repository, target};

#[test]
fn an_installation_is_whole_and_leaves_nothing_behind() {
    let built = target();
    // The command that stories run decides which build is installed.
    let program = samsyn_harness::world::program();
    let profile = program
        .parent()
        .and_then(|folder| folder.file_name()?.to_str())
        .expect("the command lies in a folder of its profile");
    let mut check = Command::new(repository().join("scripts/check-packaging.sh"));
    // A `make test` above would hand its own flags on.
    check.arg(profile).env("CARGO_TARGET_DIR", built).env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    let said = Said::of(check.output().expect("the script can be run"));
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
    for checked in ["ok       make install into DESTDIR", "ok       nothing is left of it", " 0 failed"] {
        assert!(said.out.contains(checked), "{checked:?} isn't there:\n{}", said.out);
    }
    // What isn't on this machine is named.
    for line in said.out.lines().filter(|line| line.starts_with("skipped")) {
        eprintln!("{line}");
    }
}
