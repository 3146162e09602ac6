//! The service desk's address book: the same fields as the customer register, kept by other people
//! with other habits.
//!
//! It hears of cards that agents save (`card.updated`), where the name is one box, and decides
//! proposals as the customer register does; it stands for a second vendor beside it, or after it.
//! Where the two part:
//!
//! | field | the customer register | here |
//! |---|---|---|
//! | names | as their bearers write them | `ANNA` becomes `Anna`; titles go, suffixes (`Jr.`, `PhD`) stay |
//! | e-mail | the domain in ASCII (`xn--`) | the domain in its own letters |
//! | country | codes and names of any kind | ISO 3166-1 alpha-2 only; `Sweden`, `UK` and `XK` are refused |
//! | an opt-out | ended by a proposal | ended only by what the customer told an agent |
//!
//! | code | when |
//! |---|---|
//! | `card.empty` | nothing but spaces: an empty box is no wish to remove |
//! | `card.name` | see `names.rs` |
//! | `card.email` | see `email.rs` |
//! | `card.phone`, `card.phone-country` | no such number; one without a country code of a customer whose country isn't known |
//! | `card.country` | see `country.rs` |
//! | `card.opted-out` | an application proposes to end an opt-out |

mod country;
mod email;
mod names;
mod suffixes;

use phone_numbers::Fault;
use samsyn_plugin::{Effects, Error, Event, Profile, Proposal, Settings, Source, Subscriber};

/// The plug-in.
#[derive(Debug)]
pub struct ServiceDesk;

samsyn_plugin::export!(ServiceDesk: Subscriber, Source);

/// A refusal: its code, and a sentence for the person who typed the value.
type No = (&'static str, &'static str);

const EMPTY: No = ("card.empty", "The box is empty; send null to remove the value.");

impl Source for ServiceDesk {
    fn on_proposal(
        proposed: &[Proposal],
        profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for proposal in proposed {
            let field = proposal.field.as_str();
            if field == "marketing_opted_out" {
                propose_opt_out(proposal, profile, effects)?;
                continue;
            }
            let Some(value) = &proposal.value else {
                effects.clear(field)?;
                continue;
            };
            // The host has checked the type: all but the opt-out are texts.
            let text = value
                .as_text()
                .ok_or_else(|| format!("{field} was proposed as {}, not text", value.kind()))?;
            let kept = match field {
                "first_name" => names::one(text),
                "last_name" => names::one(text),
                "email" => email::email(text),
                "phone" => phone(text, proposed_country(proposed).or(profile.text("country"))),
                "country" => country::country(text).map(str::to_owned),
                other => return Err(Error::other(format!("{other} isn't a field of this plug-in"))),
            };
            answer(field, kept, effects)?;
        }
        Ok(())
    }
}

impl Subscriber for ServiceDesk {
    fn on_event(
        event: &Event,
        profile: &Profile,
        _settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        if let Some(text) = event.text_opt("name") {
            match names::whole(text) {
                Ok(names::Parted { first, last }) => {
                    for (field, name) in [("first_name", first), ("last_name", last)] {
                        if let Some(name) = name {
                            effects.set(field, name)?;
                        }
                    }
                }
                Err((code, message)) => effects.refuse("first_name", code, message)?,
            }
        }
        if let Some(text) = event.text_opt("email") {
            answer("email", email::email(text), effects)?;
        }
        let told = event.text_opt("country");
        if let Some(text) = told {
            answer("country", country::country(text).map(str::to_owned), effects)?;
        }
        if let Some(text) = event.text_opt("phone") {
            let home = told.and_then(|text| country::country(text).ok()).or(profile.text("country"));
            answer("phone", phone(text, home), effects)?;
        }
        // What the customer told an agent counts both ways.
        if let Some(wanted) = event.boolean_opt("marketing") {
            effects.set("marketing_opted_out", !wanted)?;
        }
        Ok(())
    }
}

fn answer(field: &str, kept: Result<String, No>, effects: &mut Effects) -> Result<(), Error> {
    match kept {
        Ok(kept) => effects.set(field, kept)?,
        Err((code, message)) => effects.refuse(field, code, message)?,
    }
    Ok(())
}

/// An application may say that a customer doesn't want offers, and not that they want them again.
fn propose_opt_out(proposal: &Proposal, profile: &Profile, effects: &mut Effects) -> Result<(), Error> {
    let field = proposal.field.as_str();
    let wanted = proposal.value.as_ref().and_then(|value| value.as_boolean());
    match wanted {
        Some(true) => effects.set(field, true)?,
        Some(false) if profile.boolean(field) != Some(true) => effects.set(field, false)?,
        _ => effects.refuse(
            field,
            "card.opted-out",
            "The customer doesn't want offers; only what they tell an agent ends that.",
        )?,
    }
    Ok(())
}

/// What the same delivery says of the country, when that can be used.
fn proposed_country(proposed: &[Proposal]) -> Option<&'static str> {
    let proposal = proposed.iter().find(|proposal| proposal.field == "country")?;
    country::country(proposal.text()?).ok()
}

fn phone(text: &str, home: Option<&str>) -> Result<String, No> {
    phone_numbers::parse(text, home).map_err(|fault| match fault {
        Fault::Empty if text.trim().is_empty() => EMPTY,
        Fault::CountryUnknown => (
            "card.phone-country",
            "Begin the number with + and its country code, such as +46: the customer's country isn't known.",
        ),
        _ => ("card.phone", "There is no such phone number: check its digits, and leave extensions out."),
    })
}

#[cfg(test)]
mod tests;
