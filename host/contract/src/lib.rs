//! What a plug-in may ask for, and what a host takes of it: one set of rules, used by the host and by
//! the test host of the SDK. Pure: it does no input or output, takes no lock, and must not know a
//! sandbox, a log or a registry.
//!
//! | file | what stands there |
//! |---|---|
//! | [`manifest`] | `plugin.toml`, read and checked |
//! | [`calls`] | what a manifest says of the systems that it asks to call |
//! | `schema`, `rule` | what a field takes: type, allowed strings, JSON Schema |
//! | `compare`, `data_class` | words of the dictionary that a manifest uses |
//! | `setting_type` | what a setting can hold: a value, or the name of a secret |
//! | `access` | what one plug-in may say and read in an invocation |
//! | `given` | a value as a guest hands it over, and how it becomes one of the vocabulary |
//! | `effects`, `effects_calls` | the effects by name and verb, and what a handler asks for, judged at once |
//! | `refusal` | why the host refuses: the catalogue of codes |
//! | `logs` | what it logs, bounded |
//! | `limits` | how much of all that one invocation and one customer may take |

#![warn(missing_docs)]

mod access;
pub mod calls;
mod compare;
mod data_class;
mod effects;
mod effects_calls;
mod given;
mod limits;
mod logs;
pub mod manifest;
mod refusal;
mod rule;
mod schema;
mod setting_type;

pub use access::Access;
pub use compare::Compare;
pub use data_class::DataClass;
pub use effects::{
    Answer, EFFECT_NAMES, EFFECTS, EffectEntry, Effects, LimitSpent, Refused, TIMER_CANCEL, TIMER_DELAY_MS,
    TIMER_EFFECTS, TIMER_FUNCTIONS, TIMER_SET, TIMERS_MAX, effect, effect_verb,
};
pub use effects_calls::{CALL_BODY_MAX, CALL_FUNCTIONS, CALL_NOTE_MAX, CALLS_WAITING_MAX, CallAccess};
pub use given::{Given, GivenProperty, message};
pub use limits::{CUSTOMER_BYTES_MAX, Limits, MANIFEST_BYTES_MAX, customer_bytes, customer_bytes_refusal};
pub use logs::Logs;
pub use manifest::{Manifest, ManifestError, PLATFORM_PREFIX};
pub use refusal::{RefusalCode, RefusalEntry};
pub use rule::FieldRule;
pub use schema::{Schema, SchemaError};
pub use setting_type::SettingType;

pub(crate) use samsyn_vocabulary as vocabulary;
