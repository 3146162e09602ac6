//! An app developer generates a client from the host's description.

use crate::world::{Said, World, samsyn};

#[test]
fn the_description_is_served_to_anybody_and_printed_by_the_command() {
    let world = World::shared();
    let served = world.try_raw("GET", "/openapi.json", &[], b"").expect("the host answers").of(200);
    let printed = Said::of(samsyn(world.directory()).arg("openapi").output().expect("it can be run")).ok();
    assert_eq!(printed.json(), served);
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
}
