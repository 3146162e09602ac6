//! The report of a replay: what differs and how, how often, how severe, with examples; and the counts
//! that it is made from.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value as Tree;
use smol_str::SmolStr;

use super::compare::{Differences, Kind, Values, What};
use super::input::Candidate;
use super::input::Plan;
use samsyn_registry::{DataClass, Registry};
use samsyn_vocabulary::{CapabilityName, Digest, FieldName, Position, ProfileId};

/// What a new version of a plug-in would have decided otherwise.
#[derive(Clone, Debug)]
pub struct ReplayReport {
    /// The plug-in.
    pub capability: CapabilityName,
    /// What was run.
    pub new: Version,
    /// What it was compared with: another component that was run; none when it was the log.
    pub against: Option<Version>,
    /// Who decided in the log.
    pub decided_by: Vec<DecidedBy>,
    /// Percent of the customers that were replayed.
    pub percent: f64,
    /// Customers that were replayed.
    pub profiles: u64,
    /// Those with a difference.
    pub profiles_different: u64,
    /// Customers left out because the log no longer has their beginning.
    pub profiles_skipped: u64,
    /// Their events.
    pub events: u64,
    /// Invocations that were compared.
    pub deliveries: u64,
    /// Those that differ in anything.
    pub different: u64,
    /// Effects by how they compare.
    pub effects: Effects,
    /// The differences, the worst first.
    pub findings: Vec<Finding>,
    /// Invocations that could not be made again, by why.
    pub not_replayed: BTreeMap<String, u64>,
    /// What it asks for beyond what is granted now; the run gave it that.
    pub wants: Vec<String>,
    /// Why the run ended before the log did.
    pub gave_up: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// A component of the plug-in.
#[derive(Clone, Debug)]
pub struct Version {
    /// As its manifest has it.
    pub version: String,
    /// Its hash.
    pub digest: Digest,
}

/// A component that decided in the log.
#[derive(Clone, Debug)]
pub struct DecidedBy {
    /// As its manifest has it.
    pub version: Option<String>,
    /// Its hash.
    pub digest: Digest,
    /// Invocations it decided, of those that were compared.
    pub deliveries: u64,
    /// Those that differ.
    pub different: u64,
}

/// Effects by how they compare. An invocation counts by its end, and by each claim, event, memory, action
/// and refusal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effects {
    /// The same on both sides.
    pub same: u64,
    /// Another value or content.
    pub changed: u64,
    /// Only the new version has it.
    pub added: u64,
    /// The new version no longer has it.
    pub gone: u64,
    /// The new version refuses it.
    pub refused: u64,
    /// The new version fails there.
    pub failed: u64,
    /// It failed there and the new version doesn't.
    pub mended: u64,
}

/// How bad a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The new version fails, or changes or loses what is protective or personal.
    Error,
    /// Values or events are others or gone, or something is refused.
    Warning,
    /// There is more than before, or only wording and memory are others.
    Note,
}

/// A difference.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// `field`, `event`, `refusal`, `memory`, `action`, `delivery`, or `other` when there are too many kinds.
    pub what: &'static str,
    /// Which field, event, refusal or action, or what the invocation is of.
    pub name: String,
    /// How it differs.
    pub kind: Kind,
    /// How often.
    pub count: u64,
    /// With how many customers.
    pub profiles: u64,
    /// The first few, each of another customer.
    pub samples: Vec<Sample>,
}

/// An example of a difference.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Whose.
    pub profile: ProfileId,
    /// The record that was delivered, such as `12-345`.
    pub position: String,
    /// What it was: an event's name, a proposal or a change.
    pub on: String,
    /// What was there before, when values are asked for.
    pub before: Option<Tree>,
    /// What the new version makes of it, when values are asked for.
    pub after: Option<Tree>,
}

impl Version {
    fn of(candidate: &Candidate) -> Version {
        Version { version: candidate.manifest.plugin.version.clone(), digest: candidate.digest() }
    }
}

