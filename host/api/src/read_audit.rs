//! Records each read of personal data before the answer leaves.
//!
//! A handler whose answer may show values takes a [`Reader`], notes what it shows in a [`Shown`],
//! and awaits [`record_read`] between making the answer and giving it.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::ApiState;
use super::problem::{Answer, Kind, Problem};
use super::trace::Call;
use super::visibility::Viewer;
use samsyn_audit::Read;
use samsyn_registry::{DataClass, Registry};
use samsyn_vocabulary::{Application, FieldName, IdentifierName, ProfileId};

/// The header in which a caller may say what it reads for.
pub const PURPOSE_HEADER: &str = "samsyn-purpose";
/// The longest purpose, in bytes: a ticket's number or a sentence. It is kept with every read.
const PURPOSE_BYTES_MAX: usize = 200;

/// The reader: its application and token, the request, and the purpose.
#[derive(Clone, Debug)]
pub struct Reader {
    by: Application,
    token: String,
    call: Call,
    purpose: Option<String>,
}

impl FromRequestParts<ApiState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &ApiState) -> Result<Reader, Problem> {
        let missing = || Problem::internal("a call that shows personal data doesn't know its caller");
        let viewer = parts.extensions.get::<Viewer>().ok_or_else(missing)?;
        let (by, token) = (viewer.application().clone(), viewer.token_name().to_string());
        let call = *parts.extensions.get::<Call>().ok_or_else(missing)?;
        Ok(Reader { by, token, call, purpose: purpose(&parts.headers)? })
    }
}

/// What the caller reads for; none when it doesn't say.
fn purpose(headers: &HeaderMap) -> Answer<Option<String>> {
    let invalid = |detail: &str| Err(Problem::new(Kind::PurposeInvalid, detail).at("Samsyn-Purpose"));
    let mut sent = headers.get_all(PURPOSE_HEADER).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return if headers.contains_key(PURPOSE_HEADER) {
            invalid("`Samsyn-Purpose` is there twice")
        } else {
            Ok(None)
        };
    };
    let Ok(text) = std::str::from_utf8(value.as_bytes()) else { return invalid("it is not UTF-8") };
    match text.trim() {
        "" => Ok(None),
        text if text.len() > PURPOSE_BYTES_MAX => invalid("it is longer than 200 bytes"),
        text if text.chars().any(char::is_control) => invalid("it has a control character"),
        text => Ok(Some(text.to_owned())),
    }
}

/// What an answer shows of one person: names of personal fields and identifiers whose values are
/// in it.
#[derive(Clone, Debug)]
pub struct Shown {
    profile: ProfileId,
    fields: BTreeSet<FieldName>,
    identifiers: BTreeSet<IdentifierName>,
}

impl Shown {
    /// Nothing yet.
    pub fn of(profile: ProfileId) -> Shown {
        Shown { profile, fields: BTreeSet::new(), identifiers: BTreeSet::new() }
    }

    /// A field's value is in the answer. Only personal ones count; one the dictionary no longer
    /// knows could be anything.
    pub fn field(&mut self, name: &str, registry: &Registry) {
        let known = registry.fields.get_key_value(name);
        if known.is_some_and(|(_, field)| field.class == DataClass::None) || self.fields.contains(name) {
            return;
        }
        let name = known.map_or_else(|| FieldName::new(name).ok(), |(name, _)| Some(name.clone()));
        self.fields.extend(name);
    }

    /// [`Shown::field`], for an answer that shows one field.
    pub fn with(mut self, name: &FieldName, registry: &Registry) -> Shown {
        self.field(name.as_str(), registry);
        self
    }

    /// An identifier's value is in the answer.
    pub fn identifier(&mut self, name: &str) {
        if !self.identifiers.contains(name) {
            self.identifiers.extend(IdentifierName::new(name));
        }
    }

    fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.identifiers.is_empty()
    }
}

/// Records what an answer shows, of one person or of several, and waits until that is on the disk.
/// An answer that shows nothing personal waits for nothing. When it can't be recorded the answer
/// must not be given: `audit-unavailable`, 503.
pub async fn record_read(
    state: &ApiState,
    reader: &Reader,
    shown: impl IntoIterator<Item = Shown>,
) -> Answer<()> {
    let at = state.engine.clock().now();
    let reads = shown.into_iter().filter(|shown| !shown.is_empty()).map(|shown| Read {
        at,
        by: reader.by.clone(),
        token: Some(reader.token.clone()),
        call: reader.call.to_string(),
        profile: shown.profile,
        fields: shown.fields.into_iter().collect(),
        identifiers: shown.identifiers.into_iter().collect(),
        purpose: reader.purpose.clone(),
    });
    let reads: Vec<Read> = reads.collect();
    if reads.is_empty() {
        return Ok(());
    }
    let recorded = state.audit.record(reads).await;
    recorded.map_err(|error| Problem::new(Kind::AuditUnavailable, error.to_string()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_purpose_is_a_short_line_or_none() {
        let of = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(PURPOSE_HEADER, HeaderValue::from_bytes(value).unwrap());
            }
            purpose(&headers)
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[b" "]), Ok(None));
        assert_eq!(of(&["ärende 42".as_bytes()]).unwrap().as_deref(), Some("ärende 42"));
        for bad in [&[&b"a"[..], b"b"][..], &[&[b'x'; 201]], &[b"\xff"], &[b"a\tb"]] {
            assert_eq!(of(bad).unwrap_err().kind, Kind::PurposeInvalid);
        }
    }
}
