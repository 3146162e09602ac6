//! Cycles: capabilities that wait for each other, through fields or through emitted events.
//!
//! A cycle of *triggers* runs by itself: a value or event of one makes the next one act, until the
//! first acts again. Every chain of causes has an end (16 generations), but that end is an error on
//! a customer's timeline. A cycle of *reads* only means that none of them can be understood, tested
//! or replaced without the others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::finding::{Finding, INSTALL, Severity, listed};
use crate::Registry;
use samsyn_vocabulary::{CapabilityName, EventName, FieldName};

/// What one capability has of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Via<'a> {
    /// It hears the event.
    Event(&'a EventName),
    /// It is told of changes of the field.
    Notified(&'a FieldName),
    /// It reads the field when it is called for something else.
    Read(&'a FieldName),
}

/// From whom, to whom, how; the first way is the one that is told.
type Edges<'a> = BTreeMap<&'a CapabilityName, BTreeMap<&'a CapabilityName, Via<'a>>>;

/// Every cycle, one a group of capabilities that hang together; the shortest is shown.
pub fn cycles(registry: &Registry) -> Vec<Finding> {
    let triggers = edges(registry, false);
    let mut findings: Vec<Finding> =
        shortest_cycles(&triggers).iter().map(|cycle| triggering(cycle)).collect();
    let found: Vec<BTreeSet<CapabilityName>> =
        findings.iter().map(|finding| finding.capabilities.iter().cloned().collect()).collect();
    for cycle in shortest_cycles(&edges(registry, true)) {
        let members: BTreeSet<CapabilityName> = cycle.iter().map(|(from, _)| (*from).clone()).collect();
        // The same capabilities were told of as a cycle that is worse.
        if !found.contains(&members) {
            findings.push(reading(&cycle));
        }
    }
    findings
}

fn edges(registry: &Registry, with_reads: bool) -> Edges<'_> {
    let mut edges: Edges<'_> = BTreeMap::new();
    let routing = &registry.routing;
    let mut all: Vec<(&CapabilityName, &CapabilityName, Via<'_>)> = Vec::new();
    for (from, capability) in &registry.capabilities {
        for event in capability.manifest.emits.keys() {
            let hearing = routing.capabilities.iter().filter(|routed| routed.hears(event).is_some());
            all.extend(hearing.map(|routed| (from, &routed.name, Via::Event(event))));
        }
    }
    for (field, entry) in &registry.fields {
        let Some(from) = &entry.source else { continue };
        for routed in &routing.capabilities {
            if routed.observes(field) {
                all.push((from, &routed.name, Via::Notified(field)));
            } else if with_reads && routed.reads.contains(field) {
                all.push((from, &routed.name, Via::Read(field)));
            }
        }
    }
    // Nobody hears of their own.
    all.retain(|(from, to, _)| from != to);
    all.sort();
    for (from, to, via) in all {
        edges.entry(from).or_default().entry(to).or_insert(via);
    }
    edges
}

/// A cycle: each of its capabilities and what the next one has of it.
type Cycle<'a> = Vec<(&'a CapabilityName, Via<'a>)>;

fn shortest_cycles<'a>(edges: &Edges<'a>) -> Vec<Cycle<'a>> {
    let mut reported: BTreeSet<&CapabilityName> = BTreeSet::new();
    let mut cycles = Vec::new();
    for start in edges.keys().copied() {
        if reported.contains(start) {
            continue;
        }
        let came_from = reachable(edges, start);
        if !came_from.contains_key(start) {
            continue;
        }
        // What can be reached and reaches back is in a cycle with the start.
        reported.extend(came_from.keys().filter(|other| reachable(edges, other).contains_key(start)));
        cycles.push(path_back(edges, start, &came_from));
    }
    cycles
}

/// The capabilities that can be reached from a capability over at least one edge, nearest first, each with the
/// one before it.
fn reachable<'a>(
    edges: &Edges<'a>,
    start: &CapabilityName,
) -> BTreeMap<&'a CapabilityName, &'a CapabilityName> {
    let mut came_from = BTreeMap::new();
    let mut next: VecDeque<&CapabilityName> = edges.keys().copied().filter(|is| *is == start).collect();
    while let Some(from) = next.pop_front() {
        for to in edges.get(from).into_iter().flat_map(BTreeMap::keys).copied() {
            let from = edges.get_key_value(from).map(|(from, _)| *from);
            if let Some(from) = from.filter(|_| !came_from.contains_key(to)) {
                came_from.insert(to, from);
                next.push_back(to);
            }
        }
    }
    came_from
}

