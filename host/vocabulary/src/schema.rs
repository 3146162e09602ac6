//! What the vocabulary's strings look like in JSON, for the description of the HTTP interface. The types
//! read and write themselves; here stands only the form they have when they do.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    Application, CapabilityName, Digest, EndpointName, EventName, EventPattern, FieldName, IdentifierName,
    Position, ProfileId, Reason, SecretName, Speaker, Timestamp, TokenName,
};

/// Describes a type that is a text in JSON.
macro_rules! text {
    ($($type:ident $description:literal { $($key:literal: $value:literal),* };)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $description, $($key: $value),* })
            }
        })*
    };
}

text! {
    FieldName "A field's name. A dot has no special meaning." {
        "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", "maxLength": 64
    };
    EventName "An event's name." {
        "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", "maxLength": 64
    };
    EventPattern "An event's name, or its first parts followed by `.*`." {
        "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?$", "maxLength": 64
    };
    IdentifierName "An identifier's name." { "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64 };
    CapabilityName "The name of a capability, which is an installed plug-in." {
        "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 64
    };
    EndpointName "The name that a plug-in gives an endpoint, a system that it calls." {
        "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 64
    };
    Application "An application's name. Event ids are unique within an application." {
        "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 64
    };
    TokenName "A token's name, which isn't secret." {
        "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 64
    };
    SecretName "A secret's name, which isn't secret. It doesn't end in `.previous`." {
        "pattern": "^[a-z][a-z0-9]*([_.-][a-z0-9]+)*$", "maxLength": 64
    };
    Speaker "A capability's name, or `app:` and the name of an application whose proposal waits for a source." {
        "pattern": "^(app:)?[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 64
    };
    ProfileId "A customer's id. It is random and has no meaning." { "format": "uuid" };
    Position "The position of a record in the log: partition and sequence." {
        "pattern": "^([0-9]{1,5}|registry|identity)-[0-9]+$"
    };
    Timestamp "A time, RFC 3339." { "format": "date-time" };
    Reason "The reason of a change. It is kept: don't write a customer's data into it." {
        "maxLength": 500, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u001f\u007f-\u009f\s][^\u0000-\u001f\u007f-\u009f]*$"
    };
    Digest "The BLAKE3 hash of a component." { "pattern": "^[0-9a-f]{64}$" };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the schema takes a text.
    fn takes<T: JsonSchema>(text: &str) -> bool {
        let schema = T::json_schema(&mut SchemaGenerator::default()).to_value();
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource("word", schema).unwrap();
        let index = compiler.compile("word", &mut schemas).unwrap();
        schemas.validate(&text.into(), index).is_ok()
    }

    #[test]
    fn a_form_takes_what_its_type_takes() {
        let (long, longest) = ("a".repeat(65), "å".repeat(500));
        let (too_long, spaces) = ("å".repeat(501), format!("a{}", " ".repeat(500)));
        let texts = [
            "email",
            "loyalty.points",
            "a..b",
            ".a",
            "a.",
            "A",
            "1a",
            "a1",
            "a_b",
            "a-b",
            "a-1",
            "a-",
            "-a",
            "a--b",
            "app:web",
            "app:",
            "order.*",
            "order*",
            "*",
            "a.1",
            "",
            " a",
            "a\n",
            "å",
            &long,
            "12-345",
            "registry-1",
            "12-",
            "2026-11-21T10:00:00Z",
            "2026-11-21T11:00:00.5+01:00",
            "2026-11-21",
            "0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de",
            "0b6c5f4e",
            "two words",
            "a ",
            "  ",
            "\u{a0}",
            "\ta",
            "a\u{85}",
            "a\u{2028}b",
            "\u{1b}[2J",
            &longest,
            &too_long,
            &spaces,
        ];
        for text in texts {
            assert_eq!(takes::<FieldName>(text), FieldName::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<EventName>(text), EventName::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<EventPattern>(text), EventPattern::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<IdentifierName>(text), IdentifierName::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<CapabilityName>(text), CapabilityName::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<EndpointName>(text), EndpointName::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<Application>(text), Application::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<SecretName>(text), SecretName::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<TokenName>(text), TokenName::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<Reason>(text), Reason::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<Speaker>(text), Speaker::new(text).is_ok(), "{text:?}");
            assert_eq!(takes::<Position>(text), text.parse::<Position>().is_ok(), "{text:?}");
            assert_eq!(takes::<Timestamp>(text), text.parse::<Timestamp>().is_ok(), "{text:?}");
            assert_eq!(takes::<ProfileId>(text), text.parse::<ProfileId>().is_ok(), "{text:?}");
        }
        assert!(takes::<Digest>(&Digest::of(b"a component").to_string()));
    }
}
