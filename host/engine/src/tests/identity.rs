//! Whose an event is: identifiers that find, join, conflict and become free again.

use super::*;
use samsyn_journal::Conflict;

/// An event that carries these identifiers, in this order.
pub(crate) fn identified(name: &str, identifiers: &[(&str, &str)]) -> NewEvent {
    let identifiers = identifiers.iter().map(|(name, value)| Identifier {
        name: IdentifierName::new(name).expect("an identifier's name"),
        value: (*value).to_owned(),
    });
    NewEvent { identifiers: identifiers.collect(), ..new_event("", name) }
}

impl Bench {
    fn seen(&self, identifiers: &[(&str, &str)]) -> Acceptance {
        self.engine.accepting().accept(identified("page.seen", identifiers)).expect("it is taken")
    }

    fn found(&self, name: &str, value: &str) -> Option<ProfileId> {
        let name = IdentifierName::new(name).expect("an identifier's name");
        self.engine.query().resolve(&name, value).expect("it can be looked up")
    }

    /// What a profile goes by, as `name=value`, in order.
    fn names_of(&self, profile: ProfileId) -> Vec<String> {
        let read = self.engine.query().profile(profile).expect("it can be read").expect("it is there");
        let names = read.state.identifiers.iter();
        let mut names: Vec<String> =
            names.map(|identifier| format!("{}={}", identifier.name, identifier.value)).collect();
        names.sort();
        names
    }

    fn conflicts_of(&self, acceptance: &Acceptance) -> Vec<Conflict> {
        self.decisions(acceptance).into_iter().flat_map(|decided| decided.conflicts).collect()
    }
}

