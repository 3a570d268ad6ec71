//! Memory of large bodies goes back to the system as soon as they are dealt with: a foreign call, and nothing else.
#![allow(unsafe_code)]

/// From this size on an allocation has pages of its own, in bytes. A case has some kilobytes, a large body megabytes.
#[cfg(target_env = "gnu")]
const OWN_PAGES: libc::c_int = 1 << 20;

/// glibc raises the size from which an allocation has pages of its own to that of the largest one that was freed. The
/// next bodies then come from heaps that they leave full of holes: 48 records of 6 MB, one after the other, made a gateway
/// grow from 70 to 280 MiB of address space and from 75 to 160 MiB in use. A size that is set is not raised.
pub fn give_back_large_bodies() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes two numbers by value and may be made at any time; a zero means that nothing was changed.
    if unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES) } == 0 {
        tracing::warn!("large bodies may leave holes in memory");
    }
}
