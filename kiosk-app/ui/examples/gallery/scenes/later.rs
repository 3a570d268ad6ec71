//! The form and what comes after it; and what may lie over any page.

use super::{Words, identify, line, model, person, start};
use kiosk_ui::{
    CardStatus, KioskWindow, LeavingScreen, NoticeKind, Option as Choice, PrintStatus, QuestionKind,
    QuestionScreen, ReceiptScreen, ReviewScreen, ScreenKind, Shell,
};
use slint::{ComponentHandle, Image, ModelRc, Rgb8Pixel, SharedPixelBuffer, SharedString};

fn ask(
    window: &KioskWindow,
    words: &Words,
    number: i32,
    kind: QuestionKind,
    label: SharedString,
    hint: SharedString,
) {
    start(window, ScreenKind::Question);
    let question = window.global::<QuestionScreen>();
    question.set_item_title(words.item());
    question.set_number(number);
    question.set_total(5);
    question.set_kind(kind);
    question.set_label(label);
    question.set_hint(hint);
    question.set_required(true);
    question.set_text("".into());
    question.set_phrases(ModelRc::default());
    question.set_date_chosen(false);
}

fn options(words: &Words) -> Vec<Choice> {
    let option = |value: &str, label, chosen| Choice { value: value.into(), label, chosen };
    vec![
        option("road", words.say("道路和路灯", "道路和路燈", "Roads and street lamps"), true),
        option("noise", words.say("噪音", "噪音", "Noise"), false),
        option("rubbish", words.say("垃圾和环境卫生", "垃圾和環境衛生", "Rubbish and cleanliness"), false),
        option(
            "water",
            words.say("停水、停电、停气", "停水、停電、停氣", "Water, power or gas cut off"),
            true,
        ),
        option("traffic", words.say("交通和停车", "交通和泊車", "Traffic and parking"), false),
        option("other", words.say("其他问题", "其他問題", "Something else"), false),
    ]
}

pub(super) fn choice(window: &KioskWindow, words: &Words) {
    let label = words.say("您想反映哪一类问题？", "您想反映哪一類問題？", "What kind of problem is it?");
    ask(window, words, 1, QuestionKind::Choice, label, "".into());
    let mut options = options(words);
    options[3].chosen = false;
    window.global::<QuestionScreen>().set_options(model(options));
}

pub(super) fn choices(window: &KioskWindow, words: &Words) {
    let label = words.say("这个问题影响了什么？", "這個問題影響了甚麼？", "What does the problem affect?");
    let hint = words.say("可以选几项。", "可以選多項。", "You may choose several.");
    ask(window, words, 2, QuestionKind::Choices, label, hint);
    let question = window.global::<QuestionScreen>();
    question.set_required(false);
    question.set_options(model(options(words)));
}

pub(super) fn text(window: &KioskWindow, words: &Words) {
    text_empty(window, words);
    let question = window.global::<QuestionScreen>();
    question.set_text(words.say(
        "小区门口的路灯不亮，晚上看不清路。",
        "小區門口的路燈不亮，晚上看不清路。",
        "The street lamp at the gate is out; it is dark at night.",
    ));
    question.set_characters_left(183);
}

pub(super) fn text_empty(window: &KioskWindow, words: &Words) {
    let label = words.say("请说说具体情况", "請說明具體情況", "Please describe it");
    let hint = words.say("在哪里、什么时候、怎么样。", "地點、時間、情況。", "Where, when and what.");
    ask(window, words, 3, QuestionKind::Text, label, hint);
    let question = window.global::<QuestionScreen>();
    question.set_characters_left(200);
    question.set_phrases(model(vec![
        words.say("小区门口的路灯不亮。", "小區門口的路燈不亮。", "The street lamp at the gate is out."),
        words.say("晚上看不清路。", "晚上看不清路。", "It is dark at night."),
        words.say("已经好几天了。", "已經好幾天了。", "It has been several days."),
        words.say("希望尽快处理。", "希望盡快處理。", "Please deal with it soon."),
    ]));
}

/// Without phrases the keyboard is there at once.
pub(super) fn text_keys(window: &KioskWindow, words: &Words) {
    text(window, words);
    window.global::<QuestionScreen>().set_phrases(ModelRc::default());
}

