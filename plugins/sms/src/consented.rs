//! What the event of a consent must say.
//!
//! It ends an opt-out, and whoever sends it may be asked to prove it. So it has its own time, by
//! which it is compared with the opt-outs, and says where it was given. The customer's own START
//! needs neither: the message is the proof.

use samsyn_plugin::{Error, Event};

/// Why this is no consent: a code and a sentence for its sender; none when it is one.
pub(crate) fn fault(event: &Event) -> Result<Option<(&'static str, &'static str)>, Error> {
    if !event.text("origin")?.contains(char::is_alphanumeric) {
        return Ok(Some((
            "sms.consent-origin",
            "The origin is blank; say where the customer consented, such as preference page or shop in Solna.",
        )));
    }
    // The host gives an event without a time that of its arrival.
    if event.at() == event.received_at() {
        return Ok(Some((
            "sms.consent-time",
            "The event has no time of its own; give the moment of the consent as its at.",
        )));
    }
    Ok(None)
}
