//! Runs a handler in an ordinary `#[test]`: no host, no wasm.
//!
//! [`Host`] knows the plug-in's `plugin.toml` and treats the handler as the real host does, by the
//! same code (the crate `samsyn-contract`): it gives only what the manifest declares, converts
//! properties to the declared types, and refuses effects that the manifest or the [`Limits`] don't
//! allow. Values have the form that a host gives them: the decimal `12.50` is `12.5`. On top of it, it panics where a test has found a mistake:
//! a handler that reads a name nobody declared, an event the manifest doesn't subscribe to.
//!
//! ```no_run
//! # use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber};
//! # struct Loyalty;
//! # impl Subscriber for Loyalty {
//! #     fn on_event(_: &Event, _: &Profile, _: &Settings, _: &mut Effects) -> Result<(), Error> { Ok(()) }
//! # }
//! # const MANIFEST: &str = "";
//! use samsyn_plugin::testing::{Host, event, profile};
//!
//! let host = Host::from_manifest(MANIFEST).setting("points_per_unit", "2");
//!
//! // One call, on a profile as given:
//! let order = event("order.completed").at("2026-11-21T10:00:00Z").property("amount", "12.50");
//! let run = host.on_event::<Loyalty>(&order, &profile().point("loyalty.points", 10));
//! assert_eq!(run.result, Ok(()));
//! assert_eq!(run.claim("loyalty.points"), Some(&35.into()));
//!
//! // A story: the customer keeps claims and memory from call to call.
//! let mut anna = host.customer();
//! anna.on_event::<Loyalty>(&order);
//! anna.on_event::<Loyalty>(&order);
//! assert_eq!(anna.value("loyalty.points"), Some(&25.into()));
//! ```

mod builders;
mod customer;
mod host;
pub(crate) mod recorder;
mod run;
mod words;

pub use builders::{EventBuilder, ProfileBuilder, change, event, profile, proposal};
pub use customer::Customer;
pub use host::Host;
pub use run::{Effect, HostRefusal, LogLine, Run};
pub use samsyn_contract::Limits;

#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod values_tests;
