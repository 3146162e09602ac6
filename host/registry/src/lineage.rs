//! Whose claim is the value: the assigned source's, else that of the former sources it inherits
//! from. The one place that knows the order; visibility, plans and notices all ask it.

use samsyn_vocabulary::CapabilityName;

/// Whose claims count for a field, first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage<'a> {
    /// The assigned source.
    pub source: Option<&'a CapabilityName>,
    /// Former sources whose claims stand in where it has none, newest first.
    pub inherits: &'a [CapabilityName],
    /// A latched opt-out comes before all of them.
    pub protective: bool,
}

impl<'a> Lineage<'a> {
    /// Whose claims count, in their order.
    pub fn speakers(self) -> impl Iterator<Item = &'a CapabilityName> {
        self.source.into_iter().chain(self.inherits)
    }

    /// The first capability with a claim, and the claim. `says` tells a capability's claim, if it has one;
    /// the claim that there is no value is one: those behind it aren't asked.
    pub fn pick<T>(
        self,
        mut says: impl FnMut(&'a CapabilityName) -> Option<Option<T>>,
    ) -> Option<(&'a CapabilityName, T)> {
        self.speakers()
            .find_map(|by| says(by).map(|said| (by, said)))
            .and_then(|(by, said)| Some((by, said?)))
    }

    /// Whether claims of this capability can be the value.
    pub fn counts(self, capability: &CapabilityName) -> bool {
        self.source == Some(capability) || self.inherits.contains(capability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_that_there_is_no_value_is_the_last_to_be_asked() {
        let name = |name| CapabilityName::new(name).unwrap();
        let (new, old, older) = (name("new"), name("old"), [name("old"), name("older")]);
        let lineage = Lineage { source: Some(&new), inherits: &older, protective: false };
        let pick = |claims: [Option<Option<u8>>; 3]| {
            lineage
                .pick(|by| claims[lineage.speakers().position(|is| is == by).unwrap()])
                .map(|(by, value)| (by.as_str().to_owned(), value))
        };
        assert_eq!(pick([Some(Some(1)), Some(Some(2)), None]), Some(("new".to_owned(), 1)));
        assert_eq!(pick([None, Some(Some(2)), Some(Some(3))]), Some(("old".to_owned(), 2)));
        assert_eq!(pick([Some(None), Some(Some(2)), None]), None);
        assert_eq!(pick([None, None, None]), None);
        assert!(lineage.counts(&old) && !lineage.counts(&name("other")));
    }
}