/// Events one after the other, each with its identifiers and the customer it is of; and what each
/// customer goes by in the end.
pub(super) type Story = (&'static str, &'static [(&'static [(&'static str, &'static str)], char)]);

pub(super) const STORIES: &[Story] = &[
    (
        "a family shares an e-mail address",
        &[
            (&[("customer_id", "F1"), ("email", "fam@example.com")], 'a'),
            (&[("customer_id", "F2"), ("email", "fam@example.com")], 'b'),
            (&[("customer_id", "F2"), ("email", "FAM@example.com")], 'b'),
            (&[("email", "fam@example.com")], 'a'),
            (&[("customer_id", "F1")], 'a'),
        ],
    ),
    (
        "two users share a device",
        &[
            (&[("anonymous_id", "A"), ("user_id", "B")], 'a'),
            (&[("anonymous_id", "A"), ("user_id", "C")], 'b'),
            (&[("anonymous_id", "A")], 'a'),
            (&[("user_id", "C"), ("anonymous_id", "A")], 'b'),
        ],
    ),
    (
        "an anonymous visitor logs in, and somebody else on the same device afterwards",
        &[
            (&[("anonymous_id", "A")], 'a'),
            (&[("anonymous_id", "A"), ("user_id", "B")], 'a'),
            (&[("user_id", "B")], 'a'),
            (&[("anonymous_id", "A"), ("user_id", "C")], 'b'),
        ],
    ),
    (
        "a profile without an identifier of the stronger kind is joined",
        &[
            (&[("email", "anna@example.com")], 'a'),
            (&[("customer_id", "1"), ("email", "anna@example.com")], 'a'),
            (&[("customer_id", "1"), ("user_id", "u1")], 'a'),
            (&[("user_id", "u1")], 'a'),
        ],
    ),
    (
        "the address of somebody else doesn't join, the device of nobody does",
        &[
            (&[("customer_id", "1"), ("email", "fam@example.com")], 'a'),
            (&[("anonymous_id", "A")], 'b'),
            (&[("customer_id", "2"), ("email", "fam@example.com"), ("anonymous_id", "A")], 'b'),
            (&[("customer_id", "2")], 'b'),
        ],
    ),
    (
        "a changed address, a second card and a lent device stay with the customer",
        &[
            (&[("customer_id", "1"), ("email", "old@example.com")], 'a'),
            (&[("customer_id", "1"), ("email", "new@example.com")], 'a'),
            (&[("email", "new@example.com")], 'a'),
            (&[("email", "old@example.com")], 'a'),
            (&[("customer_id", "2"), ("anonymous_id", "A")], 'b'),
            (&[("customer_id", "1"), ("anonymous_id", "A")], 'a'),
        ],
    ),
    (
        "a stronger kind between the two counts as well",
        &[
            (&[("user_id", "u1"), ("email", "fam@example.com")], 'a'),
            (&[("customer_id", "9"), ("user_id", "u2"), ("email", "fam@example.com")], 'b'),
            (&[("customer_id", "9")], 'b'),
            (&[("user_id", "u2")], 'b'),
        ],
    ),
];

/// Plays a story and looks whose each event is; `between` is called after each.
fn play((what, events): &Story, bench: &mut Bench, suffix: &str, between: impl Fn(&mut Bench)) {
    let mut customers: std::collections::BTreeMap<char, ProfileId> = std::collections::BTreeMap::new();
    for (number, (identifiers, customer)) in events.iter().enumerate() {
        // Stories share a host, so each has values of its own.
        let own: Vec<(&str, String)> = identifiers
            .iter()
            .map(|(name, value)| match value.split_once('@') {
                Some((local, domain)) => (*name, format!("{local}{suffix}@{domain}")),
                None => (*name, format!("{value}{suffix}")),
            })
            .collect();
        let own: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let profile = bench.seen(&own).profile;
        let expected = *customers.entry(*customer).or_insert(profile);
        assert_eq!(profile, expected, "{what}: event {number} is {customer}'s");
        between(bench);
    }
    let distinct: std::collections::BTreeSet<&ProfileId> = customers.values().collect();
    assert_eq!(distinct.len(), customers.len(), "{what}: nobody is mixed up");
    bench.settle();
    for profile in customers.values() {
        let names = bench.names_of(*profile);
        for name in &names {
            let (name, value) = name.split_once('=').expect("name=value");
            assert_eq!(bench.found(name, value), Some(*profile), "{what}: it lists only its own: {names:?}");
        }
    }
}

#[test]
fn a_stranger_is_not_joined_through_a_weaker_identifier_whether_or_not_it_is_decided() {
    let mut bench = Bench::new();
    for (number, story) in STORIES.iter().enumerate() {
        play(story, &mut bench, &format!("-{number}"), |_| {});
        play(story, &mut bench, &format!("-{number}-settled"), |bench| bench.settle());
        play(story, &mut bench, &format!("-{number}-restarted"), Bench::restart);
    }
}

#[test]
fn what_belongs_to_somebody_else_is_a_recorded_conflict() {
    let bench = Bench::new();
    let first = bench.seen(&[("customer_id", "F1"), ("email", "fam@example.com")]);
    let second = bench.seen(&[("customer_id", "F2"), ("email", "fam@example.com")]);
    bench.settle();
    assert_eq!(bench.names_of(first.profile), ["customer_id=F1", "email=fam@example.com"]);
    assert_eq!(bench.names_of(second.profile), ["customer_id=F2"]);
    let conflicts = bench.conflicts_of(&second);
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].belongs_to, first.profile);
    assert_eq!(conflicts[0].identifier.value, "fam@example.com");
}

/// A plug-in that sources a phone number, by which customers are found.
pub(super) const CRM: &str = "[sources]\nphone = { type = \"text\", identifies = \"phone\" }\n";
const PHONE: &str = "+46701234567";
const OTHER_PHONE: &str = "+46701234568";

#[test]
fn who_shows_a_freed_value_gets_it() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    // One after the other: customers of two partitions are decided at the same time.
    let [first, second, third] = ["c1", "c2", "c3"].map(|customer| {
        let profile = bench.propose(customer, &[("phone", text(PHONE))]).profile;
        bench.settle();
        profile
    });
    assert_eq!(bench.found("phone", PHONE), Some(first));
    bench.propose("c1", &[("phone", text(OTHER_PHONE))]);
    bench.settle();
    assert_eq!(bench.found("phone", PHONE), Some(second));
    assert_eq!(bench.seen(&[("phone", PHONE)]).profile, second, "no phantom");
    // The one behind it in the line is next, and whoever left the line isn't.
    bench.propose("c2", &[("phone", None)]);
    bench.settle();
    assert_eq!(bench.found("phone", PHONE), Some(third));
    bench.propose("c3", &[("phone", text("+46701234569"))]);
    bench.settle();
    assert_eq!(bench.found("phone", PHONE), None);
    assert_eq!(bench.found("phone", OTHER_PHONE), Some(first));
}

#[test]
fn who_left_the_line_gets_nothing() {
    let mut bench = Bench::new();
    bench.install("crm", CRM);
    for customer in ["c1", "c2", "c3", "c4"] {
        bench.propose(customer, &[("phone", text(PHONE))]);
        bench.settle();
    }
    bench.propose("c2", &[("phone", text(OTHER_PHONE))]);
    bench.settle();
    bench.restart();
    bench.propose("c1", &[("phone", None)]);
    bench.settle();
    let holder = bench.found("phone", PHONE).expect("somebody shows it");
    let shows = ["c3", "c4"].map(|customer| bench.found("customer_id", customer).expect("it is known"));
    assert!(shows.contains(&holder));
    bench.restart();
    assert_eq!(bench.found("phone", PHONE), Some(holder));
}

