//! What each call of the HTTP interface is, in the words of whoever uses it: its summary, its parameters, its
//! body, its answers with an example of each, what can go wrong, and the scope it needs. `/openapi.json` is
//! written from this and from the types of the crate `wire`.
//!
//! | file | what it has |
//! |---|---|
//! | [`describe`] | what each call does: a file for each file of handlers |
//! | [`operation`] | the words that a description is made of |
//! | [`scopes`] | what a token must have for a call |
//! | `document` | a call with its place, and the document of all calls |
//!
//! The crate `api` has the table that joins each description with a path and a handler. This one must not know
//! handlers, the engine or axum.

#![warn(missing_docs)]

pub mod describe;
mod document;
pub mod operation;
pub mod scopes;

pub use document::{Call, document};
