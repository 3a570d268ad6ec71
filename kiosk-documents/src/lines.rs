//! A receipt laid out in lines of a printer's own characters: what stands in each, how large, and how many rows it takes.
//! The printer draws the lines that it can; a template draws all of them, for those that it cannot.

use crate::rendering::{Part, TextLine};
use crate::words::Words;
use crate::wrap::{columns, wrap};
use crate::{Directions, Grid, Language, Receipt};

/// White rows between groups of lines.
const GAP: u32 = 12;
/// Black rows of the rules.
const THICK: u32 = 4;
const THIN: u32 = 2;
/// Columns between a label and what it labels.
const LABEL_GAP: u32 = 2;

/// One line.
pub(crate) struct Line {
    pub(crate) rows: u32,
    pub(crate) kind: Kind,
}

/// What is in it.
pub(crate) enum Kind {
    Text(TextLine),
    /// Black all over.
    Rule,
    /// The QR code with its quiet zone, as wide as it is high, at the left.
    Code,
    /// White.
    Gap,
}

impl Line {
    /// What the printer is told of it.
    pub(crate) fn part(&self) -> Part {
        let text = match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Rule | Kind::Code | Kind::Gap => None,
        };
        Part { rows: self.rows, text }
    }
}

/// How characters look.
#[derive(Clone, Copy)]
enum Look {
    Plain,
    Bold,
    /// Twice as high and bold, and twice as wide where there is room for all of it.
    Large,
}

/// The receipt's lines from top to bottom. The code takes so many rows.
pub(crate) fn lay_out(receipt: &Receipt, grid: Grid, code_rows: u32) -> Vec<Line> {
    let words = Words::of(receipt.language);
    let mut page = Page { grid, lines: Vec::new() };
    page.head(receipt, &words);
    page.number(receipt, &words);
    page.fields(receipt, &words);
    page.rule(THIN);
    page.code(&words, code_rows);
    for remark in &receipt.remarks {
        page.labelled("·", columns("·") + 1, remark, Look::Plain);
    }
    page.gap(GAP);
    page.rule(THIN);
    page.paragraph(&format!("{} 12345", words.say("hotline")), Look::Bold);
    if receipt.demo {
        page.paragraph(words.say("demo_note"), Look::Plain);
    }
    page.lines
}

/// The lines of directions from top to bottom.
pub(crate) fn lay_out_directions(directions: &Directions, grid: Grid) -> Vec<Line> {
    let words = Words::of(directions.language);
    let mut page = Page { grid, lines: Vec::new() };
    page.paragraph(words.say("kiosk"), Look::Plain);
    let title =
        page.marked(words.say("directions"), directions.language, &words, &[("demo", directions.demo)]);
    page.paragraph(&title, Look::Large);
    page.rule(THICK);
    if let Some(number) = &directions.number {
        page.paragraph(words.say("queue_number"), Look::Bold);
        page.paragraph(&number.number, Look::Large);
        if let Some(waiting) = number.waiting {
            page.paragraph(&format!("{} {waiting}", words.say("waiting")), Look::Bold);
        }
        page.paragraph(&format!("{} {}", number.day, words.say("good_on")), Look::Plain);
        page.rule(THIN);
    }
    page.paragraph(&directions.item_title, Look::Bold);
    page.paragraph(&directions.verdict, Look::Large);
    page.paragraph(&directions.advice, Look::Plain);
    page.gap(GAP);
    if !directions.bring.is_empty() {
        page.rule(THIN);
        page.paragraph(words.say("bring"), Look::Bold);
        for thing in &directions.bring {
            page.labelled("·", columns("·") + 1, thing, Look::Plain);
        }
        page.gap(GAP);
    }
    if let Some(window) = &directions.window {
        page.rule(THIN);
        page.paragraph(words.say("where"), Look::Bold);
        page.paragraph(&window.name, Look::Bold);
        page.beside(
            &words,
            &[("address", &window.address), ("hours", &window.hours), ("phone", &window.phone)],
        );
    }
    if !directions.answers.is_empty() {
        page.rule(THIN);
        page.paragraph(words.say("answers"), Look::Bold);
        for (asked, given) in &directions.answers {
            page.labelled("·", columns("·") + 1, &format!("{asked} {given}"), Look::Plain);
        }
        page.gap(GAP);
    }
    page.rule(THIN);
    let terminal = format!("{} {}", directions.place, directions.terminal);
    page.beside(&words, &[("time_printed", &directions.printed_at), ("place", &terminal)]);
    page.paragraph(words.say("changes"), Look::Plain);
    page.paragraph(&format!("{} 12345", words.say("hotline")), Look::Bold);
    if directions.demo {
        page.paragraph(words.say("demo_note"), Look::Plain);
    }
    page.lines
}

struct Page {
    grid: Grid,
    lines: Vec<Line>,
}

