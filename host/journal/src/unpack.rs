//! Reads MessagePack from memory: what [`encode`](super::encode) writes and what the view keeps.
//!
//! Records are read far more often than anything else is: by a replay, by a rebuild, by whoever asks
//! for a timeline. `rmp_serde` reads from anything that can be read and pays for that at every byte;
//! this reads from a slice, and passes what nobody asked for without looking into it.

use serde::de::value::SeqDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

/// Lists and maps within one another at most; a record has a dozen.
const DEPTH_MAX: u16 = 256;

/// Bytes that aren't what is wanted.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(String);

impl Unreadable {
    #[cold]
    fn new(why: &str) -> Unreadable {
        Unreadable(why.to_owned())
    }

    #[cold]
    fn marker(marker: u8, wanted: &str) -> Unreadable {
        Unreadable(format!("the byte {marker:#04x} begins no {wanted}"))
    }
}

impl de::Error for Unreadable {
    fn custom<T: std::fmt::Display>(why: T) -> Unreadable {
        Unreadable(why.to_string())
    }
}

/// Reads one value after the other.
pub(super) struct Unpacker<'de> {
    rest: &'de [u8],
    depth: u16,
}

impl<'de> Unpacker<'de> {
    pub(super) fn new(bytes: &'de [u8]) -> Unpacker<'de> {
        Unpacker { rest: bytes, depth: 0 }
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.rest.split_first().ok_or_else(ends)?;
        self.rest = rest;
        Ok(*first)
    }

    #[inline]
    fn peek(&self) -> Result<u8, Unreadable> {
        self.rest.first().copied().ok_or_else(ends)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'de [u8], Unreadable> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(ends)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(ends)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    fn length8(&mut self) -> Result<usize, Unreadable> {
        Ok(usize::from(self.byte()?))
    }

    #[inline]
    fn length16(&mut self) -> Result<usize, Unreadable> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }

    #[inline]
    fn length32(&mut self) -> Result<usize, Unreadable> {
        Ok(u32::from_be_bytes(self.array()?) as usize)
    }

