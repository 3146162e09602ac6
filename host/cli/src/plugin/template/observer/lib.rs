//! Notes when a customer's e-mail address changed, so that somebody can ask for a new confirmation.
//!
//! Every invocation runs in a fresh sandbox. Only what the plug-in claims or remembers is kept. There
//! is no clock: use the time of the change.

use samsyn_plugin::{Change, Effects, Error, Observer, Profile, Settings, Timestamp};

/// The plug-in.
pub struct MyPlugin;

impl Observer for MyPlugin {
    fn on_change(
        changes: &[Change],
        at: Timestamp,
        _profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        // The profile already has the values after the changes.
        if let Some(change) = changes.iter().find(|change| change.field == "email") {
            effects.set("my_plugin.email_changed_on", at.date())?;
            effects.set("my_plugin.email_confirmed", false)?;
            if change.after.is_none() {
                effects.clear("my_plugin.email_confirmed")?;
            }
        }
        Ok(())
    }
}

samsyn_plugin::export!(MyPlugin: Observer);

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_plugin::testing::{Host, change};

    const MANIFEST: &str = include_str!("../plugin.toml");

    #[test]
    fn a_new_address_is_not_confirmed() {
        let host = Host::from_manifest(MANIFEST);
        let mut anna = host.customer();
        let change = change("email", None, Some("anna@example.com".into()));
        let run = anna.on_change::<MyPlugin>(&[change], "2026-11-21T10:00:00Z");
        assert_eq!(run.result, Ok(()));
        assert_eq!(anna.value("my_plugin.email_confirmed"), Some(&false.into()));
    }

    #[test]
    fn without_an_address_there_is_nothing_to_confirm() {
        let host = Host::from_manifest(MANIFEST);
        let mut anna = host.customer();
        let change = change("email", Some("anna@example.com".into()), None);
        let run = anna.on_change::<MyPlugin>(&[change], "2026-11-21T10:00:00Z");
        assert!(run.cleared("my_plugin.email_confirmed"));
    }
}
