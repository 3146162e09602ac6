//! What the log's records fold into: never the truth, always to be had again from the log.
//!
//! | folder | what it keeps |
//! |---|---|
//! | [`view`] | every profile, link and event id as of the last durable record, in a store on disk |
//! | [`snapshot`] | what the log folds into at one place, as one file: a view starts from it |
//!
//! [`step`] is the one fold of a record that all of them use.
//!
//! It must not know who appends or decides: no plug-in, no clock, no network.

pub mod snapshot;
mod step;
pub mod view;
