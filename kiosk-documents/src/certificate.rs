//! 查询证明 on A4: what a register keeps about a person, issued and signed by the city, and the PDF of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use typst::foundations::{Array, Bytes, Dict, IntoValue, Smart, Value};
use typst_pdf::PdfOptions;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::process::{Process, Request};
use crate::render::{Typeset, text};
use crate::{DocumentError, Language, Typesetter, qr};

const CERTIFICATE: (&str, &str) = ("certificate.typ", include_str!("../../assets/documents/certificate.typ"));

/// The longest PDF, in bytes: it travels to the terminal in base64 within a sealed answer.
pub const MAX_CERTIFICATE_BYTES: usize = 320 * 1024;
/// Sixty rows of the longest words need fewer.
const MAX_PAGES: usize = 16;
const MAX_FACTS: usize = 10;
const MAX_COLUMNS: usize = 4;
const MAX_ROWS: usize = 60;
const MAX_NOTES: usize = 3;
/// Room for a request, so that it does not grow and leave copies behind.
const USUAL_REQUEST: usize = 64 * 1024;
/// Widest code, in modules: on 46 mm with its quiet zone a module is then still 0.43 mm.
const MAX_MODULES: usize = 97;

/// What stands on a certificate; every text is in its language already. Wiped when it is dropped, and `Debug` shows
/// nobody.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Language of the paper's own words.
    #[zeroize(skip)]
    pub language: Language,
    /// Marks the print-out 演示.
    pub demo: bool,
    /// Its title.
    pub title: String,
    /// Which department issues it.
    pub department: String,
    /// Its number.
    pub number: String,
    /// The day, as it is to be read.
    pub issued_on: String,
    /// The day after which it cannot be relied on, as it is to be read.
    pub valid_until: String,
    /// Code of the terminal at which it was asked for.
    pub terminal: String,
    /// Name of the person, whole.
    pub name: String,
    /// Number of the person, masked.
    pub person_number: String,
    /// Label and value.
    pub facts: Vec<(String, String)>,
    /// Columns of the table.
    pub columns: Vec<Column>,
    /// Its rows, each with a value for each column.
    pub rows: Vec<Vec<String>>,
    /// Sentences under it.
    pub notes: Vec<String>,
    /// Address behind the code.
    pub address: String,
    /// Its beginning, for whoever wants to see that the code leads to the city.
    pub site: String,
}

/// A column of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What it is called.
    pub label: String,
    /// Whether it holds figures, which stand at the right.
    pub figures: bool,
    /// Whether it holds words, which need twice the room.
    pub wide: bool,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What `render-document` reads for a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateRequest {
    /// What it says.
    pub certificate: Certificate,
}

