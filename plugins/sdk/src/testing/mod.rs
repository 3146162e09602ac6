//! Runs a handler in an ordinary `#[test]`: no host, no wasm.
//!
//! [`Host`] reads the plug-in's `plugin.toml` and applies the rules of the real host, by the same code
//! (the crate `samsyn-contract`):
//!
//! - it passes only what the manifest declares;
//! - it converts properties to the declared types, in canonical form: the decimal `12.50` is `12.5`;
//! - it refuses effects that the manifest or the [`Limits`] don't allow.
//!
//! It also panics when a test has found a bug: the handler reads an undeclared name, or the manifest
//! doesn't subscribe to the event.
//!
//! ```
//! # use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber};
//! # struct Loyalty;
//! # impl Subscriber for Loyalty {
//! #     fn on_event(event: &Event, profile: &Profile, settings: &Settings, effects: &mut Effects) -> Result<(), Error> {
//! #         let points = event.decimal("amount")? * settings.decimal("points_per_unit")?;
//! #         let points = i64::try_from(points).map_err(Error::other)?;
//! #         Ok(effects.set("loyalty.points", profile.integer("loyalty.points").unwrap_or(0) + points)?)
//! #     }
//! # }
//! # const MANIFEST: &str = r#"
//! # manifest = 1
//! # [plugin]
//! # name = "loyalty"
//! # version = "0.1.0"
//! # owner = "Membership team"
//! # description = "Points"
//! # [subscribes."order.completed"]
//! # amount = { type = "decimal", required = true }
//! # [sources]
//! # "loyalty.points" = { type = "integer" }
//! # [settings]
//! # points_per_unit = { type = "decimal", default = "1" }
//! # "#;
//! use samsyn_plugin::testing::{Host, event, profile};
//!
//! let host = Host::from_manifest(MANIFEST).setting("points_per_unit", "2");
//!
//! // One invocation, on this profile:
//! let order = event("order.completed").at("2026-11-21T10:00:00Z").property("amount", "12.50");
//! let run = host.on_event::<Loyalty>(&order, &profile().point("loyalty.points", 10));
//! assert_eq!(run.result, Ok(()));
//! assert_eq!(run.claim("loyalty.points"), Some(&35.into()));
//!
//! // Several invocations: the customer keeps claims and memory.
//! let mut anna = host.customer();
//! anna.on_event::<Loyalty>(&order);
//! anna.on_event::<Loyalty>(&order);
//! assert_eq!(anna.value("loyalty.points"), Some(&50.into()));
//! ```

mod builders;
mod customer;
mod host;
pub(crate) mod recorder;
mod roles;
mod run;
mod words;

pub use builders::{EventBuilder, ProfileBuilder, change, event, profile, proposal};
pub use customer::Customer;
pub use host::Host;
pub use run::{Effect, HostRefusal, LogLine, Run, SentCall};
pub use samsyn_contract::{Limits, RefusalCode};

#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod values_tests;