#[test]
fn an_equal_proposal_links_what_is_not_linked() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    // A number that becomes an identifier only after it is known: nothing is linked by it.
    let plain = "[sources]\n\"phone.work\" = { type = \"text\" }\n";
    bench.install("desk", plain);
    let work = "+46701234570";
    let owner = bench.propose("c1", &[("phone.work", text(work))]).profile;
    bench.settle();
    let mut identifying = samsyn_registry::Field::of(Type::Text);
    identifying.identifies = Some(IdentifierName::new("phone").expect("an identifier's name"));
    identifying.source = Some(capability("desk"));
    bench.change(RegistryChange::FieldDefined { name: field("phone.work"), field: identifying });
    bench.settle();
    assert_eq!(bench.found("phone", work), None);
    bench.propose("c1", &[("phone.work", text(work))]);
    bench.settle();
    assert_eq!(bench.found("phone", work), Some(owner));
}

#[test]
fn a_value_that_another_field_shows_as_well_is_not_free() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    bench.install("desk", "[sources]\n\"phone.work\" = { type = \"text\", identifies = \"phone\" }\n");
    let owner =
        bench.propose("c1", &[("phone", text(PHONE)), ("phone.work", text("tel:+46-70-123-45-67"))]).profile;
    bench.settle();
    bench.propose("c2", &[("phone", text(PHONE))]);
    bench.settle();
    bench.propose("c1", &[("phone", None)]);
    bench.settle();
    assert_eq!(bench.found("phone", PHONE), Some(owner));
    let second = bench.propose("c1", &[("phone.work", text(OTHER_PHONE))]).profile;
    bench.settle();
    assert_ne!(bench.found("phone", PHONE), Some(second), "now it is the next one's");
    assert_eq!(bench.found("phone", PHONE), bench.found("customer_id", "c2"));
}

#[test]
fn a_profile_lists_what_finds_it_and_nothing_else() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    let [first, second] = ["c1", "c2"].map(|customer| {
        let profile = bench.propose(customer, &[("phone", text(PHONE))]).profile;
        bench.settle();
        profile
    });
    assert_eq!(bench.names_of(first), ["customer_id=c1".to_owned(), format!("phone={PHONE}")]);
    assert_eq!(bench.names_of(second), ["customer_id=c2"]);
    // It becomes its own with its next record.
    bench.propose("c1", &[("phone", None)]);
    bench.settle();
    bench.seen(&[("customer_id", "c2")]);
    bench.settle();
    assert_eq!(bench.names_of(second), ["customer_id=c2".to_owned(), format!("phone={PHONE}")]);
    assert_eq!(bench.names_of(first), ["customer_id=c1"]);
}

/// Hears events about a phone number for everybody who shows it.
const SMS: &str = "shared_events = [\"probe.stopped\"]\n\
    [subscribes.\"probe.stopped\"]\nscript = { type = \"texts\" }\n\
    [subscribes.\"probe.asked\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"sms.opted_out\" = { type = \"boolean\", protective = true }\n\
    \"sms.heard\" = { type = \"integer\" }\n\"sms.note\" = { type = \"text\" }\n";

fn stopped(bench: &Bench, id: &str, identifiers: &[(&str, &str)]) -> Acceptance {
    let script = r#"["boolean sms.opted_out true", "add sms.heard"]"#;
    let property = Property { name: "script".to_owned(), value: Value::Json(script.to_owned()) };
    let event = NewEvent {
        id: Some(id.to_owned()),
        properties: vec![property],
        ..identified("probe.stopped", identifiers)
    };
    bench.engine.accepting().accept(event).expect("it is taken")
}

