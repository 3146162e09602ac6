//! Replay: what a new version of a plug-in would have decided, reported before it decides anything.
//!
//! ```text
//! log ─▶ read_log: one read of the whole, dealt to threads by partition
//!          └▶ follow: folds the customers of its partitions; before each Decided is folded
//!               ├▶ shadow: runs the new component on the profile of that moment, with its own claims
//!               │          and memory of this run instead of those in the log
//!               └▶ compare: its outcome with the log's, or with another component's shadow run
//!                    └▶ report: counts, then findings
//! ```
//!
//! Nothing is written. Everything but the plug-in's own claims and memory is as the log has it: what the
//! new version emits reaches nobody, and a value of its that others would have seen changes nothing they
//! did. Where its invocation failed and the log's didn't, the run goes on as if an admin had skipped it, so
//! that one failure doesn't hide what comes behind it.
//!
//! Each invocation is made with the registry revision and the settings that the log's used. A component
//! that isn't the one installed at that revision is installed into a copy of that registry first, as an
//! admin would have who approved all it asks for; so a field that it newly wants is there.
//!
//! | file | what it does |
//! |---|---|
//! | `input` · `control` · `error` | what is replayed for whom, how far it is, why it can't be |
//! | `read_log` · `follow` · `partition` · `revisions` | reads the log, and what it was at each moment |
//! | `shadow` · `replayed_item` | what the candidate decides of an item |
//! | `compare` · `report` | where it differs, and what of that is reported |
//!
//! It must not know a running host: it reads a log, and a host's engine starts it as the command does.
//!
//! In memory are the states of the sampled customers, some 1.5 KiB each, and the events that wait
//! for their decision.

mod compare;
mod control;
mod error;
mod follow;
mod input;
mod partition;
mod read_log;
mod replayed_item;
mod report;
mod revisions;
mod shadow;

pub use compare::{Kind, What};
pub use control::Control;
pub use error::ReplayError;
pub use input::Input;
pub use input::{Share, ShareError};
pub use read_log::{own_sandbox, replay};
pub use report::{DecidedBy, Effects, Finding, ReplayReport, Sample, Severity, Version};
