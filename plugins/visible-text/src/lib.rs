//! What a reader can see of a text.
//!
//! ```
//! use visible_text::{has_letter, is_blank};
//!
//! assert!(has_letter("王"));
//! // A Hangul filler is a letter to Unicode, and nothing to the eye.
//! assert!("\u{3164}".chars().all(is_blank) && !has_letter("\u{3164}"));
//! ```
//!
//! It follows Unicode's properties, so that it knows the characters of all scripts and those that
//! no version of Unicode has assigned yet.

#![warn(missing_docs)]

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Whether the character is one that displays as nothing by Unicode's
/// `Default_Ignorable_Code_Point`: joiners, direction marks, variation selectors, tags, Hangul
/// fillers. Beside other characters it may still mean something.
pub fn is_ignorable(char: char) -> bool {
    !char.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(char)
}

/// Whether the character leaves nothing to see: spaces, what [`is_ignorable`], and the few that
/// are drawn as empty room.
pub fn is_blank(char: char) -> bool {
    char.is_whitespace() || is_empty_room(char) || is_ignorable(char)
}

/// Characters that Unicode counts as signs or letters and describes as blank: the braille cell
/// without dots, the null notehead, and the blanks between hieroglyphs.
pub fn is_empty_room(char: char) -> bool {
    matches!(char, '\u{2800}' | '\u{1d159}' | '\u{13441}' | '\u{13442}')
}

/// Marks that steer direction or join nothing: copying leaves them behind, nobody sees them, and two
/// values that look alike would differ. The joiners U+200C and U+200D aren't among them, because Persian
/// and Indic spelling needs them.
pub fn is_stray_mark(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Whether there is a letter to see: of any script, or a numeral written as one, such as Ⅳ and
/// 〇. Marks without a letter, signs, emoji and digits are none.
pub fn has_letter(text: &str) -> bool {
    text.chars().any(is_letter)
}

fn is_letter(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphabetic();
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(char);
    let letter = GeneralCategoryGroup::Letter.contains(category) || category == GeneralCategory::LetterNumber;
    letter && !is_blank(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_all_scripts_are_seen() {
        for text in ["a", "É", "ß", "王", "〇", "Ⅳ", "א", "م", "ก", "က", "क", "한", "ა", "𠮷", "ʻ", "ꞌ", "𞤀"]
        {
            assert!(has_letter(text) && !text.chars().all(is_blank), "{text}");
        }
    }

    #[test]
    fn what_is_blank_is_no_letter_and_marks_are_none() {
        for char in '\0'..=char::MAX {
            let category = CodePointMapData::<GeneralCategory>::new().get(char);
            let mark = GeneralCategoryGroup::Mark.contains(category);
            assert!(!is_letter(char) || !(is_blank(char) || mark), "{char:?}");
        }
    }

    #[test]
    fn blanks_are_those_that_show_nothing() {
        for char in [
            ' ',
            '\t',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2065}',
            '\u{206a}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff0}',
            '\u{1bca0}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e01ef}',
            '\u{e0fff}',
        ] {
            assert!(is_blank(char), "{:x}", u32::from(char));
        }
        // An unknown character shows as a box, the replacement character as a question mark.
        for char in ['-', '.', '1', '\u{301}', '\u{378}', '\u{e000}', '\u{fffd}', '\u{600}', '😀'] {
            assert!(!is_blank(char) && !is_letter(char), "{:x}", u32::from(char));
        }
    }
}
