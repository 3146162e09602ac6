//! The type of each JSON body: what a test needs to hold it against its description.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use samsyn_contract::calls::KeyHeader;
use samsyn_registry::endpoint::{
    BasicAuth, ClientCertificate, HeaderSecret, Oauth2, Oauth2Refresh, Proxy, QuerySecret, Sigv4,
};

use super::{
    Assignment, Deprecation, EndpointBinding, FieldDefinition, GrantChange, GrantPart, IdentifierDefinition,
    LookUp, NewEvent, NewEventList, NewEvents, NewToken, OneAssignment, ParkedSelection, ParkedSkip,
    ProfilePatch, SettingsPatch, member_names,
};

/// Reads a body as its type, and writes it again.
pub type Through = fn(&str) -> serde_json::Result<Value>;

/// The type of each JSON body, by the operation.
pub const BODIES: &[(&str, Through)] = &[
    ("assignSource", through::<OneAssignment>),
    ("assignSources", through::<Assignment>),
    ("bindEndpoint", through::<EndpointBinding>),
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
    ("BasicAuth", member_names::<BasicAuth>),
    ("ClientCertificate", member_names::<ClientCertificate>),
    ("Deprecation", member_names::<Deprecation>),
    ("EndpointBinding", member_names::<EndpointBinding>),
    ("FieldDefinition", member_names::<FieldDefinition>),
    ("GrantChange", member_names::<GrantChange>),
    ("GrantPart", member_names::<GrantPart>),
    ("HeaderSecret", member_names::<HeaderSecret>),
    ("IdempotencyKey", member_names::<KeyHeader>),
    ("IdentifierDefinition", member_names::<IdentifierDefinition>),
    ("LookUp", member_names::<LookUp<'_, String>>),
    ("NewEvent", member_names::<NewEvent<Value>>),
    ("NewEventList", member_names::<NewEventList<Vec<Value>>>),
    ("NewToken", member_names::<NewToken>),
    ("Oauth2Client", member_names::<Oauth2>),
    ("Oauth2Refresh", member_names::<Oauth2Refresh>),
    ("OneAssignment", member_names::<OneAssignment>),
    ("ParkedSelection", member_names::<ParkedSelection>),
    ("ParkedSkip", member_names::<ParkedSkip>),
    ("ProfilePatch", member_names::<ProfilePatch<Value>>),
    ("Proxy", member_names::<Proxy>),
    ("QuerySecret", member_names::<QuerySecret>),
    ("SettingsPatch", member_names::<SettingsPatch<Map<String, Value>>>),
    ("Sigv4Key", member_names::<Sigv4>),
];

/// Names that a member had before: they are read, and not described.
pub const OLDER_NAMES: &[(&str, &str)] = &[("OneAssignment", "capability")];

fn through<T: DeserializeOwned + Serialize>(body: &str) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_str::<T>(body)?)
}
