//! Every step that touches the data directory, by name, so that a test can end the process just
//! before or just after any of them.
//!
//! A build with debug assertions reads `SAMSYN_FAILPOINT`, such as `frame-sync:after:3`: when that
//! step is done for the third time, the process aborts right after it, with nothing cleaned up. A
//! release build has none of this: [`step`] is the call itself.

/// Defines the steps, their names and the list of all in one place, so that none is forgotten.
macro_rules! steps {
    ($($(#[doc = $doc:literal])+ $step:ident = $name:literal,)+) => {
        /// A step that touches the data directory.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Step {
            $($(#[doc = $doc])+ $step,)+
        }

        impl Step {
            /// All of them.
            pub const ALL: &'static [Step] = &[$(Step::$step,)+];

            /// What the environment calls it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Step::$step => $name,)+
                }
            }
        }
    };
}

steps! {
    /// The log's directory is made.
    LogDirectory = "log-directory",
    /// A frame's bytes are written: of records, an index, or the mark of a clean close.
    FrameWrite = "frame-write",
    /// A frame is synced.
    FrameSync = "frame-sync",
    /// A full segment gets its index.
    SegmentSeal = "segment-seal",
    /// The next segment is put in place.
    SegmentStart = "segment-start",
    /// A piece of the file that is to be the next segment is filled with zeros, and synced.
    AheadZeros = "ahead-zeros",
    /// What was zeroed ahead is cut off a segment that gets no more frames.
    ZerosCut = "zeros-cut",
    /// The mark of a clean close is written and synced.
    CloseMark = "close-mark",
    /// A file of the log is written anew, beside the one it replaces.
    ReplaceWrite = "replace-write",
    /// It is synced.
    ReplaceSync = "replace-sync",
    /// It takes the old one's place.
    ReplaceRename = "replace-rename",
    /// Its new name is synced.
    ReplaceDirectory = "replace-directory",
    /// An unfinished file that a crash left is removed.
    UnfinishedRemove = "unfinished-remove",
    /// A torn tail is kept in a file of its own.
    TailWrite = "tail-write",
    /// That file and its name are synced.
    TailSync = "tail-sync",
    /// The last segment is written anew after a stop that wasn't clean.
    LastRewrite = "last-rewrite",
    /// The last segment is synced once more after a clean stop.
    LastSync = "last-sync",
    /// Where the log begins is noted before old segments leave.
    FloorWrite = "floor-write",
    /// An old segment leaves.
    SegmentRemove = "segment-remove",
    /// That it is gone is synced.
    SegmentRemoveSync = "segment-remove-sync",
    /// A segment that a crash kept from leaving leaves at the next start.
    BelowFloorRemove = "below-floor-remove",
    /// What doesn't fit into memory while a snapshot is made is written aside.
    SnapshotRun = "snapshot-run",
    /// A snapshot is written, beside its place.
    SnapshotWrite = "snapshot-write",
    /// It is synced.
    SnapshotSync = "snapshot-sync",
    /// It gets its name.
    SnapshotRename = "snapshot-rename",
    /// Its name is synced.
    SnapshotDirectory = "snapshot-directory",
    /// What making a snapshot left behind is removed.
    SnapshotTidy = "snapshot-tidy",
    /// An old snapshot leaves.
    SnapshotRemove = "snapshot-remove",
    /// A view that is no fold of the log is deleted.
    ViewRemove = "view-remove",
    /// An empty view is made.
    ViewMake = "view-make",
    /// Event ids and links are written to the view.
    ViewIndexes = "view-indexes",
    /// Profiles are written to a view that is folded anew.
    ViewProfiles = "view-profiles",
    /// A view that was folded anew says what it is a fold of.
    ViewSign = "view-sign",
    /// A partition's changed profiles and its place in the log are written to the view.
    ViewPartition = "view-partition",
    /// The view's store writes what it buffers.
    ViewFlush = "view-flush",
    /// A small file is written anew, beside the one it replaces.
    DurableWrite = "durable-write",
    /// It is synced.
    DurableSync = "durable-sync",
    /// It takes the old one's place.
    DurableRename = "durable-rename",
    /// Its new name is synced.
    DurableDirectory = "durable-directory",
    /// What a data directory was made with is written.
    DataSettings = "data-settings",
    /// An installed component is kept.
    ComponentKeep = "component-keep",
    /// A component's compiled code is written, beside its place.
    CompiledWrite = "compiled-write",
    /// It is put in its place.
    CompiledRename = "compiled-rename",
    /// Its name is synced.
    CompiledDirectory = "compiled-directory",
    /// When tokens were used last is written.
    TokenUses = "token-uses",
    /// A follower's state and cursor are written, beside the file they replace.
    FollowerWrite = "follower-write",
    /// They are synced.
    FollowerSync = "follower-sync",
    /// They take the old file's place.
    FollowerRename = "follower-rename",
    /// Its name is synced.
    FollowerDirectory = "follower-directory",
}

/// Does a step; in a build for tests the process may end before or after it.
#[inline(always)]
pub fn step<T>(step: Step, does: impl FnOnce() -> T) -> T {
    #[cfg(debug_assertions)]
    armed::pass(step, "before");
    let done = does();
    #[cfg(debug_assertions)]
    armed::pass(step, "after");
    #[cfg(not(debug_assertions))]
    let _ = step;
    done
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Step;

    /// Names the step, the side, and how often it is passed before the process ends.
    const VARIABLE: &str = "SAMSYN_FAILPOINT";

    struct Armed {
        step: Step,
        side: String,
        passes_left: AtomicU32,
    }

    pub fn pass(step: Step, side: &str) {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let Some(armed) = ARMED.get_or_init(read) else { return };
        if armed.step == step && armed.side == side && armed.passes_left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            std::process::abort();
        }
    }

    fn read() -> Option<Armed> {
        let text = std::env::var(VARIABLE).ok()?;
        let armed = parse(&text);
        // A test that misspells a step would test nothing.
        assert!(armed.is_some(), "{VARIABLE}={text} names no step, or not as STEP:before|after:N");
        armed
    }

    fn parse(text: &str) -> Option<Armed> {
        let mut parts = text.split(':');
        let (name, side, passes) = (parts.next()?, parts.next()?, parts.next()?);
        let step = *Step::ALL.iter().find(|step| step.name() == name)?;
        let passes: u32 = passes.parse().ok().filter(|passes| *passes > 0)?;
        let known_side = ["before", "after"].contains(&side) && parts.next().is_none();
        let passes_left = AtomicU32::new(passes);
        known_side.then(|| Armed { step, side: side.to_owned(), passes_left })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_failpoint_is_read_and_a_misspelt_one_is_none() {
            let armed = parse("frame-sync:after:3").unwrap();
            assert_eq!((armed.step, armed.side.as_str()), (Step::FrameSync, "after"));
            assert_eq!(armed.passes_left.into_inner(), 3);
            for bad in ["", "frame-sync", "frame-sync:after", "frame-sync:at:1", "frame:after:1"] {
                assert!(parse(bad).is_none(), "{bad}");
            }
            assert!(parse("frame-sync:after:0").is_none());
            assert!(parse("frame-sync:after:1:1").is_none());
        }
    }
}
