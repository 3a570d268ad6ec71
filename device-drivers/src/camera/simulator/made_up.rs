//! Made-up papers, cards and faces: strokes where words would be, nobody's words.

use super::super::Picture;

const WHITE: [u8; 3] = [228, 228, 224];
const INK: [u8; 3] = [40, 40, 46];
const RED: [u8; 3] = [190, 40, 40];

/// A printed sheet of A4 (210 × 297 mm), `width` pixels wide: a red heading, lines of strokes, a round seal.
pub fn paper(width: u32) -> Picture {
    let height = width * 297 / 210;
    let mut sheet = Picture::filled(width, height, WHITE);
    let unit = (width / 100).max(1);
    line(&mut sheet, unit * 25, unit * 9, unit * 50, unit * 5, RED, 1);
    for row in 0..24 {
        let end = if row % 6 == 5 { 44 } else { 80 };
        line(&mut sheet, unit * 10, unit * (22 + row * 5), unit * end, unit * 3, INK, row + 2);
    }
    ring(&mut sheet, unit * 70, unit * 118, unit * 12, unit, RED);
    sheet
}

/// A card of ID-1 size (85.60 × 53.98 mm), `width` pixels wide: strokes, a portrait's place, no person.
pub fn card(width: u32) -> Picture {
    let height = (f64::from(width) * 53.98 / 85.60).round() as u32;
    let mut card = Picture::filled(width, height, [196, 214, 222]);
    let unit = (width / 86).max(1);
    for row in 0..5 {
        line(&mut card, unit * 6, unit * (6 + row * 7), unit * 38, unit * 3, INK, row + 40);
    }
    line(&mut card, unit * 22, unit * 45, unit * 58, unit * 4, INK, 50);
    block(&mut card, [unit * 58, unit * 8, unit * 22, unit * 30], [150, 160, 172]);
    block(&mut card, [unit * 64, unit * 13, unit * 10, unit * 11], [96, 84, 80]);
    block(&mut card, [unit * 61, unit * 27, unit * 16, unit * 11], [70, 78, 96]);
    card
}

/// A head and shoulders of nobody, 3 : 4, `width` pixels wide: what stands before a face camera.
pub fn portrait(width: u32) -> Picture {
    let height = width * 4 / 3;
    let mut picture = Picture::filled(width, height, [186, 192, 198]);
    let skin = [206, 168, 140];
    let oval = |picture: &mut Picture, middle: (u32, u32), half: (u32, u32), colour: [u8; 3]| {
        for y in middle.1.saturating_sub(half.1)..(middle.1 + half.1).min(height) {
            for x in middle.0.saturating_sub(half.0)..(middle.0 + half.0).min(width) {
                let (dx, dy) = (f64::from(x) - f64::from(middle.0), f64::from(y) - f64::from(middle.1));
                if (dx / f64::from(half.0)).powi(2) + (dy / f64::from(half.1)).powi(2) <= 1.0 {
                    picture.set(x, y, colour);
                }
            }
        }
    };
    let unit = (width / 60).max(1);
    oval(&mut picture, (unit * 30, unit * 78), (unit * 26, unit * 24), [60, 78, 120]);
    oval(&mut picture, (unit * 30, unit * 28), (unit * 16, unit * 20), [44, 38, 36]);
    oval(&mut picture, (unit * 30, unit * 34), (unit * 13, unit * 18), skin);
    for x in [25, 35] {
        block(&mut picture, [unit * (x - 3), unit * 25, unit * 6, unit], [50, 42, 38]);
        oval(&mut picture, (unit * x, unit * 29), (unit * 2, unit * 2), [40, 34, 32]);
    }
    block(&mut picture, [unit * 29, unit * 32, unit * 2, unit * 6], [170, 128, 104]);
    block(&mut picture, [unit * 26, unit * 43, unit * 8, unit], [150, 70, 70]);
    picture
}

/// A line of square signs, each a few strokes drawn from `seed`, as characters look from afar.
fn line(sheet: &mut Picture, left: u32, top: u32, length: u32, size: u32, ink: [u8; 3], seed: u32) {
    let stroke = (size / 5).max(1);
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    for x in (left..(left + length).saturating_sub(size)).step_by((size + stroke) as usize) {
        for part in 0..5 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 30 != 0 {
                block(sheet, [x, top + part * stroke, size - stroke, stroke.div_ceil(2)], ink);
            }
            if state >> 28 & 1 == 1 {
                block(sheet, [x + part * stroke, top, stroke.div_ceil(2), size], ink);
            }
        }
    }
}

/// A filled rectangle: left, top, width, height.
fn block(sheet: &mut Picture, [left, top, width, height]: [u32; 4], colour: [u8; 3]) {
    for y in top..top + height {
        for x in left..left + width {
            sheet.set(x, y, colour);
        }
    }
}

fn ring(sheet: &mut Picture, x: u32, y: u32, radius: u32, thick: u32, colour: [u8; 3]) {
    for dy in -i64::from(radius)..=i64::from(radius) {
        for dx in -i64::from(radius)..=i64::from(radius) {
            let far = ((dx * dx + dy * dy) as f64).sqrt();
            if far <= f64::from(radius) && far >= f64::from(radius.saturating_sub(thick)) {
                sheet.set((i64::from(x) + dx) as u32, (i64::from(y) + dy) as u32, colour);
            }
        }
    }
}
