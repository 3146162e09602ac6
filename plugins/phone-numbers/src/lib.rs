//! Telephone numbers: from what people type to E.164, and from E.164 to a country.
//!
//! ```
//! use phone_numbers::{Fault, country_of, parse};
//!
//! assert_eq!(parse("070-123 45 67", Some("SE")).unwrap(), "+46701234567");
//! assert_eq!(parse("070-123 45 67", None), Err(Fault::CountryUnknown));
//! assert_eq!(country_of("+16045550123"), Some("CA"));
//! ```
//!
//! A number counts when the numbering plan of its country has it: first digits and length, not only
//! a length that could be. What is dialled otherwise at home than from abroad is rewritten behind a
//! calling code too, when the digits are no number as they stand: `+54 11 15 2345 6789` is
//! `+5491123456789`. The plans are those of libphonenumber (Apache-2.0), folded into automata of 46
//! KiB by `tests/tables.rs`, which also says how to renew them. They are constant, so that a
//! sandbox that lives for one call builds nothing.

#![warn(missing_docs)]

mod automaton;
mod home;
mod plan;
#[rustfmt::skip]
mod tables;
mod typed;

/// Why a text is no telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no digit in it.
    #[error("there is no digit in it")]
    Empty,
    /// Something in it is neither a digit nor a separator.
    #[error("it has something in it that is no digit")]
    NotDigits,
    /// A number behind a switchboard: E.164 can't say it, and no text message reaches it.
    #[error("it has an extension")]
    Extension,
    /// More digits than any number.
    #[error("it has more than 15 digits")]
    TooLong,
    /// It is written as at home, and nobody knows where home is.
    #[error("it has no country code, and the country isn't known")]
    CountryUnknown,
    /// A plus or 00, and then a calling code that nobody has.
    #[error("no country has its calling code")]
    CodeUnknown,
    /// The country has no such number.
    #[error("its country has no such number")]
    NotInPlan,
}

/// The number in E.164, such as `+46701234567`. `home` is the ISO 3166-1 alpha-2 code of the
/// country where a number without a calling code is dialled.
///
/// # Errors
///
/// A [`Fault`] when no reading of the text is a number in a numbering plan.
pub fn parse(text: &str, home: Option<&str>) -> Result<String, Fault> {
    let typed = typed::read(text)?;
    let home = home.and_then(plan::region);
    // Only what is no number otherwise is rewritten.
    read(&typed, home, Reading::Plain)
        .or_else(|fault| read(&typed, home, Reading::Rewritten).map_err(|_| fault))
}

/// How far a reading may go to find a number in the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// What is dialled before a number may go.
    Plain,
    /// What is dialled otherwise at home than from abroad is also rewritten: see
    /// [`home::rewritten`].
    Rewritten,
}

fn read(typed: &typed::Typed, home: Option<&plan::Region>, reading: Reading) -> Result<String, Fault> {
    if typed.plus {
        return international(&typed.digits, reading);
    }
    if let Some(number) = from_abroad(home, &typed.digits, reading) {
        return number;
    }
    let home = home.ok_or(Fault::CountryUnknown)?;
    match home::national(home, plan::regions_of(home.code), &typed.digits) {
        Some(national) => Ok(format!("+{}{national}", home.code)),
        None => code_without_plus(home, &typed.digits, reading),
    }
}

/// The country whose number this is, ISO 3166-1 alpha-2; none for what isn't E.164 and for
/// numbers of no place, such as freephone numbers that several countries share.
pub fn country_of(e164: &str) -> Option<&'static str> {
    let digits = e164.strip_prefix('+')?;
    let (regions, national) =
        plan::split(digits).filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    plan::country(regions, national).filter(|_| !national.is_empty() && digits.len() <= plan::E164_DIGITS_MAX)
}

/// Whether numbers without a calling code can be read as dialled in this country, given by its ISO 3166-1
/// alpha-2 code in capitals.
pub fn has_plan(country: &str) -> bool {
    plan::region(country).is_some()
}

