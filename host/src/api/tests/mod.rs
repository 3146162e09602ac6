//! Every way a request can go: a real engine on a directory of its own, over real HTTP.

mod access;
mod audit;
mod bad_input;
mod calls;
mod hints;
mod hostile_json;
mod identity;
mod refusals;
mod registry;
mod values;
mod world;
