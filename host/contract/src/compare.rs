//! When two claims say the same.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vocabulary::Value;

/// Which claims of a field count as equal when disagreements are counted. It doesn't change the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compare {
    /// Equal values.
    #[default]
    Exact,
    /// Equal values, ignoring case and white space at their start and end.
    Caseless,
    /// Values with the same digits.
    Digits,
}

impl Compare {
    /// Every comparison, in the order of [`Compare::index`].
    pub const ALL: [Compare; 3] = [Compare::Exact, Compare::Caseless, Compare::Digits];

    /// Its place in [`Compare::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether it is the usual one.
    pub fn is_exact(&self) -> bool {
        *self == Compare::Exact
    }

    /// The form in which values are compared; the value itself where there is no other.
    pub fn normal(self, value: &Value) -> Cow<'_, Value> {
        let normal = |text: &str| match self {
            Compare::Exact => text.to_owned(),
            Compare::Caseless => text.trim().to_lowercase(),
            Compare::Digits => text.chars().filter(char::is_ascii_digit).collect(),
        };
        match (self, value) {
            (Compare::Exact, value) => Cow::Borrowed(value),
            (_, Value::Text(text)) => Cow::Owned(Value::Text(normal(text))),
            (_, Value::Texts(texts)) => {
                Cow::Owned(Value::Texts(texts.iter().map(|text| normal(text)).collect()))
            }
            (_, other) => Cow::Borrowed(other),
        }
    }

    /// Whether two claims say the same.
    pub fn agree(self, one: &Value, other: &Value) -> bool {
        self.normal(one) == self.normal(other)
    }
}

impl std::fmt::Display for Compare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Compare::Exact => "exact",
            Compare::Caseless => "caseless",
            Compare::Digits => "by digits",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn claims_agree_in_the_form_the_field_is_compared_in() {
        let agree = |compare: Compare, one: &str, other: &str| compare.agree(&text(one), &text(other));
        assert!(agree(Compare::Caseless, " Anna@Example.com", "anna@example.COM"));
        assert!(!agree(Compare::Exact, "Anna", "anna"));
        assert!(agree(Compare::Digits, "+46 70-123", "4670123"));
        assert!(!agree(Compare::Digits, "+46 70-123", "070123"));
        let texts = |texts: &[&str]| Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
        assert!(Compare::Caseless.agree(&texts(&["A", "b"]), &texts(&["a", "B"])));
        assert!(!Compare::Caseless.agree(&text("1"), &Value::Integer(1)));
    }
}
