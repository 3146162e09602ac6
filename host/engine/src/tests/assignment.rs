//! Sources that move: what the plan says is what happens, consumers hear of it once, opt-outs
//! stay, and held proposals are decided.

use super::*;
use samsyn_journal::{AnswerKind, CauseKind};
use samsyn_registry::assignment::{Mode, Request};

const NOTE: &str = "[subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [sources]\nnote = { type = \"text\" }\nout = { type = \"boolean\", protective = true }\n";
const WATCH: &str = "[sources]\n\"probe.seen\" = { type = \"text\" }\n\
    [consumes]\nnote = { purposes = [\"service\"], notify = true }\n";

/// A plug-in that says what the events of its own name tell it.
fn speaker(bench: &Bench, name: &str) {
    bench.install(name, &NOTE.replace("probe.*", &format!("{name}.*")));
}

fn says(bench: &Bench, name: &str, customer: &str, command: &str) {
    let event = EventName::new(&format!("{name}.asked")).unwrap();
    bench
        .engine
        .accepting()
        .accept(NewEvent { name: event, ..scripted(customer, &[command]) })
        .expect("it is taken");
}

fn request(name: &str, to: Option<&str>, mode: Mode) -> Request {
    Request { fields: vec![field(name)], to: to.map(capability), mode }
}

fn assign(bench: &Bench, name: &str, to: Option<&str>, mode: Mode) -> AssignmentPlan {
    let (plan, _) =
        bench.engine.registrar().assign(&request(name, to, mode), None, app("tests")).expect("it can be");
    bench.settle();
    plan
}

/// Two speakers and a watcher. Customers 0 to 9: both say the same; 10 to 19: both, something
/// else; 20 to 29: only the first.
fn furnished() -> Bench {
    let bench = Bench::new();
    speaker(&bench, "one");
    speaker(&bench, "two");
    bench.install("watch", WATCH);
    for customer in 0..30 {
        says(&bench, "one", &customer.to_string(), "text note A");
        if customer < 20 {
            let other = if customer < 10 { "text note A" } else { "text note B" };
            says(&bench, "two", &customer.to_string(), other);
        }
    }
    bench.settle();
    bench
}

fn notices(bench: &Bench) -> usize {
    let heard = (0..30).flat_map(|customer| {
        let read = bench.profile(&customer.to_string());
        bench.engine.query().timeline(&read, None, 100).unwrap()
    });
    heard.filter(|entry| entry.decided.kind == CauseKind::Assignment).count()
}

#[test]
fn the_plan_is_what_happens_and_everybody_hears_once() {
    let mut bench = furnished();
    let seen = |bench: &Bench, customer: u8| bench.text(&customer.to_string(), "probe.seen").unwrap();
    let planned =
        bench.engine.registrar().plan_assignment(&request("note", Some("two"), Mode::Clear)).unwrap();
    assert_eq!(planned.fields[0].changed, 20);
    let plan = assign(&bench, "note", Some("two"), Mode::Inherit);
    let of = &plan.fields[0];
    assert_eq!((of.changed, of.without_claim, of.inherit), (10, 10, 10));
    assert_eq!(of.consumers, [ConsumerPlan { capability: capability("watch"), profiles: 10 }]);
    assert!(!of.samples.is_empty());
    assert!(of.samples.iter().all(|sample| sample.before == text("A") && sample.after == text("B")));
    assert_eq!(notices(&bench), 10);
    assert_eq!(
        (seen(&bench, 5), seen(&bench, 15), seen(&bench, 25)),
        ("note=A".into(), "note=B".into(), "note=A".into())
    );
    assert_eq!(bench.text("25", "note").as_deref(), Some("A"), "inherited");
    // The former source still stands in where the new one says nothing.
    says(&bench, "one", "25", "text note C");
    bench.settle();
    assert_eq!((bench.text("25", "note").as_deref(), seen(&bench, 25)), (Some("C"), "note=C".into()));
    says(&bench, "one", "15", "text note C");
    bench.settle();
    assert_eq!(bench.text("15", "note").as_deref(), Some("B"));
    let again = assign(&bench, "note", Some("two"), Mode::Inherit);
    assert!(again.is_no_change());
    bench.restart();
    bench.settle();
    assert_eq!(notices(&bench), 10, "nobody hears it twice");
    let jobs = bench.engine.notifier().jobs();
    assert_eq!(jobs.adopted, bench.engine.registry().revision);
}