impl Page {
    fn head(&mut self, receipt: &Receipt, words: &Words) {
        self.paragraph(words.say("kiosk"), Look::Plain);
        let marks = [("reprint", receipt.reprint), ("demo", receipt.demo)];
        let title = self.marked(words.say("title"), receipt.language, words, &marks);
        self.paragraph(&title, Look::Large);
        self.rule(THICK);
    }

    /// A title with the marks that are set behind it.
    fn marked(&self, title: &str, language: Language, words: &Words, marks: &[(&str, bool)]) -> String {
        let (open, close) = if language == Language::En { (" [", "]") } else { ("【", "】") };
        let marks = marks.iter().filter(|(_, set)| *set);
        let marks = marks.map(|(mark, _)| format!("{open}{}{close}", words.say(mark)));
        title.to_owned() + &marks.collect::<String>()
    }

    /// Labels and what they label, which begins in one column.
    fn beside(&mut self, words: &Words, fields: &[(&str, &str)]) {
        let widest = fields.iter().map(|(key, _)| columns(words.say(key))).max().unwrap_or(0);
        for (key, value) in fields {
            self.labelled(words.say(key), widest + LABEL_GAP, value, Look::Plain);
        }
        self.gap(GAP);
    }

    /// What people copy by hand.
    fn number(&mut self, receipt: &Receipt, words: &Words) {
        self.paragraph(words.say("number"), Look::Plain);
        self.paragraph(&receipt.case_number, Look::Large);
        if !receipt.verification.is_empty() {
            self.paragraph(words.say("code"), Look::Plain);
            self.paragraph(&receipt.verification, Look::Large);
        }
        self.gap(GAP);
    }

    fn fields(&mut self, receipt: &Receipt, words: &Words) {
        let name = receipt.applicant_name.as_deref();
        let fields = [
            ("item", Some(receipt.item_title.as_str()), Look::Bold),
            ("about", receipt.about.as_deref(), Look::Bold),
            ("applicant", name, Look::Bold),
            ("time", Some(receipt.finalised_at.as_str()), Look::Plain),
            ("place", Some(receipt.place.as_str()), Look::Plain),
            ("terminal", Some(receipt.terminal.as_str()), Look::Plain),
        ];
        let there = fields.iter().filter(|(_, value, _)| value.is_some());
        let widest = there.map(|(key, ..)| columns(words.say(key))).max().unwrap_or(0);
        let indent = widest + LABEL_GAP;
        for (key, value, look) in fields {
            if let Some(value) = value {
                self.labelled(words.say(key), indent, value, look);
            }
        }
        self.gap(GAP);
    }

    fn code(&mut self, words: &Words, rows: u32) {
        self.paragraph(words.say("scan"), Look::Bold);
        self.lines.push(Line { rows, kind: Kind::Code });
        self.paragraph(words.say("scan_more"), Look::Plain);
        self.paragraph(words.say("keep"), Look::Plain);
    }

    fn rule(&mut self, rows: u32) {
        self.lines.push(Line { rows, kind: Kind::Rule });
        self.gap(GAP);
    }

    fn gap(&mut self, rows: u32) {
        self.lines.push(Line { rows, kind: Kind::Gap });
    }

    /// Text over as many lines as it takes.
    fn paragraph(&mut self, text: &str, look: Look) {
        let text = printable(text);
        let (times_wide, _) = self.times(look, &text);
        for line in wrap(&text, self.grid.columns / u32::from(times_wide)) {
            self.push(line.to_owned(), look, times_wide);
        }
    }

    /// A label, and its value beside it: over as many lines as it takes, which begin below each other.
    fn labelled(&mut self, label: &str, indent: u32, value: &str, look: Look) {
        let value = printable(value);
        let mut label = label;
        for line in wrap(&value, self.grid.columns.saturating_sub(indent).max(2)) {
            let space = indent.saturating_sub(columns(label)) as usize;
            self.push(format!("{label}{:space$}{line}", ""), look, 1);
            label = "";
        }
    }

    fn push(&mut self, text: String, look: Look, times_wide: u8) {
        let (_, times_high) = self.times(look, "");
        let bold = matches!(look, Look::Bold | Look::Large);
        // A third of a line's height lies between lines.
        let rows = (self.grid.cell_height * u32::from(times_high) * 4).div_ceil(3);
        self.lines.push(Line { rows, kind: Kind::Text(TextLine { text, times_wide, times_high, bold }) });
    }

    /// Times as wide and as high as usual.
    fn times(&self, look: Look, text: &str) -> (u8, u8) {
        match look {
            Look::Plain | Look::Bold => (1, 1),
            Look::Large if columns(text) * 2 <= self.grid.columns => (2, 2),
            Look::Large => (1, 2),
        }
    }
}