impl Certificate {
    /// Refuses what no paper has room for.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let fields = [
            ("title", self.title.as_str(), 80),
            ("department", &self.department, 120),
            ("number", &self.number, 24),
            ("issued_on", &self.issued_on, 48),
            ("valid_until", &self.valid_until, 48),
            ("terminal", &self.terminal, 24),
            ("name", &self.name, 120),
            ("person_number", &self.person_number, 24),
            ("address", &self.address, 1500),
            ("site", &self.site, 80),
        ];
        let facts =
            self.facts.iter().flat_map(|(label, value)| [("facts", label, 40), ("facts", value, 100)]);
        let columns = self.columns.iter().map(|column| ("columns", &column.label, 24));
        let rows = self.rows.iter().flatten().map(|value| ("rows", value, 100));
        let notes = self.notes.iter().map(|note| ("notes", note, 200));
        let lists = facts.chain(columns).chain(rows).chain(notes);
        let lists = lists.map(|(field, text, limit)| (field, text.as_str(), limit));
        for (field, text, limit) in fields.into_iter().chain(lists) {
            if text.chars().count() > limit {
                return Err(DocumentError::TooLong { field, limit });
            }
        }
        let counts = [
            ("facts", self.facts.len(), MAX_FACTS),
            ("columns", self.columns.len(), MAX_COLUMNS),
            ("rows", self.rows.len(), MAX_ROWS),
            ("notes", self.notes.len(), MAX_NOTES),
        ];
        for (field, count, limit) in counts {
            if count > limit {
                return Err(DocumentError::TooLong { field, limit });
            }
        }
        let ragged = self.rows.iter().any(|row| row.len() != self.columns.len() || row.is_empty());
        if ragged { Err(DocumentError::TooLong { field: "rows", limit: self.columns.len() }) } else { Ok(()) }
    }

    fn inputs(&self) -> Result<Dict, DocumentError> {
        let code = qr::modules(&self.address)?;
        if code.size > MAX_MODULES {
            return Err(DocumentError::QrTooLong);
        }
        let list =
            |texts: &[String]| -> Value { texts.iter().map(|one| text(one)).collect::<Array>().into_value() };
        let facts: Array = self
            .facts
            .iter()
            .map(|(label, value)| [text(label), text(value)].into_iter().collect::<Array>().into_value())
            .collect();
        let columns: Array = self
            .columns
            .iter()
            .map(|column| {
                let fields = [
                    ("label", text(&column.label)),
                    ("figures", column.figures.into_value()),
                    ("wide", column.wide.into_value()),
                ];
                fields.into_iter().map(|(key, value)| (key.into(), value)).collect::<Dict>().into_value()
            })
            .collect();
        let fields = [
            ("language", text(self.language.tag())),
            ("demo", self.demo.into_value()),
            ("title", text(&self.title)),
            ("department", text(&self.department)),
            ("number", text(&self.number)),
            ("issued_on", text(&self.issued_on)),
            ("valid_until", text(&self.valid_until)),
            ("terminal", text(&self.terminal)),
            ("name", text(&self.name)),
            ("person_number", text(&self.person_number)),
            ("facts", facts.into_value()),
            ("columns", columns.into_value()),
            ("rows", self.rows.iter().map(|row| list(row)).collect::<Array>().into_value()),
            ("notes", list(&self.notes)),
            ("site", text(&self.site)),
            // One dot a module: the paper's printer makes squares of them.
            ("qr", Bytes::new(code.lightness(1)).into_value()),
            ("qr_modules", code.size_with_quiet_zone().into_value()),
        ];
        let certificate: Dict = fields.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let mut inputs = Dict::new();
        inputs.insert("certificate".into(), certificate.into_value());
        Ok(inputs)
    }
}

impl Typesetter {
    /// Renders a certificate as PDF in this process.
    pub fn render_certificate(&self, certificate: &Certificate) -> Result<Vec<u8>, DocumentError> {
        let pages = self.typeset_certificate(certificate)?;
        // As with a guide: no tags, no clock, the same bytes again.
        let options = PdfOptions { creator: Smart::Custom(None), tagged: false, ..PdfOptions::default() };
        let pdf = typst_pdf::pdf(&pages.document, &options).map_err(|_| DocumentError::Pdf)?;
        if pdf.len() > MAX_CERTIFICATE_BYTES { Err(DocumentError::Pdf) } else { Ok(pdf) }
    }

    fn typeset_certificate(&self, certificate: &Certificate) -> Result<Typeset, DocumentError> {
        certificate.check()?;
        let pages = self.typeset(CERTIFICATE, certificate.inputs()?)?;
        match pages.document.pages().len() {
            1..=MAX_PAGES => Ok(pages),
            pages => Err(DocumentError::Shape { pages, width: 0, height: 0 }),
        }
    }
}

/// Renders certificates, each in a process of its own: the typesetter keeps what it has seen, and this is about a person.
#[derive(Debug, Clone)]
pub struct CertificateRenderer {
    program: PathBuf,
}

impl CertificateRenderer {
    /// A renderer that runs `render-document`, which is this program.
    pub fn new(program: PathBuf) -> CertificateRenderer {
        CertificateRenderer { program }
    }

