//! What the stories and the survival suites share: a host in a process of its own, and what is done to it.
//!
//! | file | what it gives |
//! |---|---|
//! | [`world`] | the host, its data directory, the command |
//! | [`caller`] | an application that calls it over HTTP; every answer is held against the description |
//! | [`components`] | built plug-ins, and the probe with any manifest |

pub mod caller;
pub mod components;
pub mod world;
