//! Refusal codes: every code with which the host itself refuses an effect, a value or an event, with a title
//! and what to do.
//!
//! The one list. The table in `docs/plugins.md` is written from it, and [`Refused`](crate::Refused) can only
//! be made from one of these. The codes of a plug-in's own refusals are free text; [`RefusalCode::TELLS_SENDER`]
//! lists the two that it can't use.

use std::fmt;

/// What a code means, for a person who meets it for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalEntry {
    /// The stable code, as it stands in the log and in answers.
    pub code: &'static str,
    /// The cause, as the rest of a table's row.
    pub title: &'static str,
    /// What to do.
    pub fix: &'static str,
}

macro_rules! catalogue {
    ($($name:ident $code:literal, $title:literal, $fix:literal;)*) => {
        /// A code with which the host refuses. Codes stay as they are: plug-ins and senders rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RefusalCode {
            $(#[doc = concat!("`", $code, "`: ", $title, ".")] $name,)*
        }

        impl RefusalCode {
            /// Every code, in the order of the table.
            pub const ALL: &[RefusalCode] = &[$(RefusalCode::$name),*];

            /// The code's entry in the catalogue.
            pub const fn entry(self) -> &'static RefusalEntry {
                match self {
                    $(RefusalCode::$name => &RefusalEntry { code: $code, title: $title, fix: $fix },)*
                }
            }
        }
    };
}

catalogue! {
    // A field.
    FieldNotSourced "field.not-sourced",
        "the manifest doesn't source the field, or it was not granted",
        "list the field in `[sources]`, and have an admin grant it";
    // A value: of a claim, or of a property that is emitted.
    ValueType "value.type",
        "the value has another type than the manifest declares",
        "pass the declared type, or correct the manifest";
    ValueMalformed "value.malformed",
        "the text is no decimal, date or JSON that every reader accepts, or the time lies outside the years 0000 to 9999",
        "use the SDK's types, and refuse what can't be converted";
    ValueNotFinite "value.not-finite",
        "the number is NaN or infinite",
        "check the calculation, or clear the field";
    ValueNotAllowed "value.not-allowed",
        "the field's `one_of` or JSON Schema doesn't allow the value",
        "convert the value first, or correct the field's definition";
    ValueTooLarge "value.too-large",
        "the value has more bytes than the limit",
        "shorten it, or have an admin raise `value_bytes`";
    ValueControlCharacters "value.control-characters",
        "the text has a NUL or another control character, except line feed and tab",
        "remove the characters, and end lines with a line feed alone";
    // An event that is emitted.
    EventNotDeclared "event.not-declared",
        "the manifest doesn't emit the event",
        "list the event in `[emits]`, and have an admin grant it";
    EventProperty "event.property",
        "the manifest doesn't declare the property for this event, or the property is listed twice",
        "declare it under the event in `[emits]`, and pass it once";
    // Memory.
    MemoryTooLarge "memory.too-large",
        "above the limit of remembered bytes",
        "remember less, or have an admin raise `remember_bytes`";
    // Timers.
    TimerNotDeclared "timer.not-declared",
        "the manifest doesn't declare that the plug-in sets timers",
        "add `timers = true` to `[plugin]`";
    TimerName "timer.name",
        "a timer's name has other characters than lower-case letters, digits, `.`, `_`, `-` and `:`, or none, or more than 64",
        "choose another name";
    TimerTooMany "timer.too-many",
        "32 timers of the plug-in are set for this customer",
        "cancel a timer, or set one of them again";
    // Calls.
    CallNotDeclared "call.not-declared",
        "the manifest doesn't request the endpoint, or it was not granted",
        "add `[calls.NAME]`, and have an admin grant it";
    CallNotBound "call.not-bound",
        "no admin has bound the endpoint",
        "have an admin bind it with `samsyn endpoint bind`";
    CallMethod "call.method",
        "the method is not among those of the endpoint",
        "use another method, or request it in `[calls.NAME]`";
    CallPath "call.path",
        "the path leaves the endpoint's base, or has a character that must be percent-encoded",
        "encode each part of the path, and give the query by `query`";
    CallQuery "call.query",
        "the query has a part without a name or with a control character, more than 64 parts, or more than 8 KiB",
        "shorten it, or send it as the body";
    CallHeader "call.header",
        "a plug-in can't set the header, or its value is no line of visible ASCII, or it is set twice",
        "leave it out: the host sets what the endpoint needs";
    CallBody "call.body",
        "the body has more than 64 KiB, the request can't have one, or its media type is none",
        "send less, and give a media type such as `application/json`";
    CallNote "call.note",
        "the note has more than 4 KiB",
        "keep less, or remember the rest";
    CallTooMany "call.too-many",
        "32 calls of the plug-in wait for their answers for this customer",
        "wait for an answer before the next call";
    CallNumber "call.number",
        "no call with this number was begun in this invocation",
        "pass the number that `begin` answered";
    CallRow "call.row",
        "the endpoint takes rows and the handler began a request, or the other way round; or the row is no JSON, has too many bytes, or not a cell for each column",
        "give rows as JSON with `row` to an endpoint with `rows` in the manifest; `query`, `header` and `body` are for requests";
    // A refusal of the plug-in.
    RefuseCode "refuse.code",
        "the plug-in's own code has other characters than lower-case letters, digits, `.`, `_` and `-`, or more than 64, or is reserved for the host",
        "choose another code";
    // What comes in doesn't match the manifest.
    PropertyMissing "property.missing",
        "the event has no value for a property that the manifest requires; the handler isn't invoked",
        "send the property, or declare it without `required`";
    PropertyType "property.type",
        "the event's or the proposal's value can't be converted to the declared type; the handler isn't invoked with it",
        "send a value of the declared type";
    // Opt-outs, decided after the handler has run.
    ProtectiveOutdated "protective.outdated",
        "the customer has a newer claim, or an opt-out at the same moment",
        "send a newer time, if there is one";
    ProtectiveNotOwn "protective.not-own",
        "another customer who shares the number or address consented; that ends nobody else's opt-out",
        "have the customer consent for themselves";
}

