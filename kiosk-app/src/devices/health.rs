//! What has become of each device: its state, since when, how often it was lost and why. For technicians: kept in
//! `devices.json` of the state folder across restarts, on a thread of its own, so that a slow disk slows no device.
//!
//! ```text
//! { "version": 1, "devices": { "receipt-printer": {
//!     "trouble": null, "since_ms": 1795327200000, "came": 3, "lost": 2, "print_level": 2,
//!     "changes": [ { "at_ms": 1795327100000, "trouble": "printer-gone" }, { "at_ms": …, "trouble": null } ] } } }
//! ```

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{SystemTime, UNIX_EPOCH};

/// The file in the state folder.
pub const FILE: &str = "devices.json";
const VERSION: u32 = 1;
/// Changes kept for each device, the latest.
const CHANGES_MAX: usize = 64;
/// Changes that wait to be written; more are not kept.
const WAITING_MAX: usize = 256;

/// Why a device is away, in a stable word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble(pub &'static str);

impl Trouble {
    /// The driver panicked.
    pub const PANIC: Trouble = Trouble("driver-panicked");
}

impl From<device_drivers::Fault> for Trouble {
    fn from(fault: device_drivers::Fault) -> Self {
        Trouble(fault.code())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

struct Change {
    device: &'static str,
    at_ms: i64,
    news: News,
}

#[derive(Clone, Copy)]
enum News {
    /// It is here, or away and why.
    Trouble(Option<Trouble>),
    /// How far a printer can confirm a print.
    PrintLevel(u8),
}

/// Where devices write down what became of them.
#[derive(Clone)]
pub struct HealthBook(SyncSender<Change>);

impl HealthBook {
    /// Goes on with the book in this folder, or begins one.
    pub fn open(state: &Path) -> std::io::Result<HealthBook> {
        let file = state.join(FILE);
        let (sender, changes) = sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("device-health".into()).spawn(move || keep(&file, &changes))?;
        Ok(HealthBook(sender))
    }

    /// A book that nobody reads.
    #[cfg(test)]
    pub fn forgetful() -> HealthBook {
        HealthBook(sync_channel(0).0)
    }

    /// The device is here (no trouble), or away.
    pub fn note(&self, device: &'static str, trouble: Option<Trouble>) {
        self.write_down(device, News::Trouble(trouble));
    }

    /// The printer can confirm a print up to this level, 0 to 4.
    pub fn note_print_level(&self, device: &'static str, level: u8) {
        self.write_down(device, News::PrintLevel(level));
    }

    fn write_down(&self, device: &'static str, news: News) {
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        // A book that cannot keep up loses lines; a device does not wait for it.
        let _ = self.0.try_send(Change { device, at_ms, news });
    }
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
struct Pages {
    version: u32,
    devices: BTreeMap<String, Page>,
}

#[derive(Debug, Default, Deserialize, Serialize, PartialEq)]
struct Page {
    trouble: Option<String>,
    since_ms: i64,
    came: u64,
    lost: u64,
    /// Only of a printer that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    print_level: Option<u8>,
    changes: VecDeque<Line>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq)]
struct Line {
    at_ms: i64,
    trouble: Option<String>,
}

fn keep(file: &Path, changes: &Receiver<Change>) {
    let mut pages = read(file);
    while let Ok(change) = changes.recv() {
        let mut changed = pages.note(&change);
        while let Ok(change) = changes.try_recv() {
            changed |= pages.note(&change);
        }
        if changed && let Err(error) = write(file, &pages) {
            tracing::warn!(%error, "the devices' health cannot be written down");
        }
    }
}

/// A book that cannot be read is no reason to have none.
fn read(file: &Path) -> Pages {
    let text = std::fs::read(file).ok();
    text.and_then(|text| serde_json::from_slice(&text).ok())
        .filter(|pages: &Pages| pages.version == VERSION)
        .unwrap_or(Pages { version: VERSION, devices: BTreeMap::new() })
}

fn write(file: &Path, pages: &Pages) -> std::io::Result<()> {
    let new: PathBuf = file.with_extension("json.new");
    std::fs::write(&new, serde_json::to_vec_pretty(pages)?)?;
    std::fs::rename(new, file)
}

impl Pages {
    /// Notes a change; false when it is none.
    fn note(&mut self, change: &Change) -> bool {
        let page = self.devices.entry(change.device.to_owned()).or_default();
        let trouble = match change.news {
            News::Trouble(trouble) => trouble,
            News::PrintLevel(level) => return page.print_level.replace(level) != Some(level),
        };
        let trouble = trouble.map(|trouble| trouble.0.to_owned());
        if page.trouble == trouble && !page.changes.is_empty() {
            return false;
        }
        match (&page.trouble, &trouble) {
            (_, None) => page.came += 1,
            (None, Some(_)) => page.lost += 1,
            (Some(_), Some(_)) => {}
        }
        page.since_ms = change.at_ms;
        page.trouble.clone_from(&trouble);
        if page.changes.len() == CHANGES_MAX {
            page.changes.pop_front();
        }
        page.changes.push_back(Line { at_ms: change.at_ms, trouble });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at_ms: i64, trouble: Option<&'static str>) -> Change {
        Change { device: "receipt-printer", at_ms, news: News::Trouble(trouble.map(Trouble)) }
    }

    #[test]
    fn a_history_survives_a_restart_and_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let mut pages = read(&file);
        assert!(pages.note(&change(1, None)));
        assert!(!pages.note(&change(2, None)), "nothing has changed");
        for at in 0..100 {
            pages.note(&change(10 + 2 * at, Some("printer-gone")));
            pages.note(&change(11 + 2 * at, None));
        }
        write(&file, &pages).unwrap();
        let again = read(&file);
        assert_eq!(again, pages);
        let page = &again.devices["receipt-printer"];
        assert_eq!((page.came, page.lost, page.since_ms), (101, 100, 209));
        assert_eq!(page.changes.len(), CHANGES_MAX);
    }

    #[test]
    fn what_a_printer_confirms_is_kept_and_is_no_coming_or_going() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let mut pages = read(&file);
        pages.note(&change(1, None));
        let level = Change { device: "receipt-printer", at_ms: 2, news: News::PrintLevel(2) };
        assert!(pages.note(&level) && !pages.note(&level));
        pages.note(&change(3, Some("printer-gone")));
        write(&file, &pages).unwrap();
        let page = &read(&file).devices["receipt-printer"];
        assert_eq!((page.print_level, page.came, page.lost, page.changes.len()), (Some(2), 1, 1, 2));
    }

    #[test]
    fn a_torn_book_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        for text in ["", "{", r#"{"version":9,"devices":{}}"#] {
            std::fs::write(&file, text).unwrap();
            assert!(read(&file).devices.is_empty(), "{text:?}");
        }
    }
}
