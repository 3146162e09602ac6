//! Rows of many customers in one request.

use std::collections::BTreeMap;

use samsyn_journal::Row;
use samsyn_registry::endpoint::EndpointChange;

use super::*;

/// As many rows as travel together.
const MAX: usize = 4;

fn world(class: &'static str) -> World {
    let world = World::new(class);
    world.bind("rows", repeats(class));
    world
}

fn customers() -> [&'static str; MAX] {
    ["anna", "berit", "carin", "doris"]
}

/// Gives a row of each customer, which notes and says her name.
fn give(world: &World, customers: &[&str]) {
    for customer in customers {
        world.say(customer, &[&format!("row rows {customer} {{ \"who\": \"{customer}\" }}")]);
    }
}

fn lines(arrival: &samsyn_testkit::peer::Arrival) -> Vec<String> {
    arrival.text().lines().map(str::to_owned).collect()
}

fn line(customer: &str) -> String {
    format!("{{\"who\":\"{customer}\"}}")
}

/// How often each row arrived.
fn arrived(world: &World) -> BTreeMap<String, usize> {
    let mut arrived = BTreeMap::new();
    for line in world.peer.arrivals().iter().flat_map(lines) {
        *arrived.entry(line).or_default() += 1;
    }
    arrived
}

#[test]
fn rows_of_many_customers_are_one_request_as_soon_as_there_are_enough() {
    let world = world("keyed");
    world.peer.always(Act::status(202, "ETag: 7\r\n", "{\"of\":\"all\"}"));
    give(&world, &customers()[..MAX - 1]);
    std::thread::sleep(Duration::from_millis(50));
    assert!(world.peer.arrivals().is_empty(), "they wait for others");
    give(&world, &customers()[MAX - 1..]);
    for customer in customers() {
        assert_eq!(world.seen(customer, 1), format!("{customer}=202"));
        assert_eq!(world.ended(customer), [CallEnd::Response { status: 202 }]);
    }
    let arrivals = world.peer.arrivals();
    assert_eq!(arrivals.len(), 1);
    assert_eq!((arrivals[0].method.as_str(), arrivals[0].target.as_str()), ("POST", "/rows"));
    assert_eq!(arrivals[0].header("content-type"), Some("application/x-ndjson"));
    assert!(arrivals[0].key.as_ref().is_some_and(|key| key.len() == 36), "{:?}", arrivals[0].key);
    assert_eq!(arrived(&world), customers().into_iter().map(|who| (line(who), 1)).collect());
    world.assert_consistent(&customers());
}

#[test]
fn a_row_that_nobody_joins_goes_alone_after_its_wait_and_hears_all_of_the_answer() {
    let world = world("keyed");
    give(&world, &["anna"]);
    world.move_to(4_900);
    std::thread::sleep(Duration::from_millis(50));
    assert!(world.peer.arrivals().is_empty());
    world.move_to(5_000);
    assert_eq!(world.seen("anna", 1), "anna=200");
    assert_eq!(lines(&world.peer.arrivals()[0]), [line("anna")]);
    world.assert_consistent(&["anna"]);
}

#[test]
fn a_request_that_is_refused_is_halved_until_the_row_that_is_meant_stands_alone() {
    for refusal in [400, 404, 409, 413, 422] {
        let world = world("keyed");
        world.peer.judge(move |arrival| match arrival.text().contains("carin") {
            true => Act::status(refusal, "", "no carin"),
            false => Act::ok(),
        });
        give(&world, &customers());
        for customer in customers() {
            let status = if customer == "carin" { refusal } else { 200 };
            assert_eq!(world.seen(customer, 1), format!("{customer}={status}"));
        }
        let arrivals = world.peer.arrivals();
        assert!(arrivals.len() < 2 * MAX, "{refusal}: {} requests", arrivals.len());
        let taken = arrivals.iter().filter(|arrival| !arrival.text().contains("carin"));
        let mut taken: Vec<String> = taken.flat_map(lines).collect();
        taken.sort();
        assert_eq!(taken, ["anna", "berit", "doris"].map(line), "each once");
        let keys: std::collections::BTreeSet<_> = arrivals.iter().map(|arrival| &arrival.key).collect();
        assert_eq!(keys.len(), arrivals.len(), "each is another request");
        world.assert_consistent(&customers());
    }
}