/// The text in one line: what would end it, or be a command of the printer's, becomes a space.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: [Grid; 2] = [
        Grid { columns: 48, cell_width: 12, cell_height: 24 },
        Grid { columns: 32, cell_width: 12, cell_height: 24 },
    ];

    fn receipt(language: Language) -> Receipt {
        let mut receipt = Receipt::sample(language);
        receipt.place = "莞城街道示例社区党群服务中心".into();
        receipt.applicant_name = Some("𬱖㛃".into());
        receipt.remarks = vec!["请\n五个工作日内留意短信。".repeat(3)];
        receipt
    }

    fn texts(lines: &[Line]) -> Vec<TextLine> {
        lines.iter().filter_map(|line| line.part().text).collect()
    }

    #[test]
    fn every_line_fits_on_the_paper_and_has_the_rows_it_needs() {
        for grid in PAPER {
            for language in [Language::ZhHans, Language::ZhHant, Language::En] {
                let lines = lay_out(&receipt(language), grid, 200);
                for text in texts(&lines) {
                    let wide = columns(&text.text) * u32::from(text.times_wide);
                    assert!(wide <= grid.columns, "{language:?} {}: {}", grid.columns, text.text);
                    assert!(!text.text.chars().any(char::is_control));
                }
                for line in &lines {
                    let Some(text) = line.part().text else { continue };
                    assert!((grid.cell_height * u32::from(text.times_high)..=255).contains(&line.rows));
                }
                let codes = lines.iter().filter(|line| matches!(line.kind, Kind::Code));
                assert_eq!(codes.map(|line| line.rows).collect::<Vec<_>>(), [200]);
            }
        }
    }

    #[test]
    fn everything_that_a_receipt_says_stands_in_its_lines() {
        let receipt = receipt(Language::ZhHans);
        let lines = texts(&lay_out(&receipt, PAPER[0], 200));
        let said: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        for line in [
            "莞家政务自助终端",
            "受理回执【补打】【演示】",
            receipt.case_number.as_str(),
            "原来的办件  DG0001-00000000-1",
            "申请人      𬱖㛃",
            "办理地点    莞城街道示例社区党群服务中心",
            "咨询与投诉 12345",
            "演示凭条 · 不作办事凭证",
        ] {
            assert!(said.contains(&line), "{line}: {said:#?}");
        }
        assert!(said.iter().any(|line| line.starts_with("· 请 五个工作日")), "{said:#?}");
        assert!(said.iter().any(|line| line.starts_with("   ")), "what goes on stands below: {said:#?}");
    }

    #[test]
    fn a_number_that_is_too_wide_to_be_twice_as_wide_stays_in_one_line() {
        let mut receipt = receipt(Language::ZhHans);
        receipt.case_number = "DG0001-7K3M9Q2F-4".into();
        for (grid, times) in PAPER.into_iter().zip([(2, 2), (1, 2)]) {
            let lines = texts(&lay_out(&receipt, grid, 200));
            let number = lines.iter().find(|line| line.text == receipt.case_number).expect("in one line");
            assert_eq!((number.times_wide, number.times_high), times);
        }
    }

    #[test]
    fn directions_say_what_came_of_it_and_where_to_go() {
        let window = crate::Window {
            name: "户籍窗口".into(),
            address: "就近的派出所".into(),
            hours: "工作日".into(),
            phone: "12345".into(),
        };
        let directions = Directions {
            demo: true,
            item_title: "身份证换领".into(),
            verdict: "现在可以换".into(),
            advice: "请您本人带旧证去窗口。".into(),
            bring: vec!["旧身份证".into()],
            window: Some(window),
            answers: vec![("哪天到期？".into(), "2026年11月1日".into())],
            number: Some(crate::QueueNumber {
                number: "A023".into(),
                waiting: Some(4),
                day: "2026年11月22日".into(),
            }),
            ..Directions::default()
        };
        for grid in PAPER {
            let lines = texts(&lay_out_directions(&directions, grid));
            let fits = |line: &TextLine| columns(&line.text) * u32::from(line.times_wide) <= grid.columns;
            assert!(lines.iter().all(fits));
            let said: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            for line in [
                "A023",
                "前面等候人数 4",
                "现在可以换",
                "· 旧身份证",
                "户籍窗口",
                "地址  就近的派出所",
                "· 哪天到期？ 2026年11月1日",
            ] {
                assert!(said.contains(&line), "{line}: {said:#?}");
            }
        }
    }

    #[test]
    fn marks_and_name_stand_only_where_they_belong() {
        let mut receipt = receipt(Language::ZhHans);
        (receipt.reprint, receipt.demo, receipt.applicant_name) = (false, false, None);
        let said: String =
            texts(&lay_out(&receipt, PAPER[0], 200)).iter().map(|line| line.text.as_str()).collect();
        assert!(!said.contains("补打") && !said.contains("演示") && !said.contains("申请人"), "{said}");
    }
}
