//! What every field wants of Unicode: one form, and nothing invisible.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use visible_text::is_stray_mark;

/// Canonical composition: é is one character, however the keyboard made it.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Spaces at the ends and stray marks anywhere removed.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches(|char: char| char.is_whitespace() || is_stray_mark(char));
    if text.is_ascii() || !text.contains(is_stray_mark) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|&char| !is_stray_mark(char)).collect())
}
