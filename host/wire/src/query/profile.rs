//! Queries about customers, and about what capabilities say of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::LIMIT_MAX;

/// How a path names a profile.
pub struct ReferenceForm;

impl JsonSchema for ReferenceForm {
    fn schema_name() -> Cow<'static, str> {
        "ProfileReference".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A profile id, or `identifier:value`, split at the first colon",
            "anyOf": [
                { "type": "string", "format": "uuid" },
                { "type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}:." },
            ],
        })
    }
}

/// What of a profile is asked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileParams {
    /// The fields to answer, separated by commas; all by default.
    pub fields: Option<String>,
    /// Answer also the claims of every capability.
    pub claims: bool,
}

/// The query of a field's claims.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimsParams {
    /// Only of this profile: its id, or `identifier:value`.
    #[schemars(with = "Option<ReferenceForm>")]
    pub profile: Option<String>,
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}
