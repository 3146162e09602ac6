//! Plug-ins: their settings, and what is granted and revoked.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Grant;
use samsyn_vocabulary::{EndpointName, EventPattern, FieldName, IdentifierName};

/// A merge patch of settings: an object whose members are the settings' own names. The client writes a map,
/// the host reads members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SettingsPatch<S>(pub S);

impl<S> JsonSchema for SettingsPatch<S> {
    fn schema_name() -> Cow<'static, str> {
        "SettingsPatch".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Settings by name, each value of the setting's type; null resets a setting to its default (RFC 7396)",
            "additionalProperties": true,
        })
    }
}

/// What to grant and to revoke. Anything in both is revoked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrantChange {
    /// What to grant again.
    pub grant: GrantPart,
    /// What to revoke.
    pub revoke: GrantPart,
}

/// A part of what a manifest requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrantPart {
    /// Fields to read.
    pub reads: Vec<FieldName>,
    /// Identifiers of the customer to see.
    pub identifiers: Vec<IdentifierName>,
    /// Events to receive, written as in the manifest.
    pub hears: Vec<EventPattern>,
    /// Fields to make claims for.
    pub sources: Vec<FieldName>,
    /// Endpoints to call, once they are bound.
    pub calls: Vec<EndpointName>,
}

impl From<&GrantPart> for Grant {
    fn from(part: &GrantPart) -> Grant {
        fn texts<N: ToString>(names: &[N]) -> Vec<String> {
            names.iter().map(N::to_string).collect()
        }
        let GrantPart { reads, identifiers, hears, sources, calls } = part;
        Grant {
            reads: texts(reads),
            identifiers: texts(identifiers),
            hears: texts(hears),
            sources: texts(sources),
            calls: texts(calls),
        }
    }
}
