//! The interface behind a listener.

use std::future::Future;
use std::sync::Arc;

use axum::response::IntoResponse;
use tokio::net::TcpListener;

use super::{ApiState, named_host, router};
use samsyn_http::{Site, Tls};

/// Answers calls on this listener, over TLS when there is a certificate, until `stop` is done; then
/// no connection is accepted and the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    state: ApiState,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let site = Site {
        limits: state.limits.of_connections(),
        router: router(state),
        refuse: |version, headers| named_host::problem(version, headers).map(IntoResponse::into_response),
    };
    samsyn_http::serve(listener, tls, site, stop).await
}
