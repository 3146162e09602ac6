//! Which capabilities know an e-mail address or a phone number. One that also calls a system could have that system
//! write to a customer, past the checks of consent: an administrator should know.

use crate::manifest::Manifest;
use crate::report::meaning;
use crate::{Grant, Normaliser, Registry};
use samsyn_vocabulary::{IdentifierName, Type};

/// What a name's meaning ends with when its value is an address.
const ADDRESSES: [&str; 2] = ["email", "phone"];

/// Whether a name says that its value is an address: `contact.email_address` does, `email.opted_out` doesn't.
fn says_address(name: &str) -> bool {
    meaning(name).rsplit(' ').next().is_some_and(|last| ADDRESSES.contains(&last))
}

fn is_address(registry: &Registry, identifier: &IdentifierName) -> bool {
    let known = registry.identifiers.get(identifier);
    known.is_some_and(|is| matches!(is.normaliser, Normaliser::Email | Normaliser::Phone))
        || says_address(identifier.as_str())
}

/// The addresses that a plug-in of this manifest and grant knows, in words: fields that it reads or makes claims for,
/// identifiers that it sees, and properties of events that it receives.
pub fn addresses_read(registry: &Registry, manifest: &Manifest, grant: &Grant) -> Vec<String> {
    let text_or_unknown =
        |kind: Option<Type>| kind.is_none_or(|kind| matches!(kind, Type::Text | Type::Texts));
    let fields = grant.reads.iter().chain(grant.sources()).filter(|name| {
        let known = registry.fields.get(*name);
        let brought = manifest.sources.get(*name);
        let kind = known.map(|known| known.kind).or(brought.map(|brought| brought.kind));
        let identifies = known
            .and_then(|known| known.identifies.as_ref())
            .or(brought.and_then(|brought| brought.identifies.as_ref()));
        identifies.is_some_and(|identifier| is_address(registry, identifier))
            || text_or_unknown(kind) && says_address(name.as_str())
    });
    let identifiers = grant.identifiers.iter().filter(|name| is_address(registry, name));
    let heard = manifest.subscribes.iter().filter(|(event, _)| grant.hears.contains(event));
    let properties = heard.flat_map(|(event, properties)| {
        let texts =
            properties.iter().filter(|(name, property)| property.kind == Type::Text && says_address(name));
        texts.map(move |(name, _)| format!("the property {name} of {event}"))
    });
    let fields = fields.map(|name| format!("the field {name}"));
    let identifiers = identifiers.map(|name| format!("the identifier {name}"));
    fields.chain(identifiers).chain(properties).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_value_is() {
        for name in [
            "email",
            "contact.email_address",
            "e_mail",
            "work_email",
            "phone",
            "msisdn",
            "mobile_number",
            "tel",
        ] {
            assert!(says_address(name), "{name}");
        }
        for name in [
            "email.opted_out",
            "phone_model",
            "address",
            "country",
            "email.deliverable",
            "number",
            "customer_id",
        ] {
            assert!(!says_address(name), "{name}");
        }
    }
}
