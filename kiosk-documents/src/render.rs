//! From content to dots: one point of a template is one dot of the printer.

use std::sync::Arc;

use typst::World;
use typst::diag::SourceDiagnostic;
use typst::foundations::{Array, Bytes, Dict, IntoValue, Value};
#[cfg(test)]
use typst::layout::{Frame, FrameItem};
use typst::utils::Scalar;
use typst::{WorldExt, compile};
use typst_layout::PagedDocument;
use typst_render::RenderOptions;

use crate::fonts::Fonts;
use crate::lines::{self, Kind, Line};
use crate::qr::{self, QrModules};
use crate::rendering::Rendering;
use crate::words::Words;
use crate::world::Sheet;
use crate::{
    Bitmap, Directions, DocumentError, Grid, Language, Layout, QueueNumber, RECEIPT_DOTS, Receipt,
    RenderRequest, Window, bitmap,
};

const PICTURE: (&str, &str) = ("receipt.typ", include_str!("../../assets/documents/receipt.typ"));
const DIRECTIONS: (&str, &str) = ("directions.typ", include_str!("../../assets/documents/directions.typ"));
const LINES: (&str, &str) = ("receipt-lines.typ", include_str!("../../assets/documents/receipt-lines.typ"));

/// A dot is black below this lightness. Above the middle, because thin strokes of a dense character lie
/// between two rows of dots and would otherwise break.
const THRESHOLD: u8 = 144;

/// Modules of the QR code are at least this many dots wide (0.75 mm), so that an old phone reads it.
const MIN_MODULE_DOTS: usize = 6;
/// The code with its quiet zone takes about this much of the width where modules can be larger.
const QR_TARGET_DOTS: usize = 256;

/// On a slow line the code is most of what is sent. Modules are as wide as usual while the code stays small, narrower
/// in a large one, but never so narrow (0.5 mm) that phones fail at it.
const LINES_MODULE_DOTS: std::ops::RangeInclusive<usize> = 4..=6;
const LINES_QR_TARGET_DOTS: usize = 200;

/// Typesets documents in this process. The kiosk uses [`crate::Renderer`] instead, because the typesetter keeps every
/// string it has seen for as long as its process lives.
pub struct Typesetter {
    fonts: Arc<Fonts>,
}

impl Typesetter {
    /// Finds the fonts; opens none.
    pub fn new() -> Result<Typesetter, DocumentError> {
        Fonts::find().map(|fonts| Typesetter { fonts: Arc::new(fonts) })
    }

    /// Renders a document.
    pub fn render(&self, request: &RenderRequest) -> Result<Rendering, DocumentError> {
        request.check()?;
        match request {
            RenderRequest::Receipt(receipt) => {
                let bitmap = self.typeset_picture(receipt)?.bitmap(RECEIPT_DOTS)?;
                Ok(Rendering::of_picture(bitmap))
            }
            RenderRequest::Lines { receipt, grid } => {
                let (page, lines) = self.typeset_lines(receipt, *grid)?;
                in_parts(&page, &lines, *grid)
            }
            RenderRequest::Directions(directions) => {
                let bitmap = self.typeset_directions(directions)?.bitmap(RECEIPT_DOTS)?;
                Ok(Rendering::of_picture(bitmap))
            }
            RenderRequest::DirectionsInLines { directions, grid } => {
                grid.check()?;
                let lines = lines::lay_out_directions(directions, *grid);
                let page = self.typeset_sheet(&lines, directions.language, *grid, Value::None)?;
                in_parts(&page, &lines, *grid)
            }
        }
    }

    /// Does everything that does not depend on whose receipt it is: opens the fonts, goes through them once, and
    /// typesets a sample. Then gives back the memory that the kernel can bring again.
    pub fn get_ready(&self, layout: Layout) -> Result<(), DocumentError> {
        self.render(&RenderRequest::new(Receipt::sample(Language::ZhHans), layout))?;
        self.fonts.let_go();
        Ok(())
    }