    /// The bytes of a text that begins with this marker.
    #[inline]
    fn text(&mut self, marker: u8) -> Result<&'de [u8], Unreadable> {
        let length = match marker {
            0xa0..=0xbf => usize::from(marker & 0x1f),
            0xd9 => self.length8()?,
            0xda => self.length16()?,
            0xdb => self.length32()?,
            other => return Err(Unreadable::marker(other, "text")),
        };
        self.take(length)
    }

    #[inline]
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.byte()? {
            small @ 0x00..=0x7f => visitor.visit_u64(u64::from(small)),
            small @ 0xe0..=0xff => visitor.visit_i64(i64::from(small as i8)),
            marker => self.wide_number(marker, visitor),
        }
    }

    fn wide_number<V: Visitor<'de>>(&mut self, marker: u8, visitor: V) -> Result<V::Value, Unreadable> {
        match marker {
            0xcc => visitor.visit_u64(u64::from(self.byte()?)),
            0xcd => visitor.visit_u64(u64::from(u16::from_be_bytes(self.array()?))),
            0xce => visitor.visit_u64(u64::from(u32::from_be_bytes(self.array()?))),
            0xcf => visitor.visit_u64(u64::from_be_bytes(self.array()?)),
            0xd0 => visitor.visit_i64(i64::from(self.byte()? as i8)),
            0xd1 => visitor.visit_i64(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => visitor.visit_i64(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => visitor.visit_i64(i64::from_be_bytes(self.array()?)),
            0xca => visitor.visit_f32(f32::from_be_bytes(self.array()?)),
            0xcb => visitor.visit_f64(f64::from_be_bytes(self.array()?)),
            0xc2 => visitor.visit_bool(false),
            0xc3 => visitor.visit_bool(true),
            0xc0 => visitor.visit_unit(),
            other => Err(Unreadable::marker(other, "number")),
        }
    }

    fn list<V: Visitor<'de>>(&mut self, length: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.deeper()?;
        let mut items = Items { from: self, left: length };
        let value = visitor.visit_seq(&mut items)?;
        let left = items.left;
        self.depth -= 1;
        if left == 0 { Ok(value) } else { Err(Unreadable::new("a list is longer than what it should be")) }
    }

    fn members<V: Visitor<'de>>(&mut self, length: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.deeper()?;
        let mut members = Items { from: self, left: length };
        let value = visitor.visit_map(&mut members)?;
        let left = members.left;
        self.depth -= 1;
        if left == 0 { Ok(value) } else { Err(Unreadable::new("a map is longer than what it should be")) }
    }

    fn deeper(&mut self) -> Result<(), Unreadable> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Unreadable::new("lists and maps within one another are too deep"));
        }
        Ok(())
    }

    /// Whatever stands here, as what it is.
    fn any<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.peek()? {
            marker @ (0xa0..=0xbf | 0xd9..=0xdb) => {
                self.byte()?;
                visitor.visit_borrowed_str(utf8(self.text(marker)?)?)
            }
            0xc4..=0xc6 => visitor.visit_borrowed_bytes(self.binary()?),
            0x80..=0x9f | 0xdc..=0xdf => self.compound(visitor),
            _ => self.number(visitor),
        }
    }

    /// A list or a map; also binary, as a list of its bytes.
    #[inline]
    fn compound<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.peek()? {
            marker @ 0x80..=0x8f => {
                self.byte()?;
                self.members(usize::from(marker & 0x0f), visitor)
            }
            marker @ 0x90..=0x9f => {
                self.byte()?;
                self.list(usize::from(marker & 0x0f), visitor)
            }
            _ => self.long_compound(visitor),
        }
    }

    fn long_compound<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unreadable> {
        let marker = self.peek()?;
        if matches!(marker, 0xc4..=0xc6) {
            let bytes = self.binary()?.iter().copied();
            return visitor.visit_seq(SeqDeserializer::<_, Unreadable>::new(bytes));
        }
        self.byte()?;
        let length = match marker {
            0xdc | 0xde => self.length16()?,
            0xdd | 0xdf => self.length32()?,
            other => return Err(Unreadable::marker(other, "list or map")),
        };
        if marker < 0xde { self.list(length, visitor) } else { self.members(length, visitor) }
    }

    fn binary(&mut self) -> Result<&'de [u8], Unreadable> {
        let length = match self.byte()? {
            0xc4 => self.length8()?,
            0xc5 => self.length16()?,
            0xc6 => self.length32()?,
            other => return Err(Unreadable::marker(other, "binary")),
        };
        self.take(length)
    }

    /// Passes one value, whatever is in it.
    fn pass(&mut self) -> Result<(), Unreadable> {
        // What is still to be passed; a map counts twice. Each takes a byte at least, so that this
        // ends with the bytes.
        let mut left: u64 = 1;
        while left > 0 {
            left -= 1;
            let marker = self.byte()?;
            let bytes = match marker {
                0x00..=0x7f | 0xe0..=0xff | 0xc0..=0xc3 => continue,
                0xa0..=0xbf => usize::from(marker & 0x1f),
                0x80..=0x8f => {
                    left += 2 * u64::from(marker & 0x0f);
                    continue;
                }
                0x90..=0x9f => {
                    left += u64::from(marker & 0x0f);
                    continue;
                }
                0xdc..=0xdf => {
                    let items = if marker & 1 == 0 { self.length16()? } else { self.length32()? };
                    left += items as u64 * if marker < 0xde { 1 } else { 2 };
                    continue;
                }
                0xcc | 0xd0 => 1,
                0xcd | 0xd1 => 2,
                0xca | 0xce | 0xd2 => 4,
                0xcb | 0xcf | 0xd3 => 8,
                0xc4 | 0xd9 => self.length8()?,
                0xc5 | 0xda => self.length16()?,
                0xc6 | 0xdb => self.length32()?,
                // Extensions, of which a byte says the kind: nobody writes one yet.
                0xc7 => self.length8()? + 1,
                0xc8 => self.length16()? + 1,
                0xc9 => self.length32()? + 1,
                0xd4..=0xd8 => (1 << (marker - 0xd4)) + 1,
            };
            self.take(bytes)?;
        }
        Ok(())
    }
}

#[cold]
fn ends() -> Unreadable {
    Unreadable::new("the bytes end within it")
}

#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|_| Unreadable::new("a text isn't UTF-8"))
}

macro_rules! numbers {
    ($($method:ident)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
                self.number(visitor)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for &mut Unpacker<'de> {
    type Error = Unreadable;

    numbers! {
        deserialize_bool deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_f32 deserialize_f64
    }

    serde::forward_to_deserialize_any! { char map unit unit_struct }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.any(visitor)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.peek()? {
            marker @ (0xa0..=0xbf | 0xd9..=0xdb) => {
                self.byte()?;
                visitor.visit_borrowed_str(utf8(self.text(marker)?)?)
            }
            _ => self.any(visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_str(visitor)
    }

    /// The name of a field or a variant, which is compared with those that are known.
    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.peek()? {
            marker @ (0xa0..=0xbf | 0xd9..=0xdb) => {
                self.byte()?;
                visitor.visit_borrowed_bytes(self.text(marker)?)
            }
            _ => self.any(visitor),
        }
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.peek()? {
            0xc4..=0xc6 => visitor.visit_borrowed_bytes(self.binary()?),
            _ => self.any(visitor),
        }
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.peek()? == 0xc0 {
            self.byte()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.compound(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.compound(visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.compound(visitor)
    }

    /// Its fields by name, as in the log, or in their order, as in the view.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.compound(visitor)
    }

    /// A variant's name, or a map from its name to what is in it.
    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        if self.peek()? == 0x81 {
            self.byte()?;
            return visitor.visit_enum(Variant(self));
        }
        let marker = self.byte()?;
        let name = utf8(self.text(marker)?)?;
        visitor.visit_enum(name.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.pass()?;
        visitor.visit_unit()
    }
}

/// What is left of a list or a map.
struct Items<'a, 'de> {
    from: &'a mut Unpacker<'de>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.from).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // Each takes a byte at least: what isn't there needs no room.
        Some(self.left.min(self.from.rest.len()))
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.from).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        seed.deserialize(&mut *self.from)
    }
}

