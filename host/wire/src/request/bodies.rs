//! The type of each JSON body: what a test needs to hold it against its description.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Assignment, Deprecation, FieldDefinition, GrantChange, GrantPart, IdentifierDefinition, LookUp, NewEvent,
    NewEventList, NewEvents, NewToken, OneAssignment, ParkedSelection, ParkedSkip, ProfilePatch,
    SettingsPatch, member_names,
};

/// Reads a body as its type, and writes it again.
pub type Through = fn(&str) -> serde_json::Result<Value>;

/// The type of each JSON body, by the operation.
pub const BODIES: &[(&str, Through)] = &[
    ("assignSource", through::<OneAssignment>),
    ("assignSources", through::<Assignment>),
    ("changeGrant", through::<GrantChange>),
    ("defineField", through::<FieldDefinition>),
    ("defineIdentifier", through::<IdentifierDefinition>),
    ("deprecateField", through::<Deprecation>),
    ("lookUpProfile", through::<LookUp<'_, String>>),
    ("makeToken", through::<NewToken>),
    ("proposeValues", through::<ProfilePatch<Map<String, Value>>>),
    ("retryParked", through::<ParkedSelection>),
    ("setCapability", through::<SettingsPatch<Map<String, Value>>>),
    ("skipParked", through::<ParkedSkip>),
    ("takeEvents", through::<NewEvents<NewEvent<Value>>>),
];

/// The members of a type.
pub type Names = fn() -> &'static [&'static str];

/// The types that bodies consist of, by their names in the description.
pub const TYPES: &[(&str, Names)] = &[
    ("Assignment", member_names::<Assignment>),
    ("Deprecation", member_names::<Deprecation>),
    ("FieldDefinition", member_names::<FieldDefinition>),
    ("GrantChange", member_names::<GrantChange>),
    ("GrantPart", member_names::<GrantPart>),
    ("IdentifierDefinition", member_names::<IdentifierDefinition>),
    ("LookUp", member_names::<LookUp<'_, String>>),
    ("NewEvent", member_names::<NewEvent<Value>>),
    ("NewEventList", member_names::<NewEventList<Vec<Value>>>),
    ("NewToken", member_names::<NewToken>),
    ("OneAssignment", member_names::<OneAssignment>),
    ("ParkedSelection", member_names::<ParkedSelection>),
    ("ParkedSkip", member_names::<ParkedSkip>),
    ("ProfilePatch", member_names::<ProfilePatch<Value>>),
    ("SettingsPatch", member_names::<SettingsPatch<Map<String, Value>>>),
];

/// Names that a member had before: they are read, and not described.
pub const OLDER_NAMES: &[(&str, &str)] = &[("OneAssignment", "capability")];

fn through<T: DeserializeOwned + Serialize>(body: &str) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_str::<T>(body)?)
}
