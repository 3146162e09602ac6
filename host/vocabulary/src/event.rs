//! What happens to a customer, what somebody suggests, and what changed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Application, EventName, FieldName, IdentifierName, Speaker, Timestamp, Value};

/// A named value that belongs to an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Property {
    /// The property's name as its sender wrote it.
    pub name: String,
    /// Its value; [`Value::Json`] when an application sent it.
    pub value: Value,
}

/// A name the customer goes by, such as `customer_id` `00042`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// Which kind of name.
    pub name: IdentifierName,
    /// The name itself, as its sender wrote it.
    pub value: String,
}

/// Something that happened to one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The sender's id, unique within its application; made by the host when left out.
    pub id: String,
    /// The application that sent it, or none when a capability emitted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Application>,
    /// What happened.
    pub name: EventName,
    /// When it happened, as its sender says.
    pub at: Timestamp,
    /// When the host took it.
    pub received_at: Timestamp,
    /// What else is known about it, at most 32 KiB together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<Property>,
}

/// An event as one plug-in hears it: only the properties that it declared, each of its declared type. Made
/// for every invocation, so it borrows from the event.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardEvent<'a> {
    /// The sender's id.
    pub id: &'a str,
    /// What happened.
    pub name: &'a EventName,
    /// When it happened, as its sender says.
    pub at: Timestamp,
    /// When the host took it.
    pub received_at: Timestamp,
    /// Names and values.
    pub properties: Vec<(&'a str, Cow<'a, Value>)>,
}

impl<'a> From<&'a Event> for HeardEvent<'a> {
    /// All of the event, as it is.
    fn from(event: &'a Event) -> HeardEvent<'a> {
        let all = event.properties.iter();
        let properties = all.map(|property| (property.name.as_str(), Cow::Borrowed(&property.value)));
        HeardEvent { properties: properties.collect(), ..event.without_properties() }
    }
}

impl Event {
    /// What is heard of it whatever a plug-in declared.
    pub fn without_properties(&self) -> HeardEvent<'_> {
        let Event { id, name, at, received_at, .. } = self;
        HeardEvent { id, name, at: *at, received_at: *received_at, properties: Vec::new() }
    }
}

/// Somebody suggests a new value for a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The field.
    pub field: FieldName,
    /// The new value, already of the field's type; none suggests to clear it.
    pub value: Option<Value>,
    /// The application or capability that proposes it.
    pub by: Speaker,
    /// When.
    pub at: Timestamp,
}

/// A visible value changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The field.
    pub field: FieldName,
    /// What everybody saw before.
    pub before: Option<Value>,
    /// What everybody sees now.
    pub after: Option<Value>,
}
