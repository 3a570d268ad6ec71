//! Certificates as they leave the child process, read by other people's programs: `pdftotext`, `pdffonts` and `pdfinfo`
//! (Debian package poppler-utils).

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use kiosk_documents::{Certificate, CertificateRenderer, Column, DocumentError, Language};

const WITHIN: Duration = Duration::from_secs(30);

/// All that is on the paper below, in the order in which it is drawn, without spaces.
const GOLDEN: &str = include_str!("certificate.txt");

fn certificate(rows: usize) -> Certificate {
    let of = |label: &str, figures| Column { label: label.into(), figures, wide: false };
    let mut certificate = Certificate::default();
    certificate.demo = true;
    certificate.title = "社会保险缴费明细".into();
    certificate.department = "东莞市人力资源和社会保障局".into();
    certificate.number = "ZM-7K3M-9Q2T".into();
    certificate.issued_on = "2026年11月23日".into();
    certificate.valid_until = "2027年2月21日".into();
    certificate.terminal = "DG0001".into();
    certificate.name = "𬱖㛃".into();
    certificate.person_number = "990*************20".into();
    certificate.facts =
        vec![("这段时间交了".into(), format!("{rows} 个月")), ("自己一共交了".into(), "3,681.80 元".into())];
    certificate.columns = vec![of("月份", false), of("自己交", true)];
    certificate.rows = (0..rows).map(|row| vec![format!("第{row}行"), format!("{row}.50 元")]).collect();
    certificate.notes = vec!["没有列出来的月份，就是那个月没有交。".into()];
    certificate.address = format!("https://city.example/d/{}", "A2B4".repeat(110));
    certificate.site = "https://city.example/".into();
    certificate
}

fn render(certificate: &Certificate) -> Vec<u8> {
    let renderer = CertificateRenderer::new(PathBuf::from(env!("CARGO_BIN_EXE_render-document")));
    renderer.render(certificate, WITHIN).unwrap().to_vec()
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

/// The text in the order of its drawing, without spaces.
fn text_of(pdf: &[u8]) -> String {
    told("pdftotext", &["-raw", "-", "-"], pdf).split_whitespace().collect()
}

#[test]
fn a_paper_says_all_that_it_should_and_nothing_else() {
    assert_eq!(text_of(&render(&certificate(2))), GOLDEN.split_whitespace().collect::<String>());
}

#[test]
fn a_year_of_months_is_one_sheet_and_five_years_are_told_apart_by_their_numbers() {
    for (rows, pages) in [(0, 1), (12, 1), (60, 3)] {
        let mut certificate = certificate(rows);
        if rows == 0 {
            certificate.columns.clear();
        }
        let pdf = render(&certificate);
        let info = told("pdfinfo", &["-"], &pdf);
        let counted = info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap();
        assert_eq!(counted.trim(), pages.to_string(), "{rows} rows");
        assert!(info.contains("A4"), "{info}");
        let text = text_of(&pdf);
        for page in 1..=pages {
            assert!(text.contains(&format!("第{page}页，共{pages}页")), "{text}");
        }
        // On every sheet: the number, so that none can be put among another paper's, and the head of the table.
        assert_eq!(text.matches("证明编号ZM-7K3M-9Q2T演示打印件").count(), pages);
        if rows > 0 {
            assert_eq!(text.matches("月份自己交").count(), pages);
        }
        for row in 0..rows {
            assert!(text.contains(&format!("第{row}行{row}.50元")), "row {row}");
        }
    }
}

#[test]
fn it_brings_its_fonts_and_is_the_same_each_time() {
    let mut real = certificate(12);
    real.demo = false;
    real.language = Language::ZhHant;
    let (pdf, same) = (render(&real), render(&real));
    assert!(pdf == same, "the same paper, the same bytes");
    assert!(!text_of(&pdf).contains("示範"), "no mark on a true one");
    let fonts = told("pdffonts", &["-"], &pdf);
    let fonts: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(!fonts.is_empty());
    for font in fonts {
        // From the right: object (two numbers), unicode, subset, embedded.
        let columns: Vec<&str> = font.split_whitespace().rev().collect();
        assert_eq!(columns[2..5], ["yes"; 3], "embedded, a subset, and readable: {font}");
    }
}

/// Whoever copies a name from the PDF has the name.
#[test]
fn rare_names_are_in_the_pdf_as_they_are() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/vectors/rare_names.json")).unwrap();
    let names = vectors["names"].as_array().unwrap();
    assert!(names.len() >= 18);
    let names: Vec<&str> = names.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    // Five at a time, in the room that a name has.
    for some in names.chunks(5) {
        let mut certificate = certificate(0);
        certificate.columns.clear();
        certificate.name = some.join("，");
        let wanted: String = certificate.name.split_whitespace().collect();
        let text = text_of(&render(&certificate));
        assert!(text.contains(&wanted), "{wanted} in {text}");
    }
}

#[test]
fn what_is_no_pdf_is_not_taken_for_one() {
    let absent = CertificateRenderer::new("nothing-of-that-name".into()).render(&certificate(1), WITHIN);
    assert!(matches!(absent, Err(DocumentError::Process(_))), "{absent:?}");
    // Gives back its input.
    let babbling = CertificateRenderer::new("/bin/cat".into()).render(&certificate(1), WITHIN);
    assert!(matches!(babbling, Err(DocumentError::NotAPdf)), "{babbling:?}");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_render-document"));
    let hurried = CertificateRenderer::new(program).render(&certificate(1), Duration::ZERO);
    assert!(matches!(hurried, Err(DocumentError::TimedOut(_))), "{hurried:?}");
}
