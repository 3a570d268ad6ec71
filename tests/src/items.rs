//! Walks through any item by its data: every question is recognised by the words on the screen, answered by touching
//! labels, and what was answered is what the city must read. An item that is added to the catalog needs nothing here.

use crate::workshop::{Kiosk, project};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};
use service_catalog::{Catalog, Choice, Language, Question, QuestionKind, ServiceItem, Text};
use std::collections::HashMap;
use std::time::Duration;

/// A page may take so long to come on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// The elder of the desk: old enough for every item, with a card that is valid.
const CARD: &str = "elder";
const PHONE: &str = "13800000000";
const WRITTEN: &str = "18 Sample Road";

/// The items that ship.
pub fn shipped() -> Result<Vec<ServiceItem>> {
    let catalog = Catalog::load(&project().join("assets/catalog"));
    ensure!(catalog.rejected.is_empty(), "{:?}", catalog.rejected);
    Ok(catalog.items)
}

/// A resident at the kiosk, who reads one language.
pub struct Walker<'a> {
    kiosk: &'a Kiosk,
    language: Language,
    translated: HashMap<String, String>,
}

impl<'a> Walker<'a> {
    /// On the home screen, in this language; the elder-care version if wanted.
    pub async fn new(kiosk: &'a Kiosk, language: Language, senior: bool) -> Result<Walker<'a>> {
        let walker = Walker { kiosk, language, translated: translations(language)? };
        kiosk.wait_screen("home").await?;
        if senior {
            kiosk.touch("长辈版").await?;
        }
        match language {
            Language::ZhHans => {}
            Language::ZhHant => kiosk.touch("繁體").await?,
            Language::En => kiosk.touch("English").await?,
        }
        Ok(walker)
    }

    /// What stands on the screen for these words of the markup.
    pub fn say(&self, words: &str) -> String {
        self.translated.get(words).cloned().unwrap_or_else(|| words.to_owned())
    }

    /// Touches what says these words of the markup.
    pub async fn touch(&self, words: &str) -> Result<()> {
        self.kiosk.touch(&self.say(words)).await
    }

    /// From the home screen, whichever page of it, to the item's guide.
    pub async fn open(&self, item: &ServiceItem) -> Result<()> {
        let title = self.word(&item.title);
        let (next, deadline) = (self.say("下一页"), std::time::Instant::now() + SOON);
        while !self.kiosk.labels().await?.iter().any(|label| label == title) {
            ensure!(std::time::Instant::now() < deadline, "no page of the home screen has {title:?}");
            self.kiosk.touch(&next).await?;
        }
        self.kiosk.touch(title).await?;
        self.kiosk.wait_screen("guide").await?;
        self.touch("开始办理").await
    }

    /// From the guide's button to the first question, or past it where the card has said all.
    pub async fn identify(&self) -> Result<()> {
        self.identify_with(CARD).await
    }

    /// The same with this card of the simulator's desk.
    pub async fn identify_with(&self, card: &str) -> Result<()> {
        self.kiosk.wait_screen("consent").await?;
        self.touch("同意").await?;
        self.kiosk.wait_screen("identify").await?;
        self.kiosk.card(Some(card)).await?;
        self.kiosk.wait_screen("confirm-person").await?;
        self.kiosk.card(None).await?;
        self.touch("是我").await
    }

    /// Answers question after question until this screen comes; gives the answers as the city must read them.
    pub async fn answer_until(&self, item: &ServiceItem, screen: &str) -> Result<Map<String, Value>> {
        let mut answers = Map::new();
        let mut answered: Option<String> = None;
        loop {
            let next = async || self.next_page(item, screen, answered.as_deref()).await;
            let Some(question) = self.kiosk.until("the next page", SOON, next).await? else { break };
            if let Some(answer) = self.answer(question).await? {
                answers.insert(question.id.clone(), answer);
            }
            answered = Some(question.id.clone());
        }
        Ok(answers)
    }

    /// The question that is shown now; inside, `None` once the screen after the form is there. Nothing while the page
    /// before still stands.
    async fn next_page<'i>(
        &self,
        item: &'i ServiceItem,
        screen: &str,
        before: Option<&str>,
    ) -> Result<Option<Option<&'i Question>>> {
        let elements = self.kiosk.elements().await?;
        if elements.screen == screen {
            return Ok(Some(None));
        }
        let shown = |question: &&Question| {
            elements.elements.iter().any(|element| element.label == self.word(&question.label))
        };
        let found = item.questions.iter().find(shown).filter(|_| elements.screen == "question");
        Ok(found.filter(|question| before != Some(&question.id)).map(Some))
    }

    /// Answers what is shown and goes on.
    async fn answer(&self, question: &Question) -> Result<Option<Value>> {
        let answer = match question.kind {
            QuestionKind::Choice | QuestionKind::YesNo => {
                let option = first(&question.options)?;
                self.kiosk.touch(self.word(&option.label)).await?;
                json!(option.value)
            }
            QuestionKind::Choices => {
                let wanted = &question.options[..2];
                for option in wanted {
                    self.kiosk.touch(self.word(&option.label)).await?;
                }
                wanted.iter().map(|option| option.value.as_str()).collect()
            }
            QuestionKind::Text => self.write(question).await?,
            QuestionKind::Phone => {
                self.kiosk.key(PHONE).await?;
                json!(PHONE)
            }
            // The first step shows today, or the nearest day that is allowed.
            QuestionKind::Date => {
                self.touch("日 +1").await?;
                json!(self.chosen_day().await?)
            }
            QuestionKind::Photo => {
                ensure!(!question.required, "a photo that must be taken is another journey's");
                self.touch("跳过这一题").await?;
                return Ok(None);
            }
            QuestionKind::Number => {
                let amount = question.amount.context("a number has limits")?;
                let number = amount.most.min(12).max(amount.least);
                self.touch_keys(&number.to_string()).await?;
                json!(number.to_string())
            }
            QuestionKind::Money => {
                self.touch_keys("1208.50").await?;
                json!("120850")
            }
            QuestionKind::Address => self.give_address(question).await?,
        };
        self.touch("下一题").await?;
        Ok(Some(answer))
    }

    async fn write(&self, question: &Question) -> Result<Value> {
        let Some(phrase) = question.phrases.first() else {
            self.kiosk.key(WRITTEN).await?;
            return Ok(json!(WRITTEN));
        };
        self.kiosk.touch(self.word(phrase)).await?;
        Ok(json!(self.word(phrase)))
    }

    /// Town and village are touched; only what no list has is written.
    async fn give_address(&self, question: &Question) -> Result<Value> {
        let areas = question.areas.as_ref().context("an address has areas")?;
        let town = areas.towns.first().context("there is a town")?;
        self.kiosk.touch(self.word(&town.name)).await?;
        let village = town.villages.first().context("whose villages are known")?;
        self.kiosk.wait_text(&self.say("第二步：请点村（社区）")).await?;
        self.kiosk.touch(self.word(village)).await?;
        self.kiosk.wait_text(&format!("{} {}", self.word(&town.name), self.word(village))).await?;
        self.kiosk.key(WRITTEN).await?;
        Ok(json!({ "town": town.name.zh_hans, "village": village.zh_hans, "rest": WRITTEN }))
    }

    async fn touch_keys(&self, keys: &str) -> Result<()> {
        for key in keys.chars() {
            match key {
                '.' => self.touch("小数点").await?,
                key => self.kiosk.touch(&key.to_string()).await?,
            }
        }
        Ok(())
    }

    /// The day that the three figures show.
    async fn chosen_day(&self) -> Result<String> {
        let names = ["年", "月", "日"].map(|name| self.say(name));
        let look = async || {
            let elements = self.kiosk.elements().await?.elements;
            let figure = |name: &String| {
                elements.iter().find(|element| element.label == *name && element.value.is_some())
            };
            let figures: Option<Vec<u32>> =
                names.iter().map(|name| figure(name)?.value.as_ref()?.parse().ok()).collect();
            Ok(figures)
        };
        let figures = self.kiosk.until("a day", SOON, look).await?;
        let [year, month, day] = figures[..] else { bail!("a day has three figures") };
        Ok(format!("{year:04}-{month:02}-{day:02}"))
    }

    /// From the receipt home, without a rating.
    pub async fn leave(&self) -> Result<()> {
        for (screen, words) in [("receipt", "好了，继续"), ("rating", "不评价"), ("leaving", "完成")]
        {
            self.kiosk.wait_screen(screen).await?;
            self.touch(words).await?;
        }
        self.kiosk.wait_screen("home").await.map(drop)
    }

    /// A text of the catalog in the resident's language.
    pub fn word<'t>(&self, text: &'t Text) -> &'t str {
        text.get(self.language)
    }
}

fn first(options: &[Choice]) -> Result<&Choice> {
    options.first().context("there is something to choose")
}

/// The markup's words in this language, by the simplified Chinese that stands there.
pub(crate) fn translations(language: Language) -> Result<HashMap<String, String>> {
    if language == Language::ZhHans {
        return Ok(HashMap::new());
    }
    let file = project().join("i18n").join(language.code()).join("LC_MESSAGES/kiosk-ui.po");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let quoted = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?.trim();
        Some(rest.strip_prefix('"')?.strip_suffix('"')?.to_owned())
    };
    let lines: Vec<&str> = text.lines().collect();
    let pair = |pair: &[&str]| Some((quoted(pair[0], "msgid ")?, quoted(pair[1], "msgstr ")?));
    Ok(lines.windows(2).filter_map(pair).collect())
}
