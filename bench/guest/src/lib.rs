//! The capability that the benchmarks call: it counts what a customer buys and keeps the last item.
//! Which two fields it sources is a setting, so that one component is installed as several.

use samsyn_plugin::{Effects, Error, Event, Profile, Settings, Subscriber, Timed, Timestamp, Value};

/// The plug-in.
pub struct Bench;

impl Subscriber for Bench {
    fn on_event(
        event: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let fields = settings.texts("fields")?;
        let [count, item] = fields.as_slice() else {
            return Err(Error::other("`fields` needs two names"));
        };
        effects.set(count, profile.integer(count).unwrap_or(0) + 1)?;
        effects.set(item, event.text("item")?)?;
        if let Some(at) = event.property("timer_at").and_then(Value::as_timestamp) {
            effects.set_timer("again", at)?;
        }
        if let Some(path) = event.property("call").and_then(Value::as_text) {
            effects.call("system", "PUT", path)?;
        }
        Ok(())
    }
}

impl Timed for Bench {
    fn on_timer(
        name: &str,
        _: Timestamp,
        _: Timestamp,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let fields = settings.texts("fields")?;
        let [count, item] = fields.as_slice() else {
            return Err(Error::other("`fields` needs two names"));
        };
        let counted = profile.integer(count).unwrap_or(0) + 1;
        effects.set(count, counted)?;
        effects.set(item, format!("{name}-{}", counted % 8))?;
        Ok(())
    }
}

samsyn_plugin::export!(Bench: Subscriber, Timed);

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_plugin::testing::{Host, event};

    #[test]
    fn it_counts_and_keeps_the_last() {
        let host = Host::from_manifest(include_str!("../plugin.toml"));
        let mut customer = host.customer();
        for (count, item) in [(1, "shoes"), (2, "socks")] {
            customer.on_event::<Bench>(&event("bench.bought").property("item", item));
            assert_eq!(customer.value("bench.count"), Some(&count.into()));
            assert_eq!(customer.value("bench.item"), Some(&item.into()));
        }
    }
}