/// The digits after a plus: calling code and national number, perhaps with the prefix from home
/// in between, as in +46 (0)70, or as it is dialled at home, as in +54 11 15 2345 6789.
fn international(digits: &str, reading: Reading) -> Result<String, Fault> {
    let (regions, national) = plan::split(digits).ok_or(Fault::CodeUnknown)?;
    if plan::in_plan(regions, national) {
        return Ok(format!("+{digits}"));
    }
    let main = regions.first();
    let stripped = regions.iter().find_map(|region| home::without_prefix(region, regions, national));
    let found = stripped.or_else(|| match reading {
        Reading::Plain => None,
        Reading::Rewritten => home::rewritten(main?, regions, national),
    });
    match (found, main) {
        (Some(national), Some(main)) => Ok(format!("+{}{national}", main.code)),
        _ if digits.len() > plan::E164_DIGITS_MAX => Err(Fault::TooLong),
        _ => Err(Fault::NotInPlan),
    }
}

/// Digits that begin as a call to another country does; none when they don't. 00 is tried
/// everywhere: people type it wherever they are.
fn from_abroad(home: Option<&plan::Region>, digits: &str, reading: Reading) -> Option<Result<String, Fault>> {
    let own = home.map_or(0, |home| home.abroad);
    let starts = automaton::known_starts(own, digits).filter_map(|length| digits.get(length..));
    let dialled = starts.chain(digits.strip_prefix("00")).map(|digits| international(digits, reading));
    let mut faults = None;
    for reading in dialled {
        match reading {
            Ok(number) => return Some(Ok(number)),
            Err(fault) => faults = Some(Err(fault)),
        }
    }
    // With a home the digits may still be a number there.
    faults.filter(|_| home.is_none())
}

/// The last reading: the calling code stands there, only the plus is missing; or the number is
/// one that home itself no longer dials so.
fn code_without_plus(home: &plan::Region, digits: &str, reading: Reading) -> Result<String, Fault> {
    let fault = if digits.len() > plan::E164_DIGITS_MAX { Fault::TooLong } else { Fault::NotInPlan };
    if reading == Reading::Rewritten
        && let Some(national) = home::rewritten(home, plan::regions_of(home.code), digits)
    {
        return Ok(format!("+{}{national}", home.code));
    }
    let (regions, _) = plan::split(digits).ok_or(fault)?;
    let own = regions.first().is_some_and(|region| region.code == home.code);
    international(digits, reading).ok().filter(|_| own).ok_or(fault)
}

