//! The `email` capability: whether mail arrives, how engaged its reader is, whether they opted out.
//!
//! Everything but the opt-out is about one address, the customer's current one: events that name
//! another are ignored, and a changed address starts afresh. An opt-out is the person's and stays.
//! Events may come late and in any order; what is claimed depends on their times only.
//!
//! Sending services tell of one thing several times, under an event id each. Reports that name
//! their message (`message_id`) are known again: a soft bounce counts once a message, however often
//! the message is tried, and an open or a click once a message and moment. Of soft bounces that
//! name none, those within a minute count once.
//!
//! A complaint, an unsubscription or an app's proposal opts a customer out. Only `email.consented`
//! ends that, an event whose own time is the consent's and that says where it was given.
//!
//! | code | when |
//! |---|---|
//! | `bounce.unknown` | a bounce that is neither hard nor soft |
//! | `email.consent-needed` | an app proposes to end an opt-out |
//! | `email.consent-time`, `email.consent-origin` | a consent without its own time; one that doesn't say where it was given |
//! | `email.observed-only` | an app proposes what only mail can show |

mod address;
mod consent;
mod mailbox;
mod message;

use samsyn_plugin::{
    Change, Effects, Error, Event, Observer, Profile, Proposal, Refusal, Settings, Source, Subscriber,
    Timestamp, log,
};

use address::same_address;
use mailbox::{Mailbox, SOFT_BOUNCES_KEPT};
use message::Message;

/// The capability.
pub struct Email;

samsyn_plugin::export!(Email: Subscriber, Source, Observer);

impl Subscriber for Email {
    fn on_event(
        event: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        match event.name() {
            "email.complained" | "email.unsubscribed" => return Ok(effects.set("email.opted_out", true)?),
            "email.consented" => return opt_in(event, effects),
            _ => {}
        }
        let Some(current) = profile.text("email") else {
            log::debug("an e-mail event for a customer without an address");
            return Ok(());
        };
        if !same_address(event.text("address")?, current) {
            log::debug("an e-mail event for an address the customer doesn't have now");
            return Ok(());
        }
        let remembered = profile.memory::<Mailbox>()?.and_then(|mailbox| mailbox.of(current));
        let mut mailbox = remembered.unwrap_or_else(|| Mailbox::new(current));
        if !record(event, &mut mailbox, effects)? {
            return Ok(());
        }
        claim(&mailbox, settings, effects)?;
        effects.remember(&mailbox)
    }
}

/// The customer wants e-mail again, if the event says when and where they said so.
fn opt_in(event: &Event, effects: &mut Effects) -> Result<(), Error> {
    match consent::fault(event)? {
        None => effects.set("email.opted_out", false)?,
        Some((code, message)) => effects.refuse("email.opted_out", code, message)?,
    }
    Ok(())
}

impl Source for Email {
    fn on_proposal(
        proposed: &[Proposal],
        _profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for proposal in proposed {
            let field = proposal.field.as_str();
            match field {
                "email.opted_out" if proposal.value == Some(true.into()) => effects.set(field, true)?,
                "email.opted_out" => effects.refuse(
                    field,
                    "email.consent-needed",
                    "An opt-out can be proposed, not ended: send the event email.consented, with the time of \
                     the customer's consent as its at and where it was given as its origin.",
                )?,
                _ => effects.refuse(
                    field,
                    "email.observed-only",
                    "This is seen in what becomes of the customer's mail and can't be proposed.",
                )?,
            }
        }
        Ok(())
    }
}

/// Enters the event; false when it made no sense and was refused.
fn record(event: &Event, mailbox: &mut Mailbox, effects: &mut Effects) -> Result<bool, Error> {
    let message = || event.text_opt("message_id").and_then(Message::named);
    match event.name() {
        "email.delivered" => mailbox.reached(event.at()),
        "email.opened" | "email.clicked" => {
            mailbox.reached(event.at());
            if event.boolean_opt("machine") != Some(true) {
                mailbox.engaged(event.at(), event.name() == "email.clicked", message());
            }
        }
        "email.bounced" => match event.text("bounce")? {
            "hard" => mailbox.bounced_hard(event.at()),
            "soft" => mailbox.bounced_soft(event.at(), message()),
            other => {
                let message = format!("A bounce is \"hard\" or \"soft\", not {other:?}.");
                effects.refuse_all("bounce.unknown", &message)?;
                return Ok(false);
            }
        },
        other => {
            return Err(Error::other(format!(
                "plugin.toml subscribes to {other}, which nothing here handles"
            )));
        }
    }
    Ok(true)
}

fn claim(mailbox: &Mailbox, settings: &Settings, effects: &mut Effects) -> Result<(), Error> {
    let soft_bounces_max = settings.integer("soft_bounces_max")?.clamp(1, SOFT_BOUNCES_KEPT as i64) as usize;
    if let Some(deliverable) = mailbox.deliverable(soft_bounces_max) {
        effects.set("email.deliverable", deliverable)?;
    }
    if let Some((score, at)) = mailbox.engagement() {
        effects.set("email.engagement", score)?;
        effects.set("email.last_engaged_at", at)?;
    }
    Ok(())
}

impl Observer for Email {
    fn on_change(
        changes: &[Change],
        _at: Timestamp,
        profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for change in changes.iter().filter(|change| change.field == "email") {
            let before = change.before.as_ref().and_then(|value| value.as_text());
            let after = change.after.as_ref().and_then(|value| value.as_text());
            let same = before.zip(after).is_some_and(|(before, after)| same_address(before, after));
            if !same {
                start_afresh(profile, effects)?;
            }
        }
        Ok(())
    }
}

fn start_afresh(profile: &Profile, effects: &mut Effects) -> Result<(), Refusal> {
    for field in ["email.deliverable", "email.engagement", "email.last_engaged_at"] {
        if profile.get(field).is_some() {
            effects.clear(field)?;
        }
    }
    effects.forget()
}

#[cfg(test)]
mod tests;
