//! The three forms hold together, whatever is typed.

use email_addresses::{Fault, display, matching, parse};
use proptest::prelude::*;

#[test]
fn addresses_are_kept_in_one_form() {
    for (text, expected) in [
        ("anna@example.com", "anna@example.com"),
        ("  Anna.Berg@EXAMPLE.Com\n", "Anna.Berg@example.com"),
        ("anna+news@example.co.uk", "anna+news@example.co.uk"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("mailto:anna@example.com", "anna@example.com"),
        ("MAILTO:anna@example.com?subject=Hi%20there", "anna@example.com"),
        ("mailto://anna@example.com", "anna@example.com"),
        ("mailto:anna%2Bnews@example.com", "anna+news@example.com"),
        ("mailto:j%C3%B6rg@example.de", "jörg@example.de"),
        ("anna%2Bnews@example.com", "anna%2Bnews@example.com"),
        ("<anna@example.com>", "anna@example.com"),
        ("< mailto:anna@example.com >", "anna@example.com"),
        ("mailto:<anna@example.com>", "anna@example.com"),
        ("\u{200b}anna@example.com\u{feff}", "anna@example.com"),
        ("an\u{200d}na@example.com", "anna@example.com"),
        ("ẞ\u{200d}@example.com", "ẞ@example.com"),
        ("م\u{1de7}\u{64b}\u{200d}م@example.com", "م\u{64b}\u{1de7}م@example.com"),
        ("\u{2068}anna@example.com\u{2069}", "anna@example.com"),
        ("anna@räksmörgås.se", "anna@xn--rksmrgs-5wao1o.se"),
        ("anna@RÄKSMÖRGÅS.SE", "anna@xn--rksmrgs-5wao1o.se"),
        ("anna@xn--rksmrgs-5wao1o.se", "anna@xn--rksmrgs-5wao1o.se"),
        ("anna@XN--RKSMRGS-5WAO1O.SE", "anna@xn--rksmrgs-5wao1o.se"),
        ("anna@straße.de", "anna@xn--strae-oqa.de"),
        ("anna@例え.jp", "anna@xn--r8jz45g.jp"),
        ("anna@例え。jp", "anna@xn--r8jz45g.jp"),
        ("ａｎｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "anna@example.com"),
        ("\u{3000}anna@example.com\u{3000}", "anna@example.com"),
        ("ﾊﾟﾊﾟ@example.jp", "パパ@example.jp"),
        ("jo\u{308}rg@example.de", "jörg@example.de"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("तमिल्@example.in", "तमिल्@example.in"),
        ("می\u{200c}خواهم@example.ir", "می\u{200c}خواهم@example.ir"),
        ("a@b.museum", "a@b.museum"),
    ] {
        assert_eq!(parse(text).as_deref(), Ok(expected), "{text:?}");
    }
}

#[test]
fn what_is_no_address_says_why() {
    let long_local = format!("{}@example.com", "a".repeat(65));
    // Each of these is two bytes, and its small letter three.
    let grows = format!("{}@example.com", "Ⱥ".repeat(32));
    let long_label = format!("anna@{}.com", "a".repeat(64));
    let long_all = format!("{}@{}.{}.{}.se", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(60));
    let huge = format!("{}@example.com", "ä".repeat(1_000_000));
    for (text, fault) in [
        ("", Fault::Empty),
        (" \u{200b}\u{3000}", Fault::Empty),
        ("mailto:", Fault::Empty),
        ("<>", Fault::Empty),
        ("n/a", Fault::NoAt),
        ("null", Fault::NoAt),
        ("anna@", Fault::NoDomain),
        ("@example.com", Fault::LocalMissing),
        ("anna@@example.com", Fault::ManyAts),
        ("anna@localhost", Fault::DomainIncomplete),
        ("anna@example.c", Fault::EndingUnknown),
        ("anna@192.168.0.1", Fault::EndingUnknown),
        ("anna@[192.168.0.1]", Fault::IpAddress),
        ("anna@xn--a.se", Fault::NoDomain),
        ("anna@exa_mple.com", Fault::NoDomain),
        ("anna@example.com.", Fault::NoDomain),
        ("an..na@example.com", Fault::Dots),
        ("an na@example.com", Fault::Space),
        ("anna\r\n@example.com", Fault::Space),
        ("mailto:an%0Ana@example.com", Fault::Space),
        ("\"anna berg\"@example.com", Fault::Space),
        ("\"anna\"@example.com", Fault::Quoted),
        ("Anna<anna@example.com>", Fault::NotAlone),
        ("anna@example.com;per@example.com", Fault::NotAlone),
        ("anna@example.com，per@example.com", Fault::NotAlone),
        ("anna(work)@example.com", Fault::LocalCharacter),
        ("🎉@example.com", Fault::LocalCharacter),
        ("\u{115f}@example.com", Fault::LocalCharacter),
        ("\u{3164}@example.com", Fault::LocalCharacter),
        ("\u{ffa0}@example.com", Fault::LocalCharacter),
        ("anna\u{34f}@example.com", Fault::LocalCharacter),
        ("\u{200d}@example.com", Fault::LocalMissing),
        (&long_local, Fault::LocalTooLong),
        (&grows, Fault::LocalTooLong),
        (&long_label, Fault::NoDomain),
        (&long_all, Fault::TooLong),
        (&huge, Fault::TooLong),
    ] {
        let start: String = text.chars().take(30).collect();
        assert_eq!(parse(text), Err(fault), "{start:?}");
        assert_eq!(matching(text), Err(fault), "{start:?}");
    }
}

#[test]
fn spellings_of_one_address_match_and_others_don_t() {
    for (one, other) in [
        ("Anna@example.com", "anna@EXAMPLE.COM"),
        ("Åsa@example.se", "a\u{30a}sa@example.se"),
        ("ÅSA@example.se", "åsa@example.se"),
        ("ＡＮＮＡ@example.com", "anna@example.com"),
        ("ΝΊΚΟΣ@example.gr", "νίκος@example.gr"),
        ("STRAẞE@example.de", "straße@example.de"),
        ("mi\u{212a}e@example.com", "mike@example.com"),
        ("anna@STRAẞE.de", "anna@straße.de"),
        ("ДМИТРИЙ@example.ru", "дмитрий@example.ru"),
    ] {
        assert!(matching(one).is_ok(), "{one}");
        assert_eq!(matching(one), matching(other), "{one} {other}");
    }
    for (one, other) in [
        ("straße@example.de", "strasse@example.de"),
        ("anna@straße.de", "anna@strasse.de"),
        ("m\u{131}ke@example.com", "mike@example.com"),
        ("m\u{130}ke@example.com", "mike@example.com"),
        ("\u{17f}am@example.com", "sam@example.com"),
        ("ﬁona@example.com", "fiona@example.com"),
        ("\u{430}nna@example.com", "anna@example.com"),
        ("ana@example.es", "aña@example.es"),
        ("a.nna@example.com", "anna@example.com"),
        ("anna+news@example.com", "anna@example.com"),
        ("anna@example.com", "anna@example.org"),
    ] {
        assert!(matching(one).is_ok() && matching(other).is_ok(), "{one} {other}");
        assert_ne!(matching(one), matching(other));
    }
}

#[test]
fn an_address_is_shown_in_its_own_letters() {
    for (kept, shown) in [
        ("anna@xn--rksmrgs-5wao1o.se", "anna@räksmörgås.se"),
        ("Anna@example.com", "Anna@example.com"),
        ("anna@xn--a.se", "anna@xn--a.se"),
        ("no address", "no address"),
    ] {
        assert_eq!(display(kept), shown);
    }
}

/// Every letter in either case, alone: where case mappings have their exceptions.
#[test]
fn every_letter_s_two_cases_match() {
    for char in ('\u{80}'..=char::MAX).filter(|char| char.is_uppercase()) {
        let small: String = char.to_lowercase().collect();
        let (one, other) = (format!("a{char}b@example.com"), format!("a{small}b@example.com"));
        assert_eq!(matching(&one), matching(&other), "{char} U+{:04X}", u32::from(char));
    }
}

/// No letter but its own capital, its full-width form and its canonical equals match an ASCII letter.
#[test]
fn no_other_letter_passes_for_an_ascii_one() {
    let mut found = Vec::new();
    for char in ('\u{80}'..=char::MAX).filter(|char| !('\u{ff01}'..='\u{ff5e}').contains(char)) {
        if let Ok(form) = matching(&format!("a{char}b@example.com"))
            && form.is_ascii()
            && form.len() > "ab@example.com".len()
        {
            found.push(char);
        }
    }
    // The Kelvin sign, and the Greek spacing grave (the backtick): canonical equals.
    assert_eq!(found, ['\u{1fef}', '\u{212a}']);
}

/// Text in the neighbourhood of addresses, and letters that change their length or form.
fn typed() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        4 => "[a-zA-Z0-9.+]{1,6}",
        1 => prop::sample::select(vec!["@", "@", "@", ".com", ".se", "mailto:", "<", ">", "%41", "?", "//", "xn--", " "])
            .prop_map(str::to_owned),
        3 => prop::sample::select(vec![
            "İ", "ı", "ß", "ẞ", "ς", "Σ", "Ⱥ", "ﬁ", "Å", "K", "\u{30a}", "\u{308}", "\u{345}", "ᾼ", "ａ", "ｱﾞ",
            "\u{200d}", "\u{200c}", "\u{ad}", "्", "م", "\u{64b}", "\u{1de7}", "\u{5b0}", "\u{ffa0}", "＠", "．", "。", "｡",
        ])
        .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(pieces, 1..12).prop_map(|pieces| pieces.concat())
}

fn address() -> impl Strategy<Value = String> {
    (typed(), prop::sample::select(vec!["example.com", "räksmörgås.se", "STRASSE.de", "例え。jp", "ß.gr"]))
        .prop_map(|(local, domain)| format!("{local}@{domain}"))
}

fn holds_together(text: &str) -> Result<(), TestCaseError> {
    let (kept, form) = (parse(text), matching(text));
    prop_assert_eq!(kept.clone().err(), form.clone().err());
    let (Ok(kept), Ok(form)) = (kept, form) else { return Ok(()) };
    prop_assert_eq!(parse(&kept), Ok(kept.clone()), "the kept form is kept");
    prop_assert_eq!(matching(&kept), Ok(form.clone()), "the kept form matches what was typed");
    prop_assert_eq!(matching(&form), Ok(form.clone()), "the matching form is its own");
    prop_assert_eq!(parse(&form), Ok(form), "the matching form is an address");
    prop_assert_eq!(parse(&display(&kept)), Ok(kept.clone()), "what is shown is the address");
    prop_assert!(kept.len() <= 254);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn forms_of_typed_text_hold_together(text in typed()) {
        holds_together(&text)?;
    }

    #[test]
    fn forms_of_addresses_hold_together(text in address()) {
        holds_together(&text)?;
    }
}
