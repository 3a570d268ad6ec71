//! The hunt: one target under libFuzzer, guided by coverage. Built and started by `cargo xtask fuzz`, which says how.
//!
//! `FUZZ_TARGET` names the target. With `FUZZ_CORPUS` instead, the names of all targets are printed, their good inputs
//! and what was found before are written into folders of their names below it, and the program ends.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use kiosk_fuzz::{LONGEST, Target, parts, short, target};
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(init: begin(), |input: &[u8]| {
    if let Some(target) = TARGET.get().filter(|_| input.len() <= LONGEST) {
        (target.run)(input);
    }
});

fn begin() {
    if let Some(folder) = std::env::var_os("FUZZ_CORPUS") {
        list(Path::new(&folder)).expect("the folder of the corpus can be written");
        std::process::exit(0);
    }
    let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target; `cargo xtask fuzz` sets it");
    let planted = (name == PLANTED.name).then_some(PLANTED);
    let target = planted.or_else(|| target(&name)).unwrap_or_else(|| panic!("there is no target {name}"));
    let _ = TARGET.set(target);
}

/// A fault behind four bytes that stand in no example: whoever finds it within a few hundred thousand inputs is guided
/// by coverage. `cargo xtask fuzz` lets it be found before it believes that anything else is sound.
const PLANTED: Target =
    Target { name: "planted", decodes: "nothing", inputs: 1, seeds: || vec![b"open".to_vec()], run: planted };

fn planted(input: &[u8]) {
    // Each byte is a branch of its own: one more that is right is new coverage.
    if let [b'm', b'a', b'z', b'e', ..] = input {
        panic!("planted");
    }
}

fn list(folder: &Path) -> std::io::Result<()> {
    for target in parts().into_iter().flat_map(|part| part.targets) {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        let inputs = (target.seeds)().into_iter().chain(short::found(target.name));
        for (number, input) in inputs.enumerate() {
            std::fs::write(folder.join(format!("example-{number}")), input)?;
        }
        println!("{}\t{}", target.name, target.decodes);
    }
    Ok(())
}
