//! First and last names.
//!
//! A name is what its bearer says it is. Spaces are tidied and equal spellings made equal;
//! letter case stays, also when all of it is capitals, because no rule gets d'Arc, von der Leyen,
//! McLeod, IJsbrand and VAN right. What is refused can't be a name, or would do harm in a greeting.

use visible_text::{has_letter, is_blank, is_empty_room, is_ignorable};

use crate::no::{No, no};
use crate::unicode::{nfc, tidy};

/// Almost twice the longest on record: a birth certificate with a first name of 1,019 letters and a
/// second one of 36. Passports cut at 39 (ICAO 9303) and forms at less; people are called what
/// they are called. Beyond it is a text in the wrong box.
const NAME_CHARS_MAX: usize = 2_000;
/// More marks on one letter than any orthography has; beyond it is graffiti.
const MARKS_MAX: usize = 4;

/// The name as it is kept.
pub(crate) fn name(text: &str) -> Result<String, No> {
    let text = tidy(text);
    if text.chars().all(is_blank) {
        return no("name.empty", "A name needs at least one letter; send null to remove it.");
    }
    if text.len() > NAME_CHARS_MAX * char::MAX_LEN_UTF8 || text.chars().count() > NAME_CHARS_MAX {
        return no("name.too-long", "A name can have at most 2000 characters.");
    }
    if text.chars().any(char::is_control) {
        return no("name.invalid", "A name can't contain line breaks, tabs or other control characters.");
    }
    if text.contains('@') {
        return no("name.invalid", "This is an e-mail address or a handle, not a name.");
    }
    if is_link(&text) {
        return no("name.invalid", "A name can't contain a web address.");
    }
    if let Some(_markup) = text.chars().find(|char| "<>{}[]|\\^=~".contains(*char)) {
        return no("name.invalid", "A name can't contain any of < > { } [ ] | \\ ^ = ~.");
    }
    // Composed twice: some signs are an apostrophe only when composed, and a letter and its accent
    // may only meet once a joiner between them is gone.
    let name = nfc(&one_spelling(&nfc(&text))).into_owned();
    if !has_letter(&name) {
        return no("name.invalid", "A name needs at least one letter.");
    }
    if marks_run(&name) > MARKS_MAX {
        return no("name.invalid", "This name has too many accents on one letter.");
    }
    Ok(name)
}

fn is_link(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("://") || text.starts_with("www.")
}

