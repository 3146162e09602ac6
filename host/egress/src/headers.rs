//! Which headers a plug-in may set, and which of an answer it gets.
//!
//! Both are lists of what is allowed. A header that would change where a request goes, who it is from, how long it
//! is, or which method it really has, can be granted to nobody.

use http::{HeaderMap, HeaderName, HeaderValue};
use samsyn_contract::calls::{
    HEADERS_BYTES_MAX as TOTAL_MAX, HEADERS_MAX as COUNT_MAX, header_name, is_header_of_all,
    is_header_of_host, is_header_value,
};

pub use samsyn_contract::calls::BadHeader;

/// Headers of an answer that are handed on, at most.
pub const ANSWER_COUNT_MAX: usize = 32;
/// Bytes of a header's value in an answer; a longer one is left out.
pub const ANSWER_VALUE_MAX: usize = 1024;
/// Bytes of all headers of an answer that are handed on.
pub const ANSWER_TOTAL_MAX: usize = 8 * 1024;

/// What of an answer every plug-in gets.
const ANSWER: &[&str] = &[
    "content-encoding",
    "content-language",
    "content-type",
    "date",
    "etag",
    "idempotency-replayed",
    "idempotent-replayed",
    "last-modified",
    "link",
    "location",
    "ratelimit",
    "ratelimit-limit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "ratelimit-reset",
    "request-id",
    "retry-after",
    "x-correlation-id",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// What of an answer nobody gets: it would be a credential, or is meant for the connection.
const ANSWER_NEVER: &[&str] = &[
    "authorization",
    "connection",
    "cookie",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "set-cookie",
    "set-cookie2",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// The headers of one endpoint: what its plug-in may set and gets back beyond what everybody may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderRules {
    granted: Vec<HeaderName>,
    answer: Vec<HeaderName>,
    reserved: Vec<HeaderName>,
}

impl HeaderRules {
    /// Rules with these granted headers of requests and of answers. `reserved` are the host's own at this endpoint:
    /// the idempotency key's header, and the one that authenticates.
    pub fn new(granted: &[String], answer: &[String], reserved: &[String]) -> Result<HeaderRules, BadHeader> {
        let reserved = names(reserved)?;
        let granted = names(granted)?;
        if let Some(never) =
            granted.iter().find(|name| is_header_of_host(name.as_str()) || reserved.contains(name))
        {
            return Err(BadHeader::Never(never.to_string()));
        }
        let answer = names(answer)?;
        if let Some(never) = answer.iter().find(|name| ANSWER_NEVER.contains(&name.as_str())) {
            return Err(BadHeader::Never(never.to_string()));
        }
        Ok(HeaderRules { granted, answer, reserved })
    }

    /// One header of a plug-in, if it may set it.
    pub fn check(&self, name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BadHeader> {
        let name = parse_name(name)?;
        if is_header_of_host(name.as_str()) || self.reserved.contains(&name) {
            return Err(BadHeader::Never(name.to_string()));
        }
        if !is_header_of_all(name.as_str()) && !self.granted.contains(&name) {
            return Err(BadHeader::NotGranted(name.to_string()));
        }
        let value = check_value(value).ok_or_else(|| BadHeader::Value(name.to_string()))?;
        Ok((name, value))
    }

    /// All headers of a plug-in's request.
    pub fn check_all(&self, headers: &[(String, String)]) -> Result<HeaderMap, BadHeader> {
        let total: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if headers.len() > COUNT_MAX || total > TOTAL_MAX {
            return Err(BadHeader::TooMany);
        }
        let mut map = HeaderMap::with_capacity(headers.len() + 8);
        for (name, value) in headers {
            let (name, value) = self.check(name, value)?;
            if map.contains_key(&name) {
                return Err(BadHeader::Twice(name.to_string()));
            }
            map.insert(name, value);
        }
        Ok(map)
    }

    /// The headers of an answer that are handed on, in the order in which they came. What isn't on the list, isn't
    /// text, or is too long is left out.
    pub fn answer(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        let mut kept = Vec::new();
        let mut total = 0;
        for (name, value) in headers {
            let listed = ANSWER.contains(&name.as_str()) || self.answer.contains(name);
            let Ok(text) = value.to_str() else { continue };
            if !listed || text.len() > ANSWER_VALUE_MAX {
                continue;
            }
            total += name.as_str().len() + text.len();
            if kept.len() == ANSWER_COUNT_MAX || total > ANSWER_TOTAL_MAX {
                break;
            }
            kept.push((name.as_str().to_owned(), text.to_owned()));
        }
        kept
    }
}

/// A value that can be sent.
pub(crate) fn check_value(value: &str) -> Option<HeaderValue> {
    is_header_value(value).then(|| HeaderValue::from_str(value).ok()).flatten()
}

fn parse_name(name: &str) -> Result<HeaderName, BadHeader> {
    let name = header_name(name)?;
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| BadHeader::Name(name))
}

fn names(names: &[String]) -> Result<Vec<HeaderName>, BadHeader> {
    names.iter().map(|name| parse_name(name)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use samsyn_contract::calls::{
        HEADER_NAME_MAX as NAME_MAX, HEADER_VALUE_MAX as VALUE_MAX, HEADERS_OF_ALL as ALLOWED,
        HEADERS_OF_HOST as NEVER,
    };

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn rules() -> HeaderRules {
        let reserved = owned(&["Idempotency-Key", "X-Api-Key"]);
        HeaderRules::new(&owned(&["X-Team", "X-Trace_Id"]), &owned(&["X-Quota"]), &reserved).unwrap()
    }

    #[test]
    fn what_is_allowed_or_granted_passes() {
        for (name, value) in [("Accept", "application/json"), ("CONTENT-TYPE", "text/plain; charset=utf-8")]
            .into_iter()
            .chain([("x-team", "crm"), ("If-Match", "\"a b\""), ("Prefer", "")])
        {
            let (checked, kept) = rules().check(name, value).unwrap();
            assert_eq!(
                (checked.as_str(), kept.to_str().unwrap()),
                (name.to_ascii_lowercase().as_str(), value)
            );
        }
    }

    #[test]
    fn what_is_the_hosts_is_never_granted() {
        for name in
            NEVER.iter().chain(&["Proxy-Authorization", "proxy-connection", "X-Forwarded-For"]).chain(&[
                "x-forwarded-host",
                "X_Forwarded_For",
                "content_length",
                "Transfer_Encoding",
                "x-amz-date",
                "Sec-Fetch-Site",
                "idempotency-key",
                "x-api-key",
            ])
        {
            assert_eq!(rules().check(name, "x"), Err(BadHeader::Never(name.to_ascii_lowercase())), "{name}");
            let reserved = owned(&["Idempotency-Key", "X-Api-Key"]);
            let granted = HeaderRules::new(&owned(&[name]), &[], &reserved);
            assert!(matches!(granted, Err(BadHeader::Never(_))), "{name} was granted");
        }
        for name in ANSWER_NEVER {
            assert!(HeaderRules::new(&[], &owned(&[name]), &[]).is_err(), "{name} was granted");
        }
        assert_eq!(rules().check("x-other", "x"), Err(BadHeader::NotGranted("x-other".to_owned())));
    }

    #[test]
    fn what_would_end_the_line_is_refused() {
        for value in
            ["a\r\nHost: x", "a\nb", "a\rb", "a\0b", "a\tb", "\u{7f}", "caf\u{e9}", " a", "a ", "\u{1f}"]
        {
            assert!(matches!(rules().check("accept", value), Err(BadHeader::Value(_))), "{value:?}");
        }
        let long = "x".repeat(VALUE_MAX + 1);
        assert!(matches!(rules().check("accept", &long), Err(BadHeader::Value(_))));
        for name in
            ["", "a b", "a:b", "a\r\nb", "a\0", "h\u{f6}st", ":authority", "a/b", &"x".repeat(NAME_MAX + 1)]
        {
            assert!(matches!(rules().check(name, "x"), Err(BadHeader::Name(_))), "{name:?}");
        }
    }

    #[test]
    fn number_and_size_are_bounded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let twice = [pair("Accept", "a"), pair("accept", "b")];
        assert_eq!(rules().check_all(&twice), Err(BadHeader::Twice("accept".to_owned())));
        let many = vec![pair("accept", "a"); COUNT_MAX + 1];
        assert_eq!(rules().check_all(&many), Err(BadHeader::TooMany));
        let large: Vec<_> = ALLOWED.iter().map(|name| pair(name, &"x".repeat(2500))).collect();
        assert_eq!(rules().check_all(&large), Err(BadHeader::TooMany));
    }

    #[test]
    fn of_an_answer_the_listed_ones_are_handed_on() {
        let mut map = HeaderMap::new();
        for (name, value) in
            [("content-type", "a/b"), ("set-cookie", "s=1"), ("x-quota", "3"), ("x-internal", "y")]
        {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map.append("etag", HeaderValue::from_bytes(b"\xff").unwrap());
        map.append("link", HeaderValue::from_str(&"x".repeat(ANSWER_VALUE_MAX + 1)).unwrap());
        let expected =
            vec![("content-type".to_owned(), "a/b".to_owned()), ("x-quota".to_owned(), "3".to_owned())];
        assert_eq!(rules().answer(&map), expected);
        let mut many = HeaderMap::new();
        for _ in 0..100 {
            many.append("link", HeaderValue::from_static("x"));
        }
        assert_eq!(rules().answer(&many).len(), ANSWER_COUNT_MAX);
        let mut large = HeaderMap::new();
        for _ in 0..30 {
            large.append("link", HeaderValue::from_str(&"x".repeat(1000)).unwrap());
        }
        assert_eq!(rules().answer(&large).len(), 8);
    }

    proptest! {
        /// A value that passes is sent as one line; a name that passes is on a list.
        #[test]
        fn accepted_is_one_line(name in "[a-zA-Z_:\r\n -]{0,20}", value in any::<String>()) {
            if let Ok((name, kept)) = rules().check(&name, &value) {
                prop_assert!(!is_header_of_host(name.as_str()));
                prop_assert_eq!(kept.as_bytes(), value.as_bytes());
            }
            if let Ok((_, kept)) = rules().check("accept", &value) {
                prop_assert!(kept.as_bytes().iter().all(|byte| (0x20..0x7F).contains(byte)));
            }
        }
    }
}
