//! Names as a service desk writes them: one box, mixed case, no titles.

use visible_text::{has_letter, is_blank};

use crate::suffixes::{self, Sure};
use crate::{EMPTY, No};

/// Almost twice the longest on a birth certificate; beyond it is a text in the wrong box.
const NAME_CHARS_MAX: usize = 2_000;
/// Titles that letters begin with and names don't, without their dot.
const TITLES: [&str; 10] = ["dr", "fr", "frau", "fru", "herr", "hr", "mr", "mrs", "ms", "prof"];
/// Words that belong to the last name and stay small.
const PARTICLES: [&str; 18] = [
    "af", "av", "da", "das", "de", "del", "della", "den", "der", "des", "di", "dos", "du", "ten", "ter",
    "van", "von", "zu",
];
/// Words that stay small behind "de".
const ARTICLES: [&str; 4] = ["la", "las", "le", "los"];
/// What parts last name, first name and suffixes on keyboards of several scripts.
const COMMAS: [char; 3] = [',', '\u{60c}', '\u{ff0c}'];

/// A whole name in its parts; at least one of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parted {
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
}

/// A first name or a last name.
pub(crate) fn one(text: &str) -> Result<String, No> {
    Ok(words(text)?.join(" "))
}

/// A whole name: first names, and the last name when there is more than one word. A comma says
/// which is which; else particles begin the last name, and without them it is the last word. A
/// suffix such as Jr. or PhD stays behind the last name, wherever it stood.
pub(crate) fn whole(text: &str) -> Result<Parted, No> {
    check(text)?;
    let one_case = is_one_case(text);
    let mut parts = text.split(COMMAS).map(str::trim);
    let start = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    // What a last comma leaves behind is nothing, but "Berg," lacks the first name it announces.
    if start.is_empty() || rest.first().is_some_and(|part| part.is_empty()) {
        return Err(EMPTY);
    }
    let (names, after) = names_and_suffixes(start, &rest, one_case);
    let (first, last, behind) = if names.is_empty() {
        let parted = without_comma(start, one_case, !rest.is_empty())?;
        (parted.first, parted.last, None)
    } else {
        let (given, suffix) = given(&names, one_case)?;
        (Some(given), Some(one(start)?), suffix)
    };
    let mut last = last.unwrap_or_default();
    for suffix in behind.into_iter().chain(after.iter().map(|part| spelt(part, one_case))) {
        last = format!("{last}, {suffix}");
    }
    Ok(Parted { first, last: Some(last).filter(|last| !last.is_empty()) })
}

