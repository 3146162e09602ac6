//! One span a request, and one line when it is answered. The route is the pattern that matched,
//! never the path: a path may hold a customer's name.

use std::any::Any;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::problem::{Kind, Problem};

/// Traces a request.
pub async fn request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!("request", method = %method(&request), route);
    async move {
        let response = next.run(request).await;
        let (status, us) = (response.status().as_u16(), started.elapsed().as_micros() as u64);
        if response.status().is_server_error() {
            tracing::warn!(status, us, "answered");
        } else {
            tracing::debug!(status, us, "answered");
        }
        response
    }
    .instrument(span)
    .await
}

/// A method somebody made up could hold anything.
fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// A handler panicked. The panic hook has written where; its message may hold what a customer
/// sent, so it stays out of the answer.
pub fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request's handler panicked: see the message of the panic before this line");
    Problem::new(Kind::Internal, "the request could not be carried out; the host's log says where").into_response()
}
