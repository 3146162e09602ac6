//! The load: senders that post single events and batches, propose values and read, each for
//! customers of its own, until the host is gone.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::ledger::Customer;
use samsyn_harness::caller::{Answer, Caller};

const JSON: (&str, &str) = ("content-type", "application/json");
/// Events in one request when everything of a round is sent again.
const AGAIN_MAX: usize = 500;
/// The largest batch of the load.
const BATCH_MAX: u64 = 12;

/// One sender: what it says goes out one request after the other.
pub struct Sender {
    pub customers: Vec<Customer>,
    dice: Dice,
    /// Events acknowledged since they were last checked.
    acknowledged: Vec<Value>,
    /// Events of the request that was under way when the host died.
    perhaps: Vec<Value>,
    /// Events acknowledged ever.
    pub total: u64,
}

impl Sender {
    pub fn new(customers: Vec<Customer>, dice: Dice) -> Sender {
        Sender { customers, dice, acknowledged: Vec::new(), perhaps: Vec::new(), total: 0 }
    }

    /// Sends until the host is gone, or until it has answered so many requests.
    pub fn send(&mut self, caller: &Caller, requests_max: u64) {
        for _ in 0..requests_max {
            if self.request(caller).is_none() {
                return;
            }
        }
    }

    /// One request; none when the host is gone.
    fn request(&mut self, caller: &Caller) -> Option<()> {
        match self.dice.below(100) {
            0..40 => self.batch(caller),
            40..65 => self.single(caller),
            65..75 => self.awaited(caller),
            75..88 => self.propose(caller),
            _ => self.read(caller),
        }
    }

    fn customer(&mut self) -> usize {
        self.dice.below(self.customers.len() as u64) as usize
    }

    fn next_event(&mut self) -> Value {
        let customer = self.customer();
        self.customers[customer].event(&mut self.dice)
    }

    fn batch(&mut self, caller: &Caller) -> Option<()> {
        let events: Vec<Value> = (0..self.dice.between(2, BATCH_MAX)).map(|_| self.next_event()).collect();
        self.perhaps.clone_from(&events);
        let answer = self.post(caller, &json!({ "events": events }), &[JSON])?.of(202);
        assert_eq!(answer["refused"], 0, "{answer}");
        self.acknowledge();
        Some(())
    }

    fn single(&mut self, caller: &Caller) -> Option<()> {
        let event = self.next_event();
        self.perhaps = vec![event.clone()];
        self.post(caller, &event, &[JSON])?.of(202);
        self.acknowledge();
        Some(())
    }

    /// Waits for the decision: what was told of it must be there after a crash.
    fn awaited(&mut self, caller: &Caller) -> Option<()> {
        let index = self.customer();
        let event = self.customers[index].event(&mut self.dice);
        self.perhaps = vec![event.clone()];
        let answer = self.post(caller, &event, &[JSON, ("prefer", "wait=5")])?;
        assert!(matches!(answer.status, 200 | 202), "{answer:#?}");
        self.acknowledge();
        let answer = answer.json();
        let outcomes = answer["outcomes"].as_array().into_iter().flatten();
        let claims = outcomes.filter_map(|outcome| outcome["claims"].as_array()).flatten();
        let counts = claims.filter(|claim| claim["field"] == "probe.count");
        let shown = counts.filter_map(|claim| claim["value"].as_u64()).max();
        let customer = &mut self.customers[index];
        customer.shown = customer.shown.max(shown.unwrap_or(0));
        Some(())
    }

    /// A proposal, which has no id before it is answered.
    fn propose(&mut self, caller: &Caller) -> Option<()> {
        let index = self.customer();
        let customer = &mut self.customers[index];
        if customer.sent() == 0 {
            return Some(());
        }
        let body = json!({"fields": {"first_name": customer.first_name.next()}}).to_string();
        let path = format!("/v1/profiles/customer_id:{}", customer.name);
        let answer = caller.try_send("PATCH", &path, &[JSON], body.as_bytes()).ok()?;
        let answer = answer.of(202);
        customer.first_name.acknowledged();
        let id = answer["id"].as_str().expect("a proposal's event has an id");
        customer.proposals.push(id.to_owned());
        Some(())
    }

    fn read(&mut self, caller: &Caller) -> Option<()> {
        let index = self.customer();
        let customer = &self.customers[index];
        if customer.sent() == 0 {
            return Some(());
        }
        let path = format!("/v1/profiles/customer_id:{}", customer.name);
        let answer = caller.try_send("GET", &path, &[], b"").ok()?;
        answer.of(200);
        Some(())
    }

    fn post(&self, caller: &Caller, body: &Value, headers: &[(&str, &str)]) -> Option<Answer> {
        caller.try_send("POST", "/v1/events", headers, body.to_string().as_bytes()).ok()
    }

    fn acknowledge(&mut self) {
        self.total += self.perhaps.len() as u64;
        self.acknowledged.append(&mut self.perhaps);
    }

    /// After a start: what was told is still so, every acknowledged event is known, and what was
    /// under way is sent again.
    pub fn make_sure(&mut self, caller: &Caller) {
        for customer in self.customers.iter().filter(|customer| customer.shown > 0) {
            let profile = caller.get(&format!("/v1/profiles/customer_id:{}", customer.name));
            let count = profile.json()["fields"]["probe.count"].as_u64().unwrap_or(0);
            assert!(
                count >= customer.shown,
                "an answer told {} of {}, and after the start it is {count}",
                customer.shown,
                customer.name
            );
        }
        for events in self.acknowledged.chunks(AGAIN_MAX) {
            let answer = caller.json("POST", "/v1/events", &json!({ "events": events })).of(202);
            for event in answer["events"].as_array().into_iter().flatten() {
                assert_eq!(event["duplicate"], true, "an acknowledged event is lost: {event}");
            }
        }
        self.acknowledged.clear();
        if !self.perhaps.is_empty() {
            let answer = caller.json("POST", "/v1/events", &json!({ "events": self.perhaps })).of(202);
            assert_eq!(answer["refused"], 0, "{answer}");
            self.acknowledge();
            self.acknowledged.clear();
        }
    }
}