#[test]
fn a_request_that_is_refused_as_such_is_sent_once_and_so_is_one_that_may_arrive_once() {
    for (class, refusal) in [("keyed", 405), ("keyed", 415), ("safe", 411), ("once", 422), ("once", 400)] {
        let world = world(class);
        world.peer.always(Act::status(refusal, "", "no"));
        give(&world, &customers());
        for customer in customers() {
            assert_eq!(world.seen(customer, 1), format!("{customer}={refusal}"), "{class}");
        }
        assert_eq!(world.peer.arrivals().len(), 1, "{class} {refusal}");
        assert_eq!(world.listed(CallState::Failed).len(), MAX);
        world.assert_consistent(&customers());
    }
}

#[test]
fn a_request_is_sent_again_with_the_same_rows_and_key_and_nobody_joins_it() {
    let world = world("keyed");
    let tries = std::sync::atomic::AtomicU32::new(0);
    world.peer.judge(move |arrival| {
        if arrival.text().contains("emma") {
            return Act::ok();
        }
        match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Act::status(503, "", ""),
            1 => Act::ok().cut_answer(3, Cut::Reset),
            _ => Act::ok(),
        }
    });
    give(&world, &customers());
    world.peer.wait_for(1);
    give(&world, &["emma"]);
    let mut now = 0;
    world.until_none_waits(&mut now, 500);
    for customer in customers() {
        assert_eq!(world.seen(customer, 1), format!("{customer}=200"));
    }
    assert_eq!(world.seen("emma", 1), "emma=200");
    let arrivals = world.peer.arrivals();
    let all: Vec<_> = arrivals.iter().filter(|arrival| lines(arrival).len() == MAX).collect();
    assert_eq!((arrivals.len(), all.len()), (4, 3));
    assert!(all.iter().all(|one| (&one.key, &one.body) == (&all[0].key, &all[0].body)));
    world.assert_consistent(&["anna", "berit", "carin", "doris", "emma"]);
}

/// A gateway may refuse what the system behind it has taken.
#[test]
fn a_refusal_after_an_attempt_in_doubt_halves_nothing() {
    for first in [Act::ok().cut_answer(3, Cut::Reset), Act::status(502, "", "")] {
        let world = world("keyed");
        world.peer.script(vec![first, Act::status(404, "", "")]);
        give(&world, &customers());
        let mut now = 0;
        world.until_none_waits(&mut now, 1_000);
        for customer in customers() {
            assert_eq!(world.seen(customer, 1), format!("{customer}=404"));
        }
        let arrivals = world.peer.arrivals();
        assert_eq!(arrivals.len(), 2);
        assert_eq!(arrivals[0].key, arrivals[1].key);
        world.assert_consistent(&customers());
    }
}

#[test]
fn of_an_answer_that_is_too_large_the_status_counts_if_it_is_of_many() {
    let world = world("keyed");
    let large = "x".repeat(65 << 10);
    world.peer.always(Act::status(207, "", &large));
    give(&world, &customers());
    for customer in customers() {
        assert_eq!(world.seen(customer, 1), format!("{customer}=207"));
    }
    give(&world, &["emma"]);
    world.move_to(6_000);
    assert_eq!(world.seen("emma", 1), "emma=unknown answer-too-large", "she was alone");
    world.assert_consistent(&["anna", "berit", "carin", "doris", "emma"]);
}

