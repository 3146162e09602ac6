//! Every way a request can go: a real engine on a directory of its own, over real HTTP.

mod access;
mod audit;
mod bad_input;
mod calls;
mod cursors;
mod hints;
mod hostile_json;
mod identity;
mod metrics;
mod packed;
mod query;
mod read_only;
mod refusals;
mod registry;
mod twice;
mod values;
mod waited;
mod wire;
mod world;
