//! A durable file over every power cut.

use std::path::Path;

use rand::SeedableRng;
use rand::rngs::SmallRng;

use samsyn_disk::durable_file::write_on;
use samsyn_testkit::crash::Replay;
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::{Memory, Op};
use samsyn_testkit::seed::Seed;

#[test]
fn a_power_cut_leaves_the_old_file_or_the_new_one_and_a_written_one_stays() {
    const CUTS_AN_OPERATION: usize = 50;
    let mut rng = SmallRng::seed_from_u64(Seed::of_run("durable_file").of(0));
    let memory: Memory<&[u8]> = Memory::new(Image::default());
    let path = Path::new("/data/components/one.wasm");
    let contents: [&[u8]; 3] = [&[1; 3_000], &[2; 700], &[3; 9_000]];
    for content in contents {
        write_on(&*memory.disk(), path, content).unwrap();
        memory.mark(content);
    }
    let (base, ops) = memory.history();
    let (mut replay, mut written) = (Replay::new(&base), 0);
    for op in &ops {
        replay.apply(op);
        written += usize::from(matches!(op, Op::Mark(_)));
        for _ in 0..CUTS_AN_OPERATION {
            let left = replay.cut(&mut rng);
            let old = written.checked_sub(1).map(|at| contents[at]);
            let new = contents.get(written).copied();
            match left.file(path).map(Vec::as_slice) {
                None => assert_eq!(old, None, "what was written is gone"),
                found => assert!(found == old || found == new, "neither old nor new after {op:?}"),
            }
        }
    }
    assert_eq!(written, contents.len());
}
