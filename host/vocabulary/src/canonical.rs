//! What a JSON text says, in bytes that are the same however it is written.
//!
//! Two strings are equal JSON when they differ in nothing but: blanks between the tokens, the order of an
//! object's members, how a number is written (`10`, `10.00`, `1e1`; `0`, `-0`), and which characters of a
//! text are escaped. Numbers are compared exactly, never as doubles. Texts are compared character by
//! character: Unicode's normal forms aren't made. A member that is null is not one that is left out.

use std::borrow::Cow;

use super::numeral::Numeral;

/// How deep lists and objects are looked into; deeper ones are compared as they are written. More than
/// any event has, and far below what a thread's stack holds.
const DEPTH_MAX: usize = 128;

/// Appends what a JSON text says, so that equal strings, and no others, append the same bytes. What is no
/// JSON is appended as it is written.
pub fn write_canonical(json: &str, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    let mut reader = Reader { json, at: 0 };
    let whole = reader.value(bytes, 0).is_some() && reader.peek().is_none();
    if !whole {
        bytes.truncate(start);
        put(b'?', json.as_bytes(), bytes);
    }
}

/// Goes through the text once, from token to token.
struct Reader<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no blank, without taking it.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.json.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes this byte, if it is the next one.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, bytes: &mut Vec<u8>, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.peek()? {
            b'"' => {
                let text = self.text()?;
                put(b's', text.as_bytes(), bytes);
            }
            b'{' => self.object(bytes, depth)?,
            b'[' => self.list(bytes, depth)?,
            b't' => self.word("true", bytes)?,
            b'f' => self.word("false", bytes)?,
            b'n' => self.word("null", bytes)?,
            _ => self.number(bytes)?,
        }
        Some(())
    }

    fn word(&mut self, word: &str, bytes: &mut Vec<u8>) -> Option<()> {
        self.json[self.at..].starts_with(word).then_some(())?;
        self.at += word.len();
        bytes.push(word.as_bytes()[0]);
        Some(())
    }

    fn number(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let rest = &self.json[self.at..];
        let is_part = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let number = Numeral::parse(&rest[..length])?;
        self.at += length;
        bytes.push(b'd');
        number.write(bytes);
        Some(())
    }

    /// A text's characters.
    fn text(&mut self) -> Option<Cow<'a, str>> {
        if !self.take(b'"') {
            return None;
        }
        let (start, bytes) = (self.at, self.json.as_bytes());
        let mut escaped = false;
        loop {
            match bytes.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        let end = self.at;
        self.at += 1;
        if escaped {
            return serde_json::from_str(&self.json[start - 1..=end]).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(&self.json[start..end]))
    }

    fn list(&mut self, bytes: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.take(b'[').then_some(())?;
        bytes.push(b'[');
        if !self.take(b']') {
            loop {
                self.value(bytes, depth + 1)?;
                if self.take(b']') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        bytes.push(b']');
        Some(())
    }

    fn object(&mut self, bytes: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.take(b'{').then_some(())?;
        // Each member is written behind the others, and then put into its place.
        let mut written = Vec::new();
        let mut members: Vec<(Cow<'a, str>, std::ops::Range<usize>)> = Vec::new();
        if !self.take(b'}') {
            loop {
                self.peek()?;
                let key = self.text()?;
                self.take(b':').then_some(())?;
                let start = written.len();
                self.value(&mut written, depth + 1)?;
                members.push((key, start..written.len()));
                if self.take(b'}') {
                    break;
                }
                self.take(b',').then_some(())?;
            }
        }
        // Stable: of a key that stands there twice, which one comes first is content.
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        bytes.push(b'{');
        for (key, value) in members {
            put(b's', key.as_bytes(), bytes);
            bytes.extend_from_slice(&written[value]);
        }
        bytes.push(b'}');
        Some(())
    }
}

fn put(kind: u8, text: &[u8], bytes: &mut Vec<u8>) {
    bytes.push(kind);
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(json: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_canonical(json, &mut bytes);
        bytes
    }

    #[test]
    fn what_is_no_json_is_compared_as_it_is_written() {
        for text in [
            "",
            " ",
            "{",
            "[1",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "\"a",
            "\"\\",
            "\"\\u12\"",
            "1 2",
            "tru",
            "å",
            "01x",
            "\"\\ud800\"",
        ] {
            assert_eq!(canonical(text)[0], b'?', "{text:?}");
            assert_ne!(canonical(text), canonical(&format!("{text} ")), "{text:?}");
        }
    }

    #[test]
    fn lists_that_are_deeper_than_a_stack_are_compared_as_they_are_written() {
        let deep = |blank: &str| format!("{}1{blank}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_ne!(canonical(&deep("")), canonical(&deep(" ")));
        let fine = |blank: &str| format!("{}1{blank}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(canonical(&fine("")), canonical(&fine(" ")));
    }

    #[test]
    fn a_key_that_stands_there_twice_keeps_its_order() {
        assert_ne!(canonical(r#"{"a":1,"a":2}"#), canonical(r#"{"a":2,"a":1}"#));
        assert_eq!(canonical(r#"{"a":1,"b":0,"a":2}"#), canonical(r#"{"b":0,"a":1,"a":2}"#));
    }
}