    /// Renders a certificate as PDF. Blocks until it is there, the child has failed, or the time is over; the child is
    /// gone in every case.
    pub fn render(
        &self,
        certificate: &Certificate,
        within: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, DocumentError> {
        certificate.check()?;
        let mut request = Zeroizing::new(Vec::with_capacity(USUAL_REQUEST));
        let asked = CertificateRequest { certificate: certificate.clone() };
        serde_json::to_writer(&mut *request, &asked).map_err(|_| DocumentError::NotAPdf)?;
        let request: Request = Arc::new(request);
        let pdf = Process::start(&self.program, &[])?.run(request, MAX_CERTIFICATE_BYTES, within)?;
        let whole = pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF");
        if whole && pdf.len() <= MAX_CERTIFICATE_BYTES { Ok(pdf) } else { Err(DocumentError::NotAPdf) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::boxes;

    fn certificate(language: Language) -> Certificate {
        Certificate {
            language,
            demo: true,
            title: "社会保险缴费明细".into(),
            department: "东莞市人力资源和社会保障局".into(),
            number: "ZM-7K3M-9Q2T".into(),
            issued_on: "2026年11月23日".into(),
            valid_until: "2027年2月21日".into(),
            terminal: "DG0001".into(),
            name: "𬱖㛃".into(),
            person_number: "990*************26".into(),
            facts: vec![("这段时间交了".into(), "12 个月".into())],
            columns: vec![
                Column { label: "月份".into(), ..Column::default() },
                Column { label: "自己交".into(), figures: true, wide: false },
            ],
            rows: vec![vec!["2026年10月".into(), "1,208.50 元".into()]; 12],
            notes: vec!["没有列出来的月份，就是那个月没有交。".into()],
            address: format!("http://127.0.0.1:40123/d/{}", "A2B4".repeat(130)),
            site: "http://127.0.0.1:40123".into(),
        }
    }

    fn boxes_on(certificate: &Certificate) -> usize {
        let typeset = Typesetter::new().unwrap().typeset_certificate(certificate).unwrap();
        typeset.document.pages().iter().map(|page| boxes(&page.frame)).sum()
    }

    #[test]
    fn the_template_has_words_in_every_language_and_glyphs_for_them() {
        for language in [Language::ZhHans, Language::ZhHant, Language::En] {
            assert_eq!(boxes_on(&certificate(language)), 0, "{language:?}");
            let mut bare = certificate(language);
            bare.demo = false;
            (bare.columns, bare.rows, bare.notes) = (Vec::new(), Vec::new(), Vec::new());
            assert_eq!(boxes_on(&bare), 0, "{language:?}");
        }
        // A noncharacter: no font may have it. Shows that this test can fail.
        let mut odd = certificate(Language::En);
        odd.name = "\u{10FFFE}".into();
        assert_eq!(boxes_on(&odd), 1);
    }

    #[test]
    fn what_a_register_says_is_never_markup() {
        let odd = "#panic(\"x\") *y* $z$ @a <b> \\ `c` [".to_owned();
        let mut certificate = certificate(Language::En);
        certificate.facts = vec![(odd.clone(), odd)];
        assert!(Typesetter::new().unwrap().render_certificate(&certificate).unwrap().starts_with(b"%PDF-"));
    }

    #[test]
    fn the_longest_takes_several_pages_and_a_longer_one_is_refused() {
        let typesetter = Typesetter::new().unwrap();
        let mut long = certificate(Language::ZhHans);
        long.title = "题".repeat(40);
        long.facts = vec![("称".repeat(12), "值".repeat(60)); MAX_FACTS];
        long.columns = vec![Column { label: "列".repeat(6), figures: false, wide: true }; MAX_COLUMNS];
        long.rows = vec![vec!["行".repeat(60); MAX_COLUMNS]; MAX_ROWS];
        long.notes = vec!["注".repeat(200); MAX_NOTES];
        let pages = typesetter.typeset_certificate(&long).unwrap().document.pages().len();
        assert!((2..=MAX_PAGES).contains(&pages), "{pages}");
        let changes: [(&str, fn(&mut Certificate)); 3] = [
            ("rows", |endless| endless.rows = vec![vec!["x".into(); MAX_COLUMNS]; MAX_ROWS + 1]),
            ("rows", |ragged| ragged.rows = vec![vec!["x".into()]]),
            ("name", |endless| endless.name = "名".repeat(121)),
        ];
        for (field, change) in changes {
            let mut changed = long.clone();
            change(&mut changed);
            let refused = typesetter.render_certificate(&changed);
            assert!(matches!(refused, Err(DocumentError::TooLong { field: named, .. }) if named == field));
        }
        // The longest stamp behind the longest address.
        let mut most = certificate(Language::ZhHans);
        most.address = format!("https://{}/d/{}", "c".repeat(89), "A2B4".repeat(204));
        assert!(typesetter.render_certificate(&most).unwrap().starts_with(b"%PDF-"));
        let mut dense = certificate(Language::ZhHans);
        dense.address = format!("https://city.example/d/{}", "A2B4".repeat(340));
        assert!(matches!(typesetter.render_certificate(&dense), Err(DocumentError::QrTooLong)));
    }

    #[test]
    fn nobody_is_in_a_debug_text() {
        assert!(!format!("{:?}", certificate(Language::En)).contains('㛃'));
    }
}
