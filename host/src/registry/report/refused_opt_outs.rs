//! Opt-outs that were refused. One may be right (an old file, sent again), and one may be a customer who is
//! contacted although they said no: somebody has to look.

use super::finding::{Finding, Severity, listed};
use super::usage::Usage;
use crate::registry::Registry;

/// Protective fields of which an opt-out was refused.
pub fn refused(registry: &Registry, usage: &Usage) -> Vec<Finding> {
    let known = usage.refused_opt_outs.iter().filter(|(field, _)| registry.fields.contains_key(*field));
    let finding = |(field, refused): (_, &super::RefusedOptOuts)| {
        let latest = refused.latest.last().map_or_else(|| "PROFILE".to_owned(), ToString::to_string);
        Finding {
            fields: vec![Clone::clone(field)],
            capabilities: registry.source_of(field.as_str()).cloned().into_iter().collect(),
            explanation: format!(
                "{} opt-outs of {field} were rejected, the latest of {}: they were older than a \
                consent, or the source rejected them.",
                refused.count,
                listed(&refused.latest)
            ),
            mend: "Check the timelines of these customers. If a customer should not be contacted, \
                propose the opt-out with the current time."
                .to_owned(),
            command: format!("samsyn profile timeline {latest}"),
            ..Finding::new(Severity::Warning, "opt-out-refused")
        }
    };
    known.map(finding).collect()
}
