//! That the testing host treats a handler as the real one does.

use std::panic::catch_unwind;

use crate::testing::{Effect, Host, HostRefusal, Run, change, event, profile, proposal};
use crate::{
    Change, Decimal, Effects, Error, Event, Observer, Profile, Proposal, Refusal, Settings, Source,
    Subscriber, Timestamp, Value, log,
};

const MANIFEST: &str = r#"
manifest = 1
[plugin]
name = "probe"
version = "0.1.0"
owner = "Tests"
description = "Does what a test wants"
identifiers = ["customer_id"]
[subscribes."order.completed"]
amount = { type = "decimal", required = true }
note = { type = "text" }
[subscribes."order.*"]
[subscribes."run"]
what = { type = "text" }
[emits."probe.done"]
tier = { type = "text" }
count = { type = "integer" }
[sources]
"probe.points" = { type = "integer" }
"probe.tier" = { type = "text", one_of = ["gold"] }
"probe.number" = { type = "number" }
"probe.until" = { type = "date" }
[consumes]
email = { purposes = ["service"], notify = true }
phone = { purposes = ["service"] }
[settings]
rate = { type = "decimal", default = "1.50" }
words = { type = "texts", default = ["stop"] }
unset = { type = "integer" }
api_key = { type = "secret" }
"#;

struct Probe;

impl Subscriber for Probe {
    fn on_event(
        event: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        if event.name() == "order.completed" {
            let points = event.decimal("amount")? * settings.decimal("rate")?;
            log::info(format!("{points} for {:?}", profile.identifier("customer_id")));
            return Ok(effects.set("probe.points", profile.integer("probe.points").unwrap_or(0) + 1)?);
        }
        match event.text_opt("what").unwrap_or_default() {
            "not sourced" => effects.set("email", "a@b.se")?,
            "handled" => assert_eq!(
                effects.clear("email").map_err(|refusal| refusal.code).unwrap_err(),
                "field.not-sourced"
            ),
            "type" => effects.set("probe.points", "ten")?,
            "one of" => effects.set("probe.tier", "silver")?,
            "nan" => effects.set("probe.number", f64::NAN)?,
            "far date" => effects.set("probe.until", event.at().date().add_years(20_000))?,
            "control" => effects.refuse_all("Bad Code", "")?,
            "event" => effects.emit("probe.undone", [])?,
            "property" => effects.emit("probe.done", [("color", "red".into())])?,
            "emit" => effects.emit("probe.done", [("tier", "gold".into()), ("count", 2.into())])?,
            "twice" => {
                effects.set("probe.points", 1)?;
                effects.set("probe.points", 2)?;
            }
            "too many" => (0..300).try_for_each(|_| effects.clear("probe.points"))?,
            "fail" => {
                effects.set("probe.points", 1)?;
                return Err("it won't".into());
            }
            "secret" => effects.emit("probe.done", [("tier", settings.text("api_key")?.into())])?,
            "missing setting" => drop(settings.integer("unset")?),
            "undeclared field" => drop(profile.text("first_name")),
            "undeclared setting" => drop(settings.text("colour")),
            "wrong type" => drop(profile.text("probe.points")),
            other => return Err(Error::other(format!("no {other}"))),
        }
        Ok(())
    }
}

impl Source for Probe {
    fn on_proposal(
        proposals: &[Proposal],
        _: &Profile,
        _: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for proposal in proposals {
            match &proposal.value {
                Some(value) => effects.set(&proposal.field, value.clone())?,
                None => effects.refuse(&proposal.field, "probe.needed", "It must have a value.")?,
            }
        }
        Ok(())
    }
}

impl Observer for Probe {
    fn on_change(
        changes: &[Change],
        at: Timestamp,
        profile: &Profile,
        _: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        assert_eq!(profile.get("email"), changes[0].after.as_ref());
        Ok(effects.set("probe.until", at.date())?)
    }
}

fn host() -> Host {
    Host::from_manifest(MANIFEST)
}

fn code_of(what: &str) -> String {
    let run = host().on_event::<Probe>(&event("run").property("what", what), &profile());
    assert!(run.effects.is_empty(), "{what}");
    let Err(Error::Refused(Refusal { code, .. })) = run.result else { panic!("{what}: {:?}", run.result) };
    assert_eq!(run.host_refusals.last().map(|refusal| refusal.code.as_str()), Some(code.as_str()));
    code
}

#[test]
fn effects_are_refused_as_the_host_refuses_them() {
    for (what, code) in [
        ("not sourced", "field.not-sourced"),
        ("type", "value.type"),
        ("one of", "value.not-allowed"),
        ("nan", "value.not-finite"),
        ("far date", "value.malformed"),
        ("control", "refuse.code"),
        ("event", "event.not-declared"),
        ("property", "event.property"),
    ] {
        assert_eq!(code_of(what), code, "{what}");
    }
}

#[test]
fn a_refusal_can_be_handled_and_is_recorded_all_the_same() {
    let run = host().on_event::<Probe>(&event("run").property("what", "handled"), &profile());
    assert_eq!(run.result, Ok(()));
    assert_eq!(
        run.host_refusals,
        [HostRefusal { subject: "email".into(), code: "field.not-sourced".into() }]
    );
}

