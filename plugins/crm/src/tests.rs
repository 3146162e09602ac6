//! Whole deliveries, as a host makes them.

use samsyn_plugin::Value;
use samsyn_plugin::testing::{Host, profile, proposal};

use super::Crm;

const MANIFEST: &str = include_str!("../plugin.toml");

fn text(text: &str) -> Value {
    text.into()
}

#[test]
fn a_registration_form_is_kept_field_by_field() {
    let host = Host::from_manifest(MANIFEST);
    let run = host.on_proposal::<Crm>(
        &[
            proposal("first_name", " Anna "),
            proposal("last_name", "von  Essen"),
            proposal("email", "Anna@EXAMPLE.se"),
            proposal("phone", "070-123 45 67"),
            proposal("country", "Sverige"),
        ],
        &profile(),
    );
    assert_eq!(run.result, Ok(()));
    for (field, kept) in [
        ("first_name", "Anna"),
        ("last_name", "von Essen"),
        ("email", "Anna@example.se"),
        ("phone", "+46701234567"),
        ("country", "SE"),
    ] {
        assert_eq!(run.claim(field), Some(&text(kept)), "{field}");
    }
    assert!(run.refusals().is_empty() && run.host_refusals.is_empty());
}

#[test]
fn a_bad_field_doesn_t_hold_up_the_others() {
    let host = Host::from_manifest(MANIFEST);
    let run = host.on_proposal::<Crm>(
        &[proposal("first_name", "123"), proposal("email", "anna"), proposal("country", "DK")],
        &profile(),
    );
    assert_eq!(run.refusals(), [(Some("first_name"), "name.invalid"), (Some("email"), "email.invalid")]);
    assert_eq!(run.claim("country"), Some(&text("DK")));
    assert_eq!(run.claim("first_name"), None);
    assert_eq!(run.result, Ok(()));
}

#[test]
fn null_clears_and_an_empty_box_does_not() {
    let host = Host::from_manifest(MANIFEST);
    let known = profile().point("phone", "+46701234567").point("email", "anna@example.se");
    let run = host.on_proposal::<Crm>(&[proposal("phone", None), proposal("email", "")], &known);
    assert!(run.cleared("phone") && !run.cleared("email"));
    assert_eq!(run.refusals(), [(Some("email"), "email.empty")]);
}

#[test]
fn a_phone_s_home_is_proposed_known_or_set_in_this_order() {
    let bare = Host::from_manifest(MANIFEST);
    let danish = Host::from_manifest(MANIFEST).setting("default_country", "Denmark");
    let number = || proposal("phone", "20 12 34 56");
    let norwegian = profile().point("country", "NO");

    let run = bare.on_proposal::<Crm>(&[number()], &profile());
    assert_eq!(run.refusals(), [(Some("phone"), "phone.country-unknown")]);
    let run = danish.on_proposal::<Crm>(&[number()], &profile());
    assert_eq!(run.claim("phone"), Some(&text("+4520123456")));
    // No Norwegian number begins with 20: the profile's country came before the default.
    let run = danish.on_proposal::<Crm>(&[number()], &norwegian);
    assert_eq!(run.refusals(), [(Some("phone"), "phone.invalid")]);
    // The order inside a delivery doesn't matter.
    let run = bare.on_proposal::<Crm>(&[number(), proposal("country", "DK")], &norwegian);
    assert_eq!(run.claim("phone"), Some(&text("+4520123456")));
}

#[test]
fn a_refused_country_counts_for_nothing_and_a_cleared_one_as_none() {
    let host = Host::from_manifest(MANIFEST);
    let danish = profile().point("country", "DK");
    let number = || proposal("phone", "20 12 34 56");

    let run = host.on_proposal::<Crm>(&[proposal("country", "Atlantis"), number()], &danish);
    assert_eq!(run.claim("phone"), Some(&text("+4520123456")));
    assert_eq!(run.refusals(), [(Some("country"), "country.unknown")]);
    let run = host.on_proposal::<Crm>(&[proposal("country", None), number()], &danish);
    assert_eq!(run.refusals(), [(Some("phone"), "phone.country-unknown")]);
}

#[test]
fn a_default_country_that_is_none_parks_only_who_needs_it() {
    let host = Host::from_manifest(MANIFEST).setting("default_country", "Atlantis");
    let run = host.on_proposal::<Crm>(&[proposal("phone", "20 12 34 56")], &profile());
    assert!(run.result.unwrap_err().to_string().contains("default_country"));
    let run = host.on_proposal::<Crm>(&[proposal("first_name", "Anna")], &profile());
    assert_eq!(run.result, Ok(()));
}

#[test]
fn what_is_kept_is_kept_again() {
    let host = Host::from_manifest(MANIFEST);
    let kept = [
        ("first_name", "Anna"),
        ("last_name", "O'Brien-Smith"),
        ("email", "anna@xn--rksmrgs-5wao1o.se"),
        ("phone", "+46701234567"),
        ("country", "GB"),
    ];
    for (field, value) in kept {
        let run = host.on_proposal::<Crm>(&[proposal(field, value)], &profile());
        assert_eq!(run.claim(field), Some(&text(value)), "{field}");
    }
}
