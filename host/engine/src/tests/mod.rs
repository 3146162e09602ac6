//! The engine with a real component, on a real log, without HTTP: see [`crate::testing`].

mod actions;
mod assignment;
mod bounds;
mod claims;
mod consent;
mod content;
mod failure;
mod flow;
mod identity;
mod identity_crash;
mod late;
mod positions;
mod properties;
mod registry;
mod replay;
mod retention;
mod status;
mod timers;
mod usage;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::testing::*;
use samsyn_journal::ProfileState;
use samsyn_registry::RegistryChange;
use samsyn_sandbox::{Limits, embed_manifest};
use samsyn_state::view::ViewConfig;
use samsyn_vocabulary::*;
