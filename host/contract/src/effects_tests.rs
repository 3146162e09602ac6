use super::*;
use crate::vocabulary::{Decimal, Role, Value};

fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

fn text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

fn effects_within(limits: Limits) -> Effects {
    let tiers = ["bronze", "gold"].map(str::to_owned).to_vec();
    let access = Access {
        sources: [
            (field("loyalty.points"), FieldRule::of(Type::Integer)),
            (field("loyalty.spent"), FieldRule::of(Type::Decimal)),
            (field("loyalty.tier"), FieldRule { one_of: tiers, ..FieldRule::of(Type::Text) }),
        ]
        .into(),
        emits: [(
            EventName::new("loyalty.tier_reached").unwrap(),
            [("tier".to_owned(), Type::Text), ("at".to_owned(), Type::Timestamp)].into(),
        )]
        .into(),
        timers: true,
        calls: Default::default(),
        settings: Default::default(),
    };
    Effects::new(Arc::new(access), Arc::new(limits))
}

fn effects() -> Effects {
    effects_within(Limits::default())
}

fn refused(answer: Answer) -> String {
    answer.expect("no limit").expect_err("must be refused").code.into()
}

fn taken(answer: Answer) {
    answer.expect("no limit").unwrap_or_else(|refusal| panic!("{}: {}", refusal.code, refusal.message));
}

#[test]
fn what_was_not_declared_is_refused_and_remembered() {
    let mut effects = effects();
    assert_eq!(refused(effects.set("email", text("a@b.se"))), "field.not-sourced");
    assert_eq!(refused(effects.clear("email")), "field.not-sourced");
    assert_eq!(refused(effects.refuse(Some("email"), "no", "")), "field.not-sourced");
    assert_eq!(refused(effects.set("loyalty.points", text("12"))), "value.type");
    assert_eq!(refused(effects.set("loyalty.tier", text("silver"))), "value.not-allowed");
    assert_eq!(refused(effects.emit("order.completed", vec![])), "event.not-declared");
    let (taken, refusals) = effects.into_parts();
    assert_eq!(taken, []);
    let codes: Vec<_> = refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "field.not-sourced",
            "field.not-sourced",
            "field.not-sourced",
            "value.type",
            "value.not-allowed",
            "event.not-declared",
        ]
    );
    assert_eq!(refusals[4].field.as_deref(), Some("loyalty.tier"));
}

#[test]
fn an_event_has_declared_properties_once_and_of_their_type() {
    let mut effects = effects();
    let property = |name: &str, value| GivenProperty { name: name.to_owned(), value };
    let name = "loyalty.tier_reached";
    assert_eq!(refused(effects.emit(name, vec![property("level", text("gold"))])), "event.property");
    let twice = vec![property("tier", text("gold")), property("tier", text("gold"))];
    assert_eq!(refused(effects.emit(name, twice)), "event.property");
    assert_eq!(refused(effects.emit(name, vec![property("tier", Given::Integer(1))])), "value.type");
    taken(effects.emit(name, vec![property("tier", text("gold"))]));
    let (taken, _) = effects.into_parts();
    let properties = vec![Property { name: "tier".to_owned(), value: Value::Text("gold".to_owned()) }];
    assert_eq!(taken, [Effect::Emit { name: EventName::new(name).unwrap(), properties }]);
}

#[test]
fn the_last_word_on_a_field_counts() {
    let mut effects = effects();
    taken(effects.set("loyalty.points", Given::Integer(1)));
    taken(effects.set("loyalty.spent", Given::Decimal("1.50".to_owned())));
    taken(effects.set("loyalty.points", Given::Integer(2)));
    taken(effects.refuse(None, "data.odd", "it makes no sense"));
    taken(effects.refuse(Some("loyalty.tier"), "tier.by-points", "earned, not set"));
    taken(effects.clear("loyalty.tier"));
    taken(effects.remember(Some(vec![1])));
    taken(effects.remember(None));
    let (taken, refusals) = effects.into_parts();
    let decimal = Value::Decimal(Decimal::parse("1.5").unwrap());
    assert_eq!(
        taken,
        [
            Effect::Claim { field: field("loyalty.spent"), value: Some(decimal) },
            Effect::Claim { field: field("loyalty.points"), value: Some(Value::Integer(2)) },
            Effect::Refuse {
                field: None,
                code: "data.odd".to_owned(),
                message: "it makes no sense".to_owned()
            },
            Effect::Claim { field: field("loyalty.tier"), value: None },
            Effect::Remember(None),
        ]
    );
    assert_eq!(refusals, []);
}

