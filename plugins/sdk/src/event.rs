//! What a handler is told: an event, proposals, changes.

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

    /// When it happened, as its sender says. The time to calculate with.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// When the host took it.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// A property of any type, if the sender gave it.
    #[track_caller]
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    accessors! { required, self => self.properties, &self.name;
        /// A text the event must have.
        text: &str, Text, as_text;
        /// A whole number the event must have.
        integer: i64, Integer, as_integer;
        /// A double the event must have.
        number: f64, Number, as_number;
        /// A decimal the event must have.
        decimal: crate::Decimal, Decimal, as_decimal;
        /// A boolean the event must have.
        boolean: bool, Boolean, as_boolean;
        /// A moment the event must have.
        timestamp: Timestamp, Timestamp, as_timestamp;
        /// A date the event must have.
        date: crate::Date, Date, as_date;
        /// A list of texts the event must have.
        texts: &[String], Texts, as_texts;
        /// JSON text the event must have.
        json: &str, Json, as_json;
    }

    accessors! { optional, self => self.properties;
        /// A text, if the event has it.
        text_opt: &str, Text, as_text;
        /// A whole number, if the event has it.
        integer_opt: i64, Integer, as_integer;
        /// A double, if the event has it.
        number_opt: f64, Number, as_number;
        /// A decimal, if the event has it.
        decimal_opt: crate::Decimal, Decimal, as_decimal;
        /// A boolean, if the event has it.
        boolean_opt: bool, Boolean, as_boolean;
        /// A moment, if the event has it.
        timestamp_opt: Timestamp, Timestamp, as_timestamp;
        /// A date, if the event has it.
        date_opt: crate::Date, Date, as_date;
        /// A list of texts, if the event has it.
        texts_opt: &[String], Texts, as_texts;
        /// JSON text, if the event has it.
        json_opt: &str, Json, as_json;
    }
}

/// Somebody suggests a new value for a field this plug-in sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The field.
    pub field: String,
    /// The new value, already of the field's type; none suggests to clear it.
    pub value: Option<Value>,
    /// Who suggests it: `app:web`, or a capability's name.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Proposal {
    /// The proposed text; none when the proposal is to clear the field, or holds no text.
    pub fn text(&self) -> Option<&str> {
        self.value.as_ref()?.as_text()
    }
}

/// A visible value changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The field.
    pub field: String,
    /// What everybody saw before; none when there was nothing.
    pub before: Option<Value>,
    /// What everybody sees now; none when it was cleared.
    pub after: Option<Value>,
}
