//! The registry as a picture: departments, capabilities, fields, events, and what lies between them.
//!
//! [`Graph::of`] is a pure function of the registry, always in the same order, so that two exports
//! can be compared line by line. [`mermaid`] writes it for what draws Mermaid.

mod mermaid;

pub use mermaid::mermaid;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Capability, Registry};
use samsyn_vocabulary::{CapabilityName, EventName, Seq};

/// Everything that is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The revision it shows.
    pub revision: Seq,
    /// By kind, then by name.
    pub nodes: Vec<Node>,
    /// By their start, then by their end.
    pub edges: Vec<Edge>,
}

/// One thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Node {
    /// The kind, a colon and the name: unique in the graph.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Its name, as it is written. A department's may hold any character.
    pub name: String,
    /// The department that answers for it; capabilities have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
}

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A department that is responsible for capabilities.
    Department,
    /// An installed plug-in.
    Capability,
    /// A field of the dictionary, or a field that a plug-in requests to read.
    Field,
    /// An event that a capability emits or receives, or a pattern of events.
    Event,
    /// A system that a capability may call, bound or not.
    Endpoint,
}

/// What one node has to do with another. It points the way that answers and data go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// The node it starts at.
    pub from: String,
    /// The node it ends at.
    pub to: String,
    /// What it says.
    pub kind: EdgeKind,
}

/// The kind of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// A department is responsible for a capability.
    AnswersFor,
    /// A capability is a field's source: its claim is the value.
    Sources,
    /// A capability makes claims for a field of another source, or of none.
    Claims,
    /// A former source's claims are used for customers without a claim of the source.
    StandsIn,
    /// A capability reads a field.
    ReadBy,
    /// A capability reads a field and is notified when it changes.
    Tells,
    /// A capability requests to read a field and has no grant for it.
    Wanted,
    /// A capability emits an event.
    Emits,
    /// A capability receives an event.
    HeardBy,
    /// A capability calls an endpoint that is bound.
    Calls,
    /// A capability requests to call an endpoint that isn't bound.
    CallsUnbound,
}

impl EdgeKind {
    /// The words beside the line.
    pub fn label(self) -> &'static str {
        match self {
            EdgeKind::AnswersFor => "answers for",
            EdgeKind::Sources => "source",
            EdgeKind::Claims => "claims",
            EdgeKind::StandsIn => "fallback",
            EdgeKind::ReadBy => "read by",
            EdgeKind::Tells => "notifies",
            EdgeKind::Wanted => "wanted by",
            EdgeKind::Emits => "emits",
            EdgeKind::HeardBy => "received by",
            EdgeKind::Calls => "calls",
            EdgeKind::CallsUnbound => "requests to call",
        }
    }
}

impl NodeKind {
    fn id(self, name: &str) -> String {
        let kind = match self {
            NodeKind::Department => "department",
            NodeKind::Capability => "capability",
            NodeKind::Field => "field",
            NodeKind::Event => "event",
            NodeKind::Endpoint => "endpoint",
        };
        format!("{kind}:{name}")
    }
}

impl Graph {
    /// The graph of a revision.
    pub fn of(registry: &Registry) -> Graph {
        let mut draft = Draft::default();
        registry.fields.keys().for_each(|field| {
            draft.node(NodeKind::Field, field.as_str());
        });
        let emitted: BTreeSet<&EventName> =
            registry.capabilities.values().flat_map(|is| is.manifest.emits.keys()).collect();
        for (name, capability) in &registry.capabilities {
            draft.capability(registry, name, capability, &emitted);
        }
        Graph {
            revision: registry.revision,
            nodes: draft.nodes.into_values().collect(),
            edges: draft.edges.into_iter().collect(),
        }
    }

    /// The department of each capability and those it has, in order; for drawing them as boxes.
    fn departments(&self) -> impl Iterator<Item = (&Node, Vec<&Node>)> {
        let departments = self.nodes.iter().filter(|node| node.kind == NodeKind::Department);
        departments.map(|department| {
            let its = self.nodes.iter().filter(|node| node.department.as_ref() == Some(&department.name));
            (department, its.collect())
        })
    }

    /// A short name of each node that any tool takes: its place among the nodes.
    fn short_ids(&self) -> BTreeMap<&str, String> {
        self.nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), format!("n{at}"))).collect()
    }
}

#[derive(Default)]
struct Draft {
    nodes: BTreeMap<(NodeKind, String), Node>,
    edges: BTreeSet<Edge>,
}

impl Draft {
    fn node(&mut self, kind: NodeKind, name: &str) -> String {
        let id = kind.id(name);
        let node = || Node { id: kind.id(name), kind, name: name.to_owned(), department: None };
        self.nodes.entry((kind, name.to_owned())).or_insert_with(node);
        id
    }

    fn edge(&mut self, from: &str, to: &str, kind: EdgeKind) {
        self.edges.insert(Edge { from: from.to_owned(), to: to.to_owned(), kind });
    }

