//! `[calls.NAME]`: the systems that a plug-in asks to call. A manifest requests an endpoint; an administrator
//! binds it to an address and to secrets, which the plug-in never sees.
//!
//! | file | what it has |
//! |---|---|
//! | this one | what a manifest says of an endpoint, with its defaults and limits |
//! | `amount` | durations, sizes and rates as texts |
//! | `address` | base URLs, networks, names of headers |
//! | `place` `headers` | what a plug-in may say of a request: path, query, headers |
//! | `rows` | what a manifest says of an endpoint whose requests the host makes of the rows of many customers |
//! | `word` | methods, retry classes, whom an endpoint reaches, kinds of authentication |

mod address;
mod amount;
mod headers;
mod place;
mod rows;
mod word;

use serde::{Deserialize, Serialize};

pub use address::{BaseUrl, HeaderName, Network, UrlError};
pub use amount::{AmountError, RATE_DEFAULT, Rate, Size, Span};
pub use headers::{
    BadHeader, HEADER_NAME_MAX, HEADER_VALUE_MAX, HEADERS_BYTES_MAX, HEADERS_MAX, HEADERS_OF_ALL,
    HEADERS_OF_HOST, check_header, header_name, is_header_of_all, is_header_of_host, is_header_value,
};
pub use place::{BadPlace, PATH_DECODINGS, QUERY_MAX, URL_MAX, below_base, check_path, check_query};
pub use rows::{ROWS_BYTES_MAX, ROWS_MAX, RowFormat, Rows, cells};
pub use word::{AuthKind, Method, Reaches, Repeat};

use schemars::JsonSchema;

/// Endpoints of one plug-in, at the most: each is bound by hand.
pub const ENDPOINTS_MAX: usize = 32;
/// Exchanges with one endpoint at the same time, at the most. All of them are in doubt after a crash.
pub const PARALLEL_MAX: u32 = 64;
/// Exchanges at the same time, if the manifest doesn't say.
pub const PARALLEL_DEFAULT: u32 = 4;
/// The shortest time for one attempt.
pub const TIMEOUT_MIN: Span = Span::seconds(1);
/// The longest time for one attempt: an exchange takes a place of `parallel` for as long.
pub const TIMEOUT_MAX: Span = Span::seconds(120);
/// The time for one attempt, if the manifest doesn't say.
pub const TIMEOUT_DEFAULT: Span = Span::seconds(30);
/// The largest answer: it stands in the log and goes to a handler as a whole.
pub const ANSWER_MAX: Size = Size::kib(64);
/// Requests of a rate, at the most.
pub const RATE_COUNT_MAX: u32 = 10_000;
/// The longest time that a rate is about.
pub const RATE_SPAN_MAX: Span = Span::seconds(24 * 3600);
/// Hours for which a system must know a key at the least: the host stops using a key an hour before.
pub const KEY_HOURS_MIN: u32 = 2;
/// Hours for which a system may know a key at the most: 30 days.
pub const KEY_HOURS_MAX: u32 = 720;
/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 500;

/// How a system recognises a request that it has seen: a header with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "IdempotencyKey")]
pub struct KeyHeader {
    /// The header that carries the key, such as `Idempotency-Key`.
    pub header: HeaderName,
    /// For how many hours the system remembers a key: 2 to 720.
    #[schemars(range(min = KEY_HOURS_MIN, max = KEY_HOURS_MAX))]
    pub hours: u32,
}

/// What a manifest says of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// What it is called for, for whoever decides about it.
    pub reason: String,
    /// The address that the author suggests.
    #[serde(default)]
    pub url: Option<BaseUrl>,
    /// The methods it wants to use.
    pub methods: Vec<Method>,
    /// How the system usually knows its callers.
    #[serde(default)]
    pub auth: Option<AuthKind>,
    /// What happens to an exchange without a known answer; see [`CallRequest::repeat`].
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// The key of `keyed`.
    #[serde(default)]
    pub key: Option<KeyHeader>,
    /// Whom it reaches.
    #[serde(default)]
    pub reaches: Reaches,
    /// How many requests in which time.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// Exchanges at the same time.
    #[serde(default)]
    pub parallel: Option<u32>,
    /// The time for one attempt.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// The largest answer.
    #[serde(default)]
    pub answer_max: Option<Size>,
    /// It takes rows, which the host makes requests of. A plug-in begins none itself.
    #[serde(default)]
    pub rows: Option<Rows>,
}

