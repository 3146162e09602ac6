//! Fields and their sources: claimed twice, by nobody, for nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, INSTALL, Severity, listed};
use super::{claimers, same_department};
use crate::Registry;
use samsyn_vocabulary::{CapabilityName, FieldName};

/// Fields that two or more capabilities make claims for. Meant to be while systems are compared or
/// swapped, and a silo when it stays.
pub fn claimed_twice(registry: &Registry) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, field) in &registry.fields {
        let by = claimers(registry, name);
        if by.len() < 2 {
            continue;
        }
        let one_department = by.windows(2).all(|pair| same_department(pair[0].1, pair[1].1));
        let claimants = listed(by.iter().map(|(name, _)| name));
        let counts = match &field.source {
            Some(source) if !field.inherits.is_empty() => format!(
                "{source}'s claim is the value; without one, the claim of {} is",
                listed(&field.inherits)
            ),
            Some(source) => {
                format!("{source}'s claim is the value; only administrators see the other claims")
            }
            None => "none of them is the source, so there is no visible value".to_owned(),
        };
        let systems = if one_department { "systems of one department" } else { "systems" };
        findings.push(Finding {
            fields: vec![name.clone()],
            capabilities: by.iter().map(|(name, _)| (*name).clone()).collect(),
            explanation: format!(
                "{claimants} make claims for {name}: {} {systems} keep the same data point. {counts}.",
                by.len()
            ),
            mend: "Compare their claims. Where they agree, one of them is enough; where they differ, \
            decide which one is the source."
                .to_owned(),
            command: format!("samsyn field disagreements {name}"),
            ..Finding::new(
                if field.source.is_none() { Severity::Warning } else { Severity::Note },
                "field-claimed-twice",
            )
        });
    }
    findings
}

/// Fields with claims of one capability, that isn't their source: kept, and seen by nobody.
pub fn claimed_without_source(registry: &Registry) -> Vec<Finding> {
    let mut findings = Vec::new();
    // A proposed field has none because nobody accepted it: another finding.
    let defined = registry.fields.iter().filter(|(_, field)| field.status.is_defined());
    for (name, _) in defined.filter(|(_, field)| field.source.is_none()) {
        let [(by, _)] = claimers(registry, name)[..] else { continue };
        findings.push(Finding {
            fields: vec![name.clone()],
            capabilities: vec![by.clone()],
            explanation: format!(
                "{by} makes claims for {name}, and the field has no source: no application and no \
                plug-in sees a value, and proposals wait."
            ),
            mend: format!("Make {by} the source, or remove the field from its next version."),
            command: format!("samsyn field assign {name} {by}"),
            ..Finding::new(Severity::Warning, "field-without-source")
        });
    }
    findings
}

/// Fields with a source that no capability was granted to read, source by source. Applications may
/// read them over HTTP.
pub fn sourced_never_read(registry: &Registry) -> Vec<Finding> {
    let read: BTreeSet<&FieldName> =
        registry.routing.capabilities.iter().flat_map(|routed| &routed.reads).collect();
    let mut unread: BTreeMap<&CapabilityName, Vec<FieldName>> = BTreeMap::new();
    for (name, field) in &registry.fields {
        if let Some(source) = field.source.as_ref().filter(|_| !read.contains(name)) {
            unread.entry(source).or_default().push(name.clone());
        }
    }
    let finding = |(source, fields): (&CapabilityName, Vec<FieldName>)| Finding {
        explanation: format!(
            "No capability reads {}, and {source} is the source: only {source} and the applications \
            use the value.",
            listed(&fields)
        ),
        mend: format!(
            "A capability that needs the field can declare it under [consumes]. If applications \
            don't read it either, remove it from {source}'s next version."
        ),
        command: INSTALL.to_owned(),
        fields,
        capabilities: vec![source.clone()],
        ..Finding::new(Severity::Note, "sourced-never-read")
    };
    unread.into_iter().map(finding).collect()
}

