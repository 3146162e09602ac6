//! What stands behind a name and is none: Jr, III, PhD.

/// What nobody is called, as it is written, without full stops and hyphens.
const SUFFIXES: [&str; 56] = [
    "Jr", "Jnr", "Junr", "Sr", "Snr", "Esq", "Esquire", // generations and rank
    "II", "III", "IV", "VII", "VIII", "IX", "XII", "XIII", "XIV", "XV", "XVI", "XVIII", // numerals
    "PhD", "DPhil", "MPhil", "EdD", "PsyD", "PharmD", "DrPH", "DSc", "ScD", "ThD", "DDiv", // doctors
    "MSc", "BSc", "MEng", "BEng", "MEd", "LLB", "LLM", "LLD", "MPH", "MFA", "BFA", "DiplIng", // degrees
    "DDS", "DMD", "DVM", "DNP", "MBBS", "MBChB", "CPA", "CFA", "PMP", // professions
    "OBE", "MBE", "CBE", "KBE", "DBE", // honours
];
/// Degrees and orders that people are called too, or whose letters are initials (Md, Mba, J.D.).
const DEGREES: [&str; 19] = [
    "MD", "DO", "MA", "BA", "MS", "BS", "JD", "RN", "PE", "MBA", "KC", "QC", "SJ", "OP", "OSB", "OFM", "AM",
    "VC", "RA",
];
/// Those of them that are written in capitals as last names are in some countries: Jack MA.
const LAST_NAMES: [&str; 6] = ["DO", "MA", "BA", "OP", "AM", "RA"];
/// Capitals of at least as many letters aren't initials, behind a whole name.
const CAPITALS_MIN: usize = 3;

/// How sure a text is to be a suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    /// It is a name.
    No,
    /// It is one when something else is the first name.
    Likely,
    /// It is one.
    Yes,
}

/// How sure all of these words are suffixes. `one_case`: the whole text is shouted or
/// whispered, so that capitals say nothing.
pub(crate) fn sure(words: &[&str], one_case: bool) -> Sure {
    match words {
        [] => Sure::Yes,
        [word, rest @ ..] if of_word(word, one_case) > Sure::No => {
            of_word(word, one_case).min(sure(rest, one_case))
        }
        // "Ph. D."
        [first, second, rest @ ..] if is_known(&format!("{first}{second}")) => sure(rest, one_case),
        _ => Sure::No,
    }
}

/// Where the suffixes begin that end a name without a comma; after the last word when there are
/// none. The first word is always a name.
pub(crate) fn begin(words: &[&str], one_case: bool) -> usize {
    let is_last_name = |word: &str| LAST_NAMES.contains(&letters(word).as_str());
    let all = |at: &usize| {
        let behind_two = *at > 1 || words[*at..].iter().all(|word| is_known(word));
        sure(&words[*at..], one_case) == Sure::Yes && behind_two && !is_last_name(words[*at])
    };
    (1..words.len()).find(all).unwrap_or(words.len())
}

/// Whether it is a monarch's numeral rather than a degree.
pub(crate) fn is_numeral(word: &str) -> bool {
    letters(word).bytes().all(|byte| b"IVX".contains(&byte)) && is_known(word)
}

/// The word with the capitals that a suffix has; none for what is no sure suffix.
pub(crate) fn spelt(word: &str) -> Option<String> {
    let mut known = suffix(word)?.chars();
    let spell = |char: char| if char.is_alphabetic() { known.next().unwrap_or(char) } else { char };
    Some(word.chars().map(spell).collect())
}

fn of_word(word: &str, one_case: bool) -> Sure {
    let letters = letters(word);
    let capitals = letters.chars().all(|char| char.is_ascii_uppercase()) && !letters.is_empty();
    let dotted = word.contains('.');
    if is_known(word) || word == "M.D." {
        Sure::Yes
    } else if DEGREES.iter().any(|degree| degree.eq_ignore_ascii_case(&letters)) && (capitals || one_case) {
        if one_case || dotted { Sure::Likely } else { Sure::Yes }
    } else if capitals && !one_case && letters.len() >= CAPITALS_MIN && !dotted {
        Sure::Likely
    } else {
        Sure::No
    }
}

fn is_known(word: &str) -> bool {
    suffix(word).is_some()
}

fn suffix(word: &str) -> Option<&'static str> {
    let letters = letters(word);
    SUFFIXES.into_iter().find(|suffix| suffix.eq_ignore_ascii_case(&letters))
}

/// Without full stops, hyphens and a comma at its end.
fn letters(word: &str) -> String {
    word.chars().filter(|char| !matches!(char, '.' | '-' | ',')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_told_from_names() {
        for (text, one_case, expected) in [
            ("PhD", false, Sure::Yes),
            ("Ph.D.", false, Sure::Yes),
            ("Ph. D.", false, Sure::Yes),
            ("PHD", true, Sure::Yes),
            ("Jr. MD", false, Sure::Yes),
            ("Dipl.-Ing.", false, Sure::Yes),
            ("MD", false, Sure::Yes),
            ("MD", true, Sure::Likely),
            ("M.A.", false, Sure::Likely),
            ("CISSP", false, Sure::Likely),
            ("Md", false, Sure::No),
            ("Anna", false, Sure::No),
            ("ANNA", true, Sure::No),
            ("Anna PhD", false, Sure::No),
            ("J.", false, Sure::No),
            (".", false, Sure::No),
        ] {
            let words: Vec<&str> = text.split_whitespace().collect();
            assert_eq!(sure(&words, one_case), expected, "{text}");
        }
    }

    #[test]
    fn each_suffix_is_known_by_its_own_spelling_alone() {
        for text in SUFFIXES {
            assert_eq!(spelt(&text.to_uppercase()).as_deref(), Some(text));
            assert_eq!(spelt(&text.to_lowercase()).as_deref(), Some(text));
            assert!(!DEGREES.contains(&text));
        }
        assert_eq!(spelt("PH.D.").as_deref(), Some("Ph.D."));
        assert!(LAST_NAMES.iter().all(|name| DEGREES.contains(name)));
    }
}
