//! What one installed plug-in may say and read: the registry's answer, ready for a call.

use std::collections::BTreeMap;

use crate::registry::Field;
use crate::vocabulary::{EventName, FieldName, Type, Value};

/// What a plug-in may do in a call. The registry builds one for each installed capability and
/// revision; calls share it. Names are looked up by their text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// The fields it may set, clear and refuse, as the dictionary has them.
    pub sources: BTreeMap<FieldName, Field>,
    /// The events it may emit, with the type of each property they may have.
    pub emits: BTreeMap<EventName, BTreeMap<String, Type>>,
    /// Its settings, defaults filled in.
    pub settings: BTreeMap<String, Value>,
}
