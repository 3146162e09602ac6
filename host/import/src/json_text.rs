//! A text in JSON.

use serde_json::value::RawValue;

/// A text's content; none when the value is no text, or one with half a pair of escapes.
pub fn text(value: &RawValue) -> Option<String> {
    value.get().starts_with('"').then(|| serde_json::from_str(value.get()).ok())?
}
