//! Timers: set, fired once, cancelled, ended; after a restart, a rebuild and in a replay.

use super::*;
use samsyn_journal::{
    Due, InvocationStatus, PendingTimer, Record, TIMERS_A_DAY_MAX, TimerEnd, pending_timers,
};
use samsyn_machine::clock::Clock;
use samsyn_replay::{Control, Input, Share, own_sandbox, replay};
use samsyn_sandbox::Package;
use samsyn_state::view::View;

const START: i64 = 1_796_000_000_000;
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// An engine whose clock stands still, with the probe that sets timers.
fn timed() -> Bench {
    let bench = unarmed(EngineConfig { partitions: 4, workers: 2, ..EngineConfig::default() });
    install(&bench, "probe");
    bench
}

fn unarmed(config: EngineConfig) -> Bench {
    let keeping = Keeping { clock: Clock::fixed(Timestamp(START)), ..Keeping::default() };
    Bench::keeping(config, Limits::default(), keeping)
}

fn timed_manifest(name: &str) -> String {
    manifest(name, &format!("timers = true\n{USUAL}"))
}

fn install(bench: &Bench, name: &str) {
    let component = timed_probe_with(&timed_manifest(name));
    let options = InstallOptions { approve: true, ..InstallOptions::default() };
    bench.engine.registrar().install(&component, options, app("tests")).expect("it installs");
    bench.settle();
}

fn say(bench: &Bench, customer: &str, commands: &[&str]) -> Acceptance {
    let acceptance = bench.script(customer, commands);
    bench.settle();
    acceptance
}

fn move_to(bench: &Bench, millis: i64) {
    bench.engine.clock().set(Timestamp(START + millis));
    bench.engine.timers().look();
}

fn fired(bench: &Bench) -> u64 {
    bench.engine.metrics().timers_fired.load(std::sync::atomic::Ordering::Relaxed)
}

/// Waits until so many have fired since the start, and all that follows is decided.
fn await_fired(bench: &Bench, count: u64) {
    wait_for(|| fired(bench) >= count, || format!("{count} timers fire, not {}", fired(bench)));
    bench.settle();
    assert_eq!(fired(bench), count);
}

