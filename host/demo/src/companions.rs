//! The purchases' invented companions: who the customers are, and what mail, text messages and the
//! shop's counter add to their story.
//!
//! The purchases are real and name nobody. Everything here is invented from a seed and says so:
//! event ids begin with `synthetic:` and a property `synthetic` is true. The same seed and the same
//! purchases give the same events.

mod chance;
mod people;
mod places;

use serde_json::{Map, Value, json};

use self::chance::Chance;
use self::people::{Flaw, NumberBook, Person};
use super::script::{Script, Seconds, Sender};

const MINUTE: Seconds = 60;
const HOUR: Seconds = 60 * MINUTE;
const DAY: Seconds = 24 * HOUR;

// How often things happen, in a thousand. Mail and complaint rates are those of an ordinary shop;
// the rest is chosen so that each case can be found in a demo of 2,000 purchases.
const REGISTERS: u64 = 850;
const MENDS_A_FLAW: u64 = 600;
const CHANGES_EMAIL: u64 = 50;
const MOVES: u64 = 20;
const OPTS_OUT_ON_THE_SITE: u64 = 10;
const OPTS_IN_ON_THE_SITE: u64 = 5;
const GETS_MAIL_FOR_A_PURCHASE: u64 = 300;
const BOUNCES_HARD: u64 = 15;
const BOUNCES_SOFT: u64 = 30;
const OPENS: u64 = 450;
const OPENED_BY_A_MACHINE: u64 = 200;
const CLICKS_WHAT_IS_OPEN: u64 = 300;
const COMPLAINS: u64 = 6;
const TEXTS_AFTER_A_PURCHASE: u64 = 100;
const STARTS_AGAIN: u64 = 300;
const REFUNDED_WHOLE: u64 = 20;
const REFUNDED_HALF: u64 = 10;
const REFUNDED_IN_ANOTHER_CURRENCY: u64 = 2;
const CANCELLED: u64 = 10;
const REDEEMS: u64 = 40;

/// What customers write: so many of a thousand messages, and which.
const MESSAGES: [(u64, &[&str]); 4] = [
    (620, &["Thanks!", "Tack så mycket!", "ok", "Got it, thank you", "Yes please", "Merci", "👍"]),
    (
        150,
        &["STOP", "stop", "Stopp!", "SLUTA", "Avsluta tack", "unsubscribe", "S T O P", "Stop please, thanks"],
    ),
    (
        100,
        &[
            "When does the sale end? I work until six",
            "I can't stop playing this one, more please!",
            "Can I cancel my last order?",
        ],
    ),
    (130, &["Do you have it on vinyl?", "Where is my parcel", "Which store is open on Sunday?"]),
];
/// What ends an opt-out.
const START_MESSAGES: [&str; 3] = ["START", "Unstop", "starta"];

/// What loyalty members spend at once, in points.
const REDEEMED_POINTS: i64 = 50;
/// Nobody redeems before having spent this much, in cents: a point is a unit of currency.
const REDEEMS_FROM_CENTS: i64 = 10_000;

/// How many customers and events of each kind are remembered for the summary to choose from.
const CAST_MAX: usize = 40;

/// A customer of the data and what they bought.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Their id in the data.
    pub id: String,
    /// In order of time.
    pub purchases: Vec<Purchase>,
}

/// A purchase, as far as its companions need it.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// When.
    pub at: Seconds,
    /// The order.
    pub order_id: String,
    /// What it cost, in cents.
    pub cents: i64,
}

/// Where the summary will find what it shows. The host decides whether it is really so.
#[derive(Debug, Default)]
pub struct Cast {
    /// Customers with a bit of everything.
    pub stars: Vec<String>,
    /// Customers whose number is from another country.
    pub divided: Vec<String>,
    /// Events of the web site of which something will be refused.
    pub refused: Vec<Doubtful>,
}

/// An event that proposes something a source won't take.
#[derive(Debug, Clone)]
pub struct Doubtful {
    /// The event's id.
    pub id: String,
    /// Whose it is.
    pub customer_id: String,
    /// Field and proposed value.
    pub proposes: Value,
}

