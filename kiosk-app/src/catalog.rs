//! The border between the catalog's items (words, CEL) and the session's items (structure only).

use kiosk_core::address;
use kiosk_core::amount::Amount;
use kiosk_core::answers::{Answer, Answers};
use kiosk_core::applicant::{Applicant, DocumentKind, IdentificationWay};
use kiosk_core::calendar::Date;
use kiosk_core::photo::Photo;
use kiosk_core::service as core;
use kiosk_core::service::{BrokenCondition, Conditions, ItemCode, QuestionId};
use kiosk_core::session::CatalogAge;
use kiosk_core::settings::Language;
use serde::Deserialize;
use serde_json::{Map, Value};
use service_catalog as data;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The catalog as this process has loaded it. A session keeps the one it began with.
pub struct Catalog {
    /// The folder that was asked for.
    folder: PathBuf,
    /// The version that was in use there when it was loaded.
    in_use: PathBuf,
    /// The items with their words.
    data: data::Catalog,
    /// The same items, in the same order, as the session sees them.
    items: Vec<core::ServiceItem>,
}

impl Catalog {
    /// Loads the folder. Broken items are left out and counted; a missing folder is an empty catalog. When nothing of
    /// the version in use can be used here, the one before it is better than none.
    pub fn load(folder: &Path) -> Catalog {
        let in_use = data::current_folder(folder);
        let mut data = loaded(&in_use);
        if data.items.is_empty() {
            let others = data::folders(folder).into_iter().skip(1);
            if let Some(other) = others.map(|other| loaded(&other)).find(|other| !other.items.is_empty()) {
                tracing::error!(
                    hidden = data.rejected.len(),
                    "no item of the catalog can be used: an earlier one is shown"
                );
                data = other;
            }
        }
        let items = data.items.iter().map(item_of).collect();
        Catalog { folder: folder.to_owned(), in_use, data, items }
    }

    /// The catalog that has taken this one's place, if there is one.
    pub fn newer(&self) -> Option<Catalog> {
        (data::current_folder(&self.folder) != self.in_use).then(|| Catalog::load(&self.folder))
    }

    /// What the sync agent last noted of its age. Nothing noted, or nothing legible, is fresh: this is for a banner, and
    /// a kiosk that always shows one says nothing with it.
    pub fn age(&self) -> CatalogAge {
        let status = read_limited(&self.folder.join("status.json"));
        match status.and_then(|text| serde_json::from_slice::<Status>(&text).ok()) {
            Some(status) if status.stale_days > 0 => CatalogAge::Stale,
            _ => CatalogAge::Fresh,
        }
    }

    /// What is printed of the items on the receipt printer.
    pub fn printed_words(&self) -> PrintedWords {
        let directs = |item: &&data::ServiceItem| item.shape == data::Shape::WhereToGo;
        PrintedWords {
            titles: self.data.items.iter().map(|item| (item.code.clone(), item.title.clone())).collect(),
            directions: self.data.items.iter().filter(directs).cloned().collect(),
        }
    }

    /// Version of the whole catalog.
    pub fn version(&self) -> &str {
        &self.data.version
    }

    /// How many items are hidden because their data is broken.
    pub fn hidden(&self) -> usize {
        self.data.rejected.len()
    }

    /// The items as the session sees them.
    pub fn items(&self) -> &[core::ServiceItem] {
        &self.items
    }

    /// The items with their words, in the order of the home screen.
    pub fn words(&self) -> &[data::ServiceItem] {
        &self.data.items
    }

    /// The items of the home screen with their words: those that follow a case are begun at its progress.
    pub fn tiles(&self) -> impl Iterator<Item = &data::ServiceItem> {
        self.data.items.iter().filter(|item| item.shape.follows().is_none())
    }

    /// The items of a life event, with their words.
    pub fn items_of(&self, life_event: &ItemCode) -> impl Iterator<Item = &data::ServiceItem> {
        let codes = self.item(life_event).map(|item| item.items.as_slice()).unwrap_or_default();
        codes.iter().filter_map(|code| self.data.item(code))
    }

