//! The keyboard of a field of text, way by way, with the answers of an engine that the gallery plays itself.

use super::{Gallery, Visitor, first_item};
use kiosk_core::private::Private;
use kiosk_core::remedy::Remedy;
use kiosk_core::session::{
    Citizen, Effect, EngineAnswer, Event, Mark, Page, PenPoint, Pick, Ticket, TypingTouch, TypingWay,
};
use kiosk_core::settings::{Language, Theme};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition};

/// What an engine says to `shi`, shortened, and to a sentence.
const SHI: [&str; 24] = [
    "是",
    "时",
    "市",
    "事",
    "使",
    "十",
    "实",
    "室",
    "师",
    "示例",
    "世界",
    "始终",
    "石排镇",
    "实际情况",
    "示范",
    "石碣镇",
    "食品安全",
    "失",
    "式",
    "试",
    "视",
    "士",
    "适",
    "拾",
];
const SENTENCE: [&str; 3] = ["东莞市莞城街道", "东莞市", "东莞"];
const CROSS: [&str; 20] = [
    "十", "木", "才", "卜", "寸", "廿", "升", "下", "井", "丰", "中", "千", "小", "干", "土", "牛", "午",
    "年", "卞", "个",
];

impl Gallery {
    /// A finger on the glass.
    pub fn finger(&self, phase: Finger, (x, y): (f32, f32)) {
        let position = LogicalPosition::new(x, y);
        let button = PointerEventButton::Left;
        let event = match phase {
            Finger::Down => WindowEvent::PointerPressed { position, button },
            Finger::Moves => WindowEvent::PointerMoved { position },
            Finger::Up => WindowEvent::PointerReleased { position, button },
        };
        let _ = self.window.window().dispatch_event_with_result(event);
    }

    /// Where the element with this label lies: its left upper corner, width and height in pixels.
    pub fn place_of(&self, label: &str) -> Option<[f32; 4]> {
        let told = kiosk_app::screen::elements::describe(self.window.window(), "");
        let told: serde_json::Value = serde_json::from_str(&told).ok()?;
        let element = told["elements"].as_array()?.iter().find(|element| element["label"] == label)?;
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| element[side].as_f64().map(|px| px as f32));
        Some([x?, y?, w?, h?])
    }

    /// A gallery's visitor at a field of text, writing by hand.
    pub fn at_the_pad(&self) -> Visitor {
        let mut visitor = Visitor::new(self.catalog.clone(), Theme::Senior, Language::ZhHans);
        visitor.go_to_the_place();
        visitor
    }
}

/// What a finger does.
#[derive(Clone, Copy, Debug)]
pub enum Finger {
    /// It comes down.
    Down,
    /// It moves.
    Moves,
    /// It leaves.
    Up,
}

impl Visitor {
    fn keyboard(&mut self, touch: TypingTouch) -> Option<Ticket> {
        self.touch(Citizen::Typing(touch));
        self.effects.iter().find_map(|effect| match effect {
            Effect::AskEngine(ticket, _) => Some(*ticket),
            _ => None,
        })
    }

    fn choose_way(&mut self, way: TypingWay) {
        self.keyboard(TypingTouch::WayChosen(way));
    }

    fn engine_says(&mut self, ticket: Option<Ticket>, typed: &str, candidates: &[&str]) {
        self.send(Event::Engine(EngineAnswer::Composed {
            ticket: ticket.expect("the engine was asked"),
            typed: typed.into(),
            candidates: candidates.iter().map(|text| Private::from(*text)).collect(),
            committed: "".into(),
        }));
    }

    /// A typed resident is asked for the place, which has no ready phrases.
    pub(super) fn go_to_the_place(&mut self) {
        let code = first_item(&self.catalog);
        for touch in [Citizen::ItemChosen(code), Citizen::Started, Citizen::Agreed, Citizen::TypingChosen] {
            self.touch(touch);
        }
        for key in "990001197101010011".chars() {
            self.touch(Citizen::KeyTyped(key));
        }
        self.touch(Citizen::NumberSubmitted);
        self.touch(Citizen::OptionChosen("noise".into()));
        self.touch(Citizen::Answered);
        self.touch(Citizen::TextTyped("晚上施工声音很大".into()));
        self.touch(Citizen::Answered);
        let Page::Question(draft) = &self.session.page else {
            panic!("no question: {:?}", self.session.page)
        };
        assert_eq!(draft.question.0, "place");
    }

    /// The keyboard in every way.
    pub(super) fn write(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.touch(Citizen::TextTyped("样本路 18 号".into()));
        self.choose_way(TypingWay::Pinyin);
        let key = self.keyboard(TypingTouch::Marked(Mark::Key('s')));
        self.engine_says(key, "shi", &SHI);
        show("pinyin", self);
        self.keyboard(TypingTouch::Expanded);
        show("pinyin-expanded", self);
        self.keyboard(TypingTouch::CompositionCleared);
        let key = self.keyboard(TypingTouch::Marked(Mark::Key('d')));
        self.engine_says(key, "dong guan shi guan cheng jie dao", &SENTENCE);
        show("pinyin-sentence", self);
        self.choose_way(TypingWay::Jyutping);
        let key = self.keyboard(TypingTouch::Marked(Mark::Key('d')));
        self.engine_says(key, "dung1 gun2", &["东莞", "东", "冬", "洞"]);
        show("jyutping", self);
        self.choose_way(TypingWay::Strokes);
        show("strokes", self);
        self.choose_way(TypingWay::Handwriting);
        for (from, to) in [((100, 480), (900, 460)), ((500, 80), (510, 940))] {
            let point = |(x, y)| PenPoint { x, y };
            let stroke = Private::new(vec![point(from), point(to)]);
            let asked = self.keyboard(TypingTouch::Marked(Mark::Stroke(stroke)));
            self.engine_says(asked, "", &CROSS);
        }
        show("handwriting", self);
        self.choose_way(TypingWay::Letters);
        show("letters", self);
        self.choose_way(TypingWay::Digits);
        show("digits", self);
        self.pick(show);
        self.choose_way(TypingWay::Pinyin);
        let key = self.keyboard(TypingTouch::Marked(Mark::Key('s')));
        self.engine_says(key, "s", &SHI);
        self.touch(Citizen::Answered);
        show("notice-unfinished", self);
        self.touch(Citizen::NoticeClosed);
        let key = self.keyboard(TypingTouch::Marked(Mark::Key('h')));
        self.send(Event::Engine(EngineAnswer::Lost(key.expect("the engine was asked"), Remedy::Retry)));
        show("notice-lost", self);
        self.touch(Citizen::NoticeClosed);
        let opened = self.keyboard(TypingTouch::WayChosen(TypingWay::Strokes));
        self.send(Event::Engine(EngineAnswer::Lost(opened.expect("the engine was asked"), Remedy::Retry)));
        show("notice-away", self);
    }

    fn pick(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        self.choose_way(TypingWay::RareCharacters);
        show("picker", self);
        self.keyboard(TypingTouch::Picked(Pick::RadicalStrokes(5)));
        show("picker-radical", self);
        self.keyboard(TypingTouch::Picked(Pick::Radical(Private::new('龙'))));
        show("picker-rest", self);
        self.keyboard(TypingTouch::Picked(Pick::ResidualStrokes(4)));
        show("picker-character", self);
    }
}
