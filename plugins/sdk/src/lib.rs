//! The SDK for Samsyn plug-ins: a whole plug-in is a page of code.
//!
//! This page is for integrators. After it you can write a plug-in, its memory and its tests;
//! `docs/plugins.md` builds and installs it.
//!
//! A plug-in is a type with one or more roles: [`Subscriber`] handles events, [`Source`] decides
//! fields, [`Observer`] observes changes, [`Timed`] is invoked when its timers are due, [`Caller`] hears the answers
//! of systems that the plug-in [called](Effects::call). Every role is one pure function. The file `plugin.toml`
//! declares which events the plug-in subscribes to, and which fields it reads and sources. The host
//! passes nothing else to it. This is a whole plug-in, with its test:
//!
//! ```
//! use samsyn_plugin::{Effects, Error, Event, Memory, Profile, Settings, Subscriber};
//! use serde::{Deserialize, Serialize};
//!
//! /// Counts visits: at most one a day.
//! struct Visits;
//!
//! #[derive(Serialize, Deserialize)]
//! struct LastVisit(samsyn_plugin::Date);
//!
//! impl Memory for LastVisit {
//!     const VERSION: u8 = 1;
//! }
//!
//! impl Subscriber for Visits {
//!     fn on_event(event: &Event, profile: &Profile, settings: &Settings, effects: &mut Effects) -> Result<(), Error> {
//!         let day = event.at().date();
//!         if profile.memory::<LastVisit>()?.is_some_and(|last| last.0 >= day) {
//!             return Ok(());
//!         }
//!         if event.text("page")?.is_empty() {
//!             effects.refuse_all("page.empty", "A visit needs the page that was visited.")?;
//!             return Ok(());
//!         }
//!         let visits = profile.integer("visits.count").unwrap_or(0) + 1;
//!         effects.set("visits.count", visits)?;
//!         if visits == settings.integer("regular_after")? {
//!             effects.emit("visits.regular", [("count", visits.into())])?;
//!         }
//!         effects.remember(&LastVisit(day))
//!     }
//! }
//!
//! samsyn_plugin::export!(Visits: Subscriber);
//!
//! // In a real plug-in: const MANIFEST: &str = include_str!("../plugin.toml");
//! const MANIFEST: &str = r#"
//! manifest = 1
//!
//! [plugin]
//! name = "visits"
//! version = "0.1.0"
//! owner = "Web team"
//! description = "How often a customer comes by"
//!
//! [subscribes."page.visited"]
//! page = { type = "text", required = true }
//!
//! [emits."visits.regular"]
//! count = { type = "integer" }
//!
//! [sources]
//! "visits.count" = { type = "integer", description = "Days with a visit" }
//!
//! [settings]
//! regular_after = { type = "integer", default = "2", description = "Visits that make a regular" }
//! "#;
//!
//! // In a real plug-in: #[test] fn the_second_day_makes_a_regular()
//! use samsyn_plugin::testing::{Host, event};
//!
//! let host = Host::from_manifest(MANIFEST);
//! let mut anna = host.customer();
//! let visit = |at| event("page.visited").at(at).property("page", "/shoes");
//!
//! let first = anna.on_event::<Visits>(&visit("2026-11-21T10:00:00Z"));
//! assert_eq!(first.claim("visits.count"), Some(&1.into()));
//! let again = anna.on_event::<Visits>(&visit("2026-11-21T23:00:00Z"));
//! assert!(again.effects.is_empty());
//! let next_day = anna.on_event::<Visits>(&visit("2026-11-22T08:00:00Z"));
//! assert_eq!(next_day.emitted("visits.regular").len(), 1);
//! assert_eq!(anna.value("visits.count"), Some(&2.into()));
//! ```
//!
//! Each role has an example of its own: [`Subscriber`], [`Source`], [`Observer`], [`Timed`], [`Caller`]. So has
//! [`Memory`], with a migration from an older version.
//!
//! # The sandbox
//!
//! Every invocation runs in a fresh instance with its own memory. Between two invocations only what
//! was [remembered](Effects::remember) is kept. There is no clock, network, file or randomness:
//! calculate with [`Event::at`]. A lazily built table is built in every invocation, so make it a
//! `const`. A panic goes to the host's log with its file and line, and parks the invocation.
//!
//! # Building
//!
//! `samsyn plugin build DIR` writes the one `.wasm` file that a host installs. The crate must be a
//! `cdylib`; `cargo test` runs its tests natively.

#![warn(missing_docs)]

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

// Compiled natively too, so that its tests run.
#[cfg(any(target_family = "wasm", test))]
mod arena;
mod call;
mod decimal;
mod effects;
mod error;
mod event;
pub mod log;
pub mod memory;
mod named;
mod profile;
mod roles;
mod settings;
mod time;
mod value;

pub use call::{Answer, Call, Finding, Response};
pub use effects::Effects;
pub use error::{Error, Refusal};
pub use event::{Change, Event, Proposal};
pub use memory::{Memory, MemoryError};
pub use profile::Profile;
pub use roles::{Caller, Judge, Observer, Prober, Source, Subscriber, Timed};
pub use rust_decimal::{Decimal, RoundingStrategy};
pub use settings::Settings;
pub use time::{Date, TimeError, Timestamp};
pub use value::{Type, Value};

/// Exports a type as the plug-in, with these roles: `samsyn_plugin::export!(Loyalty: Subscriber, Source);`.
/// The host invokes only the listed roles, so list every role of the type.
#[macro_export]
macro_rules! export {
    ($plugin:ty: $($role:ident),+ $(,)?) => {
        $($crate::__export_role!($role, $plugin);)+
    };
}

/// A native build exports nothing; the roles are still checked.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    ($role:ident, $plugin:ty) => {
        const _: () = {
            const fn has_role<P: $crate::$role>() {}
            has_role::<$plugin>()
        };
    };
}
