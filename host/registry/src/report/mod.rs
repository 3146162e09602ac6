//! The silo report: where the registry's declarations, put side by side, show that departments
//! keep the same thing twice, wait for each other, or ask for more than they use.
//!
//! [`Report::of`] is a pure function of the registry and of what was used; each finding is a small
//! function of its own.

mod calls;
mod cycles;
mod departments;
mod dictionary;
mod endpoints;
mod finding;
mod look_alike;
mod refused_opt_outs;
mod secrets;
mod sources;
mod unused;
mod usage;

#[cfg(test)]
pub(crate) mod tests;

pub use calls::{Doubtful, Stuck, StuckCause};
pub use finding::{Finding, Severity};
pub(crate) use look_alike::meaning;
pub use secrets::Valueless;
pub use usage::{EVENT_NAMES_MAX, PAIRS_MAX, REFUSED_FIELDS_MAX, REFUSED_SAMPLES_MAX, RefusedOptOuts, Usage};

use super::{Capability, Registry};
use samsyn_vocabulary::{CapabilityName, FieldName, Seq, Timestamp};

/// What the registry can't know, and the host says.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Secrets of which it has no value.
    pub valueless: Vec<Valueless>,
    /// Endpoints to which nothing is sent though calls wait.
    pub stuck: Vec<Stuck>,
    /// Calls of which nobody knows whether they arrived.
    pub doubtful: Vec<Doubtful>,
}

/// Everything there is to say about a revision of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The revision.
    pub revision: Seq,
    /// How many findings are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// How many are notes.
    pub notes: usize,
    /// The worst first, then in the order of their codes and of what they are about.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Looks at everything, at this moment.
    pub fn of(registry: &Registry, usage: &Usage, now: Timestamp) -> Report {
        Report::with(registry, usage, &Beside::default(), now)
    }

    /// The same with what the host says.
    pub fn with(registry: &Registry, usage: &Usage, beside: &Beside, now: Timestamp) -> Report {
        let mut findings = secrets::valueless(registry, &beside.valueless);
        findings.extend(calls::stuck(&beside.stuck));
        findings.extend(calls::doubtful(&beside.doubtful));
        findings.extend(sources::claimed_twice(registry));
        findings.extend(sources::claimed_without_source(registry));
        findings.extend(sources::sourced_never_read(registry));
        findings.extend(sources::consumed_without_source(registry));
        findings.extend(dictionary::proposed(registry));
        findings.extend(dictionary::deprecated_in_use(registry));
        findings.extend(cycles::cycles(registry));
        findings.extend(unused::never_heard(registry, usage));
        findings.extend(unused::never_claimed(registry, usage));
        findings.extend(unused::never_emitted(registry, usage));
        findings.extend(unused::never_had_a_value(registry, usage));
        findings.extend(unused::too_many_names(usage));
        findings.extend(refused_opt_outs::refused(registry, usage));
        findings.extend(departments::same_field(registry));
        findings.extend(look_alike::look_alikes(registry));
        findings.extend(endpoints::not_bound(registry));
        findings.extend(endpoints::paused(registry));
        findings.extend(endpoints::knows_addresses(registry));
        findings.extend(endpoints::outgoing_paused(registry, now));
        findings.sort_by(|one, other| {
            let order = |is: &Finding| (is.code, is.fields.clone(), is.capabilities.clone());
            other.severity.cmp(&one.severity).then_with(|| order(one).cmp(&order(other)))
        });
        let count = |severity| findings.iter().filter(|is| is.severity == severity).count();
        Report {
            revision: registry.revision,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            findings,
        }
    }
}

/// The capabilities that make claims for a field, by name.
fn claimers<'a>(registry: &'a Registry, field: &FieldName) -> Vec<(&'a CapabilityName, &'a Capability)> {
    let all = registry.capabilities.iter().map(|(name, capability)| (name, capability.as_ref()));
    all.filter(|(_, capability)| capability.grant.sources().contains(field)).collect()
}

/// The department that answers for a capability, as it is written.
fn department(capability: &Capability) -> &str {
    capability.manifest.plugin.owner.trim()
}

/// Whether two capabilities are one department's: spelling in capitals makes no other.
fn same_department(one: &Capability, other: &Capability) -> bool {
    department(one).to_lowercase() == department(other).to_lowercase()
}
