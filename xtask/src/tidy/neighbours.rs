//! Who may know whom: the borders between the crates, as tables with reasons.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Finding;
use crate::run;
use crate::workspace::{Package, Workspace};

/// Which of our own crates a crate may name in its manifest.
enum Knows {
    /// Only these.
    Only(&'static [&'static str]),
    /// Whatever it needs: it puts the others together, and nothing is built on it.
    Anyone,
}

/// One row per crate; a crate without a row is a finding, so that a new crate is a decision.
const ROOMS: &[(&str, Knows)] = &[
    ("kiosk-core", Knows::Only(&[])),
    ("service-catalog", Knows::Only(&[])),
    ("kiosk-documents", Knows::Only(&[])),
    // For its tests only, as in sync-agent and city-gateway; ABSENT below keeps it out of the programs.
    ("device-drivers", Knows::Only(&["foreign-programs"])),
    ("device-host", Knows::Only(&["device-drivers"])),
    // The second for its tests only.
    ("chinese-input", Knows::Only(&["kiosk-core", "foreign-programs"])),
    ("sync-protocol", Knows::Only(&[])),
    ("kiosk-ui", Knows::Only(&[])),
    ("kiosk-store", Knows::Only(&["kiosk-core"])),
    (
        "kiosk-app",
        Knows::Only(&[
            "kiosk-core",
            "service-catalog",
            "chinese-input",
            "kiosk-store",
            "kiosk-documents",
            "kiosk-ui",
            "device-drivers",
            "sync-protocol",
        ]),
    ),
    // The last three for its tests only; ABSENT below keeps them out of the program.
    (
        "sync-agent",
        Knows::Only(&[
            "kiosk-core",
            "kiosk-store",
            "sync-protocol",
            "catalog-publisher",
            "service-catalog",
            "foreign-programs",
        ]),
    ),
    ("catalog-publisher", Knows::Only(&["service-catalog"])),
    (
        "city-gateway",
        Knows::Only(&["service-catalog", "sync-protocol", "kiosk-documents", "foreign-programs"]),
    ),
    ("simulator", Knows::Anyone),
    ("kiosk-tests", Knows::Anyone),
    ("enrolment-tests", Knows::Anyone),
    (
        "kiosk-fleet",
        Knows::Only(&["city-gateway", "kiosk-core", "service-catalog", "sync-agent", "sync-protocol"]),
    ),
    ("foreign-programs", Knows::Only(&[])),
    ("kiosk-fuzz", Knows::Anyone),
    ("kiosk-powercut", Knows::Only(&["kiosk-store"])),
    ("kiosk-oracle", Knows::Only(&["kiosk-store", "sync-protocol", "sync-agent", "city-gateway"])),
    ("kiosk-simulation", Knows::Only(&["kiosk-store", "sync-protocol", "sync-agent", "city-gateway"])),
    ("xtask", Knows::Only(&[])),
];

/// Crates that nothing may be built on, except those that may know anyone.
const KNOWN_BY_NONE: [&str; 9] = [
    "simulator",
    "kiosk-tests",
    "enrolment-tests",
    "kiosk-fleet",
    "kiosk-fuzz",
    "kiosk-oracle",
    "kiosk-powercut",
    "kiosk-simulation",
    "xtask",
];

/// A foreign crate that only some of ours may name; `family` is a name or the part before a `-`.
struct OnlyIn {
    family: &'static str,
    crates: &'static [&'static str],
    why: &'static str,
}

const ONLY_IN: &[OnlyIn] = &[
    OnlyIn {
        family: "slint",
        crates: &["kiosk-ui", "kiosk-app", "kiosk-tests"],
        why: "the screen is a picture of the state; nothing but the kiosk process may depend on how it is drawn",
    },
    OnlyIn {
        family: "i-slint",
        crates: &["kiosk-ui", "kiosk-app", "kiosk-tests"],
        why: "the toolkit's inner crates change without notice; their use stays beside the toolkit's",
    },
    OnlyIn {
        family: "tokio",
        crates: &[
            "sync-agent",
            "city-gateway",
            "catalog-publisher",
            "simulator",
            "kiosk-tests",
            "enrolment-tests",
            "kiosk-fuzz",
            "kiosk-simulation",
            "kiosk-fleet",
            "kiosk-oracle",
            "xtask",
        ],
        why: "the kiosk process has one event loop, the screen's; a second runtime in it hangs futures and hides order",
    },
    OnlyIn {
        family: "rusqlite",
        crates: &[
            "kiosk-store",
            "city-gateway",
            "kiosk-tests",
            "kiosk-fuzz",
            "kiosk-powercut",
            "kiosk-simulation",
        ],
        why: "one crate owns a database's schema and its durability settings; everyone else asks that crate",
    },
    OnlyIn {
        family: "libloading",
        crates: &["device-host"],
        why: "a foreign library's crash ends the process that loaded it, so only the one made for that loads any",
    },
];

