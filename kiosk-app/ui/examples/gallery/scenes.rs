//! The sample states of the gallery. All people are made up: area code 990001 belongs to nobody.

use kiosk_ui::{
    CardStatus, ConfirmPersonScreen, ConsentScreen, GuideScreen, HomeScreen, IdentifyScreen, ItemTile,
    KioskWindow, LanguageKind, LeavingScreen, Line, NoticeKind, Option as Choice, PrintStatus, QuestionKind,
    QuestionScreen, ReceiptScreen, ReviewScreen, ScreenKind, Shell,
};
use slint::{ComponentHandle, Image, ModelRc, Rgb8Pixel, SharedPixelBuffer, SharedString, VecModel};

/// A state of the window with a name.
pub struct Scene {
    pub name: &'static str,
    pub set: fn(&KioskWindow, &Words),
}

/// Picks the words of the data in the language of the picture.
pub struct Words {
    pub language: LanguageKind,
}

impl Words {
    fn say(&self, simplified: &str, traditional: &str, english: &str) -> SharedString {
        match self.language {
            LanguageKind::ZhHans => simplified,
            LanguageKind::ZhHant => traditional,
            LanguageKind::En => english,
        }
        .into()
    }

    fn item(&self) -> SharedString {
        self.say("12345 诉求提交", "12345 訴求提交", "12345 request")
    }
}

/// All scenes, in the order in which a resident meets them.
pub fn all() -> Vec<Scene> {
    vec![
        Scene { name: "home", set: home },
        Scene { name: "home-many", set: home_many },
        Scene { name: "home-troubled", set: home_troubled },
        Scene { name: "home-empty", set: home_empty },
        Scene { name: "guide", set: guide },
        Scene { name: "consent", set: consent },
        Scene { name: "identify-waiting", set: |w, _| identify(w, CardStatus::Waiting) },
        Scene { name: "identify-reading", set: |w, _| identify(w, CardStatus::Reading) },
        Scene { name: "identify-away", set: |w, _| identify(w, CardStatus::ReaderAway) },
        Scene { name: "identify-typing", set: typing },
        Scene { name: "confirm-person", set: confirm_person },
        Scene { name: "question-choice", set: choice },
        Scene { name: "question-choices", set: choices },
        Scene { name: "question-text", set: text },
        Scene { name: "question-text-empty", set: text_empty },
        Scene { name: "question-phone", set: phone },
        Scene { name: "question-date", set: date },
        Scene { name: "review", set: review },
        Scene { name: "saving", set: |w, _| start(w, ScreenKind::Saving) },
        Scene { name: "receipt-printed", set: |w, t| receipt(w, t, PrintStatus::Printed, true) },
        Scene { name: "receipt-no-paper", set: |w, t| receipt(w, t, PrintStatus::NoPaper, false) },
        Scene { name: "rating", set: |w, _| start(w, ScreenKind::Rating) },
        Scene { name: "leaving", set: leaving },
        Scene { name: "notice-help", set: |w, _| notice(w, NoticeKind::Help, "", false) },
        Scene { name: "notice-check", set: |w, _| notice(w, NoticeKind::IdNumberCheck, "", false) },
        Scene { name: "notice-expired", set: |w, _| notice(w, NoticeKind::CardExpiredAccepted, "2020-05-31", true) },
        Scene { name: "notice-save-failed", set: |w, _| notice(w, NoticeKind::SaveFailed, "", false) },
        Scene { name: "idle", set: idle },
    ]
}

fn model<T: Clone + 'static>(rows: Vec<T>) -> ModelRc<T> {
    ModelRc::new(VecModel::from(rows))
}

/// A page with a sound frame and nothing over it.
fn start(window: &KioskWindow, screen: ScreenKind) {
    let shell = window.global::<Shell>();
    shell.set_demo(true);
    shell.set_place("莞城街道示例社区党群服务中心".into());
    shell.set_clock("14:05".into());
    shell.set_network_ok(true);
    shell.set_printer_ok(true);
    shell.set_reader_ok(true);
    shell.set_can_go_back(screen != ScreenKind::Home);
    shell.set_can_end(screen != ScreenKind::Home);
    shell.set_notice(NoticeKind::None);
    shell.set_notice_detail("".into());
    shell.set_notice_can_continue(false);
    shell.set_idle_warning(false);
    shell.set_screen(screen);
}