fn path_back<'a>(
    edges: &Edges<'a>,
    start: &CapabilityName,
    came_from: &BTreeMap<&'a CapabilityName, &'a CapabilityName>,
) -> Cycle<'a> {
    let mut cycle = Vec::new();
    let mut to = start;
    // At most once through everybody.
    for _ in 0..came_from.len() {
        let Some(from) = came_from.get(to).copied() else { break };
        if let Some(via) = edges.get(from).and_then(|edges| edges.get(to)) {
            cycle.push((from, via.clone()));
        }
        to = from;
        if to == start {
            break;
        }
    }
    cycle.reverse();
    cycle
}

fn steps(cycle: &Cycle<'_>) -> String {
    let mut steps = Vec::new();
    for (index, (from, via)) in cycle.iter().enumerate() {
        let to = cycle[(index + 1) % cycle.len()].0;
        steps.push(match via {
            Via::Event(event) => format!("{from} emits {event}, which {to} receives"),
            Via::Notified(field) => format!("{from} sets {field}, and {to} is notified"),
            Via::Read(field) => format!("{from} sets {field}, which {to} reads"),
        });
    }
    steps.join("; ")
}

fn finding(cycle: &Cycle<'_>, severity: Severity, code: &'static str) -> Finding {
    let mut finding = Finding::new(severity, code);
    for (from, via) in cycle {
        finding.capabilities.push((*from).clone());
        match via {
            Via::Event(event) => finding.events.push(event.to_string()),
            Via::Notified(field) | Via::Read(field) => finding.fields.push((*field).clone()),
        }
    }
    finding.command = INSTALL.to_owned();
    finding
}

fn triggering(cycle: &Cycle<'_>) -> Finding {
    let finding = finding(cycle, Severity::Warning, "cycle-of-triggers");
    Finding {
        explanation: format!(
            "{} trigger each other: {}. One event can repeat up to its limit of 16 generations; the \
            customer's timeline then shows an error.",
            listed(&finding.capabilities),
            steps(cycle)
        ),
        mend: "Break the cycle at one place: set notify = false for a reader that needs no \
        notification, or remove a subscription that is not needed."
            .to_owned(),
        ..finding
    }
}

fn reading(cycle: &Cycle<'_>) -> Finding {
    let finding = finding(cycle, Severity::Note, "cycle-of-reads");
    Finding {
        explanation: format!(
            "{} depend on each other: {}. Nothing repeats, but you can't replace one of them without \
            the others.",
            listed(&finding.capabilities),
            steps(cycle)
        ),
        mend: "Check whether one of the fields belongs to the other capability, or is not needed.".to_owned(),
        ..finding
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plugin, registry};
    use super::*;

    #[test]
    fn a_cycle_of_triggers_is_told_step_by_step() {
        let registry = registry(&[
            Plugin::new("crm").sources(&["phone"]).hears("sms.moved"),
            Plugin::new("sms").notified(&["phone"]).emits("sms.moved"),
            Plugin::new("email").sources(&["email.deliverable"]),
        ]);
        let [finding] = &cycles(&registry)[..] else { panic!() };
        assert_eq!((finding.code, finding.severity), ("cycle-of-triggers", Severity::Warning));
        assert!(
            finding.explanation.starts_with(
                "crm and sms trigger each other: crm sets phone, and sms is notified; sms emits sms.moved, \
                 which crm receives."
            ),
            "{}",
            finding.explanation
        );
        assert_eq!(finding.events, ["sms.moved"]);
    }

    #[test]
    fn of_a_group_the_shortest_cycle_is_told_once() {
        let registry = registry(&[
            Plugin::new("a").sources(&["fa"]).notified(&["fc", "fb"]),
            Plugin::new("b").sources(&["fb"]).notified(&["fa"]),
            Plugin::new("c").sources(&["fc"]).notified(&["fb"]),
        ]);
        let [finding] = &cycles(&registry)[..] else { panic!() };
        assert_eq!(listed(&finding.capabilities), "a and b");
    }

    #[test]
    fn reading_each_other_is_less_than_setting_each_other_going() {
        let registry = registry(&[
            Plugin::new("a").sources(&["fa"]).consumes(&["fb"]),
            Plugin::new("b").sources(&["fb"]).notified(&["fa"]),
        ]);
        let [finding] = &cycles(&registry)[..] else { panic!() };
        assert_eq!((finding.code, finding.severity), ("cycle-of-reads", Severity::Note));
    }

    #[test]
    fn what_ends_is_no_cycle_and_nobody_hears_of_their_own() {
        let registry = registry(&[
            Plugin::new("a").sources(&["fa"]).emits("a.done").hears("a.*"),
            Plugin::new("b").sources(&["fb"]).notified(&["fa"]),
            Plugin::new("c").notified(&["fa", "fb"]),
        ]);
        assert_eq!(cycles(&registry), []);
    }
}
