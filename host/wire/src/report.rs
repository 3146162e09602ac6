//! The registry as a whole: the silo report, and the graph.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use samsyn_registry::graph::{EdgeKind, NodeKind};
use samsyn_registry::report::Severity;
use samsyn_vocabulary::{CapabilityName, FieldName};

/// All findings about the registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RegistryReport {
    /// The registry's revision.
    pub revision: u64,
    /// How many findings are errors.
    pub errors: usize,
    /// How many findings are warnings.
    pub warnings: usize,
    /// How many findings are notes.
    pub notes: usize,
    /// The findings: the most severe first, then by code, fields and capabilities.
    pub findings: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Finding {
    /// The severity.
    #[schemars(with = "Severity")]
    pub severity: String,
    /// The kind of finding. It stays the same from version to version.
    pub code: String,
    /// The fields that it concerns.
    #[schemars(with = "Vec<FieldName>")]
    pub fields: Vec<String>,
    /// The capabilities that it concerns.
    #[schemars(with = "Vec<CapabilityName>")]
    pub capabilities: Vec<String>,
    /// The events that it concerns, or patterns of events.
    pub events: Vec<String>,
    /// What was found and why it matters.
    pub explanation: String,
    /// What to do.
    pub mend: String,
    /// The command that does it, or that shows what has to be decided first. Replace the words in capitals.
    pub command: String,
}

/// The registry as a graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RegistryGraph {
    /// The registry's revision.
    pub revision: u64,
    /// The nodes, sorted by kind, then by name.
    pub nodes: Vec<GraphNode>,
    /// The edges, sorted by start, then by end.
    pub edges: Vec<GraphEdge>,
}

/// A node of the graph.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct GraphNode {
    /// The kind, a colon and the name. It is unique in the graph.
    pub id: String,
    /// The kind of node.
    #[schemars(with = "NodeKind")]
    pub kind: String,
    /// The name. A department's name can have any character.
    pub name: String,
    /// The responsible department, of a capability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
}

/// An edge of the graph. It points in the direction of responsibility or of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct GraphEdge {
    /// The node it starts at.
    pub from: String,
    /// The node it ends at.
    pub to: String,
    /// The kind of edge.
    #[schemars(with = "EdgeKind")]
    pub kind: String,
}
