//! Requests to systems, and their answers.

use crate::{Effects, Refusal};

/// A request that a handler began with [`Effects::call`]. The host sends it after the handler has returned ok.
#[derive(Debug)]
pub struct Call<'e> {
    pub(crate) effects: &'e mut Effects,
    pub(crate) number: u32,
}

impl Call<'_> {
    /// Adds a part to the query. The host encodes it.
    ///
    /// # Errors
    ///
    /// `call.query`: a part without a name or with a control character, more than 64 parts, or more than 8 KiB.
    pub fn query(self, name: &str, value: &str) -> Result<Self, Refusal> {
        self.effects.host.call_query(self.number, name, value)?;
        Ok(self)
    }

    /// Sets a header: `accept`, `if-match`, `prefer` and a few others. The host sets what the endpoint needs.
    ///
    /// # Errors
    ///
    /// `call.header`: it can't be set by a plug-in, is set twice, or its value is no line of visible ASCII.
    pub fn header(self, name: &str, value: &str) -> Result<Self, Refusal> {
        self.effects.host.call_header(self.number, name, value)?;
        Ok(self)
    }

    /// Sets the body, with its media type, such as `application/json`.
    ///
    /// # Errors
    ///
    /// `call.body`: more than 64 KiB, a GET or HEAD request, or no media type.
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Result<Self, Refusal> {
        self.effects.host.call_body(self.number, media_type, body.into())?;
        Ok(self)
    }

    /// Keeps up to 4 KiB that come back with the answer.
    ///
    /// # Errors
    ///
    /// `call.note`: it has more.
    pub fn note(self, note: impl Into<Vec<u8>>) -> Result<Self, Refusal> {
        self.effects.host.call_note(self.number, note.into())?;
        Ok(self)
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The system answered. Whether it did what it was asked, the status says.
    Response(Response),
    /// Nothing was sent, and nothing will be. Why, as a code and a sentence: `dns: …`.
    NotSent(String),
    /// It isn't known whether the system has seen the request. Why, as a code and a sentence.
    Unknown(String),
}

/// What a look-up found of a call in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The system has it: the look-up's answer is the call's answer.
    Found,
    /// The system doesn't have it, and will not get it by itself: the host sends it again.
    Absent,
    /// The answer doesn't tell: the call ends unknown.
    Unknown,
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status, 200 to 599.
    pub status: u16,
    /// Some headers, names in lower case: `content-type`, `etag`, `location`, `retry-after` and others.
    pub headers: Vec<(String, String)>,
    /// The body, as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The answer, when the system gave one with a status of 200 to 299.
    pub fn success(&self) -> Option<&Response> {
        match self {
            Answer::Response(response) if (200..300).contains(&response.status) => Some(response),
            _ => None,
        }
    }
}

impl Response {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; none when it isn't UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }
}
