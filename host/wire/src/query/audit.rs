//! Queries about who read and who changed what.

use std::borrow::Cow;

use samsyn_registry::CHANGE_KINDS;
use samsyn_vocabulary::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::LIMIT_MAX;
use super::profile::ReferenceForm;

/// The query of `GET /v1/audit/reads`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReadsParams {
    /// Only reads of this profile.
    #[schemars(with = "Option<ReferenceForm>")]
    pub profile: Option<String>,
    /// Only reads by this application or token.
    pub by: Option<String>,
    /// Only reads that showed this field or identifier.
    pub field: Option<String>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}

/// The kind of a change of the registry.
struct ChangeKind;

impl JsonSchema for ChangeKind {
    fn schema_name() -> Cow<'static, str> {
        "ChangeKind".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": CHANGE_KINDS })
    }
}

/// The query of `GET /v1/audit/changes`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangesParams {
    /// Only changes by this application.
    pub by: Option<String>,
    /// Only changes of this kind.
    #[schemars(with = "Option<ChangeKind>")]
    pub kind: Option<String>,
    /// Only changes that concern this field.
    pub field: Option<String>,
    /// Only changes that concern this capability.
    pub capability: Option<String>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}
