//! In which form a printer gets its receipts, and how what was rendered becomes what its driver takes.

use device_drivers::receipt_printer::{self as driver, LineSpeed, PrinterModel, TextMode};
use kiosk_documents::{Grid, Layout, RECEIPT_DOTS, Rendering, TextLine};

/// Dots of usual characters, for a printer that has none of its own.
const USUAL_CELL: (u32, u32) = (12, 24);

/// A picture wherever it takes no time worth saving. Lines where a picture would take seconds and the printer has
/// characters of its own, and on paper that is too narrow for the picture.
pub fn of(speed: LineSpeed, model: &PrinterModel) -> Layout {
    match (speed, model.text) {
        (LineSpeed::Serial { .. }, Some(mode)) => Layout::Lines(grid_of(mode)),
        _ if model.dots >= RECEIPT_DOTS => Layout::Picture,
        (_, Some(mode)) => Layout::Lines(grid_of(mode)),
        (_, None) => {
            let (cell_width, cell_height) = USUAL_CELL;
            Layout::Lines(Grid { columns: model.dots / cell_width, cell_width, cell_height })
        }
    }
}

fn grid_of(mode: TextMode) -> Grid {
    Grid { columns: mode.columns, cell_width: mode.cell_width, cell_height: mode.cell_height }
}

/// The receipt for the driver, and its parts if it has any.
pub fn for_driver(rendering: Rendering) -> driver::Receipt {
    let Rendering { picture, parts } = rendering;
    let (width, height, rows) = picture.into_parts();
    let picture = driver::Bitmap { width, height, rows };
    if parts.is_empty() {
        return picture.into();
    }
    let mut next = 0;
    let parts = parts.iter().map(|part| {
        let rows = next..next + part.rows;
        next = rows.end;
        driver::Part { rows, text: part.text.as_ref().map(line_for_driver) }
    });
    let parts = parts.collect();
    driver::Receipt::with_parts(picture, parts).expect("a rendering's parts are the rows of its picture")
}

fn line_for_driver(line: &TextLine) -> driver::TextLine {
    let mut plain = driver::TextLine::plain(line.text.as_str());
    (plain.times_wide, plain.times_high, plain.bold) = (line.times_wide, line.times_high, line.bold);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiosk_documents::{Bitmap, Part};

    fn layout(speed: LineSpeed, model: &str) -> Layout {
        of(speed, &PrinterModel::named(model).unwrap())
    }

    fn lines(columns: u32) -> Layout {
        Layout::Lines(Grid { columns, cell_width: 12, cell_height: 24 })
    }

    #[test]
    fn lines_go_over_slow_lines_and_on_narrow_paper() {
        let serial = LineSpeed::Serial { baud: 115_200 };
        assert_eq!(layout(serial, "80mm"), lines(48));
        assert_eq!(layout(LineSpeed::Fast, "80mm"), Layout::Picture);
        assert_eq!(layout(serial, "58mm"), lines(32));
        assert_eq!(layout(LineSpeed::Fast, "58mm"), lines(32));
        // It has no characters of its own, and 512 dots.
        assert_eq!(layout(serial, "80mm-180dpi"), lines(42));
        let model = PrinterModel { text: None, ..PrinterModel::named("80mm").unwrap() };
        assert_eq!(of(serial, &model), Layout::Picture);
    }

    #[test]
    fn parts_become_the_driver_s_rows() {
        let picture = Bitmap { width: 8, height: 5, rows: vec![1, 2, 3, 4, 5] };
        let text = TextLine { text: "受理回执".into(), times_wide: 2, times_high: 3, bold: true };
        let parts = vec![Part { rows: 4, text: Some(text) }, Part { rows: 1, text: None }];
        let receipt = for_driver(Rendering { picture: picture.clone(), parts });
        assert_eq!(receipt.picture().rows, [1, 2, 3, 4, 5]);
        let [first, second] = receipt.parts() else { panic!("two parts") };
        assert_eq!((first.rows.clone(), second.rows.clone()), (0..4, 4..5));
        let line = first.text.as_ref().unwrap();
        assert_eq!((line.text.as_str(), line.times_wide, line.times_high), ("受理回执", 2, 3));
        assert!(line.bold && second.text.is_none());
        assert!(for_driver(Rendering { picture, parts: Vec::new() }).parts().is_empty());
    }
}