pub(super) fn phone(window: &KioskWindow, words: &Words) {
    let label = words.say("您的电话号码", "您的電話號碼", "Your telephone number");
    let hint =
        words.say("部门会用这个号码联系您。", "部門會用這個號碼聯絡您。", "The department calls you on it.");
    ask(window, words, 4, QuestionKind::Phone, label, hint);
    window.global::<QuestionScreen>().set_text("1380000".into());
}

pub(super) fn date(window: &KioskWindow, words: &Words) {
    let label = words.say("这件事是哪一天发生的？", "這件事是哪一天發生的？", "On which day did it happen?");
    ask(window, words, 5, QuestionKind::Date, label, "".into());
    let question = window.global::<QuestionScreen>();
    question.set_required(false);
    question.set_year(2026);
    question.set_month(11);
    question.set_day(22);
    question.set_date_chosen(true);
}

pub(super) fn review(window: &KioskWindow, words: &Words) {
    start(window, ScreenKind::Review);
    let review = window.global::<ReviewScreen>();
    review.set_item_title(words.item());
    review.set_person(model(person(words)));
    review.set_answers(model(vec![
        line(
            words.say("您想反映哪一类问题？", "您想反映哪一類問題？", "What kind of problem is it?"),
            words.say("道路和路灯", "道路和路燈", "Roads and street lamps"),
            true,
        ),
        line(
            words.say("请说说具体情况", "請說明具體情況", "Please describe it"),
            words.say(
                "小区门口的路灯不亮，晚上看不清路。已经好几天了。",
                "小區門口的路燈不亮，晚上看不清路。已經好幾天了。",
                "The street lamp at the gate is out. It has been several days.",
            ),
            true,
        ),
        line(words.say("您的电话号码", "您的電話號碼", "Your telephone number"), "13800000000".into(), true),
        line(
            words.say("这件事是哪一天发生的？", "這件事是哪一天發生的？", "On which day did it happen?"),
            words.say("2026年11月22日", "2026年11月22日", "2026-11-22"),
            true,
        ),
    ]));
}

pub(super) fn receipt(window: &KioskWindow, words: &Words, status: PrintStatus, sent: bool) {
    start(window, ScreenKind::Receipt);
    let shell = window.global::<Shell>();
    shell.set_can_go_back(false);
    shell.set_printer_ok(status != PrintStatus::NoPaper);
    shell.set_network_ok(sent);
    let receipt = window.global::<ReceiptScreen>();
    receipt.set_item_title(words.item());
    receipt.set_case_number("DG0001-7K4M2Q-X".into());
    receipt.set_print_status(status);
    receipt.set_can_print(status != PrintStatus::NoPaper);
    receipt.set_sent(sent);
    receipt.set_qr(checkered());
}

/// Stands where the QR code stands.
fn checkered() -> Image {
    let side = 33;
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side, side);
    for (at, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (at as u32 % side, at as u32 / side);
        let inside = (4..29).contains(&x) && (4..29).contains(&y);
        let shade = if inside && (x * 7 + y * 3 + x * y) % 5 < 2 { 0 } else { 255 };
        *pixel = Rgb8Pixel { r: shade, g: shade, b: shade };
    }
    Image::from_rgb8(pixels)
}

pub(super) fn leaving(window: &KioskWindow, _: &Words) {
    start(window, ScreenKind::Leaving);
    let leaving = window.global::<LeavingScreen>();
    leaving.set_take_card(true);
    leaving.set_take_receipt(true);
}

pub(super) fn notice(window: &KioskWindow, kind: NoticeKind, detail: &str, can_continue: bool) {
    identify(window, CardStatus::Waiting);
    let shell = window.global::<Shell>();
    shell.set_notice(kind);
    shell.set_notice_detail(detail.into());
    shell.set_notice_can_continue(can_continue);
}

pub(super) fn idle(window: &KioskWindow, _: &Words) {
    identify(window, CardStatus::Waiting);
    let shell = window.global::<Shell>();
    shell.set_idle_warning(true);
    shell.set_idle_seconds(17);
}
