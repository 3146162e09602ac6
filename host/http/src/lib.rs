//! A small web server: it accepts connections, over TLS or not, bounds them, and hands each request to a
//! router. It must not know what is answered.
//!
//! ```text
//! listener ─▶ connections ─▶ stream (TLS) ─▶ serve ─▶ drain_body ─▶ router
//!             bounded, idle   handshake       HTTP/1, 2  unread?
//! ```
//!
//! - `connections`: how many there are and how long they may be silent.
//! - `stream`, `tls`: the bytes, plain or encrypted; the certificate, read again when told to.
//! - `serve`: the loop that accepts, a task for each connection, and an orderly stop.
//! - `connection_info`: the connection as handlers see it.
//! - `drain_body`: what happens to a body that no handler read.

mod connection_info;
mod connections;
mod drain_body;
mod serve;
mod stream;
mod tls;

pub use connection_info::ConnectionInfo;
pub use connections::ConnectionLimits;
pub use serve::{Site, serve};
pub use tls::{Tls, TlsError};
