//! A resident who walks through an item by touching what the screen says, in this process: the true session, the true
//! catalog and the true markup, with a world around that always answers. Every touch is counted.

use super::progress::{WANTED, number, told};
use super::{Gallery, Look, Visitor, elder, first_item, saved};
use crate::items::translations;
use anyhow::{Context, Result, bail, ensure};
use kiosk_app::inbox::Message;
use kiosk_app::meaning;
use kiosk_core::applicant::CardKind;
use kiosk_core::service::{FollowUp, ItemCode, Shape};
use kiosk_core::session::{
    CaseStatus, Citizen, City, CityAnswer, CityQuestion, Device, DocumentPrinterCondition, Effect, Event,
    Page, PagesEnd, Store,
};
use service_catalog::{Question, QuestionKind, Text};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition};
use std::collections::HashMap;

/// More touches than any item may need.
const TOUCHES_MAX: usize = 150;

/// One walk, in one look.
pub struct Walk<'a> {
    gallery: &'a Gallery,
    visitor: Visitor,
    look: Look,
    translated: HashMap<String, String>,
    touches: usize,
    /// A printed document, receipt or slip came out.
    printed: bool,
    /// So often a card was laid down.
    cards_read: usize,
}

impl<'a> Walk<'a> {
    /// At the home screen of a kiosk where everything works.
    pub fn new(gallery: &'a Gallery, look: Look) -> Result<Walk<'a>> {
        let mut visitor = Visitor::new(gallery.catalog.clone(), look.theme, look.language);
        let printer = DocumentPrinterCondition::Ready;
        visitor.send(Event::Device(Device::DocumentPrinterChanged(printer)));
        visitor.send(Event::Device(Device::CameraPresent(true)));
        let language = kiosk_app::catalog::data_language(look.language);
        let translated = translations(language)?;
        let walk = Walk { gallery, visitor, look, translated, touches: 0, printed: false, cards_read: 0 };
        // What another walk left in the queue is not this one's.
        while gallery.messages.try_recv().is_ok() {}
        Ok(walk)
    }

    /// From the home screen to the receipt, the result or the directions in hand; how many touches it took.
    pub fn item(mut self, code: &ItemCode) -> Result<usize> {
        let shape = self.visitor.rules().item(code).context("the item is there")?.shape;
        match shape {
            Shape::FollowUp(follows) => self.open_from_its_case(follows)?,
            Shape::Submit | Shape::Fetch | Shape::WhereToGo | Shape::LifeEvent => self.open(code)?,
        }
        self.touch("开始办理")?;
        if shape == Shape::LifeEvent {
            return self.go_through(code);
        }
        if shape != Shape::WhereToGo {
            self.touch("同意")?;
        }
        if matches!(shape, Shape::Submit | Shape::Fetch) {
            self.touch("是我")?;
        }
        self.answer_all(code)?;
        match shape {
            Shape::Submit | Shape::FollowUp(FollowUp::Supplement) => self.touch("确认提交")?,
            Shape::FollowUp(FollowUp::Withdrawal) => self.touch("确定撤回")?,
            Shape::Fetch | Shape::WhereToGo => self.touch("打印带走")?,
            Shape::LifeEvent => bail!("it is no item of its own"),
        }
        ensure!(self.printed, "something to take home");
        let end = self.visitor.session.page.name();
        ensure!(["receipt", "fetched", "outcome"].contains(&end), "the walk ends at {end}");
        Ok(self.touches)
    }

    /// Turns the pages of the home screen until the item is in sight.
    fn open(&mut self, code: &ItemCode) -> Result<()> {
        let title = self.words(&self.item_of(code)?.title.clone());
        while !self.is_shown(&title)? {
            self.touch("下一页")?;
        }
        self.touch_label(&title)
    }

    /// All of a life event that is looked up, with one card; the receipt of the last stands for the others.
    fn go_through(mut self, code: &ItemCode) -> Result<usize> {
        let items = self.item_of(code)?.items.clone();
        for (at, code) in items.into_iter().map(ItemCode).enumerate() {
            let item = self.item_of(&code)?;
            if item.shape != service_catalog::Shape::Fetch {
                continue;
            }
            let title = self.words(&item.title.clone());
            for words in [title.as_str(), &self.say("开始办理"), &self.say("同意"), &self.say("是我")]
            {
                self.touch_label(words)?;
            }
            ensure!(at == 0 || self.cards_read == 1, "identified again");
            self.answer_all(&code)?;
            self.touch("打印带走")?;
            self.touch("看好了")?;
            ensure!(self.visitor.session.page == Page::LifeEvent, "back at what belongs together");
        }
        self.touch("就办到这里")?;
        ensure!(self.printed && self.visitor.session.page.name() == "leaving", "it ends with the farewell");
        Ok(self.touches)
    }

    /// Types what stands on the receipt of a case for which the city wants more, and begins there.
    fn open_from_its_case(&mut self, follows: FollowUp) -> Result<()> {
        self.touch("查办件进度")?;
        self.touch_keys(&number().replace('-', ""))?;
        self.touch("下一步")?;
        self.touch_keys("WWMMQQGGHHJJKKLL")?;
        self.touch("查询")?;
        self.touch(match follows {
            FollowUp::Supplement => "补材料",
            FollowUp::Withdrawal => "撤回这件",
        })
    }

    fn item_of(&self, code: &ItemCode) -> Result<&service_catalog::ServiceItem> {
        self.gallery.catalog.item(code).context("the catalog has it")
    }

    fn answer_all(&mut self, code: &ItemCode) -> Result<()> {
        while let Page::Question(draft) = &self.visitor.session.page {
            let id = draft.question.clone();
            let question = self.gallery.catalog.question(code, &id).context("the catalog has it")?.clone();
            let skipped = self.answer(&question).with_context(|| id.0.clone())?;
            if !skipped {
                self.touch("下一题")?;
            }
            let here = matches!(&self.visitor.session.page, Page::Question(draft) if draft.question == id);
            ensure!(!here, "{} is not answered: {:?}", id.0, self.visitor.session.notice);
        }
        if self.visitor.session.page == Page::Review {
            return Ok(());
        }
        ensure!(self.visitor.session.notice.is_none(), "{:?}", self.visitor.session.notice);
        Ok(())
    }

    /// Answers what is shown, as shortly as it can be; true when it was left out.
    fn answer(&mut self, question: &Question) -> Result<bool> {
        // Something has to be supplied; words need no camera.
        let supplies = self.visitor.session.visit.as_ref().is_some_and(|visit| visit.about.is_some())
            && question.kind == QuestionKind::Text;
        if !question.required && !supplies {
            self.touch("跳过这一题")?;
            return Ok(true);
        }
        match question.kind {
            QuestionKind::Choice | QuestionKind::YesNo | QuestionKind::Choices => {
                let option = question.options.first().context("there is something to choose")?;
                self.touch_label(&self.words(&option.label))?;
            }
            QuestionKind::Text => match question.phrases.first() {
                Some(phrase) => self.touch_label(&self.words(phrase))?,
                None => self.write("18")?,
            },
            QuestionKind::Phone => self.touch_keys("13800000000")?,
            QuestionKind::Date => self.touch("日 +1")?,
            QuestionKind::Number => {
                let least = question.amount.map_or(1, |amount| amount.least.max(1));
                self.touch_keys(&least.to_string())?;
            }
            QuestionKind::Money => self.touch_keys("500")?,
            QuestionKind::Address => self.give_address(question)?,
            QuestionKind::Photo => {
                self.touch("拍照")?;
                self.touch("用这张")?;
            }
        }
        Ok(false)
    }

    fn give_address(&mut self, question: &Question) -> Result<()> {
        let areas = question.areas.as_ref().context("an address has areas")?;
        let town = areas.towns.first().context("there is a town")?;
        self.touch_label(&self.words(&town.name))?;
        if let Some(village) = town.villages.first() {
            self.touch_label(&self.words(village))?;
        }
        self.write("18")
    }

    /// By the digits of the keyboard on the screen, which need no engine.
    fn write(&mut self, digits: &str) -> Result<()> {
        if !self.is_shown("8")? {
            self.touch_label("123")?;
        }
        self.touch_keys(digits)
    }

    fn touch_keys(&mut self, keys: &str) -> Result<()> {
        keys.chars().try_for_each(|key| self.touch_label(&key.to_string()))
    }

    /// Touches what says these words of the markup.
    fn touch(&mut self, words: &str) -> Result<()> {
        self.touch_label(&self.say(words))
    }

    fn say(&self, words: &str) -> String {
        self.translated.get(words).cloned().unwrap_or_else(|| words.to_owned())
    }

    fn words(&self, text: &Text) -> String {
        kiosk_app::catalog::words(text, self.look.language).to_owned()
    }

    /// A finger on the middle of what has this label and can be touched; a page that has more is turned first.
    fn touch_label(&mut self, label: &str) -> Result<()> {
        for _ in 0..20 {
            if let Some(place) = self.place(label, true)? {
                return self.press(place);
            }
            let turn = self.say("往下翻");
            let Some(turn) = self.place(&turn, true)? else { break };
            self.press(turn)?;
        }
        let page = self.visitor.session.page.name();
        let told = kiosk_app::screen::elements::describe(self.gallery.window().window(), page);
        bail!("nothing to touch says {label:?}; notice {:?}; {told}", self.visitor.session.notice)
    }

    fn is_shown(&self, label: &str) -> Result<bool> {
        Ok(self.place(label, false)?.is_some())
    }

    fn place(&self, label: &str, to_touch: bool) -> Result<Option<(f32, f32)>> {
        self.gallery.show(&self.visitor, self.look);
        // What was never drawn has no place yet.
        self.gallery.draw(String::new());
        Ok(self.gallery.middle_of(label, to_touch))
    }

    /// One touch: its meaning goes to the session, and the world answers.
    fn press(&mut self, (x, y): (f32, f32)) -> Result<()> {
        self.touches += 1;
        ensure!(self.touches <= TOUCHES_MAX, "more than {TOUCHES_MAX} touches");
        let (position, button) = (LogicalPosition::new(x, y), PointerEventButton::Left);
        self.gallery.easel.dispatch_event_with_result(WindowEvent::PointerPressed { position, button })?;
        self.gallery.easel.dispatch_event_with_result(WindowEvent::PointerReleased { position, button })?;
        self.gallery.easel.dispatch_event_with_result(WindowEvent::PointerExited)?;
        while let Ok(message) = self.gallery.messages.try_recv() {
            let event = match message {
                // Every touch also says that somebody is there, more often than the world has time for.
                Message::Event(Event::Citizen(Citizen::Touched)) => continue,
                Message::Event(event) => event,
                Message::PhraseTapped(at) => {
                    let phrase = meaning::phrase(&self.visitor.session, &self.gallery.catalog, at);
                    Event::Citizen(phrase.context("a phrase stands there")?)
                }
                other => bail!("nobody has touched {other:?}"),
            };
            self.visitor.send(event);
            self.world_answers()?;
        }
        Ok(())
    }

    /// Whatever the session asked for comes to pass.
    fn world_answers(&mut self) -> Result<()> {
        let mut asked = std::mem::take(&mut self.visitor.effects);
        while !asked.is_empty() {
            for effect in std::mem::take(&mut asked) {
                if let Some(answer) = self.answer_of(effect)? {
                    self.visitor.send(answer);
                    asked.append(&mut self.visitor.effects);
                }
            }
        }
        Ok(())
    }

    fn answer_of(&mut self, effect: Effect) -> Result<Option<Event>> {
        let item = self.visitor.session.visit.as_ref().map(|visit| visit.item.clone());
        Ok(Some(match effect {
            Effect::StartReading(CardKind::IdCard, ticket) => {
                self.cards_read += 1;
                Event::Device(Device::CardRead(ticket, Box::new(elder())))
            }
            Effect::AskCity { ticket, question: CityQuestion::CaseProgress { .. }, .. } => {
                let life = [(CaseStatus::PreReview, "", ""), WANTED];
                let progress = told(&number(), first_item(&self.gallery.catalog), &life);
                Event::City(City::Answered(ticket, CityAnswer::CaseProgress(Box::new(progress))))
            }
            Effect::AskCity { ticket, .. } => {
                let fetched = self.visitor.sample(&item.context("an item is being done")?);
                Event::City(City::Answered(ticket, CityAnswer::Fetched(Box::new(fetched))))
            }
            Effect::Finalise(ticket, submission) => {
                Event::Store(Store::Finalised(ticket, saved(&submission.item)))
            }
            Effect::TakePhoto(ticket) => {
                let photo = super::photo::sample();
                Event::Device(Device::PhotoTaken { ticket, photo, doubt: None })
            }
            Effect::StartPreview(ticket) => Event::Device(Device::CameraSees(ticket, None)),
            Effect::Print(ticket, _) | Effect::PrintDirections(ticket, _) => {
                self.printed = true;
                Event::Device(Device::Printed(ticket, 2))
            }
            Effect::PrintDocument(ticket, _) => {
                self.printed = true;
                Event::Device(Device::PagesPrintEnded(ticket, PagesEnd::Printed))
            }
            _ => return Ok(None),
        }))
    }
}

impl Gallery {
    /// The middle of what has this label, in pixels; only what can be touched now, if wanted.
    fn middle_of(&self, label: &str, to_touch: bool) -> Option<(f32, f32)> {
        let told = kiosk_app::screen::elements::describe(self.window().window(), "");
        let told: serde_json::Value = serde_json::from_str(&told).ok()?;
        let named = |element: &&serde_json::Value| element["label"] == label;
        let touchable = |element: &&serde_json::Value| {
            let role = element["role"].as_str().unwrap_or_default();
            !to_touch || (element["enabled"] == true && role != "text" && role != "groupbox")
        };
        let element = told["elements"].as_array()?.iter().filter(named).find(touchable)?;
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| element[side].as_f64().map(|px| px as f32));
        let (x, y) = (x? + w? / 2.0, y? + h? / 2.0);
        let size = self.window().window().size();
        let inside = x >= 0.0 && y >= 0.0 && x < size.width as f32 && y < size.height as f32;
        inside.then_some((x, y))
    }
}
