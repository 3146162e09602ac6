//! What of a definition becomes another: each part with what it was and what it is.

use serde::Serialize;

/// The longest value that is shown, in characters: a line stays a line.
const SHOWN_CHARS_MAX: usize = 60;

/// A part of a definition that becomes another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which, such as `class`.
    pub part: String,
    /// What it was; `none` when it wasn't said.
    pub before: String,
    /// What it is.
    pub after: String,
}

impl Difference {
    /// `class: none → personal`.
    pub fn as_line(&self) -> String {
        format!("{}: {} → {}", self.part, self.before, self.after)
    }

    /// `class none → personal`, in a sentence.
    pub fn in_words(&self) -> String {
        let Difference { part, before, after } = self;
        format!("{part} {} → {}", shortened(before), shortened(after))
    }
}

/// What two definitions differ in, by the names they have in a registry file. What isn't said there is none.
pub fn differences<T: Serialize>(before: Option<&T>, after: &T) -> Vec<Difference> {
    // Names and plain strings: TOML can hold all of them.
    let table = |it: &T| toml::Table::try_from(it).unwrap_or_default();
    let (before, after) = (before.map(table).unwrap_or_default(), table(after));
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    let difference = |key: &String| Difference {
        part: key.clone(),
        before: shown(before.get(key)),
        after: shown(after.get(key)),
    };
    changed.map(difference).collect()
}

fn shown(value: Option<&toml::Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(toml::Value::String(text)) => text.clone(),
        Some(toml::Value::Array(items)) if items.iter().all(toml::Value::is_str) => {
            items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// The start of a long text, on one line.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARS_MAX) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        size: Vec<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<&'static str>,
        strength: u32,
    }

    #[test]
    fn only_what_differs_is_named_from_what_to_what() {
        let before = Thing { size: vec!["S", "M"], unit: None, strength: 1 };
        let after = Thing { size: vec!["S"], unit: Some("cm"), strength: 1 };
        let words: Vec<String> =
            differences(Some(&before), &after).iter().map(Difference::in_words).collect();
        assert_eq!(words, ["size S, M → S", "unit none → cm"]);
        assert_eq!(differences(Some(&before), &before), []);
        assert_eq!(differences(None, &after).len(), 3);
    }

    #[test]
    fn a_long_value_is_one_short_line() {
        let long = Difference { part: "description".into(), before: "a\nb".into(), after: "é".repeat(100) };
        assert_eq!(long.in_words(), format!("description a b → {}…", "é".repeat(60)));
    }
}
