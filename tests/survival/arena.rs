//! The harness: a host in a process of its own, the load on it, and the checks after a break.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chore::{Admins, Chore};
use crate::dice::Dice;
use crate::files;
use crate::inspect::History;
use crate::ledger::{Customer, SPEAKERS};
use crate::load::Sender;
use crate::plugins::{SETTINGS, template};
use samsyn_harness::caller::Caller;
use samsyn_harness::world::{PATIENCE, World, until};

/// Threads that send.
const SENDERS: u64 = 3;
/// Customers of each.
const CUSTOMERS: u64 = 3;
/// What may be set otherwise: how pieces of the host race with each other, and what is slow.
const VARIED: &[(&str, &[&str])] = &[
    ("SAMSYN_ENGINE_WORKERS", &["1", "2", "4"]),
    // Below what a call takes in a debug build: whoever is called gets a thread of its own.
    ("SAMSYN_ENGINE_SLOW_CALL_US", &["100", "5000", "5000"]),
    ("SAMSYN_LOG_SEGMENT_BYTES", &["16384", "65536", "67108864"]),
    ("SAMSYN_LOG_COMMIT_INTERVAL_US", &["0", "1000", "20000"]),
    ("SAMSYN_VIEW_BATCH_ENTRIES", &["1", "8", "20000"]),
    // A snapshot every few requests, so that kills come in the middle of one.
    ("SAMSYN_SNAPSHOTS_EVERY_BYTES", &["0", "20000", "200000"]),
    ("SAMSYN_VIEW_BATCH_MS", &["5", "50", "3000"]),
];

/// A data directory, a host on it most of the time, and all that is known of both.
pub struct Arena {
    pub world: World,
    pub dice: Dice,
    pub senders: Vec<Sender>,
    admins: Admins,
    /// How long the last start took.
    pub ready_in: Duration,
    /// Records checked in the log.
    pub records: u64,
    /// Deliveries that were seen to have ended once.
    pub deliveries: u64,
    /// Changes that were counted once.
    pub changes: u64,
}

impl Arena {
    /// A running host with the plug-ins, and nobody known to it.
    pub fn new(mut dice: Dice) -> Arena {
        let mut arena = Arena::stopped(dice.split(), SETTINGS);
        arena.start();
        arena
    }

    /// The same with settings by chance.
    pub fn varied(mut dice: Dice) -> Arena {
        let mut settings = SETTINGS.to_vec();
        settings.extend(VARIED.iter().map(|(name, values)| (*name, *dice.one_of(values))));
        let mut arena = Arena::stopped(dice.split(), &settings);
        arena.start();
        arena
    }

    fn stopped(mut dice: Dice, settings: &[(&str, &str)]) -> Arena {
        let template = template();
        let world = World::stopped(settings, &template.token);
        files::copy(&template.data(), &world.data());
        let customer = |sender, number| Customer::new(format!("c{sender}{number}"), sender + number == 0);
        let senders = (0..SENDERS).map(|sender| {
            let customers = (0..CUSTOMERS).map(|number| customer(sender, number)).collect();
            Sender::new(customers, dice.split())
        });
        let senders = senders.collect();
        let (admins, ready_in) = (Admins::default(), Duration::ZERO);
        Arena { world, dice, senders, admins, ready_in, records: 0, deliveries: 0, changes: 0 }
    }

    /// Starts the host.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// Starts the host with more in its environment, in which it may end again at once.
    pub fn start_with(&mut self, environment: &[(&str, &str)]) -> bool {
        let started = Instant::now();
        self.world.launch(&[], environment);
        let ready = self.world.is_ready();
        assert!(ready || !environment.is_empty(), "no host:\n{}", self.world.log());
        self.ready_in = started.elapsed();
        ready
    }

    /// The load, with an admin at work, while `breaks` does something to the host.
    pub fn under_load(&mut self, chore: Chore, breaks: impl FnOnce(&mut World, &mut Dice)) {
        self.load(chore, u64::MAX, breaks);
    }

    /// The load until the host is gone or each sender has had so many answers.
    pub fn load(&mut self, chore: Chore, requests_max: u64, breaks: impl FnOnce(&mut World, &mut Dice)) {
        let Arena { world, dice, senders, admins, .. } = self;
        let caller = Caller::clone(world);
        std::thread::scope(|scope| {
            for sender in senders {
                let caller = caller.clone();
                scope.spawn(move || sender.send(&caller, requests_max));
            }
            scope.spawn(|| admins.try_to(chore, &caller));
            breaks(world, dice);
        });
    }

    /// After a start: nothing that was acknowledged is lost, and what was under way is sent again.
    pub fn make_sure(&mut self) {
        let Arena { world, senders, admins, .. } = self;
        let caller: &Caller = world;
        senders.iter_mut().for_each(|sender| sender.make_sure(caller));
        admins.make_sure(caller);
    }

