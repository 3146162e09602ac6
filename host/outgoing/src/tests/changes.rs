//! What an administrator changes while calls wait: bindings, pauses, capabilities.

use samsyn_engine::testing::timed_probe_with;
use samsyn_journal::InvocationStatus;
use samsyn_registry::RegistryChange;

use super::*;

fn pause() -> Pause {
    Pause { by: app("tests"), reason: "a test".parse().expect("a reason"), at: Timestamp(START) }
}

#[test]
fn in_doubt_and_bound_elsewhere_is_unknown() {
    let world = World::new("keyed");
    world.peer.script(vec![Act::ok().cut_answer(3, Cut::Reset)]);
    world.say("anna", &["call system PUT /m hello"]);
    world.until_in_doubt();
    let other = Peer::start();
    let elsewhere = binding(&other, repeats("keyed"));
    world.change("system", EndpointChange::Bind(Box::new(elsewhere)));
    world.move_to(10_000);
    assert_eq!(world.seen("anna", 1), "/m=unknown rebound");
    assert!(other.arrivals().is_empty());
    assert_eq!(world.listed(CallState::Unknown).len(), 1);
}

/// It may have been repeated before, and isn't since.
#[test]
fn in_doubt_and_bound_to_once_is_unknown() {
    let world = World::new("keyed");
    world.peer.script(vec![Act::ok().cut_answer(3, Cut::Reset)]);
    world.say("anna", &["call system PUT /m hello"]);
    world.until_in_doubt();
    world.bind("system", repeats("once"));
    world.move_to(10_000);
    assert_eq!(world.seen("anna", 1), "/m=unknown once");
    assert_eq!(world.peer.arrivals().len(), 1);
}

#[test]
fn nothing_leaves_while_the_endpoint_or_all_sending_is_paused() {
    let world = World::new("keyed");
    world.change("system", EndpointChange::Pause(pause()));
    world.say("anna", &["call system PUT /m hello"]);
    wait_for(|| world.halt() == Some(Halt::Paused), || format!("{:?}", world.halt()));
    let registrar = world.bench.engine.registrar();
    registrar.change_outgoing(Some(pause()), None, app("tests")).expect("it can be");
    world.change("system", EndpointChange::Resume);
    wait_for(|| world.halt() == Some(Halt::OutgoingPaused), || format!("{:?}", world.halt()));
    assert!(world.peer.arrivals().is_empty());
    // Two days don't count: it waits in its order.
    world.move_to(48 * HOUR);
    registrar.change_outgoing(None, None, app("tests")).expect("it can be");
    world.outgoing.as_ref().expect("it runs").refresh();
    assert_eq!(world.seen("anna", 1), "/m=200");
}

#[test]
fn refused_credentials_pause_the_endpoint_and_the_calls_wait() {
    let world = World::new("keyed");
    world.peer.always(Act::status(401, "", ""));
    for customer in ["anna", "berit", "carin", "doris"] {
        world.say(customer, &["call system PUT /m hello"]);
    }
    let state = || {
        let registry = world.bench.engine.registry();
        registry.endpoint("probe", "system").expect("it is there").state
    };
    wait_for(|| state() == EndpointState::Paused, || "it is paused".to_owned());
    let registry = world.bench.engine.registry();
    let paused = registry
        .endpoint("probe", "system")
        .expect("it is there")
        .bound
        .and_then(|bound| bound.paused.clone());
    assert_eq!(paused.map(|pause| pause.by.to_string()).as_deref(), Some("host"));
    wait_for(
        || world.outgoing.as_ref().is_some_and(|outgoing| outgoing.under_way() == 0),
        || "all end".to_owned(),
    );
    assert_eq!(world.waiting(), 4, "none is lost");
    let arrived = world.peer.arrivals().len();
    assert!((3..=4).contains(&arrived), "{arrived}");
    world.peer.always(Act::ok());
    world.change("system", EndpointChange::Resume);
    world.move_to(10_000);
    for customer in ["anna", "berit", "carin", "doris"] {
        assert_eq!(world.seen(customer, 1), "/m=200");
    }
    world.assert_consistent(&["anna", "berit", "carin", "doris"]);
}

#[test]
fn calls_of_a_capability_that_is_removed_are_withdrawn() {
    let world = World::new("keyed");
    world.change("system", EndpointChange::Pause(pause()));
    world.say("anna", &["call system PUT /m hello"]);
    assert_eq!(world.waiting(), 1);
    let removed = RegistryChange::Removed { capability: capability("probe") };
    world.bench.change(removed);
    world.outgoing.as_ref().expect("it runs").refresh();
    wait_for(|| world.waiting() == 0, || "it is withdrawn".to_owned());
    world.bench.settle();
    assert_eq!(world.ended("anna"), [CallEnd::NotSent { code: "capability.removed".to_owned() }]);
    assert!(world.peer.arrivals().is_empty());
}

/// The probe in another version, with these tables in its manifest.
fn upgraded(world: &World, component: &[u8]) {
    let options = InstallOptions { approve: true, ..InstallOptions::default() };
    world.bench.engine.registrar().install(component, options, app("tests")).expect("it installs");
    world.outgoing.as_ref().expect("it runs").refresh();
}

