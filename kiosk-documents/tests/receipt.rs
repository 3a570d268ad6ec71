//! Receipts as they leave the child process: every language, the QR code read back by an independent
//! reader, rare names against a character that no font has, receipts in lines, and children that misbehave.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kiosk_documents::{
    Bitmap, DocumentError, Grid, Language, Layout, RECEIPT_DOTS, Receipt, Renderer, Rendering,
};

const LANGUAGES: [Language; 3] = [Language::ZhHans, Language::ZhHant, Language::En];
const LINES: Layout = Layout::Lines(Grid { columns: 48, cell_width: 12, cell_height: 24 });
const URL: &str = "http://127.0.0.1:38123/v/7K3M9Q2F4X8DWACE#DG0001-7K3M9Q2F-4";

fn receipt(language: Language) -> Receipt {
    let (title, place) = match language {
        Language::ZhHans => ("12345 诉求提交", "莞城街道示例社区党群服务中心"),
        Language::ZhHant => ("12345 訴求提交", "莞城街道示例社區黨群服務中心"),
        Language::En => ("12345 request", "Guancheng Example Community Centre"),
    };
    Receipt {
        language,
        demo: true,
        place: place.into(),
        terminal: "DG0001".into(),
        case_number: "DG0001-7K3M9Q2F-4".into(),
        item_title: title.into(),
        applicant_name: Some("𬱖㛃".into()),
        finalised_at: "2026-11-22 14:05".into(),
        verification: "7K3M 9Q2F 4X8D WACE".into(),
        verification_url: URL.into(),
        about: None,
        remarks: Vec::new(),
        reprint: false,
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_render-document");

fn renderer(layout: Layout) -> Renderer {
    Renderer::new(PathBuf::from(PROGRAM), layout)
}

fn render(receipt: &Receipt) -> Bitmap {
    let rendering = renderer(Layout::Picture).render(receipt).expect("the receipt is rendered");
    assert!(rendering.parts.is_empty());
    rendering.picture
}

fn render_in_lines(receipt: &Receipt) -> Rendering {
    renderer(LINES).render(receipt).expect("the receipt is rendered")
}

/// What `zbarimg` (Debian package zbar-tools) reads from the picture.
fn read_qr(bitmap: &Bitmap) -> String {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("receipt.png");
    bitmap.write_png(fs::File::create(&picture).unwrap()).unwrap();
    let answer = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(&picture)
        .output()
        .expect("zbarimg is installed (zbar-tools)");
    assert!(answer.status.success(), "no QR code was found");
    String::from_utf8(answer.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn the_qr_code_is_read_back_in_every_language() {
    for language in LANGUAGES {
        let bitmap = render(&receipt(language));
        assert_eq!(bitmap.width, RECEIPT_DOTS);
        assert!(bitmap.height <= 110 * 8, "{language:?}: {} dots is more than 110 mm", bitmap.height);
        assert_eq!(read_qr(&bitmap), URL, "{language:?}");
    }
}

#[test]
fn a_long_address_still_fits() {
    let mut long = receipt(Language::ZhHans);
    long.verification_url = format!("https://city.example.invalid/verify/{}", "A1B2C3D4".repeat(12));
    assert_eq!(read_qr(&render(&long)), long.verification_url);
}

#[test]
fn long_names_and_titles_wrap_inside_the_paper() {
    let mut long = receipt(Language::En);
    long.applicant_name = Some("MARIA DE LOS ANGELES FERNANDEZ-MONTESINOS GARCIA-LORCA".into());
    long.item_title = "Application for recognition of entitlement to pension benefits for residents".into();
    long.remarks = vec!["The department answers within five working days by text message.".into(); 3];
    let bitmap = render(&long);
    assert!(bitmap.height > render(&receipt(Language::En)).height);
    // Nothing reaches the margins: what does not fit would have been cut there.
    for y in 0..bitmap.height {
        for x in (0..8).chain(RECEIPT_DOTS - 8..RECEIPT_DOTS) {
            assert!(!bitmap.is_black(x, y), "ink in the margin at {x},{y}");
        }
    }
    assert_eq!(read_qr(&bitmap), URL);
}

#[test]
fn a_rare_name_looks_different_from_a_box() {
    let with = |name: &str| {
        let mut receipt = receipt(Language::ZhHans);
        receipt.applicant_name = Some(name.into());
        render(&receipt)
    };
    let missing = with("\u{10FFFE}");
    let pictures: Vec<Bitmap> = ["𬱖", "㛃", "䶮", "𠅤", "𬭎"].map(with).into();
    for (at, picture) in pictures.iter().enumerate() {
        assert_ne!(*picture, missing);
        assert!(pictures[..at].iter().all(|other| other != picture));
    }
}

#[test]
fn marks_change_the_print_out() {
    let first = render(&receipt(Language::ZhHans));
    let mut again = receipt(Language::ZhHans);
    again.reprint = true;
    let mut real = receipt(Language::ZhHans);
    real.demo = false;
    let mut nameless = receipt(Language::ZhHans);
    nameless.applicant_name = None;
    assert_ne!(render(&again), first);
    assert_ne!(render(&real), first);
    assert!(render(&nameless).height < first.height, "a line less without a name");
    assert_eq!(render(&receipt(Language::ZhHans)), first, "the same content, the same dots");
}

#[test]
fn a_receipt_in_lines_says_the_same_in_every_language_and_its_code_is_small_and_read() {
    for language in LANGUAGES {
        let rendering = render_in_lines(&receipt(language));
        assert_eq!(rendering.picture.width, RECEIPT_DOTS);
        assert_eq!(read_qr(&rendering.picture), URL, "{language:?}");
        let lines: Vec<&str> =
            rendering.parts.iter().flat_map(|part| &part.text).map(|line| &*line.text).collect();
        for said in ["DG0001-7K3M9Q2F-4", "7K3M 9Q2F 4X8D WACE", "𬱖㛃", "2026-11-22 14:05", "12345"] {
            assert!(lines.iter().any(|line| line.contains(said)), "{said}: {lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.contains(URL)), "the address stands in the code only");
        let code = rendering.parts.iter().filter(|part| part.text.is_none()).map(|part| part.rows).max();
        assert!(code.is_some_and(|rows| rows <= 264), "{code:?} rows");
    }
}

/// Rows of the picture that show the line with this text.
fn rows_of(rendering: &Rendering, text: &str) -> Vec<Vec<bool>> {
    let mut top = 0;
    for part in &rendering.parts {
        if part.text.as_ref().is_some_and(|line| line.text.contains(text)) {
            let width = rendering.picture.width;
            let row = |y| (0..width).map(|x| rendering.picture.is_black(x, y)).collect();
            return (top..top + part.rows).map(row).collect();
        }
        top += part.rows;
    }
    panic!("no line says {text}");
}

#[test]
fn a_rare_name_is_drawn_in_its_own_line_with_glyphs_and_not_boxes() {
    let with = |name: &str| {
        let mut receipt = receipt(Language::ZhHans);
        receipt.applicant_name = Some(name.into());
        rows_of(&render_in_lines(&receipt), name)
    };
    let missing = with("\u{10FFFE}");
    let pictures: Vec<_> = ["𬱖", "㛃", "䶮", "𠅤", "𬭎"].map(with).into();
    for (at, picture) in pictures.iter().enumerate() {
        assert_ne!(*picture, missing);
        assert!(pictures[..at].iter().all(|other| other != picture));
        assert!(picture.iter().flatten().any(|black| *black));
        assert!(picture[24..].iter().flatten().all(|black| !black), "the line is 24 dots high");
    }
}

#[test]
fn a_process_that_was_started_ahead_prints_the_same_and_is_used_once() {
    for layout in [Layout::Picture, LINES] {
        let fresh = renderer(layout).render(&receipt(Language::En)).unwrap();
        let mut renderer = renderer(layout);
        renderer.get_ready();
        let first = renderer.waiting_process().expect("one waits");
        renderer.get_ready();
        assert_eq!(renderer.waiting_process(), Some(first), "one is enough");
        assert_eq!(renderer.render(&receipt(Language::En)).unwrap(), fresh);
        assert!(is_gone(first) && renderer.waiting_process().is_none());
        renderer.get_ready();
        let second = renderer.waiting_process().expect("another waits");
        assert_ne!(first, second);
        assert!(renderer.render(&receipt(Language::ZhHant)).unwrap() != fresh);
        drop(renderer);
        assert!(is_gone(second));
    }
}

fn is_gone(process: u32) -> bool {
    !Path::new("/proc").join(process.to_string()).exists()
}

#[test]
fn a_waiting_process_that_was_killed_is_made_up_for() {
    let mut renderer = renderer(Layout::Picture);
    renderer.get_ready();
    let waiting = renderer.waiting_process().unwrap().to_string();
    assert!(Command::new("kill").args(["-9", &waiting]).status().unwrap().success());
    assert_eq!(renderer.render(&receipt(Language::En)).unwrap().picture, render(&receipt(Language::En)));
}

#[test]
fn a_waiting_process_ends_when_nobody_will_ask_any_more() {
    let answer = Command::new(PROGRAM).args(["--ahead", "lines"]).stdin(Stdio::null()).output().unwrap();
    assert!(answer.status.success() && answer.stdout.is_empty() && answer.stderr.is_empty(), "{answer:?}");
    let wrong = Command::new(PROGRAM).args(["--ahead", "of-time"]).stdin(Stdio::null()).output().unwrap();
    assert!(!wrong.status.success());
}

#[test]
fn a_waiting_process_that_hangs_or_fails_is_made_up_for_and_not_started_again_and_again() {
    for ahead in ["exec /bin/sleep 600", "exit 1", "/bin/cat"] {
        let folder = tempfile::tempdir().unwrap();
        let starts = folder.path().join("starts");
        let script = format!("[ $# = 0 ] && exec {PROGRAM}; echo x >> {}; {ahead}", starts.display());
        let mut renderer = stand_in(folder.path(), &script).with_deadline(Duration::from_secs(60));
        renderer.get_ready();
        let waiting = renderer.waiting_process().unwrap();
        assert_eq!(renderer.render(&receipt(Language::En)).unwrap().picture, render(&receipt(Language::En)));
        assert!(is_gone(waiting), "{ahead}");
        // Used once, it may be started again at once; ended by itself, not.
        for _ in 0..3 {
            renderer.get_ready();
            if let Some(waiting) = renderer.waiting_process() {
                let killed = Command::new("kill").args(["-9", &waiting.to_string()]).status().unwrap();
                assert!(killed.success(), "{ahead}");
            }
        }
        let started = || fs::read_to_string(&starts).unwrap_or_default().lines().count();
        assert!(started() <= 2, "{ahead}: {} starts", started());
    }
}

/// A program that stands in for the child. Another process writes it: were the file open for writing here
/// while another test's thread forks, the kernel would refuse to run it.
fn stand_in(folder: &Path, script: &str) -> Renderer {
    let program = folder.join("child");
    let written = Command::new("sh")
        .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod 755 "$0""#])
        .arg(&program)
        .arg(script)
        .status()
        .unwrap();
    assert!(written.success());
    Renderer::new(program, Layout::Picture)
}

#[test]
fn a_child_that_hangs_is_stopped_at_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let deadline = Duration::from_millis(300);
    for script in
        ["exec /bin/sleep 600", "exec >&-; exec /bin/sleep 600", "printf 'P4\\n576'; exec /bin/sleep 600"]
    {
        let mark = folder.path().join("pid");
        let mut renderer = stand_in(folder.path(), &format!("echo $$ > {}; {script}", mark.display()))
            .with_deadline(deadline);
        let start = Instant::now();
        let error = renderer.render(&receipt(Language::ZhHans)).unwrap_err();
        assert!(matches!(error, DocumentError::TimedOut(_)), "{script}: {error:?}");
        assert!(start.elapsed() < Duration::from_secs(60));
        let pid = fs::read_to_string(&mark).unwrap();
        assert!(!Path::new("/proc").join(pid.trim()).exists(), "{script}: the child still runs");
    }
}

#[test]
fn a_child_that_fails_or_babbles_gives_no_bitmap_and_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let failing =
        stand_in(folder.path(), "/bin/cat >&2; exit 3").render(&receipt(Language::ZhHans)).unwrap_err();
    assert!(matches!(failing, DocumentError::Failed(Some(3))), "{failing:?}");
    let babbling = stand_in(folder.path(), "/bin/cat").render(&receipt(Language::ZhHans)).unwrap_err();
    assert!(matches!(babbling, DocumentError::NotABitmap), "{babbling:?}");
    let absent = Renderer::new(folder.path().join("nothing"), Layout::Picture)
        .render(&receipt(Language::ZhHans))
        .unwrap_err();
    assert!(matches!(absent, DocumentError::Process(_)), "{absent:?}");
    for error in [failing, babbling, absent] {
        assert!(!format!("{error} {error:?}").contains('㛃'));
    }
}

#[test]
fn a_request_of_another_shape_is_refused_without_quoting_it() {
    let answer = Command::new("sh")
        .arg("-c")
        .arg(format!("echo '{{\"receipt\":{{\"applicant_name\":\"陈桂英\"}}}}' | {PROGRAM}"))
        .output()
        .unwrap();
    assert!(!answer.status.success() && answer.stdout.is_empty());
    assert!(!String::from_utf8_lossy(&answer.stderr).contains("陈桂英"));
}