/// Rows that are tried again don't hold up new ones, and nobody joins them.
#[test]
fn rows_alone_that_are_tried_again_and_new_ones_all_end() {
    for class in ["safe", "keyed", "once"] {
        let world = world(class);
        let tries = std::sync::atomic::AtomicU32::new(0);
        world.peer.judge(move |_| match tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0..3 if class != "once" => Act::status(503, "", ""),
            _ => Act::ok(),
        });
        let mut now = 0;
        for customer in ["anna", "berit", "carin"] {
            give(&world, &[customer]);
            now += 6_000;
            world.move_to(now);
        }
        give(&world, &["doris", "emma"]);
        world.until_none_waits(&mut now, 500);
        for customer in ["anna", "berit", "carin", "doris", "emma"] {
            assert_eq!(world.seen(customer, 1), format!("{customer}=200"), "{class}");
        }
        world.assert_consistent(&["anna", "berit", "carin", "doris", "emma"]);
    }
}

/// A new version frames rows otherwise, while some wait or are in doubt.
#[test]
fn rows_of_an_old_version_are_never_put_under_other_columns() {
    let upgraded = |world: &World, from: &str, to: &str| {
        let text = calls_manifest();
        assert!(text.contains(from));
        let component = calling_probe_with(&text.replace(from, to));
        let options = InstallOptions { approve: true, ..InstallOptions::default() };
        world.bench.engine.registrar().install(&component, options, app("tests")).expect("it installs");
    };
    // Two that have not left: what fits the new columns goes, the rest was never sent.
    let world = world("keyed");
    world.bind("table", repeats("keyed"));
    for customer in ["anna", "berit"] {
        world.say(customer, &[&format!("row table {customer} [\"{customer}\", 1]")]);
    }
    upgraded(&world, "[\"text\", \"points\"]", "[\"text\", \"points\", \"since\"]");
    world.say("carin", &["row table carin [\"carin\", 1, null]"]);
    let mut now = 0;
    world.until_none_waits(&mut now, 500);
    assert_eq!(world.seen("anna", 1), "anna=not-sent row.unfit");
    assert_eq!(world.seen("berit", 1), "berit=not-sent row.unfit");
    assert_eq!(world.seen("carin", 1), "carin=200");
    let texts: Vec<String> = world.peer.arrivals().iter().map(samsyn_testkit::peer::Arrival::text).collect();
    assert_eq!(texts, ["text,points,since\ncarin,1,\n"]);
    world.assert_consistent(&["anna", "berit", "carin"]);
    // One in doubt, alone: it isn't sent again to another path under the same key.
    let world = self::world("keyed");
    world.peer.always(Act::ok().cut_answer(3, Cut::Reset));
    give(&world, &["anna"]);
    world.move_to(5_000);
    world.until_in_doubt();
    upgraded(&world, "path = \"/rows\"", "path = \"/v2/rows\"");
    world.peer.always(Act::ok());
    let mut now = 5_000;
    world.until_none_waits(&mut now, 1_000);
    assert_eq!(world.seen("anna", 1), "anna=unknown row.gone");
    assert_eq!(world.peer.arrivals().len(), 1);
    world.assert_consistent(&["anna"]);
}

/// What is being tried is answered, though the plug-in is removed meanwhile.
#[test]
fn a_request_that_is_under_way_ends_as_it_does_though_the_plug_in_is_removed() {
    let world = world("keyed");
    world.peer.script(vec![Act::status(503, "", ""), Act::ok().held()]);
    give(&world, &customers());
    world.peer.wait_for(1);
    let mut now = 0;
    let tried_again = || {
        now += 1_000;
        world.move_to(now);
        world.peer.arrivals().len() == 2
    };
    wait_for(tried_again, || "it is tried again".to_owned());
    let registrar = world.bench.engine.registrar();
    registrar.remove_capability(capability("probe"), true, app("tests")).expect("it can be removed");
    world.outgoing.as_ref().expect("it runs").refresh();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(world.waiting(), MAX as u64, "the answer is on its way");
    world.peer.release();
    wait_for(|| world.waiting() == 0, || format!("{:?}", world.listed(CallState::Waiting)));
    assert!(world.listed(CallState::Unknown).is_empty() && world.listed(CallState::Failed).is_empty());
}

