//! `[registers.NAME]` in `gateway.toml`: where departments' registers are.
//!
//! Deliberately absent: a secret. A department's token lies in a file of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::Register;
use super::http::HttpRegister;
use super::reference::{self, Reference};

/// One register.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterConfig {
    /// Of which kind.
    pub kind: RegisterKind,
    /// Address of the department's server: `https://…`, or `http://` on this machine. Of the kind `http`.
    #[serde(default)]
    pub url: Option<String>,
    /// File with the authorities that certify this server. Needed for `https`.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// File with the token that the gateway shows to it.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Seconds that one question may take, 1 to 20: somebody stands and waits.
    #[serde(default = "seconds")]
    pub timeout_seconds: u64,
    /// Questions to it at a time, 1 to 256.
    #[serde(default = "at_once")]
    pub at_once: usize,
}

/// A kind of register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegisterKind {
    /// Made-up people, for demos.
    Reference,
    /// A department's server.
    Http,
}

fn seconds() -> u64 {
    6
}

fn at_once() -> usize {
    16
}

impl RegisterConfig {
    /// A made-up one.
    pub fn reference() -> Self {
        Self {
            kind: RegisterKind::Reference,
            url: None,
            ca: None,
            token_file: None,
            timeout_seconds: seconds(),
            at_once: at_once(),
        }
    }

    /// Makes relative paths start at the folder of the file.
    pub(crate) fn resolve(&mut self, folder: &Path) {
        for path in [&mut self.ca, &mut self.token_file].into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }

    /// What the types cannot say; a sentence when something is wrong.
    pub(crate) fn check(&self, name: &str) -> Result<(), String> {
        if !(1..=20).contains(&self.timeout_seconds) || !(1..=256).contains(&self.at_once) {
            return Err(format!("{name}: timeout_seconds is 1 to 20, at_once 1 to 256"));
        }
        let of_http = [self.url.is_some(), self.ca.is_some(), self.token_file.is_some()];
        match (self.kind, &self.url) {
            (RegisterKind::Reference, _) if of_http.contains(&true) => {
                Err(format!("{name}: a reference register has no url, ca or token_file"))
            }
            (RegisterKind::Reference, _) if !reference::NAMES.contains(&name) => {
                Err(format!("{name}: there is no reference register of this name"))
            }
            (RegisterKind::Reference, _) => Ok(()),
            (RegisterKind::Http, None) => Err(format!("{name}: an http register needs a url")),
            (RegisterKind::Http, Some(url)) if url.starts_with("https://") => {
                if self.ca.is_some() {
                    Ok(())
                } else {
                    Err(format!("{name}: https needs a ca"))
                }
            }
            (RegisterKind::Http, Some(url)) if is_near(url) => Ok(()),
            (RegisterKind::Http, Some(_)) => {
                Err(format!("{name}: its url must be https, or http on this machine"))
            }
        }
    }

    pub(super) fn open(&self, name: &str) -> anyhow::Result<Arc<dyn Register>> {
        match self.kind {
            RegisterKind::Reference => {
                let register = Reference::named(name);
                Ok(Arc::new(register.with_context(|| format!("{name} is no reference register"))?))
            }
            RegisterKind::Http => {
                let url = self.url.as_deref().unwrap_or_default();
                let token = self.token_file.as_deref().map(token).transpose()?;
                let within = Duration::from_secs(self.timeout_seconds);
                let register = HttpRegister::new(url, self.ca.as_deref(), token, within, self.at_once);
                Ok(Arc::new(register.with_context(|| format!("register {name}"))?))
            }
        }
    }
}

fn is_near(url: &str) -> bool {
    ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|start| url.starts_with(start))
}

fn token(path: &Path) -> anyhow::Result<String> {
    let text = crate::keys::text(path)?;
    let token = text.trim();
    ensure!(!token.is_empty(), "{}: no token in it", path.display());
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str) -> Result<(), String> {
        toml::from_str::<RegisterConfig>(text).map_err(|error| error.to_string())?.check(name)
    }

    #[test]
    fn registers_are_data_and_checked() {
        let http =
            "kind = \"http\"\nurl = \"https://rsj.test/kiosk\"\nca = \"ca.pem\"\ntoken_file = \"token\"\n";
        assert_eq!(check("anything", http), Ok(()));
        assert_eq!(check("social-insurance", "kind = \"reference\""), Ok(()));
        assert_eq!(check("x", "kind = \"http\"\nurl = \"http://127.0.0.1:9/x\""), Ok(()));
        for (name, wrong, why) in [
            ("x", "kind = \"reference\"".to_owned(), "no reference register"),
            ("social-insurance", "kind = \"reference\"\nurl = \"https://x\"".to_owned(), "no url"),
            ("x", "kind = \"http\"".to_owned(), "needs a url"),
            ("x", http.replace("ca = \"ca.pem\"\n", ""), "needs a ca"),
            ("x", http.replace("https://", "http://"), "must be https"),
            ("x", format!("{http}timeout_seconds = 0"), "1 to 20"),
            ("x", format!("{http}at_once = 0"), "1 to 256"),
            ("x", format!("{http}secret = \"x\""), "secret"),
        ] {
            let said = check(name, &wrong).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
