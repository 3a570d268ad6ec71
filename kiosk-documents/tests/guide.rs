//! Guides as they leave the child process, read by other people's programs: `pdftotext`, `pdffonts` and `pdfinfo`
//! (Debian package poppler-utils).

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kiosk_documents::{DocumentError, Guide, GuideRenderer, Language, MAX_PDF_BYTES};

fn guide(language: Language) -> Guide {
    let of = |hans: &str, hant: &str, en: &str| {
        match language {
            Language::ZhHans => hans,
            Language::ZhHant => hant,
            Language::En => en,
        }
        .to_owned()
    };
    Guide {
        language,
        demo: true,
        place: of("莞城街道示例社区", "莞城街道示例社區", "Guancheng Example Community"),
        terminal: "DG0001".into(),
        title: of("12345 诉求提交", "12345 訴求提交", "12345: report a problem"),
        summary: of("噪音都可以反映", "噪音都可以反映", "Noise: tell us here"),
        what: of("可以在这里告诉政府。", "可以在這裏告訴政府。", "Tell the government about it."),
        bring: vec![of("事情的日期", "事情的日期", "The date"), of("电话号码", "電話號碼", "A phone number")],
        by_card: true,
        by_number: true,
        accepts_expired_card: false,
        time: of("约 3 分钟", "約 3 分鐘", "About 3 minutes"),
        department: of("便民热线", "便民熱線", "The hotline"),
        fee: of("免费", "免費", "Free of charge"),
        printed_on: of("2026年11月22日", "2026年11月22日", "2026-11-22"),
    }
}

fn renderer() -> GuideRenderer {
    GuideRenderer::new(PathBuf::from(env!("CARGO_BIN_EXE_render-document")))
}

/// What another program says of the PDF.
fn told(program: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is installed (poppler-utils): {error}"));
    child.stdin.take().unwrap().write_all(pdf).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    String::from_utf8(output.stdout).unwrap()
}

/// The text without spaces: the program sees some where Chinese and digits meet, and where a line ends.
fn text_of(pdf: &[u8]) -> String {
    spaceless(&told("pdftotext", &["-", "-"], pdf))
}

fn spaceless(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn all_that_the_guide_says_is_on_the_sheet_in_its_language() {
    for (language, own) in [
        (Language::ZhHans, ["办事指南", "要带什么", "身份证要在有效期内", "打印日期", "演示"]),
        (Language::ZhHant, ["辦事指南", "要帶甚麼", "身份證要在有效期內", "列印日期", "示範"]),
        (Language::En, ["Guide", "What to bring", "The card must not have expired", "Printed on", "DEMO"]),
    ] {
        let guide = guide(language);
        let text = text_of(&renderer().render(&guide).unwrap());
        let theirs = [&guide.title, &guide.summary, &guide.what, &guide.time, &guide.department, &guide.fee];
        let theirs = theirs.into_iter().chain(&guide.bring).chain([&guide.place, &guide.printed_on]);
        for words in theirs.map(String::as_str).chain(own).chain(["12345", "DG0001"]) {
            assert!(text.contains(&spaceless(words)), "{language:?}: no {words:?} in {text}");
        }
    }
}

/// The same code points come out, not others that look alike: whoever copies a name from the PDF has the name.
#[test]
fn rare_characters_are_in_the_pdf_as_they_are() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/vectors/rare_names.json")).unwrap();
    let listed = vectors["characters"].as_array().unwrap();
    let rare: Vec<&str> = listed.iter().map(|entry| entry["char"].as_str().unwrap()).collect();
    assert!(rare.len() >= 13);
    let guide = Guide { what: rare.join("，"), ..guide(Language::ZhHans) };
    let text = text_of(&renderer().render(&guide).unwrap());
    assert!(text.contains(&rare.join("，")), "{text}");
}

#[test]
fn the_pdf_is_one_page_of_a4_that_brings_its_fonts() {
    for language in [Language::ZhHans, Language::ZhHant, Language::En] {
        let pdf = renderer().render(&guide(language)).unwrap();
        assert!(pdf.len() < MAX_PDF_BYTES / 2, "{language:?}: {} bytes", pdf.len());
        let info = told("pdfinfo", &["-"], &pdf);
        assert!(info.contains("A4"), "{info}");
        assert!(info.lines().any(|line| line.starts_with("Pages:") && line.ends_with(" 1")), "{info}");
        let fonts = told("pdffonts", &["-"], &pdf);
        let fonts: Vec<&str> = fonts.lines().skip(2).collect();
        assert!(!fonts.is_empty());
        for font in fonts {
            // From the right: object (two numbers), unicode, subset, embedded.
            let columns: Vec<&str> = font.split_whitespace().rev().collect();
            assert_eq!(columns[2..5], ["yes"; 3], "embedded, a subset, and readable: {font}");
        }
    }
}

#[test]
fn the_demo_says_so_and_a_real_kiosk_does_not() {
    let real = Guide { demo: false, ..guide(Language::ZhHans) };
    let (pdf, same) = (renderer().render(&real).unwrap(), renderer().render(&real).unwrap());
    assert!(!text_of(&pdf).contains("演示"));
    assert!(pdf == same, "the same guide, the same bytes");
}

#[test]
fn what_is_no_pdf_is_not_taken_for_one() {
    let absent = GuideRenderer::new("nothing-of-that-name".into()).render(&guide(Language::En));
    assert!(matches!(absent, Err(DocumentError::Process(_))), "{absent:?}");
    // Gives back its input.
    let babbling = GuideRenderer::new("/bin/cat".into()).render(&guide(Language::En));
    assert!(matches!(babbling, Err(DocumentError::NotAPdf)), "{babbling:?}");
    let long = Guide { title: "题".repeat(81), ..guide(Language::ZhHans) };
    let refused = renderer().render(&long);
    assert!(matches!(refused, Err(DocumentError::TooLong { field: "title", .. })), "{refused:?}");
}

#[test]
fn where_nobody_identifies_no_card_is_asked_for() {
    let mut guide = guide(Language::ZhHans);
    (guide.by_card, guide.by_number) = (false, false);
    let text = text_of(&renderer().render(&guide).unwrap());
    assert!(!text.contains("用什么证件") && text.contains("要带什么"), "{text}");
}
