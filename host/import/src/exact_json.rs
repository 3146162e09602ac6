//! A cell of JSON, without loss: what would be dropped or rounded on the way is refused.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use samsyn_vocabulary::Decimal;

/// How deep lists and objects may lie in each other.
const DEPTH_MAX: usize = 64;

/// Reads JSON. A name that an object has twice, and a number that a double can't hold, are errors.
pub fn read(text: &str) -> Result<Json, String> {
    let no_json = |cause: serde_json::Error| format!("it is not JSON: {cause}");
    // Before anything: a text that isn't JSON as a whole says so.
    let raw: &RawValue = serde_json::from_str(text).map_err(no_json)?;
    value(raw.get(), DEPTH_MAX)
}

fn value(text: &str, depth: usize) -> Result<Json, String> {
    let no_json = |cause: serde_json::Error| format!("it is not JSON: {cause}");
    if depth == 0 {
        return Err(format!("the JSON is nested deeper than {DEPTH_MAX} levels"));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let mut members = Map::new();
            for (name, member) in
                serde_json::Deserializer::from_str(text).deserialize_map(Members).map_err(no_json)?
            {
                let member = value(member.get(), depth - 1)?;
                if members.insert(name.clone(), member).is_some() {
                    return Err(format!("an object of the JSON has {name:?} twice"));
                }
            }
            Ok(members.into())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(no_json)?;
            let items = items.into_iter().map(|item| value(item.get(), depth - 1));
            items.collect::<Result<Vec<_>, String>>().map(Json::from)
        }
        Some(b'-' | b'0'..=b'9') => {
            let number: Json = serde_json::from_str(text).map_err(no_json)?;
            let same =
                Decimal::parse(text).is_some_and(|exact| Decimal::parse(&number.to_string()) == Some(exact));
            if same { Ok(number) } else { Err(format!("{text} would be rounded: write it as a string")) }
        }
        _ => serde_json::from_str(text).map_err(no_json),
    }
}

/// An object's members, all of them.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