#[test]
fn a_refusals_code_is_a_word_and_its_message_is_cleaned() {
    let mut effects = effects_within(Limits { message_bytes: 8, ..Limits::default() });
    for code in ["", "Not a word", &"a".repeat(65), "å", "property.type", "property.missing"] {
        assert_eq!(refused(effects.refuse(None, code, "no")), "refuse.code", "{code:?}");
    }
    taken(effects.refuse(None, "phone.country-unknown", "\u{1b}too long a message"));
    let (taken, _) = effects.into_parts();
    assert!(matches!(&taken[..], [Effect::Refuse { message, .. }] if message.len() <= 8));
}

#[test]
fn too_many_or_too_large_effects_spend_a_limit() {
    let mut effects = effects_within(Limits { effects: 2, ..Limits::default() });
    taken(effects.set("loyalty.points", Given::Integer(1)));
    // What is refused counts as well, or a guest could have us write refusals without end.
    assert_eq!(refused(effects.clear("email")), "field.not-sourced");
    let spent = effects.set("loyalty.points", Given::Integer(3)).expect_err("must end the call");
    assert!(spent.0.contains("more than 2 effects"), "{spent}");

    let mut effects = effects_within(Limits { effect_bytes: 16, remember_bytes: 10, ..Limits::default() });
    assert_eq!(refused(effects.remember(Some(vec![0; 11]))), "memory.too-large");
    taken(effects.remember(Some(vec![0; 10])));
    // It replaces the first, and still both are counted.
    let spent = effects.remember(Some(vec![0; 10])).expect_err("must end the call");
    assert!(spent.0.contains("effect_bytes"), "{spent}");
}

#[test]
fn an_action_is_bounded_and_of_two_about_the_same_the_last_counts() {
    let mut effects = effects_within(Limits { value_bytes: 8, ..Limits::default() });
    let asks = |effects: &mut Effects, subject: &str, at: i64| {
        taken(effects.act("wake", subject, Some((Given::Timestamp(at), Type::Timestamp))));
    };
    asks(&mut effects, "birthday", 1);
    asks(&mut effects, "renewal", 2);
    asks(&mut effects, "birthday", 3);
    taken(effects.act("stop", "birthday", None));
    let now = || Some((Given::Timestamp(0), Type::Timestamp));
    assert_eq!(refused(effects.act("wake", "birthdays", now())), "value.too-large");
    assert_eq!(refused(effects.act("wake", "a\0", now())), "value.control-characters");
    assert_eq!(refused(effects.act("wake", "a", Some((text("now"), Type::Timestamp)))), "value.type");
    let (taken, refusals) = effects.into_parts();
    let said = taken.into_iter().map(|effect| match effect {
        Effect::Action(Action { name, subject, value }) => {
            (name, subject, value.map(|value| value.to_json().to_string()))
        }
        other => panic!("{other:?}"),
    });
    let wakes = |subject: &str, at: &str| {
        ("wake".to_owned(), subject.to_owned(), Some(format!("\"1970-01-01T00:00:00.00{at}Z\"")))
    };
    assert_eq!(
        said.collect::<Vec<_>>(),
        [wakes("renewal", "2"), wakes("birthday", "3"), ("stop".to_owned(), "birthday".to_owned(), None)]
    );
    assert_eq!(refusals.len(), 3);
}

#[test]
fn the_bytes_of_actions_are_effects_too() {
    let mut effects = effects_within(Limits { effect_bytes: 16, ..Limits::default() });
    taken(effects.act("note", "ab", Some((text("abcdefgh"), Type::Text))));
    effects.act("note", "b", None).expect_err("the limit is spent");
}

fn timers(effects: Effects) -> Vec<String> {
    let said = effects.into_parts().0.into_iter().map(|effect| match effect {
        Effect::Action(Action { name, subject, value: None }) => format!("{name} {subject}"),
        Effect::Action(Action { name, subject, value: Some(value) }) => {
            format!("{name} {subject} {}", value.to_json())
        }
        other => panic!("{other:?}"),
    });
    said.collect()
}