impl RefusalCode {
    /// The codes with which the host says that an event doesn't match a manifest. They tell its sender about
    /// the event and nothing about the customer, so no plug-in can refuse with them.
    pub const TELLS_SENDER: [RefusalCode; 2] = [RefusalCode::PropertyType, RefusalCode::PropertyMissing];

    /// The code as it stands in the log and in answers.
    pub const fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// Whether a recorded code is one of [`TELLS_SENDER`](RefusalCode::TELLS_SENDER).
    pub fn tells_sender(code: &str) -> bool {
        RefusalCode::TELLS_SENDER.iter().any(|reserved| reserved.as_str() == code)
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<RefusalCode> for String {
    fn from(code: RefusalCode) -> String {
        code.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- Written from host/contract/src/refusal.rs: `SAMSYN_WRITE_DOCS=1 cargo test -p samsyn-contract refusal`. -->\n";
    const END: &str = "<!-- End of the written table. -->\n";

    fn table() -> String {
        let mut table = "| code | cause | what to do |\n|---|---|---|\n".to_owned();
        for code in RefusalCode::ALL {
            let RefusalEntry { code, title, fix } = code.entry();
            table.push_str(&format!("| `{code}` | {title} | {fix} |\n"));
        }
        table
    }

    #[test]
    fn the_table_in_docs_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plugins.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("the table begins with its mark");
        let (found, after) = rest.split_once(END).expect("the table ends with its mark");
        let table = table();
        if std::env::var_os("SAMSYN_WRITE_DOCS").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
            return;
        }
        assert!(
            found == table,
            "docs/plugins.md is old: SAMSYN_WRITE_DOCS=1 cargo test -p samsyn-contract refusal"
        );
    }

    #[test]
    fn each_code_is_there_once_and_a_plug_in_could_have_chosen_it() {
        let mut codes: Vec<&str> = RefusalCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.iter().all(|code| crate::effects::is_code(code)), "{codes:?}");
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    /// The codes that a text names: words with a dot whose first part begins a code of ours.
    fn codes_in(text: &str) -> Vec<&str> {
        let part = |letter: char| letter.is_ascii_lowercase() || ".-".contains(letter);
        let words = text.split(|letter| !part(letter)).map(|word| word.trim_end_matches('.'));
        let first = |word: &str| word.split('.').next().unwrap_or_default().to_owned();
        let ours: Vec<String> = RefusalCode::ALL.iter().map(|code| first(code.as_str())).collect();
        words.filter(|word| word.contains('.') && ours.contains(&first(word))).collect()
    }

    #[test]
    fn the_contract_and_the_sdk_name_codes_that_exist() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
        let is_code = |word: &&str| RefusalCode::ALL.iter().any(|code| code.as_str() == *word);
        let contract = std::fs::read_to_string(format!("{folder}wit/plugin.wit")).unwrap();
        let named = codes_in(&contract);
        assert!(named.iter().all(is_code), "wit/plugin.wit: {named:?}");
        // What an effect can be refused as stands there; the others aren't answered to a handler.
        let answered = RefusalCode::ALL.iter().map(|code| code.as_str());
        let answered =
            answered.filter(|code| !code.starts_with("property.") && !code.starts_with("protective."));
        for code in answered {
            assert!(named.contains(&code), "wit/plugin.wit doesn't name {code}");
        }
        for file in ["effects.rs", "error.rs"] {
            let text = std::fs::read_to_string(format!("{folder}plugins/sdk/src/{file}")).unwrap();
            let comments = text.lines().map(str::trim_start).filter(|line| line.starts_with("/// "));
            for word in comments.flat_map(codes_in) {
                // Calls in examples, such as event.text, are no codes.
                assert!(is_code(&word) || !word.contains('-'), "{file}: {word}");
            }
        }
    }
}
