//! Calls of a real component to a real system: sent, answered, tried again, in doubt, in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use samsyn_egress::Connector;
use samsyn_egress::secret::NoScrub;
use samsyn_engine::testing::{
    Bench, Keeping, PATIENCE, USUAL, app, calling_probe_with, capability, manifest, value_of,
};
use samsyn_engine::{Acceptance, EngineConfig, InstallOptions, ParkedFilter, Progress};
use samsyn_journal::{CallEnd, CallId, CallState, Decided, Verdict, pending_calls};
use samsyn_machine::clock::Clock;
use samsyn_registry::endpoint::{Auth, EndpointChange};
use samsyn_registry::{BindingRequest, EndpointState, Pause};
use samsyn_replay::{Control, Input, ReplayReport, Share, own_sandbox, replay};
use samsyn_sandbox::{Limits, Package};
use samsyn_secrets::{KeySources, Named, Secrets, SecretsConfig};
use samsyn_state::view::{View, ViewConfig};
use samsyn_testkit::peer::{Act, Cut, Mode, Peer, Setup};
use samsyn_vocabulary::{SecretName, Timestamp, Value};
use tokio::runtime::Runtime;

use super::*;

mod changes;
mod look_ups;
mod rows;

const START: i64 = 1_796_000_000_000;
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

/// No secret is named.
struct NoSecrets;

impl Named for NoSecrets {
    fn versions(&self, _: &SecretName) -> Option<Vec<u32>> {
        None
    }

    fn has_ended(&self, _: &SecretName, _: u32) -> bool {
        false
    }

    fn names(&self) -> Vec<SecretName> {
        Vec::new()
    }
}

/// A host whose probe calls a peer. Its clock stands still until it is moved.
struct World {
    bench: Bench,
    peer: Peer,
    runtime: Runtime,
    outgoing: Option<Arc<Outgoing>>,
}

const CALLS: &str = "timers = true\n[calls.system]\nreason = \"Tests\"\nmethods = [\"GET\", \"POST\", \"PUT\"]\n\
    [calls.other]\nreason = \"Tests\"\nmethods = [\"GET\", \"POST\"]\n\
    [calls.rows]\nreason = \"Tests\"\nmethods = [\"POST\"]\n\
    [calls.rows.rows]\npath = \"/rows\"\nformat = \"ndjson\"\nmax = 4\nwait = \"5s\"\n\
    [calls.table]\nreason = \"Tests\"\nmethods = [\"PUT\"]\n\
    [calls.table.rows]\npath = \"/table\"\nmethod = \"PUT\"\nformat = \"csv\"\ncolumns = [\"text\", \"points\"]\n\
    bytes = \"1 KiB\"\nwait = \"1s\"\n\
    [calls.many]\nreason = \"Tests\"\nmethods = [\"POST\"]\n\
    [calls.many.rows]\npath = \"/many\"\nformat = \"json\"\nmax = 500\nwait = \"1s\"\n";

fn calls_manifest() -> String {
    manifest("probe", &format!("{CALLS}{USUAL}"))
}

/// A binding to this peer.
fn binding(peer: &Peer, change: impl FnOnce(&mut BindingRequest)) -> BindingRequest {
    let mut request = BindingRequest {
        url: Some(peer.url().parse().expect("a base")),
        methods: None,
        auth: Auth::None,
        repeat: None,
        key: None,
        rate: Some("10000 per 1s".parse().expect("a rate")),
        parallel: Some(4),
        timeout: Some("5s".parse().expect("a duration")),
        answer_max: None,
        networks: vec!["127.0.0.0/8".parse().expect("a network")],
        ca_file: None,
        client_certificate: None,
        proxy: None,
        reaches: None,
        message_api: false,
    };
    change(&mut request);
    request
}

fn repeats(class: &'static str) -> impl Fn(&mut BindingRequest) {
    move |request| {
        request.repeat = serde_json::from_value(class.into()).expect("a class");
        request.key = (class == "keyed")
            .then(|| serde_json::from_value(serde_json::json!({ "header": "Idempotency-Key", "hours": 24 })))
            .transpose()
            .expect("a key");
    }
}

