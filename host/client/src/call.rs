//! One call before it is made: method, path, query, body.

use serde::Serialize;

use super::ClientError;
use samsyn_vocabulary::{Reason, Timestamp};

/// What is sent with a call.
pub(super) enum Sent<'a> {
    Nothing,
    Json(Vec<u8>),
    MergePatch(Vec<u8>),
    Wasm(&'a [u8]),
    Toml(&'a [u8]),
    Text(&'a [u8]),
}

/// One call, before it is made.
pub(super) struct Call<'a> {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) sent: Sent<'a>,
    pub(super) wait: Option<u32>,
    /// Since when its events' ids may have been sent before.
    pub(super) ids_since: Option<Timestamp>,
}

impl Call<'_> {
    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Self {
        Call {
            method,
            path: path.into(),
            query: Vec::new(),
            sent: Sent::Nothing,
            wait: None,
            ids_since: None,
        }
    }

    pub(super) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub(super) fn flag(self, name: &'static str, on: bool) -> Self {
        if on { self.query(name, true) } else { self }
    }

    /// Why the registry is changed.
    pub(super) fn reason(self, reason: Option<&Reason>) -> Self {
        match reason {
            Some(reason) => self.query("reason", reason),
            None => self,
        }
    }

    pub(super) fn json(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        self.sent = Sent::Json(to_bytes(body)?);
        Ok(self)
    }

    pub(super) fn wait(mut self, seconds: Option<u32>) -> Self {
        self.wait = seconds;
        self
    }

    pub(super) fn url(&self, host: &str) -> String {
        let mut url = format!("{host}{}", self.path);
        for (number, (name, value)) in self.query.iter().enumerate() {
            url.push(if number == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.push_str(&percent_encoded(value));
        }
        url
    }
}

/// How a component is installed.
#[derive(Debug, Clone, Copy, Default)]
pub struct InstallHow<'a> {
    /// As a new generation that starts from the oldest event.
    pub from_start: bool,
    /// Deliver what it emits while it catches up.
    pub deliver: bool,
    /// An administrator has seen the plan and agrees to what it asks for.
    pub approve: bool,
    /// Fields that it brings are defined ones at once.
    pub accept_fields: bool,
    /// Why it is installed.
    pub reason: Option<&'a Reason>,
}

pub(super) fn install_call<'a>(component: &'a [u8], how: InstallHow<'_>) -> Call<'a> {
    let mut call = Call::new("POST", "/v1/capabilities");
    if how.from_start {
        call = call.query("from", "start");
    }
    call.sent = Sent::Wasm(component);
    let call = call.flag("deliver", how.deliver).flag("approve", how.approve);
    call.flag("accept_fields", how.accept_fields).reason(how.reason)
}

pub(super) fn narrowed<'a>(call: Call<'a>, fields: &[String], claims: bool) -> Call<'a> {
    let call = if fields.is_empty() { call } else { call.query("fields", fields.join(",")) };
    call.flag("claims", claims)
}

pub(super) fn profile_path(reference: &str, rest: &str) -> String {
    format!("/v1/profiles/{}{rest}", percent_encoded(reference))
}

pub(super) fn field_path(name: &str, rest: &str) -> String {
    format!("/v1/fields/{}{rest}", percent_encoded(name))
}

pub(super) fn to_bytes(body: &impl Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(body).map_err(|cause| ClientError::Unsendable { cause: cause.to_string() })
}

/// RFC 3986: everything but the unreserved characters as %XX. The colon of `identifier:value` is
/// encoded too; the host decodes once.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_carries_any_text() {
        let call = Call::new("GET", profile_path("customer_id:0 4/2", "/timeline")).query("cursor", "a+b=");
        assert_eq!(
            call.url("http://h"),
            "http://h/v1/profiles/customer_id%3A0%204%2F2/timeline?cursor=a%2Bb%3D"
        );
        assert_eq!(percent_encoded("é"), "%C3%A9");
    }
}
