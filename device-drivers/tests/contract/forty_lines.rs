//! A receipt of forty lines, for tests and figures.

use std::ops::Range;

use device_drivers::receipt_printer::{Align, Bitmap, Part, PrinterModel, Receipt, TextLine};

/// Rows of a line in the picture.
pub const LINE: u32 = 32;

/// Rows that stand for a line: a rough picture of it, different for each.
fn draw(picture: &mut Bitmap, rows: Range<u32>, seed: u32) {
    for y in rows.start + 4..rows.end - 4 {
        for x in (0..picture.width).filter(|x| (x * 7 + y * (seed + 3)).is_multiple_of(4)) {
            picture.set_black(x, y);
        }
    }
}

/// A receipt of 40 lines as wide as the paper; two hold rare names, four stand beside a code of 200 × 200 dots.
pub fn forty_lines(model: &PrinterModel) -> (Receipt, Vec<String>) {
    let columns = model.text.unwrap().columns as usize;
    let code = 200;
    let mut picture = Bitmap::blank(model.dots, 40 * LINE + code);
    let (mut parts, mut as_text) = (Vec::new(), Vec::new());
    for number in 0..40u32 {
        let rows = number * LINE..(number + 1) * LINE;
        draw(&mut picture, rows.clone(), number);
        let line = match number {
            0 => {
                let mut title = TextLine::plain("示例市政务服务受理回执");
                (title.align, title.bold, title.times_high) = (Align::Centre, true, 1);
                title
            }
            7 | 21 => TextLine::plain("申请人：测试𬱖㛃"),
            _ => {
                let head = format!("第{number:02}项 ");
                let used = head.chars().count() * 2 - 3;
                TextLine::plain(
                    head + &"办事材料清单".chars().cycle().take((columns - used) / 2).collect::<String>(),
                )
            }
        };
        if !matches!(number, 7 | 21) {
            as_text.push(line.text.clone());
        }
        parts.push(Part { rows, text: Some(line) });
    }
    let rows = 40 * LINE..40 * LINE + code;
    for y in rows.clone() {
        for x in (0..code).filter(|x| (x / 6 + y / 6) % 2 == 0) {
            picture.set_black(x + 100, y);
        }
    }
    parts.push(Part { rows, text: None });
    (Receipt::with_parts(picture, parts).unwrap(), as_text)
}
