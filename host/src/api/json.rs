//! JSON taken apart level by level, without building a tree: every value stays the text it was,
//! so numbers lose nothing, and every complaint can name its place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::problem::{Kind, Problem};
use super::twice;
use crate::vocabulary::text;

/// How deep lists and objects may stand in each other: more than data of a person made needs, and
/// far below what a reader in a plug-in can recurse.
pub const DEPTH_MAX: usize = 32;
/// How much of a key is repeated in a place, in bytes.
const KEY_SHOWN_BYTES_MAX: usize = 64;
/// Up to this many keys are compared one by one; beyond it, with a table.
const KEYS_COMPARED_MAX: usize = 16;

/// Where in the request something stands: `events[3].identifiers.customer_id`. Built on the stack
/// while going down, and made a text only when something is wrong.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// The whole body.
    Root,
    /// An element of a list.
    Index(&'a Place<'a>, usize),
    /// A member of an object.
    Key(&'a Place<'a>, &'a str),
}

impl<'a> Place<'a> {
    /// The place of a member.
    pub fn key(&'a self, key: &'a str) -> Place<'a> {
        Place::Key(self, key)
    }

    /// The place of an element.
    pub fn index(&'a self, index: usize) -> Place<'a> {
        Place::Index(self, index)
    }

    /// A problem at this place.
    pub fn problem(&self, kind: Kind, detail: impl Into<String>) -> Problem {
        let problem = Problem::new(kind, detail);
        if matches!(self, Place::Root) { problem } else { problem.at(self.to_string()) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Place::Key(parent, key) => {
                let dot = if matches!(parent, Place::Root) { "" } else { "." };
                write!(f, "{parent}{dot}{}", shortened(key))
            }
        }
    }
}

/// The start of a text that somebody sent, for a detail.
pub fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(KEY_SHOWN_BYTES_MAX)]
}

/// The members of an object, as they stand there.
pub struct Members<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The first one of this name.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A key, borrowed from the text unless it is written with escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The elements of a list: the first `KEPT` as they stand there, and how many there are.
pub struct Elements<'a, const KEPT: usize> {
    /// At most `KEPT`.
    pub kept: Vec<&'a RawValue>,
    /// All of them.
    pub count: usize,
}

impl<'de: 'a, 'a, const KEPT: usize> Deserialize<'de> for Elements<'a, KEPT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<const KEPT: usize>;
        impl<'de, const KEPT: usize> Visitor<'de> for List<KEPT> {
            type Value = Elements<'de, KEPT>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::with_capacity(128.min(KEPT));
                while kept.len() < KEPT {
                    match list.next_element()? {
                        Some(element) => kept.push(element),
                        None => return Ok(Elements { count: kept.len(), kept }),
                    }
                }
                let mut count = kept.len();
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements { kept, count })
            }
        }
        deserializer.deserialize_seq(List::<KEPT>)
    }
}

/// What a scan of a value's text says about it before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// How deep lists and objects stand in each other.
    pub depth: usize,
    /// A text in it may hold control characters or half of a surrogate pair: each is worth a look.
    pub suspect: bool,
}

/// Looks through a JSON text once, byte by byte.
pub fn scan(json: &str) -> Scan {
    let (mut depth, mut deepest, mut suspect, mut in_text) = (0_usize, 0, false, false);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        if in_text {
            match byte {
                b'"' => in_text = false,
                b'\\' => suspect |= matches!(bytes.next(), Some(b'u' | b'b' | b'f' | b'r')),
                // U+007F, and the first byte of U+0080 to U+009F.
                0x7F | 0xC2 => suspect = true,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Scan { depth: deepest, suspect }
}

/// Checks the whole body's encoding; the detail names the first byte that is not UTF-8.
pub fn utf8(body: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Problem::new(Kind::NotUtf8, format!("the byte 0x{:02x} at offset {at} is not UTF-8", body[at]))
    })?;
    // RFC 8259 lets a reader pass over a byte order mark.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads a body that must be JSON; what breaks its rules is named with line and column.
pub fn body<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| malformed(text, &error))
}

