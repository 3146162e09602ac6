//! The loop that accepts: a task for each connection, and an end in order.
//!
//! What a stranger can make the host hold is bounded here: bytes of a request's head, streams and
//! windows of HTTP/2. How many connections there are and how long they may be silent is
//! `connections`' to say.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, Response, Version};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_service::Service;

use super::connection_info::ConnectionInfo;
use super::connections::{Connection, ConnectionLimits, Connections};
use super::drain_body;
use super::tls::Tls;

/// Bytes of a request's head, and of a body that waits to be read. 64 KiB: a token, a cursor and
/// what proxies add are a few. With as many connections as there may be it is 256 MiB at the worst.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Streams of one HTTP/2 connection. 128: as many as browsers and proxies use.
const STREAMS_MAX: u32 = 128;
/// Bytes that one HTTP/2 connection may send before somebody reads them. 256 KiB: half of the
/// largest body.
const WINDOW_BYTES: u32 = 256 * 1024;

/// What is served, and within which limits.
pub struct Site {
    /// What answers.
    pub router: Router,
    /// How many connections, and how long they may be silent.
    pub limits: ConnectionLimits,
    /// Looks at a request's version and headers before the router does; an answer refuses the request.
    pub refuse: Refuse,
}

/// The answer to a request that is refused for its version and headers; none lets it through.
pub type Refuse = fn(Version, &HeaderMap) -> Option<Response<Body>>;

/// Answers requests on this listener, over TLS when there is a certificate, until `stop` is done; then
/// no connection is accepted and the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    site: Site,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let Site { router, limits, refuse } = site;
    let mut connections = Connections::new(listener, tls, limits);
    let builder = Arc::new(builder());
    // Each task holds a receiver: when the last is dropped, all of them have ended.
    let (stopping, held) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let connection = tokio::select! {
            connection = connections.accept() => connection,
            () = &mut stop => break,
        };
        tokio::spawn(answer(connection, (router.clone(), refuse), builder.clone(), held.clone()));
    }
    drop((connections, held));
    stopping.send_replace(true);
    stopping.closed().await;
    Ok(())
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(HEAD_BYTES_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    builder
}

/// Answers one connection's requests until it ends, the host stops, or its slot is wanted.
async fn answer(
    connection: Connection,
    (router, refuse): (Router, Refuse),
    builder: Arc<Builder<TokioExecutor>>,
    mut stopping: watch::Receiver<bool>,
) {
    let info = connection.info();
    let service = Answering { router, refuse, info: info.clone() };
    let mut answering = pin!(builder.serve_connection(TokioIo::new(connection), service));
    let (mut told_to_stop, mut told_to_leave) = (false, false);
    loop {
        tokio::select! {
            ended = &mut answering => {
                if let Err(cause) = ended {
                    tracing::debug!(%cause, "a connection ended early");
                }
                return;
            }
            // An error is a host that has gone without stopping: there is nobody to wait for.
            _ = stopping.wait_for(|stopping| *stopping), if !told_to_stop => {
                told_to_stop = true;
                answering.as_mut().graceful_shutdown();
            }
            () = info.slot_is_wanted(), if !told_to_leave => {
                // Requests of this connection run in this task, so none begins between the two.
                if info.is_idle() {
                    return;
                }
                told_to_leave = true;
                answering.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The router, with the client's connection info for each request.
struct Answering {
    router: Router,
    refuse: Refuse,
    info: ConnectionInfo,
}

impl hyper::service::Service<Request<Incoming>> for Answering {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let under_way = self.info.request_under_way();
        let (version, info) = (request.version(), self.info.clone());
        let (mut request, unread) = drain_body::lend(request);
        request.extensions_mut().insert(ConnectInfo(self.info.clone()));
        let answering = match (self.refuse)(version, request.headers()) {
            // A router is ready at any time.
            None => Ok(self.router.clone().call(request)),
            Some(refused) => Err(refused),
        };
        Box::pin(async move {
            let mut answer = match answering {
                Ok(answering) => answering.await?,
                Err(refused) => refused,
            };
            if unread.drain(version, &mut answer).await {
                info.leave_body_unread();
            }
            drop(under_way);
            Ok(answer)
        })
    }
}