    /// Whether there is an item that follows a case.
    pub fn follows_cases(&self) -> bool {
        data::FollowUp::ALL.into_iter().any(|follows| self.data.follow_up(follows).is_some())
    }

    /// One item with its words.
    pub fn item(&self, code: &ItemCode) -> Option<&data::ServiceItem> {
        self.data.items.iter().find(|item| item.code == code.0)
    }

    /// One question with its words.
    pub fn question(&self, code: &ItemCode, id: &QuestionId) -> Option<&data::Question> {
        self.item(code)?.questions.iter().find(|question| question.id == id.0)
    }
}

/// The words that the receipt printer's thread has of the catalog.
pub struct PrintedWords {
    /// Titles by item code.
    pub titles: HashMap<String, data::Text>,
    /// The where-to-go items, whole.
    pub directions: Vec<data::ServiceItem>,
}

/// As much of the sync agent's `status.json` as the screen says.
#[derive(Deserialize)]
struct Status {
    stale_days: i64,
}

/// Longest `status.json` that is read: some lines.
const STATUS_BYTES_MAX: u64 = 16 * 1024;

fn read_limited(file: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(file).ok()?.take(STATUS_BYTES_MAX).read_to_end(&mut text).ok()?;
    Some(text)
}

fn loaded(folder: &Path) -> data::Catalog {
    let data = data::Catalog::load(folder);
    for rejected in &data.rejected {
        tracing::error!(file = %rejected.file, line = rejected.line, reason = %rejected.reason, "a service item is hidden");
    }
    data
}

/// A text in the resident's language.
pub fn words(text: &data::Text, language: Language) -> &str {
    text.get(data_language(language))
}

/// The language as the catalog knows it.
pub fn data_language(language: Language) -> data::Language {
    match language {
        Language::ZhHans => data::Language::ZhHans,
        Language::ZhHant => data::Language::ZhHant,
        Language::En => data::Language::En,
    }
}

/// The kinds of document are the same in both crates; this is where they meet.
pub fn document_of(kind: DocumentKind) -> data::Document {
    match kind {
        DocumentKind::ResidentIdCard => data::Document::ResidentIdCard,
        DocumentKind::HmtResidencePermit => data::Document::HmtResidencePermit,
        DocumentKind::Foreigner2017 => data::Document::Foreigner2017,
        DocumentKind::Foreigner2023 => data::Document::Foreigner2023,
        DocumentKind::SocialSecurityCard => data::Document::SocialSecurityCard,
    }
}

impl Conditions for Catalog {
    fn is_asked(
        &self,
        item: &ItemCode,
        question: &QuestionId,
        facts: &core::Facts,
    ) -> Result<bool, BrokenCondition> {
        let item = self.item(item).ok_or(BrokenCondition)?;
        item.is_asked(&question.0, &facts_of(facts)).map_err(|error| broken(&item.code, &error))
    }

    fn is_eligible(&self, item: &ItemCode, facts: &core::Facts) -> Result<bool, BrokenCondition> {
        let item = self.item(item).ok_or(BrokenCondition)?;
        item.is_eligible(&facts_of(facts)).map_err(|error| broken(&item.code, &error))
    }

    fn outcome(&self, item: &ItemCode, facts: &core::Facts) -> Result<usize, BrokenCondition> {
        let item = self.item(item).ok_or(BrokenCondition)?;
        let found = item.outcome(&facts_of(facts)).map_err(|error| broken(&item.code, &error))?;
        found.ok_or(BrokenCondition)
    }
}

fn broken(item: &str, error: &data::ConditionError) -> BrokenCondition {
    tracing::error!(item, %error, "a condition of the catalog cannot be evaluated");
    BrokenCondition
}

fn facts_of(facts: &core::Facts) -> data::Facts {
    data::Facts {
        answers: answers_as_json(facts.answers),
        applicant: facts
            .applicant
            .map(|applicant| applicant_facts(applicant, facts.today))
            .unwrap_or_default(),
        today: facts.today,
    }
}