impl World {
    fn new(class: &'static str) -> World {
        World::with(Peer::start(), repeats(class))
    }

    fn with(peer: Peer, change: impl Fn(&mut BindingRequest)) -> World {
        let config = EngineConfig { partitions: 4, workers: 2, ..EngineConfig::default() };
        let keeping = Keeping { clock: Clock::fixed(Timestamp(START)), ..Keeping::default() };
        let bench = Bench::keeping(config, Limits::default(), keeping);
        let component = calling_probe_with(&calls_manifest());
        let options = InstallOptions { approve: true, ..InstallOptions::default() };
        bench.engine.registrar().install(&component, options, app("tests")).expect("it installs");
        let runtime = Runtime::new().expect("a runtime");
        let mut world = World { bench, peer, runtime, outgoing: None };
        world.bind("system", change);
        world.start();
        world
    }

    fn bind(&self, endpoint: &str, change: impl FnOnce(&mut BindingRequest)) {
        let wanted = EndpointChange::Bind(Box::new(binding(&self.peer, change)));
        self.change(endpoint, wanted);
    }

    fn change(&self, endpoint: &str, wanted: EndpointChange) {
        let engine = &self.bench.engine;
        engine.registrar().change_endpoint("probe", endpoint, wanted, None, app("tests")).expect("it can be");
        if let Some(outgoing) = &self.outgoing {
            outgoing.refresh();
        }
    }

    fn start(&mut self) {
        let (engine, dir) = (self.bench.engine.clone(), self.bench.path().join("secrets"));
        let secrets = Secrets::open(
            &SecretsConfig::default(),
            &KeySources::default(),
            samsyn_disk::local(),
            dir,
            Arc::new(NoSecrets),
        );
        let connector = Connector::system(Arc::new(NoScrub));
        let handle = self.runtime.handle();
        self.outgoing = Some(Outgoing::start_with(engine, Arc::new(secrets), connector, handle));
    }

    /// The host dies: what is under way is dropped, and what isn't on the disk as well.
    fn crash(&mut self) {
        self.outgoing = None;
        let runtime = std::mem::replace(&mut self.runtime, Runtime::new().expect("a runtime"));
        runtime.shutdown_background();
        self.bench.restart();
        self.start();
    }

    fn say(&self, customer: &str, commands: &[&str]) -> Acceptance {
        let acceptance = self.bench.script(customer, commands);
        self.bench.settle();
        acceptance
    }

    fn move_to(&self, millis: i64) {
        self.bench.engine.clock().set(Timestamp(START + millis));
        self.outgoing.iter().for_each(|outgoing| outgoing.refresh());
    }

    /// What the probe has seen of a customer's answers, once they are so many.
    fn seen(&self, customer: &str, answers: i64) -> String {
        let count = || match value_of(&self.bench.engine, customer, "probe.count") {
            Some(Value::Integer(count)) => count,
            _ => 0,
        };
        wait_for(|| count() >= answers, || format!("{answers} answers, not {}", count()));
        self.bench.settle();
        assert_eq!(count(), answers);
        self.bench.text(customer, "probe.seen").unwrap_or_default()
    }

    /// Waits until the one call that waits is in doubt.
    fn until_in_doubt(&self) {
        wait_for(
            || matches!(&self.listed(CallState::Waiting)[..], [(_, Progress::Waiting(call))] if call.in_doubt),
            || format!("{:?}", self.listed(CallState::Waiting)),
        );
    }

    /// Lets time pass until no call waits.
    fn until_none_waits(&self, now: &mut i64, step: i64) {
        wait_for(
            || {
                *now += step;
                self.move_to(*now);
                self.waiting() == 0
            },
            || format!("{:?}", self.listed(CallState::Waiting)),
        );
    }

    fn waiting(&self) -> u64 {
        self.bench.engine.calls().waiting()
    }

    fn listed(&self, state: CallState) -> Vec<(CallId, Progress)> {
        let listed = self.bench.engine.calls().list(state, None, 1_000).expect("they can be read");
        listed.into_iter().map(|call| (call.pending.id(), call.progress)).collect()
    }

    fn halt(&self) -> Option<Halt> {
        let outgoing = self.outgoing.as_ref().expect("it runs");
        outgoing.status().into_iter().find(|is| is.endpoint.as_str() == "system")?.lane.halt
    }

