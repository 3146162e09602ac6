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
fn an_opt_out_is_ended_by_a_word_and_not_by_silence() {
    let host = Host::from_manifest(MANIFEST);
    let out = profile().point("marketing_opted_out", true);
    for wanted in [true, false] {
        let run = host.on_proposal::<Crm>(&[proposal("marketing_opted_out", wanted)], &out);
        assert_eq!(run.claim("marketing_opted_out"), Some(&wanted.into()));
    }
    let run = host.on_proposal::<Crm>(&[proposal("marketing_opted_out", None)], &out);
    assert!(!run.cleared("marketing_opted_out"));
    assert_eq!(run.refusals(), [(Some("marketing_opted_out"), "marketing.say-false")]);
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

/// Texts of pieces that are hard for one field or another, the same in every run.
fn hard_texts(count: usize) -> impl Iterator<Item = String> {
    const PIECES: [&str; 40] = [
        "a", "Å", "A\u{30a}", "\u{301}", "\u{2019}", "-", " ", "\u{a0}", "\n", "\u{0}", "\u{200d}",
        "\u{200e}", "\u{202e}", "\u{feff}", "王", "م", "ǆ", "ß", "İ", "@", ".", "..", "com", "xn--", "é.se",
        "。", "\"", "<", "mailto:", "+", "46", "070", "00", "(0)", "1", "９", "٣", "x", "tel:", "🎉",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..count).map(move |_| (0..next(12)).map(|_| PIECES[next(PIECES.len())]).collect())
}

#[test]
fn whatever_is_proposed_is_refused_or_kept_for_good() {
    let mut kept = 0;
    for text in hard_texts(50_000) {
        let once = [
            crate::names::name(&text),
            crate::email::email(&text),
            crate::phone::phone(&text, Some("SE")),
            crate::country::country(&text).map(str::to_owned),
        ];
        let again = |index: usize, kept: &str| match index {
            0 => crate::names::name(kept),
            1 => crate::email::email(kept),
            2 => crate::phone::phone(kept, None),
            _ => crate::country::country(kept).map(str::to_owned),
        };
        for (index, value) in once.into_iter().enumerate() {
            let Ok(value) = value else { continue };
            kept += 1;
            assert!(!value.chars().any(char::is_control), "{text:?}");
            assert_eq!(again(index, &value).as_ref(), Ok(&value), "{text:?}");
        }
    }
    assert!(kept > 5_000, "{kept}");
}
