//! What is sent about a customer: the values, and how they stand in a request.

use samsyn_plugin::Profile;
use serde::{Deserialize, Serialize};

/// The field with the tier.
pub const TIER: &str = "loyalty.tier";
/// The field with the opt-out.
pub const OPTED_OUT: &str = "marketing_opted_out";
/// By which identifier that system knows its members.
const CUSTOMER_ID: &str = "customer_id";
/// A longer tier isn't sent. So a note and what is remembered stay small.
pub const TIER_BYTES_MAX: usize = 256;

/// What is true of one customer, as far as the membership system needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The customer's id, percent-encoded.
    member: String,
    /// The tier; none when it isn't known here.
    tier: Option<String>,
    /// Whether the customer opted out; none when it isn't known here.
    opted_out: Option<bool>,
}

impl State {
    /// What is visible now; or why it can't be sent.
    pub fn of(profile: &Profile) -> Result<State, &'static str> {
        let member = profile.identifier(CUSTOMER_ID).ok_or("the customer has no customer_id")?;
        let tier = profile.text(TIER);
        if tier.is_some_and(|tier| tier.len() > TIER_BYTES_MAX) {
            return Err("the tier is too long");
        }
        Ok(State {
            member: percent_encoded(member),
            tier: tier.map(str::to_owned),
            opted_out: profile.boolean(OPTED_OUT),
        })
    }

    /// Whether this is an opt-out that `before` didn't have.
    pub fn is_new_opt_out(&self, before: Option<&State>) -> bool {
        let sent =
            before.is_some_and(|before| before.opted_out == Some(true) && before.member == self.member);
        self.opted_out == Some(true) && !sent
    }

    /// The path below the endpoint's base.
    pub fn path(&self) -> String {
        format!("members/{}", self.member)
    }

    /// The body, as JSON.
    pub fn body(&self) -> String {
        let tier = self.tier.as_deref().map_or_else(|| "null".to_owned(), json_text);
        let opted_out = match self.opted_out {
            None => "null",
            Some(true) => "true",
            Some(false) => "false",
        };
        format!("{{\"tier\":{tier},\"opted_out\":{opted_out}}}")
    }
}

/// What comes back with an answer: the number of the call and what it sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The number of the call, counted for each customer.
    pub number: u32,
    /// What it sent.
    pub state: State,
}

impl Note {
    /// Such as `7 00042 true =gold`; without values `7 00042 - -`.
    pub fn write(&self) -> String {
        let State { member, tier, opted_out } = &self.state;
        let opted_out = opted_out.map_or("-", |opted_out| if opted_out { "true" } else { "false" });
        // A tier may have spaces, so it is last; and it may be "-" or empty.
        let tier = tier.as_ref().map_or_else(|| "-".to_owned(), |tier| format!("={tier}"));
        format!("{} {member} {opted_out} {tier}", self.number)
    }

    /// None when `bytes` are no note of this plug-in.
    pub fn read(bytes: &[u8]) -> Option<Note> {
        let mut parts = std::str::from_utf8(bytes).ok()?.splitn(4, ' ');
        let number = parts.next()?.parse().ok()?;
        let member = parts.next()?.to_owned();
        let opted_out = match parts.next()? {
            "-" => None,
            "true" => Some(true),
            "false" => Some(false),
            _ => return None,
        };
        let tier = match parts.next()? {
            "-" => None,
            tier => Some(tier.strip_prefix('=')?.to_owned()),
        };
        Some(Note { number, state: State { member, tier, opted_out } })
    }
}

/// One part of a path: everything but RFC 3986's unreserved characters is encoded.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A text in JSON, with its quotes.
fn json_text(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for char in text.chars() {
        match char {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            // No value has another control character; JSON wouldn't allow it as it is.
            char if char.is_control() => json.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => json.push(char),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_state() -> impl Strategy<Value = State> {
        let tier = prop::option::of("\\PC{0,40}|[\\n\\t\"\\\\ =-]{0,8}");
        ("\\PC{1,20}", tier, any::<Option<bool>>()).prop_map(|(id, tier, opted_out)| State {
            member: percent_encoded(&id),
            tier,
            opted_out,
        })
    }

    proptest! {
        #[test]
        fn a_body_is_the_json_of_its_values(state in any_state()) {
            let read: serde_json::Value = serde_json::from_str(&state.body()).unwrap();
            prop_assert_eq!(read, serde_json::json!({ "tier": state.tier, "opted_out": state.opted_out }));
        }

        #[test]
        fn a_note_reads_back(number in any::<u32>(), state in any_state()) {
            let note = Note { number, state };
            prop_assert_eq!(Note::read(note.write().as_bytes()), Some(note));
        }

        #[test]
        fn any_bytes_are_a_note_or_none(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            Note::read(&bytes);
        }
    }

    #[test]
    fn a_customer_id_is_one_part_of_the_path() {
        for (id, encoded) in [
            ("00042", "00042"),
            ("a/b", "a%2Fb"),
            ("a b?#", "a%20b%3F%23"),
            ("50%", "50%25"),
            ("å", "%C3%A5"),
        ] {
            assert_eq!(percent_encoded(id), encoded);
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(json_text("a\u{1}\u{7f}\n"), "\"a\\u0001\\u007f\\n\"");
    }
}
