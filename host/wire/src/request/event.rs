//! Events: one, a list, or a list in an object.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use samsyn_registry::IDENTIFIER_BYTES_MAX;
use samsyn_vocabulary::{EventName, FieldName, IdentifierName, Members, ProfileId, Timestamp};

/// The largest event, in bytes of its JSON.
pub const EVENT_BYTES_MAX: usize = 32 * 1024;
/// The most events in one request: at 200 bytes each they fill the largest body.
pub const EVENTS_MAX: usize = 2_500;
/// The longest event id, in bytes: longer than a URL or two UUIDs, short enough to remember millions.
pub const EVENT_ID_BYTES_MAX: usize = 256;
/// The longest name of a property, in bytes.
pub const PROPERTY_NAME_BYTES_MAX: usize = 128;

/// A type of optional members, whose names stand once.
macro_rules! members {
    ($(#[$about:meta])* $type:ident { $($(#[$member_about:meta])* $member:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $type<V> {
            $($(#[$member_about])* #[serde(skip_serializing_if = "Option::is_none")] pub $member: Option<V>,)*
        }

        impl<V> Default for $type<V> {
            fn default() -> Self {
                $type { $($member: None,)* }
            }
        }

        impl $type<()> {
            /// The names of all members.
            pub const MEMBERS: &'static [&'static str] = &[$(stringify!($member),)*];
        }

        impl<V> $type<V> {
            /// The members that are there, with their names.
            pub fn into_members(self) -> impl Iterator<Item = (&'static str, V)> {
                [$((stringify!($member), self.$member),)*]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)))
            }
        }

        impl<'a> $type<&'a RawValue> {
            /// Takes an object's members, each as it was written. Fails with the first name that is of no
            /// member.
            pub fn of<'m>(members: &'m Members<'a>) -> Result<Self, &'m str> {
                let mut taken = $type::default();
                for (name, value) in &members.0 {
                    match name.as_ref() {
                        $(stringify!($member) => taken.$member = Some(*value),)*
                        unknown => return Err(unknown),
                    }
                }
                Ok(taken)
            }
        }
    };
}

members! {
    /// Something a customer did, with members of the form `V`. It needs a `name`, and `profile` or
    /// `identifiers`.
    NewEvent {
        /// Unique within the application.
        id,
        /// What happened.
        name,
        /// When it happened.
        at,
        /// The customer's profile.
        profile,
        /// The customer's identifiers: an object of texts.
        identifiers,
        /// More about it: an object.
        properties,
        /// Proposed values: an object.
        proposes,
    }
}

impl<V> JsonSchema for NewEvent<V> {
    fn schema_name() -> Cow<'static, str> {
        "NewEvent".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        let no_controls = r"^[^\u0000-\u001f\u007f-\u009f]*$";
        json_schema!({
            "type": "object",
            // Alternatives beside members would cost generated clients the members' types.
            "description": "Something a customer did. It names the customer by `profile` or by at least one of \
                            `identifiers`",
            "required": ["name"],
            "minProperties": 2,
            "additionalProperties": false,
            "properties": {
                "id": {
                    "type": "string", "minLength": 1, "maxLength": EVENT_ID_BYTES_MAX, "pattern": no_controls,
                    "description": "Unique within the application, with at most as many bytes in UTF-8. The host \
                                    accepts an id only once. Without an id the host makes one",
                },
                "name": {
                    "allOf": [of.subschema_for::<EventName>()],
                    "description": "What happened. Names that start with `samsyn.` are reserved",
                },
                "at": {
                    "allOf": [of.subschema_for::<Timestamp>()],
                    "description": "When it happened; by default the time when the host accepts it",
                },
                "profile": {
                    "allOf": [of.subschema_for::<ProfileId>()],
                    "description": "The customer's profile, if its id is known",
                },
                "identifiers": {
                    "type": "object",
                    "description": "The customer's identifiers, with the names of `GET /v1/identifiers`. If no \
                                    customer has them, the host creates a profile",
                    "propertyNames": of.subschema_for::<IdentifierName>(),
                    "additionalProperties": {
                        "type": "string", "minLength": 1, "maxLength": IDENTIFIER_BYTES_MAX, "pattern": no_controls,
                    },
                },
                "properties": {
                    "type": "object",
                    "description": "More about the event. Each capability gets the properties that it declared, with \
                                    the types that it declared",
                    "propertyNames": { "minLength": 1, "maxLength": PROPERTY_NAME_BYTES_MAX, "pattern": no_controls },
                    "additionalProperties": true,
                },
                "proposes": {
                    "type": "object",
                    "description": "Proposed values by field, each of the field's type; null clears the field",
                    "propertyNames": of.subschema_for::<FieldName>(),
                    "additionalProperties": true,
                },
            },
        })
    }
}

