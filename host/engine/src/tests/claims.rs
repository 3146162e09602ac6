//! One source per data point, enforced at write; and nothing undeclared in a sandbox.

use super::*;

const TWO_NOTES: &str = "[subscribes.\"probe.asked\"]\nscript = { type = \"texts\" }\n\
    [sources]\nnote = { type = \"text\" }\n";

#[test]
fn only_the_sources_claim_is_visible_and_reassigning_moves_a_pointer() {
    let bench = Bench::new();
    bench.install("first", TWO_NOTES);
    bench.install("second", TWO_NOTES);
    bench.propose("1", &[("note", text("!shout a"))]);
    bench.settle();
    // Both were asked and both made a claim.
    let read = bench.profile("1");
    assert_eq!(read.state.capabilities.len(), 2);
    bench.change(RegistryChange::SourceAssigned { field: field("note"), source: None });
    bench.settle();
    assert_eq!(bench.value("1", "note"), None);
    let head = bench.profile("1").state.head;
    bench.change(RegistryChange::SourceAssigned { field: field("note"), source: Some(capability("second")) });
    bench.settle();
    assert_eq!(bench.text("1", "note").as_deref(), Some("A"));
    assert_eq!(bench.profile("1").state.head, head, "nothing was written to the profile");
}

#[test]
fn an_opt_out_stays_when_its_source_goes() {
    let bench = Bench::new();
    let tables = "[subscribes.\"probe.asked\"]\nscript = { type = \"texts\" }\n\
        [sources]\nopted_out = { type = \"boolean\", protective = true }\n";
    bench.install("sms", tables);
    bench.install("other", tables);
    bench.script("1", &["boolean opted_out true"]);
    bench.settle();
    let opted_out = || bench.value("1", "opted_out");
    assert_eq!(opted_out(), Some(Value::Boolean(true)));
    // A claim that there is no value, another source, no source, a removed plug-in.
    bench.script("1", &["clear opted_out"]);
    bench.settle();
    assert_eq!(opted_out(), Some(Value::Boolean(true)), "cleared");
    bench.change(RegistryChange::SourceAssigned { field: field("opted_out"), source: None });
    bench.settle();
    assert_eq!(opted_out(), Some(Value::Boolean(true)), "no source");
    bench.change(RegistryChange::SourceAssigned {
        field: field("opted_out"),
        source: Some(capability("other")),
    });
    bench.change(RegistryChange::Removed { capability: capability("sms") });
    bench.settle();
    assert_eq!(opted_out(), Some(Value::Boolean(true)), "another source");
    // Its source's own word ends it.
    bench.script("1", &["boolean opted_out false"]);
    bench.settle();
    assert_eq!(opted_out(), Some(Value::Boolean(false)), "its source's word");
}

#[test]
fn an_undeclared_field_property_or_identifier_never_reaches_a_guest() {
    let bench = Bench::new();
    bench.install("crm", "[sources]\nfirst_name = { type = \"text\" }\nsecret = { type = \"text\" }\n");
    bench.install(
        "nosy",
        "[subscribes.\"probe.asked\"]\nscript = { type = \"texts\" }\n\
         [sources]\n\"probe.seen\" = { type = \"text\" }\n\
         [consumes]\nfirst_name = { purposes = [\"service\"] }\n",
    );
    bench.propose("1", &[("first_name", text("Anna")), ("secret", text("hidden-field"))]);
    bench.settle();
    let mut event = scripted("1", &["see probe.seen"]);
    event
        .properties
        .push(Property { name: "card".to_owned(), value: Value::Json("\"hidden-property\"".to_owned()) });
    event.identifiers.push(Identifier {
        name: IdentifierName::new("email").unwrap(),
        value: "hidden-identifier@example.com".to_owned(),
    });
    bench.engine.accepting().accept(event).unwrap();
    bench.settle();
    let seen = bench.text("1", "probe.seen").expect("the guest wrote what it saw");
    assert!(seen.contains("Anna") && seen.contains("see probe.seen"), "{seen}");
    assert!(!seen.contains("hidden"), "{seen}");
}

#[test]
fn a_claim_of_an_undeclared_field_is_refused_and_recorded() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.install("crm", "[sources]\nfirst_name = { type = \"text\" }\n");
    // The refusal is an error to the SDK's `?`, so the invocation is parked, with both recorded.
    let accepted = bench.script("1", &["text first_name Mallory"]);
    bench.settle();
    let outcome = &bench.decisions(&accepted)[0].outcomes[0];
    assert_eq!(outcome.refusals[0].code, "field.not-sourced");
    assert_eq!(bench.value("1", "first_name"), None);
}

#[test]
fn a_newer_revision_is_used_from_a_place_in_the_log_on() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    let before = bench.script("1", &["add probe.count"]);
    bench.settle();
    bench.change(RegistryChange::Removed { capability: capability("probe") });
    let after = bench.script("1", &["add probe.count"]);
    bench.settle();
    let (before, after) = (bench.decisions(&before).remove(0), bench.decisions(&after).remove(0));
    assert!(before.revision < after.revision);
    assert_eq!((before.outcomes.len(), after.outcomes.len()), (1, 0));
}