#[test]
fn a_job_that_was_killed_tells_the_rest() {
    let mut bench = furnished();
    let (_, seq) = bench
        .engine
        .registrar()
        .assign(&request("note", Some("two"), Mode::Clear), None, app("tests"))
        .unwrap();
    assert!(seq.is_some());
    // Wherever it is: what counts is that it makes no difference.
    bench.restart();
    bench.restart();
    bench.settle();
    assert_eq!(notices(&bench), 20);
    for customer in 0..30 {
        let (note, seen) = match customer {
            0..10 => (Some("A"), "note=A"),
            10..20 => (Some("B"), "note=B"),
            _ => (None, "note=-"),
        };
        let customer = customer.to_string();
        assert_eq!(bench.text(&customer, "note").as_deref(), note, "{customer}");
        assert_eq!(bench.text(&customer, "probe.seen").as_deref(), Some(seen), "{customer}");
    }
}

#[test]
fn telling_that_cant_read_a_customer_is_seen_and_ends_after_the_next_start() {
    let mut bench = furnished();
    let id = bench.profile("15").state.id;
    bench.restart();
    bench.engine.view().spoil(id);
    let change = RegistryChange::SourceAssigned { field: field("note"), source: Some(capability("two")) };
    bench.change(change);
    super::failure::wait_until(|| bench.engine.fault().is_some());
    assert_eq!(bench.engine.status().view.state, "failed");
    bench.restart();
    bench.settle();
    assert_eq!(bench.text("15", "probe.seen").as_deref(), Some("note=B"));
    assert_eq!(bench.engine.fault(), None);
    // Those who see another value, and those who see none, for none stands in.
    assert_eq!(notices(&bench), 20);
}

#[test]
fn a_plan_of_another_revision_is_stale_and_says_why() {
    let bench = furnished();
    let wanted = request("note", Some("two"), Mode::Inherit);
    let plan = bench.engine.registrar().plan_assignment(&wanted).unwrap();
    bench.change(RegistryChange::SourceAssigned { field: field("out"), source: Some(capability("two")) });
    bench.settle();
    let refused =
        bench.engine.registrar().assign(&wanted, Some(plan.revision), app("tests")).unwrap_err().to_string();
    assert!(refused.contains("tests made two the source of out"), "{refused}");
}

#[test]
fn an_opt_out_survives_every_plan_and_the_removal_of_its_source() {
    let bench = furnished();
    says(&bench, "one", "1", "boolean out true");
    // Nobody sees this one until its speaker is the source; from then on it is an opt-out too.
    says(&bench, "two", "2", "boolean out true");
    says(&bench, "one", "2", "boolean out false");
    bench.settle();
    let out = |customer: &str| bench.value(customer, "out");
    let plan = assign(&bench, "out", Some("two"), Mode::Clear);
    assert_eq!(plan.fields[0].opt_outs, 1);
    assert_eq!((out("1"), out("2")), (Some(Value::Boolean(true)), Some(Value::Boolean(true))));
    assign(&bench, "out", None, Mode::Clear);
    assign(&bench, "out", Some("one"), Mode::Clear);
    assert_eq!((out("1"), out("2")), (Some(Value::Boolean(true)), Some(Value::Boolean(true))));
    let refused =
        bench.engine.registrar().remove_capability(capability("one"), false, app("tests")).unwrap_err();
    assert!(refused.to_string().contains("one is the source of note, out"), "{refused}");
    bench.engine.registrar().remove_capability(capability("one"), true, app("tests")).unwrap();
    bench.settle();
    assert_eq!((out("1"), out("2")), (Some(Value::Boolean(true)), Some(Value::Boolean(true))));
}

