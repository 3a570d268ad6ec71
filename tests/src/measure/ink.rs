//! The pixels behind words: what they are drawn in, and what is really behind them.

use super::rules::AIR_EM;
use super::tally::{Kind, Measured};
use super::tree::{Area, Tree, What};
use crate::gallery::Picture;
use std::collections::HashMap;

type Rgb = [u8; 3];

/// Colours that hold less of a box than this, in percent, are edges of letters and not grounds.
const GROUND_PERCENT: usize = 10;
/// Two colours that differ by less than this in every channel are one.
const SAME: u8 = 12;

/// Measures all words of the window against their grounds, in the picture that was drawn of it.
pub fn judge(tree: &Tree, picture: &Picture, least: f32) -> Vec<Measured> {
    let mut found = Vec::new();
    for element in tree.elements.iter().filter(|element| !element.covered && !element.seen.is_empty()) {
        let What::Text(text) = &element.what else { continue };
        // Without the air above and below: at its edges a box may have the border of what it stands in.
        let inside = element.seen.within(element.area.shrunk(0.0, AIR_EM * text.size));
        let contrast = contrast_of(picture, inside, text.rgb);
        found.push(Measured::new(Kind::Contrast, contrast, least, &text.words));
    }
    found
}

/// The least contrast between a text's colour, as it is drawn, and any ground in its box.
fn contrast_of(picture: &Picture, area: Area, nominal: Rgb) -> f32 {
    let colours = colours_in(picture, area);
    let pixels: usize = colours.values().sum();
    let near = |colour: &Rgb| -> i32 {
        colour.iter().zip(nominal).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).sum()
    };
    let Some(drawn) = colours.keys().min_by_key(|colour| (near(colour), **colour)).copied() else {
        return 1.0;
    };
    let same = |colour: &Rgb| colour.iter().zip(drawn).all(|(a, b)| a.abs_diff(b) < SAME);
    colours
        .iter()
        .filter(|(colour, count)| !same(colour) && **count * 100 >= pixels * GROUND_PERCENT)
        .map(|(colour, _)| contrast(*colour, drawn))
        .fold(None, |least: Option<f32>, contrast| Some(least.map_or(contrast, |least| least.min(contrast))))
        // Nothing but its own colour: it cannot be read.
        .unwrap_or(1.0)
}

fn colours_in(picture: &Picture, area: Area) -> HashMap<Rgb, usize> {
    let (left, top) = (area.x.max(0.0) as u32, area.y.max(0.0) as u32);
    let right = ((area.x + area.w) as u32).min(picture.width);
    let bottom = ((area.y + area.h) as u32).min(picture.height);
    let mut colours = HashMap::new();
    for y in top..bottom {
        for x in left..right {
            let at = ((y * picture.width + x) * 4) as usize;
            let colour = [picture.rgba[at], picture.rgba[at + 1], picture.rgba[at + 2]];
            *colours.entry(colour).or_insert(0) += 1;
        }
    }
    colours
}

/// WCAG 2.2's contrast of two colours, from 1 to 21.
pub fn contrast(one: Rgb, other: Rgb) -> f32 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: Rgb) -> f32 {
    let linear = colour.map(|channel| {
        let channel = f32::from(channel) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = [0; 3];
    const GREY: Rgb = [0x99; 3];
    const WHITE: Rgb = [255; 3];

    /// Ten by ten pixels; the first so many are ink.
    fn picture(ink: usize, colour: Rgb, ground: Rgb) -> Picture {
        let rgba = (0..100)
            .flat_map(|at| {
                let [red, green, blue] = if at < ink { colour } else { ground };
                [red, green, blue, 255]
            })
            .collect();
        Picture { name: String::new(), width: 10, height: 10, rgba }
    }

    const BOX: Area = Area { x: 0.0, y: 0.0, w: 10.0, h: 10.0 };

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast(BLACK, WHITE) - 21.0).abs() < 0.01);
        assert!((contrast([0x77; 3], WHITE) - 4.48).abs() < 0.01);
    }

    #[test]
    fn words_are_measured_against_what_is_really_behind_them() {
        assert!(contrast_of(&picture(20, BLACK, WHITE), BOX, BLACK) > 20.0);
        let pale = contrast_of(&picture(20, GREY, WHITE), BOX, GREY);
        assert!((pale - contrast(GREY, WHITE)).abs() < 0.01);
        // Dense ink, and a ground that is the smaller part.
        assert!(contrast_of(&picture(80, BLACK, WHITE), BOX, BLACK) > 20.0);
        assert!((contrast_of(&picture(0, WHITE, WHITE), BOX, WHITE) - 1.0).abs() < 0.01, "white on white");
    }

    #[test]
    fn the_worst_of_two_grounds_counts() {
        let mut half = picture(20, BLACK, WHITE);
        for at in 60..100 {
            half.rgba[at * 4..at * 4 + 3].copy_from_slice(&GREY);
        }
        assert!((contrast_of(&half, BOX, BLACK) - contrast(BLACK, GREY)).abs() < 0.01);
    }
}