    fn capability(
        &mut self,
        registry: &Registry,
        name: &CapabilityName,
        capability: &Capability,
        emitted: &BTreeSet<&EventName>,
    ) {
        let id = self.node(NodeKind::Capability, name.as_str());
        let owner = capability.manifest.plugin.owner.trim();
        if let Some(node) = self.nodes.get_mut(&(NodeKind::Capability, name.to_string())) {
            node.department = Some(owner.to_owned());
        }
        let department = self.node(NodeKind::Department, owner);
        self.edge(&department, &id, EdgeKind::AnswersFor);
        for field in capability.grant.sources() {
            let to = self.node(NodeKind::Field, field.as_str());
            let entry = registry.fields.get(field);
            let kind = match entry {
                Some(entry) if entry.source.as_ref() == Some(name) => EdgeKind::Sources,
                Some(entry) if entry.inherits.contains(name) => EdgeKind::StandsIn,
                _ => EdgeKind::Claims,
            };
            self.edge(&id, &to, kind);
        }
        for (field, consumed) in &capability.manifest.consumes {
            let from = self.node(NodeKind::Field, field.as_str());
            let kind = match (capability.grant.reads.contains(field), consumed.notify) {
                (false, _) => EdgeKind::Wanted,
                (true, false) => EdgeKind::ReadBy,
                (true, true) => EdgeKind::Tells,
            };
            self.edge(&from, &id, kind);
        }
        for event in capability.manifest.emits.keys() {
            let to = self.node(NodeKind::Event, event.as_str());
            self.edge(&id, &to, EdgeKind::Emits);
        }
        for endpoint in &capability.grant.calls {
            let to = self.node(NodeKind::Endpoint, &format!("{name}/{endpoint}"));
            let bound = capability.endpoints.contains_key(endpoint);
            self.edge(&id, &to, if bound { EdgeKind::Calls } else { EdgeKind::CallsUnbound });
        }
        for pattern in &capability.grant.hears {
            let from = self.node(NodeKind::Event, pattern.as_str());
            self.edge(&from, &id, EdgeKind::HeardBy);
            // Nobody hears of their own.
            let others = emitted.iter().filter(|event| !capability.manifest.emits.contains_key(**event));
            for event in others.filter(|event| pattern.matches(event)) {
                self.edge(&NodeKind::Event.id(event.as_str()), &id, EdgeKind::HeardBy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{Plugin, redefine, registry};

    /// Departments with every character that one of the formats gives a meaning.
    pub(super) const NASTY: &str = "R&D \"East\" \\ <b>;#1\n%% line [x] {y} | end";

    pub(super) fn shop() -> Graph {
        Graph::of(&registry(&[
            Plugin::new("crm").owner(NASTY).sources(&["email", "country"]).hears("sms.*"),
            Plugin::new("loyalty").owner("Members").hears("order.completed").emits("loyalty.tier_reached"),
            Plugin::new("sms").owner("Mobile").sources(&["country"]).notified(&["email"]).emits("sms.moved"),
        ]))
    }

    fn two_of_a_field() -> Registry {
        registry(&[Plugin::new("crm").sources(&["country"]), Plugin::new("sms").sources(&["country"])])
    }

    fn edge(graph: &Graph, from: &str, to: &str) -> Option<EdgeKind> {
        graph.edges.iter().find(|edge| edge.from == from && edge.to == to).map(|edge| edge.kind)
    }

    #[test]
    fn everything_and_what_lies_between() {
        let graph = shop();
        let count = |kind| graph.nodes.iter().filter(|node| node.kind == kind).count();
        let all = [NodeKind::Department, NodeKind::Capability, NodeKind::Field, NodeKind::Event].map(count);
        assert_eq!(all, [3, 3, 2, 4]);
        for (from, to, kind) in [
            ("department:Mobile", "capability:sms", EdgeKind::AnswersFor),
            ("capability:crm", "field:country", EdgeKind::Sources),
            ("capability:sms", "field:country", EdgeKind::Claims),
            ("field:email", "capability:sms", EdgeKind::Tells),
            ("capability:sms", "event:sms.moved", EdgeKind::Emits),
            ("event:sms.*", "capability:crm", EdgeKind::HeardBy),
            ("event:sms.moved", "capability:crm", EdgeKind::HeardBy),
        ] {
            assert_eq!(edge(&graph, from, to), Some(kind), "{from} {to}");
        }
        assert_eq!(edge(&graph, "event:loyalty.tier_reached", "capability:crm"), None);
        let mut registry = two_of_a_field();
        let crm = CapabilityName::new("crm").unwrap();
        redefine(&mut registry, "country", |field| {
            field.inherits = field.source.replace(CapabilityName::new("sms").unwrap()).into_iter().collect();
            assert_eq!(field.inherits, [crm]);
        });
        let swapped = Graph::of(&registry);
        assert_eq!(edge(&swapped, "capability:sms", "field:country"), Some(EdgeKind::Sources));
        assert_eq!(edge(&swapped, "capability:crm", "field:country"), Some(EdgeKind::StandsIn));
    }

    #[test]
    fn nothing_dangles_and_the_order_is_always_the_same() {
        let graph = shop();
        let ids: BTreeSet<&str> = graph.nodes.iter().map(|node| node.id.as_str()).collect();
        assert_eq!(ids.len(), graph.nodes.len());
        for edge in &graph.edges {
            assert!(ids.contains(edge.from.as_str()) && ids.contains(edge.to.as_str()), "{edge:?}");
        }
        assert_eq!(graph, shop());
        assert!(graph.edges.is_sorted());
    }

    #[test]
    fn the_json_can_be_read_back_name_by_name() {
        let json = serde_json::to_string(&shop()).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["nodes"][0]["kind"], "department");
        let names: Vec<&str> = read["nodes"].as_array().unwrap()[..3]
            .iter()
            .map(|node| node["name"].as_str().unwrap())
            .collect();
        assert!(names.contains(&NASTY), "{names:?}");
        assert_eq!(read["edges"][0]["from"], "capability:crm");
    }
}