/// A list of events in an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEventList<E> {
    /// The events.
    pub events: E,
}

/// The only member of a list in an object.
const EVENTS: &str = "events";

impl<'a> NewEventList<&'a RawValue> {
    /// Takes an object's members; none if they are no list, but an event. Fails with the first name beside
    /// the list.
    pub fn of<'m>(members: &'m Members<'a>) -> Option<Result<Self, &'m str>> {
        let events = members.get(EVENTS)?;
        let other = members.0.iter().map(|(name, _)| name.as_ref()).find(|name| *name != EVENTS);
        Some(other.map_or(Ok(NewEventList { events }), Err))
    }
}

impl NewEventList<()> {
    /// The body of these events, which are JSON already.
    pub fn of_texts(events: &[&str]) -> Vec<u8> {
        let mut body = Vec::with_capacity(events.iter().map(|event| event.len() + 1).sum::<usize>() + 16);
        body.extend_from_slice(format!("{{\"{EVENTS}\":[").as_bytes());
        for (number, event) in events.iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            body.extend_from_slice(event.as_bytes());
        }
        body.extend_from_slice(b"]}");
        body
    }
}

impl<E: JsonSchema> JsonSchema for NewEventList<E> {
    fn schema_name() -> Cow<'static, str> {
        "NewEventList".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Several events",
            "required": [EVENTS],
            "additionalProperties": false,
            "properties": { (EVENTS): event_list::<E>(of) },
        })
    }
}

// The host accepts more than this: it rejects an invalid element of a list by itself, and accepts the others.
// But a client that is generated from it knows what an event is.
fn event_list<E: JsonSchema>(of: &mut SchemaGenerator) -> Value {
    json!({ "type": "array", "maxItems": EVENTS_MAX, "items": of.subschema_for::<E>() })
}

/// One event or several.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NewEvents<E> {
    /// One.
    One(E),
    /// A list.
    List(Vec<E>),
    /// A list in an object.
    Wrapped(NewEventList<Vec<E>>),
}

impl<'de, E: DeserializeOwned> Deserialize<'de> for NewEvents<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Value::deserialize(deserializer)?;
        let read = match &body {
            Value::Array(_) => serde_json::from_value(body).map(NewEvents::List),
            Value::Object(members) if members.contains_key(EVENTS) => {
                serde_json::from_value(body).map(NewEvents::Wrapped)
            }
            _ => serde_json::from_value(body).map(NewEvents::One),
        };
        read.map_err(D::Error::custom)
    }
}

impl<E: JsonSchema> JsonSchema for NewEvents<E> {
    fn schema_name() -> Cow<'static, str> {
        "NewEvents".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An event, a list of events, or a list in an object. The host accepts or rejects each \
                            element of a list separately",
            "anyOf": [
                of.subschema_for::<E>(),
                event_list::<E>(of),
                of.subschema_for::<NewEventList<E>>(),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(json: &str) -> Members<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_event_keeps_its_members_as_they_were_written() {
        let found = members(r#"{"name": "n", "properties": {"a": 10.00, "a": 2}}"#);
        let event = NewEvent::of(&found).unwrap();
        let written = serde_json::to_string(&event).unwrap();
        assert_eq!(written, r#"{"name":"n","properties":{"a": 10.00, "a": 2}}"#);
        let names: Vec<&str> = event.into_members().map(|(name, _)| name).collect();
        assert_eq!(names, ["name", "properties"]);
        assert_eq!(NewEvent::of(&members(r#"{"name": "n", "nmae": 1}"#)).unwrap_err(), "nmae");
    }

    #[test]
    fn every_member_of_an_event_is_read_and_written() {
        for name in NewEvent::MEMBERS {
            let json = format!("{{\"{name}\":1}}");
            let found = members(&json);
            assert_eq!(serde_json::to_string(&NewEvent::of(&found).unwrap()).unwrap(), json);
        }
        assert_eq!(crate::request::member_names::<NewEvent<Value>>(), NewEvent::MEMBERS);
    }

    #[test]
    fn a_list_in_an_object_has_nothing_beside_it() {
        assert!(NewEventList::of(&members(r#"{"name":"n"}"#)).is_none());
        let found = members(r#"{"events":[1,2]}"#);
        assert_eq!(NewEventList::of(&found).unwrap().unwrap().events.get(), "[1,2]");
        assert_eq!(NewEventList::of(&members(r#"{"id":1,"events":[]}"#)).unwrap().unwrap_err(), "id");
        let texts: NewEventList<Vec<Value>> =
            serde_json::from_slice(&NewEventList::of_texts(&["{\"a\":1}", "2"])).unwrap();
        assert_eq!(texts.events, [json!({"a": 1}), json!(2)]);
        assert_eq!(crate::request::member_names::<NewEventList<Value>>(), [EVENTS]);
    }
}
