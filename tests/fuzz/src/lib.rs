//! Fuzz targets: every decoder of bytes that come from a network, a disk, a device or another process, called as the
//! product calls it, with a property to keep beyond "it does not panic".
//!
//! A [`Target`] knows where its bytes come from, good examples of them ([`Target::seeds`], made by the true encoders),
//! and how to judge any others ([`Target::run`], which panics when a promise is broken). The same targets run in two
//! ways: [`short`] in every test run, with inputs mutated from a seed number, and `src/bin/hunt.rs` under libFuzzer,
//! guided by coverage, for as long as somebody has time (`cargo xtask fuzz`). What a hunt found lies in `found/<target>/`
//! and is run before anything else.
//!
//! Deliberately absent: decoders of their own, and mocks. What is called is what the product calls.

mod golden;
mod memory;
pub mod mutate;
mod privacy;
mod scratch;
pub mod short;
mod targets;

/// Nothing longer is tried: what the product refuses for its length alone, its own tests show.
pub const LONGEST: usize = 64 * 1024;

/// One decoder, and what it promises.
pub struct Target {
    /// Its name; `found/<name>/` holds what once broke it.
    pub name: &'static str,
    /// Whose bytes these are, and who reads them.
    pub decodes: &'static str,
    /// How many mutated inputs the short run tries.
    pub inputs: u32,
    /// Good inputs, made by the true encoders.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Decodes, and panics when a promise is broken.
    pub run: fn(&[u8]),
}

/// Decoders that are tried side by side, under one name.
pub struct Part {
    /// Name of the part; the names of its targets begin with it.
    pub name: &'static str,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// All targets.
pub fn parts() -> Vec<Part> {
    targets::parts()
}

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    parts().into_iter().flat_map(|part| part.targets).find(|target| target.name == name)
}

/// Shows that good inputs get to where they should: a target whose inputs are all refused at the door tries nothing.
///
/// # Panics
/// When one does not.
pub fn reach() {
    targets::reach();
}
