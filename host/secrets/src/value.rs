//! The value of a secret: the only type that holds one, so that nothing can print it by mistake.

use zeroize::Zeroizing;

/// The longest value, in bytes: a chain of certificates with its key fits in.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The value of a secret. It is overwritten with zeros when it is dropped.
///
/// It has no `Debug`, `Display` or `Serialize`, so that no log, error or answer can have it:
///
/// ```compile_fail
/// # let value = samsyn_secrets::SecretValue::new(b"hunter2".to_vec()).ok().unwrap();
/// println!("{value:?}");
/// ```
///
/// ```compile_fail
/// # let value = samsyn_secrets::SecretValue::new(b"hunter2".to_vec()).ok().unwrap();
/// println!("{value}");
/// ```
///
/// ```compile_fail
/// fn is_written(_: &impl serde::Serialize) {}
/// # let value = samsyn_secrets::SecretValue::new(b"hunter2".to_vec()).ok().unwrap();
/// is_written(&value);
/// ```
///
/// Whoever needs it says so:
///
/// ```
/// let value = samsyn_secrets::SecretValue::new(b"hunter2".to_vec()).ok().unwrap();
/// assert_eq!(value.expose(), "hunter2");
/// ```
pub struct SecretValue(Zeroizing<String>);

/// Why bytes can't be a secret's value. It says nothing of what they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// There are none.
    #[error("it is empty")]
    Empty,
    /// There are too many.
    #[error("it has {bytes} bytes; at most {} are allowed", VALUE_BYTES_MAX)]
    TooLong {
        /// How many, as far as they were counted.
        bytes: usize,
    },
    /// They are no text.
    #[error("it is not UTF-8 text, from byte {at} on")]
    NotText {
        /// The first byte that isn't, counted from 0.
        at: usize,
    },
    /// A line feed at the end, as editors and `echo` write it.
    #[error("it ends with a line feed")]
    LineFeedAtEnd,
    /// White space at one end.
    #[error("it {end} with white space")]
    WhiteSpaceAtEnd {
        /// `begins` or `ends`.
        end: &'static str,
    },
    /// A control character in it.
    #[error("it has a control character at byte {at}")]
    Control {
        /// Where, counted from 0.
        at: usize,
    },
}

impl ValueError {
    /// What to do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            ValueError::Empty => "give the value",
            ValueError::TooLong { .. } => {
                "check that this is the right file: no token or password is so long"
            }
            ValueError::NotText { .. } => {
                "encode a binary key, for example with base64, as the system that takes it expects it"
            }
            ValueError::LineFeedAtEnd | ValueError::WhiteSpaceAtEnd { .. } => {
                "write it without white space around it, for example with `printf %s`, or let `samsyn secret set --trim` remove it"
            }
            ValueError::Control { .. } => {
                "check that this is the value alone: a secret is one line of text, without tabs and line breaks"
            }
        }
    }
}

/// What editors put before a text and nobody sees.
const BYTE_ORDER_MARK: char = '\u{feff}';

fn is_space(is: char) -> bool {
    is.is_whitespace() || is == BYTE_ORDER_MARK
}

impl SecretValue {
    /// Checks the bytes and makes them a value. They are overwritten when they can't be one.
    pub fn new(bytes: Vec<u8>) -> Result<SecretValue, ValueError> {
        let mut bytes = Zeroizing::new(bytes);
        check(&bytes)?;
        // Checked as UTF-8 just now.
        let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            drop(Zeroizing::new(error.into_bytes()));
            ValueError::NotText { at }
        })?;
        Ok(SecretValue(Zeroizing::new(text)))
    }

    /// The same without white space around it.
    pub fn trimmed(bytes: Vec<u8>) -> Result<SecretValue, ValueError> {
        let bytes = Zeroizing::new(bytes);
        match std::str::from_utf8(&bytes) {
            Ok(text) => SecretValue::new(text.trim_matches(is_space).as_bytes().to_vec()),
            Err(error) => Err(ValueError::NotText { at: error.valid_up_to() }),
        }
    }

    /// The value itself. It must go where the secret is used, and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same, in a time that doesn't tell where they differ.
    pub fn is_same(&self, other: &SecretValue) -> bool {
        let (one, other) = (self.0.as_bytes(), other.0.as_bytes());
        let differ = one.iter().zip(other).fold(0, |differ, (one, other)| differ | (one ^ other));
        one.len() == other.len() && std::hint::black_box(differ) == 0
    }
}

