//! The part of the corpus that only code can write: a log's bytes, real records, components.

use crate::engine::testing::{Bench, USUAL};
use crate::log::ScanFrom;
use crate::sandbox::guests;

/// Writes it all: target, file name, bytes.
pub fn everything(write: &dyn Fn(&str, &str, &[u8])) {
    logged(write);
    components(write);
    texts(write);
}

/// What a host writes when somebody buys, something fails and a source moves.
fn logged(write: &dyn Fn(&str, &str, &[u8])) {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    bench.script("1", &["integer probe.count 4", "emit probe.pinged text probe.note b", "remember x"]);
    bench.script("1", &["panic on purpose"]);
    bench.script("1", &["add probe.count"]);
    bench.propose("2", &[("probe.note", None)]);
    bench.settle();
    let mut scan = bench.engine.log().scan_all(ScanFrom::Start);
    let mut kept = [0; 6];
    while let Some(record) = scan.next().expect("the log can be read") {
        let count = &mut kept[usize::from(record.kind)];
        *count += 1;
        // Some of each kind: a record is a few hundred bytes.
        if *count <= 4 && record.payload.len() < 4_096 {
            let bytes = [&[record.kind][..], record.payload].concat();
            write("record", &format!("kind-{}-{count}", record.kind), &bytes);
        }
    }
    let segment = bench.segments().remove(0);
    write("segment", "open", &segment[..segment.len().min(8_192)]);
    write("segment", "body", &segment[96..segment.len().min(4_096)]);
    write("segment", "cut", &segment[..segment.len().min(700)]);
}

fn components(write: &dyn Fn(&str, &str, &[u8])) {
    let module = guests::installable(&guests::all_roles());
    let component = crate::sandbox::componentise(&module).expect("it can be made a component");
    let component = crate::sandbox::embed_manifest(&component, "manifest = 1\n").expect("it takes one");
    write("component", "module", &module);
    write("component", "component", &component);
    write("component", "subscriber", &guests::installable(&guests::subscriber("", "")));
}

fn texts(write: &dyn Fn(&str, &str, &[u8])) {
    let some: Vec<u8> = (0..=255).collect();
    write("effects", "counting", &some);
    write("effects", "sets", b"\0\x00\0\x04gold\0\x09\0\x04gold\0\x03\x03\x0512.50\0\x08\x08\x02{}");
    write("effects", "emits", b"\x03\x0a\x02\x00\x00\x01a\x01\x01\x01\x02\x03\x04\x05\x06\x07\x08\x04\x05bytes\x02\0\x00\x04code\x02no");
    let token = crate::api::Token::generate().expect("there is randomness");
    // No host knows it.
    write("header", "token", format!("Bearer {}", token.as_str()).as_bytes());
    let list = crate::api::fuzz::made_cursor("loyalty.points");
    write("cursor", "made", list.as_bytes());
}
