//! Replay: what a new version of a plug-in would have decided, told before it decides anything.
//!
//! ```text
//! log ─▶ pass: one read of the whole, dealt to threads by partition
//!          └▶ track: folds the customers of its partitions; before each Decided is folded
//!               ├▶ shadow: runs the new component on the profile of that moment, with its own claims
//!               │          and memory of this run in the place of those the log has
//!               └▶ compare: its outcome with the log's, or with another component's shadow run
//!                    └▶ counts ─▶ report
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
//! In memory are the states of the sampled customers, some 1.5 KiB each, and the events that wait
//! for their decision.

mod batch;
mod candidate;
mod compare;
mod control;
mod counts;
mod error;
mod job;
mod pass;
mod passed;
mod place;
mod plan;
mod report;
mod revisions;
mod shadow;
mod share;
mod track;
mod wanted;

pub use compare::{Kind, What};
pub use control::Control;
pub use error::ReplayError;
pub use job::{Replay, ReplayState, Replays};
pub use pass::{own_sandbox, replay};
pub use plan::Input;
pub use report::{DecidedBy, Effects, Finding, ReplayReport, Sample, Severity, Version};
pub use share::{Share, ShareError};
