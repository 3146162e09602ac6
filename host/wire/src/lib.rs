//! What the HTTP interface answers: each answer is one type, which the host writes, from which
//! `/openapi.json` is generated, and which the client reads.
//!
//! An answer that the host writes often borrows: `Profile<'a>` has `Cow<'a, str>`, and the client reads
//! `Profile<'static>`. The crate knows the vocabulary, and nothing of the engine, of axum or of ureq.
//!
//! A client must read the answers of a newer host, and those of an older one. So:
//!
//! - Unknown members are ignored, and missing ones have a default. `#[schemars(!default)]` keeps these
//!   defaults out of the description: the host writes every member.
//! - A word of a closed list is a text with its list in the schema, or [`Lenient`]. A client prints a word that
//!   it doesn't know as it came.
//! - Positions, times and ids are [`Lenient`], too: a client prints them, and doesn't count with them.
//!
//! | file | answers |
//! |---|---|
//! | `lenient`, `json_value` | what members are made of |
//! | `page`, `problem` | every list; every error |
//! | `event`, `refusal`, `conflict` | events, what was rejected of them, identifiers of two customers |
//! | `profile`, `timeline`, `claims` | customers, and what capabilities say of them |

mod claims;
mod conflict;
mod event;
mod json_value;
mod lenient;
mod page;
mod problem;
mod profile;
mod refusal;
mod timeline;

pub use claims::{Difference, FieldDisagreements, Pair, ProfileClaims};
pub use conflict::{IdentifierConflict, ProfileConflicts};
pub use event::{
    ClaimMade, DeliveryOutcome, Event, NothingTaken, ProposalOutcome, ProposalTaken, Refusal, SentEvent,
    Taken, TakenEvent, TakenEvents, TakenOrRefused, Verdict,
};
pub use json_value::JsonValue;
pub use lenient::Lenient;
pub use page::Page;
pub use problem::Problem;
pub use profile::{Claim, Profile, ValueOrigin};
pub use refusal::{ListedRefusal, RefusalPage};
pub use timeline::{EventHead, Timeline, TimelineStep, ValueChange};
