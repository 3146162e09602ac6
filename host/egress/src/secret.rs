//! A value that nobody may read by accident.

use std::sync::Arc;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::headers;

/// A secret's text. It has no `Debug`, `Display` or `Serialize`, so that no log, error or trace can hold it, and its
/// memory is cleared when the last copy is gone.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes the text.
    pub fn new(text: String) -> Secret {
        Secret(Arc::new(Zeroizing::new(text)))
    }

    /// The text, for the bytes of a request.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Can it stand in a header? A line break at its end, the usual mistake, is found here and not by an error that
    /// prints the header.
    pub fn fits_a_header(&self) -> bool {
        !self.0.is_empty() && headers::check_value(&self.0).is_some()
    }
}

/// The characters that most encoders leave as they are.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What stands where a secret stood.
pub const SCRUBBED: &[u8] = b"[secret]";
/// Shorter texts aren't searched for: they would be found everywhere.
const NEEDLE_MIN: usize = 6;

/// Takes secrets out of bytes that leave the connector: error texts, an answer's headers and body.
pub trait Scrub: Send + Sync {
    /// The same bytes without secrets.
    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8>;
}

/// Scrubs nothing.
pub struct NoScrub;

impl Scrub for NoScrub {
    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

/// The spellings of one endpoint's own secrets: as they are, in base64, in hex and percent-encoded.
#[derive(Clone, Default)]
pub struct Needles(Vec<Zeroizing<Vec<u8>>>);

impl Needles {
    /// The spellings of these secrets.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Needles {
        let mut needles = Needles::default();
        for secret in secrets {
            needles.add(secret.expose());
        }
        needles
    }

    /// These and those.
    pub(crate) fn and(mut self, others: &Needles) -> Needles {
        self.0.extend(others.0.iter().cloned());
        self.0.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        self
    }

    /// Adds the spellings of one more.
    pub fn add(&mut self, secret: &str) {
        let bytes = secret.as_bytes();
        let mut add = |needle: Vec<u8>| {
            if needle.len() >= NEEDLE_MIN && !self.0.iter().any(|known| **known == needle) {
                self.0.push(Zeroizing::new(needle));
            }
        };
        add(bytes.to_vec());
        add(HEXLOWER.encode(bytes).into_bytes());
        add(HEXUPPER.encode(bytes).into_bytes());
        // With and without the unreserved characters, digits of both cases.
        for set in [NON_ALPHANUMERIC, UNRESERVED] {
            let encoded = utf8_percent_encode(secret, set).to_string();
            add(lower_escapes(&encoded).into_bytes());
            add(encoded.into_bytes());
        }
        add(BASE64.encode(bytes).into_bytes());
        // Inside a longer text a secret begins at any of three places of base64's groups. What depends on its
        // neighbours is left out: the characters that hold bits of theirs.
        for before in 0..3 {
            let padded: Vec<u8> = [vec![0; before], bytes.to_vec()].concat();
            let skipped = [0, 2, 3][before];
            let whole = padded.len() / 3 * 4;
            for text in [BASE64_NOPAD.encode(&padded), BASE64URL_NOPAD.encode(&padded)] {
                add(text.as_bytes().get(skipped..whole).unwrap_or_default().to_vec());
            }
        }
        // The longest first: a shorter one may be part of it.
        self.0.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }
}

impl Scrub for Needles {
    fn scrub(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter().fold(bytes, |bytes, needle| replace(bytes, needle))
    }
}

/// `%2F` as `%2f`.
fn lower_escapes(encoded: &str) -> String {
    let mut left = 0;
    let lower = |character: char| {
        left = if character == '%' { 2 } else { i32::max(left - 1, -1) };
        if left >= 0 { character.to_ascii_lowercase() } else { character }
    };
    encoded.chars().map(lower).collect()
}

