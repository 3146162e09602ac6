//! A vendor is swapped while customers buy and read: docs/vendor-swap.md, as it is done.
//!
//! Writers send events and readers look at profiles from the beginning to the end. What was
//! acknowledged is looked up one by one afterwards.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use samsyn_harness::caller::Caller;
use samsyn_harness::components;
use samsyn_harness::world::{World, until};

/// Customers that everybody writes to and reads.
const CUSTOMERS: usize = 40;
/// Every so many of them don't want offers.
const OPTED_OUT_EVERY: usize = 5;
/// Threads that send events; each has customers of its own.
const WRITERS: usize = 2;
/// Events and reads that every phase of the swap sees at least.
const EVENTS_A_PHASE: usize = 150;
const READS_A_PHASE: usize = 150;
/// What a customer always has.
const ALWAYS: [&str; 5] = ["first_name", "last_name", "email", "phone", "country"];

fn name(customer: usize) -> String {
    format!("c{customer}")
}

/// Whom nobody writes to but the story itself.
const WITNESS: &str = "witness";
/// Her address, of which the two make two forms.
const ADDRESS: &str = "Anna@RÄKSMÖRGÅS.SE";
const IN_ASCII: &str = "Anna@xn--rksmrgs-5wao1o.se";
const IN_ITS_OWN_LETTERS: &str = "Anna@räksmörgås.se";
/// Whom the second vendor never hears of.
const UNSEEN: &str = "unseen";

#[test]
fn a_vendor_is_swapped_under_load_and_back() {
    let world = World::new();
    world.install(&components::plugin("crm"));
    world.install(&components::plugin("sms"));
    let customers: Vec<String> = (0..CUSTOMERS).map(name).chain([WITNESS.into(), UNSEEN.into()]).collect();
    for (number, customer) in customers.iter().enumerate() {
        register(&world, number, customer);
    }
    let load = Load::start(&world);
    load.wait_for_traffic();
    assert_side_by_side(&world);
    load.wait_for_traffic();
    compare(&world);
    assert_not_removable(&world);
    hand_over(&world, "crm", "service-desk");
    load.wait_for_traffic();
    assert_decided(&world, "service-desk", "Anna");
    world.run(&["plugin", "remove", "crm", "--yes"]).ok();
    load.wait_for_traffic();
    assert_complete(&world, UNSEEN, "what the removed one said stands in");
    world.install(&components::plugin("crm"));
    load.wait_for_traffic();
    hand_over(&world, "service-desk", "crm");
    load.wait_for_traffic();
    assert_decided(&world, "crm", "ANNA");
    let sent = load.stop();
    world.settle();
    assert_decided_once(&world, &sent);
    assert_timeline(&world);
    assert_eq!(world.fields(WITNESS)["marketing_opted_out"], true, "through all of it");
    let verified = world.run_on_data(&["log", "verify", "--json"]).ok().json();
    assert_eq!(verified["problem"], Value::Null);
}

fn register(world: &World, number: usize, customer: &str) {
    let mut values = json!({"first_name": "ANNA", "last_name": "Berg", "country": "Sweden",
                            "email": if customer == WITNESS { ADDRESS.to_owned() } else { format!("{customer}@example.com") },
                            "phone": format!("+4670123{:04}", 4000 + number)});
    if number.is_multiple_of(OPTED_OUT_EVERY) || customer == WITNESS {
        values["marketing_opted_out"] = json!(true);
    }
    let decided = world.propose(customer, values);
    assert_eq!(decided["fields"]["country"]["value"], "SE", "{decided}");
    assert_eq!(decided["fields"]["phone"]["outcome"], "accepted", "{decided}");
}

fn assert_side_by_side(world: &World) {
    let file = components::plugin_file("service-desk");
    let installed = world.run(&["plugin", "install", file.to_str().expect("its path is text"), "--yes"]).ok();
    assert!(installed.out.contains("crm stays its source"), "{installed:?}");
    let decided =
        world.propose(WITNESS, json!({"first_name": "ANNA", "email": ADDRESS, "country": "Norway"}));
    assert_eq!(
        (&decided["fields"]["first_name"]["source"], &decided["fields"]["country"]["value"]),
        (&json!("crm"), &json!("NO"))
    );
    let asked: Vec<&Value> =
        decided["outcomes"].as_array().into_iter().flatten().map(|outcome| &outcome["capability"]).collect();
    assert!(
        asked.contains(&&json!("crm")) && asked.contains(&&json!("service-desk")),
        "both are asked: {decided}"
    );
    assert_eq!(world.fields(WITNESS)["first_name"], "ANNA", "and one is heard");
    let claims = &world.profile(WITNESS)["claims"]["first_name"];
    let second = claims.as_array().into_iter().flatten().find(|claim| claim["by"] == "service-desk");
    assert_eq!(
        second.map(|claim| (&claim["value"], &claim["visible"])),
        Some((&json!("Anna"), &json!(false)))
    );
}

