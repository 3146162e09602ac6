//! The customer register: first name, last name, e-mail, phone, country, and whether the customer
//! wants offers.
//!
//! It decides proposals, field by field: the value in its one kept form, or a refusal with a
//! code and a sentence. null clears. What is already kept is never judged again: a new country
//! doesn't reopen an old phone number.
//!
//! | code | when |
//! |---|---|
//! | `name.empty`, `email.empty`, `phone.empty`, `country.empty` | nothing but spaces: a form's empty box is no wish to remove |
//! | `name.too-long`, `name.invalid` | see `names.rs` |
//! | `email.invalid` | see `email.rs` |
//! | `phone.country-unknown` | no country code, and neither the proposal, the profile nor `default_country` says where it is from |
//! | `phone.extension`, `phone.invalid` | see `phone.rs` |
//! | `country.unknown` | see `country.rs` |
//! | `marketing.say-false` | null for an opt-out: it is ended by a word, not by silence |

mod countries;
mod country;
mod email;
mod names;
mod no;
mod phone;
mod unicode;

use samsyn_plugin::{Effects, Error, Profile, Proposal, Settings, Source};

use no::No;

/// The plug-in.
#[derive(Debug)]
pub struct Crm;

samsyn_plugin::export!(Crm: Source);

impl Source for Crm {
    fn on_proposal(
        proposed: &[Proposal],
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error> {
        for proposal in proposed {
            let field = proposal.field.as_str();
            if field == "marketing_opted_out" {
                opt_out(proposal, effects)?;
                continue;
            }
            let Some(value) = &proposal.value else {
                effects.clear(field)?;
                continue;
            };
            // The host has checked the type: all the others are texts.
            let text = value
                .as_text()
                .ok_or_else(|| format!("{field} was proposed as {}, not text", value.kind()))?;
            let kept = match field {
                "first_name" | "last_name" => names::name(text),
                "email" => email::email(text),
                "phone" => phone(text, proposed, profile, settings)?,
                "country" => country::country(text).map(str::to_owned),
                other => return Err(Error::other(format!("{other} isn't a field of this plug-in"))),
            };
            match kept {
                Ok(kept) => effects.set(field, kept)?,
                Err(No { code, message }) => effects.refuse(field, code, message)?,
            }
        }
        Ok(())
    }
}

/// The customer said on a form whether they want offers.
fn opt_out(proposal: &Proposal, effects: &mut Effects) -> Result<(), Error> {
    match proposal.value.as_ref().and_then(|value| value.as_boolean()) {
        Some(out) => effects.set(&proposal.field, out)?,
        None => effects.refuse(
            &proposal.field,
            "marketing.say-false",
            "Leaving an opt-out out doesn't end it; send false when the customer wants offers again.",
        )?,
    }
    Ok(())
}

/// Looks for the number's home only when the number doesn't say it itself.
fn phone(
    text: &str,
    proposed: &[Proposal],
    profile: &Profile,
    settings: &Settings,
) -> Result<Result<String, No>, Error> {
    let home = match proposed_country(proposed) {
        Some(country) => country,
        None => profile.text("country"),
    };
    if let Some(home) = home {
        return Ok(phone::phone(text, Some(home)));
    }
    let Some(default) = settings.text_opt("default_country")? else { return Ok(phone::phone(text, None)) };
    let default = country::country(&default).map_err(|_| {
        Error::other("the setting default_country is no country; set it to an ISO code such as SE")
    })?;
    Ok(phone::phone(text, Some(default)))
}

/// What the same delivery says of the country: a country, that there is none any more, or
/// nothing that can be used, when the profile's stays the one that counts.
fn proposed_country(proposed: &[Proposal]) -> Option<Option<&'static str>> {
    let proposal = proposed.iter().rev().find(|proposal| proposal.field == "country")?;
    match &proposal.value {
        None => Some(None),
        Some(value) => country::country(value.as_text()?).ok().map(Some),
    }
}

#[cfg(test)]
mod tests;
