//! `cargo xtask tidy`: the rules of the house that no compiler checks, each with its reason.
//!
//! It is a test as well (at the end of this file), so a breach fails `cargo xtask test`. Absent on
//! purpose: a way to silence one finding in one place. A rule that is wrong is changed here.

mod files;
mod links;
mod manifests;
mod markup;
mod neighbours;
mod rust_text;
mod sources;
mod text;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A file with a line, a folder, or a crate.
    place: String,
    /// What is there and should not be, or the other way round.
    what: String,
    /// Why the rule exists.
    why: &'static str,
    /// Only worth a mention; does not fail.
    mild: bool,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>, why: &'static str) -> Self {
        Self { place: place.into(), what: what.into(), why, mild: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what, why, mild } = self;
        let kind = if *mild { "note" } else { "breach" };
        write!(f, "{kind}: {place}: {what}\n        because: {why}")
    }
}

/// Checks the project and prints what breaks a rule.
pub fn run() -> Result<ExitCode> {
    let findings = check(&Workspace::load()?)?;
    for finding in &findings {
        println!("{finding}");
    }
    let breaches = findings.iter().filter(|finding| !finding.mild).count();
    println!("{breaches} breaches, {} notes", findings.len() - breaches);
    Ok(if breaches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every breach in the project.
fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = neighbours::check(workspace);
    findings.extend(neighbours::check_absent(workspace)?);
    findings.extend(manifests::check(workspace)?);
    let files = files::collect(&workspace.root)?;
    findings.extend(files::check_names(&files));
    for file in &files {
        findings.extend(text::check(file));
        findings.extend(sources::check(file));
        findings.extend(links::check(&workspace.root, file));
    }
    findings.extend(markup::check(&files));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules, enforced on every run of the tests.
    #[test]
    fn the_project_is_tidy() {
        let findings = check(&Workspace::load().unwrap()).unwrap();
        let breaches: Vec<String> =
            findings.iter().filter(|finding| !finding.mild).map(Finding::to_string).collect();
        assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
    }
}