    fn settle_call(&self, id: &CallId, verdict: Verdict) -> bool {
        let reason = "the system says so".parse().expect("a reason");
        let settled = self.bench.engine.calls().settle(id, verdict, app("tests"), reason);
        self.runtime.block_on(settled).expect("it can be written")
    }

    /// Live, folded anew, and replayed it is the same.
    fn assert_consistent(&self, customers: &[&str]) {
        self.bench.settle();
        let view = self.bench.engine.view();
        let mut expected: Vec<_> = customers
            .iter()
            .flat_map(|customer| pending_calls(&self.bench.profile(customer).state))
            .collect();
        expected.sort();
        let mut listed = Vec::new();
        for state in CallState::ALL {
            let all = view.calls_in(state, None, 1_000).expect("it can be read");
            for limit in 0..all.len() {
                assert_eq!(view.calls_in(state, None, limit).expect("it can be read"), all[..limit]);
            }
            listed.extend(all);
        }
        assert_eq!(listed, expected);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let ids = EngineConfig::default().event_ids();
        let (log, homes) = (self.bench.engine.log(), self.bench.engine.homes());
        let (anew, _) =
            View::open(directory.path(), log, homes, &ViewConfig::default(), ids, |_| {}).expect("it folds");
        let compared = view.compare(&anew).expect("they can be compared");
        assert_eq!(compared.differences, 0, "{compared:?}");
        assert_eq!(anew.calls_waiting(), self.waiting());
    }

    /// What a replay with this component shows.
    fn replayed(&self, component: &[u8]) -> ReplayReport {
        let sandbox = own_sandbox(&Limits::default()).expect("a sandbox can be made");
        let new = Package::read(component, sandbox.limits()).expect("it is a component");
        let log = self.bench.engine.log().clone();
        let (share, profiles_max) = (Share::default(), 1_000);
        let input = Input { log, sandbox, new, against: None, share, profiles_max, lower_priority: false };
        replay(input, &Arc::new(Control::default())).expect("it can be replayed")
    }

    /// The newest decisions about answers of a customer, oldest first.
    fn ended(&self, customer: &str) -> Vec<CallEnd> {
        let profile = self.bench.profile(customer);
        let page = self.bench.engine.query().timeline_page(&profile, None, 500).expect("it can be read");
        let ended =
            page.entries.iter().rev().filter_map(|entry| Some(entry.decided.call.as_ref()?.how.clone()));
        ended.collect()
    }
}

fn wait_for(mut is_so: impl FnMut() -> bool, what: impl Fn() -> String) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{}", what());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_call_is_sent_once_and_its_answer_comes_once_with_its_note() {
    let world = World::new("keyed");
    world.peer.always(Act::status(201, "ETag: 7\r\n", "made"));
    world.say("berit", &["call system POST /members/1?x hello"]);
    assert!(world.peer.arrivals().is_empty(), "the path has a question mark: it is refused");
    world.say("anna", &["call system POST /members/1 hello"]);
    assert_eq!(world.seen("anna", 1), "/members/1=201");
    let arrivals = world.peer.wait_for(1);
    assert_eq!((arrivals[0].method.as_str(), arrivals[0].target.as_str()), ("POST", "/members/1"));
    assert_eq!(
        (arrivals[0].text().as_str(), arrivals[0].header("content-type")),
        ("hello", Some("text/plain"))
    );
    assert!(arrivals[0].key.as_ref().is_some_and(|key| key.len() == 36), "{:?}", arrivals[0].key);
    assert_eq!(world.ended("anna"), [CallEnd::Response { status: 201 }]);
    assert_eq!((world.waiting(), world.peer.arrivals().len()), (0, 1));
    world.assert_consistent(&["anna"]);
}

