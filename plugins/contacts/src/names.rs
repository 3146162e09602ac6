//! Names as a service desk writes them: one box, mixed case, no titles.

use crate::{EMPTY, No};

/// Longer than any name on a passport.
const NAME_CHARS_MAX: usize = 100;
/// Titles that letters begin with and names don't, without their dot.
const TITLES: [&str; 10] = ["dr", "fr", "frau", "fru", "herr", "hr", "mr", "mrs", "ms", "prof"];
/// Words that belong to the last name and stay small.
const PARTICLES: [&str; 12] =
    ["af", "av", "da", "de", "del", "della", "den", "der", "di", "van", "von", "zu"];

/// A first name or a last name.
pub(crate) fn one(text: &str) -> Result<String, No> {
    let words = words(text)?;
    Ok(words.join(" "))
}

/// A whole name: first names, and the last name when there is more than one word. A comma says
/// which is which; else particles begin the last name, and without them it is the last word.
pub(crate) fn whole(text: &str) -> Result<(String, Option<String>), No> {
    if let Some((last, first)) = text.split_once(',') {
        return Ok((one(first)?, Some(one(last)?)));
    }
    let words = words(text)?;
    let is_particle = |word: &String| PARTICLES.contains(&word.to_lowercase().as_str());
    let particle = words.iter().position(is_particle).filter(|at| *at > 0 && *at + 1 < words.len());
    let at = particle.unwrap_or(words.len() - 1).max(1);
    let (first, last) = words.split_at(at);
    Ok((first.join(" "), Some(last.join(" ")).filter(|last| !last.is_empty())))
}

/// The words of a name, in mixed case and without a title in front: at least one.
fn words(text: &str) -> Result<Vec<String>, No> {
    let text = text.trim();
    if text.is_empty() {
        return Err(EMPTY);
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(("contact.name", "A name can have at most 100 characters."));
    }
    if text.contains(|char: char| char.is_control() || char.is_ascii_digit() || "@<>{}/\\".contains(char)) {
        return Err(("contact.name", "A name has no digits, addresses, markup or line breaks in it."));
    }
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let is_title = |word: &str| TITLES.contains(&word.trim_end_matches('.').to_lowercase().as_str());
    // Somebody may be called Dr: a title is one only in front of a name.
    while words.len() > 1 && is_title(words[0]) {
        words.remove(0);
    }
    if !words.iter().any(|word| word.chars().any(char::is_alphabetic)) {
        return Err(("contact.name", "A name needs at least one letter."));
    }
    let joined = words.join(" ");
    let one_case = joined.to_uppercase() == joined || joined.to_lowercase() == joined;
    Ok(words.into_iter().map(|word| if one_case { mixed(word) } else { word.to_owned() }).collect())
}

/// A word that was shouted or whispered: its parts begin with a capital, particles don't.
fn mixed(word: &str) -> String {
    let small = word.to_lowercase();
    if PARTICLES.contains(&small.as_str()) {
        return small;
    }
    let mut begins = true;
    let mut mixed = String::with_capacity(word.len());
    for char in small.chars() {
        // ß has no capital of its own: it stays.
        let capital = Some(char.to_uppercase()).filter(|capital| begins && capital.len() == 1);
        mixed.extend(capital.and_then(|mut capital| capital.next()).or(Some(char)));
        begins = matches!(char, '-' | '\'' | '\u{2019}');
    }
    mixed
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
            let (found, rest) = whole(text).unwrap();
            assert_eq!((found.as_str(), rest.as_deref()), (first, last), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(2_001);
        for (text, code) in [
            (" ", "contact.empty"),
            ("Anna 2", "contact.name"),
            ("anna@example.com", "contact.name"),
            ("<b>", "contact.name"),
            ("--", "contact.name"),
            ("Anna\nBcc", "contact.name"),
            ("\u{115f}", "contact.empty"),
            ("\u{3164} \u{ffa0}", "contact.empty"),
            ("\u{200b}", "contact.empty"),
            ("\u{2800}", "contact.empty"),
            ("\u{e0041}\u{fe0f}", "contact.empty"),
            ("\u{13441}", "contact.empty"),
            ("\u{345}", "contact.name"),
            ("🅰\u{fe0f}", "contact.name"),
            ("😀", "contact.name"),
            (&long, "contact.name"),
        ] {
            assert_eq!(one(text).map_err(|no| no.0), Err(code), "{text}");
        }
        assert_eq!(whole("Berg, ").map_err(|no| no.0), Err("contact.empty"));
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
