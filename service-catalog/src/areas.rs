//! 镇街 and 村居: the towns of the city and the villages that are known in each, from `areas.toml` beside the items. An
//! address question offers them to touch; what no list names is written.

use crate::answer::AnswerProblem;
use crate::problem::{Fault, ItemProblem};
use crate::rules::{Room, count, plain, twice, words};
use crate::schema::PLAIN_TEXT;
use crate::text::Text;
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Spanned;

/// File of the areas inside the catalog's folder.
pub(crate) const FILE: &str = "areas.toml";

/// Longest part of an address that is written: road, number, building, room.
pub const REST_MAX_CHARS: usize = 60;

/// Three of them stand beside each other on the screen.
const AREA: Room = Room("an area's name", 7, 16);
const MOST_TOWNS: usize = 60;
const MOST_VILLAGES: usize = 60;

/// The city and its towns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Areas {
    /// What addresses on cards begin with, after the province.
    pub city: Text,
    /// 镇、街道、园区, in the order of the screen.
    pub towns: Vec<Town>,
}

/// A town. Its simplified Chinese name is what is stored and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Town {
    /// Name.
    pub name: Text,
    /// 村、社区 of it that are known; none where no list is sure.
    pub villages: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AreasFile {
    city: Spanned<Text>,
    towns: Vec<Spanned<TownFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TownFile {
    name: Spanned<Text>,
    #[serde(default)]
    villages: Vec<Spanned<Text>>,
}

/// Reads the file.
pub(crate) fn read_areas(text: &str) -> Result<Areas, Fault> {
    let file: AreasFile = toml::from_str(text)
        .map_err(|error| Fault { span: error.span(), problem: ItemProblem::Toml(plain(error.message())) })?;
    count("towns", file.towns.len(), 1, MOST_TOWNS, None)?;
    let mut towns: Vec<Town> = Vec::new();
    for raw in file.towns {
        let place = raw.span();
        let raw = raw.into_inner();
        count("villages", raw.villages.len(), 0, MOST_VILLAGES, Some(&place))?;
        let span = raw.name.span();
        let name = words(&AREA, raw.name)?;
        if towns.iter().any(|town| town.name.zh_hans == name.zh_hans) {
            return Err(twice("the town", name.zh_hans, span));
        }
        towns.push(Town { name, villages: villages(raw.villages)? });
    }
    Ok(Areas { city: words(&AREA, file.city)?, towns })
}

fn villages(raw: Vec<Spanned<Text>>) -> Result<Vec<Text>, Fault> {
    let mut villages: Vec<Text> = Vec::new();
    for village in raw {
        let span = village.span();
        let village = words(&AREA, village)?;
        if villages.iter().any(|known| known.zh_hans == village.zh_hans) {
            return Err(twice("the village", village.zh_hans, span));
        }
        villages.push(village);
    }
    Ok(villages)
}

impl Areas {
    /// The town with this simplified Chinese name.
    pub fn town(&self, name: &str) -> Option<&Town> {
        self.towns.iter().find(|town| town.name.zh_hans == name)
    }

    /// `{ "town": …, "village": …, "rest": … }`: a town and a village that are known, and something written. A village
    /// is left out where none was chosen.
    pub(crate) fn check(&self, answer: &Value) -> Result<(), AnswerProblem> {
        let fields = answer.as_object().ok_or(AnswerProblem::WrongType)?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let known = fields.keys().all(|key| matches!(key.as_str(), "town" | "village" | "rest"));
        let town = text("town").and_then(|name| self.town(name)).ok_or(AnswerProblem::NotAnAddress)?;
        let village_known = match fields.get("village") {
            None => true,
            Some(_) => town.village(text("village").unwrap_or_default()).is_some(),
        };
        let rest = text("rest").ok_or(AnswerProblem::NotAnAddress)?;
        if !known || !village_known {
            return Err(AnswerProblem::NotAnAddress);
        }
        if rest.trim().is_empty() {
            return Err(AnswerProblem::Empty);
        }
        crate::answer::check_words(rest, REST_MAX_CHARS)
    }

    /// The part of it that a JSON Schema can say.
    pub(crate) fn schema(&self) -> Value {
        let towns: Vec<&str> = self.towns.iter().map(|town| town.name.zh_hans.as_str()).collect();
        let villages: Vec<&str> = self
            .towns
            .iter()
            .flat_map(|town| &town.villages)
            .map(|village| village.zh_hans.as_str())
            .collect();
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["town", "rest"],
            "properties": {
                "town": { "enum": towns },
                "village": { "enum": unlike(villages) },
                "rest": { "type": "string", "minLength": 1, "maxLength": REST_MAX_CHARS, "pattern": PLAIN_TEXT },
            },
        })
    }
}

