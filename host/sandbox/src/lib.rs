//! The sandbox: foreign code in, effects out, and nothing else either way.
//!
//! A plug-in is a WebAssembly component that imports only the contract in `wit/plugin.wit`. Each invocation
//! gets a fresh instance, so no two customers share memory, and limits on everything it can spend. What it
//! asks for is judged when it asks and handed to the caller as a list; nothing here acts on it.
//!
//! ```text
//! bytes ── package ──▶ Package ── engine (compile, cache) ──▶ Plugin ── invoke ──▶ CallReport
//!          judged, not run        compiled once, bounded              fresh store, limits
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `package` · `section` · `contract` · `error` | judges a component's bytes before anything runs |
//! | `engine` · `compile` · `cache` · `config` · `swap` | compiles it, within bounds, and keeps what was compiled |
//! | `invocation` · `handlers` · `bindings` · `state` · `lower` · `values` | runs a handler in a fresh instance |
//! | `limits` · `ticker` · `thread_clock` · `failure` | what an invocation may spend, and how it can fail |
//!
//! It must not know a registry, a log, or what happens with effects.

#[cfg(feature = "bindings")]
pub mod bindings;
#[cfg(not(feature = "bindings"))]
mod bindings;
mod cache;
mod compile;
mod config;
mod contract;
mod engine;
mod error;
mod failure;
mod handlers;
mod invocation;
mod limits;
mod lower;
mod package;
mod section;
mod state;
mod swap;
mod thread_clock;
mod ticker;
mod values;

#[cfg(test)]
mod composed_tests;
#[cfg(test)]
mod fixture_tests;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
#[cfg(any(test, feature = "testing"))]
pub mod guests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod malformed_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;

pub use compile::{Compiler, compile_file, compile_to};
pub use contract::MANIFEST_SECTION;
pub use engine::{Sandbox, SandboxError};
pub use error::PackageError;
pub use handlers::HandlerInput;
pub use invocation::{InvocationReport, Plugin, work_as};
pub use limits::Limits;
pub use package::{Package, componentise, embed_manifest};
pub use samsyn_contract::Access;
pub use samsyn_vocabulary::{Digest, DigestError};
