//! 办事指南 on A4: what the sheet says, and the PDF of it. It holds nothing of a person.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use typst::foundations::{Array, Dict, IntoValue, Smart};
use typst_pdf::PdfOptions;
use zeroize::Zeroizing;

use crate::process::Process;
use crate::render::{Typeset, text};
use crate::renderer::DEADLINE;
use crate::{DocumentError, Language, Typesetter};

const GUIDE: (&str, &str) = ("guide.typ", include_str!("../../assets/documents/guide.typ"));

/// The longest PDF, in bytes; a guide has about a tenth of it. Its fonts travel in it.
pub const MAX_PDF_BYTES: usize = 1024 * 1024;
/// A guide is a page; the longest words that are taken need no more than this.
const MAX_PAGES: usize = 4;
/// Most things to bring, as in the catalog: their list is not broken over two pages.
const MAX_BRING: usize = 5;

/// What stands on a guide; every text is in its language already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// Language of the sheet's own words.
    pub language: Language,
    /// Marks the print-out 演示.
    pub demo: bool,
    /// Where the terminal stands: where the item is done.
    pub place: String,
    /// Code of the terminal.
    pub terminal: String,
    /// Title of the service item.
    pub title: String,
    /// One line about it.
    pub summary: String,
    /// What it is.
    pub what: String,
    /// What to bring, one line each.
    pub bring: Vec<String>,
    /// Whether one identifies with a card.
    pub by_card: bool,
    /// Whether one identifies by typing a number.
    pub by_number: bool,
    /// Whether a card past its last day will do.
    pub accepts_expired_card: bool,
    /// How long it takes.
    pub time: String,
    /// Who handles it.
    pub department: String,
    /// What it costs.
    pub fee: String,
    /// The day of printing, as it is to be read.
    pub printed_on: String,
}

impl Guide {
    /// Refuses what no sheet has room for, so that a broken catalog cannot make the printer run on.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let fields = [
            ("place", self.place.as_str(), 120),
            ("terminal", &self.terminal, 24),
            ("title", &self.title, 80),
            ("summary", &self.summary, 120),
            ("what", &self.what, 400),
            ("time", &self.time, 240),
            ("department", &self.department, 120),
            ("fee", &self.fee, 80),
            ("printed_on", &self.printed_on, 48),
        ];
        let bring = self.bring.iter().map(|thing| ("bring", thing.as_str(), 120));
        for (field, text, limit) in fields.into_iter().chain(bring) {
            if text.chars().count() > limit {
                return Err(DocumentError::TooLong { field, limit });
            }
        }
        if self.bring.len() > MAX_BRING {
            return Err(DocumentError::TooLong { field: "bring", limit: MAX_BRING });
        }
        Ok(())
    }

    fn inputs(&self) -> Dict {
        let bring: Array = self.bring.iter().map(|thing| text(thing)).collect();
        let fields = [
            ("language", text(self.language.tag())),
            ("demo", self.demo.into_value()),
            ("place", text(&self.place)),
            ("terminal", text(&self.terminal)),
            ("title", text(&self.title)),
            ("summary", text(&self.summary)),
            ("what", text(&self.what)),
            ("bring", bring.into_value()),
            ("by_card", self.by_card.into_value()),
            ("by_number", self.by_number.into_value()),
            ("accepts_expired_card", self.accepts_expired_card.into_value()),
            ("time", text(&self.time)),
            ("department", text(&self.department)),
            ("fee", text(&self.fee)),
            ("printed_on", text(&self.printed_on)),
        ];
        let guide: Dict = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let mut inputs = Dict::new();
        inputs.insert("guide".into(), guide.into_value());
        inputs
    }
}

/// What `render-document` reads for a guide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuideRequest {
    /// What it says.
    pub guide: Guide,
}

impl Typesetter {
    /// Renders a guide as PDF in this process.
    pub fn render_guide(&self, guide: &Guide) -> Result<Vec<u8>, DocumentError> {
        let pages = self.typeset_guide(guide)?;
        // Printers have no use for tags; without them, and without a clock, the same guide gives the same bytes.
        let options = PdfOptions { creator: Smart::Custom(None), tagged: false, ..PdfOptions::default() };
        let pdf = typst_pdf::pdf(&pages.document, &options).map_err(|_| DocumentError::Pdf)?;
        if pdf.len() > MAX_PDF_BYTES {
            return Err(DocumentError::Pdf);
        }
        Ok(pdf)
    }

