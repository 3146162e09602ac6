//! Removes values of secrets from bytes that come from outside: peers repeat what they were sent, in answers and
//! in errors.
//!
//! A value is found as it is, percent-encoded (`%2F`, `+`), with the escapes of JSON (`\"`, `\u002f`), as
//! hexadecimal digits, and as base64 of both alphabets, also inside a longer text that was encoded with it, such
//! as `user:password`. What only a computation gives back, such as a value encrypted, reversed or cut to pieces,
//! isn't found.

use std::borrow::Cow;
use std::sync::Arc;

use data_encoding::BASE64;
use samsyn_vocabulary::SecretName;
use zeroize::Zeroizing;

use crate::value::SecretValue;

/// Fewer characters of base64 than this are found everywhere: three bytes of a text.
const BASE64_CHARS_MIN: usize = 5;

/// Removes the values it was made of.
#[derive(Default)]
pub struct Scrub {
    /// The longest values first: one may stand in another.
    values: Vec<Wanted>,
}

struct Wanted {
    /// What stands in its place: `[secret crm_token]`.
    instead: String,
    value: Arc<SecretValue>,
    /// What of its base64 doesn't depend on what is encoded before and behind it, for each place in a group of
    /// three.
    base64: Vec<Zeroizing<String>>,
}

impl Scrub {
    /// One for these values.
    pub fn of(values: impl IntoIterator<Item = (SecretName, Arc<SecretValue>)>) -> Scrub {
        let wanted = |(name, value): (SecretName, Arc<SecretValue>)| Wanted {
            instead: format!("[secret {name}]"),
            base64: (0..3).filter_map(|before| core(value.expose(), before)).collect(),
            value,
        };
        let mut values: Vec<Wanted> = values.into_iter().map(wanted).collect();
        values.sort_by_key(|wanted| std::cmp::Reverse(wanted.value.expose().len()));
        Scrub { values }
    }

    /// The bytes with each value replaced by `[secret NAME]`. What is cut first may end within a value that isn't
    /// recognised then: so scrub before you cut, and have [`Scrub::longest`] bytes more than you keep.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut scrubbed: Option<Vec<u8>> = None;
        let (mut at, mut kept) = (0, 0);
        while at < bytes.len() {
            let Some((length, instead)) = self.at(bytes, at) else {
                at += 1;
                continue;
            };
            let out = scrubbed.get_or_insert_with(Vec::new);
            out.extend_from_slice(&bytes[kept..at]);
            out.extend_from_slice(instead.as_bytes());
            at += length;
            kept = at;
        }
        match scrubbed {
            None => Cow::Borrowed(bytes),
            Some(mut out) => {
                out.extend_from_slice(&bytes[kept..]);
                Cow::Owned(out)
            }
        }
    }

    /// The same of a text.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Values are text, and so is what stands in their place.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The most bytes that one value takes, however it is written.
    pub fn longest(&self) -> usize {
        // `\u00e4` has six bytes for each.
        self.values.first().map_or(0, |wanted| wanted.value.expose().len() * 6)
    }

    /// The value that begins here, and how many bytes it takes.
    fn at(&self, bytes: &[u8], at: usize) -> Option<(usize, &str)> {
        self.values.iter().find_map(|wanted| {
            let value = wanted.value.expose();
            let rest = &bytes[at..];
            let found = written(rest, value).or_else(|| hexadecimal(rest, value.as_bytes()));
            let found = found.or_else(|| wanted.base64.iter().find_map(|core| base64(rest, core)));
            found.map(|length| (length, wanted.instead.as_str()))
        })
    }
}

/// How many bytes a value takes at the beginning of these: each of its bytes as it is, or encoded.
fn written(bytes: &[u8], value: &str) -> Option<usize> {
    let by_bytes = value.bytes().try_fold(0, |at, wanted| Some(at + unit(&bytes[at..], wanted)?));
    // JSON escapes characters, and percent-encoding bytes.
    by_bytes.or_else(|| if value.is_ascii() { None } else { escaped(bytes, value) })
}

/// How many bytes stand for this one.
fn unit(bytes: &[u8], wanted: u8) -> Option<usize> {
    match bytes {
        [b'\\', b'u', b'0', b'0', high, low, ..]
            if pair(*high, *low) == Some(wanted) && wanted.is_ascii() =>
        {
            Some(6)
        }
        [b'%', high, low, ..] if pair(*high, *low) == Some(wanted) => Some(3),
        [b'\\', next, ..] if *next == wanted && matches!(wanted, b'"' | b'\\' | b'/' | b'\'') => Some(2),
        [b'+', ..] if wanted == b' ' => Some(1),
        [is, ..] if *is == wanted => Some(1),
        _ => None,
    }
}

