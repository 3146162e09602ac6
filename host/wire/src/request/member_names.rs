//! Which members a type has, as its reader knows them.

use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// The names of the members that `T` is read from, older names too. Empty for what is no object with members
/// of its own.
pub fn member_names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It reads nothing: it only notes what was asked for.
    let _ = T::deserialize(Asked(&mut names));
    names
}

/// Notes the names that a type asks for, and has nothing to read.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = names;
        self.deserialize_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("there is nothing to read"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{NewToken, OneAssignment, SettingsPatch};

    #[test]
    fn a_type_tells_its_members() {
        let mut names = member_names::<OneAssignment>().to_vec();
        names.sort_unstable();
        assert_eq!(names, ["capability", "mode", "revision", "source"]);
        assert!(member_names::<NewToken>().contains(&"expires"));
        assert!(member_names::<SettingsPatch<serde_json::Value>>().is_empty());
        assert!(member_names::<String>().is_empty());
    }
}
