//! What a plug-in may know of the customer.

use crate::memory::{self, Memory, MemoryError};
use crate::named::{Named, accessors};
use crate::{Timestamp, Value};

/// What this plug-in may know of the customer: the fields it sources, with its own newest claim,
/// and the fields it consumes, with the value everybody sees. A field that holds nothing, or that
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
    /// The customer's id: random, says nothing about them.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// A name the customer goes by, such as `customer_id`. Only those in the manifest's
    /// `identifiers` are ever given.
    #[track_caller]
    pub fn identifier(&self, name: &str) -> Option<&str> {
        self.identifiers_of(name).next()
    }

    /// All names of one kind: a customer can have two customer ids.
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

    /// What this plug-in last remembered of this customer; none when nothing.
    ///
    /// # Errors
    ///
    /// When a newer version of the plug-in wrote it, when an older one did and
    /// [`Memory::migrate`] can't read it, or when the bytes are no `T`.
    pub fn memory<T: Memory>(&self) -> Result<Option<T>, MemoryError> {
        self.memory.as_deref().map(memory::read).transpose()
    }

    accessors! { optional, self => self.points;
        /// A text, if the field holds one.
        text: &str, Text, as_text;
        /// A whole number, if the field holds one.
        integer: i64, Integer, as_integer;
        /// A double, if the field holds one.
        number: f64, Number, as_number;
        /// A decimal, if the field holds one.
        decimal: crate::Decimal, Decimal, as_decimal;
        /// A boolean, if the field holds one.
        boolean: bool, Boolean, as_boolean;
        /// A moment, if the field holds one.
        timestamp: Timestamp, Timestamp, as_timestamp;
        /// A date, if the field holds one.
        date: crate::Date, Date, as_date;
        /// A list of texts, if the field holds one.
        texts: &[String], Texts, as_texts;
        /// JSON text, if the field holds it.
        json: &str, Json, as_json;
    }
}