fn compare(world: &World) {
    let said = world.run(&["field", "disagreements", "first_name", "--json"]).ok();
    assert!(said.out.contains("service-desk") && said.out.contains("crm"), "{said:?}");
    let report = world.run(&["registry", "check", "--json"]).ok().json();
    let codes: Vec<&Value> =
        report["findings"].as_array().into_iter().flatten().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&json!("departments-same-field")), "{report}");
}

fn assert_not_removable(world: &World) {
    let refused = world.run(&["plugin", "remove", "crm", "--yes"]);
    assert_eq!(refused.code, Some(1), "it is the source of six fields: {refused:?}");
    assert!(refused.err.contains("service-desk"), "it says to whom they could go: {refused:?}");
}

/// All fields of one go to the other, in one plan.
fn hand_over(world: &World, from: &str, to: &str) {
    let assign = ["field", "assign", "--from", from, to, "--all", "--inherit"];
    let planned = world.run(&[&assign[..], &["--dry-run", "--json"]].concat()).ok();
    assert!(planned.out.contains("marketing_opted_out"), "{planned:?}");
    for field in ALWAYS {
        assert_eq!(world.get(&format!("/v1/fields/{field}")).of(200)["source"], from, "only planned");
    }
    world.run(&[&assign[..], &["--yes", "--reason", "the contract ends"]].concat()).ok();
    for field in ALWAYS.iter().chain(&["marketing_opted_out"]) {
        assert_eq!(world.get(&format!("/v1/fields/{field}")).of(200)["source"], to, "{field}");
    }
    until("everybody who reads the fields was told", || {
        let jobs = world.get("/v1/jobs").of(200);
        let adopted = jobs["adopted"] == world.status()["registry_revision"];
        (adopted && jobs["items"][0]["state"] != "running").then_some(())
    });
}

/// The source answers, by its own habits.
fn assert_decided(world: &World, source: &str, first_name: &str) {
    let decided = world.propose(WITNESS, json!({"first_name": "ANNA"}));
    assert_eq!(decided["fields"]["first_name"]["source"], source, "{decided}");
    assert_eq!(world.fields(WITNESS)["first_name"], first_name);
    assert_complete(world, WITNESS, source);
}

#[track_caller]
fn assert_complete(world: &World, customer: &str, why: &str) {
    let fields = world.fields(customer);
    for field in ALWAYS {
        assert!(fields[field].is_string(), "{customer} has no {field} ({why}): {fields}");
    }
}

/// An event that was acknowledged.
struct Sent {
    customer: String,
    id: String,
    position: String,
}

/// Writers and a reader that go on until they are stopped.
struct Load {
    stop: Arc<AtomicBool>,
    events: Arc<AtomicUsize>,
    reads: Arc<AtomicUsize>,
    missing: Arc<Mutex<Vec<String>>>,
    writers: Vec<JoinHandle<Vec<Sent>>>,
    reader: Option<JoinHandle<()>>,
}

impl Load {
    fn start(world: &World) -> Load {
        let mut load = Load {
            stop: Arc::default(),
            events: Arc::default(),
            reads: Arc::default(),
            missing: Arc::default(),
            writers: Vec::new(),
            reader: None,
        };
        for writer in 0..WRITERS {
            let (caller, stop, events) = (Caller::clone(world), load.stop.clone(), load.events.clone());
            load.writers.push(std::thread::spawn(move || write(&caller, writer, &stop, &events)));
        }
        let (caller, stop) = (Caller::clone(world), load.stop.clone());
        let (reads, missing) = (load.reads.clone(), load.missing.clone());
        load.reader = Some(std::thread::spawn(move || read(&caller, &stop, &reads, &missing)));
        load
    }

    /// Waits until a phase has seen enough events and reads, none of which missed anything.
    #[track_caller]
    fn wait_for_traffic(&self) {
        let count = || (self.events.load(Ordering::Relaxed), self.reads.load(Ordering::Relaxed));
        let before = count();
        until("events and reads go on", || {
            let now = count();
            let alive = self.writers.iter().all(|writer| !writer.is_finished());
            assert!(alive, "a writer gave up");
            (now.0 >= before.0 + EVENTS_A_PHASE && now.1 >= before.1 + READS_A_PHASE).then_some(())
        });
        self.assert_nothing_missed();
    }

    #[track_caller]
    fn assert_nothing_missed(&self) {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(missing.is_empty(), "a reader missed something: {missing:#?}");
    }