/// Adds everything that is invented to the script.
pub fn invent(seed: u64, customers: &[Customer], script: &mut Script) -> Cast {
    let mut cast = Cast::default();
    let mut numbers = NumberBook::default();
    for customer in customers.iter().filter(|customer| !customer.purchases.is_empty()) {
        let mut chance = Chance::new(seed, &customer.id);
        let person = Person::invent(&customer.id, &mut chance, &mut numbers);
        let mut story = Story { seed, customer, person, chance, script, numbered: 0 };
        story.tell(&mut cast);
    }
    cast
}

/// One customer's story while it is told.
struct Story<'a> {
    seed: u64,
    customer: &'a Customer,
    person: Person,
    chance: Chance,
    script: &'a mut Script,
    numbered: u32,
}

/// An address and since when it is the customer's.
type Mailbox = (Seconds, String);

impl Story<'_> {
    fn tell(&mut self, cast: &mut Cast) {
        let mut mailboxes = Vec::new();
        let registered = self.chance.per_mille(REGISTERS);
        if registered {
            mailboxes = self.register(cast);
        }
        let engaged = self.mail(&mailboxes);
        let reachable = registered && self.person.phone.is_some() && self.person.flaw.is_none();
        let texts = if reachable { self.text_messages() } else { 0 };
        self.counter();
        let customer = &self.customer.id;
        if reachable && self.person.phone.as_ref().is_some_and(|phone| phone.elsewhere) {
            remember(&mut cast.divided, customer.clone());
        }
        if engaged && texts > 0 && self.customer.purchases.len() > 2 {
            remember(&mut cast.stars, customer.clone());
        }
    }

    /// Writes an event down and returns its id.
    fn add(&mut self, at: Seconds, sender: Sender, name: &str, properties: Value, proposes: Value) -> String {
        self.numbered += 1;
        let id = format!("synthetic:{}:{}:{}", self.seed, self.customer.id, self.numbered);
        let mut labelled = Map::new();
        labelled.insert("synthetic".to_owned(), Value::Bool(true));
        if let Value::Object(properties) = properties {
            labelled.extend(properties);
        }
        let moment = jiff::Timestamp::from_second(at).unwrap_or_default();
        let mut event = json!({
            "id": id, "name": name, "at": moment.to_string(),
            "identifiers": { "customer_id": self.customer.id }, "properties": labelled,
        });
        if !proposes.is_null() {
            event["proposes"] = proposes;
        }
        self.script.add(at, sender, &event);
        id
    }

    /// Registration and what the customer changes later. Returns which address was theirs when.
    fn register(&mut self, cast: &mut Cast) -> Vec<Mailbox> {
        let first_purchase = self.customer.purchases.first().map_or(0, |purchase| purchase.at);
        let at = first_purchase - self.chance.between(5 * MINUTE, 6 * HOUR);
        let form = self.person.form(&mut self.chance);
        let form_name = json!({ "form": "registration" });
        let form = proposals(form);
        let id = self.add(at, Sender::Web, "customer.registered", form_name, form.clone());
        let mut mailboxes = Vec::new();
        if self.person.flaw != Some(Flaw::BadEmail) {
            mailboxes.push((at, self.person.email.1.clone()));
        }
        if let Some(flaw) = self.person.flaw {
            if flaw.refused_field().is_some() {
                self.doubt(cast, id, form);
            }
            if self.chance.per_mille(MENDS_A_FLAW) {
                let at = at + self.chance.between(10 * MINUTE, 20 * DAY);
                let mended = proposals(self.person.mended(flaw));
                self.add(at, Sender::Web, "customer.updated", json!({ "form": "account" }), mended);
                if flaw == Flaw::BadEmail {
                    mailboxes.push((at, self.person.email.1.clone()));
                }
            }
        }
        self.change_account(at, cast, &mut mailboxes);
        mailboxes
    }

    fn change_account(&mut self, registered: Seconds, cast: &mut Cast, mailboxes: &mut Vec<Mailbox>) {
        let account = || json!({ "form": "account" });
        if self.chance.per_mille(CHANGES_EMAIL) {
            let at = registered + self.chance.between(30 * DAY, 300 * DAY);
            let (typed, kept) = self.person.other_email(&self.customer.id, &mut self.chance);
            self.add(at, Sender::Web, "customer.updated", account(), json!({ "email": typed }));
            mailboxes.push((at, kept));
        }
        if self.chance.per_mille(MOVES) {
            let at = registered + self.chance.between(30 * DAY, 400 * DAY);
            let country = self.chance.pick(&["Ireland", "MX", "Spanien", "Japan", "Nederländerna"]);
            self.add(at, Sender::Web, "customer.updated", account(), json!({ "country": country }));
        }
        if self.chance.per_mille(OPTS_OUT_ON_THE_SITE) {
            let at = registered + self.chance.between(DAY, 200 * DAY);
            self.add(at, Sender::Web, "preferences.saved", json!({}), json!({ "sms.opted_out": true }));
        } else if self.chance.per_mille(OPTS_IN_ON_THE_SITE) {
            // Only a text message may end an opt-out: the page that offers it is wrong.
            let at = registered + self.chance.between(DAY, 200 * DAY);
            let wish = json!({ "sms.opted_out": false });
            let id = self.add(at, Sender::Web, "preferences.saved", json!({}), wish.clone());
            self.doubt(cast, id, wish);
        }
    }

    fn doubt(&self, cast: &mut Cast, id: String, proposes: Value) {
        remember(&mut cast.refused, Doubtful { id, customer_id: self.customer.id.clone(), proposes });
    }

    /// What the mail service reports. Returns whether the customer engages.
    fn mail(&mut self, mailboxes: &[Mailbox]) -> bool {
        let customer = self.customer;
        let mut engaged = false;
        for purchase in &customer.purchases {
            if !self.chance.per_mille(GETS_MAIL_FOR_A_PURCHASE) {
                continue;
            }
            let at = purchase.at + self.chance.between(10 * MINUTE, 10 * HOUR);
            let current = mailboxes.iter().filter(|(since, _)| *since < at).max_by_key(|(since, _)| *since);
            let Some((_, address)) = current else { continue };
            let message = format!("confirmation-{}", purchase.order_id);
            let of = |more: Value| {
                let mut properties = json!({ "address": address, "message_id": message });
                if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
                    properties.extend(more);
                }
                properties
            };
            if self.chance.per_mille(BOUNCES_HARD) {
                self.add(
                    at,
                    Sender::MailGateway,
                    "email.bounced",
                    of(json!({ "bounce": "hard" })),
                    Value::Null,
                );
                // The service sends nothing more to such an address.
                return engaged;
            }
            if self.chance.per_mille(BOUNCES_SOFT) {
                self.add(
                    at,
                    Sender::MailGateway,
                    "email.bounced",
                    of(json!({ "bounce": "soft" })),
                    Value::Null,
                );
                continue;
            }
            self.add(at, Sender::MailGateway, "email.delivered", of(Value::Null), Value::Null);
            if self.chance.per_mille(COMPLAINS) {
                let at = at + self.chance.between(MINUTE, 2 * DAY);
                self.add(at, Sender::MailGateway, "email.complained", of(Value::Null), Value::Null);
                return engaged;
            }
            if !self.chance.per_mille(OPENS) {
                continue;
            }
            let at = at + self.chance.between(MINUTE, 2 * DAY);
            let machine = self.chance.per_mille(OPENED_BY_A_MACHINE);
            self.add(at, Sender::MailGateway, "email.opened", of(json!({ "machine": machine })), Value::Null);
            if !machine && self.chance.per_mille(CLICKS_WHAT_IS_OPEN) {
                engaged = true;
                let at = at + self.chance.between(5, 10 * MINUTE);
                self.add(
                    at,
                    Sender::MailGateway,
                    "email.clicked",
                    of(json!({ "link": "/account/orders" })),
                    Value::Null,
                );
            }
        }
        engaged
    }

    /// What the customer answers to text messages. Returns how many there were.
    fn text_messages(&mut self) -> u32 {
        let customer = self.customer;
        let mut count = 0;
        for purchase in &customer.purchases {
            if !self.chance.per_mille(TEXTS_AFTER_A_PURCHASE) {
                continue;
            }
            count += 1;
            let at = purchase.at + self.chance.between(30 * MINUTE, 5 * DAY);
            let (text, is_stop) = self.message();
            self.add(at, Sender::SmsGateway, "sms.received", json!({ "text": text }), Value::Null);
            if is_stop {
                if self.chance.per_mille(STARTS_AGAIN) {
                    let at = at + self.chance.between(DAY, 60 * DAY);
                    let text = self.chance.pick(&START_MESSAGES);
                    self.add(at, Sender::SmsGateway, "sms.received", json!({ "text": text }), Value::Null);
                }
                // A customer who said stop gets no message, and has nothing to answer.
                return count;
            }
        }
        count
    }

    /// A message, and whether it is a stop.
    fn message(&mut self) -> (&'static str, bool) {
        let mut at = self.chance.below(MESSAGES.iter().map(|(rate, _)| rate).sum());
        for (kind, (rate, texts)) in MESSAGES.iter().enumerate() {
            if at < *rate {
                return (self.chance.pick(texts), kind == 1);
            }
            at -= rate;
        }
        (START_MESSAGES[0], false)
    }

    /// Refunds, cancellations and redemptions.
    fn counter(&mut self) {
        let customer = self.customer;
        let mut spent = 0;
        for purchase in &customer.purchases {
            spent += purchase.cents;
            let order = json!({ "order_id": purchase.order_id });
            if self.chance.per_mille(CANCELLED) {
                let at = purchase.at + self.chance.between(MINUTE, HOUR);
                self.add(at, Sender::Shop, "order.cancelled", order, Value::Null);
                continue;
            }
            let refund = self.refund(purchase);
            if let Some(properties) = refund {
                let at = purchase.at + self.chance.between(2 * DAY, 40 * DAY);
                self.add(at, Sender::Shop, "order.refunded", properties, Value::Null);
            }
            if spent >= REDEEMS_FROM_CENTS && self.chance.per_mille(REDEEMS) {
                let at = purchase.at + self.chance.between(HOUR, 20 * DAY);
                let redeemed =
                    json!({ "points": REDEEMED_POINTS, "redemption_id": format!("R-{}", purchase.order_id) });
                self.add(at, Sender::Shop, "loyalty.redeemed", redeemed, Value::Null);
            }
        }
    }

    fn refund(&mut self, purchase: &Purchase) -> Option<Value> {
        let half = purchase.cents / 2;
        let amount = format!("{}.{:02}", half / 100, half % 100);
        let with = |currency: &str| {
            json!({
                "order_id": purchase.order_id, "refund_id": format!("F-{}", purchase.order_id),
                "amount": amount, "currency": currency,
            })
        };
        if self.chance.per_mille(REFUNDED_WHOLE) {
            Some(json!({ "order_id": purchase.order_id }))
        } else if half > 0 && self.chance.per_mille(REFUNDED_HALF) {
            Some(with("USD"))
        } else if half > 0 && self.chance.per_mille(REFUNDED_IN_ANOTHER_CURRENCY) {
            // The points are in dollars; a mistake of the shop that loyalty refuses.
            Some(with("SEK"))
        } else {
            None
        }
    }
}

fn proposals(form: Vec<(&'static str, String)>) -> Value {
    form.into_iter()
        .map(|(field, text)| (field.to_owned(), Value::String(text)))
        .collect::<Map<_, _>>()
        .into()
}

fn remember<T>(list: &mut Vec<T>, item: T) {
    if list.len() < CAST_MAX {
        list.push(item);
    }
}

#[cfg(test)]
mod tests;
