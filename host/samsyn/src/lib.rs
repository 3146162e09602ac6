//! Samsyn: one profile of every customer, one source system for every data point.
//!
//! The house, from the top. A crate uses those below it and never one above; `docs/architecture.md` tells
//! what happens in each.
//!
//! | floor | crates |
//! |---|---|
//! | programs | `samsyn` (this one), [`cli`], the demo |
//! | a running host | [`server`] · for the command: `import`, `terminal`, [`client`] |
//! | in and out | [`api`], [`http`], [`backup`] |
//! | deciding | [`engine`], on [`decide`], which is pure; [`replay`] |
//! | what is kept | [`view`] and [`snapshot`], [`audit`], what [`follow`]s the log |
//! | what is said | [`record`] (the journal), [`registry`], [`sandbox`], [`build`] |
//! | ground | [`log`], [`contract`], [`disk`], `machine`, `telemetry`, [`vocabulary`] |
//!
//! This crate holds nothing but the program and these names, for tests and benchmarks.

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;

pub use samsyn_api as api;
pub use samsyn_audit as audit;
pub use samsyn_backup as backup;
pub use samsyn_build as build;
pub use samsyn_cli as cli;
pub use samsyn_client as client;
pub use samsyn_contract as contract;
pub use samsyn_decide as decide;
pub use samsyn_disk::{self as disk, durable_file, failpoint};
pub use samsyn_engine as engine;
pub use samsyn_follow as follow;
pub use samsyn_http as http;
pub use samsyn_journal as record;
pub use samsyn_log as log;
pub use samsyn_machine::clock;
pub use samsyn_registry as registry;
pub use samsyn_replay as replay;
pub use samsyn_sandbox as sandbox;
pub use samsyn_server::{self as server, host, settings};
pub use samsyn_state::{snapshot, view};
pub use samsyn_vocabulary as vocabulary;
pub use samsyn_wire as wire;

#[cfg(test)]
mod survival;
#[cfg(test)]
use samsyn_testkit::{self as testing, mutate};
