//! Counts the bytes that each thread has allocated: what a decoder holds is measured, not believed.
//! Whoever uses this crate has its allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with counts.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// Constants without destructors: the allocator may use them at any time.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// What this thread allocates from now on.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    before: isize,
}

impl Meter {
    /// Starts to count. The peak is that of the newest meter of the thread.
    pub fn start() -> Meter {
        let before = HELD.get();
        PEAK.set(before);
        Meter { before }
    }

    /// Bytes allocated since the start and not given back.
    pub fn held(&self) -> u64 {
        (HELD.get() - self.before).max(0) as u64
    }

    /// The most bytes that were held at any time since the start.
    pub fn peak(&self) -> u64 {
        (PEAK.get() - self.before).max(0) as u64
    }
}

fn count(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

// SAFETY: all work is done by the system's allocator; the counts touch no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both exist while one is copied to the other.
        count(size as isize);
        // SAFETY: as the caller promises.
        let moved = unsafe { System.realloc(pointer, layout, size) };
        count(-(layout.size() as isize));
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_and_the_most_that_was() {
        let meter = Meter::start();
        let kept = vec![1u8; 1000];
        drop(vec![0u8; 5000]);
        assert_eq!((meter.held(), meter.peak()), (1000, 6000));
        drop(kept);
        assert_eq!(meter.held(), 0);
    }

    #[test]
    fn another_thread_counts_for_itself() {
        let meter = Meter::start();
        let inside = std::thread::spawn(|| {
            let meter = Meter::start();
            let kept = vec![0u8; 1 << 20];
            (meter.held(), kept.len())
        });
        assert_eq!(inside.join().unwrap(), (1 << 20, 1 << 20));
        assert!(meter.held() < 1 << 16);
    }
}
