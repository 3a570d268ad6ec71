//! An address question: the town is touched, then the village, then the rest is written, one thing at a time.

use super::{Citizen, Page, Turn};
use crate::address::{Address, Town};
use crate::private::Private;
use crate::remedy::Notice;
use crate::service::{Question, QuestionKind};

/// What is being entered for one address; the rest is the draft's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddressDraft {
    /// Which list is shown.
    pub stage: AddressStage,
    /// 镇街, once it was touched.
    pub town: Option<Private<String>>,
    /// 村居, once one was touched; the empty text when none of the list is the one.
    pub village: Option<Private<String>>,
}

/// What the page asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressStage {
    /// The town.
    #[default]
    Town,
    /// The village.
    Village,
    /// Road and number.
    Rest,
}

impl AddressDraft {
    pub(super) fn of(address: &Address) -> Self {
        AddressDraft {
            stage: AddressStage::Town,
            town: Some(address.town.clone()),
            village: Some(address.village.clone().unwrap_or_else(|| "".into())),
        }
    }

    /// The address, with what was written of it.
    pub(super) fn address(&self, rest: &str) -> Option<Address> {
        let village = self.village.clone().filter(|village| !village.expose().is_empty());
        Some(Address { town: self.town.clone()?, village, rest: Private::from(rest.trim()) })
    }
}

/// What a touch does; false when it means the same as on a question of text.
pub(super) fn on(turn: &mut Turn, question: &Question, touch: &Citizen) -> bool {
    let QuestionKind::Address(areas) = &question.kind else { return false };
    let Page::Question(draft) = &mut turn.session.page else { return false };
    let address = &mut draft.address;
    let town = address.town.as_ref().and_then(|name| areas.town(name.expose()));
    let next = match (address.stage, touch) {
        (AddressStage::Town, Citizen::OptionChosen(name)) => match areas.town(name) {
            Some(chosen) => {
                if town.is_none_or(|before| before.name != chosen.name) {
                    address.village = None;
                }
                address.town = Some(Private::from(name.as_str()));
                Some(after_town(chosen))
            }
            None => None,
        },
        (AddressStage::Town, Citizen::Answered) => match town {
            Some(town) => Some(after_town(town)),
            None if !question.required => return false,
            None => missing(turn),
        },
        (AddressStage::Village, Citizen::OptionChosen(name)) => {
            let known = name.is_empty() || town.is_some_and(|town| town.has(name));
            known.then(|| {
                address.village = Some(Private::from(name.as_str()));
                AddressStage::Rest
            })
        }
        (AddressStage::Village, Citizen::Answered) => match address.village {
            Some(_) => Some(AddressStage::Rest),
            None => missing(turn),
        },
        (AddressStage::Village, Citizen::Back) => Some(AddressStage::Town),
        (AddressStage::Rest, Citizen::Back) => {
            let listed = town.is_some_and(|town| !town.villages.is_empty());
            Some(if listed { AddressStage::Village } else { AddressStage::Town })
        }
        (AddressStage::Rest, Citizen::Cleared) => {
            draft.text.expose_mut().clear();
            None
        }
        (AddressStage::Town, Citizen::Back | Citizen::Skipped)
        | (AddressStage::Village, Citizen::Skipped) => {
            return false;
        }
        (AddressStage::Rest, _) => return false,
        // Nothing is typed where something is touched.
        (AddressStage::Town | AddressStage::Village, _) => None,
    };
    if let Some(stage) = next {
        if let Page::Question(draft) = &mut turn.session.page {
            draft.address.stage = stage;
        }
        // Another list stands where the finger was.
        turn.page_changed();
    }
    true
}

fn after_town(town: &Town) -> AddressStage {
    if town.villages.is_empty() { AddressStage::Rest } else { AddressStage::Village }
}

fn missing(turn: &mut Turn) -> Option<AddressStage> {
    turn.session.notice = Some(Notice::AnswerNeeded);
    None
}
