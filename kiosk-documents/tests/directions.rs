//! Directions as they leave the child process: in every language, as one picture and in lines.

use std::fs::File;
use std::path::{Path, PathBuf};

use kiosk_documents::{
    Directions, DocumentError, Grid, Language, Layout, QueueNumber, RECEIPT_DOTS, Renderer, Rendering, Window,
};

const LINES: Layout = Layout::Lines(Grid { columns: 48, cell_width: 12, cell_height: 24 });

fn directions(language: Language) -> Directions {
    let of = |hans: &str, hant: &str, en: &str| {
        match language {
            Language::ZhHans => hans,
            Language::ZhHant => hant,
            Language::En => en,
        }
        .to_owned()
    };
    Directions {
        language,
        demo: true,
        place: of("莞城街道示例社区", "莞城街道示例社區", "Guancheng Example Community"),
        terminal: "DG0001".into(),
        item_title: of("身份证换领", "身份證換領", "New ID card: where to go"),
        verdict: of("已经过期，请尽快换", "已經過期，請盡快換", "It has expired: renew it soon"),
        advice: of(
            "身份证过期了，很多事会办不了。请您本人尽快到窗口换新证。",
            "身份證過期，很多事會辦不了。請您本人盡快到窗口換新證。",
            "With an expired card many things cannot be done. Come to the desk yourself, soon.",
        ),
        number: Some(QueueNumber {
            number: "A023".into(),
            waiting: Some(4),
            day: of("2026年11月22日", "2026年11月22日", "2026-11-22"),
        }),
        bring: vec![
            of("旧身份证", "舊身份證", "The old ID card"),
            of("户口本", "戶口簿", "Household register"),
        ],
        window: Some(Window {
            name: of("就近的派出所户籍窗口", "就近的派出所戶籍窗口", "The ID desk near you"),
            address: of("请打 12345 问", "請致電 12345 查詢", "Call 12345 and ask"),
            hours: of("以窗口告知的为准", "以窗口告知的為準", "Ask the desk"),
            phone: "12345".into(),
        }),
        answers: vec![(
            of("哪一天到期？", "哪一天到期？", "Valid until?"),
            of("2026年11月1日", "2026年11月1日", "2026-11-01"),
        )],
        printed_at: "2026-11-22 14:05".into(),
    }
}

fn render(directions: &Directions, layout: Layout) -> Result<Rendering, DocumentError> {
    Renderer::new(PathBuf::from(env!("CARGO_BIN_EXE_render-document")), layout).render_directions(directions)
}

#[test]
fn they_are_printed_in_every_language_and_form() {
    for language in [Language::ZhHans, Language::ZhHant, Language::En] {
        for (layout, form) in [(Layout::Picture, "picture"), (LINES, "lines")] {
            let rendering = render(&directions(language), layout).expect("the directions are rendered");
            let picture = &rendering.picture;
            assert_eq!(picture.width, RECEIPT_DOTS);
            assert!(
                (400..=200 * 8).contains(&picture.height),
                "{language:?} {form}: {} dots",
                picture.height
            );
            assert_eq!(rendering.parts.is_empty(), layout == Layout::Picture);
            // For people to look at.
            let name = format!("directions-{}-{form}.png", language.tag());
            let file = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)).unwrap();
            picture.write_png(file).unwrap();
        }
    }
}

#[test]
fn nobody_can_make_the_printer_run_on() {
    let endless = Directions { advice: "长".repeat(601), ..directions(Language::ZhHans) };
    assert!(matches!(render(&endless, Layout::Picture), Err(DocumentError::TooLong { .. })));
}

#[test]
fn who_has_nowhere_to_go_is_sent_nowhere() {
    let bare = Directions {
        window: None,
        number: None,
        bring: Vec::new(),
        answers: Vec::new(),
        ..directions(Language::En)
    };
    let said: String = render(&bare, LINES)
        .expect("the directions are rendered")
        .parts
        .iter()
        .filter_map(|part| part.text.as_ref())
        .map(|line| line.text.clone())
        .collect();
    assert!(
        said.contains("It has expired")
            && !said.contains("Address")
            && !said.contains("What to bring")
            && !said.contains("Your number"),
        "{said}"
    );
}