/// Two towns may have a village of one name; a schema lists each value once.
fn unlike(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names.dedup();
    names
}

impl Town {
    /// The village with this simplified Chinese name.
    pub fn village(&self, name: &str) -> Option<&Text> {
        self.villages.iter().find(|village| village.zh_hans == name)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two towns; only the first has a list of villages.
    pub(crate) const AREAS: &str = r#"
city = { zh-Hans = "示例市", zh-Hant = "示例市", en = "Sample" }
[[towns]]
name = { zh-Hans = "甲街道", zh-Hant = "甲街道", en = "Jia" }
villages = [
    { zh-Hans = "一社区", zh-Hant = "一社區", en = "Yi" },
    { zh-Hans = "二社区", zh-Hant = "二社區", en = "Er" },
]
[[towns]]
name = { zh-Hans = "乙镇", zh-Hant = "乙鎮", en = "Yi" }
"#;

    pub(crate) fn areas() -> Areas {
        read_areas(AREAS).unwrap_or_else(|fault| panic!("{}", fault.problem))
    }

    fn both(answer: Value) -> Result<(), AnswerProblem> {
        let judged = areas().check(&answer);
        let by_schema = jsonschema::is_valid(&areas().schema(), &answer);
        assert!(by_schema || judged.is_err(), "what the schema refuses is refused: {answer}");
        judged
    }

    #[test]
    fn an_address_names_a_town_perhaps_a_village_and_the_rest() {
        assert_eq!(both(json!({ "town": "甲街道", "village": "一社区", "rest": "样本路 1 号" })), Ok(()));
        assert_eq!(both(json!({ "town": "乙镇", "rest": "样本村 1 号" })), Ok(()));
        for (answer, problem) in [
            (json!("甲街道"), AnswerProblem::WrongType),
            (json!({ "town": "丙镇", "rest": "1 号" }), AnswerProblem::NotAnAddress),
            (json!({ "rest": "1 号" }), AnswerProblem::NotAnAddress),
            (json!({ "town": "甲街道" }), AnswerProblem::NotAnAddress),
            (json!({ "town": "乙镇", "village": "一社区", "rest": "1 号" }), AnswerProblem::NotAnAddress),
            (json!({ "town": "甲街道", "village": null, "rest": "1 号" }), AnswerProblem::NotAnAddress),
            (json!({ "town": "甲街道", "more": "x", "rest": "1 号" }), AnswerProblem::NotAnAddress),
            (json!({ "town": "甲街道", "rest": " " }), AnswerProblem::Empty),
            (json!({ "town": "甲街道", "rest": "a\u{7}" }), AnswerProblem::Unprintable),
            (
                json!({ "town": "甲街道", "rest": "长".repeat(61) }),
                AnswerProblem::TooLong { limit: REST_MAX_CHARS },
            ),
        ] {
            assert_eq!(both(answer.clone()), Err(problem), "{answer}");
        }
        assert!(jsonschema::meta::is_valid(&areas().schema()));
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        let fault = |from: &str, to: &str| {
            let text = AREAS.replacen(from, to, 1);
            let fault = read_areas(&text).expect_err(to);
            (fault.line(&text), fault.problem.to_string())
        };
        let (line, said) = fault("二社区", "一社区");
        assert_eq!(line, Some(7));
        assert!(said.contains("the village \"一社区\" is there twice"), "{said}");
        assert!(fault("乙镇", "甲街道").1.contains("the town"));
        assert!(fault("甲街道", "名字长得没有边际的街道").1.contains("at most 7"));
        assert!(fault("villages = [", "hamlets = [").1.contains("unknown field"));
        assert!(fault("zh-Hant = \"乙鎮\", ", "").1.contains("zh-Hant"));
    }
}
