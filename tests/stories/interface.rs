//! An app developer generates a client from the host's description, and the host does what the
//! description says: schemathesis tries what nobody would think of.

use std::process::Command;

use crate::demo::{demo, directory};
use samsyn_harness::world::{Said, World, repository, samsyn, target};

#[test]
fn the_host_does_what_its_description_says() {
    let directory = directory();
    demo(directory.path(), &[]);
    let world = World::after_demo(directory);
    let mut check = Command::new(repository().join("scripts/check-interface.sh"));
    check.arg(&world.url).env("SAMSYN_TOKEN", &world.token).env("CARGO_TARGET_DIR", target());
    let said = Said::of(check.output().expect("the script can be run"));
    // The seed and what was tried.
    eprintln!("{}{}", said.err, said.out);
    assert_eq!(said.code, Some(0), "what it says stands above");
}

#[test]
fn the_description_is_served_to_anybody_and_printed_by_the_command() {
    let world = World::shared();
    let served = world.try_raw("GET", "/openapi.json", &[], b"").expect("the host answers").of(200);
    let printed = Said::of(samsyn(world.directory()).arg("openapi").output().expect("it can be run")).ok();
    assert_eq!(printed.json(), served);
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
}
