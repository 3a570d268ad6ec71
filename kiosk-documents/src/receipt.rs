//! What a receipt says: plain text in the applicant's language, and how long each part may be.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Directions, DocumentError};

/// Printable width of an 80 mm roll: 72 mm at 8 dots a millimetre.
pub const RECEIPT_DOTS: u32 = 576;

/// Language of a print-out's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    #[serde(rename = "zh-Hans")]
    ZhHans,
    /// Traditional Chinese in the usage of Hong Kong and Macao.
    #[serde(rename = "zh-Hant")]
    ZhHant,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Language {
    /// The tag that the template's table of words uses.
    pub fn tag(self) -> &'static str {
        match self {
            Language::ZhHans => "zh-Hans",
            Language::ZhHant => "zh-Hant",
            Language::En => "en",
        }
    }
}

/// What stands on a receipt. The name is wiped from memory when it is dropped, and `Debug` shows neither
/// it nor the code that leads to the case.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Language of the labels; title and remarks arrive in it already.
    #[zeroize(skip)]
    pub language: Language,
    /// Marks the print-out 演示: it is made by a demonstration and good for nothing else.
    pub demo: bool,
    /// Where the terminal stands.
    pub place: String,
    /// Code of the terminal.
    pub terminal: String,
    /// Number of the case.
    pub case_number: String,
    /// Title of the service item.
    pub item_title: String,
    /// Who applied; absent on a receipt printed again, because the stub does not know.
    #[serde(default)]
    pub applicant_name: Option<String>,
    /// Number of the case that this one follows: a supplement to it, or its withdrawal.
    #[serde(default)]
    pub about: Option<String>,
    /// When the request was finalised, as it is to be read: `2026-11-22 14:05`.
    pub finalised_at: String,
    /// Verification code as it is read, in groups; absent on print-outs that nobody asks about.
    #[serde(default)]
    pub verification: String,
    /// Address that the QR code leads to.
    pub verification_url: String,
    /// Further sentences, one bullet each.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// Marks the print-out 补打: it is not the first.
    #[serde(default)]
    pub reprint: bool,
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("language", &self.language)
            .field("demo", &self.demo)
            .field("case_number", &self.case_number)
            .field("reprint", &self.reprint)
            .finish_non_exhaustive()
    }
}

/// Most remarks a receipt has room for.
const MAX_REMARKS: usize = 8;

impl Receipt {
    /// A receipt of nobody, with something in every place.
    pub(crate) fn sample(language: Language) -> Receipt {
        Receipt {
            language,
            demo: true,
            place: "示例".into(),
            terminal: "DG0001".into(),
            case_number: "DG0001-00000000-0".into(),
            item_title: "示例 12345".into(),
            applicant_name: Some("示例 Example".into()),
            about: Some("DG0001-00000000-1".into()),
            finalised_at: "2099-01-01 00:00".into(),
            verification: "0000 0000 0000 0000".into(),
            verification_url: "https://example.invalid/v/0000000000000000".into(),
            remarks: vec!["示例".into()],
            reprint: true,
        }
    }

    /// Refuses what no receipt has room for, so that nobody can make the printer run on.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        let name = self.applicant_name.as_deref().unwrap_or_default();
        let fields = [
            ("place", self.place.as_str(), 120),
            ("terminal", &self.terminal, 24),
            ("case_number", &self.case_number, 48),
            ("item_title", &self.item_title, 160),
            ("applicant_name", name, 120),
            ("about", self.about.as_deref().unwrap_or_default(), 48),
            ("finalised_at", &self.finalised_at, 48),
            ("verification", &self.verification, 48),
            ("verification_url", &self.verification_url, 240),
        ];
        let remarks = self.remarks.iter().map(|remark| ("remarks", remark.as_str(), 200));
        for (field, text, limit) in fields.into_iter().chain(remarks) {
            if text.chars().count() > limit {
                return Err(DocumentError::TooLong { field, limit });
            }
        }
        if self.remarks.len() > MAX_REMARKS {
            return Err(DocumentError::TooLong { field: "remarks", limit: MAX_REMARKS });
        }
        Ok(())
    }
}

/// A printer's own characters, by which a receipt is laid out in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// ASCII characters in a line; a Chinese character takes the place of two.
    pub columns: u32,
    /// Dots of an ASCII character across.
    pub cell_width: u32,
    /// Dots of any character from top to bottom.
    pub cell_height: u32,
}

impl Grid {
    /// Dots across.
    pub fn dots(self) -> u32 {
        self.columns.saturating_mul(self.cell_width)
    }

    /// Refuses what is no printer's, so that nobody can ask for a picture without end.
    pub(crate) fn check(self) -> Result<(), DocumentError> {
        let good = (16..=128).contains(&self.columns)
            && (6..=32).contains(&self.cell_width)
            && (8..=64).contains(&self.cell_height);
        if good { Ok(()) } else { Err(DocumentError::Grid) }
    }
}

