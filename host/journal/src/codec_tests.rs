use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::{decode, encode};
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
        values: (0..length as i64).map(|number| Value::Timestamp(Timestamp(number * 1_000_003))).collect(),
        more: Vec::new(),
    };
    let mut things: Vec<Thing> = lengths.into_iter().map(thing).collect();
    let nested = Thing { more: things[..5].to_vec(), ..things[1].clone() };
    things.push(nested);
    things
}

fn reads<T: PartialEq + Debug + for<'de> Deserialize<'de>>(bytes: &[u8], wanted: &T) {
    assert!(decode::<T>(bytes).unwrap() == *wanted, "{wanted:?}");
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
    for (at, byte) in (0..bytes.len()).flat_map(|at| [0xc1, 0xdd, 0xdf, 0xff, 0x81].map(|byte| (at, byte))) {
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
