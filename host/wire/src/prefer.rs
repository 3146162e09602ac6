//! `Prefer: wait=5` (RFC 7240): how long a client would like to wait for the decision.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response};

/// The header, which the `http` crate has no constant for.
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// The longest wait, in seconds: proxies give up on an answer after sixty.
const WAIT_SECONDS_MAX: u64 = 30;

/// A wait that was asked for, cut to what the host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    seconds: u64,
}

impl Wait {
    /// The wait a request prefers. A preference that can't be read is ignored, as the RFC says;
    /// of several the first counts.
    pub fn of(headers: &HeaderMap) -> Option<Wait> {
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let seconds = values.flat_map(|value| value.split(',')).find_map(|preference| {
            let (name, value) = preference.split(';').next()?.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("wait")
                .then(|| value.trim().trim_matches('"').parse::<u64>().ok())
        });
        let seconds = seconds.flatten().filter(|seconds| *seconds > 0)?;
        Some(Wait { seconds: seconds.min(WAIT_SECONDS_MAX) })
    }

    /// How long.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Says in an answer that the preference was honoured, and with which value.
    pub fn applied<B>(self, mut response: Response<B>) -> Response<B> {
        if let Ok(value) = HeaderValue::try_from(format!("wait={}", self.seconds)) {
            response.headers_mut().insert(PREFERENCE_APPLIED, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_readable_wait_counts() {
        let wait = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(PREFER, HeaderValue::from_str(value).unwrap());
            }
            Wait::of(&headers).map(|wait| wait.seconds)
        };
        assert_eq!(wait(&["wait=5"]), Some(5));
        assert_eq!(wait(&["respond-async, Wait = \"7\"; x=1"]), Some(7));
        assert_eq!(wait(&["return=minimal", "wait=3, wait=9"]), Some(3));
        assert_eq!(wait(&["wait=86400"]), Some(30));
        for ignored in [&[][..], &["wait"], &["wait=0"], &["wait=-1"], &["wait=soon"], &["waiting=3"]] {
            assert_eq!(wait(ignored), None, "{ignored:?}");
        }
    }
}
