//! What the commands share: how they find the host, what they print, how they fail, what they ask.
//!
//! | file | what it does |
//! |---|---|
//! | [`context`] | the flags that every command has, the client, printing |
//! | [`error`] | an error as a person reads it, and exit codes |
//! | [`output`] | tables, colours, numbers and times |
//! | [`input`] | what is typed for a value |
//! | [`ask`] | the consent that a change needs |
//! | `stop` | Ctrl-C |
//!
//! It must not know any command.

pub mod ask;
pub mod context;
pub mod error;
pub mod input;
pub mod output;
mod stop;

pub use context::{Context, GlobalArgs};
pub use error::{CliError, Exit};
pub use stop::Stop;
