//! Queries about what was rejected of events.

use std::borrow::Cow;

use samsyn_vocabulary::{Application, CapabilityName};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::LIMIT_MAX;

/// How `since` is written.
struct StartForm;

impl JsonSchema for StartForm {
    fn schema_name() -> Cow<'static, str> {
        "RefusalsStart".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time (RFC 3339), or a position; several have commas between them",
            "anyOf": [
                { "type": "string", "format": "date-time" },
                { "type": "string", "pattern": "^[0-9]{1,4}-[0-9]{1,18}$" },
            ],
        })
    }
}

/// The query of `GET /v1/refusals`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RefusalParams {
    /// Where the list starts. Either a time: only decisions from then on. Or positions, separated by commas, at
    /// most 256 and each in another partition: only these partitions, from these positions on. By default it
    /// starts with the oldest record.
    #[schemars(with = "Option<StartForm>")]
    pub since: Option<String>,
    /// Only for events of this application.
    pub application: Option<Application>,
    /// Only by this capability.
    pub capability: Option<CapabilityName>,
    /// Only with this code.
    pub code: Option<String>,
    /// The most items of the page; 100 by default.
    #[schemars(range(min = 1, max = LIMIT_MAX))]
    pub limit: Option<u64>,
    /// The `next` of the previous page.
    pub cursor: Option<String>,
}
