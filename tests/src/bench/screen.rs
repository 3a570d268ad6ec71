//! How long a finger waits: from the touch to changed pixels, and from the tap to a whole other page.

use anyhow::{Context, Result};
use kiosk_tests::resident::APPEAL;
use simulator::screen::TouchPhase;
use std::time::Duration;

use super::browser::Browser;
use super::link::{Link, Screen, middle};
use super::memory::pss_mib;
use super::site::Site;
use super::table::{Better, Row, Samples};

/// One frame at 60 Hz: a finger must see at once that it was felt.
const TOUCH_MS: f64 = 16.0;
/// Longer, and a page seems to come instead of being there.
const PAGE_MS: f64 = 50.0;
const BACK: &str = "上一步";
/// Beside everything that can be touched.
const NOWHERE: (f32, f32) = (1.0, 1.0);
/// Changes whose order of kiosk and Chromium alternates.
const BLOCK: usize = 10;

/// Times of one side.
#[derive(Default)]
struct Times {
    touch: Samples,
    to_guide: Samples,
    to_home: Samples,
}

/// Touches and turns pages so often, in turns with Chromium.
pub fn measure(touches: usize, turns: usize) -> Result<Vec<Row>> {
    let site = Site::make()?;
    let screen = Screen::listen()?;
    let kiosk = site.start_kiosk(screen.path())?;
    let mut link = screen.accept()?;
    link.first_frame()?;
    link.settle()?;
    let mut browser = Browser::start(site.folder())?;
    if let Some(browser) = &mut browser {
        browser.first_paint()?;
    }
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    // The first page change fills the caches of fonts and words; memory is compared from there.
    turn(&mut link, &mut Times::default())?;
    let before = pss_mib(kiosk.pid())?;
    for block in 0..touches.max(turns).div_ceil(BLOCK) {
        for at in block * BLOCK..(block + 1) * BLOCK {
            if at < touches {
                touch(&mut link, &mut ours.touch)?;
            }
            if at < turns {
                turn(&mut link, &mut ours)?;
            }
        }
        let Some(browser) = &mut browser else { continue };
        for at in block * BLOCK..(block + 1) * BLOCK {
            if at < touches {
                theirs.touch.add_ms(browser.touch()?);
            }
            if at < turns {
                theirs.to_guide.add_ms(browser.turn_to("guide")?);
                theirs.to_home.add_ms(browser.turn_to("home")?);
            }
        }
    }
    let after = pss_mib(kiosk.pid())?;
    let mut rows = rows("touch to changed pixels", &ours.touch, &theirs.touch, TOUCH_MS);
    rows.extend(self::rows("page change, home to guide", &ours.to_guide, &theirs.to_guide, PAGE_MS));
    rows.extend(self::rows("page change, guide to home", &ours.to_home, &theirs.to_home, PAGE_MS));
    let what = format!("kiosk memory after {turns} visits to a page");
    let memory = Row::new(what, "MiB", after).beside("MiB before", before, after / before);
    rows.push(memory.goal(Better::Smaller, 1.1));
    Ok(rows)
}

/// A finger comes down on a tile, slides off, and leaves.
fn touch(link: &mut Link, times: &mut Samples) -> Result<()> {
    let (x, y) = middle(&link.find("home", APPEAL)?);
    let sent = link.touch(TouchPhase::Press, x, y)?;
    times.add_ms(link.change_at(x, y)? - sent);
    link.touch(TouchPhase::Move, NOWHERE.0, NOWHERE.1)?;
    link.touch(TouchPhase::Release, NOWHERE.0, NOWHERE.1)?;
    link.settle().map(drop)
}

/// To the guide and back.
fn turn(link: &mut Link, times: &mut Times) -> Result<()> {
    let there = tap(link, "home", APPEAL)?;
    times.to_guide.add_ms(there);
    let back = tap(link, "guide", BACK)?;
    times.to_home.add_ms(back);
    link.find("home", APPEAL).map(drop)
}

/// From the finger's leaving to the last change of what follows.
fn tap(link: &mut Link, screen: &str, label: &str) -> Result<Duration> {
    let (x, y) = middle(&link.find(screen, label)?);
    link.touch(TouchPhase::Press, x, y)?;
    link.settle()?;
    let sent = link.touch(TouchPhase::Release, x, y)?;
    let last = link.settle()?.with_context(|| format!("touching {label:?} changes nothing"))?;
    Ok(last - sent)
}

/// Median, and the 99th percentile with what it may be at most.
fn rows(what: &str, ours: &Samples, theirs: &Samples, limit_ms: f64) -> Vec<Row> {
    let row = |name: &str, own: f64, other: f64| {
        let row = Row::new(format!("{what}, {name}"), "ms", own);
        if theirs.is_empty() {
            row.without("Chromium is not installed")
        } else {
            row.beside("ms Chromium", other, own / other)
        }
    };
    let p99 = row("p99", ours.p99(), theirs.p99()).limit(Better::Smaller, limit_ms);
    vec![row("median", ours.median(), theirs.median()), p99]
}
