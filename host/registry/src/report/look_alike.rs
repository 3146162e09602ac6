//! Fields of two names that seem to be one data point.
//!
//! A guess, so it is made carefully. Two fields that link customers by the same identifier are the
//! same by what they say of themselves. Names are compared word by word: words that only say whose
//! value it is or that it is one (`contact`, `address`) are left out, and a few words that mean the
//! same are made one; then they must be equal, of one type and of different capabilities. A word
//! that tells what the value is about is never left out: `email.opted_out` is not `sms.opted_out`.

use std::collections::BTreeMap;

use super::finding::{Finding, INSTALL, Severity, listed};
use super::{claimers, department};
use crate::Registry;
use samsyn_vocabulary::{CapabilityName, FieldName};

/// Words that say whose value it is: every field is the customer's.
const WHOSE: [&str; 10] =
    ["account", "client", "contact", "crm", "customer", "member", "person", "profile", "subscriber", "user"];
/// Words that say no more than the word before: an e-mail address is an e-mail.
const AFTER: [(&str, &str); 5] =
    [("email", "address"), ("phone", "number"), ("country", "code"), ("postcode", "code"), ("phone", "no")];
/// Other words for one thing, as they are written in one piece or in several.
const SAME: [(&[&str], &str); 24] = [
    (&["e", "mail"], "email"),
    (&["mail", "address"], "email"),
    (&["telephone"], "phone"),
    (&["tel"], "phone"),
    (&["mobile", "phone"], "phone"),
    (&["mobile"], "phone"),
    (&["msisdn"], "phone"),
    (&["cellphone"], "phone"),
    (&["firstname"], "first name"),
    (&["given", "name"], "first name"),
    (&["givenname"], "first name"),
    (&["forename"], "first name"),
    (&["lastname"], "last name"),
    (&["family", "name"], "last name"),
    (&["familyname"], "last name"),
    (&["surname"], "last name"),
    (&["birthday"], "birth date"),
    (&["birthdate"], "birth date"),
    (&["date", "of", "birth"], "birth date"),
    (&["dob"], "birth date"),
    (&["postal", "code"], "postcode"),
    (&["zip"], "postcode"),
    (&["lang"], "language"),
    (&["country", "of", "residence"], "country"),
];

/// Pairs, or larger groups, of fields that look the same.
pub fn look_alikes(registry: &Registry) -> Vec<Finding> {
    let mut by_identifier: BTreeMap<&str, Vec<&FieldName>> = BTreeMap::new();
    let mut by_name: BTreeMap<(String, String), Vec<&FieldName>> = BTreeMap::new();
    for (name, field) in &registry.fields {
        if let Some(identifier) = &field.identifies {
            by_identifier.entry(identifier.as_str()).or_default().push(name);
        }
        by_name.entry((meaning(name.as_str()), field.kind.to_string())).or_default().push(name);
    }
    let mut findings = Vec::new();
    for (identifier, fields) in by_identifier {
        if let Some(claimants) = of_different(registry, &fields) {
            findings.push(same_identifier(registry, identifier, &fields, claimants));
        }
    }
    for ((meaning, _), fields) in by_name {
        let reported =
            findings.iter().any(|finding| fields.iter().all(|field| finding.fields.contains(field)));
        if let Some(claimants) = of_different(registry, &fields).filter(|_| !reported) {
            findings.push(same_meaning(registry, &meaning, &fields, claimants));
        }
    }
    findings
}

/// The capabilities that claim these fields; none when it is one field or when one capability has them all,
/// for it will know that they are different.
fn of_different(registry: &Registry, fields: &[&FieldName]) -> Option<Vec<CapabilityName>> {
    let by: Vec<Vec<&CapabilityName>> = fields
        .iter()
        .map(|field| claimers(registry, field).into_iter().map(|(name, _)| name).collect::<Vec<_>>())
        .filter(|by| !by.is_empty())
        .collect();
    let one_has_all = |name: &&CapabilityName| by.iter().all(|by| by.contains(name));
    if by.len() < 2 || by[0].iter().any(one_has_all) {
        return None;
    }
    let mut claimants: Vec<CapabilityName> = by.into_iter().flatten().cloned().collect();
    claimants.sort();
    claimants.dedup();
    Some(claimants)
}

fn same_identifier(
    registry: &Registry,
    identifier: &str,
    fields: &[&FieldName],
    claimants: Vec<CapabilityName>,
) -> Finding {
    Finding {
        explanation: format!(
            "{} look like one data point: they use the same identifier, {identifier}. {}",
            listed(fields),
            kept_by(registry, &claimants)
        ),
        ..finding(Severity::Warning, fields, claimants)
    }
}