#[test]
fn what_the_endpoint_isnt_bound_for_is_refused_at_once() {
    let world = World::new("once");
    let decided: Vec<Decided> = {
        let accepted = world.say("anna", &["call other GET /x"]);
        world.bench.decisions(&accepted)
    };
    let outcome = &decided[0].outcomes[0];
    assert_eq!(outcome.refusals[0].code, "call.not-bound");
    world.bind("other", |request| request.methods = serde_json::from_value(serde_json::json!(["GET"])).ok());
    for (command, code) in [
        ("call nobody GET /x", "call.not-declared"),
        ("call other POST /x", "call.method"),
        ("call other get /x", "call.method"),
        ("call other GET /../x", "call.path"),
        ("call other GET //evil/x", "call.path"),
        ("call other GET /%2e%2e/x", "call.path"),
        ("call other GET /x body", "call.body"),
    ] {
        // Refused, the probe fails, and what follows for the same customer waits.
        let accepted = world.say(&format!("{command:?}"), &[command]);
        let decisions = world.bench.decisions(&accepted);
        assert_eq!(decisions[0].outcomes[0].refusals[0].code, code, "{command}");
        assert!(decisions[0].outcomes[0].calls.is_empty());
    }
    assert_eq!((world.waiting(), world.peer.arrivals().len()), (0, 0));
}

#[test]
fn calls_of_one_customer_to_one_endpoint_go_one_after_the_other() {
    let world = World::new("keyed");
    world.peer.always(Act::ok().held());
    world.say("anna", &["call system POST /1 a", "call system POST /2 b", "call system POST /3 c"]);
    world.say("berit", &["call system POST /4 d"]);
    let first = world.peer.wait_for(2);
    let mut targets: Vec<&str> = first.iter().map(|arrival| arrival.target.as_str()).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["/1", "/4"], "others go on, her own wait");
    assert_eq!(world.waiting(), 4);
    world.peer.always(Act::ok());
    world.peer.release();
    assert_eq!(world.seen("anna", 3), "/1=200 /2=200 /3=200");
    world.assert_consistent(&["anna", "berit"]);
}

#[test]
fn it_is_tried_again_with_the_same_bytes_and_key_but_not_before_its_time() {
    let world = World::new("keyed");
    world.peer.script(vec![Act::status(503, "", ""), Act::status(429, "Retry-After: 600\r\n", "")]);
    world.say("anna", &["call system PUT /m hello"]);
    let waiting = |attempts: u32| {
        let is_so = || matches!(&world.listed(CallState::Waiting)[..], [(_, Progress::Waiting(call))] if call.attempts == attempts && call.begun.is_none());
        wait_for(is_so, || format!("{attempts} attempts: {:?}", world.listed(CallState::Waiting)));
    };
    waiting(1);
    world.move_to(4_999);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(world.peer.arrivals().len(), 1, "5 s and chance have to pass");
    world.move_to(7_000);
    waiting(2);
    world.move_to(600_000);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(world.peer.arrivals().len(), 2, "the system asked for 600 s, counted from its answer");
    world.move_to(7_000 + 751_000);
    assert_eq!(world.seen("anna", 1), "/m=200");
    let arrivals = world.peer.arrivals();
    assert_eq!(arrivals.len(), 3);
    assert!(arrivals.iter().all(|arrival| arrival.key == arrivals[0].key && arrival.body == b"hello"));
    world.assert_consistent(&["anna"]);
}

/// The table of decisions by class: what became of a request of which nobody knows whether it arrived.
#[test]
fn doubt_is_treated_as_the_class_of_the_endpoint_says() {
    for (class, expected, arrivals) in
        [("safe", "/m=200", 2), ("keyed", "/m=200", 2), ("once", "/m=unknown cut", 1)]
    {
        let world = World::new(class);
        world.peer.script(vec![Act::ok().cut_answer(3, Cut::Reset)]);
        world.say("anna", &["call system PUT /m hello"]);
        if arrivals == 2 {
            wait_for(|| world.peer.arrivals().len() == 1, || "it arrives".to_owned());
            world.until_in_doubt();
            world.move_to(10_000);
        }
        assert_eq!(world.seen("anna", 1), expected, "{class}");
        assert_eq!(world.peer.arrivals().len(), arrivals, "{class}");
        world.assert_consistent(&["anna"]);
    }
}

