//! A file that is there whole or not at all, also after a power cut.

use std::io;
use std::path::Path;

use crate::disk::{self, Disk, ReplaceSteps};
use crate::failpoint::Step;

const STEPS: ReplaceSteps = ReplaceSteps {
    write: Step::DurableWrite,
    sync: Step::DurableSync,
    rename: Step::DurableRename,
    directory: Step::DurableDirectory,
};

/// Writes a file of this content in place of what is there: to a file beside it first, synced and
/// renamed, and then its directory is synced. Makes the directory when there is none.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_on(&*disk::local(), path, content)
}

/// [`write`] on another disk.
pub fn write_on(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    disk::make_dirs(disk, disk::folder_of(path))?;
    disk::replace(disk, path, &[content], STEPS)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;
    use crate::disk::crash::Replay;
    use crate::disk::image::Image;
    use crate::disk::memory::{Memory, Op};
    use crate::testing::Seed;

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
}