/// How many bytes a value takes whose characters may be escaped as `\u00e4`, or a pair of these.
fn escaped(bytes: &[u8], value: &str) -> Option<usize> {
    let mut at = 0;
    for wanted in value.chars() {
        let mut units = [0; 2];
        let mut whole = [0; 4];
        let rest = &bytes[at..];
        let units = wanted.encode_utf16(&mut units);
        let as_units = units.iter().enumerate().all(|(number, unit)| {
            let text = rest.get(6 * number..6 * number + 6);
            text.and_then(|text| text.strip_prefix(b"\\u")).is_some_and(|digits| {
                std::str::from_utf8(digits).is_ok_and(|digits| u16::from_str_radix(digits, 16) == Ok(*unit))
            })
        });
        let whole = wanted.encode_utf8(&mut whole).as_bytes();
        at += match as_units {
            true => 6 * units.len(),
            false if wanted.is_ascii() => unit(rest, whole[0])?,
            false => rest.starts_with(whole).then_some(whole.len())?,
        };
    }
    Some(at)
}

fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |is: u8| char::from(is).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn hexadecimal(bytes: &[u8], value: &[u8]) -> Option<usize> {
    let digits = bytes.get(..2 * value.len())?;
    let same =
        digits.chunks_exact(2).zip(value).all(|(digits, wanted)| pair(digits[0], digits[1]) == Some(*wanted));
    same.then_some(digits.len())
}

/// What of a value's base64 is the same whatever stands behind it, when so many bytes stand before it in its
/// group of three.
fn core(value: &str, before: usize) -> Option<Zeroizing<String>> {
    let padded = Zeroizing::new([&[0; 2][..before], value.as_bytes()].concat());
    let encoded = Zeroizing::new(BASE64.encode(&padded));
    // A character is six bits: those with a bit of what is before or behind the value are left out.
    let (from, until) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
    let core = encoded.get(from..until).filter(|core| core.len() >= BASE64_CHARS_MIN)?;
    Some(Zeroizing::new(core.to_owned()))
}