/// One apostrophe, one hyphen, single spaces, nothing that only a program sees: O’Brien and
/// O'Brien are one name. The Hawaiian okina and the modifier apostrophe are letters and stay.
fn one_spelling(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut parted = false;
    for char in text.chars() {
        let char = match char {
            char if is_filler(char) || (is_ignorable(char) && (parted || !takes_ignorable(&name))) => {
                continue;
            }
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{b4}' | '\u{ff07}' | '`' => '\'',
            '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{ff0d}' => '-',
            char => char,
        };
        if char.is_whitespace() || is_empty_room(char) {
            parted = true;
            continue;
        }
        // Not before the first word, nor after the last.
        if parted && !name.is_empty() {
            name.push(' ');
        }
        parted = false;
        name.push(char);
    }
    name
}

/// Whether a joiner or a variation selector says something here: after a visible character of the
/// Arabic, Indic and later blocks, ideographs among them. After a Latin, Greek or Cyrillic one it
/// would make two names that look alike, and a second one in a row only hides something.
fn takes_ignorable(name: &str) -> bool {
    name.chars().next_back().is_some_and(|last| last >= '\u{600}' && !is_ignorable(last))
}

/// Letters without a form, which keyboards for modern Korean don't write.
fn is_filler(char: char) -> bool {
    matches!(char, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

/// The longest run of the marks that stack without end.
fn marks_run(name: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for char in name.chars() {
        run = if matches!(char, '\u{300}'..='\u{36f}') { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_as_their_bearers_write_them() {
        for text in [
            "Anna",
            "d'Arc",
            "von der Leyen",
            "O'Brien-Smith",
            "JÖRGENSEN",
            "de la Cruz y García",
            "X",
            "王",
            "李小龙",
            "محمد",
            "علی\u{200c}رضا",
            "Nguyễn",
            "Æsa-Þóra",
            "McLeod",
            "Martin Luther King Jr.",
            "Wilhelm 3",
            "Kawena\u{2bb}ula",
            "Null",
            "Anna & Per",
            "Louis XIV",
            "X Æ A-12",
            "O",
            "J. R. R. Tolkien",
            "Berg, PhD",
            "Berg, MD, PhD",
            "DE LA CRUZ",
            "Sukarno",
            "None",
            // Marks are part of letters in many scripts.
            "مُحَمَّد",
            "שָׂרָה",
            "สมชาย ใจดี",
            "น้ำผึ้ง",
            "အောင်ဆန်းစုကြည်",
            "क्षितिज",
            "ශ්\u{200d}රී",
            "അവന്\u{200d}",
            // A variant of one ideograph, as a family register has it; Mongolian vowels.
            "葛\u{e0100}城",
            "ᠮᠣᠩᠭᠣᠯ\u{180b}",
            // Numerals that are a name.
            "〇",
            "Zoë 😀",
        ] {
            assert_eq!(name(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn long_names_are_names() {
        // As long as the longest first name on a birth certificate, and the second name behind it.
        let longest = format!("{} {}", "R".repeat(1_019), "K".repeat(36));
        // All of Picasso's first names, some of a Brazilian emperor's.
        let picasso = "Pablo Diego José Francisco de Paula Juan Nepomuceno María de los Remedios Cipriano de la \
            Santísima Trinidad";
        let pedro = "Pedro de Alcântara João Carlos Leopoldo Salvador Bibiano Francisco Xavier de Paula Leocádio \
            Miguel Gabriel Rafael Gonzaga";
        for text in [longest.as_str(), picasso, pedro, &"å".repeat(101), &"ẵ".repeat(2_000)] {
            assert_eq!(name(text).as_deref(), Ok(text), "{}", text.chars().count());
        }
    }

    #[test]
    fn equal_names_are_spelt_equally() {
        for (text, expected) in [
            ("  Anna ", "Anna"),
            ("Anna\u{a0} \u{3000}Maria", "Anna Maria"),
            ("O\u{2019}Brien", "O'Brien"),
            ("Anna\u{2010}Karin", "Anna-Karin"),
            ("A\u{30a}sa", "Åsa"),
            ("\u{feff}Anna\u{200e}", "Anna"),
            ("An\u{200b}na", "Anna"),
            ("An\u{200d}na", "Anna"),
            ("Anna\r\n", "Anna"),
            ("O\u{201b}Brien", "O'Brien"),
            ("O\u{2032}Brien", "O'Brien"),
            ("O\u{ff07}Brien", "O'Brien"),
            // Nobody sees them, so with and without is one name.
            ("\u{3164}Anna\u{115f}", "Anna"),
            ("An\u{1160}na", "Anna"),
            ("김\u{ffa0}철수", "김철수"),
            ("Anna\u{fe0f}", "Anna"),
            ("An\u{34f}na", "Anna"),
            ("Anna\u{e0041}\u{e0042}", "Anna"),
            ("Anna\u{2800}\u{2800}Berg\u{2800}", "Anna Berg"),
            ("王\u{e0041}\u{e0042}\u{e0043}", "王\u{e0041}"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn a_name_that_is_kept_is_kept_again() {
        for text in [
            "An\u{1160}na",
            "王\u{e0041}\u{e0042}",
            "\u{2800}O\u{2032}Brien",
            "葛\u{e0100}城",
            "علی\u{200c}رضا",
        ] {
            let kept = name(text).unwrap();
            assert_eq!(name(&kept).as_deref(), Ok(kept.as_str()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let graffiti = format!("A{}", "\u{330}".repeat(9));
        let long = "a".repeat(2_001);
        let huge = "a".repeat(1_000_000);
        for (text, code) in [
            ("", "name.empty"),
            (" \t\n", "name.empty"),
            ("\u{200b}", "name.empty"),
            (&long, "name.too-long"),
            (&huge, "name.too-long"),
            ("Anna\nBcc: all", "name.invalid"),
            ("An\u{0}na", "name.invalid"),
            ("anna@example.com", "name.invalid"),
            ("https://win.example", "name.invalid"),
            ("WWW.win.example", "name.invalid"),
            ("<b>Anna</b>", "name.invalid"),
            ("{{first_name}}", "name.invalid"),
            ("0701234567", "name.invalid"),
            ("12 34", "name.invalid"),
            ("-", "name.invalid"),
            ("...", "name.invalid"),
            (&graffiti, "name.invalid"),
            // Nothing to see.
            ("\u{115f}", "name.empty"),
            ("\u{1160}", "name.empty"),
            ("\u{3164}", "name.empty"),
            ("\u{3164} \u{3164}", "name.empty"),
            ("\u{ffa0}", "name.empty"),
            ("\u{115f}\u{1160}", "name.empty"),
            ("\u{200b}\u{200c}\u{200d}", "name.empty"),
            ("\u{200e}\u{2060}\u{feff}", "name.empty"),
            ("\u{2800}", "name.empty"),
            ("\u{34f}", "name.empty"),
            ("\u{fe0f}", "name.empty"),
            ("\u{e0100}", "name.empty"),
            ("\u{e0041}\u{e007f}", "name.empty"),
            ("\u{180e}", "name.empty"),
            ("\u{180b}", "name.empty"),
            ("\u{17b4}\u{17b5}", "name.empty"),
            ("\u{2061}\u{2065}", "name.empty"),
            ("\u{13441}\u{13442}", "name.empty"),
            ("\u{1d159}", "name.empty"),
            ("\u{fff0}", "name.empty"),
            // To see, but no letter: marks alone, signs, emoji, what is unassigned or private.
            ("\u{301}", "name.invalid"),
            ("\u{345}", "name.invalid"),
            ("\u{64b}\u{5b0}", "name.invalid"),
            ("\u{e31}\u{103b}", "name.invalid"),
            ("😀", "name.invalid"),
            ("👩\u{200d}👩\u{200d}👧", "name.invalid"),
            ("🅰\u{fe0f}🅱\u{fe0f}", "name.invalid"),
            ("🇸🇪", "name.invalid"),
            ("1\u{fe0f}\u{20e3}", "name.invalid"),
            ("\u{378}", "name.invalid"),
            ("\u{e000}", "name.invalid"),
            ("\u{fffd}\u{fffd}", "name.invalid"),
            ("\u{2800}-\u{3164}", "name.invalid"),
        ] {
            let start: String = text.chars().take(20).collect();
            assert_eq!(name(text).map_err(|no| no.code), Err(code), "{start:?}");
        }
    }
}
