//! Stories: what an integrator, an admin, an app developer and a customer would tell of Samsyn.
//!
//! Each runs the real command and real components, and talks to the host over HTTP or with the
//! command, as they would. The harness is `world.rs`, with `caller.rs` for HTTP and
//! `components.rs` for what is installed.

mod access;
mod admin;
mod app_developer;
mod audit;
mod bad_input;
mod busy;
mod command_line;
mod connections;
mod contract;
mod copies;
mod customer;
mod damage;
mod demo;
mod dictionary;
mod endpoints;
mod family;
mod following;
mod grants;
mod handover;
mod hostile;
mod import;
mod integrator;
mod interface;
mod keeping;
mod limits;
mod malformed;
mod only_reading;
mod overload;
mod ownership;
mod packaging;
mod pages;
mod planning;
mod registry_file;
mod renamed_plugin;
mod replay;
mod secrets;
mod silos;
mod tls;
mod vendor_swap;