/// How many bytes the base64 of a value takes here, the character before it and those behind it that have some
/// of its bits included.
fn base64(bytes: &[u8], core: &str) -> Option<usize> {
    let standard = |is: u8| match is {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let is_char = |is: &u8| is.is_ascii_alphanumeric() || matches!(standard(*is), b'+' | b'/');
    let here = |bytes: &[u8]| {
        let found = bytes.get(..core.len())?;
        found.iter().zip(core.bytes()).all(|(is, wanted)| standard(*is) == wanted).then_some(core.len())
    };
    // The first character may have bits of what stands before, and is tried with and without.
    let with_first =
        || bytes.first().filter(|is| is_char(is)).and_then(|_| here(&bytes[1..])).map(|length| length + 1);
    let length = here(bytes).or_else(with_first)?;
    let behind = bytes[length..].iter().take(1).filter(|is| is_char(is)).count();
    Some(length + behind)
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
    use samsyn_testkit::mutate::{Chance, seed};

    use super::*;

    const VALUES: [&str; 6] = [
        "hunter2",
        "sk_live_51H/x+y=z&t \"quoted\" \\back",
        "correct horse battery staple",
        "p\u{e4}ssw\u{f6}rd-\u{1f511}",
        "AAAAAAAAAAAA",
        "0123456789abcdef0123456789abcdef",
    ];

    fn scrub(values: &[&str]) -> Scrub {
        let named = |(number, value): (usize, &&str)| {
            let name = SecretName::new(&format!("s{number}")).unwrap();
            (name, Arc::new(SecretValue::new(value.as_bytes().to_vec()).ok().unwrap()))
        };
        Scrub::of(values.iter().enumerate().map(named))
    }

    fn percent(value: &str, all: bool, upper: bool) -> String {
        let encode = |byte: u8| match byte {
            byte if !all && byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        };
        value.bytes().map(encode).collect()
    }

    /// JSON as a peer in another language writes it: ASCII alone.
    fn ascii_json(value: &str) -> String {
        let mut units = [0; 2];
        let escape = |is: char| match is {
            is if is.is_ascii() => is.to_string(),
            is => is.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        };
        let text = serde_json::to_string(value).unwrap();
        text[1..text.len() - 1].chars().map(escape).collect()
    }

    /// A value as peers write it.
    fn forms(value: &str) -> Vec<String> {
        let bytes = value.as_bytes();
        let json = serde_json::to_string(value).unwrap();
        vec![
            value.to_owned(),
            percent(value, false, true),
            percent(value, false, false),
            percent(value, true, true),
            percent(value, false, true).replace("%20", "+"),
            json[1..json.len() - 1].to_owned(),
            json[1..json.len() - 1].replace('/', "\\/"),
            ascii_json(value),
            HEXLOWER.encode(bytes),
            HEXUPPER.encode(bytes),
            BASE64.encode(bytes),
            BASE64_NOPAD.encode(bytes),
            BASE64URL.encode(bytes),
            BASE64URL_NOPAD.encode(bytes),
        ]
    }

    #[test]
    fn every_form_of_every_value_is_replaced_wherever_it_stands() {
        for value in VALUES {
            let scrub = scrub(&[value]);
            for form in forms(value) {
                for (before, behind) in [("", ""), ("{\"token\":\"", "\"}"), ("a=", "&b"), ("\u{e5} ", "%")] {
                    let scrubbed = scrub.text(&format!("{before}{form}{behind}")).into_owned();
                    assert!(scrubbed.starts_with(&format!("{before}[secret s0]")), "{form}: {scrubbed}");
                    assert!(scrubbed.ends_with(behind), "{form}: {scrubbed}");
                    assert!(!scrubbed.contains(&form), "{form}: {scrubbed}");
                }
            }
        }
    }

    #[test]
    fn it_is_found_in_the_base64_of_a_longer_text() {
        for value in VALUES {
            for user in ["", "a", "ab", "abc", "user:", "caf\u{e9}:"] {
                for behind in ["", "\n", "xy", "xyz", "?"] {
                    let text = format!("{user}{value}{behind}");
                    for encoded in [BASE64.encode(text.as_bytes()), BASE64URL_NOPAD.encode(text.as_bytes())] {
                        let scrubbed = scrub(&[value]).text(&encoded).into_owned();
                        assert!(scrubbed.contains("[secret s0]"), "{user} {value} {behind}: {scrubbed}");
                        // Nothing of three bytes of the value can be read from what is left.
                        let left: String = scrubbed.replace("[secret s0]", "");
                        let kept = encoded.len() - (value.len() * 8 / 6 - 2);
                        assert!(left.len() <= kept, "{user} {value} {behind}: {scrubbed}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_no_value_stays_as_it_is() {
        let scrub = scrub(&VALUES[..4]);
        for text in [
            "",
            "hunter",
            "unter2",
            "hunter 2",
            "Hunter2",
            "%68unter",
            "68756e74657",
            "{\"a\":[1,2]}",
            "\\u0068",
        ] {
            assert!(matches!(scrub.text(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert!(matches!(Scrub::default().bytes(b"\xff\0 hunter2"), Cow::Borrowed(_)));
        assert_eq!(&*scrub.bytes(b"\xff\0hunter2\xfe"), b"\xff\0[secret s0]\xfe");
    }

    #[test]
    fn the_longer_of_two_values_is_taken_and_each_place_is() {
        let scrub = scrub(&["token", "token-of-crm"]);
        assert_eq!(
            scrub.text("token-of-crm token tokentoken"),
            "[secret s1] [secret s0] [secret s0][secret s0]"
        );
        assert!(scrub.longest() >= percent("token-of-crm", true, true).len());
    }

    #[test]
    fn no_value_is_left_in_noise() {
        let seed = seed("scrub");
        let mut chance = Chance::new(seed);
        for _ in 0..2_000 {
            let value = VALUES[chance.below(VALUES.len())];
            let forms = forms(value);
            let (length, more) = (chance.below(40), chance.below(40));
            let (before, behind) = (chance.bytes(length), chance.bytes(more));
            let form = forms[chance.below(forms.len())].as_bytes();
            let scrubbed = scrub(&[value]).bytes(&[&before, form, &behind].concat()).into_owned();
            let has = |wanted: &[u8]| scrubbed.windows(wanted.len()).any(|at| at == wanted);
            assert!(
                !has(form) && has(b"[secret s0]"),
                "{:?} of {value:?}, seed {seed}",
                String::from_utf8_lossy(form)
            );
        }
    }
}