#[test]
fn the_last_word_on_a_timer_counts_and_what_is_not_set_needs_no_cancelling() {
    let mut effects = effects();
    effects.set_known_timers(vec![TimerName::new("known").unwrap()]);
    taken(effects.set_timer("a", Timestamp(1)));
    taken(effects.set_timer("b", Timestamp(2)));
    taken(effects.set_timer("a", Timestamp(3)));
    taken(effects.cancel_timer("b"));
    taken(effects.cancel_timer("never-set"));
    taken(effects.set_timer("known", Timestamp(4)));
    taken(effects.cancel_timer("known"));
    let at = |millis: i64| format!("\"1970-01-01T00:00:00.00{millis}Z\"");
    assert_eq!(timers(effects), [format!("timer.set a {}", at(3)), "timer.cancel known".to_owned()]);
}

#[test]
fn a_customer_has_at_most_32_timers_of_a_plug_in_after_the_invocation() {
    let name = |number: usize| format!("t{number}");
    let known = |count: usize| (0..count).map(|number| TimerName::new(&name(number)).unwrap()).collect();
    for before in [0, 1, 31, 32] {
        let mut effects = effects();
        effects.set_known_timers(known(before));
        for number in before..TIMERS_MAX {
            taken(effects.set_timer(&name(number), Timestamp(1)));
        }
        assert_eq!(refused(effects.set_timer("one-more", Timestamp(1))), "timer.too-many", "{before}");
        // Those that are set can be set again; one that is cancelled makes room, whenever it was set.
        taken(effects.set_timer(&name(0), Timestamp(9)));
        taken(effects.set_timer(&name(31), Timestamp(9)));
        taken(effects.cancel_timer(&name(7)));
        taken(effects.set_timer("one-more", Timestamp(1)));
        assert_eq!(refused(effects.set_timer(&name(7), Timestamp(1))), "timer.too-many", "{before}");
    }
}

#[test]
fn a_timer_has_a_name_and_a_time_that_a_host_can_keep() {
    let long = "x".repeat(65);
    for name in ["", "A", "a b", "ä", "a/b", "a\0", "a\n", long.as_str()] {
        assert_eq!(refused(effects().set_timer(name, Timestamp(1))), "timer.name", "{name:?}");
        assert_eq!(refused(effects().cancel_timer(name)), "timer.name", "{name:?}");
    }
    for name in ["a", "0", "journey:welcome-2.step_3", &"x".repeat(64)] {
        taken(effects().set_timer(name, Timestamp(-1)));
    }
    for at in [i64::MIN, i64::MAX, 253_402_300_800_000] {
        assert_eq!(refused(effects().set_timer("a", Timestamp(at))), "value.malformed", "{at}");
    }
    let mut undeclared = Effects::new(Arc::default(), Arc::default());
    assert_eq!(refused(undeclared.set_timer("a", Timestamp(1))), "timer.not-declared");
    assert_eq!(refused(undeclared.cancel_timer("a")), "timer.not-declared");
}

/// The names of the functions in an interface of the contract.
fn functions(contract: &str, interface: &str) -> Vec<String> {
    let (_, rest) = contract.split_once(&format!("interface {interface} {{")).expect("it is there");
    let (body, _) = rest.split_once("\n}").expect("it ends");
    let lines = body.lines().filter_map(|line| line.trim().split_once(": func("));
    lines.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn the_contract_has_these_effects_and_these_roles() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/plugin.wit");
    let contract = std::fs::read_to_string(path).unwrap();
    assert_eq!(functions(&contract, "effects"), EFFECT_NAMES);
    assert_eq!(functions(&contract, "timers"), TIMER_FUNCTIONS);
    let names = TIMER_FUNCTIONS.map(|function| format!("timer.{function}"));
    assert!(TIMER_EFFECTS.iter().map(|entry| entry.name).eq(names), "{TIMER_EFFECTS:?}");
    for role in Role::ALL {
        assert_eq!(functions(&contract, role.as_str()), [role.function()]);
    }
    assert_eq!(contract.matches("/// Role: ").count(), Role::ALL.len());
}