/// What was under way when the host died.
#[test]
fn after_a_crash_what_was_under_way_is_in_doubt_and_nothing_else() {
    for (class, expected, arrivals) in [
        ("safe", "/m=200 /n=200", 3),
        ("keyed", "/m=200 /n=200", 3),
        ("once", "/m=unknown crashed /n=200", 2),
    ] {
        let mut world = World::new(class);
        world.peer.always(Act::ok().held());
        world.say("anna", &["call system PUT /m hello", "call system PUT /n hello"]);
        world.peer.wait_for(1);
        world.crash();
        world.peer.always(Act::ok());
        // What was in doubt is tried again some seconds after that was noticed.
        let mut now = 0;
        wait_for(
            || {
                now += 100;
                world.move_to(now);
                world.waiting() == 0
            },
            || format!("{class}: {:?}", world.listed(CallState::Waiting)),
        );
        assert_eq!(world.seen("anna", 2), expected, "{class}");
        assert_eq!(world.peer.arrivals().len(), arrivals, "{class}");
        let keys: Vec<_> = world
            .peer
            .arrivals()
            .iter()
            .map(|arrival| (arrival.target.clone(), arrival.key.clone()))
            .collect();
        if class == "keyed" {
            assert_eq!(keys[0], keys[1], "the same key again");
        }
        world.assert_consistent(&["anna"]);
    }
}

#[test]
fn a_system_that_nobody_reaches_is_tried_until_it_is_there_and_nothing_is_in_doubt() {
    let world = World::new("once");
    let gone: BindingRequest = binding(&world.peer, |request| {
        repeats("once")(request);
        request.url = Some("http://127.0.0.1:9/".parse().expect("a base"));
    });
    world.change("system", EndpointChange::Bind(Box::new(gone)));
    world.say("anna", &["call system PUT /m hello"]);
    wait_for(
        || matches!(&world.listed(CallState::Waiting)[..], [(_, Progress::Waiting(call))] if call.attempts == 1 && call.begun.is_none()),
        || format!("{:?}", world.listed(CallState::Waiting)),
    );
    assert!(
        matches!(&world.listed(CallState::Waiting)[0].1, Progress::Waiting(call) if !call.in_doubt && call.sent_since.is_none())
    );
    // All attempts were not sent, so it goes where the endpoint is bound to now.
    world.bind("system", repeats("once"));
    world.move_to(10_000);
    assert_eq!(world.seen("anna", 1), "/m=200");
    world.assert_consistent(&["anna"]);
}

#[test]
fn a_slow_endpoint_delays_no_other() {
    let world = World::new("keyed");
    let fast = Peer::start();
    world.change("other", EndpointChange::Bind(Box::new(binding(&fast, repeats("once")))));
    world.peer.always(Act::never());
    for customer in 0..10 {
        world.say(&format!("slow{customer}"), &["call system PUT /m hello"]);
    }
    world.peer.wait_for(4);
    world.say("anna", &["call other GET /x"]);
    assert_eq!(world.seen("anna", 1), "/x=200");
    assert_eq!(world.peer.arrivals().len(), 4, "as many as may go at once");
}

#[test]
fn a_handler_that_fails_is_parked_and_the_call_isnt_made_again() {
    let world = World::new("keyed");
    world.say("anna", &["call system PUT /fail hello"]);
    wait_for(
        || world.waiting() == 0 && !world.bench.engine.view().waiting(None, 1).is_empty(),
        || "it is parked".to_owned(),
    );
    world.bench.settle();
    assert_eq!(world.peer.arrivals().len(), 1);
    world.say("anna", &["call system PUT /ok hello"]);
    // It waits behind the parked one.
    world.bench.settle();
    assert_eq!(world.bench.text("anna", "probe.seen"), None);
    world.assert_consistent(&["anna"]);
}

#[test]
fn what_follows_from_an_answer_may_call_again_and_set_timers() {
    let world = World::new("safe");
    world.say("anna", &["call system GET /amoremore"]);
    assert_eq!(world.seen("anna", 3), "/amoremore=200 /amore=200 /a=200");
    world.say("anna", &["call system GET /wait"]);
    world.seen("anna", 4);
    assert_eq!(world.bench.engine.view().timers(), 1);
    world.assert_consistent(&["anna"]);
}

