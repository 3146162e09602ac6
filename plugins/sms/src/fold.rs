//! One form of what reads the same.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Full-width and mathematical letters become plain ones, capitals small, accents go, and so does
/// what nobody sees. Many leave accents out in text messages, and carriers do it for them.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Small letters before the accents go: the small form of İ has one.
    let small = DecomposingNormalizerBorrowed::new_nfkd().normalize(text).to_lowercase();
    let mut plain = String::with_capacity(small.len());
    for char in DecomposingNormalizerBorrowed::new_nfkd().normalize(&small).chars() {
        match char {
            // Letters whose accent is part of them in Unicode, and that people write without.
            'ø' => plain.push('o'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ß' => plain.push_str("ss"),
            'đ' | 'ð' => plain.push('d'),
            'ł' => plain.push('l'),
            'ı' => plain.push('i'),
            _ if is_invisible(char) => {}
            _ => plain.push(char),
        }
    }
    // Korean syllables and the marks of other scripts, together again.
    ComposingNormalizerBorrowed::new_nfc().normalize(&plain).into_owned()
}

/// Accents, zero-width and direction marks, fillers, and what makes a character an emoji.
fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{300}'..='\u{36f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' | '\u{e0000}'..='\u{e01ef}'
    )
}