    /// Events that were acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.senders.iter().map(|sender| sender.total).sum()
    }

    /// Waits until everything is decided, and compares every customer with what was said of it.
    pub fn check(&mut self) {
        let caller: &Caller = &self.world;
        until("the tally has caught up", || {
            (caller.get("/v1/capabilities/tally").of(200)["state"] == "active").then_some(())
        });
        caller.settle();
        let customers = self.senders.iter().flat_map(|sender| &sender.customers);
        for customer in customers.clone().filter(|customer| customer.sent() > 0) {
            check_customer(caller, customer);
        }
        let stuck: Vec<&Customer> =
            customers.filter(|customer| customer.stuck && customer.sent() > 0).collect();
        check_parked(caller, &stuck);
    }

    /// Has the admin give up the delivery that everything of the stuck customer waits for.
    pub fn unstick(&mut self) {
        let body = json!({"capability": "probe", "reason": "the check is over"});
        self.world.json("POST", "/v1/parked/skip", &body).of(202);
        for customer in self.senders.iter_mut().flat_map(|sender| &mut sender.customers) {
            customer.stuck = false;
        }
    }

    /// Stops the host as a service manager does, and checks what it left.
    pub fn stop_and_inspect(&mut self) {
        let counted = counted_changes(&self.world);
        assert!(self.world.stop().success(), "SIGTERM ends a host well");
        let history = History::of(&self.world.data());
        assert_eq!(counted, history.changes, "every change is counted once");
        self.changes = counted.values().sum();
        self.records += history.records;
        self.deliveries += history.ended();
        for customer in self.senders.iter().flat_map(|sender| &sender.customers) {
            let numbers = history.numbers.get(&customer.name).map_or(&[][..], Vec::as_slice);
            let all: Vec<u64> = (0..customer.sent()).collect();
            assert_eq!(numbers, all, "each event of {} is in the log once and in order", customer.name);
            for id in &customer.proposals {
                assert_eq!(history.others.get(id), Some(&1), "the proposal {id} is in the log once");
            }
        }
        let stuck = self.senders.iter().flat_map(|sender| &sender.customers).any(|customer| customer.stuck);
        assert!(stuck || history.waiting() == 0, "{} deliveries wait", history.waiting());
    }
}

/// How often each field changed, as the host counted over all its lives, once it has caught up.
fn counted_changes(caller: &Caller) -> BTreeMap<String, u64> {
    let status = until("the changes are counted", || {
        let status = caller.get("/v1/status").of(200);
        let follower = &status["followers"][0];
        (follower["lag_records"] == 0 && follower["state"] == "ok").then_some(status)
    });
    let follower = &status["followers"][0];
    assert_eq!((&follower["rebuilt"], &follower["missed"]["records"]), (&Value::Null, &json!(0)));
    let counts = status["field_changes"].as_object().expect("it counts").iter();
    let counts = counts.filter_map(|(field, count)| Some((field.clone(), count.as_u64()?)));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn check_customer(caller: &Caller, customer: &Customer) {
    let wanted = wanted(customer);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let profile = caller.profile(&customer.name);
        let found = found(&profile, customer);
        // What follows from a decision may still be on its way.
        if found == wanted || Instant::now() > deadline {
            assert_eq!(found, wanted, "{}: {profile:#}", customer.name);
            let first_name = profile["fields"]["first_name"].as_str();
            assert!(
                customer.first_name.allows(first_name),
                "{first_name:?} is no name {} can have now: {:?} {:?}",
                customer.name,
                customer.first_name.known,
                customer.first_name.perhaps
            );
            return;
        }
    }
}

/// What must be seen of a customer.
fn wanted(customer: &Customer) -> Value {
    let some = |count: u64| if count == 0 { Value::Null } else { json!(count) };
    let said = |speaker: &str| customer.cities.get(speaker).map_or(Value::Null, |city| json!(city));
    // Whatever waits behind the delivery that is parked hasn't been counted.
    let held = customer.stuck;
    json!({
        "count": if held { Value::Null } else { some(customer.counted) },
        "echo": if held { Value::Null } else { some(customer.echoed) },
        "tally": some(customer.tallied),
        "points": some(customer.points),
        "old": said(SPEAKERS[0]),
        "new": said(SPEAKERS[1]),
        "watcher": "heard of the newest city",
    })
}

/// What is seen of a customer.
fn found(profile: &Value, customer: &Customer) -> Value {
    let fields = &profile["fields"];
    let claim = |speaker: &str| {
        let claims = profile["claims"]["city"].as_array().into_iter().flatten();
        claims.filter(|claim| claim["by"] == speaker).map(|claim| claim["value"].clone()).next()
    };
    let heard = match fields["city"].as_str() {
        Some(city) => fields["probe.seen"] == format!("city={city}"),
        None => customer.cities.is_empty() || fields["probe.seen"].is_null(),
    };
    json!({
        "count": fields["probe.count"],
        "echo": fields["echo.count"],
        "tally": fields["tally.count"],
        "points": fields["loyalty.points"],
        "old": claim(SPEAKERS[0]),
        "new": claim(SPEAKERS[1]),
        "watcher": if heard { "heard of the newest city" } else { "heard of another city" },
    })
}

/// One delivery of each stuck customer is parked, and everything later of the probe is held.
fn check_parked(caller: &Caller, stuck: &[&Customer]) {
    let generation = caller.get("/v1/capabilities/probe").of(200)["generation"].clone();
    let parked = caller.get("/v1/parked?capability=probe&limit=1000").of(200);
    let items: Vec<&Value> = parked["items"].as_array().into_iter().flatten().collect();
    let of_now = items.iter().filter(|item| item["generation"] == generation);
    let states: Vec<&str> = of_now.filter_map(|item| item["state"].as_str()).collect();
    let waits = |state: &str| states.iter().filter(|found| **found == state).count() as u64;
    let wanted = (stuck.len() as u64, stuck.iter().map(|customer| customer.counted).sum::<u64>());
    assert_eq!((waits("parked"), waits("held")), wanted, "{parked:#}");
}