#[test]
fn after_a_crash_a_request_of_rows_is_in_doubt_as_a_whole() {
    for (class, ended, arrivals) in [("safe", "200", 2), ("keyed", "200", 2), ("once", "unknown crashed", 1)]
    {
        let mut world = world(class);
        world.peer.always(Act::ok().held());
        give(&world, &customers());
        world.peer.wait_for(1);
        world.crash();
        world.peer.always(Act::ok());
        let mut now = 0;
        world.until_none_waits(&mut now, 100);
        for customer in customers() {
            assert_eq!(world.seen(customer, 1), format!("{customer}={ended}"), "{class}");
        }
        let seen = world.peer.arrivals();
        assert_eq!(seen.len(), arrivals, "{class}");
        assert!(class != "keyed" || (&seen[0].key, &seen[0].body) == (&seen[1].key, &seen[1].body));
        let unknown = if class == "once" { MAX } else { 0 };
        assert_eq!(world.listed(CallState::Unknown).len(), unknown);
        world.assert_consistent(&customers());
    }
}

#[test]
fn rows_of_one_customer_go_one_after_the_other() {
    let world = world("keyed");
    world.peer.always(Act::ok().held());
    world.say("anna", &["row rows 1 1", "row rows 2 2", "row rows 3 3"]);
    give(&world, &["berit", "carin", "doris"]);
    let first = world.peer.wait_for(1);
    let numbers = |arrival| lines(arrival).into_iter().filter(|line| line.len() == 1).collect::<Vec<_>>();
    assert_eq!(numbers(&first[0]), ["1"]);
    world.peer.always(Act::ok());
    world.peer.release();
    let mut now = 0;
    world.until_none_waits(&mut now, 500);
    assert_eq!(world.seen("anna", 3), "1=200 2=200 3=200");
    let order: Vec<String> = world.peer.arrivals().iter().flat_map(numbers).collect();
    assert_eq!(order, ["1", "2", "3"]);
    world.assert_consistent(&customers());
}

#[test]
fn what_is_no_row_is_refused_at_once() {
    let world = world("keyed");
    let many = format!("row rows n \"{}\"", "x".repeat(64 << 10));
    for (command, code) in [
        ("row system n {}", "call.row"),
        ("call rows POST /rows {}", "call.row"),
        ("row nobody n {}", "call.not-declared"),
        ("row rows n {", "call.row"),
        ("row rows n {} {}", "call.row"),
        ("row rows n", "call.row"),
        (many.as_str(), "call.row"),
        ("row table n {}", "call.not-bound"),
    ] {
        let shown: String = command.chars().take(24).collect();
        let accepted = world.say(&format!("{shown:?}"), &[command]);
        let decisions = world.bench.decisions(&accepted);
        assert_eq!(decisions[0].outcomes[0].refusals[0].code, code, "{shown}");
        assert!(decisions[0].outcomes[0].calls.is_empty());
    }
    assert_eq!(world.waiting(), 0);
}

