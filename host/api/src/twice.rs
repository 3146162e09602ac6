//! Keys that stand twice in an object, however deep it stands in a body. Readers differ in which of the two
//! they take, so neither is.

use std::borrow::Cow;
use std::collections::HashSet;

use super::json::{JsonPath, shortened, text_length};
use super::problem::{Kind, Problem};

/// Up to this many keys of an object are compared one by one; beyond it, with a table.
const KEYS_COMPARED_MAX: usize = 16;

/// A list or an object that is being looked through.
enum Open<'a> {
    /// How many elements were passed.
    List(usize),
    Object(Keys<'a>),
}

/// The keys of an object so far.
#[derive(Default)]
struct Keys<'a> {
    all: Vec<Cow<'a, str>>,
    table: HashSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    /// Whether the key is new.
    fn add(&mut self, key: Cow<'a, str>) -> bool {
        let is_new = if self.all.len() < KEYS_COMPARED_MAX {
            !self.all.contains(&key)
        } else {
            if self.table.is_empty() {
                self.table.extend(self.all.iter().cloned());
            }
            self.table.insert(key.clone())
        };
        self.all.push(key);
        is_new
    }
}

/// Refuses a JSON text in which an object has a key twice. It must be JSON: what isn't is nothing's key.
pub fn refuse(json: &str, path: &JsonPath<'_>) -> Result<(), Problem> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => open.push(Open::Object(Keys::default())),
            b'[' => open.push(Open::List(0)),
            b'}' | b']' => drop(open.pop()),
            b',' => {
                if let Some(Open::List(passed)) = open.last_mut() {
                    *passed += 1;
                }
            }
            b'"' => {
                let end = at + text_length(&json[at..]);
                if let Some(Open::Object(keys)) = open.last_mut()
                    && json[end..].trim_ascii_start().starts_with(':')
                    && !keys.add(key(&json[at..end]))
                {
                    return Err(problem(&open, path));
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// A key without its quotes. One with an escape that stands for no character is refused elsewhere.
fn key(raw: &str) -> Cow<'_, str> {
    if raw.contains('\\')
        && let Ok(read) = serde_json::from_str::<String>(raw)
    {
        return Cow::Owned(read);
    }
    Cow::Borrowed(raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw))
}

fn problem(open: &[Open<'_>], root: &JsonPath<'_>) -> Problem {
    let mut path = root.to_string();
    let mut last = "";
    for one in open {
        match one {
            Open::List(passed) => path.push_str(&format!("[{passed}]")),
            Open::Object(keys) => {
                last = keys.all.last().map_or("", |key| shortened(key));
                let dot = if path.is_empty() { "" } else { "." };
                path.push_str(&format!("{dot}{last}"));
            }
        }
    }
    Problem::new(Kind::DuplicateKey, format!("{last:?} is there twice")).at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(json: &str) -> Option<String> {
        let _: serde_json::Value = serde_json::from_str(json).unwrap();
        refuse(json, &JsonPath::Root).err().map(|problem| problem.place.unwrap())
    }

    #[test]
    fn the_second_of_two_keys_is_found_where_it_stands() {
        for (json, place) in [
            (r#"{"a":1,"a":2}"#, "a"),
            (r#"{ "a" : 1 , "b" : [ 1 , { "c" : 1 , "\u0063" : 2 } ] }"#, "b[1].c"),
            (r#"[[],[{"x":{}},{"x":{"y":"x","y":1}}]]"#, "[1][1].x.y"),
            (r#"{"a":{"b":{"c":{}}},"b":{},"a":1}"#, "a"),
            (r#"{"":1,"":2}"#, ""),
            (r#"{"q\"q":1,"q\"q":2}"#, "q\"q"),
        ] {
            assert_eq!(place_of(json).as_deref(), Some(place), "{json}");
        }
        for fine in [
            r#"{}"#,
            r#"[]"#,
            r#""a""#,
            r#"{"a":"a","b":"a:","c":["a","a"]}"#,
            r#"{"a":{"a":{"a":1}},"b":{"a":1}}"#,
            r#"[{"a":1},{"a":1}]"#,
            r#"{"a":"\"a\":1,\"a\":","b":"{\"a\":1,\"a\":2}"}"#,
            r#"{"a":1,"A":2,"a ":3}"#,
        ] {
            assert_eq!(place_of(fine), None, "{fine}");
        }
    }

    #[test]
    fn keys_are_told_apart_however_many_there_are() {
        for count in [15, 16, 17, 40] {
            let keys: Vec<String> = (0..count).map(|key| format!("\"k{key}\":{{}}")).collect();
            let fine = format!("{{\"all\":{{{}}}}}", keys.join(","));
            assert_eq!(place_of(&fine), None);
            for twice in [0, count / 2, count - 1] {
                let json = format!("{{\"all\":{{{},\"k{twice}\":1}}}}", keys.join(","));
                assert_eq!(place_of(&json), Some(format!("all.k{twice}")), "{count}");
            }
        }
    }
}
