//! Countries: kept as ISO 3166-1 alpha-2, understood as codes and as English or Swedish names.

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::countries::COUNTRIES;
use crate::no::{No, no};

/// The longest official name has 56 characters; longer texts aren't worth folding.
const NAME_BYTES_MAX: usize = 200;
/// More words than any country's name; a text of more isn't turned round.
const NAME_WORDS_MAX: usize = 16;
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
    match by_code(text).or_else(|| if short { by_any_name(text) } else { None }) {
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

/// By a name as it stands, or turned round as lists write it that sort by the noun.
fn by_any_name(text: &str) -> Option<&'static str> {
    let plain = plain(text);
    let folded = join(&plain);
    // Full-width letters and U.K. fold to a code.
    by_name(&folded).or_else(|| by_code(&folded)).or_else(|| turned_round(&plain))
}

/// By a folded name.
fn by_name(wanted: &str) -> Option<&'static str> {
    // Bytes, because this passes nine thousand of them: faster than by characters.
    let is_called =
        |names: &str| names.as_bytes().split(|&byte| byte == b' ').any(|name| name == wanted.as_bytes());
    COUNTRIES.iter().find(|(_, names)| is_called(names)).map(|row| row.0)
}

/// "Iran, Islamic Republic of" and "Iran (Islamic Republic of)": what comes behind the comma or the
/// bracket is said first. Exports leave both away and end in "of" or "the", when any word may be
/// the first.
fn turned_round(plain: &str) -> Option<&'static str> {
    let words: Vec<&str> = words(plain).collect();
    if words.len() < 2 || words.len() > NAME_WORDS_MAX {
        return None;
    }
    if matches!(words[words.len() - 1], "of" | "the") {
        let turn = |first: usize| by_name(&join(&[&words[first..], &words[..first]].concat().join(" ")));
        return (1..words.len()).find_map(turn);
    }
    let cuts = plain.match_indices([',', '(', '[']);
    cuts.filter_map(|(at, _)| plain.split_at_checked(at))
        .find_map(|(noun, form)| by_name(&join(&format!("{form} {noun}"))))
}

/// A name as the table writes it.
#[cfg(test)]
fn fold(text: &str) -> String {
    join(&plain(text))
}

/// Lower case, without accents, apostrophes and full stops.
fn plain(text: &str) -> String {
    let normalizer = DecomposingNormalizerBorrowed::new_nfkd();
    let plain: String = normalizer
        .normalize(text)
        .chars()
        .filter(|char| !matches!(char, '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' | '`' | '.' | ':'))
        .collect();
    plain.to_lowercase()
}

/// The words without what parts them and without those that come and go ("the", "of", "and",
/// "och"); Saint, Sankt, S:t and St. are all st, and what lists shorten is written out.
fn join(plain: &str) -> String {
    let alone = words(plain).nth(1).is_none();
    let mut folded = String::with_capacity(plain.len());
    for word in words(plain) {
        match word {
            // Alone it is Andorra's code.
            "the" | "of" | "and" | "och" if !alone => {}
            "saint" | "sankt" => folded.push_str("st"),
            "rep" if !alone => folded.push_str("republic"),
            "dem" if !alone => folded.push_str("democratic"),
            word => folded.push_str(word),
        }
    }
    folded
}

