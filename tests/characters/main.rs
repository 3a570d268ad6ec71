//! Every character of GB 18030-2022, level 3, as the kiosk's screen draws it: through Slint's own choice of fonts, in both
//! of the window's families and in bold. A character counts as missing when its picture is empty, which is how Slint's
//! software renderer shows one that no font has, or is what a font shows for it: a box, with another renderer.
#![allow(missing_docs, reason = "what the macro makes has none")]

use anyhow::{Context, Result, ensure};
use kiosk_tests::workshop::project;
use slint::platform::software_renderer::{MinimalSoftwareWindow, PremultipliedRgbaColor, RepaintBufferType};
use slint::platform::{Platform, WindowAdapter};
use slint::{ComponentHandle, ModelRc, PhysicalSize, PlatformError, SharedString, VecModel};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

/// Cells across and down a sheet.
const SIDE: usize = 50;
/// Pixels of a cell, and of the letters in it: small, because only "drawn or not" is asked.
const CELL: usize = 24;
const LETTERS: usize = 18;
/// A noncharacter: no font may have it, so its picture is that of a missing one.
const NO_FONT_HAS: &str = "\u{10FFFE}";
/// The window's own families, and the fall-backs behind them: each has a box of its own.
const FAMILIES: [&str; 5] =
    ["Noto Sans CJK SC", "Noto Sans CJK HK", "BabelStone Han", "HanaMinA", "HanaMinB"];

slint::slint! {
    export component Sheet inherits Window {
        in property <[string]> characters;
        in property <string> family;
        in property <int> weight: 400;
        in property <int> side;
        in property <length> cell;
        in property <length> letters;
        background: white;
        default-font-family: root.family;
        for character[at] in root.characters: Text {
            x: mod(at, root.side) * root.cell;
            y: floor(at / root.side) * root.cell;
            width: root.cell;
            height: root.cell;
            text: character;
            color: black;
            font-size: root.letters;
            font-weight: root.weight;
            horizontal-alignment: center;
            vertical-alignment: center;
        }
    }
}

/// A platform that only draws when asked.
struct Easel(Rc<MinimalSoftwareWindow>);

impl Platform for Easel {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.0.clone())
    }
}

/// Draws sheets of characters. One a process: Slint has one platform.
struct Printer {
    easel: Rc<MinimalSoftwareWindow>,
    sheet: Sheet,
}

type Cell = Vec<u8>;

impl Printer {
    fn new() -> Result<Printer> {
        let easel = MinimalSoftwareWindow::new(RepaintBufferType::NewBuffer);
        slint::platform::set_platform(Box::new(Easel(easel.clone())))
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let sheet = Sheet::new()?;
        easel.set_size(PhysicalSize::new((SIDE * CELL) as u32, (SIDE * CELL) as u32));
        kiosk_app::fonts::set_fallbacks();
        sheet.set_side(SIDE as i32);
        sheet.set_cell(CELL as f32);
        sheet.set_letters(LETTERS as f32);
        sheet.show()?;
        Ok(Printer { easel, sheet })
    }

    /// Draws with these letters from now on.
    fn dress(&self, family: &str, weight: i32) {
        self.sheet.set_family(family.into());
        self.sheet.set_weight(weight);
    }

    /// The picture of each of these texts.
    fn cells(&self, texts: &[SharedString]) -> Vec<Cell> {
        self.sheet.set_characters(ModelRc::new(VecModel::from(texts.to_vec())));
        self.sheet.window().request_redraw();
        slint::platform::update_timers_and_animations();
        let across = SIDE * CELL;
        let mut pixels = vec![PremultipliedRgbaColor::default(); across * across];
        self.easel.draw_if_needed(|renderer| {
            renderer.render(&mut pixels, across);
        });
        let cell = |at: usize| {
            let (left, top) = (at % SIDE * CELL, at / SIDE * CELL);
            let row = |y: usize| pixels[(top + y) * across + left..][..CELL].iter().map(|pixel| pixel.red);
            (0..CELL).flat_map(row).collect()
        };
        (0..texts.len()).map(cell).collect()
    }

    /// What each font shows for a missing character. It must be told from a letter, or nothing would be found missing.
    fn missing(&self, weight: i32) -> Result<Vec<Cell>> {
        let mut missing = Vec::new();
        for family in FAMILIES {
            self.dress(family, weight);
            let [no_font, letter] = &self.cells(&[NO_FONT_HAS.into(), "永".into()])[..] else {
                anyhow::bail!("two cells were drawn")
            };
            ensure!(!is_empty(letter) && letter != no_font, "{family} draws no letter");
            missing.push(no_font.clone());
        }
        Ok(missing)
    }
}

