//! Calls in doubt that their plug-in looks up.

use super::*;

/// What became of a request is looked up at the system, and the answer to the look-up decides.
#[test]
fn a_call_in_doubt_is_looked_up_by_its_plug_in() {
    struct Case {
        path: &'static str,
        /// What the system answers to the look-up, and to all that comes later.
        answers: Vec<Act>,
        seen: &'static str,
        arrived: &'static [&'static str],
    }
    let status = |status| Act::status(status, "", "");
    for Case { path, answers, seen, arrived } in [
        Case { path: "/m", answers: vec![Act::ok()], seen: "/m=200", arrived: &["PUT", "GET"] },
        Case {
            path: "/m",
            answers: vec![status(404), status(201)],
            seen: "/m=201",
            arrived: &["PUT", "GET", "PUT"],
        },
        // What was in doubt once and is sent again can be in doubt again.
        Case {
            path: "/m",
            answers: vec![status(404), Act::ok().cut_answer(3, Cut::Reset), Act::ok()],
            seen: "/m=200",
            arrived: &["PUT", "GET", "PUT", "GET"],
        },
        Case {
            path: "/m",
            answers: vec![status(204)],
            seen: "/m=unknown not-found-out",
            arrived: &["PUT", "GET"],
        },
        Case { path: "/blind", answers: vec![], seen: "/blind=unknown no-look-up", arrived: &["PUT"] },
        // The look-up only reads, so it is tried again when its own end is in doubt.
        Case {
            path: "/m",
            answers: vec![Act::ok().cut_answer(3, Cut::Reset), Act::ok()],
            seen: "/m=200",
            arrived: &["PUT", "GET", "GET"],
        },
        Case {
            path: "/m",
            answers: vec![status(503), Act::ok()],
            seen: "/m=200",
            arrived: &["PUT", "GET", "GET"],
        },
    ] {
        let mut world = World::new("probe");
        let script = [vec![Act::ok().cut_answer(3, Cut::Reset)], answers].concat();
        world.peer.script(script);
        world.say("anna", &[&format!("call system PUT {path} hello")]);
        world.peer.wait_for(1);
        let mut now = 0;
        world.until_none_waits(&mut now, 1_000);
        assert!(now >= 60_000, "{seen}: what is under way at the system has time to end");
        assert_eq!(world.seen("anna", 1), seen);
        let methods: Vec<String> = world.peer.arrivals().into_iter().map(|is| is.method).collect();
        assert_eq!(methods, arrived, "{seen}");
        world.assert_consistent(&["anna"]);
        world.crash();
        world.assert_consistent(&["anna"]);
    }
}

#[test]
fn a_host_that_died_goes_on_with_a_look_up_wherever_it_was() {
    for held in 0..3 {
        let mut world = World::new("probe");
        let mut script = vec![Act::ok().cut_answer(3, Cut::Reset), Act::status(404, "", ""), Act::ok()];
        let act = std::mem::take(&mut script[held]);
        script[held] = act.held();
        world.peer.script(script);
        world.say("anna", &["call system PUT /m hello", "call system PUT /n hello"]);
        let mut now = 0;
        wait_for(
            || {
                now += 1_000;
                world.move_to(now);
                world.peer.arrivals().len() > held
            },
            || format!("{held}: {:?}", world.listed(CallState::Waiting)),
        );
        world.crash();
        world.peer.always(Act::ok());
        world.until_none_waits(&mut now, 1_000);
        assert_eq!(world.seen("anna", 2), "/m=200 /n=200", "{held}");
        world.assert_consistent(&["anna"]);
    }
}

/// A look-up whose handler fails is decided when that handler is mended, or given up.
#[test]
fn a_judge_that_fails_keeps_the_call_in_doubt_until_somebody_decides() {
    let world = World::new("probe");
    world.peer.script(vec![Act::ok().cut_answer(3, Cut::Reset), Act::status(418, "", "")]);
    world.say("anna", &["call system PUT /m hello"]);
    let mut now = 0;
    wait_for(
        || {
            now += 1_000;
            world.move_to(now);
            world.peer.arrivals().len() == 2
        },
        || "it is looked up".to_owned(),
    );
    let profile = || world.bench.profile("anna").state;
    wait_for(
        || profile().capabilities.iter().any(|own| !own.blocked.is_empty()),
        || "it is parked".to_owned(),
    );
    now += 3_600_000;
    world.move_to(now);
    assert_eq!(world.waiting(), 1, "it waits for its judge");
    world.assert_consistent(&["anna"]);
    world.bench.engine.parked().skip(&ParkedFilter::default(), "nobody can say").expect("it can be given up");
    world.until_none_waits(&mut now, 1_000);
    assert_eq!(world.seen("anna", 1), "/m=unknown not-found-out");
    assert_eq!(world.peer.arrivals().len(), 2);
    world.assert_consistent(&["anna"]);
}

#[test]
fn a_look_up_that_is_never_judged_ends_after_a_day_and_holds_nothing_up_for_ever() {
    let world = World::new("probe");
    world.peer.script(vec![Act::ok().cut_answer(3, Cut::Reset), Act::status(418, "", ""), Act::ok()]);
    world.say("anna", &["call system PUT /m hello", "call system PUT /n hello"]);
    let mut now = 0;
    world.until_none_waits(&mut now, HOUR / 60);
    assert!(now >= 24 * HOUR, "{now}");
    let listed = world.listed(CallState::Unknown);
    let [(_, Progress::Past(past))] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(past.how, CallEnd::Unknown { code: "no-look-up".to_owned() });
    assert_eq!(world.peer.arrivals().len(), 3, "the next of the customer leaves then");
    world.assert_consistent(&["anna"]);
}
