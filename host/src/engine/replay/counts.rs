//! What is counted while a log is replayed: by what differs and how, with a few examples.

use std::collections::BTreeMap;

use serde_json::Value as Tree;
use smol_str::SmolStr;

use super::compare::{Differences, Kind, Values, What};
use crate::vocabulary::{Digest, Position, ProfileId};

/// Examples kept of each finding, each of another customer.
pub const SAMPLES_MAX: usize = 5;
/// Different things that are told apart: codes of refusals are the plug-in's own words, and one that
/// makes up a new one for every customer must not fill the memory.
const WHATS_MAX: usize = 500;
/// The longest name of such a thing, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// The longest value that an example shows, in bytes of JSON; of a longer one its beginning.
const VALUE_BYTES_MAX: usize = 1_000;

/// What was counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// By what is compared.
    pub whats: BTreeMap<What, Counted>,
    /// Events of the customers that were replayed.
    pub events: u64,
    /// Invocations that were compared.
    pub compared: u64,
    /// Those that differ in anything.
    pub different: u64,
    /// Customers that were replayed.
    pub profiles: u64,
    /// Those with a difference.
    pub profiles_different: u64,
    /// Customers whose beginning isn't retained.
    pub profiles_skipped: u64,
    /// Invocations that couldn't be made again, by why.
    pub not_replayed: BTreeMap<String, u64>,
    /// By the component that decided in the log: invocations, and those that differ.
    pub decided_by: BTreeMap<Digest, (u64, u64)>,
}

/// What was counted of one thing.
#[derive(Debug, Default)]
pub struct Counted {
    /// Times it was the same.
    pub same: u64,
    /// The differences.
    pub kinds: BTreeMap<Kind, Found>,
}

/// A difference.
#[derive(Debug, Default)]
pub struct Found {
    /// How often.
    pub count: u64,
    /// With how many customers.
    pub profiles: u64,
    /// The first few, each of another customer.
    pub samples: Vec<Example>,
}

/// An example of a difference.
#[derive(Clone, Debug)]
pub struct Example {
    /// Whose.
    pub profile: ProfileId,
    /// The item.
    pub item: Position,
    /// In a word.
    pub input: String,
    /// Before and after.
    pub values: Values,
}

/// Takes the differences of one invocation of one customer.
pub struct Entry<'a> {
    /// Where they are counted.
    pub counts: &'a mut Counts,
    /// The customer.
    pub profile: ProfileId,
    /// The item.
    pub item: Position,
    /// In a word.
    pub input: &'a str,
    /// Which differences the customer had before.
    pub seen: &'a mut Vec<(What, Kind)>,
    /// Whether there was any.
    pub differs: bool,
}

impl Counts {
    /// Counts an invocation that couldn't be made again.
    pub fn not_replayed(&mut self, why: &str) {
        match self.not_replayed.get_mut(why) {
            Some(count) => *count += 1,
            None => drop(self.not_replayed.insert(why.to_owned(), 1)),
        }
    }

    fn known(&self, what: What) -> What {
        let shorten = |name: SmolStr| match name.len() <= NAME_BYTES_MAX {
            true => name,
            false => SmolStr::new(&name[..name.floor_char_boundary(NAME_BYTES_MAX)]),
        };
        let what = match what {
            What::Refusal(name) => What::Refusal(shorten(name)),
            What::Invocation(name) => What::Invocation(shorten(name)),
            other => other,
        };
        if self.whats.len() < WHATS_MAX || self.whats.contains_key(&what) { what } else { What::Other }
    }

    /// Adds what another thread counted.
    pub fn add(&mut self, other: Counts) {
        self.events += other.events;
        self.compared += other.compared;
        self.different += other.different;
        self.profiles += other.profiles;
        self.profiles_different += other.profiles_different;
        self.profiles_skipped += other.profiles_skipped;
        for (why, count) in other.not_replayed {
            *self.not_replayed.entry(why).or_default() += count;
        }
        for (digest, (compared, different)) in other.decided_by {
            let by = self.decided_by.entry(digest).or_default();
            *by = (by.0 + compared, by.1 + different);
        }
        for (what, counted) in other.whats {
            let into = self.whats.entry(what).or_default();
            into.same += counted.same;
            for (kind, found) in counted.kinds {
                let into = into.kinds.entry(kind).or_default();
                into.count += found.count;
                into.profiles += found.profiles;
                into.samples.extend(found.samples);
                into.samples.sort_by_key(|example| example.item);
                into.samples.truncate(SAMPLES_MAX);
            }
        }
    }
}

impl Differences for Entry<'_> {
    fn same(&mut self, what: What) {
        match self.counts.whats.get_mut(&what) {
            Some(counted) => counted.same += 1,
            None => {
                let what = self.counts.known(what);
                self.counts.whats.entry(what).or_default().same += 1;
            }
        }
    }

    fn differs(&mut self, what: What, kind: Kind, values: &dyn Fn() -> Values) {
        self.differs = true;
        let what = self.counts.known(what);
        let found = self.counts.whats.entry(what.clone()).or_default().kinds.entry(kind).or_default();
        found.count += 1;
        if self.seen.iter().any(|(seen, as_kind)| *seen == what && *as_kind == kind) {
            return;
        }
        found.profiles += 1;
        if found.samples.len() < SAMPLES_MAX {
            let Entry { profile, item, input, .. } = *self;
            let input = input.to_owned();
            let (before, after) = values();
            let values = (before.map(shortened), after.map(shortened));
            found.samples.push(Example { profile, item, input, values });
        }
        self.seen.push((what, kind));
    }
}

/// A value as an example shows it.
fn shortened(value: Tree) -> Tree {
    let text = value.to_string();
    if text.len() <= VALUE_BYTES_MAX {
        return value;
    }
    format!("{}…", &text[..text.floor_char_boundary(VALUE_BYTES_MAX)]).into()
}
