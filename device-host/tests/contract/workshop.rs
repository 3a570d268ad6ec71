//! Compiles libraries, and waits for what they do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use device_drivers::vendor_library::{Rests, VendorConfig, VendorError, VendorLibrary};
use tempfile::TempDir;

/// The program under test.
pub const DEVICE_HOST: &str = env!("CARGO_BIN_EXE_device-host");
/// Long enough for anything that is to succeed on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Short enough to wait for in a test, for what never answers.
pub const BRIEF: Duration = Duration::from_millis(400);

/// Declares the verbs of misbehaving.c, in its order.
macro_rules! verbs {
    ($($verb:ident),+ $(,)?) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Order { $($verb),+ }
        $(pub const $verb: u32 = 0x8000_0001 + Order::$verb as u32;)+
    };
}

verbs! {
    ECHO, CRASH, HANG, PRINT, LENGTH_BEYOND, WRITE_BEYOND, EXIT, LEAK, CLOSE_ALL, CLOSE_ALL_AND_HANG,
    CLOSE_OWN, SLOW, ANSWER_TWICE, HELPER, PID, SURROUNDINGS, OPEN_MANY, WRITE_FILE, DIE_LATER, REFUSE, SCRIBBLE,
    THROW_AWAY_STACK, COUNT_OPEN,
}

/// Compiles `libraries/{source}.c` into `folder`.
pub fn compile(folder: &Path, source: &str, defines: &[&str]) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.join(format!("lib{source}.so"));
    let output = Command::new("cc")
        .args(["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Wno-infinite-recursion", "-shared", "-fPIC"])
        .arg("-I")
        .arg(here.join("include"))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg("-o")
        .arg(&library)
        .arg(here.join(format!("tests/libraries/{source}.c")))
        .output()
        .expect("a machine that links Rust programs has cc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

/// A library in a folder of its own.
pub struct Installed {
    pub folder: TempDir,
    pub config: VendorConfig,
}

impl Installed {
    pub fn new(source: &str, defines: &[&str]) -> Installed {
        let folder = tempfile::tempdir().unwrap();
        let library = compile(folder.path(), source, defines);
        let mut config = VendorConfig::new(DEVICE_HOST, library);
        config.start_within = PATIENCE;
        config.rests = Rests { first: Duration::from_millis(20), longest: Duration::from_millis(100) };
        Installed { folder, config }
    }

    pub fn misbehaving() -> Installed {
        Installed::new("misbehaving", &[])
    }

    pub fn library(&self) -> VendorLibrary {
        VendorLibrary::new(self.config.clone())
    }
}

/// A call of misbehaving.c with room for a kilobyte.
pub fn ask(library: &mut VendorLibrary, verb: u32, input: &[u8]) -> Result<Vec<u8>, VendorError> {
    library.call(verb, input, 1024, PATIENCE).map(|output| output.to_vec())
}

/// The same, when a number comes back.
pub fn ask_number(library: &mut VendorLibrary, verb: u32) -> i64 {
    String::from_utf8(ask(library, verb, &[]).unwrap()).unwrap().parse().unwrap()
}

/// Calls again until the library has rested and answers.
#[track_caller]
pub fn assert_comes_back(library: &mut VendorLibrary) {
    let until = Instant::now() + PATIENCE;
    loop {
        match ask(library, ECHO, b"again") {
            Ok(output) => break assert_eq!(output, b"again"),
            Err(VendorError::Resting { left, .. }) => std::thread::sleep(left),
            Err(error) => panic!("{error}"),
        }
        assert!(Instant::now() < until, "it rests for ever");
    }
}

/// Whether this process has ended; its remains may be left where nobody reaps them.
pub fn is_gone(pid: i64) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Waits for a condition.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