    fn typeset_picture(&self, receipt: &Receipt) -> Result<Typeset, DocumentError> {
        let mut inputs = Dict::new();
        inputs.insert("say".into(), Words::of(receipt.language).to_dict().into_value());
        inputs.insert("receipt".into(), receipt_value(receipt)?.into_value());
        self.typeset(PICTURE, inputs)
    }

    fn typeset_lines(&self, receipt: &Receipt, grid: Grid) -> Result<(Typeset, Vec<Line>), DocumentError> {
        grid.check()?;
        let qr = qr::modules(&receipt.verification_url)?;
        let module = lines_module(&qr, grid)?;
        let code_rows = (qr.size_with_quiet_zone() * module) as u32;
        let lines = lines::lay_out(receipt, grid, code_rows);
        let code = Bytes::new(qr.lightness(module)).into_value();
        Ok((self.typeset_sheet(&lines, receipt.language, grid, code)?, lines))
    }

    fn typeset_directions(&self, directions: &Directions) -> Result<Typeset, DocumentError> {
        let mut inputs = Dict::new();
        inputs.insert("say".into(), Words::of(directions.language).to_dict().into_value());
        inputs.insert("directions".into(), directions_value(directions).into_value());
        self.typeset(DIRECTIONS, inputs)
    }

    /// Lines as the printer makes them; `code` is what stands where a line says so.
    fn typeset_sheet(
        &self,
        lines: &[Line],
        language: Language,
        grid: Grid,
        code: Value,
    ) -> Result<Typeset, DocumentError> {
        let fields = [
            ("language", text(language.tag())),
            ("dots", grid.dots().into_value()),
            ("cell_width", grid.cell_width.into_value()),
            ("cell_height", grid.cell_height.into_value()),
            ("lines", lines.iter().map(line_value).collect::<Array>().into_value()),
            ("qr", code),
        ];
        let sheet: Dict = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let mut inputs = Dict::new();
        inputs.insert("sheet".into(), sheet.into_value());
        self.typeset(LINES, inputs)
    }

    pub(crate) fn typeset(
        &self,
        (name, template): (&str, &str),
        inputs: Dict,
    ) -> Result<Typeset, DocumentError> {
        let sheet = Sheet::new(self.fonts.clone(), name, template, inputs);
        match compile::<PagedDocument>(&sheet).output {
            Ok(document) => Ok(Typeset { document }),
            Err(diagnostics) => Err(DocumentError::Template { line: line_of(&sheet, diagnostics.first()) }),
        }
    }
}