fn applicant_facts(applicant: &Applicant, today: Date) -> data::ApplicantFacts {
    data::ApplicantFacts { age: applicant.age_on(today), document: Some(document_of(applicant.document)) }
}

/// Answers as the submission and the conditions hold them.
pub fn answers_as_json(answers: &Answers) -> Map<String, Value> {
    let value_of = |answer: &Answer| match answer {
        Answer::One(text) => Value::from(text.expose().clone()),
        Answer::Many(chosen) => chosen.iter().map(|value| Value::from(value.expose().clone())).collect(),
        Answer::Photos(photos) => photos.iter().map(photo_as_json).collect(),
        Answer::Address(address) => address_as_json(address),
    };
    answers.iter().map(|(id, answer)| (id.0.clone(), value_of(answer))).collect()
}

/// What the sealed answers say of a photo; its bytes are an attachment.
fn photo_as_json(photo: &Photo) -> Value {
    serde_json::json!({ "sha256": photo.sha256, "bytes": photo.bytes() })
}

/// A village is left out where none was chosen.
fn address_as_json(address: &address::Address) -> Value {
    let mut parts = Map::new();
    let village = address.village.as_ref();
    for (key, part) in [("town", Some(&address.town)), ("village", village), ("rest", Some(&address.rest))] {
        if let Some(part) = part {
            parts.insert(key.to_owned(), part.expose().clone().into());
        }
    }
    Value::Object(parts)
}

fn item_of(item: &data::ServiceItem) -> core::ServiceItem {
    let ways = item
        .identify
        .ways
        .iter()
        .map(|way| match way {
            data::Way::IdCard => IdentificationWay::IdCard,
            data::Way::SocialSecurityCard => IdentificationWay::SocialSecurityCard,
            data::Way::Typed => IdentificationWay::Typed,
        })
        .collect();
    core::ServiceItem {
        code: ItemCode(item.code.clone()),
        version: item.version,
        shape: match item.shape {
            data::Shape::Submit => core::Shape::Submit,
            data::Shape::Fetch => core::Shape::Fetch,
            data::Shape::WhereToGo => core::Shape::WhereToGo,
            data::Shape::LifeEvent => core::Shape::LifeEvent,
            data::Shape::FollowUp(follows) => core::Shape::FollowUp(match follows {
                data::FollowUp::Supplement => core::FollowUp::Supplement,
                data::FollowUp::Withdrawal => core::FollowUp::Withdrawal,
            }),
        },
        consent_version: item.consent.as_ref().map_or(0, |consent| consent.version),
        ways,
        accepts_expired_card: item.identify.accepts_expired_card,
        questions: item.questions.iter().map(question_of).collect(),
        items: item.items.iter().cloned().map(ItemCode).collect(),
        queues: item.outcomes.iter().map(|outcome| outcome.place.as_ref()?.queue.clone()).collect(),
    }
}

fn question_of(question: &data::Question) -> core::Question {
    let values = || question.options.iter().map(|option| option.value.clone()).collect();
    let limit = |limit: data::DayLimit| match limit {
        data::DayLimit::Fixed(day) => core::DayLimit::Fixed(day),
        data::DayLimit::FromToday(days) => core::DayLimit::FromToday(days),
    };
    core::Question {
        id: QuestionId(question.id.clone()),
        kind: match question.kind {
            data::QuestionKind::Choice | data::QuestionKind::YesNo => core::QuestionKind::Choice(values()),
            data::QuestionKind::Choices => core::QuestionKind::Choices(values()),
            data::QuestionKind::Text => {
                core::QuestionKind::Text { max_chars: question.max_chars.unwrap_or(TEXT_CHARS_DEFAULT) }
            }
            data::QuestionKind::Phone => core::QuestionKind::Phone,
            data::QuestionKind::Date => core::QuestionKind::Date {
                first: question.not_before.map(limit),
                last: question.not_after.map(limit),
                weekdays_only: question.weekdays_only,
            },
            data::QuestionKind::Photo => core::QuestionKind::Photo { most: question.max_photos.unwrap_or(1) },
            data::QuestionKind::Number => core::QuestionKind::Number(amount_of(question)),
            data::QuestionKind::Money => core::QuestionKind::Money(amount_of(question)),
            data::QuestionKind::Address => core::QuestionKind::Address(areas_of(question)),
        },
        required: question.required,
        prefill: question.prefill.map(|source| match source {
            data::Prefill::Name => core::Prefill::Name,
            data::Prefill::Number => core::Prefill::Number,
            data::Prefill::Address => core::Prefill::Address,
        }),
    }
}

