//! The guest's allocator: a bump arena in the memory an instance starts with.
//!
//! An instance lives for one invocation, so freed memory is rarely reused. Growing the memory costs
//! the host two `mprotect` calls under a lock that all its threads share: measured, 42,000
//! invocations a second on two threads against 250,000 without growth. So the arena hands out
//! allocations one after the other from a static block. Only the last one can be freed or resized
//! in place, which is what a growing `Vec` or `String` does. Larger allocations go to the allocator
//! behind, which grows the memory and frees as usual. A handler that uses megabytes is slower, but
//! it works.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::{Cell, UnsafeCell};
use std::ptr;

/// Bytes of the arena. Enough for the largest event (32 KiB), the largest memory (32 KiB) and a
/// handler's work on them. Untouched pages cost nothing.
const ARENA_BYTES: usize = 128 * 1024;

/// The largest alignment of the arena; larger ones go to the allocator behind.
const ALIGN_BYTES_MAX: usize = 16;

#[repr(align(16))]
struct Block(UnsafeCell<[u8; ARENA_BYTES]>);

/// A bump arena in front of another allocator.
pub(crate) struct Arena<Behind> {
    block: Block,
    /// Where the next allocation may start, in bytes from the start of the block.
    used: Cell<usize>,
    behind: Behind,
}

// SAFETY: a guest has one thread: the contract has no way to start another, and the target is
// built without the threads proposal.
#[cfg(target_family = "wasm")]
unsafe impl<Behind: Sync> Sync for Arena<Behind> {}

impl<Behind> Arena<Behind> {
    pub(crate) const fn new(behind: Behind) -> Arena<Behind> {
        Arena { block: Block(UnsafeCell::new([0; ARENA_BYTES])), used: Cell::new(0), behind }
    }

    fn base(&self) -> *mut u8 {
        self.block.0.get().cast()
    }

    /// The offset of a pointer in the block; none when it came from the allocator behind.
    fn offset(&self, pointer: *mut u8) -> Option<usize> {
        let offset = (pointer as usize).wrapping_sub(self.base() as usize);
        (offset < ARENA_BYTES).then_some(offset)
    }

    /// Reserves `size` bytes from `start`, if they are free.
    fn reserve(&self, start: usize, size: usize) -> Option<()> {
        let end = start.checked_add(size).filter(|end| *end <= ARENA_BYTES)?;
        self.used.set(end);
        Some(())
    }

    fn bump(&self, layout: Layout) -> Option<*mut u8> {
        if layout.align() > ALIGN_BYTES_MAX {
            return None;
        }
        let start = self.used.get().next_multiple_of(layout.align());
        // An empty allocation at the very end would look like one from behind.
        self.reserve(start, layout.size().max(1))?;
        // SAFETY: `reserve` has checked that `start` lies in the block.
        Some(unsafe { self.base().add(start) })
    }
}

