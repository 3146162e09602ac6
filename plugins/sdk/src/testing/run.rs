//! What came of one call.

use crate::log::Level;
use crate::{Error, Memory, Value, memory};

/// One thing the handler asked for and the host took.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A claim; none clears.
    Claim {
        /// The field.
        field: String,
        /// Its value.
        value: Option<Value>,
    },
    /// The plug-in said no.
    Refuse {
        /// The proposed field; none for the whole delivery.
        field: Option<String>,
        /// The plug-in's code.
        code: String,
        /// A sentence for a person.
        message: String,
    },
    /// An emitted event.
    Emit {
        /// Its name.
        name: String,
        /// Its properties, of the declared types.
        properties: Vec<(String, Value)>,
    },
    /// Memory, as bytes; none forgets.
    Remember(Option<Vec<u8>>),
}

/// Something the host said no to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRefusal {
    /// The field or event it concerns.
    pub subject: String,
    /// The host's code, such as `field.not-sourced`.
    pub code: String,
}

/// A line the handler logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How serious it is.
    pub level: Level,
    /// The line.
    pub message: String,
}

/// What came of one call.
#[derive(Debug, PartialEq)]
pub struct Run {
    /// What the handler returned. With an error there are no effects.
    pub result: Result<(), Error>,
    /// What the handler asked for and the host took, in order.
    pub effects: Vec<Effect>,
    /// What the host refused, whether the handler minded or not.
    pub host_refusals: Vec<HostRefusal>,
    /// What the handler logged.
    pub log: Vec<LogLine>,
}

impl Run {
    /// The value this call claims for a field; none when it claims none or clears it.
    pub fn claim(&self, field: &str) -> Option<&Value> {
        self.last_claim(field)?
    }

    /// Whether this call clears a field.
    pub fn cleared(&self, field: &str) -> bool {
        self.last_claim(field) == Some(None)
    }

    /// The plug-in's refusals: the field, or none for the whole delivery, and the code.
    pub fn refusals(&self) -> Vec<(Option<&str>, &str)> {
        let refusals = self.effects.iter().filter_map(|effect| match effect {
            Effect::Refuse { field, code, .. } => Some((field.as_deref(), code.as_str())),
            _ => None,
        });
        refusals.collect()
    }

    /// The properties of every event of that name which this call emits.
    pub fn emitted(&self, event: &str) -> Vec<&[(String, Value)]> {
        let emitted = self.effects.iter().filter_map(|effect| match effect {
            Effect::Emit { name, properties } if name == event => Some(properties.as_slice()),
            _ => None,
        });
        emitted.collect()
    }

    /// What this call remembers; none when it leaves the memory as it was or forgets it. Panics
    /// when it can't be read as a `T`.
    #[track_caller]
    pub fn memory<T: Memory>(&self) -> Option<T> {
        let bytes = self.memory_bytes()?;
        Some(memory::read(bytes).unwrap_or_else(|error| panic!("{error}")))
    }

    /// The bytes this call remembers, to test their bound.
    pub fn memory_bytes(&self) -> Option<&[u8]> {
        let remembered = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Remember(bytes) => Some(bytes.as_deref()),
            _ => None,
        });
        remembered?
    }

    fn last_claim(&self, wanted: &str) -> Option<Option<&Value>> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Claim { field, value } if field == wanted => Some(value.as_ref()),
            _ => None,
        })
    }
}
