//! The audits: changes of the registry, and reads of personal data.
//!
//! Changes of the registry are records of its partition already: [`changes`] asks them. Reads have
//! a log of their own, in a directory of its own: other files, so that it can lie on another disk
//! and be kept for another time, and so that its failing stops nothing but reads of personal data.
//!
//! | file | what it does |
//! |---|---|
//! | `reads` | writes a read before its answer leaves, many at once |
//! | `record` | what stands in the log |
//! | `retention` | lets go of what is too old or too much |
//! | `query` · `changes` | questions |
//! | `heads` | what to note elsewhere |
//! | `config` · `status` | its settings, and how it is |
//!
//! It must not know the engine, nor the permissions of readers.

mod changes;
mod config;
mod heads;
mod query;
mod reads;
mod record;
mod retention;
mod status;

#[cfg(test)]
mod tests;

pub use changes::{ChangeFilter, ChangePage, changes};
pub use config::AuditConfig;
pub use heads::{AUDIT, Heads, HeadsError, LOG, LogHead, LogPlace, PartitionHead, parse, text_of};
pub use query::{AuditQueryError, ReadFilter, ReadPage, ReadPlace};
pub use reads::{AuditUnavailable, Counters, ReadAudit};
pub use record::Read;
pub use status::AuditStatus;
