//! The input of a handler: an event, proposals, changes.

use crate::named::{Named, accessors};
use crate::{Timestamp, Value};

/// Something that happened to one customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    pub(crate) received_at: Timestamp,
    pub(crate) properties: Named,
}

impl Event {
    /// The sender's id, unique within its application.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What happened, such as `order.completed`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it happened, according to its sender. Calculate with this time.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// When the host accepted it.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// A property of any type, if the event has it.
    #[track_caller]
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    accessors! { required, self => self.properties, &self.name;
        /// A required text property.
        text: &str, Text, as_text;
        /// A required integer property.
        integer: i64, Integer, as_integer;
        /// A required double property.
        number: f64, Number, as_number;
        /// A required decimal property.
        decimal: crate::Decimal, Decimal, as_decimal;
        /// A required boolean property.
        boolean: bool, Boolean, as_boolean;
        /// A required time property.
        timestamp: Timestamp, Timestamp, as_timestamp;
        /// A required date property.
        date: crate::Date, Date, as_date;
        /// A required string list property.
        texts: &[String], Texts, as_texts;
        /// A required JSON property, as text.
        json: &str, Json, as_json;
    }

    accessors! { optional, self => self.properties;
        /// A text property, if the event has it.
        text_opt: &str, Text, as_text;
        /// An integer property, if the event has it.
        integer_opt: i64, Integer, as_integer;
        /// A double property, if the event has it.
        number_opt: f64, Number, as_number;
        /// A decimal property, if the event has it.
        decimal_opt: crate::Decimal, Decimal, as_decimal;
        /// A boolean property, if the event has it.
        boolean_opt: bool, Boolean, as_boolean;
        /// A time property, if the event has it.
        timestamp_opt: Timestamp, Timestamp, as_timestamp;
        /// A date property, if the event has it.
        date_opt: crate::Date, Date, as_date;
        /// A string list property, if the event has it.
        texts_opt: &[String], Texts, as_texts;
        /// A JSON property as text, if the event has it.
        json_opt: &str, Json, as_json;
    }
}

/// A proposed new value for a field that this plug-in sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The field.
    pub field: String,
    /// The new value, already of the field's type; none proposes to clear the field.
    pub value: Option<Value>,
    /// The proposer: `app:web`, or a capability's name.
    pub by: String,
    /// When it was proposed.
    pub at: Timestamp,
}

impl Proposal {
    /// The proposed text; none when the proposal clears the field or is of another type.
    pub fn text(&self) -> Option<&str> {
        self.value.as_ref()?.as_text()
    }
}

/// A visible value changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The field.
    pub field: String,
    /// The visible value before; none when there was no value.
    pub before: Option<Value>,
    /// The visible value now; none when it was cleared.
    pub after: Option<Value>,
}
