//! From the start of the process to the first whole frame, and the memory it then takes.

use anyhow::{Result, ensure};
use std::time::Duration;

use super::browser::Browser;
use super::link::Screen;
use super::memory::pss_mib;
use super::site::Site;
use super::table::{Row, Samples, ms};

/// After the first frame, so that what is loaded late is counted.
const REST: Duration = Duration::from_secs(1);

/// Starts kiosk and Chromium in turns, so often each.
pub fn measure(rounds: usize) -> Result<Vec<Row>> {
    let site = Site::make()?;
    let [mut frame, mut memory, mut paint, mut browser_memory] = [(); 4].map(|()| Samples::default());
    let mut processes = 0;
    for round in 0..=rounds {
        let (shown, taken) = start_kiosk(&site)?;
        // The first of each only warms the page cache: neither is to pay for the disk.
        if round > 0 {
            frame.add(shown);
            memory.add(taken);
        }
        let Some(mut browser) = Browser::start(site.folder())? else { continue };
        let shown = browser.first_paint()?;
        std::thread::sleep(REST);
        let (taken, count) = browser.memory()?;
        processes = count;
        if round > 0 {
            paint.add_ms(shown);
            browser_memory.add(taken);
        }
    }
    let frame_row = Row::new("process start to first frame", "ms", frame.median());
    let memory_row = Row::new("resident memory (PSS)", "MiB", memory.median());
    if paint.is_empty() {
        let none = "Chromium is not installed";
        return Ok(vec![frame_row.without(none), memory_row.without(none)]);
    }
    let name = "ms Chromium (first contentful paint)";
    let frame_row = frame_row.beside(name, paint.median(), frame.median() / paint.median());
    let name = format!("MiB Chromium ({processes} processes)");
    let ratio = memory.median() / browser_memory.median();
    Ok(vec![frame_row, memory_row.beside(&name, browser_memory.median(), ratio)])
}

/// Milliseconds to the first frame, and MiB.
fn start_kiosk(site: &Site) -> Result<(f64, f64)> {
    let screen = Screen::listen()?;
    let kiosk = site.start_kiosk(screen.path())?;
    let mut link = screen.accept()?;
    let shown = link.first_frame()? - kiosk.started;
    link.settle()?;
    let page = link.elements()?.screen;
    ensure!(page == "home", "the first screen is {page:?}");
    std::thread::sleep(REST);
    Ok((ms(shown), pss_mib(kiosk.pid())?))
}
