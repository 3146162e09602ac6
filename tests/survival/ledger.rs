//! What one sender said of its customers, and what must have come of it.
//!
//! Everything with an id of its own is made sure of after a crash by sending it again, so in the end
//! every effect has happened exactly once. A `PATCH` has no id before it is answered: it may have
//! been taken or not when the host died.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::dice::Dice;

/// Orders of one customer, so few that loyalty knows every one by its id.
const ORDERS_MAX: u64 = 150;
/// Two systems that speak of a customer's city.
pub const SPEAKERS: [&str; 2] = ["old", "new"];

/// A customer of one sender.
pub struct Customer {
    pub name: String,
    /// Its first event fails, so that all later ones of the probe are held behind it.
    pub stuck: bool,
    /// Events sent.
    next: u64,
    /// Events that the probe counts.
    pub counted: u64,
    /// Events that the echo counts.
    pub echoed: u64,
    /// Events that the tally counts.
    pub tallied: u64,
    pub points: u64,
    orders: u64,
    /// What each system said last.
    pub cities: BTreeMap<&'static str, String>,
    /// The highest count that an answer told.
    pub shown: u64,
    pub first_name: Proposed,
    /// Ids of proposals that were acknowledged.
    pub proposals: Vec<String>,
}

/// A value that is proposed again and again.
#[derive(Default)]
pub struct Proposed {
    /// The last one that was acknowledged.
    pub known: Option<String>,
    /// Those since that were sent, perhaps in vain.
    pub perhaps: Vec<String>,
    number: u64,
}

impl Customer {
    pub fn new(name: String, stuck: bool) -> Customer {
        Customer {
            name,
            stuck,
            next: 0,
            counted: 0,
            echoed: 0,
            tallied: 0,
            points: 0,
            orders: 0,
            cities: BTreeMap::new(),
            shown: 0,
            first_name: Proposed::default(),
            proposals: Vec::new(),
        }
    }

    /// The customer's next event. It counts from now on: whoever sends it makes sure of it.
    pub fn event(&mut self, dice: &mut Dice) -> Value {
        let number = self.next;
        self.next += 1;
        let id = id(&self.name, number);
        let (name, properties) = if self.stuck && number == 0 {
            ("probe.asked", json!({"script": ["fail until an admin gives it up"]}))
        } else {
            self.said(dice, number)
        };
        json!({"id": id, "name": name, "identifiers": {"customer_id": self.name}, "properties": properties})
    }

    fn said(&mut self, dice: &mut Dice, number: u64) -> (&'static str, Value) {
        match dice.below(100) {
            0..35 => {
                self.counted += 1;
                ("probe.asked", json!({"script": ["add probe.count", format!("text probe.note n{number}")]}))
            }
            35..50 => {
                self.tallied += 1;
                ("tally.asked", json!({"script": ["add tally.count"]}))
            }
            50..65 => {
                self.counted += 1;
                self.echoed += 1;
                ("probe.asked", json!({"script": ["add probe.count", "emit echo.asked add echo.count"]}))
            }
            65..80 if self.orders < ORDERS_MAX => {
                let amount = dice.between(1, 40);
                self.orders += 1;
                self.points += amount;
                ("order.completed", json!({"order_id": id(&self.name, number), "amount": amount}))
            }
            at => {
                let speaker = SPEAKERS[(at % 2) as usize];
                let city = *dice.one_of(&["Oslo", "Bergen", "Tromsø", "Bodø"]);
                self.cities.insert(speaker, city.to_owned());
                let name = if speaker == "old" { "old.asked" } else { "new.asked" };
                (name, json!({"script": [format!("text city {city}")]}))
            }
        }
    }

    /// Events sent so far.
    pub fn sent(&self) -> u64 {
        self.next
    }
}

impl Proposed {
    /// The next value to propose.
    pub fn next(&mut self) -> String {
        self.number += 1;
        let value = format!("Anna {}", self.number);
        self.perhaps.push(value.clone());
        value
    }

    /// What was proposed last has been taken, and with it nothing before counts any more.
    pub fn acknowledged(&mut self) {
        self.known = self.perhaps.pop();
        self.perhaps.clear();
    }

    /// Whether this can be the value now.
    pub fn allows(&self, value: Option<&str>) -> bool {
        value == self.known.as_deref() || value.is_some_and(|value| self.perhaps.iter().any(|it| it == value))
    }
}

/// The id of a customer's event: its number in it, so that the log's order can be checked.
fn id(customer: &str, number: u64) -> String {
    format!("{customer}-{number:06}")
}

/// The customer and the number that an id was made of.
pub fn parse_id(id: &str) -> Option<(&str, u64)> {
    let (customer, number) = id.rsplit_once('-')?;
    Some((customer, number.parse().ok()?))
}
