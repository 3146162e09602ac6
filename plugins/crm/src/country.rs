//! Countries: kept as ISO 3166-1 alpha-2, understood as codes and as English or Swedish names.

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::countries::COUNTRIES;
use crate::no::{No, no};

/// The longest official name has 56 characters; longer texts aren't worth folding.
const NAME_BYTES_MAX: usize = 200;
/// Two-letter codes in use that aren't the ISO code: the United Kingdom's own, and the EU's for
/// Greece.
const OTHER_CODES: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

/// The country's alpha-2 code.
pub(crate) fn country(text: &str) -> Result<&'static str, No> {
    let text = text.trim();
    if text.is_empty() {
        return no("country.empty", "The country is empty; send null to remove it.");
    }
    let short = text.len() <= NAME_BYTES_MAX;
    match by_code(text).or_else(|| short.then(|| fold(text)).and_then(|name| by_name(&name))) {
        Some(code) => Ok(code),
        None => no(
            "country.unknown",
            "No country is called this; use its ISO code such as SE, or its English or Swedish name.",
        ),
    }
}

fn by_code(text: &str) -> Option<&'static str> {
    if text.len() != 2 || !text.is_ascii() {
        return None;
    }
    let code = text.to_ascii_uppercase();
    let row =
        COUNTRIES.binary_search_by_key(&code.as_str(), |row| row.0).ok().map(|index| COUNTRIES[index].0);
    row.or_else(|| OTHER_CODES.iter().find(|(other, _)| *other == code).map(|(_, iso)| *iso))
}

/// By a folded name; full-width letters and U.K. fold to a code.
fn by_name(wanted: &str) -> Option<&'static str> {
    // Bytes, because this passes eight thousand of them: faster than by characters.
    let is_called =
        |names: &str| names.as_bytes().split(|&byte| byte == b' ').any(|name| name == wanted.as_bytes());
    let named = COUNTRIES.iter().find(|(_, names)| is_called(names));
    named.map(|row| row.0).or_else(|| by_code(wanted))
}

/// A name as the table writes it: lower case, without accents, punctuation, spaces and the words
/// that come and go ("the", "of", "and", "och"); Saint, Sankt, S:t and St. are all st.
pub(crate) fn fold(text: &str) -> String {
    let normalizer = DecomposingNormalizerBorrowed::new_nfkd();
    let plain: String = normalizer
        .normalize(text)
        .chars()
        .filter(|char| !matches!(char, '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' | '`' | '.' | ':'))
        .collect();
    let plain = plain.to_lowercase();
    let words = || plain.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    let alone = words().nth(1).is_none();
    let mut folded = String::with_capacity(plain.len());
    for word in words() {
        match word {
            // Alone it is Andorra's code.
            "the" | "of" | "and" | "och" if !alone => {}
            "saint" | "sankt" => folded.push_str("st"),
            word => folded.push_str(word),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_country_has_many_names() {
        for (text, code) in [
            ("SE", "SE"),
            (" se ", "SE"),
            ("swe", "SE"),
            ("AND", "AD"),
            ("Sweden", "SE"),
            ("SVERIGE", "SE"),
            ("UK", "GB"),
            ("GBR", "GB"),
            ("United Kingdom", "GB"),
            ("The United Kingdom", "GB"),
            ("Storbritannien", "GB"),
            ("England", "GB"),
            ("EL", "GR"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("U.K.", "GB"),
            ("United States of America", "US"),
            ("Förenta Staterna", "US"),
            ("Österrike", "AT"),
            ("O\u{308}sterrike", "AT"),
            ("Osterrike", "AT"),
            ("Åland", "AX"),
            ("Côte d'Ivoire", "CI"),
            ("Côte d\u{2019}Ivoire", "CI"),
            ("Ivory Coast", "CI"),
            ("Elfenbenskusten", "CI"),
            ("Trinidad and Tobago", "TT"),
            ("Trinidad & Tobago", "TT"),
            ("Trinidad och Tobago", "TT"),
            ("Saint Lucia", "LC"),
            ("St. Lucia", "LC"),
            ("S:t Lucia", "LC"),
            ("Türkiye", "TR"),
            ("Turkey", "TR"),
            ("Holland", "NL"),
            ("Czech Republic", "CZ"),
            ("Hongkong", "HK"),
            ("Kosovo", "XK"),
            ("ＳＥ", "SE"),
            ("Island", "IS"),
        ] {
            assert_eq!(country(text), Ok(code), "{text}");
        }
    }

    #[test]
    fn what_is_no_country_is_refused() {
        let long = "Sweden ".repeat(100_000);
        for text in ["XX", "ZZ", "EU", "Atlantis", "Swedn", "46", "S", "the", "of", "-", "\u{0}", &long] {
            assert_eq!(country(text).map_err(|no| no.code), Err("country.unknown"), "{}", text.len());
        }
        assert_eq!(country("  ").map_err(|no| no.code), Err("country.empty"));
    }

    #[test]
    fn the_table_is_sorted_and_every_name_is_one_country_s() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut names = HashSet::new();
        for name in COUNTRIES.iter().flat_map(|row| row.1.split(' ')) {
            assert!(names.insert(name), "{name}");
            assert_eq!(fold(name), name);
        }
        assert!(
            OTHER_CODES.iter().all(|(other, iso)| by_code(iso) == Some(iso) && by_code(other) == Some(iso))
        );
    }
}