/// Reads a body that must be an object.
pub fn body_object(text: &str) -> Result<Members<'_>, Problem> {
    if !text.trim_ascii_start().starts_with('{') {
        let other: &RawValue = body(text)?;
        let detail = format!("the body must be an object, not {}", kind_of(other.get()));
        return Err(Problem::new(Kind::WrongType, detail));
    }
    let members = body(text)?;
    refuse_duplicates(&members, &Place::Root)?;
    Ok(members)
}

/// Reads a body into a type that refuses unknown keys; what isn't of that type is named as serde
/// names it, with line and column.
pub fn body_as<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = utf8(bytes)?;
    let json: &RawValue = body(text)?;
    twice::refuse(json.get(), &Place::Root)?;
    serde_json::from_str(text).map_err(|error| {
        if !error.is_data() {
            return malformed(text, &error);
        }
        let message = error.to_string();
        let kind = if message.starts_with("unknown field") {
            Kind::UnknownKey
        } else if message.starts_with("missing field") {
            Kind::MissingKey
        } else {
            Kind::WrongType
        };
        let place = format!("line {}, column {}", error.line(), error.column());
        let problem = Problem::new(kind, message.as_str()).at(place);
        match mistyped(&message) {
            Some((word, known)) => problem.nearest(word, known),
            None => problem,
        }
    })
}

/// The word that serde doesn't know, and those that it does, of how it says so: unknown field `a`,
/// expected one of `b`, `c`; the same of a variant, with or without its place before it.
pub fn mistyped(message: &str) -> Option<(&str, Vec<&str>)> {
    let unknown = ["unknown field `", "unknown variant `"];
    let (_, rest) = unknown.iter().find_map(|unknown| message.split_once(*unknown))?;
    let (word, known) = rest.rsplit_once("`, expected ")?;
    Some((word, known.split('`').skip(1).step_by(2).collect()))
}

/// The greatest whole number that no other one is read as when it goes through a double.
pub const WHOLE_MAX: u64 = (1 << 53) - 1;

/// [`whole`] for a larger number that may be left out.
pub fn whole_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    let whole = number as u64;
    if whole <= WHOLE_MAX && whole as f64 == number {
        return Ok(Some(whole));
    }
    let expected = format!("a whole number from 0 to {WHOLE_MAX}");
    Err(serde::de::Error::invalid_value(serde::de::Unexpected::Float(number), &expected.as_str()))
}

/// Reads a whole number, for `deserialize_with`: JSON has one kind of number, so `5.0` is 5.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    // A double holds every whole number of 32 bits.
    let whole = number as u32;
    if f64::from(whole) == number {
        return Ok(whole);
    }
    let expected = format!("a whole number from 0 to {}", u32::MAX);
    Err(serde::de::Error::invalid_value(serde::de::Unexpected::Float(number), &expected.as_str()))
}

/// The problem of a text that is not JSON, with line and column.
pub fn malformed(text: &str, error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    if text.trim_ascii().is_empty() {
        return Problem::new(Kind::MalformedJson, "the body is empty").next("Send JSON.");
    }
    let problem = Problem::new(Kind::MalformedJson, format!("line {line}, column {column}: {message}"))
        .at(format!("line {line}, column {column}"));
    let at = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let rest = at.get(column.saturating_sub(1)..).unwrap_or_default();
    // serde_json stands on the first letter it can't take: the N, the I, or the one after a sign.
    let not_finite = |rest: &str| rest.starts_with("NaN") || rest.starts_with("Infinity");
    if not_finite(rest) {
        return problem.next("JSON has no NaN and no Infinity: leave the member out, or send null.");
    }
    problem
}

/// Reads a text that is known to be JSON as an object; `what` names it in the problem.
pub fn members<'a>(json: &'a str, place: &Place<'_>, what: &str) -> Result<Members<'a>, Problem> {
    if !json.starts_with('{') {
        return Err(
            place.problem(Kind::WrongType, format!("{what} must be an object, not {}", kind_of(json)))
        );
    }
    // It was read as JSON before; what can still be wrong is half a surrogate pair in a key.
    let members: Members<'a> = serde_json::from_str(json).map_err(|error| {
        place.problem(Kind::MalformedJson, format!("a key of {what} can't be read: {error}"))
    })?;
    refuse_duplicates(&members, place)?;
    Ok(members)
}