#[test]
fn an_event_about_a_shared_number_reaches_everybody_who_shows_it_once() {
    let mut bench = Bench::new();
    bench.install("crm", CRM);
    bench.install("sms", SMS);
    // It hears what it is told of a number alone; another plug-in hears of the first customer only.
    bench.install(
        "other",
        "[subscribes.\"probe.stopped\"]\n[sources]\n\"probe.seen\" = { type = \"text\" }\n",
    );
    for customer in ["c1", "c2", "c3", "stranger"] {
        let phone = if customer == "stranger" { OTHER_PHONE } else { PHONE };
        bench.propose(customer, &[("phone", text(phone))]);
        bench.settle();
    }
    let first = stopped(&bench, "S1", &[("phone", PHONE)]);
    let again = stopped(&bench, "S1", &[("phone", PHONE)]);
    assert!(!first.duplicate && again.duplicate);
    bench.settle();
    bench.restart();
    assert!(stopped(&bench, "S1", &[("phone", PHONE)]).duplicate);
    bench.settle();
    for customer in ["c1", "c2", "c3"] {
        assert_eq!(bench.value(customer, "sms.opted_out"), Some(Value::Boolean(true)), "{customer}");
        assert_eq!(bench.value(customer, "sms.heard"), Some(Value::Integer(1)), "{customer}");
    }
    assert_eq!(bench.value("stranger", "sms.opted_out"), None);
    // Named by its owner's number or by a stronger name: everybody who shows the number all the same.
    stopped(&bench, "S2", &[("customer_id", "c2"), ("phone", PHONE)]);
    bench.settle();
    for customer in ["c1", "c2", "c3"] {
        assert_eq!(bench.value(customer, "sms.heard"), Some(Value::Integer(2)), "{customer}");
    }
    // An event that is about a customer, not about a number, is one customer's.
    let asked = NewEvent {
        properties: scripted("", &["add sms.heard"]).properties,
        ..identified("probe.asked", &[("customer_id", "c1")])
    };
    bench.engine.accepting().accept(asked).expect("it is taken");
    bench.settle();
    assert_eq!(bench.value("c2", "sms.heard"), Some(Value::Integer(2)));
    let elsewhere =
        bench.profile("c2").state.capabilities.iter().any(|own| own.capability.as_str() == "other");
    assert!(!elsewhere, "who didn't ask for shared events hears of them once");
}

#[test]
fn a_stop_reaches_who_only_came_by_the_number_too() {
    let bench = Bench::new();
    bench.install("sms", SMS);
    bench.seen(&[("customer_id", "c1"), ("phone", PHONE)]);
    bench.seen(&[("customer_id", "c2"), ("phone", PHONE)]);
    stopped(&bench, "S1", &[("phone", PHONE)]);
    bench.settle();
    for customer in ["c1", "c2"] {
        assert_eq!(bench.value(customer, "sms.opted_out"), Some(Value::Boolean(true)), "{customer}");
    }
}

#[test]
fn copies_take_no_ids_and_nobody_consents_for_somebody_else() {
    let bench = Bench::new();
    bench.install("sms", SMS);
    for customer in ["c1", "c2"] {
        bench.seen(&[("customer_id", customer), ("phone", PHONE), ("anonymous_id", "kiosk")]);
        bench.settle();
    }
    bench.seen(&[("customer_id", "c3"), ("anonymous_id", "kiosk")]);
    stopped(&bench, "S1", &[("phone", PHONE), ("anonymous_id", "kiosk")]);
    bench.settle();
    for number in ["S1#1", "S1#2"] {
        let event =
            NewEvent { id: Some(number.to_owned()), ..identified("page.seen", &[("customer_id", "c9")]) };
        assert!(!bench.engine.accepting().accept(event).expect("it is taken").duplicate, "{number}");
    }
    bench.settle();
    assert_eq!(bench.value("c3", "sms.heard"), None, "a device is nothing that is written to");
    let script = r#"["boolean sms.opted_out false"]"#;
    let property = Property { name: "script".to_owned(), value: Value::Json(script.to_owned()) };
    let start = NewEvent { properties: vec![property], ..identified("probe.stopped", &[("phone", PHONE)]) };
    bench.engine.accepting().accept(start).expect("it is taken");
    bench.settle();
    assert_eq!(bench.value("c1", "sms.opted_out"), Some(Value::Boolean(false)), "their own word");
    assert_eq!(bench.value("c2", "sms.opted_out"), Some(Value::Boolean(true)), "somebody else's");
}

#[test]
fn more_copies_than_a_frame_holds_are_made_all_the_same() {
    const CUSTOMERS: usize = 60;
    let log = samsyn_log::Options { frame_bytes_max: 16 << 10, ..samsyn_log::Options::default() };
    let mut bench = Bench::with_log(log);
    bench.install("sms", SMS);
    for customer in 0..CUSTOMERS {
        bench.seen(&[("customer_id", &format!("c{customer}")), ("phone", PHONE)]);
    }
    let script =
        format!(r#"["boolean sms.opted_out true", "add sms.heard", "text sms.note {}"]"#, "x".repeat(900));
    let property = Property { name: "script".to_owned(), value: Value::Json(script) };
    let event = NewEvent {
        id: Some("S1".to_owned()),
        properties: vec![property],
        ..identified("probe.stopped", &[("phone", PHONE)])
    };
    bench.engine.accepting().accept(event.clone()).expect("it is taken");
    bench.settle();
    bench.restart();
    assert!(bench.engine.accepting().accept(event).expect("it is taken").duplicate);
    bench.settle();
    for customer in 0..CUSTOMERS {
        assert_eq!(bench.value(&customer.to_string(), "sms.heard"), Some(Value::Integer(1)), "{customer}");
    }
}
