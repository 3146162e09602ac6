//! Followers: each has a durable cursor over the log, and a thread of its own that pulls.
//!
//! ```text
//! log ──▶ writer ──▶ view, waiters, metrics
//!  ▲         └ ─ ─ wakes ─ ─ ┐
//!  └── pulls ── follower's thread ──▶ state and cursor, one file
//! ```
//!
//! A [`Follower`] says what one record does to its state. Its thread reads what is durable, applies a bounded
//! batch, and writes the state *with* the cursor, as one file that is there whole or not at all. So after a kill
//! at any moment each record has been applied once. A follower that fails, or stands still, is behind, and
//! nobody else is: nobody calls it, and it holds no lock while it applies or writes.
//!
//! Why a file and not the view's store: the file is written through the [`samsyn_disk::Disk`] that tests can cut
//! the power of, at every step. The store isn't, and may be deleted at any time; counts may not. A file is
//! written whole, so a state should stay within some megabytes.
//!
//! | file | what it does |
//! |---|---|
//! | `follower` | what a follower is |
//! | `runner` · `pull` | its thread; reading the log in order, and what was removed from it |
//! | `progress` · `saved` · `store` | its cursor; the bytes of its file; the file |
//! | `followers` · `status` · `metrics` | starting and stopping them; how they are |
//! | `of_host` · `config` | the followers of a host, and their settings |
//! | `field_changes` | the first one: durable counts of changes per field |
//! | `error` | what stops one |
//!
//! It must not know the engine, HTTP, or what is done with a follower's state.

mod config;
mod error;
mod field_changes;
mod follower;
mod followers;
mod metrics;
mod of_host;
mod progress;
mod pull;
mod runner;
mod saved;
mod status;
mod store;

#[cfg(test)]
mod tests;

pub use config::FollowConfig;
pub use error::FollowError;
pub use field_changes::{FieldChanges, FieldCounts};
pub use follower::{ApplyError, Follower};
pub use followers::Followers;
pub use of_host::HostFollowers;
pub use progress::{Missed, MissedRange, Rebuilt};
pub use runner::Pace;
pub use status::FollowerStatus;
