//! Events, profiles, proposals and changes as a test writes them.

use std::collections::BTreeMap;

use samsyn_vocabulary as host;

use super::run::SentCall;
use crate::{Change, Memory, Proposal, Timestamp, Value, memory};

/// The time of an event or proposal unless the test sets one.
const AT: &str = "2026-01-01T00:00:00Z";

/// Builds an event; see [`event`].
#[derive(Clone, Debug)]
pub struct EventBuilder {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    pub(crate) received_at: Option<Timestamp>,
    pub(crate) properties: Vec<(String, Value)>,
}

/// An event with this name and the id `test-event`, at the start of 2026.
pub fn event(name: &str) -> EventBuilder {
    EventBuilder {
        id: "test-event".to_owned(),
        name: name.to_owned(),
        at: moment(AT),
        received_at: None,
        properties: Vec::new(),
    }
}

impl EventBuilder {
    /// The sender's id.
    #[must_use]
    pub fn id(mut self, id: &str) -> EventBuilder {
        self.id = id.to_owned();
        self
    }

    /// When it happened, RFC 3339. Panics when the time is invalid.
    #[must_use]
    #[track_caller]
    pub fn at(mut self, at: &str) -> EventBuilder {
        self.at = moment(at);
        self
    }

    /// When the host accepted it, RFC 3339; by default the same as [`at`](EventBuilder::at).
    #[must_use]
    #[track_caller]
    pub fn received_at(mut self, at: &str) -> EventBuilder {
        self.received_at = Some(moment(at));
        self
    }

    /// A property, as an application sends it. It is converted to the manifest's type, so `"12.50"`
    /// is a valid decimal and `"2026-11-21"` a valid date.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl Into<Value>) -> EventBuilder {
        self.properties.push((name.to_owned(), value.into()));
        self
    }
}

/// Builds a profile; see [`profile`].
#[derive(Clone, Debug)]
pub struct ProfileBuilder {
    pub(crate) identifiers: Vec<(String, String)>,
    pub(crate) points: Vec<(String, Value, Timestamp)>,
    pub(crate) memory: Option<Vec<u8>>,
    pub(crate) timers: BTreeMap<host::TimerName, Timestamp>,
    /// Calls that wait for their answers, oldest first.
    pub(crate) calls: Vec<SentCall>,
}

/// An empty profile.
pub fn profile() -> ProfileBuilder {
    ProfileBuilder {
        identifiers: Vec::new(),
        points: Vec::new(),
        memory: None,
        timers: BTreeMap::new(),
        calls: Vec::new(),
    }
}

impl ProfileBuilder {
    /// A timer of the plug-in that is set; `at` is RFC 3339. Panics when this can't be its name.
    #[must_use]
    #[track_caller]
    pub fn timer(mut self, name: &str, at: &str) -> ProfileBuilder {
        let name = host::TimerName::new(name).unwrap_or_else(|error| panic!("{error}"));
        self.timers.insert(name, moment(at));
        self
    }

    /// An identifier of the customer.
    #[must_use]
    pub fn identifier(mut self, name: &str, value: &str) -> ProfileBuilder {
        self.identifiers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A field's value, observed at the start of 2026.
    #[must_use]
    pub fn point(self, field: &str, value: impl Into<Value>) -> ProfileBuilder {
        self.point_at(field, value, AT)
    }

    /// A field's value and the time of its claim, RFC 3339.
    #[must_use]
    #[track_caller]
    pub fn point_at(mut self, field: &str, value: impl Into<Value>, observed_at: &str) -> ProfileBuilder {
        self.set(field, Some(value.into()), moment(observed_at));
        self
    }

    /// The memory of the plug-in.
    #[must_use]
    #[track_caller]
    pub fn memory<T: Memory>(mut self, value: &T) -> ProfileBuilder {
        self.memory = Some(memory::write(value).unwrap_or_else(|error| panic!("{error}")));
        self
    }

    /// The memory of the plug-in, as bytes that another version of it wrote.
    #[must_use]
    pub fn memory_bytes(mut self, bytes: impl Into<Vec<u8>>) -> ProfileBuilder {
        self.memory = Some(bytes.into());
        self
    }

    pub(crate) fn set(&mut self, field: &str, value: Option<Value>, at: Timestamp) {
        self.points.retain(|(known, ..)| known != field);
        self.points.extend(value.map(|value| (field.to_owned(), value, at)));
    }
}

/// A proposal by `app:test`, at the start of 2026; the fields are public, so
/// `Proposal { by: "crm".into(), ..proposal("email", "a@b.se") }` changes one.
pub fn proposal(field: &str, value: impl Into<ProposedValue>) -> Proposal {
    Proposal { field: field.to_owned(), value: value.into().0, by: "app:test".to_owned(), at: moment(AT) }
}

/// A visible value that changed: `change("email", None, Some("a@b.se".into()))`.
pub fn change(field: &str, before: Option<Value>, after: Option<Value>) -> Change {
    Change { field: field.to_owned(), before, after }
}

/// A value, or `None` to clear the field.
#[derive(Clone, Debug)]
pub struct ProposedValue(Option<Value>);

impl<T: Into<Value>> From<T> for ProposedValue {
    fn from(value: T) -> ProposedValue {
        ProposedValue(Some(value.into()))
    }
}

impl From<Option<Value>> for ProposedValue {
    fn from(value: Option<Value>) -> ProposedValue {
        ProposedValue(value)
    }
}

#[track_caller]
pub(crate) fn moment(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text:?} is {error}"))
}