/// Fields that capabilities ask to read and that have no source.
pub fn consumed_without_source(registry: &Registry) -> Vec<Finding> {
    let mut readers: BTreeMap<&FieldName, Vec<CapabilityName>> = BTreeMap::new();
    for (name, capability) in &registry.capabilities {
        for field in capability.manifest.consumes.keys() {
            readers.entry(field).or_default().push(name.clone());
        }
    }
    readers.retain(|field, _| registry.source_of(field.as_str()).is_none());
    let finding = |(field, readers): (&FieldName, Vec<CapabilityName>)| {
        let claimed_by = claimers(registry, field);
        let (mend, command) = match claimed_by.first() {
            Some((by, _)) => {
                let all = listed(claimed_by.iter().map(|(name, _)| name));
                (
                    format!("Make one of the capabilities with claims the source: {all}."),
                    format!("samsyn field assign {field} {by}"),
                )
            }
            None => (
                format!(
                    "Install a plug-in that declares {field} under [sources], or remove it from the \
                    next version of {}.",
                    listed(&readers)
                ),
                INSTALL.to_owned(),
            ),
        };
        Finding {
            explanation: format!(
                "{} {} {field}, which has no source: there is never a value.",
                listed(&readers),
                if readers.len() == 1 { "reads" } else { "read" }
            ),
            mend,
            command,
            fields: vec![field.clone()],
            capabilities: readers,
            ..Finding::new(Severity::Error, "consumed-without-source")
        }
    };
    readers.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plugin, registry};
    use super::*;

    #[test]
    fn a_field_with_two_claimers_is_told_with_both() {
        let registry = registry(&[
            Plugin::new("crm").sources(&["country", "email"]),
            Plugin::new("sms").sources(&["country"]),
        ]);
        let [finding] = &claimed_twice(&registry)[..] else { panic!() };
        assert_eq!((finding.severity, finding.code), (Severity::Note, "field-claimed-twice"));
        assert_eq!(
            finding.explanation,
            "crm and sms make claims for country: 2 systems of one department keep \
            the same data point. crm's claim is the value; only administrators see the other claims."
        );
        assert_eq!(finding.command, "samsyn field disagreements country");
    }

    #[test]
    fn claims_that_nobody_sees_are_a_warning() {
        let mut registry = registry(&[
            Plugin::new("crm").sources(&["country", "email"]),
            Plugin::new("sms").sources(&["country"]),
        ]);
        super::super::tests::unassign(&mut registry, "country");
        super::super::tests::unassign(&mut registry, "email");
        assert_eq!(claimed_twice(&registry)[0].severity, Severity::Warning);
        let [finding] = &claimed_without_source(&registry)[..] else { panic!() };
        assert_eq!((finding.code, finding.severity), ("field-without-source", Severity::Warning));
        assert_eq!(finding.command, "samsyn field assign email crm");
    }

    #[test]
    fn what_nobody_reads_is_told_source_by_source() {
        let registry = registry(&[
            Plugin::new("crm").sources(&["country", "email", "phone"]),
            Plugin::new("mail").consumes(&["email"]),
        ]);
        let [finding] = &sourced_never_read(&registry)[..] else { panic!() };
        assert_eq!(listed(&finding.fields), "country and phone");
        assert_eq!((finding.code, finding.severity), ("sourced-never-read", Severity::Note));
    }

    #[test]
    fn what_is_read_must_have_a_source() {
        let mut registry = registry(&[
            Plugin::new("crm").sources(&["email"]),
            Plugin::new("mail").consumes(&["email", "nickname"]),
            Plugin::new("push").consumes(&["nickname"]),
        ]);
        let [finding] = &consumed_without_source(&registry)[..] else { panic!() };
        assert_eq!((finding.code, finding.severity), ("consumed-without-source", Severity::Error));
        assert_eq!(
            finding.explanation,
            "mail and push read nickname, which has no source: there is never a value."
        );
        assert_eq!(finding.command, INSTALL);
        super::super::tests::unassign(&mut registry, "email");
        assert_eq!(consumed_without_source(&registry)[0].command, "samsyn field assign email crm");
    }
}
