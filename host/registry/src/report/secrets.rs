//! Secrets of which the host has no value: whoever uses one can't do its work.

use super::finding::{Finding, Severity, listed};
use crate::Registry;
use samsyn_vocabulary::SecretName;

/// A secret of which the host has no value, as its keeper says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valueless {
    /// Which.
    pub name: SecretName,
    /// Why not.
    pub why: String,
    /// What to do.
    pub next: String,
}

/// A finding for each: an error where something uses the secret.
pub fn valueless(registry: &Registry, secrets: &[Valueless]) -> Vec<Finding> {
    let finding = |Valueless { name, why, next }: &Valueless| {
        let uses = registry.uses_of_secret(name);
        let (severity, used) = match uses.is_empty() {
            true => (Severity::Warning, String::new()),
            false => (Severity::Error, format!(" It is in use: {}.", listed(&uses))),
        };
        Finding {
            capabilities: uses.iter().map(|is| is.capability().clone()).collect(),
            explanation: format!("The host has no value of the secret {name}: {why}.{used}"),
            mend: format!("{}{}.", next[..1].to_uppercase(), &next[1..]),
            command: format!("samsyn secret set {name} --file FILE"),
            ..Finding::new(severity, "secret-without-value")
        }
    };
    secrets.iter().map(finding).collect()
}