/// All that the core may stand on.
const CORE_MAY_USE: [&str; 3] = ["thiserror", "zeroize", "time"];
/// What the core's tests may use besides.
const CORE_TESTS_MAY_USE: [&str; 4] = ["proptest", "serde", "serde_json", "tempfile"];

/// A crate, or a feature of one (`crate/feature`), that must not be linked into a program, at any depth.
struct Absent {
    from: &'static str,
    names: &'static [&'static str],
    why: &'static str,
}

const ABSENT: &[Absent] = &[
    Absent {
        from: "kiosk-app",
        names: &[
            "tokio",
            "sync-agent",
            "city-gateway",
            "simulator",
            "reqwest",
            "openssl-sys",
            "aws-lc-sys",
            "tough",
            "foreign-programs",
        ],
        why: "the kiosk process does not speak to the network; a fault in the network stack cannot reach the screen",
    },
    Absent {
        from: "kiosk-app",
        names: &["device-drivers/recording", "device-drivers/devctl"],
        why: "a recording holds a resident's card in clear; only a technician's own build makes one",
    },
    Absent {
        from: "sync-agent",
        names: &[
            "kiosk-app",
            "kiosk-ui",
            "slint",
            "i-slint-core",
            "device-drivers",
            "openssl-sys",
            "catalog-publisher",
            "service-catalog",
            "foreign-programs",
        ],
        why: "the delivering process must survive every fault of the screen and the devices",
    },
    Absent {
        from: "city-gateway",
        names: &["aws-lc-sys", "tough", "catalog-publisher", "openssl-sys", "foreign-programs"],
        why: "the gateway hands the signed catalog out and holds none of its keys; its TLS is rustls with ring alone",
    },
    Absent {
        from: "sync-protocol",
        names: &["tokio", "rusqlite", "reqwest", "axum"],
        why: "messages are plain values; whoever sends them brings the transport",
    },
    Absent {
        from: "kiosk-core",
        names: &["serde", "rand", "tokio", "tracing", "slint"],
        why: "the core decides and does nothing else; a serialiser or a log in reach is a leak in reach",
    },
];

/// The declared dependencies of every crate, against the tables.
pub fn check(workspace: &Workspace) -> Vec<Finding> {
    check_packages(&workspace.packages)
}

