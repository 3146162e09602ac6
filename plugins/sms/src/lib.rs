//! Text messages: who opted out, who answers, and what a number's prefix says of its country.
//!
//! - A message that asks to stop, in its first line or as a whole, sets `sms.opted_out`; see
//!   `words.rs`. START or another word of `start_words` alone ends it. In what order messages
//!   arrive doesn't matter: the field is protective, so that the host takes the newest word by its
//!   own time and refuses an older one as `protective.outdated`. The wish is the customer's, not the
//!   number's: it stays when the number changes.
//! - A message that merely contains a stop word emits `sms.stop_suspected`, for a person to read.
//! - An app may propose `sms.opted_out` true, as a preference page does, but not take it back. For
//!   that it sends `sms.consented`, whose own time is the consent's and whose `origin` says where
//!   it was given.
//! - `country` is where the visible phone number is from. It is often another than where the
//!   customer lives, which the customer register knows: two sources of one field.
//!
//! | code | when |
//! |---|---|
//! | `sms.start-needed` | an app proposes to end an opt-out |
//! | `sms.consent-time`, `sms.consent-origin` | a consent without its own time; one that doesn't say where it was given |
//! | `sms.observed-only` | an app proposes when the customer last replied |

mod consented;
mod fold;
mod phrases;
mod words;

use samsyn_plugin::{
    Change, Effects, Error, Event, Observer, Profile, Proposal, Settings, Source, Subscriber, Timestamp,
};

use words::Wish;

/// The plug-in.
#[derive(Debug)]
pub struct Sms;

samsyn_plugin::export!(Sms: Subscriber, Source, Observer);

impl Subscriber for Sms {
    fn on_event(
        event: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        if event.name() == "sms.consented" {
            return opt_in(event, effects);
        }
        // Nothing happened after it was received, whatever a sender's fast clock says.
        let at = event.at().min(event.received_at());
        if profile.timestamp("sms.last_reply_at").is_none_or(|last| last < at) {
            effects.set("sms.last_reply_at", at)?;
        }
        match words::wish(
            event.text("text")?,
            &settings.texts("stop_words")?,
            &settings.texts("start_words")?,
        ) {
            Wish::Stop => effects.set("sms.opted_out", true)?,
            Wish::Start => effects.set("sms.opted_out", false)?,
            Wish::Unclear(word) => effects.emit("sms.stop_suspected", [("word", word.into())])?,
            Wish::Other => {}
        }
        // A number that was there before this plug-in was never a change.
        if profile.text("country").is_none()
            && let Some(country) = profile.text("phone").and_then(phone_numbers::country_of)
        {
            effects.set("country", country)?;
        }
        Ok(())
    }
}

impl Source for Sms {
    fn on_proposal(
        proposed: &[Proposal],
        _profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for proposal in proposed {
            match proposal.field.as_str() {
                // On a preference page, or at a counter.
                "sms.opted_out" if proposal.value == Some(true.into()) => {
                    effects.set("sms.opted_out", true)?
                }
                "sms.opted_out" => effects.refuse(
                    "sms.opted_out",
                    "sms.start-needed",
                    "An opt-out can be proposed, not ended: the customer's own text message START ends it, or \
                     the event sms.consented, with the time of their consent as its at and where it was \
                     given as its origin.",
                )?,
                "sms.last_reply_at" => effects.refuse(
                    "sms.last_reply_at",
                    "sms.observed-only",
                    "When a customer last replied is seen in their messages and can't be proposed.",
                )?,
                // The prefix says where a number is from, whatever anybody proposes.
                _ => {}
            }
        }
        Ok(())
    }
}

impl Observer for Sms {
    fn on_change(
        changes: &[Change],
        _at: Timestamp,
        _profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for change in changes.iter().filter(|change| change.field == "phone") {
            claim_country(change.after.as_ref().and_then(|phone| phone.as_text()), effects)?;
        }
        Ok(())
    }
}

/// An app says that the customer consented, somewhere else than in a text message.
fn opt_in(event: &Event, effects: &mut Effects) -> Result<(), Error> {
    match consented::fault(event)? {
        None => effects.set("sms.opted_out", false)?,
        Some((code, message)) => effects.refuse("sms.opted_out", code, message)?,
    }
    Ok(())
}

/// Claims where the number is from, or that no place is known.
fn claim_country(phone: Option<&str>, effects: &mut Effects) -> Result<(), Error> {
    match phone.and_then(phone_numbers::country_of) {
        Some(country) => effects.set("country", country)?,
        None => effects.clear("country")?,
    }
    Ok(())
}

#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod tests;
