//! Values as a guest hands them over: turned into the vocabulary's, and checked while that is done.

use crate::refusal::RefusalCode;
use crate::vocabulary::text::is_refused;
use crate::vocabulary::{Decimal, Timestamp, Type, Value};

/// A value as a guest hands it over: of a known type, and anything inside.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Unicode text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A double, finite or not.
    Number(f64),
    /// A decimal, as text.
    Decimal(String),
    /// True or false.
    Boolean(bool),
    /// A moment: milliseconds since 1970, UTC.
    Timestamp(i64),
    /// A date, as text: `YYYY-MM-DD`.
    Date(String),
    /// A list of strings.
    Texts(Vec<String>),
    /// JSON text.
    Json(String),
}

/// A property of an event that a guest emits.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenProperty {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Given,
}

/// Why a value can't be taken: a stable code and the rest of a sentence that starts with the
/// name of what it was meant for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Objection {
    pub(crate) code: RefusalCode,
    pub(crate) reason: String,
}

impl Objection {
    fn new(code: RefusalCode, reason: impl Into<String>) -> Objection {
        Objection { code, reason: reason.into() }
    }

    fn malformed(reason: &'static str) -> Objection {
        Objection::new(RefusalCode::ValueMalformed, reason)
    }
}

/// The given value, if it is of that type, well-formed and not larger than `bytes_max`.
pub(crate) fn take(given: Given, wanted: Type, bytes_max: u64) -> Result<Value, Objection> {
    let found = kind(&given);
    if found != wanted {
        return Err(Objection::new(RefusalCode::ValueType, format!("takes a {wanted}, not a {found}")));
    }
    let bytes = size(&given);
    if bytes > bytes_max {
        return Err(Objection::new(
            RefusalCode::ValueTooLarge,
            format!("takes at most {bytes_max} bytes, this has {bytes}"),
        ));
    }
    match given {
        Given::Text(text) => printable(&text).map(|()| Value::Text(text)),
        Given::Texts(texts) => {
            texts.iter().try_for_each(|text| printable(text))?;
            Ok(Value::Texts(texts))
        }
        Given::Integer(number) => Ok(Value::Integer(number)),
        Given::Boolean(boolean) => Ok(Value::Boolean(boolean)),
        Given::Number(number) if number.is_finite() => Ok(Value::Number(number)),
        Given::Number(_) => Err(Objection::new(RefusalCode::ValueNotFinite, "takes a finite number")),
        // What others couldn't read would stop them.
        Given::Decimal(text) => Decimal::parse(&text)
            .filter(Decimal::fits_a_plug_in)
            .map(Value::Decimal)
            .ok_or(Objection::malformed("takes a decimal number such as 12.50, of at most 28 digits")),
        Given::Timestamp(millis) => Timestamp::from_millis(millis)
            .map(Value::Timestamp)
            .ok_or(Objection::malformed("takes a time in the years 0000 to 9999")),
        Given::Date(text) => text
            .parse()
            .map(Value::Date)
            .map_err(|_| Objection::malformed("takes a date of the calendar, YYYY-MM-DD")),
        Given::Json(text) => json(text),
    }
}

/// A guest's message for people: shortened to `bytes_max`, without control characters that could
/// play tricks on a terminal.
pub fn message(text: &str, bytes_max: usize) -> String {
    let shortened = &text[..text.floor_char_boundary(bytes_max)];
    if printable(shortened).is_ok() {
        return shortened.to_owned();
    }
    // The replacement takes as many bytes as it needs; what goes over is cut once more.
    let mut cleaned: String = shortened
        .chars()
        .map(|letter| if is_refused(letter) { char::REPLACEMENT_CHARACTER } else { letter })
        .collect();
    cleaned.truncate(cleaned.floor_char_boundary(bytes_max));
    cleaned
}

fn kind(given: &Given) -> Type {
    match given {
        Given::Text(_) => Type::Text,
        Given::Integer(_) => Type::Integer,
        Given::Number(_) => Type::Number,
        Given::Decimal(_) => Type::Decimal,
        Given::Boolean(_) => Type::Boolean,
        Given::Timestamp(_) => Type::Timestamp,
        Given::Date(_) => Type::Date,
        Given::Texts(_) => Type::Texts,
        Given::Json(_) => Type::Json,
    }
}

