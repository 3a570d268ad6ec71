//! Screens against the pictures that were looked at and committed: each screen in a few looks, dealt so that it is seen in
//! both themes, contrasts and panels and in all languages, and all screens together in every pair of these and the text
//! sizes. Every look of every screen is measured by the test `measure`.
//!
//! `UPDATE_SNAPSHOTS=1 cargo nextest run -p kiosk-tests snapshots` writes them anew: then look at each.

use anyhow::{Context, Result, ensure};
use kiosk_core::settings::{Language, Theme};
use kiosk_tests::gallery::{Dealer, Finger, Gallery, Look, Picture, picture_name};
use kiosk_tests::workshop::project;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Pictures are kept at half size: small in the repository, and a cut-off word still shows.
const SHRINK: u32 = 2;
/// Anti-aliasing may differ by this much in a colour channel.
const TOLERANCE: u8 = 12;
/// So many pictures can be looked at by a person.
const PICTURES_MAX: usize = 200;

#[test]
fn every_screen_looks_as_it_was_looked_at() -> Result<()> {
    let folder = project().join("tests/snapshots/pictures");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let gallery = Gallery::new(&project().join("assets/catalog"))?;
    let dealt = dealt(&gallery);
    let mut differing = Vec::new();
    let mut names = BTreeSet::new();
    for theme in [Theme::Standard, Theme::Senior] {
        for language in Language::ALL {
            gallery.visit(theme, language, |screen, visitor| {
                let looks = dealt.get(screen).into_iter().flatten();
                for look in looks.filter(|look| look.theme == theme && look.language == language) {
                    let name = picture_name(*look, screen);
                    gallery.show(visitor, *look);
                    let small = shrunk(&gallery.draw(name.clone()));
                    let file = folder.join(format!("{name}.png"));
                    let outcome = if update { small.write_png(&file) } else { compare(&small, &file) };
                    if let Err(error) = outcome {
                        differing.push(format!("{name}: {error:#}"));
                    }
                    names.insert(format!("{name}.png"));
                }
            });
        }
    }
    let seen = names.len();
    ensure!((120..=PICTURES_MAX).contains(&seen), "{seen} pictures were drawn");
    differing.extend(left_over(&folder, &names, update)?);
    ensure!(differing.is_empty(), "{} of {seen} differ:\n{}", differing.len(), differing.join("\n"));
    Ok(())
}

/// The looks of each screen that is kept, dealt in the order of a visit.
fn dealt(gallery: &Gallery) -> BTreeMap<String, Vec<Look>> {
    let mut dealer = Dealer::default();
    let mut dealt = BTreeMap::new();
    let others = gallery.other_items();
    gallery.visit(Theme::Standard, Language::ZhHans, |screen, _| {
        dealt.insert(screen.to_owned(), dealer.deal(looks_of(screen, &others)));
    });
    dealt
}

/// Pictures of screens or looks that are drawn no more.
fn left_over(folder: &Path, names: &BTreeSet<String>, update: bool) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if names.contains(&name) {
            continue;
        }
        if update {
            std::fs::remove_file(entry.path())?;
        } else {
            left.push(format!("{name}: nothing draws it any more"));
        }
    }
    Ok(left)
}

/// How often each screen is kept. Of the items but the first only the pages that no other has; pages that differ in words
/// only are drawn by `cargo xtask ui` and measured by the test `measure`.
fn looks_of(screen: &str, others: &[String]) -> usize {
    let own = OWN_PAGES.contains(&screen);
    match screen {
        _ if !own && others.iter().any(|item| screen.contains(item.as_str())) => 0,
        _ if screen.starts_with("notice-help") => 2,
        _ if screen.starts_with("typing-picker") || screen.contains("notice-") => 1,
        _ if own || VARIED.iter().any(|page| screen.starts_with(page)) => 2,
        _ => 3,
    }
}

/// Pages that the first item does not have, each of the item that has most of it.
const OWN_PAGES: [&str; 7] = [
    "question-urgent-help-today",
    "question-urgent-help-people",
    "question-urgent-help-cost",
    "question-urgent-help-address-town",
    "question-urgent-help-address-village",
    "outcome-id-card-renewal-last",
    "outcome-id-card-renewal-printed",
];

