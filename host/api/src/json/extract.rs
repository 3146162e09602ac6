//! Takes a JSON text apart level by level: members, elements and strings, each as it stands there.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use samsyn_vocabulary::Members;

use super::path::{JsonPath, shortened};
use super::scan::kind_of;
use crate::problem::{Kind, Problem};

/// Up to this many keys are compared one by one; beyond it, with a table.
const KEYS_COMPARED_MAX: usize = 16;

/// The elements of a list: the first `KEPT` as they stand there, and how many there are.
pub struct Elements<'a, const KEPT: usize> {
    /// At most `KEPT`.
    pub kept: Vec<&'a RawValue>,
    /// All of them.
    pub count: usize,
}

impl<'de: 'a, 'a, const KEPT: usize> Deserialize<'de> for Elements<'a, KEPT> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<const KEPT: usize>;
        impl<'de, const KEPT: usize> Visitor<'de> for List<KEPT> {
            type Value = Elements<'de, KEPT>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::with_capacity(128.min(KEPT));
                while kept.len() < KEPT {
                    match list.next_element()? {
                        Some(element) => kept.push(element),
                        None => return Ok(Elements { count: kept.len(), kept }),
                    }
                }
                let mut count = kept.len();
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Elements { kept, count })
            }
        }
        deserializer.deserialize_seq(List::<KEPT>)
    }
}

/// Reads a text that is known to be JSON as an object; `what` names it in the problem.
pub fn members<'a>(json: &'a str, path: &JsonPath<'_>, what: &str) -> Result<Members<'a>, Problem> {
    if !json.starts_with('{') {
        return Err(path.problem(Kind::WrongType, format!("{what} must be an object, not {}", kind_of(json))));
    }
    // It was read as JSON before; what can still be wrong is half a surrogate pair in a key.
    let members: Members<'a> = serde_json::from_str(json)
        .map_err(|error| path.problem(Kind::MalformedJson, format!("invalid key in {what}: {error}")))?;
    refuse_duplicates(&members, path)?;
    Ok(members)
}

pub(super) fn refuse_duplicates(members: &Members<'_>, path: &JsonPath<'_>) -> Result<(), Problem> {
    let members = &members.0;
    let duplicate = if members.len() <= KEYS_COMPARED_MAX {
        let earlier = |at: usize| members[..at].iter().any(|(key, _)| *key == members[at].0);
        (1..members.len()).find(|at| earlier(*at))
    } else {
        let mut seen = HashSet::with_capacity(members.len());
        members.iter().position(|(key, _)| !seen.insert(key.as_ref()))
    };
    let Some(at) = duplicate else { return Ok(()) };
    let key = &members[at].0;
    Err(path.key(key).problem(Kind::DuplicateKey, format!("{:?} is there twice", shortened(key))))
}

/// Reads a text; `what` names it in the problem.
pub fn text<'a>(value: &'a RawValue, path: &JsonPath<'_>, what: &str) -> Result<Cow<'a, str>, Problem> {
    let json = value.get();
    let Some(inner) = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        let problem =
            path.problem(Kind::WrongType, format!("{what} must be a string, not {}", kind_of(json)));
        let is_number = json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        return Err(if is_number && json.len() <= 20 {
            problem.next(format!(
                "Write it in quotes, \"{json}\": a number loses leading zeros and digits of long ids."
            ))
        } else {
            problem
        });
    };
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let read: String = serde_json::from_str(json)
        .map_err(|_| path.problem(Kind::MalformedJson, format!("{what} has an invalid escape")))?;
    Ok(Cow::Owned(read))
}