/// What stands behind commas: first names, and suffixes. Titles are neither.
fn names_and_suffixes<'a>(start: &str, rest: &[&'a str], one_case: bool) -> (Vec<&'a str>, Vec<&'a str>) {
    let parts =
        rest.iter().copied().filter(|part| !part.is_empty() && !part.split_whitespace().all(is_title));
    let sure: Vec<(&str, Sure)> = parts
        .map(|part| (part, suffixes::sure(&part.split_whitespace().collect::<Vec<_>>(), one_case)))
        .collect();
    let named = sure.iter().any(|(_, sure)| *sure == Sure::No);
    let start: Vec<&str> = start.split_whitespace().skip_while(|word| is_title(word)).collect();
    let whole = start.len() > 1 && !is_particle(start[0]);
    let is_suffix = |sure: Sure| sure == Sure::Yes || (sure == Sure::Likely && (named || whole));
    let (suffixes, names): (Vec<_>, Vec<_>) = sure.into_iter().partition(|(_, sure)| is_suffix(*sure));
    let texts = |parts: Vec<(&'a str, Sure)>| parts.into_iter().map(|(text, _)| text).collect();
    (texts(names), texts(suffixes))
}

/// First names as they stood behind commas, and a suffix that stood behind them in turn.
fn given(names: &[&str], one_case: bool) -> Result<(String, Option<String>), No> {
    let text = names.join(", ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let (names, suffix) = words.split_at(suffixes::begin(&words, one_case));
    let suffix = Some(spelt(&suffix.join(" "), one_case)).filter(|suffix| !suffix.is_empty());
    Ok((one(&names.join(" "))?, suffix))
}

/// First names before the last one. A single word is a first name; it is a last name when a
/// suffix stands behind it, unless that is a monarch's numeral.
fn without_comma(text: &str, one_case: bool, suffix_follows: bool) -> Result<Parted, No> {
    let words = words(text)?;
    let plain: Vec<&str> = words.iter().map(String::as_str).collect();
    let (names, suffix) = plain.split_at(suffixes::begin(&plain, one_case));
    let joined = |words: &[&str]| Some(words.join(" ")).filter(|text| !text.is_empty());
    if let [_] = names {
        let monarch = suffix.iter().all(|word| suffixes::is_numeral(word)) && !suffix_follows;
        let whole = joined(&plain);
        return Ok(if monarch {
            Parted { first: whole, last: None }
        } else {
            Parted { first: None, last: whole }
        });
    }
    let announced = suffix_follows && is_particle(names[0]);
    let particle = names.iter().position(|word| is_particle(word));
    let particle = particle.filter(|at| *at > 0 && *at + 1 < names.len());
    let at = if announced { 0 } else { particle.unwrap_or(names.len() - 1) };
    let last = [&names[at..], suffix].concat();
    Ok(Parted { first: joined(&names[..at]), last: joined(&last) })
}

/// A suffix as it is kept.
fn spelt(text: &str, one_case: bool) -> String {
    let words = text.split_whitespace();
    let spelt = |word: &str| suffixes::spelt(word).filter(|_| one_case).unwrap_or_else(|| word.to_owned());
    words.map(spelt).collect::<Vec<_>>().join(" ")
}

fn check(text: &str) -> Result<(), No> {
    if text.chars().all(is_blank) {
        return Err(EMPTY);
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(("card.name", "A name can have at most 2000 characters."));
    }
    if text
        .trim()
        .contains(|char: char| char.is_control() || char.is_ascii_digit() || "@<>{}/\\".contains(char))
    {
        return Err(("card.name", "A name has no digits, addresses, markup or line breaks in it."));
    }
    Ok(())
}

/// The words of a name, in mixed case and without a title in front: at least one.
fn words(text: &str) -> Result<Vec<String>, No> {
    check(text)?;
    let mut words: Vec<&str> = text.split_whitespace().collect();
    // Somebody may be called Dr: a title is one only in front of a name.
    while words.len() > 1 && is_title(words[0]) {
        words.remove(0);
    }
    let joined = words.join(" ");
    if !has_letter(&joined) {
        return Err(("card.name", "A name needs at least one letter."));
    }
    if !is_one_case(&joined) {
        return Ok(words.into_iter().map(str::to_owned).collect());
    }
    let last = words.len() - 1;
    let stays_small = |at: usize| {
        let after_de = at > 0 && words[at - 1].eq_ignore_ascii_case("de");
        let article = || ARTICLES.contains(&words[at].to_lowercase().as_str());
        at < last && (is_particle(words[at]) || (after_de && article()))
    };
    let word = |(at, word): (usize, &&str)| if stays_small(at) { word.to_lowercase() } else { mixed(word) };
    Ok(words.iter().enumerate().map(word).collect())
}

fn is_title(word: &str) -> bool {
    TITLES.contains(&word.trim_end_matches('.').to_lowercase().as_str())
}

fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word.to_lowercase().as_str())
}

/// Shouted, whispered, or in a script without capitals.
fn is_one_case(text: &str) -> bool {
    text.to_uppercase() == text || text.to_lowercase() == text
}

/// A word that was shouted or whispered: its parts begin with a capital, a suffix is written as
/// suffixes are.
fn mixed(word: &str) -> String {
    if let Some(suffix) = suffixes::spelt(word) {
        return suffix;
    }
    let small = word.to_lowercase();
    let mut begins = true;
    let mut mixed = String::with_capacity(word.len());
    for char in small.chars() {
        // ß has no capital of its own: it stays. Georgian has one, for whole words only.
        let capital =
            Some(char.to_uppercase()).filter(|capital| begins && capital.len() == 1 && !is_georgian(char));
        mixed.extend(capital.and_then(|mut capital| capital.next()).or(Some(char)));
        begins = matches!(char, '-' | '.' | '\'' | '\u{2019}' | '\u{2bc}');
    }
    mixed
}

