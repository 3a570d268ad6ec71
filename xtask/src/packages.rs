//! The one list of Debian packages: what the demo, the tests and the measurements need beside Rust.
//!
//! Absent on purpose: a step that a person must remember. Missing packages are found, named and
//! installed; where that is impossible, one sentence says what to type.

use std::io::IsTerminal;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run;

/// One Debian package, and what is lost without it.
struct Package {
    name: &'static str,
    why: &'static str,
}

/// What is about to run, which decides what is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A program that needs nothing but to be built.
    Build,
    /// The kiosk itself, on a screen in a page.
    Demo,
    /// The tests and measurements, which also check our results with other people's programs.
    Test,
    /// The hunt for inputs that break a decoder.
    Fuzz,
}

const BUILD: &[Package] = &[
    Package { name: "libpcsclite-dev", why: "the library of the social-security card reader" },
    Package { name: "pkg-config", why: "tells the compiler where that library is" },
];

const DEMO: &[Package] = &[
    Package { name: "fontconfig", why: "finds the fonts" },
    Package { name: "fonts-noto-cjk", why: "Chinese text on screen and paper" },
    Package { name: "fonts-babelstone-han", why: "rare characters in names, mainland shapes" },
    Package { name: "fonts-hanazono", why: "the remaining rare characters" },
    Package { name: "pcscd", why: "the system's side of the social-security card reader" },
    Package { name: "vsmartcard-vpcd", why: "a card reader into which virtual cards are put" },
];

/// For the program `chinese-input`: its libraries, and what they and its tables are made of.
const INPUT: &[Package] = &[
    Package { name: "librime-dev", why: "turns pinyin, 粤拼 and strokes into candidates" },
    Package { name: "rime-data-pinyin-simp", why: "the dictionary for pinyin" },
    Package { name: "rime-data-jyut6ping3", why: "the dictionary for 粤拼" },
    Package { name: "rime-data-stroke", why: "the dictionary for strokes" },
    Package { name: "rime-essay", why: "how often each character is written, so that the usual comes first" },
    Package { name: "libopencc-data", why: "turns the characters of 粤拼 into simplified ones" },
    Package { name: "libzinnia-dev", why: "recognises handwriting" },
    Package { name: "tegaki-zinnia-simplified-chinese", why: "what handwriting is compared with" },
    Package { name: "unicode-data", why: "radicals and strokes of every character" },
    Package { name: "bzip2", why: "unpacks them" },
];

const TEST: &[Package] = &[
    Package { name: "zbar-tools", why: "reads the QR codes of printed receipts" },
    Package { name: "postgresql", why: "the city's database, started by the tests for themselves" },
    Package { name: "openssl", why: "makes certificates and requests as other programs make them" },
    Package { name: "libfaketime", why: "gives the sync agent a clock that is ten years off" },
    Package { name: "swtpm", why: "the TPM of a machine, whose counter tells a copied disk" },
    Package { name: "iproute2", why: "a road that swallows large packets" },
    Package { name: "e2fsprogs", why: "a disk whose file system turns read-only, and its check" },
    Package { name: "poppler-utils", why: "reads text and fonts of printed A4 pages" },
    Package { name: "cups-ipp-utils", why: "an A4 printer to print on, and a judge of ours" },
    Package { name: "dbus", why: "that printer starts with a message bus only" },
    Package { name: "opensc", why: "reads our virtual card with the standard program" },
    Package { name: "nats-server", why: "a message server to which cases are handed on" },
    Package { name: "nut-server", why: "a true server of a UPS, with a UPS made of a file" },
    Package {
        name: "speech-dispatcher-espeak-ng",
        why: "a true voice, which the tests let speak into a file",
    },
    Package { name: "speech-dispatcher-audio-plugins", why: "lets that voice out through ALSA" },
    Package { name: "espeak-ng", why: "says by which sounds it would read a place name" },
    Package { name: "age", why: "opens a sealed case with the standard program" },
    Package {
        name: "python3-venv",
        why: "runs python-tuf, tuspy, Schemathesis and python-escpos, which judge what we serve",
    },
    Package {
        name: "nodejs",
        why: "runs tus-js-client, which uploads to the gateway, and receiptio, which prints to the simulator",
    },
    Package { name: "npm", why: "brings tus-js-client, receiptio and drawn characters" },
    Package { name: "chromium", why: "opens the keeper's page; reference for the measurements" },
];

const FUZZ: &[Package] = &[Package { name: "g++", why: "compiles libFuzzer, which is written in C++" }];

impl Purpose {
    fn packages(self) -> impl Iterator<Item = &'static Package> {
        let lists: [&[Package]; 4] = match self {
            Purpose::Build => [BUILD, &[], &[], &[]],
            Purpose::Demo => [BUILD, DEMO, INPUT, &[]],
            Purpose::Test => [BUILD, DEMO, INPUT, TEST],
            Purpose::Fuzz => [BUILD, FUZZ, &[], &[]],
        };
        lists.into_iter().flatten()
    }
}

