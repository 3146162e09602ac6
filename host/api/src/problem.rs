//! What went wrong with a request, as an RFC 9457 document. Made from [`Kind`]s alone.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use samsyn_wire::media::PROBLEM_JSON;
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

pub use super::catalogue::Kind;
use samsyn_vocabulary::{did_you_mean, nearest};

/// Seconds a client should wait when a queue is full: it drains within one, and a client that
/// waits longer than needed loses little.
const RETRY_AFTER_S: u64 = 1;

/// A problem: which kind, where, what happened this time, and what to do.
///
/// The detail may repeat what the client sent back to the client; it is never logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub kind: Kind,
    /// What happened this time.
    pub detail: String,
    /// Where in the request, such as `events[3].identifiers.customer_id`.
    pub place: Option<String>,
    /// What to do, when it can be said better than the catalogue says it.
    pub next: Option<Cow<'static, str>>,
    /// After how many seconds the same request may succeed, when that is known.
    pub after: Option<u64>,
    /// The event that was decided otherwise than its sender wished, as JSON.
    pub event: Option<Box<str>>,
}

/// An answer or a problem.
pub type Answer<T = Response> = Result<T, Problem>;

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), place: None, next: None, after: None, event: None }
    }

    /// Says where.
    pub fn at(mut self, place: impl Into<String>) -> Problem {
        self.place = Some(place.into());
        self
    }

    /// Says what to do.
    pub fn next(mut self, next: impl Into<Cow<'static, str>>) -> Problem {
        self.next = Some(next.into());
        self
    }

    /// Asks whether one of the known words was meant, before what to do otherwise.
    pub fn nearest<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Problem {
        if let Some(question) = did_you_mean(&nearest(word, known)) {
            let next = self.next.as_deref().unwrap_or(self.kind.entry().fix);
            self.next = Some(format!("{question} {next}").into());
        }
        self
    }

    /// Says after how many seconds it is worth trying again.
    pub fn after(mut self, seconds: u64) -> Problem {
        self.after = Some(seconds);
        self
    }

    /// Tells of the event that was taken all the same: JSON, as `GET /v1/events/{id}` answers it.
    pub fn of_event(mut self, event: &impl Serialize) -> Problem {
        self.event = serde_json::to_string(event).ok().map(String::into_boxed_str);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.kind.entry().status
    }

    /// Whether the same request may succeed in a while: nothing is wrong with it.
    pub fn is_passing(&self) -> bool {
        self.kind.entry().retryable
    }

    /// After how many seconds the same request may succeed; none when only another one can.
    pub fn retry_after(&self) -> Option<u64> {
        self.is_passing().then(|| self.after.unwrap_or(RETRY_AFTER_S))
    }

    /// Whether it says something of the host and nothing of the request.
    pub fn is_of_the_host(&self) -> bool {
        self.is_passing() || self.status().is_server_error()
    }

    /// Internal error: the cause goes to the log, the client learns that it is there.
    pub fn internal(cause: impl std::fmt::Display) -> Problem {
        tracing::error!(%cause, "a request failed with an internal error");
        Problem::new(Kind::Internal, "the request failed; the host's log has the cause")
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.event.as_deref().and_then(|event| serde_json::from_str::<&RawValue>(event).ok());
        let document = samsyn_wire::Problem {
            place: self.place.as_deref().map(Into::into),
            next: self.next.as_deref().unwrap_or(self.kind.entry().fix).into(),
            event,
            ..samsyn_wire::Problem::of(self.kind, &self.detail)
        };
        document.serialize(serializer)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Plain texts: encoding them can't fail.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"samsyn\""));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::UnknownEncoding {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, identity"));
        }
        if matches!(self.kind, Kind::SlowBody | Kind::BodyTooLarge | Kind::BodyIncomplete | Kind::HostInvalid)
        {
            // The rest of the body was not read, or isn't to be trusted, so the connection can't be used again.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::KINDS;
    use super::*;

    #[test]
    fn a_document_has_every_member_a_client_reads() {
        let problem = Problem::new(Kind::WrongType, "must be a text").at("events[3].name");
        let json: serde_json::Value = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["type"], "/errors#wrong-type");
        assert_eq!(json["status"], 422);
        assert_eq!(json["code"], "wrong-type");
        assert_eq!(json["place"], "events[3].name");
        assert_eq!(json["message"], "Wrong type: must be a text");
        assert_eq!(json["next"], Kind::WrongType.entry().fix);
        let other = serde_json::to_value(problem.next("do this")).unwrap();
        assert_eq!(other["next"], "do this");
    }

    #[test]
    fn headers_say_what_their_status_asks_for() {
        let response = Problem::new(Kind::Unauthorized, "").into_response();
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
        for kind in KINDS {
            let response = Problem::new(*kind, "").into_response();
            let passing = matches!(response.status().as_u16(), 429 | 503)
                && !matches!(kind, Kind::ComponentCompilerUnavailable | Kind::ComponentNotKept);
            assert_eq!(response.headers().contains_key("retry-after"), passing, "{kind:?}");
        }
    }

    #[test]
    fn a_document_says_whether_the_same_may_be_sent_again() {
        for kind in KINDS {
            let problem = Problem::new(*kind, "");
            let json: serde_json::Value = serde_json::to_value(&problem).unwrap();
            let has_retry_after = problem.into_response().headers().contains_key("retry-after");
            assert_eq!(json["retryable"], has_retry_after, "{kind:?}");
        }
    }
}