fn is_georgian(char: char) -> bool {
    matches!(char, '\u{10d0}'..='\u{10ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shouting_and_whispering_become_mixed_case_and_nothing_else_does() {
        for (text, kept) in [
            ("ANNA", "Anna"),
            ("anna-karin", "Anna-Karin"),
            ("O'BRIEN", "O'Brien"),
            ("McLeod", "McLeod"),
            ("von Essen", "von Essen"),
            ("VON ESSEN", "von Essen"),
            ("  Anna   Maria ", "Anna Maria"),
            ("Dr. Anna", "Anna"),
            ("Dr", "Dr"),
            ("ÅSA", "Åsa"),
            ("王", "王"),
            ("DE LA CRUZ", "de la Cruz"),
            ("DOS SANTOS", "dos Santos"),
            ("TER STEGEN", "ter Stegen"),
            ("VON", "Von"),
            ("ANH VAN", "Anh Van"),
            ("LOUIS XIV", "Louis XIV"),
            ("berg, phd", "Berg, PhD"),
            ("KING JR.", "King Jr."),
            ("J.R.R. TOLKIEN", "J.R.R. Tolkien"),
            ("O\u{2bc}BRIEN", "O\u{2bc}Brien"),
            ("ანა", "ანა"),
            ("محمد", "محمد"),
            ("သန်း", "သန်း"),
            ("NULL", "Null"),
        ] {
            assert_eq!(one(text).as_deref(), Ok(kept), "{text}");
        }
    }

    #[test]
    fn a_whole_name_is_parted_into_two() {
        for (text, first, last) in [
            ("Anna von Essen", "Anna", Some("von Essen")),
            ("von Essen, Anna", "Anna", Some("von Essen")),
            ("Anna Karin Berg", "Anna Karin", Some("Berg")),
            ("FRU ANNA BERG", "Anna", Some("Berg")),
            ("Anna", "Anna", None),
            ("de Gaulle", "de", Some("Gaulle")),
        ] {
            let parted = whole(text).unwrap();
            assert_eq!((parted.first.as_deref(), parted.last.as_deref()), (Some(first), last), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(2_001);
        for (text, code) in [
            (" ", "card.empty"),
            ("Anna 2", "card.name"),
            ("anna@example.com", "card.name"),
            ("<b>", "card.name"),
            ("--", "card.name"),
            ("Anna\nBcc", "card.name"),
            ("\u{115f}", "card.empty"),
            ("\u{3164} \u{ffa0}", "card.empty"),
            ("\u{200b}", "card.empty"),
            ("\u{2800}", "card.empty"),
            ("\u{e0041}\u{fe0f}", "card.empty"),
            ("\u{13441}", "card.empty"),
            ("\u{345}", "card.name"),
            ("🅰\u{fe0f}", "card.name"),
            ("😀", "card.name"),
            (&long, "card.name"),
        ] {
            assert_eq!(one(text).map_err(|no| no.0), Err(code), "{text}");
        }
        assert_eq!(whole("Berg, ").map_err(|no| no.0), Err("card.empty"));
    }

    #[test]
    fn long_names_are_names() {
        for length in [101, 150, 747, 1_056, 2_000] {
            let text = format!("A{}", "a".repeat(length - 1));
            assert_eq!(one(&text).as_deref(), Ok(text.as_str()), "{length}");
        }
    }

    #[test]
    fn what_is_kept_is_kept_again() {
        for text in [
            "ANNA",
            "von essen",
            "McLeod",
            "Dr. Dr Anna",
            "ΣΊΣΥΦΟΣ",
            "ǆ",
            "ß",
            "LOUIS XIV",
            "BERG, PH.D.",
            "VAN",
        ] {
            let kept = one(text).unwrap();
            assert_eq!(one(&kept).as_deref(), Ok(kept.as_str()), "{text}");
        }
    }
}
