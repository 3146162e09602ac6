//! Sends the calls that plug-ins began.
//!
//! ```text
//!   engine: a call is durable ─▶ dispatcher ─▶ lane of its endpoint ─▶ attempt ─▶ egress ─▶ the system
//!        ▲                                     rate, parallel, circuit     │ before: Sending is on the disk
//!        └───────────── Answered, or Retrying ─────────────────────────────┘
//! ```
//!
//! What must survive stands in the log. What only delays, a rate, a circuit, a connection, is kept in memory.
//!
//! | file | what it does |
//! |---|---|
//! | `dispatcher` | keeps a lane for each endpoint, follows the registry, starts and stops |
//! | `lane` | one endpoint: which calls may leave now |
//! | `upcoming` | the next calls of an endpoint, in memory |
//! | `attempt` | one attempt of one call, and what follows from how it ended |
//! | `batch` | rows of many customers in one request: which travel together, and what each learns of its end |
//! | `frame` | the one body of many rows |
//! | `link` | an endpoint as the registry binds it, made one that can be called |
//! | `try_out` | one request that an administrator asks for, and how far it came |
//! | `copied` | a restored or copied data directory begins paused |
//! | `refresh_tokens` | keeps refresh tokens that a system gives out |
//!
//! It must not know HTTP's bytes, how an address is checked (that is `egress`), or how a record is written (the engine).

#![warn(missing_docs)]

mod attempt;
mod batch;
mod copied;
mod dispatcher;
mod frame;
mod lane;
mod link;
mod refresh_tokens;
mod try_out;
mod upcoming;

pub use copied::{OutgoingConfig, PauseError, pause_a_copy};
pub use dispatcher::{EndpointStatus, Outgoing};
pub use lane::{Halt, LaneStatus};
pub use link::{Link, LinkError};
pub use try_out::{Sent, Trial, TrialStep};

#[cfg(test)]
mod tests;
