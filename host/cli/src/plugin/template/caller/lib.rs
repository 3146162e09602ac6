//! Orders a card for a customer who becomes a member, at the system that makes the cards.
//!
//! Every invocation runs in a fresh sandbox. Only what the plug-in claims, remembers or notes with a call
//! is kept. It can't wait for an answer: the host sends the call after the handler has returned, and
//! invokes `on_answer` when the answer is there.

use samsyn_plugin::{Answer, Caller, Effects, Error, Event, Profile, Settings, Subscriber, Timestamp};

/// The plug-in.
pub struct MyPlugin;

/// The endpoint of plugin.toml.
const CARDS: &str = "cards";

impl Subscriber for MyPlugin {
    fn on_event(event: &Event, _: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
        let number = event.text("number")?;
        // The path is appended to the address that the admin bound. A value in it must be percent-encoded.
        // The note comes back with the answer.
        effects.call(CARDS, "POST", "orders")?.body("text/plain", number)?.note(number)?;
        Ok(())
    }
}

impl Caller for MyPlugin {
    fn on_answer(
        _endpoint: &str,
        answer: &Answer,
        _note: Option<&[u8]>,
        _at: Timestamp,
        _profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        let trouble = match answer {
            Answer::Response(response) if (200..300).contains(&response.status) => {
                effects.set("my_plugin.card_ordered", true)?;
                effects.clear("my_plugin.trouble")?;
                return Ok(());
            }
            // The host has repeated what can be repeated, so this is the system's last word.
            Answer::Response(response) => format!("the system answered {}", response.status),
            // Nothing has happened there.
            Answer::NotSent(why) => format!("not sent: {why}"),
            // The card may be ordered, or not.
            Answer::Unknown(why) => format!("unknown: {why}"),
        };
        effects.set("my_plugin.trouble", trouble)?;
        Ok(())
    }
}

samsyn_plugin::export!(MyPlugin: Subscriber, Caller);

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_plugin::Response;
    use samsyn_plugin::testing::{Customer, Host, event};

    const MANIFEST: &str = include_str!("../plugin.toml");

    fn joins(customer: &mut Customer) {
        let joined = event("member.joined").property("number", "42");
        let run = customer.on_event::<MyPlugin>(&joined);
        let calls = run.calls(CARDS);
        assert_eq!((calls[0].method.as_str(), calls[0].path.as_str()), ("POST", "orders"));
        assert_eq!(calls[0].note.as_deref(), Some("42".as_bytes()));
    }

    #[test]
    fn a_good_answer_says_that_the_card_is_ordered() {
        let host = Host::from_manifest(MANIFEST);
        let mut anna = host.customer();
        joins(&mut anna);
        assert_eq!(anna.value("my_plugin.card_ordered"), None);
        let created = Answer::Response(Response { status: 201, ..Response::default() });
        anna.answer::<MyPlugin>(CARDS, &created, "2026-11-21T10:00:00Z");
        assert_eq!(anna.value("my_plugin.card_ordered"), Some(&true.into()));
    }

    #[test]
    fn every_other_answer_is_a_trouble() {
        let host = Host::from_manifest(MANIFEST);
        for (answer, trouble) in [
            (Answer::Response(Response { status: 422, ..Response::default() }), "the system answered 422"),
            (Answer::NotSent("dns: the name has no address".into()), "not sent: dns: the name has no address"),
            (Answer::Unknown("timeout: no answer".into()), "unknown: timeout: no answer"),
        ] {
            let mut anna = host.customer();
            joins(&mut anna);
            anna.answer::<MyPlugin>(CARDS, &answer, "2026-11-21T10:00:00Z");
            assert_eq!(anna.value("my_plugin.trouble"), Some(&trouble.into()));
            assert_eq!(anna.value("my_plugin.card_ordered"), None);
        }
    }
}
