//! What the records of a partition say of what is used, for the silo report.

use super::Decided;
use samsyn_registry::report::Usage;
use samsyn_vocabulary::EventName;

/// An event was accepted.
pub fn fold_usage_of_event(usage: &mut Usage, name: &EventName) {
    usage.event(name);
}

/// An item was decided. Most decisions say nothing new: then nothing is written.
pub fn fold_usage_of_decided(usage: &mut Usage, decided: &Decided) {
    for outcome in decided.outcomes.iter().filter(|outcome| !outcome.claims.is_empty()) {
        usage.claims(&outcome.capability, outcome.claims.iter().map(|(field, _)| field));
    }
    for emitted in &decided.emitted {
        usage.emission(&emitted.by, &emitted.name);
    }
    for field in &decided.refused_opt_outs {
        usage.refused_opt_out(field, decided.profile);
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode;
    use super::*;
    use samsyn_registry::report::{EVENT_NAMES_MAX, PAIRS_MAX, REFUSED_FIELDS_MAX, REFUSED_SAMPLES_MAX};
    use samsyn_vocabulary::{CapabilityName, FieldName, ProfileId};

    /// It stands in an entry of the view with a partition's cursors, and 48 KiB is the most.
    #[test]
    fn the_largest_usage_fits_into_an_entry_of_the_view() {
        let mut usage = Usage::default();
        let long = |prefix: &str, number: usize| format!("{prefix}{number:0>60}");
        for number in 0..EVENT_NAMES_MAX {
            usage.event(&EventName::new(&long("a", number)).unwrap());
        }
        for number in 0..PAIRS_MAX + 1 {
            let field = FieldName::new(&long("f", number)).unwrap();
            let by = CapabilityName::new(&long("c", number / 10)).unwrap();
            usage.claims(&by, [&field].into_iter());
        }
        for number in 0..REFUSED_FIELDS_MAX + 1 {
            let field = FieldName::new(&long("o", number)).unwrap();
            for _ in 0..2 * REFUSED_SAMPLES_MAX {
                usage.refused_opt_out(&field, ProfileId::random());
            }
        }
        usage.events.values_mut().for_each(|count| *count = u64::MAX);
        assert!(usage.pairs_overflow);
        assert!(encode(&usage).len() < 46 * 1024);
    }
}
