//! An item's file as it is written: one struct per table, unknown keys refused. Values remember where
//! they stand in the file, so that a fault can name its line.

use crate::fetch::FieldKind;
use crate::item::{FollowUp, OptionsFrom, Prefill, QuestionKind, Way};
use crate::outcome::Verdict;
use crate::text::Text;
use serde::Deserialize;
use toml::Spanned;

/// `items/<code>.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemFile {
    pub(crate) code: Spanned<String>,
    pub(crate) version: Spanned<u32>,
    pub(crate) shape: Spanned<ShapeWord>,
    pub(crate) follows: Option<Spanned<FollowUp>>,
    pub(crate) items: Option<Spanned<Vec<Spanned<String>>>>,
    pub(crate) order: u32,
    pub(crate) works_offline: bool,
    pub(crate) title: Spanned<Text>,
    pub(crate) summary: Spanned<Text>,
    pub(crate) guide: GuideFile,
    pub(crate) consent: Option<Spanned<ConsentFile>>,
    pub(crate) identify: Option<Spanned<IdentifyFile>>,
    pub(crate) eligibility: Option<Spanned<EligibilityFile>>,
    #[serde(default)]
    pub(crate) questions: Vec<Spanned<QuestionFile>>,
    pub(crate) fetch: Option<Spanned<FetchFile>>,
    #[serde(default)]
    pub(crate) outcomes: Vec<Spanned<OutcomeFile>>,
}

/// The word for [`crate::Shape`].
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ShapeWord {
    Submit,
    Fetch,
    WhereToGo,
    FollowUp,
    LifeEvent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GuideFile {
    pub(crate) what: Spanned<Text>,
    pub(crate) bring: Spanned<Vec<Spanned<Text>>>,
    pub(crate) time: Spanned<Text>,
    pub(crate) department: Spanned<Text>,
    pub(crate) fee: Spanned<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentFile {
    pub(crate) version: Spanned<u32>,
    pub(crate) purpose: Spanned<Text>,
    pub(crate) data: Spanned<Vec<Spanned<Text>>>,
    pub(crate) retention: Spanned<Text>,
    pub(crate) refusal: Spanned<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentifyFile {
    pub(crate) ways: Spanned<Vec<Way>>,
    pub(crate) accepts_expired_card: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EligibilityFile {
    pub(crate) when: Spanned<String>,
    pub(crate) otherwise: Spanned<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionFile {
    pub(crate) id: Spanned<String>,
    pub(crate) kind: QuestionKind,
    pub(crate) label: Spanned<Text>,
    pub(crate) hint: Option<Spanned<Text>>,
    pub(crate) required: bool,
    pub(crate) options: Option<Spanned<Vec<Spanned<ChoiceFile>>>>,
    pub(crate) options_from: Option<Spanned<OptionsFrom>>,
    pub(crate) phrases: Option<Spanned<Vec<Spanned<Text>>>>,
    pub(crate) max_chars: Option<Spanned<usize>>,
    pub(crate) max_photos: Option<Spanned<usize>>,
    pub(crate) unit: Option<Spanned<Text>>,
    pub(crate) least: Option<Spanned<u32>>,
    pub(crate) most: Option<Spanned<u32>>,
    pub(crate) not_before: Option<Spanned<String>>,
    pub(crate) not_after: Option<Spanned<String>>,
    pub(crate) weekdays_only: Option<Spanned<bool>>,
    pub(crate) prefill: Option<Spanned<Prefill>>,
    pub(crate) visible_when: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChoiceFile {
    pub(crate) value: Spanned<String>,
    pub(crate) label: Spanned<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchFile {
    pub(crate) register: Spanned<String>,
    pub(crate) title: Spanned<Text>,
    pub(crate) facts: Vec<Spanned<FieldFile>>,
    #[serde(default)]
    pub(crate) columns: Vec<Spanned<FieldFile>>,
    pub(crate) notes: Option<Spanned<Vec<Spanned<Text>>>>,
    pub(crate) nothing: Spanned<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldFile {
    pub(crate) key: Spanned<String>,
    pub(crate) kind: FieldKind,
    pub(crate) label: Spanned<Text>,
    pub(crate) unit: Option<Spanned<Text>>,
    pub(crate) words: Option<Spanned<Vec<Spanned<ChoiceFile>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeFile {
    pub(crate) when: Option<Spanned<String>>,
    pub(crate) verdict: Verdict,
    pub(crate) title: Spanned<Text>,
    pub(crate) advice: Spanned<Text>,
    pub(crate) bring: Option<Spanned<Vec<Spanned<Text>>>>,
    #[serde(rename = "where")]
    pub(crate) place: Option<PlaceFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceFile {
    pub(crate) window: Spanned<Text>,
    pub(crate) address: Spanned<Text>,
    pub(crate) hours: Spanned<Text>,
    pub(crate) phone: Spanned<String>,
    pub(crate) queue: Option<Spanned<String>>,
}