    fn typeset_guide(&self, guide: &Guide) -> Result<Typeset, DocumentError> {
        guide.check()?;
        let pages = self.typeset(GUIDE, guide.inputs())?;
        match pages.document.pages().len() {
            1..=MAX_PAGES => Ok(pages),
            pages => Err(DocumentError::Shape { pages, width: 0, height: 0 }),
        }
    }
}

/// Renders guides, each in a process of its own: the typesetter keeps what it has seen, and a guide is asked for rarely.
#[derive(Debug, Clone)]
pub struct GuideRenderer {
    program: PathBuf,
}

impl GuideRenderer {
    /// A renderer that runs `render-document`, which is this program.
    pub fn new(program: PathBuf) -> GuideRenderer {
        GuideRenderer { program }
    }

    /// Renders a guide as PDF. Blocks until it is there, the child has failed, or the deadline has passed; the child is
    /// gone in every case.
    pub fn render(&self, guide: &Guide) -> Result<Vec<u8>, DocumentError> {
        guide.check()?;
        let request = GuideRequest { guide: guide.clone() };
        let request = serde_json::to_vec(&request).map_err(|_| DocumentError::NotAPdf)?;
        let process = Process::start(&self.program, &[])?;
        let pdf = process.run(Arc::new(Zeroizing::new(request)), MAX_PDF_BYTES, DEADLINE)?;
        let whole = pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF");
        if whole && pdf.len() <= MAX_PDF_BYTES { Ok(pdf.to_vec()) } else { Err(DocumentError::NotAPdf) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::boxes;

    fn typesetter() -> Typesetter {
        Typesetter::new().unwrap()
    }

    fn guide(language: Language) -> Guide {
        Guide {
            language,
            demo: true,
            place: "莞城街道示例社区党群服务中心".into(),
            terminal: "DG0001".into(),
            title: "养老待遇资格认证".into(),
            summary: "领养老金的人，一年认证一次".into(),
            what: "每年一次，告诉社保局您还在领。".into(),
            bring: vec!["身份证".into(), "电话号码".into()],
            by_card: true,
            by_number: true,
            accepts_expired_card: true,
            time: "约 2 分钟".into(),
            department: "东莞市社会保险基金管理中心".into(),
            fee: "免费".into(),
            printed_on: "2026年11月22日".into(),
        }
    }

    fn boxes_on(guide: &Guide) -> usize {
        typesetter()
            .typeset_guide(guide)
            .unwrap()
            .document
            .pages()
            .iter()
            .map(|page| boxes(&page.frame))
            .sum()
    }

    #[test]
    fn the_template_has_words_in_every_language_and_glyphs_for_them() {
        for language in [Language::ZhHans, Language::ZhHant, Language::En] {
            for (by_card, by_number) in [(true, true), (true, false), (false, true)] {
                let guide = Guide { by_card, by_number, ..guide(language) };
                assert_eq!(boxes_on(&guide), 0, "{language:?}");
            }
        }
        // A noncharacter: no font may have it. Shows that this test can fail.
        assert_eq!(boxes_on(&Guide { fee: "\u{10FFFE}".into(), ..guide(Language::En) }), 1);
    }

    #[test]
    fn what_the_catalog_says_is_never_markup() {
        let odd = Guide { what: "#panic(\"x\") *y* $z$ @a <b> \\ `c` [".into(), ..guide(Language::En) };
        assert!(typesetter().render_guide(&odd).unwrap().starts_with(b"%PDF-"));
    }

    #[test]
    fn the_longest_guide_can_be_printed_and_a_longer_one_is_refused() {
        let long = Guide {
            title: "题".repeat(80),
            summary: "述".repeat(120),
            what: "说".repeat(400),
            bring: vec!["带".repeat(120); MAX_BRING],
            time: "久".repeat(240),
            department: "谁".repeat(120),
            fee: "费".repeat(80),
            ..guide(Language::ZhHans)
        };
        assert!(typesetter().typeset_guide(&long).is_ok());
        let endless = Guide { bring: vec!["带".repeat(121)], ..guide(Language::ZhHans) };
        assert!(matches!(
            typesetter().render_guide(&endless),
            Err(DocumentError::TooLong { field: "bring", .. })
        ));
        let many = Guide { bring: vec!["带".into(); MAX_BRING + 1], ..guide(Language::ZhHans) };
        assert!(matches!(
            typesetter().render_guide(&many),
            Err(DocumentError::TooLong { field: "bring", .. })
        ));
    }
}
