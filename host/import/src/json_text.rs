//! A JSON object's members as they were written: in their order, doubled ones too, each value the
//! text that it was.

use serde_json::value::RawValue;

pub use samsyn_vocabulary::Members;

/// A text's content; none when the value is no text, or one with half a pair of escapes.
pub fn text(value: &RawValue) -> Option<String> {
    value.get().starts_with('"').then(|| serde_json::from_str(value.get()).ok())?
}
