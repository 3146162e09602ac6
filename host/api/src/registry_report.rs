//! The registry as a whole: the silo report, and the graph.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::query::{GraphFormat, GraphParams};
use samsyn_wire::{self as wire, GraphEdge, GraphNode, RegistryGraph, RegistryReport};

use super::convert::blocking;
use super::params::Params;
use super::problem::{Answer, Problem};
use super::visibility::Viewer;
use super::words::{names, word};
use super::{ApiState, plugin_calls, secrets};
use samsyn_registry::graph::{Edge, Graph, Node, mermaid};
use samsyn_registry::report::{Beside, Finding, Report};

/// `GET /v1/registry/report`.
pub async fn report(State(state): State<ApiState>, Extension(viewer): Extension<Viewer>) -> Answer {
    blocking(move || {
        let mut usage = state.engine.view().usage();
        if !viewer.names_customers() {
            usage.forget_customers();
        }
        let (registry, now) = (state.engine.registry(), state.engine.clock().now());
        let beside = Beside {
            valueless: secrets::valueless(&state.secrets),
            stuck: plugin_calls::stuck(&state.outgoing),
            doubtful: plugin_calls::doubtful(&state.engine).map_err(Problem::internal)?,
        };
        Ok(Json(report_answer(Report::with(&registry, &usage, &beside, now))).into_response())
    })
    .await?
}

fn report_answer(report: Report) -> RegistryReport {
    let finding = |finding: Finding| wire::Finding {
        severity: word(&finding.severity),
        code: finding.code.to_owned(),
        fields: names(finding.fields),
        capabilities: names(finding.capabilities),
        events: finding.events,
        explanation: finding.explanation,
        mend: finding.mend,
        command: finding.command,
    };
    RegistryReport {
        revision: report.revision,
        errors: report.errors,
        warnings: report.warnings,
        notes: report.notes,
        findings: report.findings.into_iter().map(finding).collect(),
    }
}

fn graph_answer(graph: Graph) -> RegistryGraph {
    let node = |node: Node| GraphNode {
        id: node.id,
        kind: word(&node.kind),
        name: node.name,
        department: node.department,
    };
    let edge = |edge: Edge| GraphEdge { from: edge.from, to: edge.to, kind: word(&edge.kind) };
    RegistryGraph {
        revision: graph.revision,
        nodes: graph.nodes.into_iter().map(node).collect(),
        edges: graph.edges.into_iter().map(edge).collect(),
    }
}

/// `GET /v1/registry/graph`.
pub async fn graph(State(state): State<ApiState>, Params(params): Params<GraphParams>) -> Answer {
    let graph = blocking(move || Graph::of(&state.engine.registry())).await?;
    let (kind, text) = match params.format {
        GraphFormat::Json => return Ok(Json(graph_answer(graph)).into_response()),
        GraphFormat::Mermaid => ("text/plain; charset=utf-8", mermaid(&graph)),
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
