//! Whose an event is, and which identifiers a customer has: pure functions. What is known already is looked up
//! through [`LookUp`]; what follows comes back as values, and somebody else appends it.
//!
//! First wins: an identifier finds one profile until that gives it up, and a weaker identifier joins no
//! strangers. Who can't have an identifier stands in line for it.
//!
//! | file | what it does |
//! |---|---|
//! | `normalise` | the form that a value is matched by, with its version |
//! | `look_up` | what is asked of links and profiles |
//! | `resolve` | which profile an identifier finds, and who shares it |
//! | `owner` | whose an event is: an existing profile or a new one, and what is linked for it |
//! | `link` | changes of links: made, ended, passed on to who stands in line |
//! | `decide` | which identifiers a decision gives, retires and can't give |
//! | `conflict` | what a profile goes by now, and what it can't go by |
//! | `carry_over` | links of an older host, made in today's form as well |
//!
//! A link is idempotent: deciding looks again, and makes only what is missing. So a crash may leave an accepted
//! event without its links. `docs/architecture.md` has the order in which the records are appended.
//!
//! It must not do input or output, take a lock, or know where links are kept and who asks.

mod carry_over;
mod conflict;
mod decide;
mod link;
mod look_up;
mod normalise;
mod owner;
mod resolve;
#[cfg(test)]
mod tests;

pub use carry_over::carry_over;
pub use conflict::{Names, names_of};
pub use decide::{Basis, DecidedNames, Sent, concerns_links, decide_names, looks_up, names_of_event};
pub use link::{LinkChanges, full_lines};
pub use look_up::LookUp;
pub use normalise::{FORM_VERSION, Forms, IdentifierFault, forms_of, normalise, trimmed};
pub use owner::{Owner, belongs_to, owner_of_event};
pub use resolve::{Identified, IdentityError, identify, owner_of, same_owner, sharers};
