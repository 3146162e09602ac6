//! What typing, copying and linking put around an address.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use visible_text::is_stray_mark;

/// More than any address with its link and marks around it; longer text isn't worth a copy.
const TYPED_BYTES_MAX: usize = 8192;

/// Ordinary letters for full-width ones, without invisible marks and joiners that join nothing.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    let text = text.trim_matches(|char: char| char.is_whitespace() || is_stray_mark(char));
    if text.is_ascii() || text.len() > TYPED_BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let mut tidy = String::with_capacity(text.len());
    for char in text.chars().filter(|&char| !is_stray_mark(char)) {
        match char {
            '\u{ff01}'..='\u{ffee}' => tidy.push_str(&ordinary_width(char)),
            _ => tidy.push(char),
        }
    }
    Cow::Owned(without_idle_joiners(&tidy))
}

/// Joiners shape the letters of Arabic and Indic scripts, of Khmer and Mongolian. After any other
/// they join nothing, and nobody sees them.
pub(crate) fn without_idle_joiners(text: &str) -> String {
    let joins = |before: char| matches!(before, '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{18af}');
    let mut kept = String::with_capacity(text.len());
    for char in text.chars() {
        let is_joiner = matches!(char, '\u{200c}' | '\u{200d}');
        if !is_joiner || kept.chars().next_back().is_some_and(joins) {
            kept.push(char);
        }
    }
    kept
}

/// The compatibility form, for characters that differ from it in width only.
fn ordinary_width(char: char) -> String {
    let mut utf8 = [0; char::MAX_LEN_UTF8];
    ComposingNormalizerBorrowed::new_nfkc().normalize(char.encode_utf8(&mut utf8)).into_owned()
}

/// The address inside a link or the brackets of a header.
pub(crate) fn bare(text: &str) -> Cow<'_, str> {
    let text = unbracketed(text);
    let (scheme, rest) = text.split_at_checked("mailto:".len()).unwrap_or(("", text));
    if !scheme.eq_ignore_ascii_case("mailto:") {
        return Cow::Borrowed(text);
    }
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    // Subject and body; a ? of the address itself is written %3F there (RFC 6068).
    let address = rest.split_once('?').map_or(rest, |(address, _)| address);
    match percent_decoded(address) {
        Some(address) => Cow::Owned(unbracketed(&tidy(&address)).to_owned()),
        None => Cow::Borrowed(unbracketed(address)),
    }
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text).trim()
}

/// None when there is nothing to decode, or no text comes of it.
fn percent_decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    if bytes.len() == text.len() {
        return None;
    }
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