/// A call of anna's has arrived, and its answer is held.
fn under_way() -> World {
    let world = World::new("keyed");
    world.peer.always(Act::ok().held());
    world.say("anna", &["call system PUT /m hello"]);
    world.peer.wait_for(1);
    world
}

#[test]
fn an_answer_waits_while_its_capability_is_in_quarantine() {
    let world = under_way();
    let digest = world.bench.engine.registry().capabilities[&capability("probe")].digest;
    let quarantined =
        RegistryChange::Quarantined { capability: capability("probe"), digest, reason: "a test".to_owned() };
    world.bench.change(quarantined);
    world.bench.settle();
    world.peer.release();
    wait_for(|| world.waiting() == 0, || "it is answered".to_owned());
    world.bench.settle();
    assert_eq!(world.bench.text("anna", "probe.seen"), None);
    world.bench.change(RegistryChange::Released { capability: capability("probe") });
    assert_eq!(world.seen("anna", 1), "/m=200");
    assert_eq!(world.peer.arrivals().len(), 1);
    world.assert_consistent(&["anna"]);
}

#[test]
fn a_new_version_gets_the_answer_to_a_call_of_the_old_one() {
    let world = under_way();
    let tables = format!("{CALLS}[calls.third]\nreason = \"Tests\"\nmethods = [\"GET\"]\n{USUAL}");
    upgraded(&world, &calling_probe_with(&manifest("probe", &tables)));
    world.peer.release();
    assert_eq!(world.seen("anna", 1), "/m=200");
    assert_eq!(world.peer.arrivals().len(), 1);
    world.assert_consistent(&["anna"]);
}

#[test]
fn a_version_that_calls_nobody_ends_the_calls_of_the_old_one_and_the_answers_are_undeliverable() {
    let world = under_way();
    world.say("anna", &["call system PUT /behind hello"]);
    let calls_nobody = timed_probe_with(&manifest("probe", &format!("timers = true\n{USUAL}")));
    upgraded(&world, &calls_nobody);
    world.peer.release();
    wait_for(|| world.waiting() == 0, || format!("{:?}", world.listed(CallState::Waiting)));
    world.bench.settle();
    assert_eq!(
        world.ended("anna"),
        [CallEnd::Response { status: 200 }, CallEnd::NotSent { code: "endpoint.gone".to_owned() }]
    );
    let profile = world.bench.profile("anna");
    let page = world.bench.engine.query().timeline_page(&profile, None, 500).expect("it can be read");
    let of_calls = page.entries.iter().filter(|entry| entry.decided.call.is_some());
    let results: Vec<InvocationStatus> = of_calls
        .flat_map(|entry| entry.decided.outcomes.iter().map(|outcome| outcome.result.clone()))
        .collect();
    assert_eq!(results.len(), 2);
    for result in results {
        let InvocationStatus::Undeliverable { reason } = &result else { panic!("{result:?}") };
        assert!(reason.starts_with("role.gone"), "{reason}");
    }
    assert_eq!(world.peer.arrivals().len(), 1, "what had not left stays");
    world.assert_consistent(&["anna"]);
    let report = world.replayed(&calls_nobody);
    assert!(report.deliveries >= 4, "the answers come to it, too: {report:#?}");
}

#[test]
fn a_call_that_is_sent_again_goes_before_later_ones_of_its_customer() {
    let world = World::new("once");
    world.peer.script(vec![Act::status(404, "", "")]);
    world.say("anna", &["call system PUT /first hello"]);
    assert_eq!(world.seen("anna", 1), "/first=404");
    world.change("system", EndpointChange::Pause(pause()));
    world.say("anna", &["call system PUT /second hello"]);
    world.move_to(5_000);
    let failed = world.listed(CallState::Failed);
    assert!(world.settle_call(&failed[0].0, Verdict::Again));
    world.change("system", EndpointChange::Resume);
    assert_eq!(world.seen("anna", 3), "/first=404 /first=200 /second=200");
    world.assert_consistent(&["anna"]);
}

#[test]
fn a_call_that_is_sent_again_waits_for_the_one_of_its_customer_that_is_under_way() {
    let world = World::new("once");
    world.peer.script(vec![Act::status(404, "", ""), Act::ok().held(), Act::ok(), Act::ok()]);
    world.say("anna", &["call system PUT /first hello"]);
    assert_eq!(world.seen("anna", 1), "/first=404");
    world.say("anna", &["call system PUT /second hello"]);
    world.peer.wait_for(2);
    let failed = world.listed(CallState::Failed);
    assert!(world.settle_call(&failed[0].0, Verdict::Again));
    // Others leave since: it would have, if it could.
    for customer in ["berit", "carin"] {
        world.say(customer, &["call system PUT /other hello"]);
        world.seen(customer, 1);
    }
    let targets = |world: &World| -> Vec<String> {
        world.peer.arrivals().into_iter().map(|arrival| arrival.target).collect()
    };
    assert_eq!(targets(&world), ["/first", "/second", "/other", "/other"]);
    world.peer.release();
    assert_eq!(world.seen("anna", 3), "/first=404 /second=200 /first=200");
    world.assert_consistent(&["anna", "berit", "carin"]);
}
