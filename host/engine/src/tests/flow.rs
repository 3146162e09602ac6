//! Events in, values out; and the same after a restart.

use super::*;
use samsyn_journal::{AnswerKind, InvocationStatus};

#[test]
fn a_customer_is_known_from_the_moment_its_first_event_is_taken() {
    let bench = Bench::new();
    for customer in 0..500 {
        let accepted = bench.script(&customer.to_string(), &[]);
        loop {
            let read = bench.engine.query().profile(accepted.profile).expect("it can be read");
            // It has no record before its first decision.
            if read.expect("it is known").state.head.is_some() {
                break;
            }
        }
    }
}

#[test]
fn an_event_becomes_claims_in_one_record() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    let accepted = bench.script("1", &["integer probe.count 7", "text probe.note hello", "remember me"]);
    bench.script("1", &["add probe.count", "recall probe.note"]);
    bench.settle();
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(8)));
    assert_eq!(bench.text("1", "probe.note").as_deref(), Some("me"));
    let decided = bench.decisions(&accepted);
    assert_eq!(decided.len(), 1);
    assert_eq!(decided[0].changes.len(), 2);
    assert_eq!(decided[0].outcomes[0].result, InvocationStatus::Done);
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let mut bench = Bench::new();
    bench.install("probe", USUAL);
    for customer in 0..20 {
        for _ in 0..5 {
            bench.script(&customer.to_string(), &["add probe.count"]);
        }
    }
    // Not settled: what isn't decided is decided after the start.
    bench.restart();
    bench.settle();
    for customer in 0..20 {
        assert_eq!(bench.value(&customer.to_string(), "probe.count"), Some(Value::Integer(5)), "{customer}");
    }
}

#[test]
fn a_duplicate_gets_the_first_ones_place_and_another_content_is_refused() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    let event = NewEvent { id: Some("A1".to_owned()), ..scripted("1", &["add probe.count"]) };
    let first = bench.engine.accepting().accept(event.clone()).unwrap();
    let again = bench.engine.accepting().accept(event.clone()).unwrap();
    bench.settle();
    let later = bench.engine.accepting().accept(event).unwrap();
    assert!(!first.duplicate && again.duplicate && later.duplicate);
    assert_eq!((again.position, later.position), (first.position, first.position));
    assert_eq!(later.profile, first.profile);
    let other = NewEvent { id: Some("A1".to_owned()), ..scripted("2", &["add probe.count"]) };
    assert!(matches!(bench.engine.accepting().accept(other.clone()), Err(AcceptError::EventIdReused { .. })));
    // Another application's ids are its own.
    let elsewhere = NewEvent { application: app("elsewhere"), ..other };
    assert!(!bench.engine.accepting().accept(elsewhere).unwrap().duplicate);
    bench.settle();
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(1)));
}

#[test]
fn two_first_sights_at_once_make_one_profile() {
    let bench = Bench::new();
    let barrier = std::sync::Barrier::new(8);
    let profiles: Vec<ProfileId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    bench.script("same", &[]).profile
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(profiles.iter().all(|profile| *profile == profiles[0]));
}

#[test]
fn the_strongest_identifier_decides_and_the_conflict_is_recorded() {
    let bench = Bench::new();
    let email =
        |value: &str| Identifier { name: IdentifierName::new("email").unwrap(), value: value.to_owned() };
    let by_email = NewEvent { identifiers: vec![email("Anna@Example.com")], ..new_event("", "page.seen") };
    let anna = bench.engine.accepting().accept(by_email).unwrap().profile;
    let bert = bench.script("2", &[]).profile;
    let mut both = new_event("2", "page.seen");
    both.identifiers.push(email("anna@example.com"));
    let accepted = bench.engine.accepting().accept(both).unwrap();
    bench.settle();
    assert_eq!(accepted.profile, bert);
    let conflicts = &bench.decisions(&accepted)[0].conflicts;
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].belongs_to, anna);
}

#[test]
fn a_value_that_identifies_links_and_a_changed_one_retires_the_old_link() {
    let bench = Bench::new();
    bench.install("crm", "[sources]\nemail = { type = \"text\", identifies = \"email\" }\n");
    let name = IdentifierName::new("email").unwrap();
    let accepted = bench.propose("1", &[("email", text("anna@example.com"))]);
    bench.settle();
    let found = |value: &str| bench.engine.query().resolve(&name, value).unwrap();
    assert_eq!(found("ANNA@example.com"), Some(accepted.profile));
    bench.propose("1", &[("email", text("new@example.com"))]);
    bench.settle();
    assert_eq!((found("anna@example.com"), found("new@example.com")), (None, Some(accepted.profile)));
    // Somebody else's value: theirs as a claim, linked to the first, and recorded.
    let other = bench.propose("2", &[("email", text("new@example.com"))]);
    bench.settle();
    assert_eq!(found("new@example.com"), Some(accepted.profile));
    assert_eq!(bench.decisions(&other)[0].conflicts.len(), 1);
}

