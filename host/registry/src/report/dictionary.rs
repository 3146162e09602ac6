//! Fields of the dictionary that somebody has to decide about: proposed ones, and those that should
//! no longer be used.

use super::claimers;
use super::finding::{Finding, INSTALL, Severity, listed};
use crate::{FieldStatus, Registry};
use samsyn_vocabulary::CapabilityName;

/// Fields that a plug-in brought and nobody accepted yet.
pub fn proposed(registry: &Registry) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, field) in &registry.fields {
        let FieldStatus::Proposed { by } = &field.status else { continue };
        findings.push(Finding {
            fields: vec![name.clone()],
            capabilities: vec![by.clone()],
            explanation: format!(
                "{by} added {name}, and nobody has accepted it: the host keeps its claims, and no value is visible."
            ),
            mend: "Check whether the dictionary has this field under another name; if not, accept it.".to_owned(),
            command: format!("samsyn field accept {name}"),
            ..Finding::new(Severity::Warning, "field-proposed")
        });
    }
    findings
}

/// Deprecated fields that plug-ins still claim or ask to read.
pub fn deprecated_in_use(registry: &Registry) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, field) in &registry.fields {
        let Some(instead) = &field.deprecated else { continue };
        let claims = claimers(registry, name).into_iter().map(|(by, _)| by.clone());
        let reads = registry.capabilities.iter().filter(|(_, is)| is.manifest.consumes.contains_key(name));
        let mut users: Vec<CapabilityName> = claims.chain(reads.map(|(by, _)| by.clone())).collect();
        users.sort();
        if users.is_empty() {
            continue;
        }
        findings.push(Finding {
            fields: vec![name.clone()],
            explanation: format!(
                "{name} is deprecated ({}), and {} still {} it.",
                instead.trim_end_matches('.'),
                listed(&users),
                if users.len() == 1 { "uses" } else { "use" }
            ),
            mend: "Use the replacement in their next versions.".to_owned(),
            command: INSTALL.to_owned(),
            capabilities: users,
            ..Finding::new(Severity::Warning, "deprecated-in-use")
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plugin, redefine, registry};
    use super::*;

    #[test]
    fn what_nobody_accepted_is_told_with_the_command_that_does() {
        let mut registry = registry(&[Plugin::new("crm").sources(&["nickname", "email"])]);
        assert_eq!(proposed(&registry), []);
        let by = CapabilityName::new("crm").unwrap();
        redefine(&mut registry, "nickname", |field| field.status = FieldStatus::Proposed { by });
        let [finding] = &proposed(&registry)[..] else { panic!() };
        assert_eq!((finding.code, finding.severity), ("field-proposed", Severity::Warning));
        assert_eq!(finding.command, "samsyn field accept nickname");
    }

    #[test]
    fn a_deprecated_field_is_told_while_somebody_uses_it() {
        let mut registry = registry(&[
            Plugin::new("crm").sources(&["fax", "telex"]),
            Plugin::new("mail").consumes(&["fax"]),
        ]);
        assert_eq!(deprecated_in_use(&registry), []);
        redefine(&mut registry, "fax", |field| field.deprecated = Some("use email.".to_owned()));
        let [finding] = &deprecated_in_use(&registry)[..] else { panic!() };
        assert_eq!(finding.explanation, "fax is deprecated (use email), and crm and mail still use it.");
    }
}
