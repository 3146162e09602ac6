//! Samsyn: one profile of every customer, one source system for every data point.
//!
//! The host, floor by floor. A floor uses the floors below it and never one above; the map, from
//! the top:

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;

pub mod cli;

pub mod host;
pub mod settings;

pub mod api;
pub mod http;

pub mod backup;

pub mod audit;

pub mod engine;

pub use samsyn_build as build;
pub use samsyn_client as client;
pub use samsyn_contract as contract;
pub use samsyn_disk::{self as disk, durable_file, failpoint};
pub use samsyn_journal as record;
pub use samsyn_log as log;
pub use samsyn_machine::clock;
pub use samsyn_registry as registry;
pub use samsyn_sandbox as sandbox;
pub use samsyn_state::{snapshot, view};
pub use samsyn_vocabulary as vocabulary;

use samsyn_machine::niceness;

#[cfg(test)]
mod survival;
#[cfg(test)]
use samsyn_testkit::{self as testing, mutate};