fn size(given: &Given) -> u64 {
    let bytes = match given {
        Given::Text(text) | Given::Decimal(text) | Given::Date(text) | Given::Json(text) => text.len(),
        // As Value::size counts: an empty text in a list isn't free.
        Given::Texts(texts) => texts.iter().map(|text| text.len() + 4).sum(),
        Given::Integer(_) | Given::Number(_) | Given::Boolean(_) | Given::Timestamp(_) => 8,
    };
    bytes as u64
}

fn printable(text: &str) -> Result<(), Objection> {
    // Plain ASCII, which most strings are, is settled byte by byte.
    let plain = text.bytes().all(|byte| (b' '..0x7F).contains(&byte));
    if plain || !text.contains(is_refused) {
        return Ok(());
    }
    let reason = "takes no control characters but line feed and tab";
    Err(Objection::new(RefusalCode::ValueControlCharacters, reason))
}

fn json(text: String) -> Result<Value, Objection> {
    let value = Value::Json(text);
    // What others couldn't read, or would read as something else, would stop them.
    if value.is_readable() {
        return Ok(value);
    }
    let reason = "takes JSON text, nested at most 127 deep, with no key twice in an object and no number beyond a \
                  double's range";
    Err(Objection::malformed(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES_MAX: u64 = 32;

    fn code(given: Given, wanted: Type) -> &'static str {
        take(given, wanted, BYTES_MAX).expect_err("must be refused").code.as_str()
    }

    #[test]
    fn what_is_wrong_has_a_code() {
        let text = |text: &str| text.to_owned();
        assert_eq!(code(Given::Text(text("12")), Type::Integer), "value.type");
        assert_eq!(code(Given::Integer(12), Type::Decimal), "value.type");
        assert_eq!(code(Given::Number(f64::NAN), Type::Number), "value.not-finite");
        assert_eq!(code(Given::Number(f64::NEG_INFINITY), Type::Number), "value.not-finite");
        assert_eq!(code(Given::Decimal(text("twelve")), Type::Decimal), "value.malformed");
        for long in ["9".repeat(29), format!("0.{}", "1".repeat(29)), "1".repeat(32)] {
            assert_eq!(code(Given::Decimal(long), Type::Decimal), "value.malformed");
        }
        assert_eq!(code(Given::Date(text("2026-02-30")), Type::Date), "value.malformed");
        assert_eq!(code(Given::Timestamp(i64::MAX), Type::Timestamp), "value.malformed");
        assert_eq!(code(Given::Json(text("{")), Type::Json), "value.malformed");
        assert_eq!(code(Given::Text("a".repeat(33)), Type::Text), "value.too-large");
        assert_eq!(code(Given::Texts(vec![String::new(); 9]), Type::Texts), "value.too-large");
        for bad in ["a\0", "\u{1b}[2J", "a\r\n", "\u{85}", "\u{7f}"] {
            assert_eq!(code(Given::Text(text(bad)), Type::Text), "value.control-characters", "{bad:?}");
            assert_eq!(code(Given::Texts(vec![text(bad)]), Type::Texts), "value.control-characters");
        }
    }

    #[test]
    fn what_is_right_is_taken_as_it_is_or_in_its_canonical_form() {
        let taken = |given, wanted| take(given, wanted, BYTES_MAX).expect("must be taken");
        let decimal = Value::Decimal(Decimal::parse("12.5").unwrap());
        assert_eq!(taken(Given::Decimal("+012.50".to_owned()), Type::Decimal), decimal);
        // A third of ten, and the largest: what the SDK's decimal can come to.
        for digits in ["3.3333333333333333333333333333", "79228162514264337593543950335"] {
            let decimal = Value::Decimal(Decimal::parse(digits).unwrap());
            assert_eq!(taken(Given::Decimal(digits.to_owned()), Type::Decimal), decimal);
        }
        assert_eq!(taken(Given::Text("Å\n\tb".to_owned()), Type::Text), Value::Text("Å\n\tb".to_owned()));
        assert_eq!(taken(Given::Json("[1]".to_owned()), Type::Json), Value::Json("[1]".to_owned()));
    }

    #[test]
    fn a_message_is_shortened_at_a_letter_and_cleaned() {
        assert_eq!(message("åäö", 3), "å");
        assert_eq!(message("a\u{1b}[2J", 16), "a\u{fffd}[2J");
        assert!(message(&"\0".repeat(100), 16).len() <= 16);
    }
}
