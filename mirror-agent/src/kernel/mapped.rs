//! An array map that the kernel shares with us page by page: reading and writing it needs no system call.

use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use anyhow::{Context, Result};
use aya::maps::MapData;

/// The memory of a mapped array.
pub struct Mapped {
    memory: NonNull<u8>,
    bytes: usize,
    /// Keeps the map alive as long as its memory.
    _map: MapData,
}

// SAFETY: the memory is shared with the kernel anyway; every access goes through atomics.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Maps the first `bytes` of an array map that was made with `BPF_F_MMAPABLE`.
    ///
    /// # Errors
    ///
    /// When the kernel refuses, as it does for any other kind of map.
    pub fn new(map: MapData, bytes: usize) -> Result<Self> {
        // SAFETY: a new shared mapping of a descriptor that we own; the kernel checks its kind and length.
        let memory = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                std::os::fd::AsFd::as_fd(map.fd()).as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error()).context("map a kernel array into memory");
        }
        let memory = NonNull::new(memory.cast()).context("the kernel mapped an array at address zero")?;
        Ok(Mapped { memory, bytes, _map: map })
    }

    /// The 64-bit word at a byte offset; `None` past the end or off its alignment.
    pub fn word(&self, offset: usize) -> Option<&AtomicU64> {
        if !offset.is_multiple_of(8) || offset + 8 > self.bytes {
            return None;
        }
        // SAFETY: inside the mapping, aligned (it starts at a page), and alive as long as `self`.
        Some(unsafe { AtomicU64::from_ptr(self.memory.as_ptr().add(offset).cast()) })
    }

    /// The 32-bit word at a byte offset; `None` past the end or off its alignment.
    pub fn half(&self, offset: usize) -> Option<&AtomicU32> {
        if !offset.is_multiple_of(4) || offset + 4 > self.bytes {
            return None;
        }
        // SAFETY: as in `word`.
        Some(unsafe { AtomicU32::from_ptr(self.memory.as_ptr().add(offset).cast()) })
    }

    /// Reads the word at a byte offset; 0 past the end.
    pub fn read(&self, offset: usize) -> u64 {
        self.word(offset).map_or(0, |word| word.load(Ordering::Relaxed))
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `new` mapped; nothing borrows from it any more.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.bytes) };
    }
}
