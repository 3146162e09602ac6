//! Decides what a customer's country is: two letters in capitals, or a refusal that says what to send.
//!
//! Every invocation runs in a fresh sandbox. Only what the plug-in claims or remembers is kept. There
//! is no clock: use the proposal's time.

use samsyn_plugin::{Effects, Error, Profile, Proposal, Settings, Source};

/// The plug-in.
pub struct MyPlugin;

impl Source for MyPlugin {
    fn on_proposal(
        proposals: &[Proposal],
        _profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        // Answer field by field: set, clear or refuse. A refusal is no failure: the sender reads it.
        for proposal in proposals {
            let Some(text) = proposal.text() else {
                effects.clear(&proposal.field)?;
                continue;
            };
            let code = text.trim().to_ascii_uppercase();
            if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                effects.set(&proposal.field, code)?;
            } else {
                effects.refuse(&proposal.field, "country.code", "Use two letters, such as SE.")?;
            }
        }
        Ok(())
    }
}

samsyn_plugin::export!(MyPlugin: Source);

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_plugin::testing::{Host, profile, proposal};

    const MANIFEST: &str = include_str!("../plugin.toml");

    #[test]
    fn a_code_is_kept_in_capitals() {
        let host = Host::from_manifest(MANIFEST);
        let run = host.on_proposal::<MyPlugin>(&[proposal("my_plugin.country", " se ")], &profile());
        assert_eq!(run.claim("my_plugin.country"), Some(&"SE".into()));
    }

    #[test]
    fn a_name_is_refused() {
        let host = Host::from_manifest(MANIFEST);
        let run = host.on_proposal::<MyPlugin>(&[proposal("my_plugin.country", "Sweden")], &profile());
        assert_eq!(run.refusals(), [(Some("my_plugin.country"), "country.code")]);
    }

    #[test]
    fn nothing_clears_it() {
        let host = Host::from_manifest(MANIFEST);
        let known = profile().point("my_plugin.country", "SE");
        let run = host.on_proposal::<MyPlugin>(&[proposal("my_plugin.country", None)], &known);
        assert!(run.cleared("my_plugin.country"));
    }
}
