//! The registry as a whole: the silo report, and the graph.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ApiState;
use super::convert::blocking;
use super::params::Params;
use super::problem::Answer;
use super::visibility::Viewer;
use samsyn_registry::graph::{Graph, mermaid};
use samsyn_registry::report::Report;

/// `GET /v1/registry/report`.
pub async fn report(State(state): State<ApiState>, Extension(viewer): Extension<Viewer>) -> Answer {
    blocking(move || {
        let mut usage = state.engine.view().usage();
        if !viewer.names_customers() {
            usage.forget_customers();
        }
        Ok(Json(Report::of(&state.engine.registry(), &usage)).into_response())
    })
    .await?
}

/// What the graph is written in.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "GraphFormat")]
pub enum Format {
    /// Nodes and edges.
    #[default]
    Json,
    /// For Mermaid.
    Mermaid,
}

/// The query of the graph.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GraphParams {
    /// What it is written in; JSON when left out.
    pub format: Format,
}

/// `GET /v1/registry/graph`.
pub async fn graph(State(state): State<ApiState>, Params(params): Params<GraphParams>) -> Answer {
    let graph = blocking(move || Graph::of(&state.engine.registry())).await?;
    let (kind, text) = match params.format {
        Format::Json => return Ok(Json(graph).into_response()),
        Format::Mermaid => ("text/plain; charset=utf-8", mermaid(&graph)),
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