fn words(plain: &str) -> impl Iterator<Item = &str> {
    plain.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty())
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

    /// What ISO 3166-1 calls its 249 countries in English, a line each: the code, the short name,
    /// its older and inverted forms, and the full name where there is one.
    const ISO_NAMES: &str = include_str!("iso3166_names.tsv");

    fn iso_names() -> impl Iterator<Item = (&'static str, &'static str)> {
        let name_of = |line: &'static str| {
            let (code, names) = line.split_once('\t').expect("a code and names");
            names.split('\t').map(move |name| (code, name))
        };
        ISO_NAMES.lines().flat_map(name_of)
    }

    #[test]
    fn every_name_of_iso_3166_is_taken_in_both_orders() {
        assert_eq!(ISO_NAMES.lines().count(), 249);
        let mut refused = Vec::new();
        for (code, name) in iso_names() {
            for text in both_orders(name) {
                for text in [text.clone(), text.to_uppercase(), text.replace(',', ""), format!("{text} ")] {
                    if country(&text) != Ok(code) {
                        refused.push(format!("{code} {text}: {:?}", country(&text)));
                    }
                }
            }
        }
        assert!(refused.is_empty(), "{} refused:\n{}", refused.len(), refused.join("\n"));
    }

    /// The name; and "Iran, Islamic Republic of" and "Iran (the Islamic Republic of)" for
    /// "the Islamic Republic of Iran", and the other way round.
    fn both_orders(name: &str) -> Vec<String> {
        let mut forms = vec![name.to_owned()];
        let bare = name.strip_prefix("the ").unwrap_or(name);
        let inverted =
            name.strip_suffix(')').and_then(|name| name.rsplit_once(" (")).or(name.split_once(", "));
        match inverted {
            Some((noun, form)) if form.ends_with(" of") || form.ends_with(" of the") => {
                forms.push(format!("{form} {noun}"));
            }
            // "(the)", "(British)", "Bonaire, Sint Eustatius and Saba".
            Some((noun, form)) if name.ends_with(')') => forms.push(format!("{form} {noun}")),
            Some(_) => {}
            None => {
                if let Some((form, noun)) = bare.split_once(" of ").filter(|_| name.starts_with("the ")) {
                    forms.push(format!("{noun}, {form} of"));
                    forms.push(format!("{noun}, the {form} of"));
                    forms.push(format!("{noun} ({form} of)"));
                    forms.push(format!("{noun} (the {form} of)"));
                    forms.push(format!("{form} of {noun}"));
                }
            }
        }
        forms
    }

    #[test]
    fn other_lists_turn_names_round_too() {
        for (text, code) in [
            ("Gambia, The", "GM"),
            ("Korea, South", "KR"),
            ("Korea, North", "KP"),
            ("Korea, Rep.", "KR"),
            ("Korea, Dem. People's Rep.", "KP"),
            ("Korea, Dem. People’s Rep. of", "KP"),
            ("Congo, Dem. Rep.", "CD"),
            ("Congo, Rep.", "CG"),
            ("Congo (Kinshasa)", "CD"),
            ("Congo (Brazzaville)", "CG"),
            ("Egypt, Arab Rep.", "EG"),
            ("Iran, Islamic Rep.", "IR"),
            ("Iran, Islamic Republic Of", "IR"),
            ("IRAN ISLAMIC REPUBLIC OF", "IR"),
            ("Iran (Islamic Republic)", "IR"),
            ("Yemen, Rep.", "YE"),
            ("Venezuela, RB", "VE"),
            ("Micronesia, Fed. Sts.", "FM"),
            ("Lao PDR", "LA"),
            ("Hong Kong SAR, China", "HK"),
            ("Macao SAR, China", "MO"),
            ("St. Martin (French part)", "MF"),
            ("Kongo, Demokratiska republiken", "CD"),
            ("Ireland, Republic of", "IE"),
            ("Virgin Islands (US)", "VI"),
            ("Virgin Islands, British", "VG"),
            ("Macedonia, The Former Yugoslav Republic of", "MK"),
            ("Macedonia (FYROM)", "MK"),
            ("Islands, Cayman", "KY"),
            ("Emirates, United Arab", "AE"),
            ("Iran， Islamic Republic of", "IR"),
        ] {
            assert_eq!(country(text), Ok(code), "{text}");
        }
    }

    #[test]
    fn a_name_is_turned_round_only_where_it_says_so() {
        for text in [
            "land Ire",
            "Mark Den",
            "a, b, c, d, e, f, g",
            "Republic of",
            "Korea, Republic of China",
            "Republic, the",
            ", of",
            "(",
            "of the, the of",
        ] {
            assert_eq!(country(text).map_err(|no| no.code), Err("country.unknown"), "{text}");
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
