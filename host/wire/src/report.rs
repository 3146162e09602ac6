//! The registry as a whole: the silo report, and the graph.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use samsyn_registry::graph::{EdgeKind, NodeKind};
use samsyn_registry::report::Severity;
use samsyn_vocabulary::{CapabilityName, FieldName};

/// Everything there is to say about a revision of the registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RegistryReport {
    /// The revision.
    pub revision: u64,
    /// How many findings are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// How many are notes.
    pub notes: usize,
    /// The worst first, then in the order of their codes and of what they are about.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Finding {
    /// How much it matters.
    #[schemars(with = "Severity")]
    pub severity: String,
    /// Which kind of finding; it stays the same from version to version.
    pub code: String,
    /// The fields it is about.
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    /// The capabilities it is about.
    #[schemars(with = "Vec<CapabilityName>")]
    pub capabilities: Vec<String>,
    /// The events it is about, or patterns of them.
    pub events: Vec<String>,
    /// What was found and why it matters.
    pub explanation: String,
    /// What to do about it.
    pub mend: String,
    /// The command that does it, or that shows what has to be decided first. Words in capitals
    /// stand for what only the administrator knows.
    pub command: String,
}

/// Everything that is drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RegistryGraph {
    /// The revision it shows.
    pub revision: u64,
    /// By kind, then by name.
    pub nodes: Vec<GraphNode>,
    /// By their start, then by their end.
    pub edges: Vec<GraphEdge>,
}

/// One thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct GraphNode {
    /// The kind, a colon and the name: unique in the graph.
    pub id: String,
    /// What it is.
    #[schemars(with = "NodeKind")]
    pub kind: String,
    /// Its name, as it is written. A department's may hold any character.
    pub name: String,
    /// The department that answers for it; capabilities have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
}

/// What one node has to do with another. It points the way that answers and data go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct GraphEdge {
    /// The node it starts at.
    pub from: String,
    /// The node it ends at.
    pub to: String,
    /// What it says.
    #[schemars(with = "EdgeKind")]
    pub kind: String,
}