fn replace(bytes: Vec<u8>, needle: &[u8]) -> Vec<u8> {
    let mut found = memchr::memmem::find_iter(&bytes, needle).peekable();
    if found.peek().is_none() {
        return bytes;
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in found {
        kept.extend_from_slice(&bytes[from..at]);
        kept.extend_from_slice(SCRUBBED);
        from = at + needle.len();
    }
    kept.extend_from_slice(&bytes[from..]);
    kept
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};

    use proptest::prelude::*;

    use super::*;
    use crate::auth::Credentials;
    use crate::target::Target;

    /// `<T>::SHOWS` is the inherent constant where `T` has the trait, and the general one where it hasn't.
    trait Silent {
        const SHOWS: bool = false;
    }
    impl<T> Silent for T {}
    struct DebugOf<T>(T);
    impl<T: Debug> DebugOf<T> {
        const SHOWS: bool = true;
    }
    struct DisplayOf<T>(T);
    impl<T: Display> DisplayOf<T> {
        const SHOWS: bool = true;
    }

    #[test]
    fn what_holds_a_secret_cannot_be_printed() {
        // What can be printed is found out.
        const { assert!(<DebugOf<String>>::SHOWS && <DisplayOf<String>>::SHOWS) };
        const { assert!(!<DebugOf<Secret>>::SHOWS && !<DisplayOf<Secret>>::SHOWS) };
        const { assert!(!<DebugOf<Needles>>::SHOWS) };
        const { assert!(!<DebugOf<Credentials>>::SHOWS) };
        const { assert!(!<DebugOf<Target>>::SHOWS) };
    }

    #[test]
    fn a_secret_with_a_line_break_is_found_out() {
        assert!(Secret::new("abc-DEF.123".to_owned()).fits_a_header());
        for text in ["", "abc\n", "abc\r\n", "a\0b", " abc", "caf\u{e9}", "a\tb"] {
            assert!(!Secret::new(text.to_owned()).fits_a_header(), "{text:?}");
        }
    }

    #[test]
    fn every_spelling_is_scrubbed() {
        let secret = "s3cr3t/+key?~value";
        let needles = Needles::of([&Secret::new(secret.to_owned())]);
        let basic = BASE64.encode(format!("user:{secret}").as_bytes());
        for text in [
            format!("before {secret} after {secret}{secret}"),
            BASE64.encode(secret.as_bytes()),
            BASE64URL_NOPAD.encode(secret.as_bytes()),
            format!("Basic {basic}"),
            BASE64URL_NOPAD.encode(format!("xx{secret}yy").as_bytes()),
            HEXLOWER.encode(secret.as_bytes()),
            HEXUPPER.encode(secret.as_bytes()),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            utf8_percent_encode(secret, UNRESERVED).to_string(),
            "k=s3cr3t%2f%2Bkey%3f~value".replace("%2B", "%2b"),
        ] {
            let scrubbed = String::from_utf8(needles.scrub(text.clone().into_bytes())).unwrap();
            assert!(scrubbed.contains("[secret]"), "{text} -> {scrubbed}");
            assert!(!scrubbed.contains(secret), "{text} -> {scrubbed}");
        }
        let clean = b"nothing of it".to_vec();
        assert_eq!(needles.scrub(clean.clone()), clean);
    }

    proptest! {
        /// Of a secret that stands anywhere, also within base64 of something longer, nothing is left.
        #[test]
        fn nothing_is_left(secret in "[a-zA-Z0-9_-]{12,40}", before in "[ -~]{0,9}", after in "[ -~]{0,9}") {
            let needles = Needles::of([&Secret::new(secret.clone())]);
            let long = format!("{before}{secret}{after}");
            let kept = needles.scrub(long.clone().into_bytes());
            prop_assert!(!String::from_utf8_lossy(&kept).contains(&secret));
            let encoded = BASE64.encode(long.as_bytes());
            let kept = needles.scrub(encoded.clone().into_bytes());
            prop_assert_ne!(kept, encoded.into_bytes());
        }
    }
}
