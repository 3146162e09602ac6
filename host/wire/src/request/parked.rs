//! Invocations that wait for an administrator.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;

use samsyn_vocabulary::{CapabilityName, FailureKind, ProfileId};

/// The longest reason of a skip, in bytes: a few sentences.
pub const REASON_BYTES_MAX: usize = 1_024;
/// One line: no control characters, and at least one character that is not white space.
const ONE_LINE: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u001f\u007f-\u009f\s][^\u0000-\u001f\u007f-\u009f]*$";

/// Which invocations: those that match every filter. At least one filter is required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct ParkedSelection {
    /// Only of this capability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<CapabilityName>,
    /// Only of this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// Only with this kind of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FailureKind>,
    /// The reason. It is required to skip, and the timeline shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which invocations to skip, and the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParkedSkip(pub ParkedSelection);

impl JsonSchema for ParkedSkip {
    fn schema_name() -> Cow<'static, str> {
        "ParkedSkip".into()
    }

    fn json_schema(of: &mut SchemaGenerator) -> Schema {
        let mut schema = ParkedSelection::json_schema(of);
        schema.insert("required".to_owned(), json!(["reason"]));
        schema.insert("minProperties".to_owned(), json!(2));
        if let Some(reason) = schema.pointer_mut("/properties/reason") {
            *reason = json!({
                "type": "string", "maxLength": REASON_BYTES_MAX, "pattern": ONE_LINE,
                "description": "The reason; the timeline shows it",
            });
        }
        schema
    }
}
