//! The result of one invocation.

use crate::log::Level;
use crate::{Error, Memory, Value, memory};

/// One effect that the host accepted.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A claim; none clears.
    Claim {
        /// The field.
        field: String,
        /// Its value.
        value: Option<Value>,
    },
    /// A refusal of the plug-in.
    Refuse {
        /// The proposed field; none for the whole input.
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
    /// A request to a system.
    Call(SentCall),
    /// Any other effect.
    Action {
        /// Its kind: the function's name in the contract.
        name: String,
        /// What it is about.
        subject: String,
        /// What else it says.
        value: Option<Value>,
    },
}

/// A request that the host would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCall {
    /// To which endpoint.
    pub endpoint: String,
    /// With which method.
    pub method: String,
    /// The path below the endpoint's base.
    pub path: String,
    /// The query, not encoded.
    pub query: Vec<(String, String)>,
    /// The headers that the plug-in set.
    pub headers: Vec<(String, String)>,
    /// The body with its media type.
    pub body: Option<(String, Vec<u8>)>,
    /// What comes back with the answer.
    pub note: Option<Vec<u8>>,
    /// It is a row, which the host sends with those of other customers.
    pub is_row: bool,
}

/// An effect that the host refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRefusal {
    /// The field or event.
    pub subject: String,
    /// The host's code, such as `field.not-sourced`.
    pub code: String,
}

/// A line that the handler logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The severity.
    pub level: Level,
    /// The line.
    pub message: String,
}

/// The result of one invocation.
#[derive(Debug, PartialEq)]
pub struct Run {
    /// What the handler returned. With an error there are no effects.
    pub result: Result<(), Error>,
    /// The effects that the host accepted, in order.
    pub effects: Vec<Effect>,
    /// What the host refused, also when the handler ignored it.
    pub host_refusals: Vec<HostRefusal>,
    /// The lines that the handler logged.
    pub log: Vec<LogLine>,
}

impl Run {
    /// The value that the invocation claims for a field; none when it claims none or clears the field.
    pub fn claim(&self, field: &str) -> Option<&Value> {
        self.last_claim(field)?
    }

    /// Whether the invocation clears a field.
    pub fn cleared(&self, field: &str) -> bool {
        self.last_claim(field) == Some(None)
    }

    /// The plug-in's refusals: the field, or none for the whole input, and the code.
    pub fn refusals(&self) -> Vec<(Option<&str>, &str)> {
        let refusals = self.effects.iter().filter_map(|effect| match effect {
            Effect::Refuse { field, code, .. } => Some((field.as_deref(), code.as_str())),
            _ => None,
        });
        refusals.collect()
    }

    /// The properties of every emitted event with this name.
    pub fn emitted(&self, event: &str) -> Vec<&[(String, Value)]> {
        let emitted = self.effects.iter().filter_map(|effect| match effect {
            Effect::Emit { name, properties } if name == event => Some(properties.as_slice()),
            _ => None,
        });
        emitted.collect()
    }

    /// The requests to one endpoint, in their order.
    pub fn calls(&self, endpoint: &str) -> Vec<&SentCall> {
        let calls = self.effects.iter().filter_map(|effect| match effect {
            Effect::Call(call) if call.endpoint == endpoint => Some(call),
            _ => None,
        });
        calls.collect()
    }

    /// The actions of one kind: what each is about, and what else it says.
    pub fn actions(&self, kind: &str) -> Vec<(&str, Option<&Value>)> {
        let actions = self.effects.iter().filter_map(|effect| match effect {
            Effect::Action { name, subject, value } if name == kind => {
                Some((subject.as_str(), value.as_ref()))
            }
            _ => None,
        });
        actions.collect()
    }

    /// What the invocation remembers; none when it keeps the old memory or deletes it. Panics when the
    /// bytes are no `T`.
    #[track_caller]
    pub fn memory<T: Memory>(&self) -> Option<T> {
        let bytes = self.memory_bytes()?;
        Some(memory::read(bytes).unwrap_or_else(|error| panic!("{error}")))
    }

    /// The bytes that the invocation remembers, to test their size.
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
