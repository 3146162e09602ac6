//! The graph for Graphviz: `samsyn registry graph --format dot | dot -Tsvg`.

use std::fmt::Write;

use super::{EdgeKind, Graph, Node, NodeKind};

/// The graph in the DOT language. Departments are boxes around their capabilities.
pub fn dot(graph: &Graph) -> String {
    let ids = graph.short_ids();
    let mut text = String::from("digraph registry {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
    // Writing into a String can't fail.
    for (at, (department, capabilities)) in graph.departments().enumerate() {
        let _ = writeln!(text, "  subgraph cluster_{at} {{\n    label={};", quoted(&department.name));
        for node in capabilities {
            let _ = writeln!(text, "    {} {};", ids[node.id.as_str()], attributes(node));
        }
        text.push_str("  }\n");
    }
    for node in graph.nodes.iter().filter(|node| matches!(node.kind, NodeKind::Field | NodeKind::Event)) {
        let _ = writeln!(text, "  {} {};", ids[node.id.as_str()], attributes(node));
    }
    for edge in graph.edges.iter().filter(|edge| edge.kind != EdgeKind::AnswersFor) {
        let style = match edge.kind {
            EdgeKind::Sources => ", penwidth=2",
            EdgeKind::Claims | EdgeKind::StandsIn | EdgeKind::Wanted => ", style=dashed",
            _ => "",
        };
        let (from, to) = (&ids[edge.from.as_str()], &ids[edge.to.as_str()]);
        let _ = writeln!(text, "  {from} -> {to} [label={}{style}];", quoted(edge.kind.label()));
    }
    text.push_str("}\n");
    text
}

fn attributes(node: &Node) -> String {
    let shape = match node.kind {
        NodeKind::Department | NodeKind::Capability => "component",
        NodeKind::Field => "box",
        NodeKind::Event => "cds",
    };
    format!("[label={}, shape={shape}]", quoted(&node.name))
}

/// A quoted string: nothing in it ends it, and no backslash means anything but itself.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            other if other.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::tests::{NASTY, shop};
    use super::*;

    /// The strings between quotes; everything else stays as it is.
    fn strings(text: &str) -> (Vec<String>, String) {
        let (mut strings, mut rest, mut inside) = (Vec::new(), String::new(), None::<String>);
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match (&mut inside, char) {
                (None, '"') => inside = Some(String::new()),
                (None, other) => rest.push(other),
                (Some(_), '"') => strings.extend(inside.take()),
                (Some(string), '\\') => string.extend(chars.next()),
                (Some(string), other) => string.push(other),
            }
        }
        assert_eq!(inside, None, "a string has no end");
        (strings, rest)
    }

    #[test]
    fn what_a_department_is_called_can_t_break_out() {
        let text = dot(&shop());
        let (strings, rest) = strings(&text);
        assert!(strings.contains(&NASTY.replace('\n', " ")), "{strings:?}");
        assert!(
            rest.chars().all(|char| char.is_ascii_alphanumeric() || " \n[]{};=,_->.".contains(char)),
            "{rest}"
        );
        assert_eq!(rest.matches('{').count(), rest.matches('}').count());
        assert_eq!(text.lines().last(), Some("}"));
    }

    #[test]
    fn every_node_is_named_before_it_is_used_and_every_edge_is_there() {
        let graph = shop();
        let text = dot(&graph);
        let arrows = graph.edges.iter().filter(|edge| edge.kind != EdgeKind::AnswersFor).count();
        assert_eq!(text.matches(" -> ").count(), arrows);
        for line in text.lines().filter(|line| line.contains(" -> ")) {
            for id in line.split_whitespace().filter(|word| word.starts_with('n')) {
                assert!(text.contains(&format!("{id} [label=")), "{line}");
            }
        }
        assert_eq!(text.matches("subgraph").count(), 3);
    }
}
