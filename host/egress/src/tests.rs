//! The connector against a real peer, and against peers that are wrong.

mod addresses;
mod authentication;
mod cuts;
mod hostile;
mod outcomes;
mod proxy;
mod support;
mod tls;