fn check(bytes: &[u8]) -> Result<(), ValueError> {
    if bytes.is_empty() {
        return Err(ValueError::Empty);
    }
    if bytes.len() > VALUE_BYTES_MAX {
        return Err(ValueError::TooLong { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ValueError::NotText { at: error.valid_up_to() })?;
    if text.ends_with('\n') {
        return Err(ValueError::LineFeedAtEnd);
    }
    for (end, is) in [("begins", text.chars().next()), ("ends", text.chars().next_back())] {
        if is.is_some_and(is_space) {
            return Err(ValueError::WhiteSpaceAtEnd { end });
        }
    }
    match text.char_indices().find(|(_, is)| is.is_control()) {
        Some((at, _)) => Err(ValueError::Control { at }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> ValueError {
        SecretValue::new(bytes.to_vec()).err().unwrap_or_else(|| panic!("{bytes:?} is taken"))
    }

    #[test]
    fn what_editors_and_shells_add_is_refused_and_said() {
        for (bytes, expected) in [
            (&b""[..], ValueError::Empty),
            (b"\n", ValueError::LineFeedAtEnd),
            (b"hunter2\n", ValueError::LineFeedAtEnd),
            (b"hunter2\r\n", ValueError::LineFeedAtEnd),
            (b"hunter2\r", ValueError::WhiteSpaceAtEnd { end: "ends" }),
            (b"hunter2 ", ValueError::WhiteSpaceAtEnd { end: "ends" }),
            (b"\thunter2", ValueError::WhiteSpaceAtEnd { end: "begins" }),
            ("\u{a0}hunter2".as_bytes(), ValueError::WhiteSpaceAtEnd { end: "begins" }),
            ("\u{feff}hunter2".as_bytes(), ValueError::WhiteSpaceAtEnd { end: "begins" }),
            (b"hun\nter2", ValueError::Control { at: 3 }),
            (b"hun\0ter2", ValueError::Control { at: 3 }),
            (b"hun\x7fter2", ValueError::Control { at: 3 }),
            ("hun\u{85}ter2".as_bytes(), ValueError::Control { at: 3 }),
            (b"hun\xffter2", ValueError::NotText { at: 3 }),
            (&[b'a'; VALUE_BYTES_MAX + 1], ValueError::TooLong { bytes: VALUE_BYTES_MAX + 1 }),
        ] {
            let error = error(bytes);
            assert_eq!(error, expected, "{bytes:?}");
            assert!(!error.next_step().is_empty());
            let said = format!("{error} {error:?} {}", error.next_step());
            assert!(!said.contains("hun"), "{said}");
        }
        for taken in ["a", "correct horse battery staple", "p\u{e4}ss", "=+/%\"\\"] {
            assert_eq!(SecretValue::new(taken.as_bytes().to_vec()).ok().unwrap().expose(), taken);
        }
        assert!(SecretValue::new(vec![b'a'; VALUE_BYTES_MAX]).is_ok());
    }

    #[test]
    fn trimming_takes_what_is_around_a_value_and_nothing_of_it() {
        let trimmed = |text: &str| SecretValue::trimmed(text.as_bytes().to_vec());
        assert_eq!(trimmed("\u{feff}  a b\r\n\n").ok().unwrap().expose(), "a b");
        assert_eq!(trimmed(" \n").err(), Some(ValueError::Empty));
        assert_eq!(trimmed("a\nb\n").err(), Some(ValueError::Control { at: 1 }));
    }

    #[test]
    fn values_are_compared_whole() {
        let value = |text: &str| SecretValue::new(text.as_bytes().to_vec()).ok().unwrap();
        assert!(value("abc").is_same(&value("abc")));
        for other in ["abd", "bbc", "ab", "abcd"] {
            assert!(!value("abc").is_same(&value(other)), "{other}");
        }
    }
}