/// A variant's name is next, and what is in it.
struct Variant<'a, 'de>(&'a mut Unpacker<'de>);

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    #[inline]
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unreadable> {
        Ok((seed.deserialize(&mut *self.0)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        match self.0.byte()? {
            0xc0 => Ok(()),
            other => Err(Unreadable::marker(other, "variant without content")),
        }
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unreadable> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.0.compound(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        self.0.compound(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use serde::{Deserialize, Serialize};

    use super::super::{decode, encode};
    use samsyn_vocabulary::{Digest, ProfileId, Timestamp, Value};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        Alone,
        One(String),
        Two(u8, i64),
        Named { reason: String, why: Option<Value> },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        whole: (u8, u16, u32, u64, i8, i16, i32, i64),
        real: (f32, f64),
        text: String,
        bytes: (Digest, ProfileId),
        kinds: Vec<Kind>,
        by_name: BTreeMap<String, Option<bool>>,
        nothing: (),
        values: Vec<Value>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        more: Vec<Thing>,
    }

    /// Things of all lengths that MessagePack tells apart.
    fn things() -> Vec<Thing> {
        let lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];
        let thing = |length: usize| Thing {
            whole: (200, 60_000, 70_000, u64::MAX, -100, -30_000, -70_000, i64::MIN),
            real: (0.5, -1.25e300),
            text: "ä".repeat(length),
            bytes: (Digest::of(b"it"), ProfileId::random()),
            kinds: vec![
                Kind::Alone,
                Kind::One("x".repeat(length)),
                Kind::Two(7, -7),
                Kind::Named { reason: "so".to_owned(), why: Some(Value::Integer(length as i64)) },
            ],
            by_name: (0..length.min(300))
                .map(|number| (number.to_string(), (number % 2 == 0).then_some(true)))
                .collect(),
            nothing: (),
            values: (0..length as i64)
                .map(|number| Value::Timestamp(Timestamp(number * 1_000_003)))
                .collect(),
            more: Vec::new(),
        };
        let mut things: Vec<Thing> = lengths.into_iter().map(thing).collect();
        let nested = Thing { more: things[..5].to_vec(), ..things[1].clone() };
        things.push(nested);
        things
    }

    fn reads<T: PartialEq + Debug + for<'de> Deserialize<'de>>(bytes: &[u8], wanted: &T) {
        assert!(decode::<T>(bytes).unwrap() == *wanted, "{wanted:?}");
        assert!(rmp_serde::from_slice::<T>(bytes).unwrap() == *wanted, "{wanted:?}");
    }

    #[test]
    fn what_is_written_by_name_or_in_order_reads_back() {
        for thing in things() {
            reads(&encode(&thing), &thing);
            reads(&rmp_serde::to_vec(&thing).unwrap(), &thing);
        }
    }

    #[test]
    fn what_nobody_asks_for_is_passed_whole() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Last {
            real: (f32, f64),
            values: Vec<Value>,
        }
        for thing in things() {
            let Last { real, values } = decode(&encode(&thing)).unwrap();
            assert!((real, &values) == (thing.real, &thing.values));
        }
    }

    #[test]
    fn cut_or_changed_bytes_are_refused_or_read_as_something_and_never_panic() {
        let bytes = encode(&things()[3]);
        for end in 0..bytes.len() {
            assert!(decode::<Thing>(&bytes[..end]).is_err(), "{end}");
        }
        for (at, byte) in
            (0..bytes.len()).flat_map(|at| [0xc1, 0xdd, 0xdf, 0xff, 0x81].map(|byte| (at, byte)))
        {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            let _ = decode::<Thing>(&bytes);
        }
        // A list of which there is too little, and lists without an end within one another.
        assert!(decode::<Vec<u64>>(&[0xdd, 0xff, 0xff, 0xff, 0xff, 1]).is_err());
        assert!(decode::<Value>(&[0x81; 100_000]).is_err());
        #[derive(Debug, Deserialize)]
        struct Deep(#[allow(dead_code)] Vec<Deep>);
        assert!(decode::<Deep>(&[0x91; 100_000]).is_err());
    }
}
