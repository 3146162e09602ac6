//! What one plug-in may say and read in an invocation: the registry's answer, or a test's.

use std::collections::BTreeMap;

use crate::effects_calls::CallAccess;
use crate::rule::FieldRule;
use crate::vocabulary::{EndpointName, EventName, FieldName, Type, Value};

/// What a plug-in may do in an invocation. The registry builds one for each installed capability and
/// revision; invocations share it. Names are looked up by their text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// The fields it may set, clear and refuse, and what each takes.
    pub sources: BTreeMap<FieldName, FieldRule>,
    /// The events it may emit, with the type of each property they may have.
    pub emits: BTreeMap<EventName, BTreeMap<String, Type>>,
    /// Whether it may set timers.
    pub timers: bool,
    /// The endpoints that it may call.
    pub calls: BTreeMap<EndpointName, CallAccess>,
    /// Its settings, defaults filled in.
    pub settings: BTreeMap<String, Value>,
}
