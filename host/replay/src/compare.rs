//! How two outcomes of one invocation differ: effect by effect. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Tree;
use smol_str::{SmolStr, format_smolstr};

use super::shadow::ItemOutcome;
use samsyn_journal::{Call, CallBody, Emitted, InvocationStatus, MemoryBytes, Outcome, ProfileState};
use samsyn_vocabulary::{
    Action, CapabilityName, EventName, FieldName, Finding, Property, Refusal, Role, Value,
};

/// What can differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The plug-in's claim of a field.
    Field(FieldName),
    /// An event that it emits.
    Event(EventName),
    /// A refusal, by its code and what it is about.
    Refusal(SmolStr),
    /// What it remembers of a customer.
    Memory,
    /// An action, by its kind and what it is about.
    Action(SmolStr),
    /// Being called at all, by what it is called with.
    Invocation(SmolStr),
    /// More kinds of things than are told apart.
    Other,
}

/// How it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The invocation fails, and didn't.
    Failed,
    /// Both have it, each another.
    Changed,
    /// The new one no longer has it.
    Gone,
    /// The new one refuses what was accepted.
    Refused,
    /// Only the new one has it.
    Added,
    /// The invocation failed, and no longer does.
    Mended,
}

impl Kind {
    /// How what one side has differs from what the other has; none when it is the same.
    fn between<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<Kind> {
        match (one, other) {
            (one, other) if one == other => None,
            (None, _) => Some(Kind::Added),
            (_, None) => Some(Kind::Gone),
            _ => Some(Kind::Changed),
        }
    }
}

/// Values of an example, on both sides.
pub type Values = (Option<Tree>, Option<Tree>);

/// Hears of what is the same and what differs. The values are made only when they are wanted.
pub trait Differences {
    /// It is the same on both sides.
    fn same(&mut self, what: What);
    /// It differs.
    fn differs(&mut self, what: What, kind: Kind, values: &dyn Fn() -> Values);
}

/// One side of a comparison.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// What came of the item.
    pub outcome: &'a ItemOutcome<'a>,
    /// What is told of the customer after it.
    pub state: &'a ProfileState,
}

impl<'a> Side<'a> {
    fn claim(
        self,
        capability: &CapabilityName,
        generation: u32,
        field: &FieldName,
    ) -> Option<&'a Option<Value>> {
        self.state.capability_state(capability, generation)?.claim(field).map(|claim| &claim.value)
    }

    fn memory(self, capability: &CapabilityName, generation: u32) -> Option<&'a MemoryBytes> {
        self.state.capability_state(capability, generation)?.memory.as_ref()
    }
}

/// Compares what came of an item on two sides; `called_with` says in a word what the item is.
pub fn compare(
    base: Side<'_>,
    new: Side<'_>,
    capability: &CapabilityName,
    input: &SmolStr,
    differences: &mut impl Differences,
) {
    if !compare_results(base.outcome, new.outcome, input, differences) {
        return;
    }
    compare_claims(base, new, capability, differences);
    compare_emitted(&base.outcome.emitted, &new.outcome.emitted, differences);
    compare_memory(base, new, capability, differences);
    compare_actions(base.outcome, new.outcome, differences);
    compare_calls(base.outcome, new.outcome, differences);
    compare_findings(base.outcome, new.outcome, differences);
    compare_refusals(base.outcome, new.outcome, differences);
}

