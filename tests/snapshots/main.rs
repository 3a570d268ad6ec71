//! Every screen × theme × language against the pictures that were looked at and committed.
//!
//! `UPDATE_SNAPSHOTS=1 cargo nextest run -p kiosk-tests snapshots` writes them anew: then look at each.

use anyhow::{Context, Result, ensure};
use kiosk_core::settings::{Language, Theme};
use kiosk_tests::gallery::{Finger, Gallery, Picture};
use kiosk_tests::workshop::project;
use slint::PhysicalSize;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Pictures are kept at half size: small in the repository, and a cut-off word still shows.
const SHRINK: u32 = 2;
/// Anti-aliasing may differ by this much in a colour channel.
const TOLERANCE: u8 = 12;

#[test]
fn every_screen_looks_as_it_was_looked_at() -> Result<()> {
    let folder = project().join("tests/snapshots/pictures");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let gallery = Gallery::new(&project().join("assets/catalog"), PhysicalSize::new(1080, 1920))?;
    let others = gallery.other_items();
    let mut differing = Vec::new();
    let mut seen = 0;
    for theme in [Theme::Standard, Theme::Senior] {
        for language in Language::ALL {
            gallery.visit(
                theme,
                language,
                |name| is_kept(name, &others),
                |picture| {
                    seen += 1;
                    let small = shrunk(&picture);
                    let file = folder.join(format!("{}.png", picture.name));
                    let outcome = if update { small.write_png(&file) } else { compare(&small, &file) };
                    if let Err(error) = outcome {
                        differing.push(format!("{}: {error:#}", picture.name));
                    }
                },
            );
        }
    }
    ensure!(seen > 60, "only {seen} screens were drawn");
    ensure!(differing.is_empty(), "{} of {seen} differ:\n{}", differing.len(), differing.join("\n"));
    Ok(())
}

/// Upright and sideways: ten keys in a row are the widest thing there is.
#[test]
fn the_keyboard_looks_as_it_was_looked_at() -> Result<()> {
    keyboard("portrait", PhysicalSize::new(1080, 1920))
}

#[test]
fn the_keyboard_looks_as_it_was_looked_at_sideways() -> Result<()> {
    keyboard("landscape", PhysicalSize::new(1920, 1080))
}

fn keyboard(how: &str, size: PhysicalSize) -> Result<()> {
    let folder = project().join("tests/snapshots/pictures");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let gallery = Gallery::new(&project().join("assets/catalog"), size)?;
    let mut differing = Vec::new();
    for theme in [Theme::Standard, Theme::Senior] {
        for language in Language::ALL {
            gallery.typing(theme, language, |mut picture| {
                if how == "landscape" && !is_kept_sideways(&picture.name) {
                    return;
                }
                picture.name = format!("{how}-{}", picture.name);
                let small = shrunk(&picture);
                let file = folder.join(format!("{}.png", picture.name));
                let outcome = if update { small.write_png(&file) } else { compare(&small, &file) };
                if let Err(error) = outcome {
                    differing.push(format!("{}: {error:#}", picture.name));
                }
            });
        }
    }
    ensure!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
    Ok(())
}

/// Sideways the keys lie as upright; what could grow too wide or too low is kept.
fn is_kept_sideways(name: &str) -> bool {
    let widest = [
        "pinyin",
        "pinyin-expanded",
        "pinyin-sentence",
        "strokes",
        "handwriting",
        "letters",
        "picker-radical",
    ];
    let kept = widest.iter().any(|way| name.ends_with(&format!("zh-hans-typing-{way}")));
    kept || name.ends_with("en-typing-pinyin")
}

/// The line follows the finger without waiting for the session, which here gets no touch at all. How long a frame with
/// more of the line takes is printed; the whole screen is drawn each time, which a terminal does not do.
#[test]
fn ink_is_seen_with_the_next_frame() -> Result<()> {
    const MOVES: u16 = 60;
    let gallery = Gallery::new(&project().join("assets/catalog"), PhysicalSize::new(1080, 1920))?;
    let visitor = gallery.at_the_pad();
    gallery.draw(String::new(), &visitor);
    let [x, y, w, h] = gallery.place_of("手写区").context("there is a pad")?;
    let dark = |picture: &Picture, part: f32| {
        let (px, py) = ((x + w * part) as u32, (y + h * 0.3) as u32);
        picture.rgba[((py * picture.width + px) * 4) as usize] < 100
    };
    gallery.finger(Finger::Down, (x + w * 0.1, y + h * 0.3));
    let touched = gallery.draw(String::new(), &visitor);
    ensure!(dark(&touched, 0.1) && !dark(&touched, 0.5), "a dot where the finger is");
    let mut took = Vec::new();
    for step in 1..=MOVES {
        let part = 0.1 + 0.8 * f32::from(step) / f32::from(MOVES);
        let begun = Instant::now();
        gallery.finger(Finger::Moves, (x + w * part, y + h * 0.3));
        let picture = gallery.draw(String::new(), &visitor);
        took.push(begun.elapsed());
        ensure!(dark(&picture, part - 0.005), "the line has not followed to {part}");
    }
    gallery.finger(Finger::Up, (x + w * 0.9, y + h * 0.3));
    let picture = gallery.draw(String::new(), &visitor);
    ensure!(!dark(&picture, 0.5), "a stroke that the session does not hold is not kept on the screen");
    took.sort();
    println!(
        "from a move to its frame: median {:?}, longest {:?}",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    Ok(())
}

/// Pages that the first item does not have, of the one that has most of them. Two suits tell enough of each.
const PARTS: [&str; 7] = [
    "question-urgent-help-today",
    "question-urgent-help-people",
    "question-urgent-help-cost",
    "question-urgent-help-address-town",
    "question-urgent-help-address-village",
    "outcome-id-card-renewal-last",
    "outcome-id-card-renewal-printed",
];
const SUITS: [&str; 2] = ["standard-zh-hans-", "senior-en-"];

/// The pages of one item are kept; those of the others differ in words only, and `cargo xtask ui` draws them.
fn is_kept(name: &str, others: &[String]) -> bool {
    let part = |suit: &&str| name.strip_prefix(*suit).is_some_and(|rest| PARTS.contains(&rest));
    SUITS.iter().any(part) || !others.iter().any(|item| name.contains(item.as_str()))
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
