//! Pictures in a folder, and contact sheets beside them: many small pictures on one page, so that a person can look at all.

use crate::gallery::Picture;
use anyhow::Result;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One small picture is so many pixels wide, or high if it is higher.
const SMALL: u32 = 420;
/// So many beside each other.
const ACROSS: u32 = 5;
/// So many under each other; what does not fit begins another sheet.
const DOWN: u32 = 4;
/// Between them, in pixels.
const GAP: u32 = 12;

/// A folder of pictures and their sheets.
pub struct Sheets {
    folder: PathBuf,
    waiting: BTreeMap<String, Vec<Picture>>,
    made: BTreeMap<String, usize>,
}

impl Sheets {
    /// Writes into this folder.
    pub fn new(folder: &Path) -> Sheets {
        Sheets { folder: folder.to_owned(), waiting: BTreeMap::new(), made: BTreeMap::new() }
    }

    /// Writes the picture, and puts it on the sheet of that name.
    pub fn add(&mut self, sheet: &str, picture: &Picture) -> Result<()> {
        picture.write_png(&self.folder.join(format!("{}.png", picture.name)))?;
        let waiting = self.waiting.entry(sheet.to_owned()).or_default();
        waiting.push(small(picture));
        if waiting.len() as u32 == ACROSS * DOWN {
            self.write(sheet)?;
        }
        Ok(())
    }

    /// Writes the sheets that are not full.
    pub fn finish(&mut self) -> Result<()> {
        let names: Vec<String> = self.waiting.keys().cloned().collect();
        names.iter().try_for_each(|name| self.write(name))
    }

    fn write(&mut self, sheet: &str) -> Result<()> {
        let pictures = self.waiting.remove(sheet).unwrap_or_default();
        let number = self.made.entry(sheet.to_owned()).or_default();
        *number += 1;
        let name = format!("sheet-{sheet}-{number}");
        together(&name, &pictures).write_png(&self.folder.join(format!("{name}.png")))
    }
}

/// At most [`SMALL`] pixels on its longer side; each pixel is the mean of those it stands for.
fn small(picture: &Picture) -> Picture {
    let by = picture.width.max(picture.height).div_ceil(SMALL).max(1);
    let (width, height) = (picture.width / by, picture.height / by);
    let mean = |left: u32, top: u32, channel: u32| {
        let sum: u32 = (0..by * by)
            .map(|at| ((top + at / by) * picture.width + left + at % by) * 4 + channel)
            .map(|at| u32::from(picture.rgba[at as usize]))
            .sum();
        (sum / (by * by)) as u8
    };
    let rgba =
        (0..width * height * 4).map(|at| mean(at / 4 % width * by, at / 4 / width * by, at % 4)).collect();
    Picture { name: picture.name.clone(), width, height, rgba }
}

/// One picture of many, on grey, in rows.
pub fn together(name: &str, pictures: &[Picture]) -> Picture {
    let cell_w = pictures.iter().map(|picture| picture.width).max().unwrap_or(1) + GAP;
    let cell_h = pictures.iter().map(|picture| picture.height).max().unwrap_or(1) + GAP;
    let across = ACROSS.min(pictures.len().max(1) as u32);
    let (width, height) = (across * cell_w + GAP, (pictures.len() as u32).div_ceil(across) * cell_h + GAP);
    let mut rgba = vec![0x80; (width * height * 4) as usize];
    for (at, picture) in (0..).zip(pictures) {
        let (left, top) = (GAP + at % across * cell_w, GAP + at / across * cell_h);
        for row in 0..picture.height {
            let to = (((top + row) * width + left) * 4) as usize;
            let from = (row * picture.width * 4) as usize;
            let length = (picture.width * 4) as usize;
            rgba[to..to + length].copy_from_slice(&picture.rgba[from..from + length]);
        }
    }
    Picture { name: name.to_owned(), width, height, rgba }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_beside_each_other_and_keep_their_colours() {
        let one = |red: u8| Picture {
            name: "one".to_owned(),
            width: 840,
            height: 840,
            rgba: [red, 0, 0, 255].repeat(840 * 840),
        };
        let sheet = together("sheet", &[small(&one(10)), small(&one(200))]);
        assert_eq!((sheet.width, sheet.height), (2 * (420 + GAP) + GAP, 420 + 2 * GAP));
        let red = |x: u32, y: u32| sheet.rgba[((y * sheet.width + x) * 4) as usize];
        assert_eq!((red(GAP, GAP), red(GAP + 420 + GAP, GAP), red(0, 0)), (10, 200, 0x80));
    }
}