/// How a role's invocation ended.
enum Ended<'a> {
    NotInvoked,
    Failed(&'a samsyn_vocabulary::Failure),
    Held,
    Over(&'a InvocationStatus),
}

fn ended<'a>(outcome: &'a ItemOutcome<'_>, role: Role) -> Ended<'a> {
    match outcome.outcomes.iter().find(|outcome| outcome.role == role).map(|outcome| &outcome.result) {
        None => Ended::NotInvoked,
        Some(InvocationStatus::Parked(failure)) => Ended::Failed(failure),
        Some(InvocationStatus::Held) => Ended::Held,
        Some(result) => Ended::Over(result),
    }
}

/// Whether both sides have effects that can be compared.
fn compare_results(
    base: &ItemOutcome<'_>,
    new: &ItemOutcome<'_>,
    input: &SmolStr,
    differences: &mut impl Differences,
) -> bool {
    let what = || What::Invocation(input.clone());
    let called = |role: &Role| base.outcomes.iter().chain(&new.outcomes).any(|outcome| outcome.role == *role);
    let roles = Role::ALL.into_iter().filter(called);
    let mut comparable = true;
    for role in roles {
        let none = &|| (None, None);
        match (ended(base, role), ended(new, role)) {
            (Ended::Failed(one), Ended::Failed(other))
                if (one.kind, &one.message) != (other.kind, &other.message) =>
            {
                let values = || (Some(one.message.clone().into()), Some(other.message.clone().into()));
                differences.differs(what(), Kind::Changed, &values);
            }
            (Ended::Failed(_) | Ended::Held, Ended::Failed(_) | Ended::Held)
            | (Ended::NotInvoked, Ended::NotInvoked) => differences.same(what()),
            (_, Ended::Failed(failure)) => {
                let values = || (None, Some(failure.message.clone().into()));
                differences.differs(what(), Kind::Failed, &values);
                comparable = false;
            }
            (Ended::Failed(failure), Ended::Over(_)) => {
                let values = || (Some(failure.message.clone().into()), None);
                differences.differs(what(), Kind::Mended, &values);
                comparable = false;
            }
            (Ended::Held, Ended::Over(_)) => {
                differences.differs(what(), Kind::Mended, none);
                comparable = false;
            }
            (Ended::NotInvoked, _) => differences.differs(what(), Kind::Added, none),
            (_, Ended::NotInvoked) => differences.differs(what(), Kind::Gone, none),
            (Ended::Over(one), Ended::Over(other)) if one != other => {
                differences.differs(what(), Kind::Changed, none);
            }
            (Ended::Over(_), Ended::Over(_)) => differences.same(what()),
            (Ended::Over(_), Ended::Held) => differences.differs(what(), Kind::Gone, none),
        }
    }
    comparable
}

/// The claims of fields that either side spoke of, as they stand afterwards.
fn compare_claims(
    base: Side<'_>,
    new: Side<'_>,
    capability: &CapabilityName,
    differences: &mut impl Differences,
) {
    let outcomes = base.outcome.outcomes.iter().chain(&new.outcome.outcomes);
    let touched =
        outcomes.flat_map(|outcome| outcome.claims.iter().map(|(field, _)| (field, outcome.generation)));
    let mut touched: Vec<(&FieldName, u32)> = touched.collect();
    touched.sort_unstable();
    touched.dedup();
    for (field, generation) in touched {
        let (one, other) =
            (base.claim(capability, generation, field), new.claim(capability, generation, field));
        let what = What::Field(field.clone());
        if one == other {
            differences.same(what);
            continue;
        }
        let kind = match (one.is_some_and(Option::is_some), other.is_some_and(Option::is_some)) {
            (false, true) => Kind::Added,
            (true, false) => Kind::Gone,
            _ => Kind::Changed,
        };
        let tree = |claim: Option<&Option<Value>>| claim?.as_ref().map(Value::to_json);
        differences.differs(what, kind, &|| (tree(one), tree(other)));
    }
}

/// What each side emitted, event by event in their order.
fn compare_emitted(base: &[Cow<'_, Emitted>], new: &[Cow<'_, Emitted>], differences: &mut impl Differences) {
    let mut names: Vec<&EventName> = base.iter().chain(new).map(|emitted| &emitted.name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (one, other) = (named(base, name), named(new, name));
        for index in 0..one.len().max(other.len()) {
            let what = What::Event(name.clone());
            let (one, other) = (one.get(index), other.get(index));
            let Some(kind) = Kind::between(one, other) else {
                differences.same(what);
                continue;
            };
            differences.differs(what, kind, &|| {
                (one.map(|event| properties(event)), other.map(|event| properties(event)))
            });
        }
    }
}

/// The properties of each event of that name.
fn named<'a>(emitted: &'a [Cow<'_, Emitted>], name: &EventName) -> Vec<&'a Vec<Property>> {
    emitted.iter().filter(|event| event.name == *name).map(|event| &event.properties).collect()
}

fn properties(properties: &[Property]) -> Tree {
    let members = properties.iter().map(|property| (property.name.clone(), property.value.to_json()));
    Tree::Object(members.collect())
}

/// What is remembered afterwards, when either side changed it. Its bytes are the plug-in's own
/// affair, so no example shows them.
fn compare_memory(
    base: Side<'_>,
    new: Side<'_>,
    capability: &CapabilityName,
    differences: &mut impl Differences,
) {
    let changed = |outcome: &&Cow<'_, Outcome>| outcome.memory.is_some();
    let Some(outcome) = base.outcome.outcomes.iter().chain(&new.outcome.outcomes).find(changed) else {
        return;
    };
    let generation = outcome.generation;
    match Kind::between(base.memory(capability, generation), new.memory(capability, generation)) {
        Some(kind) => differences.differs(What::Memory, kind, &|| (None, None)),
        None => differences.same(What::Memory),
    }
}

/// What else each side asked for: of each kind and subject the last.
fn compare_actions(base: &ItemOutcome<'_>, new: &ItemOutcome<'_>, differences: &mut impl Differences) {
    fn of<'a>(outcome: &'a ItemOutcome<'_>) -> BTreeMap<(&'a str, &'a str), Option<&'a Value>> {
        let actions = outcome.outcomes.iter().flat_map(|outcome| &outcome.actions);
        actions.map(|Action { name, subject, value }| ((&**name, &**subject), value.as_ref())).collect()
    }
    let (one, other) = (of(base), of(new));
    let mut asked: Vec<_> = one.keys().chain(other.keys()).collect();
    asked.sort_unstable();
    asked.dedup();
    for key in asked {
        let (name, subject) = key;
        let what = What::Action(format_smolstr!("{name} {subject}"));
        let (one, other) = (one.get(key), other.get(key));
        let Some(kind) = Kind::between(one, other) else {
            differences.same(what);
            continue;
        };
        let tree =
            |value: Option<&Option<&Value>>| value.map(|value| value.map_or(Tree::Null, Value::to_json));
        differences.differs(what, kind, &|| (tree(one), tree(other)));
    }
}

/// The requests that each side began, endpoint by endpoint in their order. A key is the host's own affair.
fn compare_calls(base: &ItemOutcome<'_>, new: &ItemOutcome<'_>, differences: &mut impl Differences) {
    fn of<'a>(outcome: &'a ItemOutcome<'_>) -> Vec<&'a Call> {
        outcome.outcomes.iter().flat_map(|outcome| &outcome.calls).collect()
    }
    fn said(call: &Call) -> Call {
        let body = call.body.clone().map(|body| CallBody { before: 0, ..body });
        Call { body, key: None, silent: false, ..call.clone() }
    }
    let (one, other) = (of(base), of(new));
    let mut endpoints: Vec<_> = one.iter().chain(&other).map(|call| &call.endpoint).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    for endpoint in endpoints {
        let to = |calls: &[&Call]| -> Vec<Call> {
            calls.iter().filter(|call| call.endpoint == *endpoint).map(|call| said(call)).collect()
        };
        let (one, other) = (to(&one), to(&other));
        for index in 0..one.len().max(other.len()) {
            let what = What::Action(format_smolstr!("call {endpoint}"));
            let (one, other) = (one.get(index), other.get(index));
            let Some(kind) = Kind::between(one, other) else {
                differences.same(what);
                continue;
            };
            let tree = |call: Option<&Call>| {
                call.map(|call| {
                    let body = call.body.as_ref().map(|body| body.digest.to_string());
                    serde_json::json!({ "method": call.method, "path": call.path, "query": call.query, "body": body })
                })
            };
            differences.differs(what, kind, &|| (tree(one), tree(other)));
        }
    }
}

/// What each side found in the answer to a look-up.
fn compare_findings(base: &ItemOutcome<'_>, new: &ItemOutcome<'_>, differences: &mut impl Differences) {
    let (one, other) = (base.finding, new.finding);
    if one.is_none() && other.is_none() {
        return;
    }
    let what = What::Action("finding of a look-up".into());
    let tree = |finding: Option<Finding>| serde_json::to_value(finding?).ok();
    match Kind::between(one, other) {
        Some(kind) => differences.differs(what, kind, &|| (tree(one), tree(other))),
        None => differences.same(what),
    }
}

fn compare_refusals(base: &ItemOutcome<'_>, new: &ItemOutcome<'_>, differences: &mut impl Differences) {
    fn of<'a>(outcome: &'a ItemOutcome<'_>) -> Vec<&'a Refusal> {
        outcome.outcomes.iter().flat_map(|outcome| &outcome.refusals).collect()
    }
    let (mut one, other) = (of(base), of(new));
    for refusal in other {
        let what = What::Refusal(refusal_name(refusal));
        match one.iter().position(|other| other.code == refusal.code && other.field == refusal.field) {
            Some(index) => {
                let before = one.remove(index);
                if before.message == refusal.message {
                    differences.same(what);
                } else {
                    let values =
                        || (Some(before.message.clone().into()), Some(refusal.message.clone().into()));
                    differences.differs(what, Kind::Changed, &values);
                }
            }
            None => {
                let values = || (None, Some(refusal.message.clone().into()));
                differences.differs(what, Kind::Refused, &values);
            }
        }
    }
    for refusal in one {
        let what = What::Refusal(refusal_name(refusal));
        differences.differs(what, Kind::Gone, &|| (Some(refusal.message.clone().into()), None));
    }
}

fn refusal_name(refusal: &Refusal) -> SmolStr {
    match &refusal.field {
        Some(field) => format_smolstr!("{field}: {}", refusal.code),
        None => SmolStr::new(&refusal.code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_vocabulary::{Digest, ProfileId, Timestamp};

    fn asked(actions: &[(&str, &str, Option<i64>)]) -> ItemOutcome<'static> {
        let action = |(name, subject, value): &(&str, &str, Option<i64>)| Action {
            name: (*name).to_owned(),
            subject: (*subject).to_owned(),
            value: value.map(Value::Integer),
        };
        let outcome = Outcome {
            capability: "probe".parse().unwrap(),
            generation: 1,
            role: Role::Subscriber,
            digest: Digest::of(b"component"),
            settings: 0,
            result: InvocationStatus::Done,
            claims: Vec::new(),
            refusals: Vec::new(),
            memory: None,
            actions: actions.iter().map(action).collect(),
            calls: Vec::new(),
        };
        ItemOutcome { outcomes: vec![Cow::Owned(outcome)], ..ItemOutcome::default() }
    }

    #[test]
    fn a_finding_of_a_look_up_that_changes_is_a_difference() {
        let state = ProfileState::new(ProfileId::random(), Timestamp(0));
        let judged = |finding| ItemOutcome { finding, ..asked(&[]) };
        for (one, other, kind) in [
            (Some(Finding::Found), Some(Finding::Found), None),
            (Some(Finding::Found), Some(Finding::Absent), Some(Kind::Changed)),
            (None, Some(Finding::Absent), Some(Kind::Added)),
            (Some(Finding::Unknown), None, Some(Kind::Gone)),
        ] {
            let (base, new) = (judged(one), judged(other));
            let side = |outcome| Side { outcome, state: &state };
            let (capability, mut seen) = ("probe".parse().unwrap(), Seen::default());
            compare(side(&base), side(&new), &capability, &SmolStr::new("answer of system"), &mut seen);
            let findings: Vec<_> = seen.0.into_iter().filter(|(what, ..)| what.contains("finding")).collect();
            let word =
                |finding: Option<Finding>| finding.map(|finding| serde_json::to_value(finding).unwrap());
            let values = if kind.is_some() { (word(one), word(other)) } else { (None, None) };
            assert_eq!(findings, [("Action(\"finding of a look-up\")".to_owned(), kind, values)]);
        }
    }

    #[derive(Default)]
    struct Seen(Vec<(String, Option<Kind>, Values)>);

    impl Differences for Seen {
        fn same(&mut self, what: What) {
            self.0.push((format!("{what:?}"), None, (None, None)));
        }

        fn differs(&mut self, what: What, kind: Kind, values: &dyn Fn() -> Values) {
            self.0.push((format!("{what:?}"), Some(kind), values()));
        }
    }

    #[test]
    fn actions_are_compared_by_their_kind_and_what_they_are_about() {
        let base = asked(&[("wake", "a", Some(1)), ("wake", "b", Some(1)), ("stop", "a", None)]);
        let new = asked(&[("wake", "a", Some(1)), ("wake", "b", Some(2)), ("stop", "c", None)]);
        let state = ProfileState::new(ProfileId::random(), Timestamp(0));
        let side = |outcome| Side { outcome, state: &state };
        let (capability, mut seen) = ("probe".parse().unwrap(), Seen::default());
        compare(side(&base), side(&new), &capability, &SmolStr::new("probe.asked"), &mut seen);
        let actions: Vec<_> = seen.0.into_iter().filter(|(what, ..)| what.starts_with("Action")).collect();
        let number = |number: i64| Some(Tree::from(number));
        let action = |name: &str| format!("Action({name:?})");
        assert_eq!(
            actions,
            [
                (action("stop a"), Some(Kind::Gone), (Some(Tree::Null), None)),
                (action("stop c"), Some(Kind::Added), (None, Some(Tree::Null))),
                (action("wake a"), None, (None, None)),
                (action("wake b"), Some(Kind::Changed), (number(1), number(2))),
            ]
        );
    }
}
