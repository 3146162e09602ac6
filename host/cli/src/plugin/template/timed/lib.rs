//! Notices when a customer hasn't ordered for some days.
//!
//! Every invocation runs in a fresh sandbox. Only what the plug-in claims, remembers or sets a timer for
//! is kept. There is no clock: use the event's time, and the two times of a timer.

use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber, Timed, Timestamp};

/// The plug-in.
pub struct MyPlugin;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The timer's name: one a customer, because it is always the same.
const INACTIVE: &str = "inactive";

impl Subscriber for MyPlugin {
    fn on_event(event: &Event, _: &Profile, settings: &Settings, effects: &mut Effects) -> Result<(), Error> {
        let days = settings.integer("inactive_after_days")?;
        effects.set("my_plugin.active", true)?;
        // The next order sets the timer again, which replaces this one.
        effects.set_timer(INACTIVE, Timestamp::from_millis(event.at().millis() + days * DAY_MS))?;
        Ok(())
    }
}

impl Timed for MyPlugin {
    fn on_timer(
        _name: &str,
        _due: Timestamp,
        _now: Timestamp,
        _profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        // After a downtime `now` is later than `due`. For this plug-in that makes no difference.
        effects.set("my_plugin.active", false)?;
        effects.emit("my_plugin.became_inactive", [])?;
        Ok(())
    }
}

samsyn_plugin::export!(MyPlugin: Subscriber, Timed);

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_plugin::testing::{EventBuilder, Host, event};

    const MANIFEST: &str = include_str!("../plugin.toml");

    fn order(at: &str) -> EventBuilder {
        event("order.completed").at(at)
    }

    #[test]
    fn a_customer_who_orders_stays_active() {
        let host = Host::from_manifest(MANIFEST);
        let mut anna = host.customer();
        anna.on_event::<MyPlugin>(&order("2026-11-01T10:00:00Z"));
        anna.on_event::<MyPlugin>(&order("2026-11-20T10:00:00Z"));
        assert!(anna.fire_timers::<MyPlugin>("2026-12-10T00:00:00Z").is_empty());
        assert_eq!(anna.value("my_plugin.active"), Some(&true.into()));
    }

    #[test]
    fn after_thirty_days_without_an_order_the_customer_is_inactive() {
        let host = Host::from_manifest(MANIFEST);
        let mut anna = host.customer();
        anna.on_event::<MyPlugin>(&order("2026-11-01T10:00:00Z"));
        let runs = anna.fire_timers::<MyPlugin>("2026-12-01T10:00:00Z");
        assert_eq!(runs[0].emitted("my_plugin.became_inactive").len(), 1);
        assert_eq!(anna.value("my_plugin.active"), Some(&false.into()));
        assert_eq!(anna.timer(INACTIVE), None);
    }
}
