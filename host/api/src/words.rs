//! How names and words of the floors below stand in an answer.

use serde::Serialize;
use serde_json::Value;

/// A word of a closed list, as it is serialized.
pub fn word(word: &impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(Value::String(text)) => text,
        // Only what serializes as a text is given here: the answers' schemas say so, and tests check them.
        _ => String::new(),
    }
}

/// Some words, each as it is serialized.
pub fn words<'a, T: Serialize + 'a>(all: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    all.into_iter().map(word).collect()
}

/// A name that may be missing.
pub fn name(name: Option<impl ToString>) -> Option<String> {
    name.map(|name| name.to_string())
}

/// Some names.
pub fn names<T: ToString>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    all.into_iter().map(|name| name.to_string()).collect()
}