/// Installs what is missing, saying which packages and why; an error says what to type instead.
pub fn ensure(purpose: Purpose) -> Result<()> {
    let wanted: Vec<_> = purpose.packages().collect();
    let Some(installed) = installed(&wanted) else {
        eprintln!(
            "      This is not a Debian system, so they cannot be checked or installed from here. Needed:"
        );
        list(&wanted);
        return Ok(());
    };
    let mut missing = missing(&wanted, &installed);
    missing.retain(|package| !is_there(package));
    if missing.is_empty() {
        eprintln!("      all {} are there", wanted.len());
        return Ok(());
    }
    eprintln!("      missing, and installed now:");
    list(&missing);
    install(&missing)
}

fn list(packages: &[&Package]) {
    for Package { name, why } in packages {
        eprintln!("        {name:<32} {why}");
    }
}

/// dpkg's table of the wanted packages; `None` where there is no dpkg.
fn installed(wanted: &[&Package]) -> Option<String> {
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package}\t${db:Status-Status}\n"])
        .args(wanted.iter().map(|package| package.name))
        .output()
        .ok()?;
    // dpkg-query exits with 1 when it does not know one of the names; the table is good all the same.
    String::from_utf8(output.stdout).ok()
}

/// Programs that other packagings bring under other package names, and beside which Debian's would not be installed.
const BROUGHT_BY_OTHERS: &[(&str, &str)] = &[("nodejs", "node"), ("npm", "npm")];

/// Whether what a package is wanted for is there, wherever it came from.
fn is_there(package: &Package) -> bool {
    let program = BROUGHT_BY_OTHERS.iter().find(|(name, _)| *name == package.name);
    program.is_some_and(|(_, program)| run::works(Command::new(program).arg("--version")))
}

/// The wanted packages that dpkg's table does not call installed.
fn missing<'a>(wanted: &[&'a Package], table: &str) -> Vec<&'a Package> {
    let present: Vec<&str> = table.lines().filter_map(|line| line.strip_suffix("\tinstalled")).collect();
    wanted.iter().copied().filter(|package| !present.contains(&package.name)).collect()
}

fn install(missing: &[&Package]) -> Result<()> {
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let by_hand = format!("sudo apt-get update && sudo apt-get install {}", names.join(" "));
    let Some(prefix) = privilege() else {
        bail!(
            "Installing Debian packages needs root, and sudo cannot be used here. Please run:\n  {by_hand}"
        );
    };
    let apt = |arguments: &[&str]| {
        let mut words =
            [&prefix[..], &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
        let program = words.remove(0);
        let mut command = Command::new(program);
        // Another apt may hold the lock for a while (unattended upgrades): wait instead of failing.
        command.args(words).args(["--quiet", "--option", "DPkg::Lock::Timeout=300"]);
        command
    };
    // Old lists are tried as well: a mirror that cannot be reached may not matter.
    if let Err(error) = run::must(&mut apt(&["update"])) {
        eprintln!("      {error:#} Trying with the lists that are there.");
    }
    let arguments = [&["install", "--yes", "--no-install-recommends"][..], &names].concat();
    if let Err(error) = run::must(&mut apt(&arguments)) {
        bail!(
            "{error:#}\nThe packages could not be installed. Please look at apt's message above, then run:\n  {by_hand}"
        );
    }
    Ok(())
}

/// The words before a command that needs root: none for root, sudo for others, `None` without either.
fn privilege() -> Option<Vec<&'static str>> {
    if rustix::process::geteuid().is_root() {
        return Some(Vec::new());
    }
    if std::io::stdin().is_terminal() && run::works(Command::new("sudo").arg("--version")) {
        return Some(vec!["sudo"]);
    }
    // Nobody can type a password: only a sudo that needs none will do.
    run::works(Command::new("sudo").args(["--non-interactive", "true"]))
        .then(|| vec!["sudo", "--non-interactive"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_missing_unless_dpkg_says_installed() {
        let wanted: Vec<_> = Purpose::Demo.packages().collect();
        let table = "fontconfig\tinstalled\nfonts-noto-cjk\tconfig-files\nfonts-hanazono\tinstalled\n\
                     libpcsclite-dev\tinstalled\n";
        let names: Vec<_> = missing(&wanted, table).iter().map(|package| package.name).collect();
        let missing_ones = [
            "pkg-config",
            "fonts-noto-cjk",
            "fonts-babelstone-han",
            "pcscd",
            "vsmartcard-vpcd",
            "librime-dev",
        ];
        assert_eq!(names[..missing_ones.len()], missing_ones);
        assert_eq!(names.len(), wanted.len() - 3);
        assert_eq!(missing(&wanted, "").len(), wanted.len());
    }

    #[test]
    fn tests_need_all_that_the_demo_needs() {
        let demo = Purpose::Demo.packages().count();
        assert!(Purpose::Test.packages().count() > demo);
        assert!(
            Purpose::Test.packages().take(demo).map(|p| p.name).eq(Purpose::Demo.packages().map(|p| p.name))
        );
    }
}
