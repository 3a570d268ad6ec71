//! Programs that others wrote, with the pinned packages beside this file.

use std::path::PathBuf;

use foreign_programs::Bench;

fn bench() -> Bench {
    Bench::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance"), env!("CARGO_TARGET_TMPDIR"))
}

/// A Python with the clients and the prober.
pub fn python() -> PathBuf {
    bench().python("conformance-python", "requirements.txt")
}

/// A Python with a server for S3.
#[cfg(feature = "s3")]
pub fn python_for_s3() -> PathBuf {
    bench().python("conformance-s3", "requirements-s3.txt")
}

/// The folder `node_modules` with the pinned packages.
pub fn node_modules() -> PathBuf {
    bench().node_modules("conformance-node")
}
