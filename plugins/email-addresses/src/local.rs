//! The part before the @.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::Fault;
use crate::typed::without_idle_joiners;

/// RFC 5321, 4.5.3.1.1, in octets.
const LOCAL_BYTES_MAX: usize = 64;
/// What is no letter or digit and may stand in a local part (RFC 5322, 3.2.3), beside the dot.
const LOCAL_SYMBOLS: &str = "!#$%&'*+-/=?^_`{|}~";

/// The local part as it is kept, and as it is compared.
pub(crate) fn read(text: &str) -> Result<(String, String), Fault> {
    let local = settled(text);
    if local.is_empty() {
        return Err(Fault::LocalMissing);
    }
    let folded = folded(&local);
    // The folded form is a local part too, and lower case can take more bytes.
    if local.len().max(folded.len()) > LOCAL_BYTES_MAX {
        return Err(Fault::LocalTooLong);
    }
    if local.starts_with('"') {
        return Err(Fault::Quoted);
    }
    if local.contains('@') {
        return Err(Fault::ManyAts);
    }
    if local.split('.').any(str::is_empty) {
        return Err(Fault::Dots);
    }
    if local.chars().all(may_stand) { Ok((local, folded)) } else { Err(Fault::LocalCharacter) }
}

/// The letters as they are compared; see the crate's documentation.
fn folded(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let lower = local.chars().flat_map(char::to_lowercase);
    let lower: String = lower.map(|char| if char == 'ς' { 'σ' } else { char }).collect();
    settled(&lower)
}

/// Composed, and without joiners that join nothing. Composing can move a mark before a joiner, so
/// that it joins nothing any more, and taking that away can let letters compose.
fn settled(text: &str) -> String {
    let mut settled = composed(text).into_owned();
    // Each round takes a joiner away or is the last.
    loop {
        let fewer = without_idle_joiners(&settled);
        if fewer == settled {
            return settled;
        }
        settled = composed(&fewer).into_owned();
    }
}

/// Canonical composition: é is one character, however the keyboard made it.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Letters of any script (RFC 6531) that somebody can see, and the few signs.
fn may_stand(char: char) -> bool {
    let seen = char.is_alphanumeric() && !is_blank_letter(char);
    char == '.' || seen || LOCAL_SYMBOLS.contains(char) || is_part_of_letter(char)
}

/// Unicode calls the fillers of Hangul letters, but nothing is drawn for them.
fn is_blank_letter(char: char) -> bool {
    matches!(char, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

/// Accents that no composed letter has taken up, and the marks and joiners that scripts of South
/// and Southeast Asia (U+0900 to U+109F) write letters with. U+034F among the accents is nothing
/// that anybody sees.
fn is_part_of_letter(char: char) -> bool {
    matches!(char,
        '\u{300}'..='\u{34e}' | '\u{350}'..='\u{36f}' | '\u{900}'..='\u{109f}' | '\u{200c}' | '\u{200d}')
}
