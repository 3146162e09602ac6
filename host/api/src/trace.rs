//! One span a request, and one line when it is answered. The route is the pattern that matched,
//! never the path: a path may hold a customer's name.

use std::any::Any;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::problem::{Kind, Problem};

/// Traces a request.
pub async fn request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let span = tracing::info_span!("request", method = method(&request), route = tracing::field::Empty);
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

/// Names the route in the request's span, once it is known.
pub async fn route(State(route): State<&'static str>, mut request: Request, next: Next) -> Response {
    tracing::Span::current().record("route", route);
    let call = Call { method: method(&request), route };
    request.extensions_mut().insert(call);
    next.run(request).await
}

/// Which call a request is, without anything a caller chose; there in every handler.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// The pattern of the path.
    pub route: &'static str,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.route)
    }
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
    Problem::new(Kind::Internal, "the request failed; the host's log has the place").into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tower_http::catch_panic::CatchPanicLayer;

    #[test]
    fn a_panic_is_a_problem_and_the_next_request_is_answered() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        async fn broken() -> &'static str {
            panic!("anna@example.com broke it")
        }
        let router = Router::new()
            .route("/broken", get(broken))
            .route("/fine", get(|| async { "fine" }))
            .layer(CatchPanicLayer::custom(super::panicked));
        runtime.spawn(async move { axum::serve(listener, router).await });
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let get = |path: &str| {
            let mut answer = agent.get(format!("http://{address}{path}")).call().unwrap();
            (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
        };
        let (status, body) = get("/broken");
        assert_eq!(status, 500);
        assert!(body.contains("/errors#internal") && !body.contains("anna"), "{body}");
        assert_eq!(get("/fine"), (200, "fine".to_owned()));
    }
}
