//! From content to dots: one point of the template is one dot of the printer.

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
use crate::world::Sheet;
use crate::{Bitmap, DocumentError, RECEIPT_DOTS, Receipt, bitmap, qr};

const RECEIPT_TEMPLATE: &str = include_str!("../../assets/documents/receipt.typ");

/// A dot is black below this lightness. Above the middle, because thin strokes of a dense character lie
/// between two rows of dots and would otherwise break.
const THRESHOLD: u8 = 144;

/// Modules of the QR code are at least this many dots wide (0.75 mm), so that an old phone reads it.
const MIN_MODULE_DOTS: usize = 6;
/// The code with its quiet zone takes about this much of the width where modules can be larger.
const QR_TARGET_DOTS: usize = 256;

/// Renders a receipt in this process. The kiosk uses [`crate::Renderer`] instead, because the typesetter
/// keeps every string it has seen for as long as its process lives.
pub fn render_receipt(receipt: &Receipt) -> Result<Bitmap, DocumentError> {
    typeset_receipt(receipt).and_then(|page| page.bitmap())
}

fn typeset_receipt(receipt: &Receipt) -> Result<Typeset, DocumentError> {
    receipt.check()?;
    let mut inputs = Dict::new();
    inputs.insert("receipt".into(), receipt_value(receipt)?.into_value());
    typeset(&Sheet::new(Fonts::find()?, "receipt.typ", RECEIPT_TEMPLATE, inputs))
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
        ("finalised_at", text(&receipt.finalised_at)),
        ("verification", text(&receipt.verification)),
        ("remarks", remarks.into_value()),
        ("qr", Bytes::new(qr.lightness(module)).into_value()),
        ("qr_dots", (side * module).into_value()),
    ];
    Ok(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

/// Values, never markup: what a person typed cannot become part of the template.
pub(crate) fn text(text: &str) -> Value {
    text.into_value()
}

/// A page as it will be printed, before it becomes dots.
pub(crate) struct Typeset {
    pub(crate) document: PagedDocument,
}

pub(crate) fn typeset(sheet: &Sheet) -> Result<Typeset, DocumentError> {
    match compile::<PagedDocument>(sheet).output {
        Ok(document) => Ok(Typeset { document }),
        Err(diagnostics) => Err(DocumentError::Template { line: line_of(sheet, diagnostics.first()) }),
    }
}

fn line_of(sheet: &Sheet, diagnostic: Option<&SourceDiagnostic>) -> Option<usize> {
    let start = sheet.range(diagnostic?.span)?.start;
    let source = sheet.source(sheet.main()).ok()?;
    source.lines().byte_to_line(start).map(|line| line + 1)
}

impl Typeset {
    fn bitmap(&self) -> Result<Bitmap, DocumentError> {
        let pages = self.document.pages();
        let [page] = pages else {
            return Err(DocumentError::Shape { pages: pages.len(), width: 0, height: 0 });
        };
        let size = page.frame.size();
        let (width, height) = (size.x.to_pt().round() as u32, size.y.to_pt().round() as u32);
        if width != RECEIPT_DOTS || !bitmap::acceptable(width, height) {
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
    use crate::Language;

    fn receipt(name: &str) -> Receipt {
        Receipt {
            language: Language::ZhHans,
            demo: true,
            place: "莞城街道示例社区党群服务中心".into(),
            terminal: "DG0001".into(),
            case_number: "DG0001-7K3M9Q2F-4".into(),
            item_title: "12345 诉求提交".into(),
            applicant_name: Some(name.into()),
            finalised_at: "2026-11-22 14:05".into(),
            verification: "7K3M 9Q2F 4X8D WACE".into(),
            verification_url: "http://127.0.0.1:38123/v/7K3M9Q2F4X8D".into(),
            remarks: Vec::new(),
            reprint: false,
        }
    }

    fn boxes_on(receipt: &Receipt) -> usize {
        let typeset = typeset_receipt(receipt).unwrap();
        typeset.document.pages().iter().map(|page| boxes(&page.frame)).sum()
    }

    #[test]
    fn rare_names_print_with_real_glyphs() {
        for name in ["𬱖㛃", "䶮", "𠅤", "𬭎", "㛃𬱖䶮𠅤", "龘靐", "Ünal Ağaoğlu", "MÜLLER-O’BRIEN"]
        {
            assert_eq!(boxes_on(&receipt(name)), 0, "{name} prints with a box");
        }
    }

    #[test]
    fn a_character_of_no_font_is_noticed() {
        // A noncharacter: no font may have it. Shows that the test above can fail.
        assert_eq!(boxes_on(&receipt("陈\u{10FFFE}英")), 1);
    }

    #[test]
    fn the_template_has_words_in_every_language() {
        for language in [Language::ZhHans, Language::ZhHant, Language::En] {
            let mut receipt = receipt("陈桂英");
            receipt.language = language;
            receipt.reprint = true;
            assert_eq!(boxes_on(&receipt), 0, "{language:?}");
        }
    }

    #[test]
    fn what_a_person_typed_is_never_markup() {
        let mut odd = receipt("#panic(\"x\") *y* $z$ @a <b> \\ `c` [");
        odd.item_title = "#set page(width: 10pt)".into();
        odd.remarks = vec!["#import \"secret\"".into()];
        let bitmap = render_receipt(&odd).unwrap();
        assert_eq!(bitmap.width, RECEIPT_DOTS);
    }

    #[test]
    fn a_broken_template_is_reported_by_line_without_its_inputs() {
        let mut inputs = Dict::new();
        inputs.insert("name".into(), text("陈桂英"));
        let sheet = Sheet::new(Fonts::find().unwrap(), "t.typ", "\n\n#panic(sys.inputs.name)", inputs);
        let error = typeset(&sheet).err().unwrap();
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
            let sheet = Sheet::new(Fonts::find().unwrap(), "t.typ", reach, Dict::new());
            assert!(typeset(&sheet).is_err(), "{reach}");
        }
    }

    #[test]
    fn only_one_page_of_the_printers_width_is_taken() {
        for shape in [
            "#set page(width: 500pt, height: 10pt)\nx",
            "#set page(width: 576pt, height: 9000pt)\nx",
            "#set page(width: 576pt, height: 50pt)\nx\n#pagebreak()\ny",
        ] {
            let sheet = Sheet::new(Fonts::find().unwrap(), "t.typ", shape, Dict::new());
            let error = typeset(&sheet).unwrap().bitmap().unwrap_err();
            assert!(matches!(error, DocumentError::Shape { .. }), "{shape}");
        }
    }
}