#[test]
fn a_source_that_gave_its_fields_away_can_go_and_nobody_misses_a_value() {
    let bench = furnished();
    assign(&bench, "note", Some("two"), Mode::Inherit);
    assign(&bench, "out", Some("two"), Mode::Inherit);
    bench.engine.registrar().remove_capability(capability("one"), false, app("tests")).unwrap();
    bench.settle();
    assert_eq!(bench.text("25", "note").as_deref(), Some("A"), "of a source that is gone");
}

#[test]
fn what_was_held_is_decided_by_the_source_that_comes() {
    let bench = Bench::new();
    let nobody = samsyn_registry::Field::of(Type::Text);
    bench.change(RegistryChange::FieldDefined { name: field("note"), field: nobody });
    bench.propose("1", &[("note", text("!shout hello"))]);
    bench.propose("2", &[("note", text("!panic"))]);
    bench.settle();
    let held = |customer: &str| bench.profile(customer).state.held.len();
    assert_eq!((held("1"), held("2")), (1, 1));
    bench.install("one", "[sources]\nnote = { type = \"text\" }\n");
    bench.settle();
    assert_eq!(bench.text("1", "note").as_deref(), Some("HELLO"));
    assert_eq!((held("1"), held("2")), (0, 1), "the parked one waits and can be seen");
    let read = bench.profile("1");
    let entries = bench.engine.query().timeline(&read, None, 10).unwrap();
    let answers = entries.iter().flat_map(|entry| &entry.decided.answers);
    assert!(
        answers
            .clone()
            .any(|answer| answer.outcome == AnswerKind::InAnotherForm(Value::Text("HELLO".into())))
    );
    // It can be run again, and given up.
    assert_eq!(bench.engine.parked().retry(&ParkedFilter::default()).unwrap(), 1);
    bench.settle();
    assert_eq!(held("2"), 1);
    assert_eq!(bench.engine.parked().skip(&ParkedFilter::default(), "never mind").unwrap(), 1);
    bench.settle();
    assert_eq!(held("2"), 0);
}

#[test]
fn disagreements_are_counted_for_every_pair() {
    let bench = furnished();
    let compare = samsyn_registry::Compare::Exact;
    let pairs = bench.engine.query().disagreements(&field("note"), compare).unwrap();
    let pair = &pairs[&(capability("one"), capability("two"))];
    assert_eq!((pair.both, pair.agree, pair.differ), (20, 10, 10));
    assert!(!pair.samples.is_empty());
    assert!(pair.samples.iter().all(|(_, one, two)| *one == text("A") && *two == text("B")));
    assign(&bench, "note", Some("two"), Mode::Inherit);
    assert_eq!(
        bench.engine.query().disagreements(&field("note"), compare).unwrap()
            [&(capability("one"), capability("two"))]
            .differ,
        10
    );
    let page = bench.engine.query().claims(&field("note"), None, 7).unwrap();
    let rest = bench.engine.query().claims(&field("note"), page.next, 100).unwrap();
    assert_eq!((page.profiles.len(), rest.profiles.len(), rest.next), (7, 23, None));
}

#[test]
fn a_generation_that_takes_over_tells_what_it_says_otherwise() {
    let bench = furnished();
    says(&bench, "one", "3", "remember the past");
    says(&bench, "one", "3", "recall note");
    bench.settle();
    assert_eq!(bench.text("3", "note").as_deref(), Some("the past"));
    // The new generation hears everything but what only its former one was asked directly.
    let other = NOTE.replace("probe.*", "two.*");
    bench.install_with(
        "one",
        &other,
        InstallOptions { from_start: true, approve: true, ..InstallOptions::default() },
    );
    // Taken into use everywhere, it lags.
    bench.settle();
    let until = std::time::Instant::now() + PATIENCE;
    while bench.engine.lanes.lags(&capability("one")) {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(Duration::from_millis(1));
    }
    bench.settle();
    assert_eq!((bench.text("3", "note").as_deref(), bench.text("25", "note")), (Some("A"), None));
    assert_eq!(bench.text("3", "probe.seen").as_deref(), Some("note=A"));
    assert_eq!(bench.text("25", "probe.seen").as_deref(), Some("note=-"));
    assert_eq!(bench.text("15", "probe.seen").as_deref(), Some("note=B"));
}
