//! Protective fields follow the newest word by its own time, whoever sources them.

use super::*;
use samsyn_journal::AnswerKind;

const CRM: &str = "\
    [subscribes.\"probe.*\"]\nscript = { type = \"texts\" }\n\
    [sources]\noffers_opted_out = { type = \"boolean\", protective = true }\n\
    note = { type = \"text\" }\n";
const FIELD: &str = "offers_opted_out";
const YEAR_MILLIS: i64 = 365 * 24 * 3_600_000;

/// A word of a customer: what they want, and how long before now they said so, in years.
#[derive(Clone, Copy)]
struct Word {
    opted_out: bool,
    years_ago: i64,
}

fn word(opted_out: bool, years_ago: i64) -> Word {
    Word { opted_out, years_ago }
}

impl Bench {
    fn at(&self, years_ago: i64) -> Timestamp {
        // Noon of a day, so that two words of one year are of one time.
        let day = 24 * 3_600_000;
        Timestamp((self.engine.clock().now().millis() / day - 1) * day - years_ago * YEAR_MILLIS)
    }

    fn proposes(&self, customer: &str, word: Word) -> AnswerKind {
        let at = self.at(word.years_ago);
        let mut event = proposing(customer, &[(FIELD, Some(Value::Boolean(word.opted_out)))]);
        event.at = Some(at);
        event.proposals[0].at = at;
        let accepted = self.engine.accepting().accept(event).expect("it is taken");
        self.settle();
        self.decisions(&accepted)[0].answers[0].outcome.clone()
    }

    fn says(&self, customer: &str, word: Word) {
        let script = format!("boolean {FIELD} {}", word.opted_out);
        let event = NewEvent { at: Some(self.at(word.years_ago)), ..scripted(customer, &[&script]) };
        self.engine.accepting().accept(event).expect("it is taken");
        self.settle();
    }

    fn opted_out(&self, customer: &str) -> Option<bool> {
        match self.value(customer, FIELD) {
            Some(Value::Boolean(is)) => Some(is),
            None => None,
            other => panic!("{other:?}"),
        }
    }
}

/// Words in the order in which they arrive, and what is in force at the end.
const TABLE: &[(&[(bool, i64)], bool)] = &[
    (&[(true, 0), (false, 1)], true),
    (&[(true, 1), (false, 0)], false),
    (&[(false, 0), (true, 1)], false),
    (&[(false, 1), (true, 0)], true),
    // The same moment: the opt-out.
    (&[(true, 1), (false, 1)], true),
    (&[(false, 1), (true, 1)], true),
    // Said again: the newer time is the word's.
    (&[(true, 3), (true, 1), (false, 2)], true),
    (&[(true, 3), (true, 1), (false, 0)], false),
    (&[(false, 3), (false, 1), (true, 2)], false),
    (&[(true, 1), (true, 3), (false, 2)], true),
    (&[(true, 2), (false, 1), (true, 3)], false),
];

#[test]
fn the_newest_word_counts_in_whatever_order_words_arrive() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    for (number, (words, expected)) in TABLE.iter().enumerate() {
        let (proposed, said) = (format!("proposed-{number}"), format!("said-{number}"));
        for (opted_out, years_ago) in *words {
            bench.proposes(&proposed, word(*opted_out, *years_ago));
            bench.says(&said, word(*opted_out, *years_ago));
        }
        assert_eq!(bench.opted_out(&proposed), Some(*expected), "proposed: {words:?}");
        assert_eq!(bench.opted_out(&said), Some(*expected), "said: {words:?}");
    }
}

#[test]
fn an_older_word_is_refused_with_a_code() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    bench.proposes("1", word(true, 0));
    let older = bench.proposes("1", word(false, 1));
    assert!(matches!(&older, AnswerKind::Refused { code, .. } if code == "protective.outdated"), "{older:?}");
    // Said once more, also from before: that is how it is.
    assert_eq!(bench.proposes("1", word(true, 2)), AnswerKind::Accepted);
}

#[test]
fn a_time_ahead_of_its_arrival_counts_as_the_arrival() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    let tomorrow = Timestamp(bench.engine.clock().now().millis() + 20 * 3_600_000);
    let mut consent = proposing("1", &[(FIELD, Some(Value::Boolean(false)))]);
    consent.at = Some(tomorrow);
    bench.engine.accepting().accept(consent).expect("it is taken");
    bench.settle();
    assert_eq!(bench.opted_out("1"), Some(false));
    let script = format!("boolean {FIELD} true");
    bench.engine.accepting().accept(scripted("1", &[&script])).expect("it is taken");
    bench.settle();
    assert_eq!(bench.opted_out("1"), Some(true));
}

#[test]
fn a_new_source_can_not_end_what_a_newer_word_said_to_the_former_one() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    bench.proposes("1", word(true, 0));
    bench.install("desk", &CRM.replace("probe.*", "desk.*").replace("note =", "desk_note ="));
    bench.change(RegistryChange::SourceAssigned { field: field(FIELD), source: Some(capability("desk")) });
    bench.settle();
    let older = bench.proposes("1", word(false, 1));
    assert!(matches!(older, AnswerKind::Refused { .. }), "{older:?}");
    assert_eq!(bench.opted_out("1"), Some(true));
}

#[test]
fn a_word_that_waited_for_a_source_is_as_old_as_it_is() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    bench.says("1", word(true, 1));
    let source = |source: Option<&str>| RegistryChange::SourceAssigned {
        field: field(FIELD),
        source: source.map(capability),
    };
    bench.change(source(None));
    bench.settle();
    assert_eq!(bench.proposes("1", word(false, 2)), AnswerKind::NoSource);
    bench.change(source(Some("crm")));
    let until = std::time::Instant::now() + PATIENCE;
    while !bench.profile("1").state.held.is_empty() {
        assert!(std::time::Instant::now() < until, "what was held is offered");
        bench.settle();
    }
    assert_eq!(bench.opted_out("1"), Some(true));
    let refused = bench.engine.view().usage().refused_opt_outs;
    assert!(refused.is_empty(), "a consent was refused, no opt-out: {refused:?}");
}

#[test]
fn other_fields_follow_whatever_comes_last() {
    let bench = Bench::new();
    bench.install("crm", CRM);
    for (value, years_ago) in [("new", 0), ("old", 1)] {
        let mut event = proposing("1", &[("note", text(value))]);
        event.at = Some(bench.at(years_ago));
        bench.engine.accepting().accept(event).expect("it is taken");
    }
    bench.settle();
    assert_eq!(bench.text("1", "note").as_deref(), Some("old"));
}
