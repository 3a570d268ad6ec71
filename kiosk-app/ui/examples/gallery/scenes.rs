//! The sample states of the gallery. All people are made up: area code 990001 belongs to nobody.

use kiosk_ui::{
    CardStatus, ConfirmPersonScreen, ConsentScreen, GuideScreen, HomeScreen, IdentifyScreen, ItemTile,
    KioskWindow, LanguageKind, Line, NoticeKind, PrintStatus, ScreenKind, Shell,
};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

mod later;
use later::{
    choice, choices, date, idle, leaving, notice, phone, receipt, review, text, text_empty, text_keys,
};

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
        Scene { name: "question-text-keys", set: text_keys },
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
        Scene {
            name: "notice-expired",
            set: |w, _| notice(w, NoticeKind::CardExpiredAccepted, "2020-05-31", true),
        },
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
    let tile =
        |code: &str, title, summary, available| ItemTile { code: code.into(), title, summary, available };
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
        words.say(
            "身份证（也可以输入号码）",
            "身份證（也可以輸入號碼）",
            "Your ID card (or type its number)",
        ),
        words.say("可以联系到您的电话号码", "可以聯絡到您的電話號碼", "A telephone number that reaches you"),
    ]));
    guide.set_time(words.say(
        "填写大约 3 分钟；5 个工作日内答复",
        "填寫約 3 分鐘；5 個工作天內答覆",
        "About 3 minutes to fill in; an answer within 5 working days",
    ));
    guide.set_department(words.say(
        "东莞市 12345 政务服务便民热线",
        "東莞市 12345 政務服務便民熱線",
        "Dongguan 12345 government hotline",
    ));
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
        words.say(
            "您留下的电话号码和填写的内容",
            "您留下的電話號碼和填寫的內容",
            "The telephone number and the answers you give",
        ),
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
