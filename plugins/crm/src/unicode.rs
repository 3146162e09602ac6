//! What every field wants of Unicode: one form, and nothing invisible.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Canonical composition: é is one character, however the keyboard made it.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Marks that steer direction or join nothing: copying leaves them behind, nobody sees them, and
/// two values that look alike would differ. The joiners U+200C and U+200D aren't among them,
/// because Persian and Indic spelling needs them.
pub(crate) fn is_stray_mark(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Spaces at the ends and stray marks anywhere removed.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches(|char: char| char.is_whitespace() || is_stray_mark(char));
    if text.is_ascii() || !text.contains(is_stray_mark) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|&char| !is_stray_mark(char)).collect())
}