#[test]
fn a_table_has_a_line_for_each_row_and_no_more_bytes_than_it_may() {
    let world = world("keyed");
    world.bind("table", repeats("keyed"));
    for (at, customer) in customers().into_iter().enumerate() {
        let text = "\\\"x, ".repeat(if at < 2 { 60 } else { 150 });
        world.say(customer, &[&format!("row table {customer} [\"{text}\", {at}.50]")]);
    }
    let mut now = 0;
    world.until_none_waits(&mut now, 500);
    let arrivals = world.peer.arrivals();
    assert!(arrivals.len() > 1, "a thousand bytes at once");
    let mut found = 0;
    for arrival in &arrivals {
        assert_eq!(arrival.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(arrival.text().starts_with("text,points\n"), "{}", arrival.text());
        let rows = lines(arrival).len() - 1;
        assert!(rows == 1 || arrival.body.len() <= 1_024, "{}", arrival.body.len());
        found += rows;
    }
    assert_eq!(found, MAX);
    assert!(
        world.bench.engine.calls().list(CallState::Waiting, None, 9).expect("they can be read").is_empty()
    );
}

/// The endpoint is gone, bound to another system, or takes requests, while a request of rows is in doubt or has not left.
#[test]
fn when_the_endpoint_changes_each_row_ends_as_the_request_did() {
    let revoke = |world: &World| {
        let removed =
            world.bench.engine.registrar().remove_capability(capability("probe"), true, app("tests"));
        removed.expect("it can be removed");
    };
    let rebind = |world: &World| {
        let other = binding(&world.peer, |request| {
            repeats("keyed")(request);
            request.url = Some(format!("{}v2/", world.peer.url()).parse().expect("a base"));
        });
        world.change("rows", EndpointChange::Bind(Box::new(other)));
    };
    let without = |world: &World| {
        let text = calls_manifest();
        let (before, rows) = text.split_once("[calls.rows.rows]").expect("it has rows");
        let (_, after) = rows.split_once("[calls.table]").expect("a table follows");
        let component = calling_probe_with(&format!("{before}[calls.table]{after}"));
        let options = InstallOptions { approve: true, ..InstallOptions::default() };
        world.bench.engine.registrar().install(&component, options, app("tests")).expect("it installs");
    };
    type Change<'a> = &'a dyn Fn(&World);
    for (name, change, may_have_arrived, code) in [
        ("removed", &revoke as Change<'_>, true, "unknown capability.removed"),
        ("removed", &revoke, false, "not-sent capability.removed"),
        ("rebound", &rebind, true, "unknown rebound"),
        ("without rows", &without, true, "unknown rows.gone"),
        ("without rows", &without, false, "not-sent rows.gone"),
    ] {
        let mut world = world("keyed");
        let act = if may_have_arrived { Act::ok().cut_answer(3, Cut::Reset) } else { Act::ok() };
        world.peer.always(act);
        if !may_have_arrived {
            let pause = Pause {
                by: "tests".parse().expect("a name"),
                reason: "tests".parse().expect("a reason"),
                at: Timestamp(START),
            };
            world.change("rows", EndpointChange::Pause(pause));
        }
        give(&world, &customers());
        if may_have_arrived {
            let in_doubt = || {
                let waiting = world.listed(CallState::Waiting);
                waiting
                    .iter()
                    .any(|(_, progress)| matches!(progress, Progress::Waiting(call) if call.in_doubt))
            };
            wait_for(in_doubt, || format!("{:?}", world.listed(CallState::Waiting)));
        }
        change(&world);
        if !may_have_arrived && name != "removed" {
            world.change("rows", EndpointChange::Resume);
        }
        world.outgoing.as_ref().expect("it runs").refresh();
        let mut now = 0;
        world.until_none_waits(&mut now, 5_000);
        world.bench.settle();
        for customer in customers() {
            let expected = match code.split_once(' ').expect("two words") {
                ("unknown", code) => CallEnd::Unknown { code: code.to_owned() },
                (_, code) => CallEnd::NotSent { code: code.to_owned() },
            };
            // The answers of a capability that was removed are nobody's.
            if name != "removed" {
                assert_eq!(world.ended(customer), [expected], "{name} {code}");
            }
        }
        assert_eq!(world.peer.arrivals().len(), usize::from(may_have_arrived), "{name} {code}");
        world.crash();
        world.assert_consistent(&customers());
    }
}

/// What a row waits for is gone, as after its customer was erased: the others aren't sent under the same key.
#[test]
fn a_row_whose_request_is_lost_ends_unknown_a_day_later() {
    let world = world("keyed");
    world.peer.always(Act::status(503, "", ""));
    give(&world, &customers());
    let led = || {
        let waiting = world.listed(CallState::Waiting);
        let led = waiting.into_iter().filter(|(_, progress)| {
            matches!(progress, Progress::Waiting(call) if matches!(call.row, Some(Row::In { .. })))
        });
        led.map(|(id, _)| id).collect::<Vec<_>>()
    };
    wait_for(|| led().len() == MAX - 1, || format!("{:?}", world.listed(CallState::Waiting)));
    let lost = led()[0].clone();
    let calls = world.bench.engine.calls();
    let exchange = calls.exchange(&lost).expect("it can be read").expect("it waits");
    wait_for(|| world.peer.arrivals().len() == 1, || "it arrives".to_owned());
    let answer =
        samsyn_vocabulary::CallAnswer::Unknown { code: "erased".to_owned(), reason: "erased".to_owned() };
    assert!(world.runtime.block_on(calls.answer(&exchange, 1, answer)).expect("it can be written"));
    world.peer.always(Act::ok());
    let mut now = 0;
    world.until_none_waits(&mut now, 1_000);
    world.bench.settle();
    let ended: Vec<CallEnd> = customers().iter().flat_map(|customer| world.ended(customer)).collect();
    let gone = CallEnd::Unknown { code: "row.gone".to_owned() };
    assert_eq!(ended.iter().filter(|end| **end == gone).count(), MAX - 1, "{ended:?}");
    assert_eq!(world.peer.arrivals().len(), 1, "it isn't sent again");
    world.assert_consistent(&customers());
}

#[test]
fn a_row_that_ended_badly_is_sent_again_alone() {
    let world = world("keyed");
    world.peer.script(vec![Act::status(405, "", "")]);
    give(&world, &customers());
    for customer in customers() {
        world.seen(customer, 1);
    }
    for (id, _) in world.listed(CallState::Failed) {
        assert!(world.settle_call(&id, Verdict::Again));
    }
    world.outgoing.as_ref().expect("it runs").refresh();
    for customer in customers() {
        assert_eq!(world.seen(customer, 2), format!("{customer}=405 {customer}=200"));
    }
    assert_eq!(world.peer.arrivals().len(), 1 + MAX);
    world.assert_consistent(&customers());
}

#[test]
fn replaying_a_history_of_rows_shows_no_difference() {
    let world = world("keyed");
    world.peer.judge(|arrival| match arrival.text().contains("carin") {
        true => Act::status(422, "", ""),
        false => Act::ok(),
    });
    give(&world, &customers());
    for customer in customers() {
        world.seen(customer, 1);
    }
    let report = world.replayed(&calling_probe_with(&calls_manifest()));
    assert!(report.is_same() && report.not_replayed.is_empty(), "{report:#?}");
    assert!(report.deliveries >= 2 * MAX as u64, "{report:#?}");
}

/// More rows than the view is asked for at once.
#[test]
fn a_thousand_customers_are_a_few_requests() {
    let world = world("keyed");
    world.bind("many", |request| {
        repeats("keyed")(request);
        request.parallel = Some(2);
    });
    for customer in 0..1_000 {
        world.bench.script(&format!("c{customer}"), &[&format!("row many n {customer}")]);
    }
    world.bench.settle();
    let mut now = 0;
    world.until_none_waits(&mut now, 1_000);
    world.bench.settle();
    let arrivals = world.peer.arrivals();
    let mut seen: Vec<u32> = arrivals
        .iter()
        .flat_map(|arrival| serde_json::from_slice::<Vec<u32>>(&arrival.body).expect("a JSON array"))
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..1_000).collect::<Vec<_>>(), "each once");
    assert!(arrivals.len() <= 20, "{} requests", arrivals.len());
}
