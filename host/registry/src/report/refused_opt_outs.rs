//! Opt-outs that were refused. One may be right (an old file, sent again), and one may be a customer who is
//! contacted although they said no: somebody has to look.

use super::finding::{Finding, Severity, listed};
use super::usage::Usage;
use crate::Registry;
use samsyn_vocabulary::ProfileId;

/// The customers' names; empty for a reader that may not know customers.
fn of_whom(latest: &[ProfileId]) -> String {
    if latest.is_empty() { String::new() } else { format!(", the latest of {}", listed(latest)) }
}

/// Protective fields of which an opt-out was refused.
pub fn refused(registry: &Registry, usage: &Usage) -> Vec<Finding> {
    let known = usage.refused_opt_outs.iter().filter(|(field, _)| registry.fields.contains_key(*field));
    let finding = |(field, refused): (_, &super::RefusedOptOuts)| {
        let latest = refused.latest.last().map_or_else(|| "PROFILE".to_owned(), ToString::to_string);
        Finding {
            fields: vec![Clone::clone(field)],
            capabilities: registry.source_of(field.as_str()).cloned().into_iter().collect(),
            explanation: format!(
                "{} opt-outs of {field} were rejected{}: they were older than a consent, or the source \
                 rejected them.",
                refused.count,
                of_whom(&refused.latest)
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