fn refuse_duplicates(members: &Members<'_>, place: &Place<'_>) -> Result<(), Problem> {
    let members = &members.0;
    let duplicate = if members.len() <= KEYS_COMPARED_MAX {
        let earlier = |at: usize| members[..at].iter().any(|(key, _)| *key == members[at].0);
        (1..members.len()).find(|at| earlier(*at))
    } else {
        let mut seen = HashSet::with_capacity(members.len());
        members.iter().position(|(key, _)| !seen.insert(key.as_ref()))
    };
    let Some(at) = duplicate else { return Ok(()) };
    let key = &members[at].0;
    Err(place.key(key).problem(Kind::DuplicateKey, format!("{:?} stands there twice", shortened(key))))
}

/// Reads a text; `what` names it in the problem.
pub fn text<'a>(value: &'a RawValue, place: &Place<'_>, what: &str) -> Result<Cow<'a, str>, Problem> {
    let json = value.get();
    let Some(inner) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        let problem = place.problem(Kind::WrongType, format!("{what} must be a text, not {}", kind_of(json)));
        let is_number = json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        return Err(if is_number && json.len() <= 20 {
            problem
                .next(format!("Write it in quotes, \"{json}\": a number loses leading zeros and long ids."))
        } else {
            problem
        });
    };
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let read: String = serde_json::from_str(json).map_err(|_| {
        place.problem(Kind::MalformedJson, format!("{what} has an escape that stands for no character"))
    })?;
    Ok(Cow::Owned(read))
}

/// Refuses control characters but line feed and tab in every text of a value, as the sandbox does
/// with what a plug-in says; and escapes that stand for no character.
pub fn refuse_control_characters(value: &RawValue, place: &Place<'_>) -> Result<(), Problem> {
    texts_of(value.get()).try_for_each(|text| {
        match text.read(place)?.chars().find(|is| text::is_refused(*is)) {
            Some(letter) => Err(control_character(letter, place)),
            None => Ok(()),
        }
    })
}

/// The value with each of its texts as [`text::taken`] has it; what that refuses is a problem, and so
/// are control characters in a key: it is a name, and two of them must not become one.
pub fn taken_texts<'a>(value: &'a RawValue, place: &Place<'_>) -> Result<Cow<'a, str>, Problem> {
    let json = value.get();
    let mut changed = String::new();
    let mut copied = 0;
    for found in texts_of(json) {
        let read = found.read(place)?;
        let taken = text::taken(&read).map_err(|letter| control_character(letter, place))?;
        if taken == read {
            continue;
        }
        if found.is_key() {
            let letter = read.chars().find(|letter| text::is_refused(*letter)).unwrap_or_default();
            return Err(control_character(letter, place));
        }
        changed.push_str(&json[copied..found.start]);
        changed.push_str(&serde_json::Value::from(taken).to_string());
        copied = found.end;
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(json));
    }
    changed.push_str(&json[copied..]);
    Ok(Cow::Owned(changed))
}

fn control_character(letter: char, place: &Place<'_>) -> Problem {
    let detail = format!("the text holds the control character U+{:04X}", u32::from(letter));
    place.problem(Kind::ControlCharacters, detail)
}

/// A text, quotes included, where it stands in a JSON text.
struct Found<'a> {
    json: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Found<'a> {
    fn read(&self, place: &Place<'_>) -> Result<Cow<'a, str>, Problem> {
        let raw = &self.json[self.start..self.end];
        if !raw.contains('\\') {
            return Ok(Cow::Borrowed(raw.trim_matches('"')));
        }
        let read = serde_json::from_str::<String>(raw).map_err(|_| {
            place.problem(Kind::MalformedJson, "a text has an escape that stands for no character")
        })?;
        Ok(Cow::Owned(read))
    }

    fn is_key(&self) -> bool {
        self.json[self.end..].trim_ascii_start().starts_with(':')
    }
}