#[test]
fn with_an_error_or_a_spent_limit_nothing_happens() {
    for what in ["fail", "too many", "missing setting"] {
        let run = host().on_event::<Probe>(&event("run").property("what", what), &profile());
        assert!(run.result.is_err() && run.effects.is_empty(), "{what}: {run:?}");
    }
}

#[test]
fn the_last_word_on_a_field_counts() {
    let run = host().on_event::<Probe>(&event("run").property("what", "twice"), &profile());
    assert_eq!(run.effects, [Effect::Claim { field: "probe.points".into(), value: Some(2.into()) }]);
}

#[test]
fn properties_become_the_declared_types_and_the_rest_is_hidden() {
    let order = event("order.completed").property("amount", "12.50").property("color", "red");
    let anna =
        profile().identifier("customer_id", "00042").identifier("device", "x").point("first_name", "Anna");
    let run = host().setting("rate", 2).on_event::<Probe>(&order, &anna);
    assert_eq!(run.claim("probe.points"), Some(&1.into()));
    assert_eq!(run.log[0].message, "25.0 for Some(\"00042\")");
    assert_eq!(
        host().on_event::<Probe>(&event("run").property("what", "emit"), &anna).emitted("probe.done")[0]
            .len(),
        2
    );
}

#[test]
fn what_a_host_would_not_deliver_fails_the_test() {
    for order in [
        event("order.completed"),
        event("order.completed").property("amount", "ten"),
        event("ordered"),
        event("run").property("what", "undeclared field"),
        event("run").property("what", "undeclared setting"),
    ] {
        assert!(catch_unwind(|| host().on_event::<Probe>(&order, &profile())).is_err(), "{order:?}");
    }
    let wrong = event("run").property("what", "wrong type");
    assert!(catch_unwind(|| host().on_event::<Probe>(&wrong, &profile().point("probe.points", 1))).is_err());
    assert!(catch_unwind(|| host().on_proposal::<Probe>(&[proposal("email", "x")], &profile())).is_err());
    let unheard = change("phone", None, Some("1".into()));
    assert!(
        catch_unwind(|| host().on_change::<Probe>(&[unheard], "2026-01-01T00:00:00Z", &profile())).is_err()
    );
    assert!(catch_unwind(|| Host::from_manifest(&format!("{MANIFEST}\ncolour = 1"))).is_err());
}

#[test]
fn a_customer_carries_claims_from_call_to_call() {
    let host = host();
    let mut anna = host.customer();
    let order = event("order.completed").at("2026-11-21T10:00:00Z").property("amount", Decimal::ONE);
    anna.on_event::<Probe>(&order);
    anna.on_event::<Probe>(&order);
    assert_eq!(anna.value("probe.points"), Some(&2.into()));
    let run =
        anna.on_proposal::<Probe>(&[proposal("probe.points", "7"), proposal("probe.tier", None::<Value>)]);
    assert_eq!(run.refusals(), [(Some("probe.tier"), "probe.needed")]);
    assert_eq!(anna.value("probe.points"), Some(&7.into()));
    let moved = change("email", None, Some("anna@example.com".into()));
    anna.on_change::<Probe>(&[moved], "2026-11-22T08:00:00Z");
    assert_eq!(anna.value("probe.until").and_then(Value::as_date), "2026-11-22".parse().ok());
}

#[test]
fn an_action_of_any_kind_is_recorded_under_its_name() {
    use samsyn_vocabulary as vocabulary;
    let action = |name: &str, subject: &str, value| {
        let (name, subject) = (name.to_owned(), subject.to_owned());
        super::recorder::effect(vocabulary::Effect::Action(vocabulary::Action { name, subject, value }))
    };
    let effects = vec![
        action("wake", "birthday", Some(vocabulary::Value::Integer(7))),
        action("stop", "birthday", None),
        action("wake", "renewal", None),
    ];
    let run = Run { result: Ok(()), effects, host_refusals: Vec::new(), log: Vec::new() };
    assert_eq!(run.actions("wake"), [("birthday", Some(&7.into())), ("renewal", None)]);
    assert_eq!(run.actions("stop"), [("birthday", None)]);
    assert!(run.actions("call").is_empty());
}

#[test]
fn a_setting_that_is_a_secret_is_its_name() {
    let asked = event("run").property("what", "secret");
    let run = host().setting("api_key", "crm_token").on_event::<Probe>(&asked, &profile());
    assert!(
        matches!(&run.effects[..], [Effect::Emit { properties, .. }] if properties[0].1 == "crm_token".into()),
        "{run:?}"
    );
    assert!(host().on_event::<Probe>(&asked, &profile()).result.is_err(), "nobody has set it");
    for value in ["sk_live_51H/x", "", "crm_token "] {
        let refused = catch_unwind(|| host().setting("api_key", value)).expect_err("it is no name");
        let said = refused.downcast_ref::<String>().expect("it says why");
        assert!(said.contains("must be the name of a secret"), "{said}");
        assert!(value.is_empty() || !said.contains(value), "{said}");
    }
}
