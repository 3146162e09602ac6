//! Samsyn: one profile of every customer, one source system for every data point.

pub mod clock;
pub mod config;
pub mod engine;
pub mod log;
pub mod record;
pub mod registry;
pub mod view;
pub mod sandbox;
pub mod vocabulary;