fn tiles(words: &Words) -> Vec<ItemTile> {
    let tile = |code: &str, title, summary, available| ItemTile { code: code.into(), title, summary, available };
    vec![
        tile(
            "hotline-request",
            words.item(),
            words.say(
                "反映身边的问题，由 12345 转给部门办理",
                "反映身邊的問題，由 12345 轉交部門處理",
                "Report a problem near you; 12345 passes it on",
            ),
            true,
        ),
        tile(
            "small-wish",
            words.say("民生微心愿", "民生微心願", "A small wish"),
            words.say(
                "家里有小困难、小愿望，社区来想办法",
                "家中有小困難、小心願，社區來想辦法",
                "A small need at home that the community can help with",
            ),
            true,
        ),
        tile(
            "pension-check",
            words.say("养老待遇资格认证", "養老待遇資格認證", "Pension eligibility check"),
            words.say(
                "领取养老待遇的人，每年认证一次",
                "領取養老待遇的人士，每年認證一次",
                "Once a year, for those who draw a pension",
            ),
            true,
        ),
    ]
}

fn set_home(window: &KioskWindow, items: Vec<ItemTile>, troubled: bool) {
    start(window, ScreenKind::Home);
    let home = window.global::<HomeScreen>();
    home.set_items(model(items));
    home.set_submissions_open(!troubled);
    home.set_hidden_items(i32::from(troubled));
    home.set_saved_case(troubled);
}

fn home(window: &KioskWindow, words: &Words) {
    set_home(window, tiles(words), false);
}

fn home_many(window: &KioskWindow, words: &Words) {
    let mut items = tiles(words);
    items.extend(tiles(words));
    items.extend(tiles(words));
    set_home(window, items, false);
}

fn home_troubled(window: &KioskWindow, words: &Words) {
    let mut items = tiles(words);
    items[2].available = false;
    set_home(window, items, true);
    let home = window.global::<HomeScreen>();
    home.set_saved_case_number("DG0001-7K4M2Q-X".into());
    home.set_saved_case_title(words.item());
    let shell = window.global::<Shell>();
    shell.set_network_ok(false);
    shell.set_printer_ok(false);
    shell.set_reader_ok(false);
}

fn home_empty(window: &KioskWindow, _: &Words) {
    set_home(window, Vec::new(), false);
}

fn guide(window: &KioskWindow, words: &Words) {
    start(window, ScreenKind::Guide);
    let guide = window.global::<GuideScreen>();
    guide.set_title(words.item());
    guide.set_what(words.say(
        "您可以在这里反映身边的问题，例如路灯不亮、垃圾没有清运、噪音扰民。12345 热线会转给负责的部门办理，并把结果告诉您。",
        "您可以在這裡反映身邊的問題，例如路燈不亮、垃圾未清理、噪音滋擾。12345 熱線會轉交負責的部門處理，並將結果告訴您。",
        "Tell us about a problem near you, such as a broken street lamp, rubbish or noise. The 12345 hotline passes it to the department in charge and tells you the result.",
    ));
    guide.set_bring(model(vec![
        words.say("身份证（也可以输入号码）", "身份證（也可以輸入號碼）", "Your ID card (or type its number)"),
        words.say("可以联系到您的电话号码", "可以聯絡到您的電話號碼", "A telephone number that reaches you"),
    ]));
    guide.set_time(words.say(
        "填写大约 3 分钟；5 个工作日内答复",
        "填寫約 3 分鐘；5 個工作天內答覆",
        "About 3 minutes to fill in; an answer within 5 working days",
    ));
    guide.set_department(words.say("东莞市 12345 政务服务便民热线", "東莞市 12345 政務服務便民熱線", "Dongguan 12345 government hotline"));
    guide.set_fee(words.say("不收费", "不收費", "Free of charge"));
    guide.set_available(true);
}

fn consent(window: &KioskWindow, words: &Words) {
    start(window, ScreenKind::Consent);
    let consent = window.global::<ConsentScreen>();
    consent.set_title(words.item());
    consent.set_purpose(words.say(
        "把您的诉求转给负责的部门办理，并和您联系。",
        "將您的訴求轉交負責的部門處理，並與您聯絡。",
        "To pass your request to the department in charge, and to reach you.",
    ));
    consent.set_data(model(vec![
        words.say("姓名和身份证号码", "姓名和身份證號碼", "Name and ID number"),
        words.say("身份证上的住址", "身份證上的住址", "The address on your ID card"),
        words.say("您留下的电话号码和填写的内容", "您留下的電話號碼和填寫的內容", "The telephone number and the answers you give"),
    ]));
    consent.set_retention(words.say(
        "办结以后保存 2 年，到期删除。",
        "辦結後保存 2 年，到期刪除。",
        "For 2 years after the case is closed, then deleted.",
    ));
    consent.set_refusal(words.say(
        "您可以直接拨打 12345，或者到社区窗口反映，不影响处理。",
        "您可以直接致電 12345，或到社區櫃檯反映，不影響處理。",
        "You can call 12345 or go to the community counter instead; it is handled just the same.",
    ));
}

fn identify(window: &KioskWindow, status: CardStatus) {
    start(window, ScreenKind::Identify);
    window.global::<Shell>().set_reader_ok(status != CardStatus::ReaderAway);
    let screen = window.global::<IdentifyScreen>();
    screen.set_typing(false);
    screen.set_status(status);
}