fn is_empty(cell: &Cell) -> bool {
    cell.iter().all(|shade| *shade == 255)
}

/// The ideographs and radicals of level 3, with the counts that the standard gives.
fn level_3() -> Result<Vec<SharedString>> {
    let text = std::fs::read_to_string(project().join("tests/vectors/gb18030_level_3.json"))?;
    let vector: serde_json::Value = serde_json::from_str(&text)?;
    let code = |value: &serde_json::Value| -> Result<u32> {
        Ok(u32::from_str_radix(value.as_str().context("a code point")?, 16)?)
    };
    let list = |key: &str| vector[key].as_array().with_context(|| format!("no list {key}"));
    let listed = |ranges: &str, single: &str| -> Result<Vec<u32>> {
        let mut codes = Vec::new();
        for range in list(ranges)? {
            codes.extend(code(&range[0])?..=code(&range[1])?);
        }
        for character in list(single)? {
            codes.push(code(character)?);
        }
        Ok(codes)
    };
    let mut codes = listed("ranges", "among_compatibility")?;
    ensure!(Some(codes.len() as u64) == vector["ideographs"].as_u64(), "{} ideographs", codes.len());
    let radicals = listed("radical_ranges", "radicals_of_the_supplement")?;
    ensure!(Some(radicals.len() as u64) == vector["radicals"].as_u64(), "{} radicals", radicals.len());
    codes.extend(radicals);
    codes
        .into_iter()
        .map(|code| Ok(char::from_u32(code).context("a character")?.to_string().into()))
        .collect()
}

/// Resident memory of this process in MiB, and how much of it the kernel cannot read from files again.
fn memory_mib() -> Result<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> Result<u64> {
        let line = status.lines().find(|line| line.starts_with(name)).context("the kernel tells it")?;
        Ok(line.split_whitespace().nth(1).context("a number")?.parse::<u64>()? / 1024)
    };
    Ok((field("VmRSS:")?, field("RssAnon:")?))
}

/// Draws every character in this family and weight, and gives those that are missing, with how.
fn missing(family: &str, weight: i32) -> Result<BTreeMap<String, &'static str>> {
    let printer = Printer::new()?;
    let as_missing = printer.missing(weight)?;
    printer.dress(family, weight);
    let characters = level_3()?;
    let (before, start) = (memory_mib()?, Instant::now());
    let mut missing = BTreeMap::new();
    for page in characters.chunks(SIDE * SIDE) {
        for (character, cell) in page.iter().zip(printer.cells(page)) {
            if is_empty(&cell) {
                missing.insert(character.to_string(), "empty");
            } else if as_missing.contains(&cell) {
                missing.insert(character.to_string(), "a box");
            }
        }
    }
    let after = memory_mib()?;
    println!(
        "{family} {weight}: {} of {} missing, {:.1} s; memory {} MiB (own {}) before, {} MiB (own {}) after",
        missing.len(),
        characters.len(),
        start.elapsed().as_secs_f32(),
        before.0,
        before.1,
        after.0,
        after.1,
    );
    Ok(missing)
}

fn none_is_missing(family: &str, weight: i32) -> Result<()> {
    let markup = std::fs::read_to_string(project().join("kiosk-app/ui/ui/kiosk.slint"))?;
    ensure!(markup.contains(family), "{family} is none of the window's families");
    let missing = missing(family, weight)?;
    let some: Vec<_> = missing.iter().take(20).collect();
    ensure!(missing.is_empty(), "{} characters are missing, such as {some:?}", missing.len());
    Ok(())
}

#[test]
fn the_screen_has_a_glyph_for_every_character_of_level_3() -> Result<()> {
    none_is_missing("Noto Sans CJK SC", 400)
}

#[test]
fn so_it_has_in_bold_and_in_the_family_of_traditional_characters() -> Result<()> {
    none_is_missing("Noto Sans CJK HK", 700)
}

/// Shows that the tests above can fail: what no font has is seen as missing, wherever it stands.
#[test]
fn a_character_of_no_font_is_seen() -> Result<()> {
    let printer = Printer::new()?;
    let as_missing = printer.missing(400)?;
    printer.dress(FAMILIES[0], 400);
    let cells = printer.cells(&["莞".into(), NO_FONT_HAS.into(), "\u{2CC56}".into(), " ".into()]);
    let seen = cells.iter().map(|cell| as_missing.contains(cell) || is_empty(cell));
    ensure!(seen.eq([false, true, false, true]));
    Ok(())
}
