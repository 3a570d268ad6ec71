//! What this process may take from the machine, set before the library is in it.

use std::io;

use device_drivers::vendor_library::protocol::Limits;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Sets the limits for good: the hard ones as well, which only root can raise.
pub fn confine(limits: &Limits) -> io::Result<()> {
    // A core file would hold the last resident's photo. The limit alone does not help: where a program takes the core
    // (systemd-coredump), the kernel does not look at it.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    set(Resource::Core, 0)?;
    set(Resource::Fsize, limits.file_bytes)?;
    set(Resource::Nofile, u64::from(limits.descriptors))?;
    set(Resource::As, limits.address_space_bytes)?;
    Ok(())
}

/// Sets one limit, or leaves it where it is lower already.
fn set(resource: Resource, limit: u64) -> io::Result<()> {
    let limit = getrlimit(resource).maximum.map_or(limit, |maximum| maximum.min(limit));
    Ok(setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?)
}
