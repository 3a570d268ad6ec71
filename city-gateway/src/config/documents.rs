//! `[documents]`: what the city issues about what registers keep.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// Issued documents; nothing is fetched without an address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Documents {
    /// Public address of the page behind the code on a document, up to what is signed: `https://city.example/d/`. Short:
    /// it stands in the code.
    pub address: Option<String>,
    /// So many days a document can be relied on, 1 to 3650.
    pub valid_days: u16,
    /// Marks documents 演示: they are good for nothing.
    pub demo: bool,
    /// The program that typesets them; `render-document` beside the gateway's own program when it is not said.
    pub renderer: Option<PathBuf>,
    /// Documents that are typeset at a time, 1 to 64.
    pub at_once: usize,
    /// Seconds that typesetting may take, 1 to 20.
    pub timeout_seconds: u64,
}

impl Default for Documents {
    fn default() -> Self {
        Self { address: None, valid_days: 90, demo: false, renderer: None, at_once: 4, timeout_seconds: 8 }
    }
}

impl Documents {
    /// How long typesetting may take.
    pub(crate) fn within(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// The program that typesets.
    pub(crate) fn program(&self) -> PathBuf {
        let beside = || Some(std::env::current_exe().ok()?.parent()?.join("render-document"));
        self.renderer.clone().or_else(beside).unwrap_or_else(|| "render-document".into())
    }

    /// What the types cannot say; a sentence when something is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(address) = &self.address {
            let near = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
            let sound =
                address.starts_with("https://") || near.iter().any(|start| address.starts_with(start));
            if !sound || !address.ends_with("/d/") || address.len() > 100 || !address.is_ascii() {
                return Err(
                    "documents.address must be like https://city.example/d/ (http on this machine)".into()
                );
            }
        }
        let sound = (1..=3650).contains(&self.valid_days)
            && (1..=64).contains(&self.at_once)
            && (1..=20).contains(&self.timeout_seconds);
        if sound {
            Ok(())
        } else {
            Err("documents: valid_days is 1 to 3650, at_once 1 to 64, timeout_seconds 1 to 20".into())
        }
    }
}