impl CallRequest {
    /// What happens to an exchange without a known answer. If the manifest doesn't say: `safe` where only GET and
    /// HEAD are requested, which change nothing at a system (RFC 9110, 9.2.1), and `once` where anything else is.
    pub fn repeat(&self) -> Repeat {
        let reads = self.methods.iter().all(|method| method.only_reads());
        self.repeat.unwrap_or(if reads { Repeat::Safe } else { Repeat::Once })
    }

    /// Exchanges at the same time.
    pub fn parallel(&self) -> u32 {
        self.parallel.unwrap_or(PARALLEL_DEFAULT)
    }

    /// How many requests in which time.
    pub fn rate(&self) -> Rate {
        self.rate.unwrap_or(RATE_DEFAULT)
    }

    /// The time for one attempt.
    pub fn timeout(&self) -> Span {
        self.timeout.unwrap_or(TIMEOUT_DEFAULT)
    }

    /// The largest answer.
    pub fn answer_max(&self) -> Size {
        self.answer_max.unwrap_or(ANSWER_MAX)
    }

    /// Whether it asks for more than another request of the same endpoint: a method, a class that repeats more
    /// readily, or customers instead of systems.
    pub fn is_wider_than(&self, before: &CallRequest) -> bool {
        self.methods.iter().any(|method| !before.methods.contains(method))
            || self.repeat() > before.repeat()
            || self.reaches > before.reaches
    }

    /// What is wrong with it, as the end of a sentence that begins with its place.
    pub(crate) fn check(&self) -> Result<(), String> {
        let reason = self.reason.trim();
        if reason.is_empty() || reason.len() > REASON_BYTES_MAX || reason.chars().any(char::is_control) {
            return Err(format!(
                "reason must have 1 to {REASON_BYTES_MAX} bytes and no control characters: it says what the calls are for"
            ));
        }
        check_methods(&self.methods)?;
        check_repeat(self.repeat(), self.key.as_ref())?;
        if let Some(rows) = &self.rows {
            rows.check(&self.methods, self.repeat())?;
        }
        check_amounts(self.parallel(), self.timeout(), self.answer_max())
    }
}

/// Whether a list of methods can be granted or requested.
pub fn check_methods(methods: &[Method]) -> Result<(), String> {
    if methods.is_empty() {
        return Err("methods is empty; name at least one, such as methods = [\"GET\"]".to_owned());
    }
    let twice = methods.iter().enumerate().find(|(at, method)| methods[..*at].contains(method));
    match twice {
        Some((_, method)) => Err(format!("methods has {method} twice; remove one")),
        None => Ok(()),
    }
}

/// Whether a class and a key fit each other.
pub fn check_repeat(repeat: Repeat, key: Option<&KeyHeader>) -> Result<(), String> {
    match (repeat, key) {
        (Repeat::Keyed, None) => {
            Err("repeat = \"keyed\" needs a key, such as key = { header = \"Idempotency-Key\", hours = 24 }"
                .to_owned())
        }
        (Repeat::Keyed, Some(key)) => {
            if !(KEY_HOURS_MIN..=KEY_HOURS_MAX).contains(&key.hours) {
                return Err(format!(
                    "key: hours must be {KEY_HOURS_MIN} to {KEY_HOURS_MAX}, not {}: the host stops using a key an hour \
                     before the system forgets it; a system with a shorter memory is repeat = \"once\"",
                    key.hours
                ));
            }
            key.header.check_key()
        }
        (other, Some(_)) => Err(format!(
            "key is allowed for repeat = \"keyed\", not for {:?}; remove it or change repeat",
            other.as_str()
        )),
        (_, None) => Ok(()),
    }
}

/// Whether these amounts are within the limits.
pub fn check_amounts(parallel: u32, timeout: Span, answer_max: Size) -> Result<(), String> {
    if !(1..=PARALLEL_MAX).contains(&parallel) {
        return Err(format!("parallel must be 1 to {PARALLEL_MAX}, not {parallel}"));
    }
    if !(TIMEOUT_MIN..=TIMEOUT_MAX).contains(&timeout) {
        return Err(format!("timeout must be {TIMEOUT_MIN} to {TIMEOUT_MAX}, not {timeout}"));
    }
    if answer_max > ANSWER_MAX {
        return Err(format!("answer_max can be {ANSWER_MAX} at the most, not {answer_max}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