fn typing(window: &KioskWindow, _: &Words) {
    identify(window, CardStatus::Waiting);
    let screen = window.global::<IdentifyScreen>();
    screen.set_typing(true);
    screen.set_typed("990001 19900101 123".into());
    screen.set_can_submit(true);
}

fn line(label: SharedString, value: SharedString, changeable: bool) -> Line {
    Line { label, value, field: "field".into(), changeable }
}

fn person(words: &Words) -> Vec<Line> {
    vec![
        line(words.say("姓名", "姓名", "Name"), "𬱖㛃".into(), false),
        line(words.say("性别", "性別", "Sex"), words.say("女", "女", "Female"), false),
        line(
            words.say("出生日期", "出生日期", "Date of birth"),
            words.say("1990年1月1日", "1990年1月1日", "1990-01-01"),
            false,
        ),
        line(words.say("证件号码", "證件號碼", "ID number"), "990001********1235".into(), false),
        line(
            words.say("住址", "住址", "Address"),
            "广东省东莞市莞城街道示例社区样本路 1 号测试花园 2 栋 3 单元 401 房".into(),
            false,
        ),
    ]
}

fn confirm_person(window: &KioskWindow, words: &Words) {
    start(window, ScreenKind::ConfirmPerson);
    window.global::<ConfirmPersonScreen>().set_lines(model(person(words)));
}

fn ask(window: &KioskWindow, words: &Words, number: i32, kind: QuestionKind, label: SharedString, hint: SharedString) {
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
        option("water", words.say("停水、停电、停气", "停水、停電、停氣", "Water, power or gas cut off"), true),
        option("traffic", words.say("交通和停车", "交通和泊車", "Traffic and parking"), false),
        option("other", words.say("其他问题", "其他問題", "Something else"), false),
    ]
}

fn choice(window: &KioskWindow, words: &Words) {
    let label = words.say("您想反映哪一类问题？", "您想反映哪一類問題？", "What kind of problem is it?");
    ask(window, words, 1, QuestionKind::Choice, label, "".into());
    let mut options = options(words);
    options[3].chosen = false;
    window.global::<QuestionScreen>().set_options(model(options));
}

fn choices(window: &KioskWindow, words: &Words) {
    let label = words.say("这个问题影响了什么？", "這個問題影響了甚麼？", "What does the problem affect?");
    let hint = words.say("可以选几项。", "可以選多項。", "You may choose several.");
    ask(window, words, 2, QuestionKind::Choices, label, hint);
    let question = window.global::<QuestionScreen>();
    question.set_required(false);
    question.set_options(model(options(words)));
}

fn text(window: &KioskWindow, words: &Words) {
    text_empty(window, words);
    let question = window.global::<QuestionScreen>();
    question.set_text(words.say(
        "小区门口的路灯不亮，晚上看不清路。",
        "小區門口的路燈不亮，晚上看不清路。",
        "The street lamp at the gate is out; it is dark at night.",
    ));
    question.set_characters_left(183);
}

fn text_empty(window: &KioskWindow, words: &Words) {
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

fn phone(window: &KioskWindow, words: &Words) {
    let label = words.say("您的电话号码", "您的電話號碼", "Your telephone number");
    let hint = words.say("部门会用这个号码联系您。", "部門會用這個號碼聯絡您。", "The department calls you on it.");
    ask(window, words, 4, QuestionKind::Phone, label, hint);
    window.global::<QuestionScreen>().set_text("1380000".into());
}

fn date(window: &KioskWindow, words: &Words) {
    let label = words.say("这件事是哪一天发生的？", "這件事是哪一天發生的？", "On which day did it happen?");
    ask(window, words, 5, QuestionKind::Date, label, "".into());
    let question = window.global::<QuestionScreen>();
    question.set_required(false);
    question.set_year(2026);
    question.set_month(11);
    question.set_day(22);
    question.set_date_chosen(true);
}

fn review(window: &KioskWindow, words: &Words) {
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

fn receipt(window: &KioskWindow, words: &Words, status: PrintStatus, sent: bool) {
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

fn leaving(window: &KioskWindow, _: &Words) {
    start(window, ScreenKind::Leaving);
    let leaving = window.global::<LeavingScreen>();
    leaving.set_take_card(true);
    leaving.set_take_receipt(true);
}

fn notice(window: &KioskWindow, kind: NoticeKind, detail: &str, can_continue: bool) {
    identify(window, CardStatus::Waiting);
    let shell = window.global::<Shell>();
    shell.set_notice(kind);
    shell.set_notice_detail(detail.into());
    shell.set_notice_can_continue(can_continue);
}

fn idle(window: &KioskWindow, _: &Words) {
    identify(window, CardStatus::Waiting);
    let shell = window.global::<Shell>();
    shell.set_idle_warning(true);
    shell.set_idle_seconds(17);
}