fn wait_for(mut is_so: impl FnMut() -> bool, what: impl Fn() -> String) {
    let until = std::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(std::time::Instant::now() < until, "{}", what());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Has the thread look once at least at the time that it is now.
fn looked(bench: &Bench) {
    let before = bench.engine.timers().looks();
    bench.engine.timers().look();
    wait_for(|| bench.engine.timers().looks() >= before + 2, || "it looks".to_owned());
    bench.settle();
}

fn pending(bench: &Bench, customer: &str) -> Vec<(String, i64)> {
    let profile = bench.profile(customer);
    let timers = pending_timers(&profile.state);
    timers.map(|timer| (timer.name.to_string(), timer.fires_at.millis() - START)).collect()
}

fn seen(bench: &Bench, customer: &str) -> String {
    bench.text(customer, "probe.seen").unwrap_or_default()
}

/// The index holds exactly the timers that the profiles have, and a view that is folded anew the same.
fn assert_consistent(bench: &Bench, customers: &[&str]) {
    let view = bench.engine.view();
    let mut expected: Vec<PendingTimer> = customers
        .iter()
        .flat_map(|customer| pending_timers(&bench.profile(customer).state).collect::<Vec<_>>())
        .collect();
    expected.sort_unstable();
    assert_eq!(bench.engine.timers().list(None, None, 1_000).expect("it can be read"), expected);
    assert_eq!(view.timers(), expected.len() as u64);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (config, ids) = (ViewConfig::default(), bench.engine.shared.config.event_ids());
    let (anew, _) =
        View::open(directory.path(), bench.engine.log(), bench.engine.homes(), &config, ids, |_| {})
            .expect("it folds");
    let compared = view.compare(&anew).expect("they can be compared");
    assert_eq!(compared.differences, 0, "{compared:?}");
}

/// The decisions about timers of a customer, oldest first.
fn ended(bench: &Bench, customer: &str) -> Vec<(String, TimerEnd, Vec<InvocationStatus>)> {
    let profile = bench.profile(customer);
    let (mut timers, mut from) = (Vec::new(), None);
    loop {
        let page = bench.engine.query().timeline_page(&profile, from, 500).expect("it can be read");
        timers.extend(page.entries.iter().filter_map(|entry| {
            let timer = entry.decided.timer.as_ref()?;
            let outcomes = entry.decided.outcomes.iter().map(|outcome| outcome.result.clone());
            Some((timer.name.to_string(), timer.how, outcomes.collect()))
        }));
        match page.entries.last() {
            Some(last) => from = Some(last.position),
            None => break,
        }
    }
    timers.reverse();
    timers
}

#[test]
fn a_timer_fires_once_when_it_is_due_and_its_handler_knows_both_times() {
    let bench = timed();
    say(&bench, "anna", &["timer weekly 5000", "timer later 90000"]);
    assert_eq!(pending(&bench, "anna"), [("weekly".to_owned(), 5_000), ("later".to_owned(), 90_000)]);
    assert_consistent(&bench, &["anna"]);
    move_to(&bench, 4_999);
    looked(&bench);
    assert_eq!(fired(&bench), 0, "not early");
    move_to(&bench, 5_007);
    await_fired(&bench, 1);
    assert_eq!(seen(&bench, "anna"), "weekly+7");
    looked(&bench);
    assert_eq!(fired(&bench), 1);
    assert_eq!(ended(&bench, "anna"), [("weekly".to_owned(), TimerEnd::Fired, vec![InvocationStatus::Done])]);
    assert_eq!(pending(&bench, "anna"), [("later".to_owned(), 90_000)]);
    assert_consistent(&bench, &["anna"]);
    // What follows from it is of now.
    let profile = bench.profile("anna").state;
    let claim =
        profile.capability_state(&capability("probe"), 1).unwrap().claim(&field("probe.seen")).unwrap();
    assert_eq!(claim.observed_at, Timestamp(START + 5_007));
}

#[test]
fn a_timer_that_is_set_again_is_replaced_and_one_that_is_cancelled_never_fires() {
    let bench = timed();
    say(&bench, "anna", &["timer a 5000", "timer b 5000", "timer c 5000", "timer d 5000", "cancel d"]);
    say(&bench, "anna", &["timer a 20000", "cancel b", "cancel nothing"]);
    assert_consistent(&bench, &["anna"]);
    move_to(&bench, 6_000);
    await_fired(&bench, 1);
    assert_eq!(seen(&bench, "anna"), "c+1000");
    move_to(&bench, 20_000);
    await_fired(&bench, 2);
    assert_eq!(seen(&bench, "anna"), "c+1000 a+0");
    looked(&bench);
    assert_eq!(fired(&bench), 2);
    assert_consistent(&bench, &["anna"]);
}

#[test]
fn a_time_in_the_past_fires_a_second_after_it_was_set() {
    let bench = timed();
    say(&bench, "anna", &["timer past -86400000", "timer soon 1"]);
    move_to(&bench, 999);
    looked(&bench);
    assert_eq!(fired(&bench), 0);
    move_to(&bench, 1_000);
    await_fired(&bench, 2);
    assert_eq!(seen(&bench, "anna"), "past+86401000 soon+999", "in the order in which they fire");
}

#[test]
fn what_can_not_be_a_timer_is_refused_and_the_33rd_as_well() {
    let bench = timed();
    let timers: Vec<String> = (0..33).map(|number| format!("timer t{number} {}", 60_000 + number)).collect();
    let mut commands: Vec<&str> = timers.iter().take(32).map(String::as_str).collect();
    say(&bench, "anna", &commands);
    assert_eq!(pending(&bench, "anna").len(), 32);
    let refusal = |commands: &[&str]| {
        let accepted = say(&bench, "anna", commands);
        let decided = bench.decisions(&accepted).remove(0);
        let codes = decided.outcomes[0].refusals.iter().map(|refusal| refusal.code.clone());
        codes.collect::<Vec<_>>()
    };
    // The probe gives up at the first refusal, so nothing else of it happens.
    assert_eq!(refusal(&[&timers[32]]), ["timer.too-many"]);
    assert_eq!(pending(&bench, "anna").len(), 32);
    bench.engine.parked().skip(&ParkedFilter::default(), "it was a test").expect("it can be skipped");
    bench.settle();
    // Another one makes room, in the same invocation too; and one of a known name needs none.
    commands = vec!["cancel t5", &timers[32], "timer t7 99000"];
    assert!(refusal(&commands).is_empty());
    assert_eq!(pending(&bench, "anna").len(), 32);
    for (command, code) in [
        ("timer Weekly 5000", "timer.name"),
        ("timer wöchentlich 5000", "timer.name"),
        ("timer  5000", "timer.name"),
        ("timer t0 400000000000000", "value.malformed"),
        ("cancel NOT", "timer.name"),
    ] {
        assert_eq!(refusal(&[command]), [code], "{command}");
        bench.engine.parked().skip(&ParkedFilter::default(), "it was a test").expect("it can be skipped");
        bench.settle();
    }
    assert_consistent(&bench, &["anna"]);
}

#[test]
fn a_plug_in_that_does_not_declare_timers_can_not_set_one() {
    let bench = unarmed(EngineConfig { partitions: 4, workers: 2, ..EngineConfig::default() });
    let component = timed_probe_with(&manifest("probe", USUAL));
    let options = InstallOptions { approve: true, ..InstallOptions::default() };
    bench.engine.registrar().install(&component, options, app("tests")).expect("it installs");
    let accepted = say(&bench, "anna", &["timer a 5000"]);
    let decided = bench.decisions(&accepted).remove(0);
    assert_eq!(decided.outcomes[0].refusals[0].code, "timer.not-declared");
    // And one that declares them without the role doesn't install.
    let without_role = probe_with(&timed_manifest("other"));
    let refused = bench.engine.registrar().install(&without_role, InstallOptions::default(), app("tests"));
    let refused = refused.expect_err("it has no role for them").to_string();
    assert!(refused.contains("timed") && refused.contains("timers = true"), "{refused}");
}

#[test]
fn a_firing_whose_timer_was_set_again_or_cancelled_before_its_turn_invokes_nobody() {
    let bench = timed();
    say(&bench, "anna", &["timer a 5000"]);
    say(&bench, "bo", &["timer a 5000"]);
    let stale = |customer: &str| {
        let profile = bench.profile(customer);
        let own = profile.state.capability_state(&capability("probe"), 1).unwrap();
        let timer = own.timers.as_ref().unwrap().set()[0].clone();
        Due::of(&timer, profile.state.id, &capability("probe"), 1, Timestamp(START + 5_000))
    };
    let (anna, bo) = (stale("anna"), stale("bo"));
    say(&bench, "anna", &["cancel a"]);
    say(&bench, "bo", &["timer a 60000"]);
    for due in [anna, bo] {
        bench
            .engine
            .sequencer
            .append_due(bench.engine.shared.home(due.profile), due)
            .expect("it is appended");
    }
    bench.settle();
    for customer in ["anna", "bo"] {
        assert_eq!(ended(&bench, customer), [("a".to_owned(), TimerEnd::Cancelled, vec![])]);
        assert_eq!(seen(&bench, customer), "");
    }
    assert_eq!(pending(&bench, "bo"), [("a".to_owned(), 60_000)]);
    assert_consistent(&bench, &["anna", "bo"]);
}

#[test]
fn after_a_restart_what_is_set_fires_and_what_had_fired_is_decided_once() {
    let mut bench = timed();
    say(&bench, "anna", &["timer a 5000", "timer b 70000"]);
    say(&bench, "bo", &["timer a 5000"]);
    // It fired, and the host stopped before it was decided.
    let profile = bench.profile("anna").state;
    let own = profile.capability_state(&capability("probe"), 1).unwrap();
    let due = Due::of(
        &own.timers.as_ref().unwrap().set()[0],
        profile.id,
        &capability("probe"),
        1,
        Timestamp(START + 5_000),
    );
    bench.engine.shared.stop_deciding();
    bench.engine.sequencer.append_due(bench.engine.shared.home(profile.id), due).expect("it is appended");
    bench.engine.clock().set(Timestamp(START + 5_000));
    bench.restart();
    await_fired(&bench, 1);
    for customer in ["anna", "bo"] {
        assert_eq!(seen(&bench, customer), "a+0", "{customer}");
        assert_eq!(
            ended(&bench, customer),
            [("a".to_owned(), TimerEnd::Fired, vec![InvocationStatus::Done])]
        );
    }
    assert_consistent(&bench, &["anna", "bo"]);
    bench.restart();
    looked(&bench);
    assert_eq!((fired(&bench), pending(&bench, "anna").len()), (0, 1));
}

#[test]
fn after_a_downtime_timers_fire_at_a_bounded_rate_and_the_oldest_first() {
    const LATE: u32 = 60;
    let config =
        EngineConfig { partitions: 1, workers: 2, late_timers_per_second: LATE, ..EngineConfig::default() };
    let mut bench = unarmed(config);
    install(&bench, "probe");
    let customers: Vec<String> = (0..LATE).map(|number| format!("customer-{number}")).collect();
    for (number, customer) in customers.iter().enumerate() {
        // The one that was set last is due first.
        let due = HOUR - number as i64;
        bench.script(customer, &[&format!("timer a {due}")]);
    }
    bench.settle();
    bench.engine.clock().set(Timestamp(START + 2 * HOUR));
    let started = std::time::Instant::now();
    bench.restart();
    await_fired(&bench, u64::from(LATE));
    assert!(started.elapsed() > Duration::from_millis(900), "{:?} for a second's worth", started.elapsed());
    let records: Vec<Position> = customers.iter().map(|customer| newest_due(&bench, customer)).collect();
    assert!(records.is_sorted_by(|later, earlier| later.seq > earlier.seq), "{records:?}");
    assert!(seen(&bench, "customer-0").starts_with("a+"), "each has its time and the time that it is");
    assert_consistent(&bench, &customers.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_clock_that_jumps_holds_timers_until_an_admin_says_so_or_it_comes_back() {
    let bench = timed();
    say(&bench, "anna", &["timer a 5000", "timer b 86400000"]);
    looked(&bench);
    bench.engine.clock().jump(Timestamp(START + DAY));
    looked(&bench);
    let status = bench.engine.timers().status().expect("it can be read");
    assert_eq!(status.held, Some(TimersHeld::ClockJumped { by_ms: DAY }));
    assert_eq!((status.pending, fired(&bench)), (2, 0));
    // Somebody sets the clock right: nobody has to say anything.
    bench.engine.clock().jump(Timestamp(START + 6_000));
    looked(&bench);
    await_fired(&bench, 1);
    assert_eq!(bench.engine.timers().status().expect("it can be read").held, None);
    bench.engine.clock().jump(Timestamp(START + 2 * DAY));
    looked(&bench);
    assert_eq!(fired(&bench), 1);
    let held = bench.engine.timers().resume();
    assert!(matches!(held, Some(TimersHeld::ClockJumped { .. })), "{held:?}");
    await_fired(&bench, 2);
    assert_eq!(bench.engine.timers().resume(), None);
}

#[test]
fn a_clock_that_goes_back_fires_nothing_again() {
    let bench = timed();
    say(&bench, "anna", &["timer a 5000"]);
    move_to(&bench, 6_000);
    await_fired(&bench, 1);
    bench.engine.clock().jump(Timestamp(START - 30 * DAY));
    looked(&bench);
    bench.engine.clock().jump(Timestamp(START + 6_000));
    looked(&bench);
    assert_eq!((fired(&bench), seen(&bench, "anna").as_str()), (1, "a+1000"));
}

#[test]
fn a_host_that_stood_still_for_more_than_a_day_holds_its_timers_at_the_start() {
    let mut bench = timed();
    say(&bench, "anna", &["timer a 5000"]);
    bench.engine.clock().set(Timestamp(START + DAY));
    bench.restart();
    await_fired(&bench, 1);
    say(&bench, "anna", &["timer a 5000"]);
    bench.engine.clock().set(Timestamp(START + 2 * DAY + 10 * SECOND));
    bench.restart();
    looked(&bench);
    let held = bench.engine.timers().status().expect("it can be read").held;
    assert_eq!(held, Some(TimersHeld::StoodStill { newest_record: Timestamp(START + DAY) }));
    assert_eq!(fired(&bench), 0);
    bench.engine.timers().resume();
    await_fired(&bench, 1);
    // Without timers there is nothing to hold.
    bench.engine.clock().set(Timestamp(START + 9 * DAY));
    bench.restart();
    assert_eq!(bench.engine.timers().status().expect("it can be read").held, None);
}

#[test]
fn a_plug_in_in_quarantine_gets_no_timer_until_it_is_released() {
    let bench = timed();
    say(&bench, "anna", &["timer a 5000"]);
    let digest = bench.engine.registry().capabilities[&capability("probe")].digest;
    let (capability_name, reason) = (capability("probe"), "a test".to_owned());
    bench.change(RegistryChange::Quarantined { capability: capability_name, digest, reason });
    bench.settle();
    move_to(&bench, 6_000);
    looked(&bench);
    assert_eq!(fired(&bench), 0);
    bench.change(RegistryChange::Released { capability: capability("probe") });
    await_fired(&bench, 1);
    wait_for(
        || {
            bench.settle();
            seen(&bench, "anna") == "a+1000"
        },
        || "it is invoked".to_owned(),
    );
}

#[test]
fn timers_of_a_capability_that_is_removed_end_visibly_and_a_later_one_inherits_none() {
    let bench = timed();
    say(&bench, "anna", &["timer a 5000", "text probe.note x"]);
    bench.change(RegistryChange::Removed { capability: capability("probe") });
    bench.settle();
    install(&bench, "probe");
    move_to(&bench, 6_000);
    await_fired(&bench, 1);
    assert_eq!(ended(&bench, "anna"), [("a".to_owned(), TimerEnd::Removed, vec![])]);
    assert_eq!(seen(&bench, "anna"), "");
    assert_consistent(&bench, &["anna"]);
}

#[test]
fn a_version_without_the_role_ends_its_timers_as_undeliverable() {
    let bench = timed();
    say(&bench, "anna", &["timer a 5000"]);
    bench.install("probe", USUAL);
    bench.settle();
    move_to(&bench, 6_000);
    await_fired(&bench, 1);
    let ended = ended(&bench, "anna");
    let [(name, TimerEnd::Fired, outcomes)] = ended.as_slice() else { panic!("{ended:?}") };
    let [InvocationStatus::Undeliverable { reason }] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert!(name == "a" && reason.starts_with("role.gone"), "{reason}");
}

#[test]
fn a_timer_that_fails_is_parked_and_is_retried_without_firing_again() {
    let bench = timed();
    say(&bench, "anna", &["timer fail.x 5000", "timer z 5000"]);
    move_to(&bench, 5_000);
    await_fired(&bench, 2);
    let waiting = |bench: &Bench| {
        let state = bench.profile("anna").state;
        state.capability_state(&capability("probe"), 1).map_or(0, |own| own.waiting())
    };
    assert_eq!(waiting(&bench), 2, "the second is held behind the first");
    assert!(pending(&bench, "anna").is_empty());
    let filter = ParkedFilter { capability: Some(capability("probe")), ..ParkedFilter::default() };
    bench.engine.parked().retry(&filter).expect("it can be retried");
    bench.settle();
    assert_eq!((waiting(&bench), fired(&bench)), (2, 2), "it fails again");
    bench.engine.parked().skip(&filter, "it was a test").expect("it can be skipped");
    bench.settle();
    assert_eq!((waiting(&bench), seen(&bench, "anna").as_str()), (0, "z+0"));
    assert_consistent(&bench, &["anna"]);
}

#[test]
fn a_timer_that_sets_itself_again_is_ended_by_the_budget_of_its_root_then_begins_anew_after_an_hour() {
    let bench = timed();
    say(&bench, "anna", &["timer again 1000"]);
    // Within the hour all of them are of one chain.
    let most = u64::from(bench.engine.shared.config.depth_max);
    for step in 1..=most + 1 {
        move_to(&bench, step as i64 * SECOND);
        await_fired(&bench, step);
    }
    let last = ended(&bench, "anna").pop().expect("there are some");
    assert!(matches!(last.2.as_slice(), [InvocationStatus::Undeliverable { .. }]), "{last:?}");
    assert!(pending(&bench, "anna").is_empty(), "nobody set it again");
    // One that is set for later than an hour begins a chain each time.
    say(&bench, "anna", &["timer again 7200000"]);
    let from = most as i64 * SECOND + 2 * HOUR + SECOND;
    move_to(&bench, from);
    await_fired(&bench, most + 2);
    let due = bench
        .engine
        .records()
        .read(newest_due(&bench, "anna"))
        .expect("it can be read")
        .expect("it is there");
    let Ok(Record::Due(due)) = due.record() else { panic!("no timer") };
    assert_eq!((due.root, due.depth, due.spent), (None, 0, 0));
}

/// Where the newest firing of a customer stands.
fn newest_due(bench: &Bench, customer: &str) -> Position {
    let profile = bench.profile(customer);
    let page = bench.engine.query().timeline_page(&profile, None, 1_000).expect("it can be read");
    let newest = page.entries.iter().find(|entry| entry.decided.timer.is_some()).expect("one fired");
    newest.decided.cause.record()
}

#[test]
fn a_thousand_timers_of_one_customer_a_day_are_the_most() {
    let bench = timed();
    let most = u64::from(TIMERS_A_DAY_MAX);
    let mut count = 0;
    let mut at = 0;
    while count <= most {
        let timers: Vec<String> = (0..32).map(|number| format!("timer t{number} 1000")).collect();
        let commands: Vec<&str> = timers.iter().map(String::as_str).collect();
        say(&bench, "anna", &commands);
        (at, count) = (at + SECOND, count + 32);
        move_to(&bench, at);
        await_fired(&bench, count);
    }
    let all = ended(&bench, "anna");
    let (within, beyond) = all.split_at(most as usize);
    assert!(within.iter().all(|(.., outcomes)| outcomes == &[InvocationStatus::Done]));
    let [InvocationStatus::Parked(failure)] = beyond[0].2.as_slice() else { panic!("{:?}", beyond[0]) };
    assert!(failure.message.starts_with("budget.day"), "{failure:?}");
    assert!(beyond[1..].iter().all(|(.., outcomes)| outcomes == &[InvocationStatus::Held]));
}

#[test]
fn events_that_a_timer_emits_and_values_that_it_changes_go_their_usual_way() {
    let bench = timed();
    let hears = "[subscribes.\"probe.pinged\"]\nscript = { type = \"texts\" }\n[sources]\n\"probe.note\" = { type = \"text\" }\n";
    bench.install("other", hears);
    say(&bench, "anna", &["timer ping 5000"]);
    move_to(&bench, 5_000);
    await_fired(&bench, 1);
    let state = bench.profile("anna").state;
    let claim =
        state.capability_state(&capability("other"), 1).and_then(|own| own.claim(&field("probe.note")));
    assert_eq!(claim.and_then(|claim| claim.value.clone()), text("pinged"));
}

#[test]
fn replaying_a_history_of_timers_shows_no_difference() {
    let bench = timed();
    let mut count = 0;
    for round in 0..5_i64 {
        for customer in ["anna", "bo"] {
            say(&bench, customer, &["timer again 1000", "timer b 1500", "timer c 99000", "remember x"]);
            say(&bench, customer, &["cancel c", "timer b 1700"]);
        }
        move_to(&bench, (round * 10 + 2) * SECOND);
        count += 4;
        await_fired(&bench, count);
        move_to(&bench, (round * 10 + 10) * SECOND);
        count += 2;
        await_fired(&bench, count);
    }
    assert_consistent(&bench, &["anna", "bo"]);
    let of_host = bench.engine.registrar.plugins.sandbox();
    let sandbox = own_sandbox(of_host.limits()).expect("a sandbox can be made").with_code_of(of_host);
    let component = timed_probe_with(&timed_manifest("probe"));
    let new = Package::read(&component, sandbox.limits()).expect("it is a component");
    let log = bench.engine.log().clone();
    let (share, profiles_max) = (Share::default(), 1_000);
    let input = Input { log, sandbox, new, against: None, share, profiles_max, lower_priority: false };
    let report = replay(input, &Arc::new(Control::default())).expect("it can be replayed");
    assert!(report.is_same() && report.not_replayed.is_empty(), "{report:#?}");
    assert!(report.deliveries >= 50, "{report:#?}");
}

#[test]
fn a_list_of_timers_goes_on_behind_a_cursor_in_the_order_in_which_they_fire() {
    let bench = timed();
    install(&bench, "second");
    for customer in ["anna", "bo", "cy"] {
        say(&bench, customer, &["timer a 5000", "timer b 5000", "timer c 9000", "timer d 7000"]);
    }
    let timers = bench.engine.timers();
    let whole = timers.list(None, None, 1_000).expect("it can be read");
    assert_eq!(whole.len(), 24);
    assert!(whole.is_sorted());
    for size in [1, 2, 5, 24] {
        let (mut listed, mut after): (Vec<PendingTimer>, Option<PendingTimer>) = (Vec::new(), None);
        loop {
            let page = timers.list(None, after.as_ref(), size).expect("it can be read");
            let is_last = page.len() < size;
            listed.extend(page);
            after = listed.last().cloned();
            if is_last {
                break;
            }
        }
        assert_eq!(listed, whole, "by {size}");
    }
    let of_second = timers.list(Some(&capability("second")), None, 1_000).expect("it can be read");
    assert_eq!(of_second.len(), 12);
    assert!(of_second.iter().all(|timer| timer.capability == capability("second")));
}

#[test]
fn a_generation_that_catches_up_fires_its_timers_in_passing_and_the_rest_when_it_has_caught_up() {
    let bench = unarmed(EngineConfig { partitions: 4, workers: 2, ..EngineConfig::default() });
    say(&bench, "anna", &["timer a 5000", "timer ping 6000", "timer z 99000"]);
    say(&bench, "bo", &["timer a 5000"]);
    bench.engine.clock().set(Timestamp(START + 10_000));
    say(&bench, "anna", &["timer b 5000", "cancel z"]);
    bench.engine.clock().set(Timestamp(START + 12_000));
    let component = timed_probe_with(&timed_manifest("probe"));
    let options = InstallOptions { approve: true, from_start: true, ..InstallOptions::default() };
    bench.engine.registrar().install(&component, options, app("tests")).expect("it installs");
    wait_for(|| !bench.engine.lanes.lags(&capability("probe")), || "it catches up".to_owned());
    // Before anna's second event her first timers fire, each at its time; bo had no other event.
    await_fired(&bench, 1);
    assert_eq!(seen(&bench, "anna"), "a+0 ping+0");
    assert_eq!(seen(&bench, "bo"), "a+7000", "when it had caught up");
    let claim = bench.profile("anna").state;
    let claim = claim.capability_state(&capability("probe"), 1).unwrap().claim(&field("probe.seen")).unwrap();
    assert_eq!(claim.observed_at, Timestamp(START + 6_000));
    let emitted = |customer: &str| {
        let profile = bench.profile(customer);
        let page = bench.engine.query().timeline_page(&profile, None, 1_000).expect("it can be read");
        let emitted = page.entries.iter().flat_map(|entry| entry.decided.emitted.clone());
        emitted.map(|emitted| emitted.silent).collect::<Vec<_>>()
    };
    assert_eq!(emitted("anna"), [true], "what it emitted meanwhile is silent");
    assert_eq!(pending(&bench, "anna"), [("b".to_owned(), 15_000)]);
    assert_consistent(&bench, &["anna", "bo"]);
    move_to(&bench, 15_000);
    await_fired(&bench, 2);
    assert_eq!(seen(&bench, "anna"), "a+0 ping+0 b+0");
    let mut bench = bench;
    bench.restart();
    looked(&bench);
    bench.settle();
    assert_eq!(seen(&bench, "anna"), "a+0 ping+0 b+0", "nothing is decided again");
    assert_consistent(&bench, &["anna", "bo"]);
}

#[test]
fn whatever_is_set_cancelled_and_fired_the_index_is_what_the_profiles_have() {
    let seed = std::env::var("SAMSYN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand_seed);
    eprintln!("SAMSYN_SEED={seed}");
    let mut state: u64 = seed;
    let mut next = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let customers = ["anna", "bo", "cy"];
    let mut bench = timed();
    let mut at = 0;
    for _ in 0..60 {
        let customer = customers[next(3) as usize];
        let name = ["a", "b", "again", "ping", "fail"][next(5) as usize];
        match next(6) {
            0..=2 => drop(bench.script(customer, &[&format!("timer {name} {}", next(20_000))])),
            3 => drop(bench.script(customer, &[&format!("cancel {name}")])),
            4 => {
                at += next(5_000) as i64;
                move_to(&bench, at);
            }
            _ if next(4) == 0 => bench.restart(),
            _ => bench.settle(),
        }
    }
    // Whoever wasn't heard of yet is a customer as well.
    customers.iter().for_each(|customer| drop(say(&bench, customer, &["text probe.note x"])));
    looked(&bench);
    assert_consistent(&bench, &customers);
    let made = bench.engine.maintenance().make_snapshot().expect("it is made");
    assert_eq!(made.profiles, 3);
    say(&bench, "anna", &["timer last 1000"]);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (config, ids, log) =
        (ViewConfig::default(), bench.engine.shared.config.event_ids(), bench.engine.log());
    let bases = bench.engine.maintenance.shelf.bases(log);
    let folded = View::open_from(directory.path(), log, bench.engine.homes(), &config, ids, bases, |_| {});
    let (folded, opened) = folded.expect("it folds");
    assert!(opened.base.is_some(), "{opened:?}");
    let compared = bench.engine.view().compare(&folded).expect("they can be compared");
    assert_eq!(compared.differences, 0, "from a snapshot: {compared:?}");
}

fn rand_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
