//! `terminal.toml`: what this kiosk is, where its devices and folders are.
//!
//! Relative paths are relative to the file's folder. sync-agent reads the same file; sections that are
//! not ours are left alone.

use crate::devices::declared::Devices;
use anyhow::{Context, Result};
use kiosk_core::session::Limits;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The whole file, as far as the kiosk process is concerned.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// Who this terminal is.
    pub terminal: Terminal,
    /// Folders and programs.
    pub paths: Paths,
    /// The screen.
    pub panel: Panel,
    /// The program behind the keyboard on the screen. Without it there are letters, digits and the picker.
    pub typing: Option<Typing>,
    /// Which devices there are, and where.
    #[serde(default)]
    pub devices: Devices,
    /// Limits of the store.
    pub store: StoreLimits,
    /// The city.
    pub city: City,
    /// Waits, where they differ from the usual ones.
    #[serde(default)]
    pub waits: Waits,
}

/// Who this terminal is.
#[derive(Debug, Deserialize)]
pub struct Terminal {
    /// Terminal code, six of `[A-Z0-9]`; the head of every case number.
    pub code: String,
    /// Where it stands, for the header and the receipt.
    pub place: String,
    /// Telephone of whoever keeps the place, shown to who asks for help.
    pub keeper_phone: Option<String>,
    /// Marks screens and print-outs 演示.
    #[serde(default)]
    pub demo: bool,
}

/// Folders and programs.
#[derive(Debug, Deserialize)]
pub struct Paths {
    /// Databases and blobs.
    pub state: PathBuf,
    /// Service items.
    pub catalog: PathBuf,
    /// Keys and certificates.
    pub keys: PathBuf,
    /// The program that renders print-outs.
    pub documents: PathBuf,
}

/// The program that turns keys and strokes of the pen into characters, and what it reads.
#[derive(Debug, Deserialize)]
pub struct Typing {
    /// The program `chinese-input` of the same release.
    pub program: PathBuf,
    /// The folder into which `chinese-input deploy` put its tables.
    pub tables: PathBuf,
    /// The dictionaries, where they do not lie where Debian puts them.
    pub dictionaries: Option<PathBuf>,
    /// The handwriting model, likewise.
    pub model: Option<PathBuf>,
}

impl Typing {
    fn resolve(&mut self, folder: &Path) {
        let optional = self.dictionaries.iter_mut().chain(&mut self.model);
        for path in [&mut self.program, &mut self.tables].into_iter().chain(optional) {
            *path = folder.join(&*path);
        }
    }
}

/// The screen. Every size on it is derived from its millimetres.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Panel {
    /// Diagonal in inches.
    pub diagonal_inch: f32,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
}

impl Panel {
    /// The same panel with another number of pixels: everything on it keeps its proportions.
    #[must_use]
    pub fn with_height(self, height_px: u32) -> Panel {
        let width_px = (f64::from(self.width_px) * f64::from(height_px) / f64::from(self.height_px)).round();
        Panel { width_px: width_px as u32, height_px, ..self }
    }

    /// Pixels in one millimetre.
    pub fn pixels_per_mm(&self) -> f32 {
        let diagonal_px = (self.width_px as f32).hypot(self.height_px as f32);
        diagonal_px / (self.diagonal_inch * 25.4)
    }
}

/// Limits of the store.
#[derive(Debug, Deserialize)]
pub struct StoreLimits {
    /// With less room on the disk, no new case is taken.
    pub min_free_mib: u64,
}

/// The city.
#[derive(Debug, Deserialize)]
pub struct City {
    /// Head of the address behind a receipt's QR.
    pub verify_url: String,
}

/// Waits that a site (or a test) sets otherwise; absent ones are the usual ones.
#[derive(Debug, Default, Deserialize)]
pub struct Waits {
    /// Seconds until the idle warning, in both themes.
    pub idle_s: Option<u64>,
    /// Seconds of its countdown, in both themes.
    pub countdown_s: Option<u32>,
    /// Seconds until the idle warning when a sensor sees nobody.
    pub unseen_s: Option<u64>,
    /// Seconds until the idle warning while a call for the keeper stands.
    pub idle_help_s: Option<u64>,
    /// Seconds that the farewell stays.
    pub farewell_s: Option<u64>,
    /// Milliseconds in which the same touch counts once, in both themes.
    pub same_touch_ms: Option<u64>,
}

impl Waits {
    /// The session's limits with these changes.
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(seconds) = self.idle_s {
            (limits.idle_standard_ms, limits.idle_senior_ms) = (seconds * 1_000, seconds * 1_000);
        }
        if let Some(seconds) = self.countdown_s {
            (limits.countdown_standard_s, limits.countdown_senior_s) = (seconds, seconds);
        }
        if let Some(seconds) = self.unseen_s {
            limits.unseen_ms = seconds * 1_000;
        }
        if let Some(seconds) = self.idle_help_s {
            limits.idle_help_ms = seconds * 1_000;
        }
        if let Some(seconds) = self.farewell_s {
            limits.farewell_ms = seconds * 1_000;
        }
        if let Some(ms) = self.same_touch_ms {
            (limits.same_touch_standard_ms, limits.same_touch_senior_ms) = (ms, ms);
        }
        limits
    }
}

impl Config {
    /// Reads the file and makes its paths absolute.
    pub fn load(file: &Path) -> Result<Config> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut config: Config = toml::from_str(&text).with_context(|| format!("in {}", file.display()))?;
        let folder = file.canonicalize()?.parent().map(Path::to_owned).unwrap_or_default();
        for path in [
            &mut config.paths.state,
            &mut config.paths.catalog,
            &mut config.paths.keys,
            &mut config.paths.documents,
        ] {
            *path = folder.join(&*path);
        }
        if let Some(typing) = &mut config.typing {
            typing.resolve(&folder);
        }
        config.devices.resolve(&folder);
        let code = &config.terminal.code;
        let good = code.len() == 6 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        anyhow::ensure!(good, "terminal.code must be six of A–Z and 0–9, not {code:?}");
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_panel_has_a_quarter_millimetre_pixels() {
        let panel = Panel { diagonal_inch: 21.5, width_px: 1080, height_px: 1920 };
        assert!((panel.pixels_per_mm() - 4.034).abs() < 0.01);
    }
}