#[cfg(test)]
mod abroad_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_becomes_e164() {
        let cases = [
            ("070-123 45 67", "SE", "+46701234567"),
            ("070 123 45 67", "SE", "+46701234567"),
            ("+46 (0)70 123 45 67", "", "+46701234567"),
            ("+46 070-1234567", "", "+46701234567"),
            ("(+46) 70 123 45 67", "", "+46701234567"),
            ("0046 70 123 45 67", "", "+46701234567"),
            ("0046(0)701234567", "DE", "+46701234567"),
            ("46701234567", "SE", "+46701234567"),
            ("tel:+46-70-123-45-67", "", "+46701234567"),
            ("\u{202d}+46\u{a0}70\u{2011}123\u{2013}45.67\u{202c}", "", "+46701234567"),
            ("\u{ff0b}\u{ff14}\u{ff16}701234567", "", "+46701234567"),
            ("08-12 34 56 78", "SE", "+46812345678"),
            ("(604) 555-0123", "US", "+16045550123"),
            ("1-604-555-0123", "CA", "+16045550123"),
            ("011 46 70 123 45 67", "US", "+46701234567"),
            ("00 46 70 123 45 67", "US", "+46701234567"),
            ("8 (912) 345-67-89", "RU", "+79123456789"),
            ("810 46 701234567", "RU", "+46701234567"),
            ("020 7946 0018", "GB", "+442079460018"),
            ("07781 123456", "GB", "+447781123456"),
            ("06 1 234 5678", "HU", "+3612345678"),
            ("02 1234 5678", "IT", "+390212345678"),
            ("+39 02 1234 5678", "", "+390212345678"),
            ("11 15 2345-6789", "AR", "+5491123456789"),
            ("011 15 2345-6789", "AR", "+5491123456789"),
            ("0 15 11 96123-4567", "BR", "+5511961234567"),
            ("\u{661}\u{662}", "XX", "!"),
            (
                "\u{660}\u{661}\u{660}\u{660}\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}",
                "EG",
                "+201001234567",
            ),
            ("461 2345", "AG", "+12684612345"),
            ("+800 1234 5678", "", "+80012345678"),
        ];
        for (text, home, expected) in cases {
            let home = (!home.is_empty()).then_some(home);
            let found = parse(text, home);
            let expected = if expected == "!" { Err(Fault::CountryUnknown) } else { Ok(expected.to_owned()) };
            assert_eq!(found, expected, "{text} {home:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_told_apart() {
        let cases = [
            ("", "SE", Fault::Empty),
            (" - ", "SE", Fault::Empty),
            ("+", "SE", Fault::Empty),
            ("070-HELLO", "SE", Fault::NotDigits),
            ("anna@example.com", "SE", Fault::NotDigits),
            ("070+1234567", "SE", Fault::NotDigits),
            ("08-123456 x12", "SE", Fault::Extension),
            ("+46 8 123456 ext. 12", "", Fault::Extension),
            ("tel:+468123456;ext=12", "", Fault::Extension),
            ("08-123456 ankn 12", "SE", Fault::Extension),
            ("070-123 45 67", "", Fault::CountryUnknown),
            ("070-123 45 67", "AQ", Fault::CountryUnknown),
            ("+0701234567", "SE", Fault::CodeUnknown),
            ("+999 123456", "SE", Fault::CodeUnknown),
            ("+46 70 123 45 6", "", Fault::NotInPlan),
            ("0046 70 123 45 6", "", Fault::NotInPlan),
            ("070-123 45 678 9", "SE", Fault::NotInPlan),
            ("112", "SE", Fault::NotInPlan),
            ("+1 111 555 0123", "", Fault::NotInPlan),
            ("+46 70 123 45 67 890 123", "", Fault::TooLong),
            ("0701234567890123456789", "SE", Fault::TooLong),
        ];
        for (text, home, fault) in cases {
            assert_eq!(parse(text, (!home.is_empty()).then_some(home)), Err(fault), "{text} {home:?}");
        }
        assert_eq!(parse(&"1 ".repeat(1_000_000), Some("SE")), Err(Fault::TooLong));
    }

    #[test]
    fn a_prefix_tells_the_country() {
        let cases = [
            ("+46701234567", "SE"),
            ("+12125550123", "US"),
            ("+16045550123", "CA"),
            ("+18765550123", "JM"),
            ("+17875550123", "PR"),
            ("+18095550123", "DO"),
            ("+74951234567", "RU"),
            ("+79123456789", "RU"),
            ("+77012345678", "KZ"),
            ("+77172123456", "KZ"),
            ("+442079460018", "GB"),
            ("+447781123456", "GG"),
            ("+441534456789", "JE"),
            ("+447624123456", "IM"),
            ("+358412345678", "FI"),
            ("+35818123456", "AX"),
            ("+4721234567", "NO"),
            ("+4779123456", "SJ"),
            ("+390612345678", "IT"),
            ("+390669812345", "VA"),
            ("+383 ", ""),
            ("+38343201234", "XK"),
            ("+462012345", "SE"),
            ("+18005550123", ""),
            ("+80012345678", ""),
            ("+11115550123", ""),
            ("+999123", ""),
            ("46701234567", ""),
            ("+46", ""),
            ("+", ""),
            ("", ""),
        ];
        for (number, country) in cases {
            assert_eq!(country_of(number).unwrap_or(""), country, "{number}");
        }
    }
}