// SAFETY: every pointer lies in a part of the block that no other live allocation has: `used` only
// moves back over the last allocation, when that one is freed or shrinks. Everything else is the
// allocator behind, which answers for itself.
unsafe impl<Behind: GlobalAlloc> GlobalAlloc for Arena<Behind> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about the layout is handed on.
        self.bump(layout).unwrap_or_else(|| unsafe { self.behind.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.bump(layout) {
            Some(pointer) => {
                // Freed bytes may be dirty.
                // SAFETY: `bump` returned at least this many bytes.
                unsafe { ptr::write_bytes(pointer, 0, layout.size()) };
                pointer
            }
            // SAFETY: the caller's promise about the layout is handed on.
            None => unsafe { self.behind.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match self.offset(pointer) {
            Some(start) if start + layout.size() == self.used.get() => self.used.set(start),
            Some(_) => {}
            // SAFETY: it isn't ours, so it came from the allocator behind, with this layout.
            None => unsafe { self.behind.dealloc(pointer, layout) },
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(start) = self.offset(pointer) else {
            // SAFETY: it isn't ours, so it came from the allocator behind, with this layout.
            return unsafe { self.behind.realloc(pointer, layout, size) };
        };
        let is_last = start + layout.size() == self.used.get();
        if is_last && self.reserve(start, size).is_some() {
            return pointer;
        }
        if size <= layout.size() {
            return pointer;
        }
        // SAFETY: the caller promises that `size` is not zero and fits the alignment.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both hold at least the old size, and a new allocation overlaps no live one.
            unsafe { ptr::copy_nonoverlapping(pointer, moved, layout.size()) };
            if is_last {
                self.used.set(start);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::System;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// Allocates and fills, so that an overlap would show.
    fn filled(arena: &Arena<System>, layout: Layout, byte: u8) -> *mut u8 {
        // SAFETY: the layout isn't empty and the pointer is checked.
        unsafe {
            let pointer = arena.alloc(layout);
            assert!(!pointer.is_null());
            ptr::write_bytes(pointer, byte, layout.size());
            pointer
        }
    }

    fn holds(pointer: *mut u8, size: usize, byte: u8) -> bool {
        // SAFETY: only called with what `filled` returned.
        unsafe { std::slice::from_raw_parts(pointer, size) }.iter().all(|found| *found == byte)
    }

    #[test]
    fn allocations_follow_each_other_and_are_aligned() {
        let arena = Arena::new(System);
        let a = filled(&arena, layout(3, 1), 1);
        let b = filled(&arena, layout(8, 8), 2);
        assert_eq!((arena.offset(a), arena.offset(b)), (Some(0), Some(8)));
        assert!(holds(a, 3, 1) && holds(b, 8, 2));
    }

    #[test]
    fn only_the_last_is_given_back() {
        let arena = Arena::new(System);
        let a = filled(&arena, layout(16, 8), 1);
        let b = filled(&arena, layout(16, 8), 2);
        // SAFETY: both came from this arena with this layout, and neither is used again.
        unsafe {
            arena.dealloc(a, layout(16, 8));
            assert_eq!(arena.used.get(), 32);
            arena.dealloc(b, layout(16, 8));
        }
        assert_eq!(arena.used.get(), 16);
    }

    #[test]
    fn the_last_grows_in_place_and_others_move_with_their_bytes() {
        let arena = Arena::new(System);
        let a = filled(&arena, layout(16, 8), 7);
        // SAFETY: each pointer is the one its last realloc returned, with its layout.
        unsafe {
            assert_eq!(arena.realloc(a, layout(16, 8), 64), a);
            assert_eq!(arena.used.get(), 64);
            let b = filled(&arena, layout(16, 8), 9);
            let moved = arena.realloc(a, layout(64, 8), 128);
            assert_eq!(arena.offset(moved), Some(80));
            assert!(holds(moved, 16, 7) && holds(b, 16, 9));
            assert_eq!(arena.realloc(b, layout(16, 8), 4), b);
        }
    }

    #[test]
    fn what_does_not_fit_comes_from_behind_and_returns_there() {
        let arena = Arena::new(System);
        let full = filled(&arena, layout(ARENA_BYTES - 64, 16), 1);
        let behind = filled(&arena, layout(128, 8), 2);
        assert_eq!((arena.offset(full), arena.offset(behind)), (Some(0), None));
        let small = filled(&arena, layout(64, 1), 3);
        assert_eq!(arena.offset(small), Some(ARENA_BYTES - 64));
        // SAFETY: each pointer is freed or moved once, with the layout it has.
        unsafe {
            let moved = arena.realloc(small, layout(64, 1), 65);
            assert_eq!((arena.offset(moved), arena.used.get()), (None, ARENA_BYTES - 64));
            assert!(holds(moved, 64, 3));
            arena.dealloc(moved, layout(65, 1));
            arena.dealloc(behind, layout(128, 8));
            let wide = arena.alloc(layout(64, 64));
            assert_eq!(arena.offset(wide), None);
            arena.dealloc(wide, layout(64, 64));
        }
    }

    #[test]
    fn zeroed_means_zeroed_also_where_something_was() {
        let arena = Arena::new(System);
        let dirty = filled(&arena, layout(256, 8), 0xff);
        // SAFETY: freed once with its layout, then only read through the new pointer.
        unsafe {
            arena.dealloc(dirty, layout(256, 8));
            let clean = arena.alloc_zeroed(layout(256, 8));
            assert_eq!(clean, dirty);
            assert!(holds(clean, 256, 0));
        }
    }
}