/// Pages that come in many states, of which each looks much like the others.
const VARIED: [&str; 10] = [
    "typing-",
    "progress-",
    "home-",
    "guide-print",
    "enquiry-",
    "question-12345-appeal-photos-",
    "unfetched",
    "settings",
    "life-event",
    "saving",
];

/// The line follows the finger without waiting for the session, which here gets no touch at all. How long a frame with
/// more of the line takes is printed; the whole screen is drawn each time, which a terminal does not do.
#[test]
fn ink_is_seen_with_the_next_frame() -> Result<()> {
    const MOVES: u16 = 60;
    let gallery = Gallery::new(&project().join("assets/catalog"))?;
    let visitor = gallery.at_the_pad();
    gallery.show(&visitor, Look::USUAL);
    gallery.draw(String::new());
    let [x, y, w, h] = gallery.place_of("手写区").context("there is a pad")?;
    let dark = |picture: &Picture, part: f32| {
        let (px, py) = ((x + w * part) as u32, (y + h * 0.3) as u32);
        picture.rgba[((py * picture.width + px) * 4) as usize] < 100
    };
    gallery.finger(Finger::Down, (x + w * 0.1, y + h * 0.3));
    let touched = gallery.draw(String::new());
    ensure!(dark(&touched, 0.1) && !dark(&touched, 0.5), "a dot where the finger is");
    let mut took = Vec::new();
    for step in 1..=MOVES {
        let part = 0.1 + 0.8 * f32::from(step) / f32::from(MOVES);
        let begun = Instant::now();
        gallery.finger(Finger::Moves, (x + w * part, y + h * 0.3));
        let picture = gallery.draw(String::new());
        took.push(begun.elapsed());
        ensure!(dark(&picture, part - 0.005), "the line has not followed to {part}");
    }
    gallery.finger(Finger::Up, (x + w * 0.9, y + h * 0.3));
    gallery.show(&visitor, Look::USUAL);
    let picture = gallery.draw(String::new());
    ensure!(!dark(&picture, 0.5), "a stroke that the session does not hold is not kept on the screen");
    took.sort();
    println!(
        "from a move to its frame: median {:?}, longest {:?}",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    Ok(())
}

fn shrunk(picture: &Picture) -> Picture {
    let (width, height) = (picture.width / SHRINK, picture.height / SHRINK);
    let mut rgba = Vec::with_capacity((width * height * 4) as usize);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..4 {
                rgba.push(average(picture, x * SHRINK, y * SHRINK, channel));
            }
        }
    }
    Picture { name: picture.name.clone(), width, height, rgba }
}

fn average(picture: &Picture, left: u32, top: u32, channel: u32) -> u8 {
    let at = |x: u32, y: u32| u32::from(picture.rgba[((y * picture.width + x) * 4 + channel) as usize]);
    let sum: u32 = (0..SHRINK)
        .flat_map(|dy| (0..SHRINK).map(move |dx| (dx, dy)))
        .map(|(dx, dy)| at(left + dx, top + dy))
        .sum();
    (sum / (SHRINK * SHRINK)) as u8
}

fn compare(seen: &Picture, file: &Path) -> Result<()> {
    let decoder = png::Decoder::new(std::io::BufReader::new(
        File::open(file).with_context(|| "no picture of it was committed; look at it and update")?,
    ));
    let mut reader = decoder.read_info()?;
    let mut kept = vec![0; reader.output_buffer_size().context("a picture of a sane size")?];
    reader.next_frame(&mut kept)?;
    ensure!(kept.len() == seen.rgba.len(), "another size");
    let differing = kept.chunks(4).zip(seen.rgba.chunks(4)).filter(|(a, b)| differs(a, b)).count();
    if differing > 0 {
        let told = target_folder()?.join(format!("{}.png", seen.name));
        seen.write_png(&told)?;
        anyhow::bail!("{differing} pixels differ; drawn now: {}", told.display());
    }
    Ok(())
}

fn differs(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > TOLERANCE)
}

/// Where pictures that differ are put, beside the test binary's build.
fn target_folder() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("the test binary lies in a folder")?.join("differing-screens");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
