//! Calls out of the host: one request to one granted endpoint, and when to try again.
//!
//! ```text
//! Request ─▶ base, headers ─▶ auth ─▶ channel ─▶ pool │ dial: resolve, address, proxy, tls ─▶ exchange ─▶ Outcome
//!            what a plug-in    the      at most once     every address checked                 over wire,
//!            may say           host's                                                          which counts bytes
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | [`address`] | which addresses may be connected to: IANA's special-purpose registries as a table |
//! | [`base`] | a granted base URL, and the plug-in's path and query below it |
//! | [`headers`] | which headers a plug-in may set, and which of an answer it gets |
//! | [`target`] | an endpoint as plain values, its limits, and a request |
//! | [`secret`] | a value that nothing prints, and how it is taken out of answers and errors |
//! | [`auth`] | bearer, header, basic, query, OAuth 2 and AWS Signature Version 4 |
//! | [`connector`] | the public face: a [`Connector`] makes an [`Endpoint`], which makes calls |
//! | `channel` | requests to one authority, each sent at most once |
//! | [`resolve`] | from a name to its addresses |
//! | `dial` | from an endpoint to a connection: look up, check, connect, proxy, TLS |
//! | `tls` | whom a connection trusts, and the host's own certificate |
//! | `pool` | connections that wait for the next call |
//! | `exchange` | one request and its answer over one connection |
//! | `wire` | a socket that counts what left and bounds what comes |
//! | [`outcome`] | `NotSent`, `Response` or `Unknown` |
//! | [`steps`] | how far a call came, for who tries an endpoint out |
//! | [`policy`] | when to try again: rate, back-off, circuit, retry class; pure, with the time as an input |
//!
//! It must not know records, the registry, plug-ins or where secrets are kept: it gets plain values. It must not
//! send a request twice, follow a redirect, read the environment, or write to a log.

pub mod address;
pub mod auth;
pub mod base;
mod channel;
pub mod connector;
mod dial;
mod exchange;
pub mod headers;
pub mod outcome;
pub mod policy;
mod pool;
pub mod resolve;
pub mod secret;
pub mod steps;
pub mod target;
mod tls;
mod wire;

pub use connector::{BadTarget, Connector, Endpoint};
pub use outcome::{Answer, NotSent, Outcome, Unknown, UnknownWhy};
pub use target::{Limits, Request, Target};

#[cfg(test)]
mod tests;