/// Every text of a JSON text, keys included.
fn texts_of(json: &str) -> impl Iterator<Item = Found<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + json[at..].find('"')?;
        at = start + text_length(&json[start..]);
        Some(Found { json, start, end: at })
    })
}

/// The length of a JSON text that starts here, quotes included.
pub fn text_length(json: &str) -> usize {
    let bytes = json.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

/// What kind of JSON stands there; never its content.
pub fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let read = |json: &str| whole(&mut serde_json::Deserializer::from_str(json));
        for (json, number) in [("5", 5), ("5.0", 5), ("0", 0), ("4.294967295e9", u32::MAX), ("-0.0", 0)] {
            assert_eq!(read(json).unwrap(), number, "{json}");
        }
        for bad in ["5.5", "-1", "4294967296", "1e400", "\"5\"", "null", "true"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_place_reads_like_a_path() {
        let root = Place::Root;
        let events = root.key("events");
        let third = events.index(3);
        let identifiers = third.key("identifiers");
        assert_eq!(identifiers.key("customer_id").to_string(), "events[3].identifiers.customer_id");
        assert_eq!(root.index(0).key("name").to_string(), "[0].name");
        assert_eq!(root.key(&"ä".repeat(40)).to_string(), "ä".repeat(32));
        assert_eq!(root.problem(Kind::WrongType, "").place, None);
    }

    #[test]
    fn a_scan_counts_brackets_outside_texts_only() {
        assert_eq!(scan("1"), Scan { depth: 0, suspect: false });
        assert_eq!(scan(r#"{"a":[{"b":"[[[\"[["}]}"#), Scan { depth: 3, suspect: false });
        assert_eq!(scan(r#"[[],[[]]]"#).depth, 3);
        for suspect in [r#""\u0000""#, r#""\r""#, "\"\u{7f}\"", "\"\u{85}\"", r#""\ud800""#] {
            assert!(scan(suspect).suspect, "{suspect}");
        }
        assert!(!scan(r#""å\n\t\\r""#).suspect);
    }

    #[test]
    fn control_characters_are_found_wherever_a_text_stands() {
        for bad in [r#""\u0000""#, r#"{"a":["\r"]}"#, "[\"\u{7f}\"]", "\"\u{9f}\"", r#"{"\u001b":1}"#] {
            let problem = refuse_control_characters(raw(bad), &Place::Root).unwrap_err();
            assert_eq!(problem.kind, Kind::ControlCharacters, "{bad}");
        }
        let half = refuse_control_characters(raw(r#""\ud800""#), &Place::Root).unwrap_err();
        assert_eq!(half.kind, Kind::MalformedJson);
        for good in [r#""\n\t""#, r#"{"a":"\"\\u0000","b":["\u00e5","Â£",1]}"#] {
            refuse_control_characters(raw(good), &Place::Root).unwrap();
        }
    }

    #[test]
    fn malformed_json_has_line_and_column() {
        let text = "{\n  \"amount\": NaN\n}";
        let error = serde_json::from_str::<&RawValue>(text).unwrap_err();
        let problem = malformed(text, &error);
        assert_eq!(problem.place.as_deref(), Some("line 2, column 13"));
        assert!(problem.next.unwrap().contains("NaN"));
        let problem = utf8(b"{\"a\":\"\xff\"}").unwrap_err();
        assert!(problem.detail.contains("0xff at offset 6"), "{}", problem.detail);
    }

    #[test]
    fn keys_stand_once_however_many_there_are() {
        for count in [2, 40] {
            let keys: Vec<String> = (0..count).map(|key| format!("\"k{key}\":1")).collect();
            let fine = format!("{{{}}}", keys.join(","));
            assert_eq!(members(&fine, &Place::Root, "it").map(|is| is.0.len()), Ok(count));
            let twice = format!("{{{},\"k\\u0030\":1}}", keys.join(","));
            let problem = members(&twice, &Place::Root, "it").err().unwrap();
            assert_eq!((problem.kind, problem.place.as_deref()), (Kind::DuplicateKey, Some("k0")));
        }
    }
}
