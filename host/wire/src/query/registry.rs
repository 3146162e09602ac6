//! Queries about the registry as a file and as a graph.

use samsyn_registry::assignment::Mode;
use samsyn_vocabulary::{Reason, Seq};
use schemars::JsonSchema;
use serde::Deserialize;

/// What the graph is written in.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GraphFormat {
    /// JSON: nodes and edges.
    #[default]
    Json,
    /// Text for Mermaid.
    Mermaid,
}

/// The query of the graph.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GraphParams {
    /// The format; JSON by default.
    pub format: GraphFormat,
}

/// How a file is planned.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanParams {
    /// Remove the fields, sources and bindings of endpoints that aren't in the file.
    pub remove: bool,
    /// What happens to customers for whom a new source has no claim. `inherit`: they keep the value of the former
    /// source. `clear`: they have no value.
    pub mode: Mode,
}

/// How a file is applied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyParams {
    /// The revision of the plan. The host rejects the request if the registry has changed since.
    pub revision: Seq,
    /// Remove the fields, sources and bindings of endpoints that aren't in the file.
    #[serde(default)]
    pub remove: bool,
    /// What happens to customers for whom a new source has no claim.
    #[serde(default)]
    pub mode: Mode,
    /// The reason of the change.
    #[serde(default)]
    pub reason: Option<Reason>,
}
