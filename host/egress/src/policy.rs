//! When a call may leave, and when it is tried again. All of it is pure: the time is an input, chance has a seed.
//!
//! | file | what it decides |
//! |---|---|
//! | [`bucket`] | how many calls a time and at once; fewer after a 429 |
//! | [`circuit`] | whether an endpoint that keeps failing is tried at all |
//! | [`classify`] | what an outcome says about the endpoint and the exchange |
//! | [`backoff`] | how long until the next attempt |
//! | [`retry_after`] | what a peer asked for, whatever it wrote |
//! | [`again`] | by retry class: again, final or in doubt |
//!
//! Bucket and circuit live in memory. They only delay, so nothing is lost with them.

pub mod again;
pub mod backoff;
pub mod bucket;
pub mod circuit;
pub mod classify;
pub mod retry_after;