#[test]
fn proposals_are_answered_field_by_field() {
    let bench = Bench::new();
    bench.install(
        "probe",
        &format!("{USUAL}nickname = {{ type = \"text\" }}\nhandle = {{ type = \"text\" }}\n"),
    );
    let nobody = samsyn_registry::Field::of(Type::Text);
    bench.change(RegistryChange::FieldDefined { name: field("shoe_size"), field: nobody });
    let accepted = bench.propose(
        "1",
        &[
            ("probe.note", text("as it is")),
            ("probe.seen", text("!shout loud")),
            ("nickname", text("!refuse")),
            ("handle", text("!silent")),
            ("shoe_size", text("43")),
        ],
    );
    bench.settle();
    let decided = &bench.decisions(&accepted)[0];
    let answer = |name: &str| {
        let answer = decided.answers.iter().find(|answer| answer.field.as_str() == name);
        answer.map(|answer| answer.outcome.clone()).expect("the field is answered")
    };
    assert_eq!(answer("probe.note"), AnswerKind::Accepted);
    assert_eq!(answer("probe.seen"), AnswerKind::InAnotherForm(Value::Text("LOUD".to_owned())));
    assert!(matches!(answer("nickname"), AnswerKind::Refused { code, .. } if code == "probe.refused"));
    assert_eq!(answer("handle"), AnswerKind::NoAnswer);
    assert_eq!(answer("shoe_size"), AnswerKind::NoSource);
    assert_eq!(bench.value("1", "shoe_size"), None);
    assert_eq!(bench.profile("1").state.held.len(), 1);
}

#[test]
fn a_proposal_of_an_older_profile_is_not_decided() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.propose("1", &[("probe.note", text("first"))]);
    bench.settle();
    let etag = bench.engine.query().etag(&bench.profile("1"), |_| true);
    let conditional = |value: &str| NewEvent {
        expected: Some(Expectation { etag: etag.clone(), of: None }),
        ..proposing("1", &[("probe.note", text(value))])
    };
    let second = bench.engine.accepting().accept(conditional("second")).unwrap();
    let third = bench.engine.accepting().accept(conditional("third")).unwrap();
    bench.settle();
    assert_eq!(bench.decisions(&second)[0].answers[0].outcome, AnswerKind::Accepted);
    assert_eq!(bench.decisions(&third)[0].answers[0].outcome, AnswerKind::PreconditionFailed);
    assert_eq!(bench.text("1", "probe.note").as_deref(), Some("second"));
}

#[test]
fn emitted_events_and_changes_reach_the_others_once_and_nobody_hears_of_their_own() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    let other = "\
        [subscribes.\"probe.pinged\"]\nscript = { type = \"texts\" }\n\
        [sources]\n\"probe.seen\" = { type = \"text\" }\n\"other.note\" = { type = \"text\" }\n\
        [consumes]\n\"probe.count\" = { purposes = [\"service\"], notify = true }\n\
        \"probe.note\" = { purposes = [\"service\"], notify = true }\n";
    bench.install("other", other);
    bench.change(RegistryChange::SourceAssigned {
        field: field("probe.seen"),
        source: Some(capability("other")),
    });
    bench.script(
        "1",
        &["integer probe.count 3", "text probe.note hi", "emit probe.pinged text other.note pong"],
    );
    bench.settle();
    assert_eq!(bench.text("1", "other.note").as_deref(), Some("pong"));
    // One record, two changes, one invocation.
    assert_eq!(bench.text("1", "probe.seen").as_deref(), Some("probe.count=3 probe.note=hi"));
    let read = bench.profile("1");
    let timeline = bench.engine.query().timeline(&read, None, 100).unwrap();
    assert_eq!(timeline.len(), 3, "the event, the change and the emitted event");
}

#[test]
fn a_timeline_can_be_read_page_by_page() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    for _ in 0..7 {
        bench.script("1", &["add probe.count"]);
    }
    bench.settle();
    let read = bench.profile("1");
    let all = bench.engine.query().timeline(&read, None, 100).unwrap();
    assert_eq!(all.len(), 7);
    let first = bench.engine.query().timeline(&read, None, 3).unwrap();
    let rest = bench.engine.query().timeline(&read, Some(first[2].position), 100).unwrap();
    let positions =
        |entries: &[TimelineEntry]| entries.iter().map(|entry| entry.position).collect::<Vec<_>>();
    assert_eq!([positions(&first), positions(&rest)].concat(), positions(&all));
}

#[test]
fn an_event_whose_property_has_another_type_is_refused_to_that_plug_in_alone() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.install(
        "strict",
        "[subscribes.\"probe.asked\"]\nscript = { type = \"integer\", required = true }\n",
    );
    let accepted = bench.script("1", &["integer probe.count 1"]);
    bench.settle();
    let decided = &bench.decisions(&accepted)[0];
    assert_eq!(decided.outcomes[1].refusals[0].code, "property.type");
    assert_eq!(bench.value("1", "probe.count"), Some(Value::Integer(1)));
}

#[test]
fn the_last_word_of_two_roles_counts_also_when_it_is_the_old_value() {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    let after = |customer: &str, script: &str, proposed: &str| {
        bench.script(customer, &["text probe.note a"]);
        bench.settle();
        let event = NewEvent {
            proposals: proposing(customer, &[("probe.note", text(proposed))]).proposals,
            ..scripted(customer, &[script])
        };
        bench.engine.accepting().accept(event).expect("it is taken");
        bench.settle();
        bench.value(customer, "probe.note")
    };
    let (one, other) = (after("1", "text probe.note b", "a"), after("2", "text probe.note a", "b"));
    assert_ne!(one, other, "the same role has the last word in both");
}