fn check_packages(packages: &[Package]) -> Vec<Finding> {
    let ours = |name: &str| ROOMS.iter().any(|(room, _)| *room == name);
    let mut findings = Vec::new();
    for package in packages {
        let Some((_, knows)) = ROOMS.iter().find(|(room, _)| *room == package.name) else {
            let what =
                "a crate without a row in the table of who may know whom (xtask/src/tidy/neighbours.rs)";
            findings.push(Finding::new(
                &package.name,
                what,
                "a new crate is a new border, and a border is a decision",
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            // A crate may name itself, to switch a feature on for its own tests.
            if ours(name) && name != package.name {
                findings.extend(neighbour(&package.name, knows, name));
            }
            findings.extend(foreign(&package.name, name));
        }
        if package.name == "kiosk-core" {
            findings.extend(core(package));
        }
    }
    findings
}

fn neighbour(package: &str, knows: &Knows, name: &str) -> Option<Finding> {
    match knows {
        Knows::Anyone if name != "xtask" => None,
        Knows::Only(allowed) if allowed.contains(&name) => None,
        Knows::Anyone | Knows::Only(_) => {
            let why = if KNOWN_BY_NONE.contains(&name) {
                "nothing is built on the simulator, the tests or the commands: they put the others together"
            } else {
                "borders nobody checks are no borders; docs/ARCHITECTURE.md says who may know whom"
            };
            Some(Finding::new(package, format!("knows {name}"), why))
        }
    }
}

fn foreign(package: &str, name: &str) -> Option<Finding> {
    let rule = ONLY_IN.iter().find(|rule| {
        name == rule.family || name.strip_prefix(rule.family).is_some_and(|rest| rest.starts_with('-'))
    })?;
    // tokio's neighbours that hold no runtime (tokio-rustls and the like) follow the same rule on purpose.
    (!rule.crates.contains(&package)).then(|| Finding::new(package, format!("uses {name}"), rule.why))
}

fn core(package: &Package) -> Vec<Finding> {
    let why =
        "the core is pure: what it cannot name it cannot do, and every session can be replayed in a test";
    package
        .dependencies
        .iter()
        .filter(|dependency| {
            let test_only = dependency.kind.as_deref() == Some("dev")
                && CORE_TESTS_MAY_USE.contains(&dependency.name.as_str());
            !test_only && !CORE_MAY_USE.contains(&dependency.name.as_str())
        })
        .map(|dependency| Finding::new("kiosk-core", format!("uses {}", dependency.name), why))
        .collect()
}

/// What each program really links, at any depth, as cargo resolves it.
pub fn check_absent(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for rule in ABSENT {
        let tree = run::output_of(run::cargo(&workspace.root).args([
            "tree",
            "--package",
            rule.from,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}\t{f}",
        ]))?;
        findings.extend(absent(rule, &tree));
    }
    Ok(findings)
}

fn absent(rule: &Absent, tree: &str) -> Vec<Finding> {
    let linked: BTreeSet<String> = tree.lines().flat_map(crate_and_features).collect();
    rule.names
        .iter()
        .filter(|name| linked.contains(**name))
        .map(|name| Finding::new(rule.from, format!("links {name}, perhaps through another crate"), rule.why))
        .collect()
}

/// `name v1.0 (path)<tab>one,two` as `name`, `name/one` and `name/two`.
fn crate_and_features(line: &str) -> Vec<String> {
    let (package, features) = line.split_once('\t').unwrap_or((line, ""));
    let Some(name) = package.split_whitespace().next() else { return Vec::new() };
    // A crate that stands in the tree again has a mark after its features.
    let features = features.split([',', ' ']).filter(|feature| !feature.is_empty());
    features.map(|feature| format!("{name}/{feature}")).chain([name.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependencies =
            dependencies.iter().map(|name| Dependency { name: (*name).into(), kind: None }).collect();
        Package { name: name.into(), manifest_path: "Cargo.toml".into(), dependencies }
    }

    fn findings(packages: &[Package]) -> Vec<String> {
        check_packages(packages).iter().map(|finding| format!("{} {}", finding.place, finding.what)).collect()
    }

    #[test]
    fn a_tidy_project_has_no_findings() {
        let packages = [
            package("kiosk-core", &["thiserror", "zeroize", "time"]),
            package("kiosk-app", &["kiosk-core", "kiosk-ui", "slint", "i-slint-core"]),
            package("simulator", &["device-drivers", "tokio", "tokio-rustls"]),
            package("kiosk-tests", &["simulator", "kiosk-app", "sync-agent", "rusqlite"]),
        ];
        assert_eq!(findings(&packages), [""; 0]);
    }

    #[test]
    fn each_border_can_be_broken() {
        for (from, to) in [
            ("kiosk-app", "sync-agent"),
            ("sync-agent", "kiosk-app"),
            ("kiosk-store", "sync-protocol"),
            ("device-drivers", "kiosk-core"),
            ("city-gateway", "kiosk-store"),
            ("xtask", "service-catalog"),
            ("kiosk-app", "simulator"),
            ("simulator", "xtask"),
        ] {
            assert_eq!(findings(&[package(from, &[to])]), [format!("{from} knows {to}")]);
        }
    }

    #[test]
    fn foreign_crates_stay_in_their_rooms() {
        for (from, to) in [
            ("kiosk-store", "slint"),
            ("simulator", "i-slint-core"),
            ("kiosk-app", "tokio"),
            ("device-drivers", "tokio-serial"),
            ("device-drivers", "libloading"),
            ("sync-agent", "rusqlite"),
        ] {
            assert_eq!(findings(&[package(from, &[to])]), [format!("{from} uses {to}")]);
        }
    }

    #[test]
    fn the_core_stands_on_three_crates() {
        assert_eq!(findings(&[package("kiosk-core", &["serde_json"])]), ["kiosk-core uses serde_json"]);
        let mut core = package("kiosk-core", &["serde_json", "rand"]);
        core.dependencies.iter_mut().for_each(|dependency| dependency.kind = Some("dev".into()));
        assert_eq!(findings(&[core]), ["kiosk-core uses rand"]);
    }

    #[test]
    fn a_new_crate_is_a_decision() {
        assert_eq!(findings(&[package("kiosk-extras", &[])]).len(), 1);
    }

    #[test]
    fn a_crate_is_found_at_any_depth() {
        let rule = &ABSENT[0];
        let tree = "kiosk-app v0.1.0 (path)\nslint v1.18.1\ntokio v1.54.0\ntokio v1.54.0 (*)\n";
        let findings = absent(rule, tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.contains("tokio"));
        assert!(absent(rule, "kiosk-app v0.1.0\ntokio-free v1.0.0\n").is_empty());
    }

    #[test]
    fn a_feature_that_no_release_may_have_is_found() {
        let rule = ABSENT.iter().find(|rule| rule.names.contains(&"device-drivers/recording")).unwrap();
        for tree in [
            "device-drivers v0.1.0 (path)\tdefault,recording\n",
            "device-drivers v0.1.0 (path)\trecording (*)\n",
        ] {
            assert_eq!(absent(rule, tree).len(), 1, "{tree}");
        }
        assert!(absent(rule, "device-drivers v0.1.0 (path)\t\nrecording v1.0.0\t\n").is_empty());
    }
}
