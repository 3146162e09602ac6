//! What a plug-in may see of the customer.

use crate::memory::{self, Memory, MemoryError};
use crate::named::{Named, accessors};
use crate::{Timestamp, Value};

/// What this plug-in may see of the customer: the fields it sources, with its own newest claim,
/// and the fields it consumes, with the visible value. A field without a value, or one that
/// isn't granted, reads as `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    pub(crate) id: String,
    pub(crate) identifiers: Vec<(String, String)>,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) identifiers_declared: Vec<String>,
    pub(crate) points: Named,
    /// Beside each of `points`, when its claim was made.
    pub(crate) observed_at: Vec<Timestamp>,
    pub(crate) memory: Option<Vec<u8>>,
}

impl Profile {
    /// The customer's id. It is random and reveals nothing about the customer.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// An identifier of the customer, such as `customer_id`. A host passes only those in the
    /// manifest's `identifiers`.
    #[track_caller]
    pub fn identifier(&self, name: &str) -> Option<&str> {
        self.identifiers_of(name).next()
    }

    /// All identifiers of one kind: a customer can have two customer ids.
    #[track_caller]
    pub fn identifiers_of(&self, name: &str) -> impl Iterator<Item = &str> {
        #[cfg(not(target_family = "wasm"))]
        assert!(
            self.identifiers_declared.iter().any(|known| known == name),
            "{name:?} is not among the identifiers of plugin.toml, so no host would ever give it"
        );
        self.identifiers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field's value, whatever its type.
    #[track_caller]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.points.get(field)
    }

    /// When the claim behind a field's value was made.
    #[track_caller]
    pub fn observed_at(&self, field: &str) -> Option<Timestamp> {
        self.points.get(field)?;
        let index = self.points.values.iter().position(|(known, _)| known == field)?;
        self.observed_at.get(index).copied()
    }

    /// What this plug-in last remembered about this customer; see [`Memory`] for an example.
    ///
    /// # Errors
    ///
    /// When a newer version of the plug-in wrote it, when [`Memory::migrate`] can't read an older
    /// version, or when the bytes are no `T`.
    pub fn memory<T: Memory>(&self) -> Result<Option<T>, MemoryError> {
        self.memory.as_deref().map(memory::read).transpose()
    }

    accessors! { optional, self => self.points;
        /// A text value, if the field has one.
        text: &str, Text, as_text;
        /// An integer, if the field has one.
        integer: i64, Integer, as_integer;
        /// A double, if the field has one.
        number: f64, Number, as_number;
        /// A decimal, if the field has one.
        decimal: crate::Decimal, Decimal, as_decimal;
        /// A boolean, if the field has one.
        boolean: bool, Boolean, as_boolean;
        /// A time, if the field has one.
        timestamp: Timestamp, Timestamp, as_timestamp;
        /// A date, if the field has one.
        date: crate::Date, Date, as_date;
        /// A string list, if the field has one.
        texts: &[String], Texts, as_texts;
        /// JSON as text, if the field has it.
        json: &str, Json, as_json;
    }
}
