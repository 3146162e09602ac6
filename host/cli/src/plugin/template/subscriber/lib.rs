//! Counts a customer's orders and emits an event for a regular customer.
//!
//! Every invocation runs in a fresh sandbox. Only what the plug-in claims or remembers is kept. There
//! is no clock: use the event's time.

use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber};

/// The plug-in.
pub struct MyPlugin;

impl Subscriber for MyPlugin {
    fn on_event(event: &Event, profile: &Profile, settings: &Settings, effects: &mut Effects) -> Result<(), Error> {
        // Invalid data is refused, and is no failure: the sender reads the message.
        if event.text("order_id")?.trim().is_empty() {
            effects.refuse_all("order.id-empty", "An order needs an id that isn't empty.")?;
            return Ok(());
        }
        let orders = profile.integer("my_plugin.orders").unwrap_or(0) + 1;
        effects.set("my_plugin.orders", orders)?;
        // Events may arrive out of order; the newest order stays the newest.
        let newest = profile.timestamp("my_plugin.last_order_at");
        if newest.is_none_or(|newest| event.at() > newest) {
            effects.set("my_plugin.last_order_at", event.at())?;
        }
        if orders == settings.integer("regular_after")? {
            effects.emit("my_plugin.became_regular", [("orders", orders.into())])?;
        }
        Ok(())
    }
}

samsyn_plugin::export!(MyPlugin: Subscriber);

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_plugin::testing::{EventBuilder, Host, event};

    const MANIFEST: &str = include_str!("../plugin.toml");

    fn order(id: &str, at: &str) -> EventBuilder {
        event("order.completed").at(at).property("order_id", id)
    }

    #[test]
    fn orders_are_counted_and_the_newest_is_kept() {
        let host = Host::from_manifest(MANIFEST);
        let mut anna = host.customer();
        anna.on_event::<MyPlugin>(&order("A2", "2026-11-21T10:00:00Z"));
        let late = anna.on_event::<MyPlugin>(&order("A1", "2026-11-20T10:00:00Z"));
        assert_eq!(anna.value("my_plugin.orders"), Some(&2.into()));
        assert_eq!(late.claim("my_plugin.last_order_at"), None);
    }

    #[test]
    fn only_the_third_order_emits_the_event() {
        let host = Host::from_manifest(MANIFEST);
        let mut anna = host.customer();
        let mut regular = Vec::new();
        for id in ["A1", "A2", "A3", "A4"] {
            let run = anna.on_event::<MyPlugin>(&order(id, "2026-11-21T10:00:00Z"));
            regular.push(run.emitted("my_plugin.became_regular").len());
        }
        assert_eq!(regular, [0, 0, 1, 0]);
    }

    #[test]
    fn an_order_without_an_id_is_refused() {
        let host = Host::from_manifest(MANIFEST);
        let run = host.customer().on_event::<MyPlugin>(&order(" ", "2026-11-21T10:00:00Z"));
        assert_eq!(run.refusals(), [(None, "order.id-empty")]);
    }
}
