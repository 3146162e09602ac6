//! What follows from one item: pure functions of the record, the profile and the registry.
//!
//! | file | what it does |
//! |---|---|
//! | [`item`] | what a partition's cursor passes, and what a handler is invoked with |
//! | [`route`] | which capabilities get an item, and in which role |
//! | [`access`] | what one capability may say and read |
//! | [`project`] | what one capability may see of a profile and of an event |
//! | [`invoke`] | the handler's input, and one invocation with its result |
//! | [`decide`] | the one record that follows, with its [`answer`]s |
//! | [`draft`] | its last step, the identifiers: before that it is no record |
//! | [`customer_limit`] | how much one capability may keep of a customer |
//! | [`protective`] | opt-outs, which no older word ends |
//! | [`pending_notifications`], [`visible_claim`] | what a change of a source means for customers |
//!
//! It must not do input or output, take a lock or read a clock: the engine gives it everything, or a way to look it up, so that a
//! replay decides the same again.

pub mod access;
pub mod answer;
pub mod customer_limit;
pub mod decide;
pub mod draft;
pub mod invoke;
pub mod item;
pub mod pending_notifications;
pub mod project;
pub mod protective;
pub mod route;
pub mod visible_claim;
