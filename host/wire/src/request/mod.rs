//! What a client sends: each JSON body is one type. The client writes it, `/openapi.json` is generated from it,
//! and the host reads it.
//!
//! The host reads strictly: an unknown member, a missing one, or a word of no list is an error. So names and
//! words are types of the vocabulary here, and not texts as in answers.
//!
//! The host names the place of each mistake in events, patches and look-ups. It therefore reads these member by
//! member from JSON that is still a text: they have the form of a value as a parameter, and `of` takes
//! [`Members`](samsyn_vocabulary::Members).
//!
//! | file | requests about |
//! |---|---|
//! | `event` | events, one and several |
//! | `profile` | customers: look-ups and proposals |
//! | `field` | the dictionary: fields and identifiers |
//! | `assignment` | sources of fields |
//! | `capability` | plug-ins: their settings and grants |
//! | `EndpointBinding` of the registry | what endpoints are bound to |
//! | `parked` | invocations that wait |
//! | `token` | tokens |
//! | `integer`, `member_names` | how integers are read; which members a type has |
//! | `bodies` | for tests: which type each body has |

mod assignment;
#[cfg(any(test, feature = "testing"))]
pub mod bodies;
mod capability;
mod event;
mod field;
mod integer;
mod member_names;
mod parked;
mod profile;
mod token;

pub use assignment::{Assignment, OneAssignment};
pub use capability::{GrantChange, GrantPart, SettingsPatch};
pub use event::{
    EVENT_BYTES_MAX, EVENT_ID_BYTES_MAX, EVENTS_MAX, NewEvent, NewEventList, NewEvents,
    PROPERTY_NAME_BYTES_MAX,
};
pub use field::{Deprecation, FieldDefinition, IdentifierDefinition};
pub use integer::{INTEGER_MAX, integer, integer_or_none};
pub use member_names::member_names;
pub use parked::{ParkedSelection, ParkedSkip, REASON_BYTES_MAX};
pub use profile::{LookUp, PatchFault, ProfilePatch};
pub use samsyn_registry::BindingRequest as EndpointBinding;
pub use token::NewToken;
