//! What every `Cargo.toml` must say, and where the lock file may fetch from.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::Finding;
use crate::workspace::Workspace;

const ONE_PLACE: &str =
    "a version is written in one place, the root manifest, so that two crates never use two versions";

/// All manifests of the project's crates, and the lock file.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let path = &package.manifest_path;
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let place = path.strip_prefix(&workspace.root).unwrap_or(path).to_string_lossy();
        findings.extend(check_manifest(&place, &text)?);
    }
    let lock =
        std::fs::read_to_string(workspace.root.join("Cargo.lock")).context("Cargo.lock cannot be read")?;
    findings.extend(check_lock(&lock));
    Ok(findings)
}

fn check_manifest(place: &str, text: &str) -> Result<Vec<Finding>> {
    let manifest: Table = text.parse().with_context(|| format!("{place} is not valid TOML"))?;
    let mut findings = Vec::new();
    if manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&Value::Boolean(true)) {
        let why = "a crate without the project's lints may do what the others may not";
        findings.push(Finding::new(place, "no `[lints] workspace = true`", why));
    }
    for field in ["version", "edition", "rust-version", "license", "publish"] {
        let inherited =
            manifest.get("package").and_then(|package| package.get(field)).is_some_and(is_inherited);
        if !inherited {
            findings.push(Finding::new(place, format!("no `{field}.workspace = true`"), ONE_PLACE));
        }
    }
    for (name, value) in dependencies(&manifest, &["dependencies", "dev-dependencies", "build-dependencies"])
    {
        if !is_inherited(value) {
            findings.push(Finding::new(place, format!("{name} is not `workspace = true`"), ONE_PLACE));
        }
    }
    findings.extend(check_recording(place, &manifest));
    Ok(findings)
}

/// Recordings of devices hold what a card said. Tests and tools make them; a release must not be able to.
fn check_recording(place: &str, manifest: &Table) -> Vec<Finding> {
    const RECORDING: &str = "recording";
    let names_it = |value: &Value| {
        let features = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        features.into_iter().any(|feature| feature == RECORDING || feature.ends_with("/recording"))
    };
    let why = "a recording holds what a card said, so a release must not be able to make one";
    let features = manifest.get("features").and_then(Value::as_table).into_iter().flatten();
    let by_feature = features.filter(|(_, enables)| names_it(enables)).map(|(name, _)| name);
    let shipped = dependencies(manifest, &["dependencies", "build-dependencies"]);
    let by_dependency = shipped
        .into_iter()
        .filter(|(_, value)| value.get("features").is_some_and(names_it))
        .map(|(name, _)| name);
    by_feature
        .chain(by_dependency)
        .map(|name| Finding::new(place, format!("{name} switches on the feature `{RECORDING}`"), why))
        .collect()
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace") == Some(&Value::Boolean(true))
}

/// Every dependency of these kinds, for every target.
fn dependencies<'a>(manifest: &'a Table, kinds: &[&str]) -> Vec<(&'a String, &'a Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    tables
        .flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind).and_then(Value::as_table)))
        .flatten()
        .collect()
}

/// Cargo writes its default registry under this name, whatever mirror it fetched from.
const DEFAULT_REGISTRY: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

fn check_lock(lock: &str) -> Vec<Finding> {
    let why = "everyone must be able to build this, from the default registry alone";
    lock.lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("source = ") && *line != DEFAULT_REGISTRY)
        .map(|(at, line)| {
            Finding::new(format!("Cargo.lock:{}", at + 1), format!("another source: {line}"), why)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[package]
name = "good"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true
[lints]
workspace = true
[dependencies]
anyhow.workspace = true
slint = { workspace = true, features = ["x"] }
"#;

    fn findings(text: &str) -> Vec<String> {
        check_manifest("Cargo.toml", text).unwrap().into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_good_manifest_has_no_findings() {
        assert_eq!(findings(GOOD), [""; 0]);
    }

    #[test]
    fn missing_lints_are_found() {
        let text = GOOD.replace("[lints]\nworkspace = true\n", "");
        assert_eq!(findings(&text), ["no `[lints] workspace = true`"]);
    }

    #[test]
    fn a_version_outside_the_root_is_found_in_every_kind_of_dependency() {
        for kind in ["dev-dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies"] {
            let text = format!("{GOOD}\n[{kind}]\nrand = \"0.9\"\n");
            assert_eq!(findings(&text), ["rand is not `workspace = true`"], "{kind}");
        }
        let text = GOOD.replace("version.workspace = true", "version = \"1.0.0\"");
        assert!(findings(&text).contains(&"no `version.workspace = true`".to_owned()));
        let text = GOOD.replace("anyhow.workspace = true", "anyhow = { path = \"../anyhow\" }");
        assert_eq!(findings(&text), ["anyhow is not `workspace = true`"]);
    }

    #[test]
    fn recordings_are_for_tests_alone() {
        let with = |kind: &str| {
            format!("{GOOD}\n[{kind}.device-drivers]\nworkspace = true\nfeatures = [\"recording\"]\n")
        };
        assert_eq!(findings(&with("dev-dependencies")), [""; 0]);
        assert_eq!(findings(&with("dependencies")), ["device-drivers switches on the feature `recording`"]);
        for enables in ["recording", "device-drivers/recording"] {
            let text = format!("{GOOD}\n[features]\ndefault = [\"{enables}\"]\n");
            assert_eq!(findings(&text), ["default switches on the feature `recording`"], "{enables}");
        }
    }

    #[test]
    fn another_source_is_found() {
        assert!(check_lock(DEFAULT_REGISTRY).is_empty());
        assert_eq!(check_lock("source = \"git+https://example.org/x\"").len(), 1);
        assert_eq!(check_lock("source = \"registry+https://mirror.example.org/index\"").len(), 1);
    }
}