/// In which form a receipt is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One picture of [`RECEIPT_DOTS`] dots across.
    Picture,
    /// Lines of the printer's own characters, and a picture of them all.
    Lines(Grid),
}

impl Layout {
    /// Its name on the command line of `render-document`.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Picture => "picture",
            Layout::Lines(_) => "lines",
        }
    }
}

/// What `render-document` reads on its standard input.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenderRequest {
    /// A receipt as one picture.
    Receipt(Receipt),
    /// A receipt in lines.
    #[serde(rename = "receipt_in_lines")]
    Lines {
        /// What it says.
        receipt: Receipt,
        /// The characters that the printer has.
        grid: Grid,
    },
    /// Directions as one picture.
    Directions(Directions),
    /// Directions in lines.
    DirectionsInLines {
        /// What they say.
        directions: Directions,
        /// The characters that the printer has.
        grid: Grid,
    },
}

impl RenderRequest {
    /// A request for this receipt in this form.
    pub fn new(receipt: Receipt, layout: Layout) -> RenderRequest {
        match layout {
            Layout::Picture => RenderRequest::Receipt(receipt),
            Layout::Lines(grid) => RenderRequest::Lines { receipt, grid },
        }
    }

    /// A request for these directions in this form.
    pub fn for_directions(directions: Directions, layout: Layout) -> RenderRequest {
        match layout {
            Layout::Picture => RenderRequest::Directions(directions),
            Layout::Lines(grid) => RenderRequest::DirectionsInLines { directions, grid },
        }
    }

    /// The receipt, if it is for one.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            RenderRequest::Receipt(receipt) | RenderRequest::Lines { receipt, .. } => Some(receipt),
            RenderRequest::Directions(_) | RenderRequest::DirectionsInLines { .. } => None,
        }
    }

    /// Refuses what has no room.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        match self {
            RenderRequest::Receipt(receipt) | RenderRequest::Lines { receipt, .. } => receipt.check(),
            RenderRequest::Directions(directions) | RenderRequest::DirectionsInLines { directions, .. } => {
                directions.check()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        let mut receipt = shortest();
        receipt.applicant_name = Some("陈桂英".into());
        receipt.verification_url = "https://example.invalid/v/SECRET".into();
        receipt.verification = "S3CR 3T".into();
        receipt.case_number = "DG0001-7K3M9Q-4".into();
        receipt
    }

    fn shortest() -> Receipt {
        serde_json::from_str(
            r#"{"language":"zh-Hant","demo":true,"place":"p","terminal":"DG0001","case_number":"n",
                "item_title":"t","finalised_at":"2026-11-22 14:05","verification_url":"u"}"#,
        )
        .unwrap()
    }

    #[test]
    fn what_may_be_left_out_is_left_out() {
        let receipt = shortest();
        assert_eq!(receipt.language, Language::ZhHant);
        assert!(receipt.applicant_name.is_none() && receipt.remarks.is_empty() && !receipt.reprint);
    }

    #[test]
    fn debug_shows_neither_the_person_nor_the_way_to_the_case() {
        let shown = format!("{:?}", receipt());
        assert!(shown.contains("DG0001-7K3M9Q-4"));
        assert!(!shown.contains("陈桂英") && !shown.contains("SECRET") && !shown.contains("S3CR"));
    }

    #[test]
    fn an_endless_field_is_named_and_not_quoted() {
        let mut long = receipt();
        long.applicant_name = Some("龘".repeat(121));
        let error = long.check().unwrap_err().to_string();
        assert!(error.contains("applicant_name") && !error.contains('龘'));
        let mut many = receipt();
        many.remarks = vec!["x".into(); 9];
        assert!(many.check().is_err());
        assert!(receipt().check().is_ok());
    }

    #[test]
    fn a_grid_that_no_printer_has_is_refused() {
        let grid = Grid { columns: 48, cell_width: 12, cell_height: 24 };
        assert!(grid.check().is_ok());
        assert_eq!(grid.dots(), 576);
        for wrong in [
            Grid { columns: 0, ..grid },
            Grid { columns: u32::MAX, ..grid },
            Grid { cell_width: 0, ..grid },
            Grid { cell_height: 500, ..grid },
        ] {
            assert!(matches!(wrong.check(), Err(DocumentError::Grid)), "{wrong:?}");
        }
    }

    #[test]
    fn a_request_says_which_form_is_wanted() {
        let grid = Grid { columns: 48, cell_width: 12, cell_height: 24 };
        for (layout, key) in [(Layout::Picture, "receipt"), (Layout::Lines(grid), "receipt_in_lines")] {
            let request = RenderRequest::new(receipt(), layout);
            let json = serde_json::to_value(&request).unwrap();
            assert!(json.get(key).is_some(), "{json}");
            let again: RenderRequest = serde_json::from_value(json).unwrap();
            assert!(again.receipt() == request.receipt() && again.receipt().is_some());
        }
    }
}
