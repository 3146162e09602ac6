//! Samsyn: one profile of every customer, one source system for every data point.
//!
//! The host, floor by floor. A floor uses the floors below it and never one above; the map, from
//! the top:

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;

pub mod cli;
pub mod client;

pub mod host;
pub mod settings;

pub mod api;
pub mod build;

pub mod backup;

pub mod audit;

pub mod engine;

pub mod snapshot;

pub mod log;
pub mod view;

pub mod record;
pub mod sandbox;

pub mod registry;

pub mod clock;
pub mod config;
pub mod durable_file;
pub use samsyn_contract as contract;
pub use samsyn_vocabulary as vocabulary;

pub mod disk;
pub mod failpoint;
mod niceness;

#[cfg(test)]
#[path = "../../tests/mutate.rs"]
mod mutate;
#[cfg(test)]
mod survival;
#[cfg(test)]
mod testing;