impl ReplayReport {
    pub(super) fn new(
        plan: &Plan,
        registry: &Registry,
        versions: &BTreeMap<Digest, String>,
        counts: Counts,
        took: Duration,
    ) -> ReplayReport {
        let new = &plan.candidates[0];
        let installed = registry.capabilities.get(&plan.capability);
        let wants = installed.map(|installed| installed.wants_more(&new.manifest).in_words());
        let decided_by = counts.decided_by.iter().map(|(digest, (deliveries, different))| DecidedBy {
            version: versions.get(digest).cloned(),
            digest: *digest,
            deliveries: *deliveries,
            different: *different,
        });
        let mut report = ReplayReport {
            capability: plan.capability.clone(),
            new: Version::of(new),
            against: plan.candidates.get(1).map(Version::of),
            decided_by: decided_by.collect(),
            percent: plan.share.as_percent(),
            profiles: counts.profiles,
            profiles_different: counts.profiles_different,
            profiles_skipped: counts.profiles_skipped,
            events: counts.events,
            deliveries: counts.compared,
            different: counts.different,
            effects: Effects::default(),
            findings: Vec::new(),
            not_replayed: counts.not_replayed,
            wants: wants.unwrap_or_default(),
            gave_up: None,
            seconds: took.as_secs_f64(),
        };
        for (what, counted) in counts.whats {
            report.effects.same += counted.same;
            for (kind, found) in counted.kinds {
                *report.effects.of(kind) += found.count;
                report.findings.push(finding(&what, kind, found, registry));
            }
        }
        report.findings.sort_by(|one, other| {
            (one.severity, one.kind, std::cmp::Reverse(one.count)).cmp(&(
                other.severity,
                other.kind,
                std::cmp::Reverse(other.count),
            ))
        });
        report
    }

    /// Whether everything that was replayed is the same.
    pub fn is_same(&self) -> bool {
        self.different == 0 && self.gave_up.is_none()
    }

    /// The same without values: of personal data only whom it concerns is left.
    pub fn without_values(mut self) -> ReplayReport {
        for sample in self.findings.iter_mut().flat_map(|finding| &mut finding.samples) {
            (sample.before, sample.after) = (None, None);
        }
        self
    }
}

impl Effects {
    fn of(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Failed => &mut self.failed,
            Kind::Changed => &mut self.changed,
            Kind::Gone => &mut self.gone,
            Kind::Refused => &mut self.refused,
            Kind::Added => &mut self.added,
            Kind::Mended => &mut self.mended,
        }
    }
}

fn finding(what: &What, kind: Kind, found: Found, registry: &Registry) -> Finding {
    let (word, name) = match what {
        What::Field(field) => ("field", field.to_string()),
        What::Event(event) => ("event", event.to_string()),
        What::Refusal(refusal) => ("refusal", refusal.to_string()),
        What::Memory => ("memory", String::new()),
        What::Action(action) => ("action", action.to_string()),
        What::Invocation(of) => ("delivery", of.to_string()),
        What::Other => ("other", String::new()),
    };
    let samples = found.samples.into_iter().map(|example| Sample {
        profile: example.profile,
        position: example.item.to_string(),
        on: example.input,
        before: example.values.0,
        after: example.values.1,
    });
    Finding {
        severity: severity(what, kind, registry),
        what: word,
        name,
        kind,
        count: found.count,
        profiles: found.profiles,
        samples: samples.collect(),
    }
}

fn severity(what: &What, kind: Kind, registry: &Registry) -> Severity {
    match (what, kind) {
        (_, Kind::Failed) => Severity::Error,
        (_, Kind::Added | Kind::Mended) => Severity::Note,
        (What::Field(field), Kind::Changed | Kind::Gone) if is_delicate(field, registry) => Severity::Error,
        // A missing invocation shows by what it said, which is counted by itself.
        (What::Memory | What::Invocation(_), _) => Severity::Note,
        (What::Refusal(_), Kind::Changed | Kind::Gone) => Severity::Note,
        _ => Severity::Warning,
    }
}

/// Whether a field is protective or personal; one that the dictionary doesn't know could be.
fn is_delicate(field: &FieldName, registry: &Registry) -> bool {
    registry.fields.get(field).is_none_or(|field| field.protective || field.class != DataClass::None)
}

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
            What::Action(name) => What::Action(shorten(name)),
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
