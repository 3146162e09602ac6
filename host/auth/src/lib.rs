//! What a token is.
//!
//! | file | what it has |
//! |---|---|
//! | `token` | its secret: made, read, and hashed |
//! | [`rate`] | how fast one may call |
//!
//! It must not know which requests there are, nor keep a secret.

pub mod rate;
mod token;

pub use token::{Token, TokenError};