    fn stop(mut self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        let sent = self.writers.drain(..).flat_map(|writer| writer.join().expect("a writer ends")).collect();
        self.reader.take().expect("there is one").join().expect("the reader ends");
        self.assert_nothing_missed();
        sent
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn write(caller: &Caller, writer: usize, stop: &AtomicBool, events: &AtomicUsize) -> Vec<Sent> {
    let mut sent = Vec::new();
    let own: Vec<usize> = (0..CUSTOMERS).filter(|customer| customer % WRITERS == writer).collect();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let customer = own[number % own.len()];
        let id = format!("load-{writer}-{number}");
        let mut event = event_of_turn(customer, number / own.len());
        event["id"] = json!(id);
        event["identifiers"] = json!({ "customer_id": name(customer) });
        let answer = caller.json("POST", "/v1/events", &event);
        // A full host says so, and the event was not acknowledged.
        if answer.status == 503 || answer.status == 429 {
            continue;
        }
        let position = answer.of(202)["position"].as_str().expect("it has a place").to_owned();
        sent.push(Sent { customer: name(customer), id, position });
        events.fetch_add(1, Ordering::Relaxed);
    }
    sent
}

/// What happens to a customer, one thing after the other: both vendors have something to say of
/// each, and not the same.
fn event_of_turn(customer: usize, turn: usize) -> Value {
    match turn % 5 {
        0 => json!({"name": "profile.updated", "proposes": {"country": "Norway", "first_name": "ANNA"}}),
        1 => json!({"name": "card.updated", "properties": {"name": "BERG, anna", "country": "se"}}),
        2 => json!({"name": "profile.updated",
                    "proposes": {"email": format!("{}+{turn}@EXAMPLE.com", name(customer)), "last_name": "VON ESSEN"}}),
        3 => json!({"name": "sms.received", "properties": {"text": "When do you open?"}}),
        _ => json!({"name": "profile.updated", "proposes": {"country": "DK", "first_name": "Eva"}}),
    }
}

fn read(caller: &Caller, stop: &AtomicBool, reads: &AtomicUsize, missing: &Mutex<Vec<String>>) {
    // The unseen one is read too: of her the second vendor knows nothing.
    let customers: Vec<String> = (0..CUSTOMERS).map(name).chain([UNSEEN.to_owned()]).collect();
    for number in (0..customers.len()).cycle() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let customer = &customers[number];
        let profile = caller.get(&format!("/v1/profiles/customer_id:{customer}")).of(200);
        let fields = &profile["fields"];
        let lost = ALWAYS.iter().filter(|field| !fields[**field].is_string());
        let mut lost: Vec<&str> = lost.copied().collect();
        if number.is_multiple_of(OPTED_OUT_EVERY)
            && number < CUSTOMERS
            && fields["marketing_opted_out"] != true
        {
            lost.push("marketing_opted_out");
        }
        if !lost.is_empty() {
            let line = format!("{customer} without {}: {fields}", lost.join(", "));
            missing.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            return;
        }
        reads.fetch_add(1, Ordering::Relaxed);
    }
}

fn assert_decided_once(world: &World, sent: &[Sent]) {
    assert!(sent.len() >= 6 * EVENTS_A_PHASE, "{} events", sent.len());
    let mut decided: HashMap<String, usize> = HashMap::new();
    for customer in 0..CUSTOMERS {
        for step in timeline(world, &name(customer)) {
            if step["kind"] == "event" {
                *decided.entry(step["cause"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
    }
    for Sent { customer, id, position } in sent {
        assert_eq!(decided.get(position), Some(&1), "decisions of {id} of {customer} at {position}");
        let event = world.get(&format!("/v1/events/{id}")).of(200);
        assert_eq!(event["state"], "decided", "{event}");
        let mut calls: Vec<(String, String)> = Vec::new();
        for outcome in event["outcomes"].as_array().into_iter().flatten() {
            assert_eq!(outcome["result"], "done", "{event}");
            let call = (outcome["capability"].to_string(), outcome["role"].to_string());
            assert!(!calls.contains(&call), "twice: {event}");
            calls.push(call);
        }
    }
}

/// All steps of a customer's timeline, newest first.
fn timeline(world: &World, customer: &str) -> Vec<Value> {
    let mut steps = Vec::new();
    let mut cursor = String::new();
    loop {
        let page =
            world.get(&format!("/v1/profiles/customer_id:{customer}/timeline?limit=200{cursor}")).of(200);
        steps.extend(page["items"].as_array().into_iter().flatten().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return steps,
        }
    }
}

/// What everybody saw of her address, and since when: proposals and both swaps are there.
fn assert_timeline(world: &World) {
    let mut steps = timeline(world, WITNESS);
    steps.reverse();
    let address = |step: &Value| {
        let changes = step["changes"].as_array().into_iter().flatten();
        let mut of_it = changes.filter(|change| change["field"] == "email");
        of_it.next().map(|change| json!([step["kind"], change["before"], change["after"]]))
    };
    let addresses: Vec<Value> = steps.iter().filter_map(address).collect();
    let expected = [
        json!(["event", null, IN_ASCII]),
        json!(["assignment", IN_ASCII, IN_ITS_OWN_LETTERS]),
        json!(["assignment", IN_ITS_OWN_LETTERS, IN_ASCII]),
    ];
    assert_eq!(addresses, expected, "{steps:#?}");
}