fn receipt_value(receipt: &Receipt) -> Result<Dict, DocumentError> {
    let qr = qr::modules(&receipt.verification_url)?;
    let side = qr.size_with_quiet_zone();
    let module = (QR_TARGET_DOTS / side).max(MIN_MODULE_DOTS);
    let remarks: Array = receipt.remarks.iter().map(|remark| text(remark)).collect();
    let fields = [
        ("language", text(receipt.language.tag())),
        ("demo", receipt.demo.into_value()),
        ("reprint", receipt.reprint.into_value()),
        ("place", text(&receipt.place)),
        ("terminal", text(&receipt.terminal)),
        ("case_number", text(&receipt.case_number)),
        ("item_title", text(&receipt.item_title)),
        ("applicant_name", receipt.applicant_name.as_deref().map_or(Value::None, text)),
        ("about", receipt.about.as_deref().map_or(Value::None, text)),
        ("finalised_at", text(&receipt.finalised_at)),
        ("verification", text(&receipt.verification)),
        ("remarks", remarks.into_value()),
        ("qr", Bytes::new(qr.lightness(module)).into_value()),
        ("qr_dots", (side * module).into_value()),
    ];
    Ok(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn directions_value(directions: &Directions) -> Dict {
    let window = |window: &Window| -> Value {
        let fields = [
            ("name", text(&window.name)),
            ("address", text(&window.address)),
            ("hours", text(&window.hours)),
            ("phone", text(&window.phone)),
        ];
        fields.into_iter().map(|(key, value)| (key.into(), value)).collect::<Dict>().into_value()
    };
    let number = |number: &QueueNumber| -> Value {
        let waiting = number.waiting.map_or(Value::None, |waiting| text(&waiting.to_string()));
        let fields = [("number", text(&number.number)), ("day", text(&number.day)), ("waiting", waiting)];
        fields.into_iter().map(|(key, value)| (key.into(), value)).collect::<Dict>().into_value()
    };
    let answer = |(asked, given): &(String, String)| -> Value {
        [text(asked), text(given)].into_iter().collect::<Array>().into_value()
    };
    let fields = [
        ("language", text(directions.language.tag())),
        ("demo", directions.demo.into_value()),
        ("place", text(&directions.place)),
        ("terminal", text(&directions.terminal)),
        ("item_title", text(&directions.item_title)),
        ("verdict", text(&directions.verdict)),
        ("advice", text(&directions.advice)),
        ("bring", directions.bring.iter().map(|thing| text(thing)).collect::<Array>().into_value()),
        ("window", directions.window.as_ref().map_or(Value::None, window)),
        ("number", directions.number.as_ref().map_or(Value::None, number)),
        ("answers", directions.answers.iter().map(answer).collect::<Array>().into_value()),
        ("printed_at", text(&directions.printed_at)),
    ];
    fields.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

/// The picture of the lines, and what the printer is told of each.
fn in_parts(page: &Typeset, lines: &[Line], grid: Grid) -> Result<Rendering, DocumentError> {
    let parts = lines.iter().map(Line::part).collect();
    Ok(Rendering { picture: page.bitmap(grid.dots())?, parts })
}

/// Dots of a module on paper of this width.
fn lines_module(qr: &QrModules, grid: Grid) -> Result<usize, DocumentError> {
    let (least, most) = LINES_MODULE_DOTS.into_inner();
    let wanted = (LINES_QR_TARGET_DOTS / qr.size).clamp(least, most);
    let possible = grid.dots() as usize / qr.size_with_quiet_zone();
    if possible < least { Err(DocumentError::QrTooLong) } else { Ok(wanted.min(possible)) }
}

fn line_value(line: &Line) -> Value {
    let kind = match line.kind {
        Kind::Text(_) => "text",
        Kind::Rule => "rule",
        Kind::Code => "code",
        Kind::Gap => "gap",
    };
    let mut fields = vec![("kind", text(kind)), ("rows", line.rows.into_value())];
    if let Kind::Text(characters) = &line.kind {
        // Spaces are columns, wherever they stand.
        fields.push(("text", text(&characters.text.replace(' ', "\u{A0}"))));
        fields.push(("times_wide", characters.times_wide.into_value()));
        fields.push(("times_high", characters.times_high.into_value()));
        fields.push(("bold", characters.bold.into_value()));
    }
    fields.into_iter().map(|(key, value)| (key.into(), value)).collect::<Dict>().into_value()
}

/// Values, never markup: what a person typed cannot become part of the template.
pub(crate) fn text(text: &str) -> Value {
    text.into_value()
}

/// A page as it will be printed, before it becomes dots.
pub(crate) struct Typeset {
    pub(crate) document: PagedDocument,
}

fn line_of(sheet: &Sheet, diagnostic: Option<&SourceDiagnostic>) -> Option<usize> {
    let start = sheet.range(diagnostic?.span)?.start;
    let source = sheet.source(sheet.main()).ok()?;
    source.lines().byte_to_line(start).map(|line| line + 1)
}

impl Typeset {
    /// The page's dots, which are so many across.
    fn bitmap(&self, dots: u32) -> Result<Bitmap, DocumentError> {
        let pages = self.document.pages();
        let [page] = pages else {
            return Err(DocumentError::Shape { pages: pages.len(), width: 0, height: 0 });
        };
        let size = page.frame.size();
        let (width, height) = (size.x.to_pt().round() as u32, size.y.to_pt().round() as u32);
        if width != dots || !bitmap::acceptable(width, height) {
            return Err(DocumentError::Shape { pages: 1, width, height });
        }
        let options = RenderOptions { pixel_per_pt: Scalar::new(1.0), render_bleed: false };
        let picture = typst_render::render(page, &options);
        // The templates use black and white, so the first of four channels stands for all.
        let lightness = picture.data().chunks_exact(4).map(|dot| dot[0]);
        Ok(Bitmap::from_lightness(picture.width(), picture.height(), lightness, THRESHOLD))
    }
}

/// How many characters no font had: each would print as a box.
#[cfg(test)]
pub(crate) fn boxes(frame: &Frame) -> usize {
    frame
        .items()
        .map(|(_, item)| match item {
            FrameItem::Text(text) => text.glyphs.iter().filter(|glyph| glyph.id == 0).count(),
            FrameItem::Group(group) => boxes(&group.frame),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { columns: 48, cell_width: 12, cell_height: 24 };

    fn receipt(name: &str) -> Receipt {
        Receipt {
            language: Language::ZhHans,
            demo: true,
            place: "莞城街道示例社区党群服务中心".into(),
            terminal: "DG0001".into(),
            case_number: "DG0001-7K3M9Q2F-4".into(),
            item_title: "12345 诉求提交".into(),
            applicant_name: Some(name.into()),
            about: None,
            finalised_at: "2026-11-22 14:05".into(),
            verification: "7K3M 9Q2F 4X8D WACE".into(),
            verification_url: "http://127.0.0.1:38123/v/7K3M9Q2F4X8D".into(),
            remarks: Vec::new(),
            reprint: false,
        }
    }

    /// Boxes on the picture, and on the lines.
    fn boxes_on(receipt: &Receipt) -> [usize; 2] {
        let typesetter = Typesetter::new().unwrap();
        let on =
            |page: Typeset| -> usize { page.document.pages().iter().map(|page| boxes(&page.frame)).sum() };
        [
            typesetter.typeset_picture(receipt).map(on),
            typesetter.typeset_lines(receipt, GRID).map(|made| on(made.0)),
        ]
        .map(Result::unwrap)
    }

    fn typeset(template: &str, inputs: Dict) -> Result<Typeset, DocumentError> {
        Typesetter::new().unwrap().typeset(("t.typ", template), inputs)
    }

    /// All of them: BabelStone Han draws even the old private code of 䶮 as the character that was meant.
    #[test]
    fn the_names_of_the_vectors_print_with_real_glyphs() {
        let vectors = include_str!("../../tests/vectors/rare_names.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let names: Vec<&str> = vectors["names"]
            .as_array()
            .unwrap()
            .iter()
            .map(|vector| vector["name"].as_str().unwrap())
            .collect();
        assert!(names.len() >= 18, "{names:?}");
        for name in names {
            assert_eq!(boxes_on(&receipt(name)), [0, 0], "{name} prints with a box");
        }
    }

    #[test]
    fn rare_names_print_with_real_glyphs() {
        for name in ["𬱖㛃", "䶮", "𠅤", "𬭎", "㛃𬱖䶮𠅤", "龘靐", "Ünal Ağaoğlu", "MÜLLER-O’BRIEN"]
        {
            assert_eq!(boxes_on(&receipt(name)), [0, 0], "{name} prints with a box");
        }
    }

    #[test]
    fn a_character_of_no_font_is_noticed() {
        // A noncharacter: no font may have it. Shows that the test above can fail.
        assert_eq!(boxes_on(&receipt("陈\u{10FFFE}英")), [1, 1]);
    }

    #[test]
    fn the_templates_have_words_in_every_language() {
        for language in [Language::ZhHans, Language::ZhHant, Language::En] {
            let mut receipt = receipt("陈桂英");
            receipt.language = language;
            receipt.reprint = true;
            receipt.remarks = vec!["x y".into()];
            assert_eq!(boxes_on(&receipt), [0, 0], "{language:?}");
        }
    }

    #[test]
    fn what_a_person_typed_is_never_markup() {
        let typesetter = Typesetter::new().unwrap();
        for layout in [Layout::Picture, Layout::Lines(GRID)] {
            let mut odd = receipt("#panic(\"x\") *y* $z$ @a <b> \\ `c` [");
            odd.item_title = "#set page(width: 10pt)".into();
            odd.remarks = vec!["#import \"secret\"".into()];
            let rendering = typesetter.render(&RenderRequest::new(odd, layout)).unwrap();
            assert_eq!(rendering.picture.width, RECEIPT_DOTS);
        }
    }

    #[test]
    fn lines_are_as_high_as_they_say_on_paper_of_every_width() {
        let typesetter = Typesetter::new().unwrap();
        let long = format!("https://city.example.invalid/verify/{}", "A1B2C3D4".repeat(25));
        for (columns, url) in
            [(48, "http://127.0.0.1/v/7K3M"), (32, "http://127.0.0.1/v/7K3M"), (48, &long), (32, &long)]
        {
            let mut receipt = receipt("陈桂英");
            receipt.verification_url = url.into();
            let grid = Grid { columns, ..GRID };
            let rendering = typesetter.render(&RenderRequest::new(receipt, Layout::Lines(grid))).unwrap();
            let rows: u32 = rendering.parts.iter().map(|part| part.rows).sum();
            assert_eq!((rendering.picture.width, rendering.picture.height), (columns * 12, rows));
        }
    }

    #[test]
    fn letters_stand_in_their_columns_and_spaces_are_columns() {
        let mut receipt = receipt("陈桂英");
        receipt.remarks = vec!["iiii iiii".into()];
        let typesetter = Typesetter::new().unwrap();
        let rendering = typesetter.render(&RenderRequest::new(receipt, Layout::Lines(GRID))).unwrap();
        let mut top = 0;
        let mut found = false;
        for part in &rendering.parts {
            if let Some(line) = part.text.as_ref().filter(|line| line.text == "· iiii iiii") {
                let is_ink = |column: u32| {
                    let dots = column * 12..(column + 1) * 12;
                    (top..top + 24).any(|y| dots.clone().any(|x| rendering.picture.is_black(x, y)))
                };
                let ink: Vec<bool> = (3..14).map(is_ink).collect();
                let expected: Vec<bool> = "iiii iiii  ".chars().map(|letter| letter == 'i').collect();
                assert_eq!(ink, expected, "{}", line.text);
                found = true;
            }
            top += part.rows;
        }
        assert!(found);
    }

    #[test]
    fn a_broken_template_is_reported_by_line_without_its_inputs() {
        let mut inputs = Dict::new();
        inputs.insert("name".into(), text("陈桂英"));
        let error = typeset("\n\n#panic(sys.inputs.name)", inputs).err().unwrap();
        assert!(matches!(error, DocumentError::Template { line: Some(3) }), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("陈桂英"));
    }

    #[test]
    fn a_template_cannot_read_files_or_the_clock() {
        for reach in [
            "#read(\"/etc/hostname\")",
            "#datetime.today()",
            "#import \"@preview/a:0.1.0\"",
            "#include \"b.typ\"",
        ] {
            assert!(typeset(reach, Dict::new()).is_err(), "{reach}");
        }
    }

    #[test]
    fn only_one_page_of_the_printers_width_is_taken() {
        for shape in [
            "#set page(width: 500pt, height: 10pt)\nx",
            "#set page(width: 576pt, height: 9000pt)\nx",
            "#set page(width: 576pt, height: 50pt)\nx\n#pagebreak()\ny",
        ] {
            let error = typeset(shape, Dict::new()).unwrap().bitmap(RECEIPT_DOTS).unwrap_err();
            assert!(matches!(error, DocumentError::Shape { .. }), "{shape}");
        }
    }
}