fn amount_of(question: &data::Question) -> Amount {
    question
        .amount
        .map_or(Amount { least: 0, most: 0 }, |data::Amount { least, most }| Amount { least, most })
}

/// The names alone; what they are called in other languages stays with the words.
fn areas_of(question: &data::Question) -> Arc<address::Areas> {
    let Some(areas) = &question.areas else { return Arc::default() };
    let town = |town: &data::Town| address::Town {
        name: town.name.zh_hans.clone(),
        villages: town.villages.iter().map(|village| village.zh_hans.clone()).collect(),
    };
    Arc::new(address::Areas {
        city: areas.city.zh_hans.clone(),
        towns: areas.towns.iter().map(town).collect(),
    })
}

/// A text question without a limit of its own.
const TEXT_CHARS_DEFAULT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const ITEM: &str = include_str!("../../assets/catalog/items/minsheng-wish.toml");

    fn write(folder: &Path, text: &str) {
        std::fs::create_dir_all(folder.join("items")).unwrap();
        std::fs::write(folder.join("items/minsheng-wish.toml"), text).unwrap();
    }

    fn switch(catalog: &Path, version: &str) {
        let staged = catalog.join("current.new");
        symlink(Path::new("versions").join(version), &staged).unwrap();
        std::fs::rename(staged, catalog.join("current")).unwrap();
    }

    #[test]
    fn another_version_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), ITEM);
        let shipped = Catalog::load(folder.path());
        assert!(shipped.newer().is_none());
        write(&folder.path().join("versions/1"), &ITEM.replacen("version = 1", "version = 2", 1));
        assert!(shipped.newer().is_none(), "it is there and not yet in use");
        switch(folder.path(), "1");
        let signed = shipped.newer().unwrap();
        assert_eq!((signed.items().len(), signed.words()[0].version), (1, 2));
        assert_ne!(signed.version(), shipped.version());
        assert!(signed.newer().is_none());
    }

    #[test]
    fn a_catalog_of_which_nothing_can_be_used_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("versions/1"), ITEM);
        switch(folder.path(), "1");
        let good = Catalog::load(folder.path());
        write(&folder.path().join("versions/2"), "made for a kiosk that is yet to come");
        switch(folder.path(), "2");
        let after = good.newer().unwrap();
        assert_eq!((after.items().len(), after.version()), (1, good.version()));
        assert!(after.newer().is_none(), "and it is not tried again and again");
        assert_eq!(Catalog::load(folder.path()).items().len(), 1, "nor is it different after a restart");
    }

    #[test]
    fn the_age_is_what_the_agent_noted() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), ITEM);
        let catalog = Catalog::load(folder.path());
        let after = |text: &str| {
            std::fs::write(folder.path().join("status.json"), text).unwrap();
            catalog.age()
        };
        assert_eq!(catalog.age(), CatalogAge::Fresh, "nothing noted");
        assert_eq!(
            after(r#"{"number":3,"published":"","expires_ms":0,"stale_days":1,"fault":""}"#),
            CatalogAge::Stale
        );
        assert_eq!(
            after(r#"{"number":3,"published":"","expires_ms":0,"stale_days":0,"fault":""}"#),
            CatalogAge::Fresh
        );
        assert_eq!(after("{\"stale_days\": 1"), CatalogAge::Fresh, "half a file");
    }
}
