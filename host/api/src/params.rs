//! What a path and a query say, read into types; what can't be read is a problem by name.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
pub use samsyn_wire::query::{DryRun, ListParams, Why};
use serde::de::DeserializeOwned;

use super::json;
use super::problem::{Answer, Kind, Problem};
use samsyn_vocabulary::{Epoch, IdentifierName, ProfileId};

/// The one variable segment of a path, percent-decoded once.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segment, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Segment(segment)),
            Err(_) => Err(Problem::new(Kind::NotFound, "the path is not percent-encoded UTF-8")),
        }
    }
}

/// The two variable segments of a path, each percent-decoded once.
pub struct Segments(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Segments, Problem> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(Segments(first, second)),
            Err(_) => Err(Problem::new(Kind::NotFound, "the path is not percent-encoded UTF-8")),
        }
    }
}

/// A query, read into a type that refuses unknown keys.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Params<T>, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Params(params)),
            Err(rejection) => {
                use std::error::Error;
                // The outer text only says that a query string can't be read.
                let cause = rejection.source().map_or_else(|| rejection.body_text(), ToString::to_string);
                let problem = Problem::new(Kind::QueryInvalid, cause.as_str());
                // What fails at a time is most often a count since 1970; serde doesn't say of which parameter.
                let epoch = parts.uri.query().filter(|_| cause.contains("RFC 3339")).and_then(epoch_in);
                Err(match (epoch, json::mistyped(&cause)) {
                    (Some((name, epoch)), _) => {
                        problem.next(format!("Write `{name}={}`: {epoch}.", epoch.at))
                    }
                    (None, Some((word, known))) => problem.nearest(word, known),
                    (None, None) => problem,
                })
            }
        }
    }
}

/// The first parameter of a query whose value looks like a count since 1970.
fn epoch_in(query: &str) -> Option<(&str, Epoch)> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(name, value)| Some((json::shortened(name), Epoch::of(value)?)))
}

/// A reference to a profile: its id, or a name it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By id.
    Id(ProfileId),
    /// By `identifier:value`.
    By(IdentifierName, String),
}

impl Reference {
    /// Reads a reference that has been percent-decoded: split at the first colon, so that a value
    /// may hold more of them.
    pub fn parse(text: &str) -> Answer<Reference> {
        let invalid = |detail: String| Problem::new(Kind::ReferenceInvalid, detail).at("ref");
        let Some((name, value)) = text.split_once(':') else {
            let wrong = |_| {
                invalid(format!(
                    "{:?} is neither a profile id nor `identifier:value`",
                    super::json::shortened(text)
                ))
            };
            return text.parse().map(Reference::Id).map_err(wrong);
        };
        let name = IdentifierName::new(name).map_err(|error| invalid(error.to_string()))?;
        Ok(Reference::By(name, value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_split_at_the_first_colon() {
        let by = |name, value: &str| Reference::By(IdentifierName::new(name).unwrap(), value.to_owned());
        assert_eq!(Reference::parse("customer_id:00042").unwrap(), by("customer_id", "00042"));
        assert_eq!(Reference::parse("urn:a:b%20").unwrap(), by("urn", "a:b%20"));
        let id = ProfileId::random();
        assert_eq!(Reference::parse(&id.to_string()).unwrap(), Reference::Id(id));
        for bad in ["", "00042", "Customer:1", ":1"] {
            assert_eq!(Reference::parse(bad).unwrap_err().kind, Kind::ReferenceInvalid, "{bad}");
        }
    }
}