#[test]
fn a_call_that_ended_badly_is_listed_until_it_is_settled_and_can_be_sent_again() {
    let world = World::new("once");
    world.peer.script(vec![Act::status(404, "", ""), Act::ok().cut_answer(3, Cut::Reset)]);
    world.say("anna", &["call system PUT /m hello"]);
    assert_eq!(world.seen("anna", 1), "/m=404");
    world.say("anna", &["call system PUT /n hello"]);
    assert_eq!(world.seen("anna", 2), "/m=404 /n=unknown cut");
    let (failed, unknown) = (world.listed(CallState::Failed), world.listed(CallState::Unknown));
    assert_eq!((failed.len(), unknown.len()), (1, 1));
    assert!(world.settle_call(&failed[0].0, Verdict::NotDone));
    assert!(!world.settle_call(&failed[0].0, Verdict::Done), "it is settled");
    assert!(world.settle_call(&unknown[0].0, Verdict::Again));
    world.outgoing.as_ref().expect("it runs").refresh();
    assert_eq!(world.seen("anna", 3), "/m=404 /n=unknown cut /n=200");
    let arrivals = world.peer.arrivals();
    assert_eq!((arrivals.len(), arrivals[1].body.clone()), (3, arrivals[2].body.clone()));
    assert!(world.listed(CallState::Failed).is_empty() && world.listed(CallState::Unknown).is_empty());
    world.assert_consistent(&["anna"]);
}

#[test]
fn no_more_than_32_wait_for_a_customer() {
    let world = World::new("keyed");
    world.peer.always(Act::never());
    for round in 0..9 {
        let commands: Vec<String> =
            (0..4).map(|number| format!("call system PUT /{round}/{number} x")).collect();
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        let accepted = world.say("anna", &commands);
        let decisions = world.bench.decisions(&accepted);
        let refused = decisions[0].outcomes[0].refusals.first().map(|refusal| refusal.code.clone());
        assert_eq!(refused.as_deref(), (round == 8).then_some("call.too-many"), "{round}");
    }
    assert_eq!(world.waiting(), 32);
}

#[test]
fn replaying_a_history_of_calls_shows_no_difference() {
    let world = World::new("keyed");
    world.peer.script(vec![Act::ok(), Act::status(404, "", ""), Act::ok()]);
    for (customer, path) in [("anna", "/m"), ("berit", "/nwait"), ("carin", "/omore")] {
        world.say(customer, &[&format!("call system GET {path}"), "add probe.count"]);
    }
    wait_for(|| world.waiting() == 0 && world.peer.arrivals().len() == 4, || "all are answered".to_owned());
    world.bench.settle();
    let report = world.replayed(&calling_probe_with(&calls_manifest()));
    assert!(report.is_same() && report.not_replayed.is_empty(), "{report:#?}");
    assert!(report.deliveries >= 7, "{report:#?}");
}

/// What a stop waits for.
#[test]
fn a_stop_drains_what_is_under_way() {
    let world = World::new("once");
    world.peer.always(Act { late_ms: 200, ..Act::ok() });
    for customer in 0..8 {
        world.say(&format!("c{customer}"), &["call system PUT /m hello"]);
    }
    world.peer.wait_for(1);
    let outgoing = world.outgoing.clone().expect("it runs");
    assert!(world.runtime.block_on(outgoing.stop(PATIENCE)), "all of it ends");
    let begun = world.listed(CallState::Waiting);
    assert!(
        begun.iter().all(|(_, progress)| matches!(progress, Progress::Waiting(call) if call.begun.is_none()))
    );
    assert!(world.listed(CallState::Unknown).is_empty());
}

/// Peers that the checks must find out: one that has two effects for each request, one that keeps nothing.
#[test]
fn a_peer_that_lies_is_found_out() {
    for mode in [Mode::Twice, Mode::Loses] {
        let peer = Peer::with(Setup { mode, dedupes: true, ..Setup::default() }, None).expect("it listens");
        let world = World::with(peer, repeats("keyed"));
        world.say("anna", &["call system PUT /m hello"]);
        assert_eq!(world.seen("anna", 1), "/m=200");
        let effects = world.peer.arrivals().iter().filter(|arrival| arrival.effect).count();
        assert_ne!(effects, 1, "{mode:?}");
    }
}
