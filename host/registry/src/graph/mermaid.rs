//! The graph for Mermaid, which Markdown pages of several hosts draw by themselves.

use std::fmt::Write;

use super::{EdgeKind, Graph, Node, NodeKind};

/// The graph as a flow chart. Departments are boxes around their capabilities.
pub fn mermaid(graph: &Graph) -> String {
    let ids = graph.short_ids();
    let mut text = String::from("flowchart LR\n");
    // Writing into a String can't fail.
    for (at, (department, capabilities)) in graph.departments().enumerate() {
        let _ = writeln!(text, "  subgraph d{at}[{}]", quoted(&department.name));
        for node in capabilities {
            let _ = writeln!(text, "    {}{}", ids[node.id.as_str()], shape(node));
        }
        text.push_str("  end\n");
    }
    let outside = |node: &&Node| matches!(node.kind, NodeKind::Field | NodeKind::Event | NodeKind::Endpoint);
    for node in graph.nodes.iter().filter(outside) {
        let _ = writeln!(text, "  {}{}", ids[node.id.as_str()], shape(node));
    }
    for edge in graph.edges.iter().filter(|edge| edge.kind != EdgeKind::AnswersFor) {
        let line = match edge.kind {
            EdgeKind::Sources => "==>",
            EdgeKind::Claims | EdgeKind::StandsIn | EdgeKind::Wanted | EdgeKind::CallsUnbound => "-.->",
            _ => "-->",
        };
        let (from, to) = (&ids[edge.from.as_str()], &ids[edge.to.as_str()]);
        let _ = writeln!(text, "  {from} {line}|{}| {to}", edge.kind.label());
    }
    text
}

fn shape(node: &Node) -> String {
    let name = quoted(&node.name);
    match node.kind {
        NodeKind::Department | NodeKind::Capability => format!("[[{name}]]"),
        NodeKind::Field => format!("[{name}]"),
        NodeKind::Event => format!("([{name}])"),
        NodeKind::Endpoint => format!("[/{name}/]"),
    }
}

/// A quoted text. Mermaid reads HTML and its own entities in it, so whatever means something to
/// either is written as the number of its character.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' | '%' | '{' | '}' => {
                let _ = write!(quoted, "#{};", u32::from(char));
            }
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

    /// What Mermaid shows for a quoted text.
    fn shown(quoted: &str) -> String {
        let mut shown = String::new();
        let mut rest = quoted.trim_matches('"');
        while let Some((before, entity)) = rest.split_once('#') {
            shown.push_str(before);
            let (number, after) = entity.split_once(';').expect("an entity ends");
            shown.push(
                char::from_u32(number.parse().expect("an entity is a number")).expect("of a character"),
            );
            rest = after;
        }
        shown + rest
    }

    #[test]
    fn a_name_is_shown_as_it_is_and_means_nothing_else() {
        let text = mermaid(&shop());
        let boxed = text.lines().find(|line| line.contains("R#38;D")).expect("the department is drawn");
        let name = boxed.split_once('[').unwrap().1.strip_suffix(']').unwrap();
        assert_eq!(shown(name), NASTY.replace('\n', " "));
        assert_eq!(name.matches('"').count(), 2);
        assert!(!text.contains("%%") && !name.contains('<'));
    }

    #[test]
    fn it_is_a_flow_chart_with_all_nodes_and_edges() {
        let graph = shop();
        let text = mermaid(&graph);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("flowchart LR"));
        assert_eq!(
            text.matches("subgraph").count(),
            text.lines().filter(|line| line.trim() == "end").count()
        );
        let drawn = text.lines().filter(|line| line.contains('|')).count();
        assert_eq!(drawn, graph.edges.iter().filter(|edge| edge.kind != EdgeKind::AnswersFor).count() + 1);
        assert!(text.contains("n0") || text.contains("n3[["));
        assert!(text.contains("([\"sms.*\"])"));
        assert!(text.contains(" ==>|source| "));
        assert!(text.contains(" -.->|claims| "));
    }
}
