//! Departments that keep the same field, each in a system of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Severity, listed};
use super::{claimers, department, same_department};
use crate::{Capability, Registry};
use samsyn_vocabulary::{CapabilityName, FieldName};

/// What two departments both keep.
#[derive(Default)]
struct Shared {
    fields: BTreeSet<FieldName>,
    /// The systems of the first and of the second.
    systems: [BTreeSet<CapabilityName>; 2],
    names: [String; 2],
}

/// Pairs of departments whose systems source the same fields.
pub fn same_field(registry: &Registry) -> Vec<Finding> {
    let mut pairs: BTreeMap<[String; 2], Shared> = BTreeMap::new();
    for field in registry.fields.keys() {
        let by = claimers(registry, field);
        for (index, one) in by.iter().enumerate() {
            for other in by[index + 1..].iter().filter(|other| !same_department(one.1, other.1)) {
                add(&mut pairs, field, *one, *other);
            }
        }
    }
    pairs.into_values().map(finding).collect()
}

type System<'a> = (&'a CapabilityName, &'a Capability);

fn add(pairs: &mut BTreeMap<[String; 2], Shared>, field: &FieldName, one: System<'_>, other: System<'_>) {
    let mut systems = [one, other];
    systems.sort_by_key(|(_, capability)| department(capability).to_lowercase());
    let shared =
        pairs.entry(systems.map(|(_, capability)| department(capability).to_lowercase())).or_default();
    shared.fields.insert(field.clone());
    for (side, (name, capability)) in systems.into_iter().enumerate() {
        shared.systems[side].insert(name.clone());
        if shared.names[side].is_empty() {
            shared.names[side] = department(capability).to_owned();
        }
    }
}

fn finding(shared: Shared) -> Finding {
    let Shared { fields, systems, names: [one, other] } = shared;
    let fields: Vec<FieldName> = fields.into_iter().collect();
    let field = fields.first().map(ToString::to_string).unwrap_or_default();
    Finding {
        explanation: format!(
            "{one} (in {}) and {other} (in {}) both keep {}. If their values differ, the two \
            departments tell a customer different things.",
            listed(&systems[0]),
            listed(&systems[1]),
            listed(&fields)
        ),
        mend: "Agree on one responsible department for each field. First see where the values \
        differ; then assign the field to that system."
            .to_owned(),
        command: if fields.len() == 1 {
            format!("samsyn field disagreements {field}")
        } else {
            "samsyn field disagreements".to_owned()
        },
        fields,
        capabilities: systems.into_iter().flatten().collect(),
        ..Finding::new(Severity::Warning, "departments-same-field")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plugin, registry};
    use super::*;

    #[test]
    fn two_departments_are_told_once_with_all_they_share() {
        let registry = registry(&[
            Plugin::new("crm").owner("Customer data team").sources(&["email", "phone", "country"]),
            Plugin::new("service-desk").owner("Customer service").sources(&["email", "phone"]),
            Plugin::new("tickets").owner("customer service ").sources(&["email"]),
        ]);
        let [finding] = &same_field(&registry)[..] else { panic!() };
        assert_eq!((finding.code, finding.severity), ("departments-same-field", Severity::Warning));
        assert!(
            finding.explanation.starts_with(
                "Customer data team (in crm) and Customer service (in service-desk and tickets) both keep email and phone."
            ),
            "{}",
            finding.explanation
        );
    }

    #[test]
    fn one_department_may_have_two_systems() {
        let registry =
            registry(&[Plugin::new("a").sources(&["email"]), Plugin::new("b").sources(&["email"])]);
        assert_eq!(same_field(&registry).len(), 0);
    }
}
