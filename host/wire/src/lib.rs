//! What the HTTP interface takes and answers. Each JSON body of a [`request`] is one type, which the client
//! writes and the host reads. Each answer is one type, which the host writes and the client reads.
//! `/openapi.json` is generated from both.
//!
//! An answer that the host writes often borrows: `Profile<'a>` has `Cow<'a, str>`, and the client reads
//! `Profile<'static>`. Answers that are rarely asked for own their texts. The crate uses the words of the
//! registry and below. It must not know the engine, axum or ureq.
//!
//! A client must read the answers of a newer host, and those of an older one. So:
//!
//! - Unknown members are ignored, and missing ones have a default. `#[schemars(!default)]` keeps these
//!   defaults out of the description: the host writes every member.
//! - A word of a closed list is a text with its list in the schema, or [`Lenient`]. A client prints a word that
//!   it doesn't know as it came.
//! - Positions, times and ids are [`Lenient`], too: a client prints them, and doesn't count with them.
//!
//! | file | what it has |
//! |---|---|
//! | [`request`] | every body that a client sends |
//! | [`query`] | what the query of each call holds |
//! | `lenient`, `json_value` | what members are made of |
//! | `page`, `problem` | every list; every error |
//! | `event`, `refusal`, `conflict` | events, what was rejected of them, identifiers of two customers |
//! | `profile`, `timeline`, `claims` | customers, and what capabilities say of them |
//! | `field`, `assignment`, `report` | the registry: fields, who is their source, what is wrong, the graph |
//! | `endpoint` | the systems that capabilities call |
//! | `capability`, `replay`, `parked` | plug-ins, what a new version would change, what waits |
//! | `timer` | when plug-ins want to be invoked |
//! | `call` | requests of plug-ins to systems |
//! | `token`, `secret`, `audit` | tokens, secrets, who read and who changed what |
//! | `status`, `storage` | the host itself, and what it keeps |
//! | [`catalogue`], [`errors_page`] | every kind of problem, and the page of them |
//! | [`header`], [`schemas`], [`prefer`] | how headers and types are described; the `Prefer` header |
//! | [`media`] | the media types of bodies |
//! | `answers`, `conformance` | for tests: which type each answer has, and whether an answer is as described |

#[cfg(any(test, feature = "testing"))]
pub mod answers;
mod assignment;
mod audit;
mod call;
mod capability;
pub mod catalogue;
mod claims;
mod conflict;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod endpoint;
pub mod errors_page;
mod event;
mod field;
pub mod header;
mod json_value;
mod lenient;
pub mod media;
mod page;
mod parked;
pub mod prefer;
mod problem;
mod profile;
pub mod query;
mod refusal;
mod replay;
mod report;
pub mod request;
pub mod schemas;
mod secret;
mod status;
mod storage;
mod timeline;
mod timer;
mod token;

pub use assignment::{
    Applied, AssignAnswer, AssignmentPlan, ChangedValue, ConsumerPlan, FieldAssignmentPlan, Job, Jobs,
    OneAnswer, RegistryPlan, Step, WithoutClaim,
};
pub use audit::{AuditedChange, AuditedRead, LogHead, LogPlace, PartitionHead};
pub use call::{Call, CallRow, CallsStatus, HaltedEndpoint};
pub use capability::{
    Capability, ConsumedField, Grant, InstallPlan, Installed, InstalledVersion, Pending, PlannedIdentifier,
    PlannedRead, PlannedSetting, PlannedSource, Rejection, Setting, SourcedField,
};
pub use claims::{Difference, FieldDisagreements, Pair, ProfileClaims};
pub use conflict::{IdentifierConflict, ProfileConflicts};
pub use endpoint::{
    BoundEndpoint, CapabilityEndpoint, Endpoint, EndpointChange, EndpointCounts, EndpointPlan, EndpointTest,
    EndpointTestStep, Outgoing, OutgoingChange, Pause, PlannedCall, RequestedEndpoint, RequestedRows,
};
pub use event::{
    ActionAsked, CallBegun, ClaimMade, DeliveryOutcome, Event, NothingTaken, ProposalOutcome, ProposalTaken,
    Refusal, SentEvent, Taken, TakenEvent, TakenEvents, TakenOrRefused, Verdict,
};
pub use field::{Field, Identifier};
pub use json_value::JsonValue;
pub use lenient::Lenient;
pub use page::Page;
pub use parked::{Matched, ParkedDelivery};
pub use problem::Problem;
pub use profile::{Claim, Profile, ValueOrigin};
pub use refusal::{ListedRefusal, RefusalPage};
pub use replay::{
    Replay, ReplayDecidedBy, ReplayDifference, ReplayEffects, ReplayFinding, ReplayReport, ReplaySample,
    ReplaySeverity, ReplayVersion, Replays,
};
pub use report::{Finding, GraphEdge, GraphNode, RegistryGraph, RegistryReport};
pub use secret::{Secret, SecretVersion};
pub use status::{
    AuditStatus, CapabilityStatus, DiskStatus, EventIds, FollowerStatus, Health, Limits, MissedRange,
    MissedRecords, PersonalReads, QueueStatus, Readiness, Rebuilt, SecretsStatus, SlowestEvents, Status,
    UnusableSecret, Waiting,
};
pub use storage::{Retention, SegmentHolder, Snapshot, SnapshotMaking, Snapshots, StorageStatus};
pub use timeline::{CallStep, EventHead, Timeline, TimelineStep, TimerStep, ValueChange};
pub use timer::{Timer, TimersResumed, TimersStatus};
pub use token::{MadeToken, Token, TokenMay};