fn same_meaning(
    registry: &Registry,
    meaning: &str,
    fields: &[&FieldName],
    claimants: Vec<CapabilityName>,
) -> Finding {
    Finding {
        explanation: format!(
            "{} may be one data point: both names say \"{meaning}\", and they have the same type. {}",
            listed(fields),
            kept_by(registry, &claimants)
        ),
        ..finding(Severity::Note, fields, claimants)
    }
}

fn kept_by(registry: &Registry, claimants: &[CapabilityName]) -> String {
    let owner = |name: &CapabilityName| {
        let capability = registry.capabilities.get(name);
        capability.map_or("", |capability| department(capability)).to_owned()
    };
    let systems = claimants.iter().map(|name| format!("{name} of {}", owner(name)));
    format!("They are kept by {}.", listed(systems))
}

fn finding(severity: Severity, fields: &[&FieldName], claimants: Vec<CapabilityName>) -> Finding {
    Finding {
        fields: fields.iter().map(|field| (*field).clone()).collect(),
        capabilities: claimants,
        mend: format!(
            "If they mean the same, use one field name in all manifests, such as {}: then the host \
            compares them, and one is the source. If not, describe the difference in their \
            descriptions.",
            fields.iter().min_by_key(|name| name.as_str().len()).map_or("", |name| name.as_str())
        ),
        command: INSTALL.to_owned(),
        ..Finding::new(severity, "fields-look-alike")
    }
}

/// What a name says, without what every name could say.
pub(crate) fn meaning(name: &str) -> String {
    let words: Vec<&str> = name.split(['.', '_']).filter(|word| !word.is_empty()).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut rest = words.as_slice();
    while let Some(word) = rest.first() {
        let same = SAME.iter().filter(|(words, _)| rest.starts_with(words));
        if let Some((words, one)) = same.max_by_key(|(words, _)| words.len()) {
            kept.push(one);
            rest = &rest[words.len()..];
            continue;
        }
        rest = &rest[1..];
        let says_no_more = AFTER.iter().any(|pair| kept.last() == Some(&pair.0) && *word == pair.1);
        let only_whose = kept.is_empty() && WHOSE.contains(word) && !rest.is_empty();
        if !says_no_more && !only_whose {
            kept.push(word);
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Plugin, registry};
    use super::*;

    #[test]
    fn words_that_say_nothing_are_left_out_and_others_never() {
        let says = meaning;
        for (one, other) in [
            ("email", "contact.email_address"),
            ("email", "customer.e_mail"),
            ("phone", "mobile_number"),
            ("first_name", "person.given_name"),
            ("birth_date", "date_of_birth"),
            ("country", "country_code"),
            ("postcode", "zip_code"),
        ] {
            assert_eq!(says(one), says(other), "{one} {other}");
        }
        for (one, other) in [
            ("email.opted_out", "sms.opted_out"),
            ("loyalty.points", "games.points"),
            ("email", "email.deliverable"),
            ("first_name", "last_name"),
            ("customer", "client"),
            ("address", "email_address"),
        ] {
            assert_ne!(says(one), says(other), "{one} {other}");
        }
    }

    #[test]
    fn two_names_for_one_thing_are_told_with_their_reason() {
        let registry = registry(&[
            Plugin::new("crm").owner("Data").sources(&["email"]),
            Plugin::new("desk").owner("Service").sources(&["contact.email_address"]),
        ]);
        let [finding] = &look_alikes(&registry)[..] else { panic!() };
        assert_eq!((finding.code, finding.severity), ("fields-look-alike", Severity::Note));
        assert_eq!(
            finding.explanation,
            "contact.email_address and email may be one data point: both names say \"email\", and they have the same \
             type. They are kept by crm of Data and desk of Service."
        );
        assert!(finding.mend.contains("such as email"));
    }

    #[test]
    fn the_same_identifier_is_a_stronger_sign_and_told_once() {
        let registry = registry(&[
            Plugin::new("crm").identifying("email", "email"),
            Plugin::new("desk").identifying("contact.email_address", "email"),
            Plugin::new("shop").identifying("invoice_to", "email"),
        ]);
        let [finding] = &look_alikes(&registry)[..] else { panic!("{:#?}", look_alikes(&registry)) };
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(finding.fields.len(), 3);
    }

    #[test]
    fn who_has_both_knows_the_difference() {
        let registry = registry(&[Plugin::new("crm").sources(&["email", "contact.email"])]);
        assert_eq!(look_alikes(&registry), []);
    }
}
