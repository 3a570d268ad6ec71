//! The border between the catalog's guides and the sheet of A4 that is printed of one.

use crate::catalog::{Catalog, words};
use crate::config::Config;
use crate::present::lines;
use kiosk_core::calendar;
use kiosk_core::session::GuideOrder;
use kiosk_core::settings::Language;
use kiosk_documents::Guide;
use service_catalog::{ServiceItem, Text, Way};
use std::collections::HashMap;

/// What a sheet takes from its item, in all languages.
pub struct GuideWords {
    title: Text,
    summary: Text,
    guide: service_catalog::Guide,
    by_card: bool,
    by_number: bool,
    accepts_expired_card: bool,
}

impl From<&ServiceItem> for GuideWords {
    fn from(item: &ServiceItem) -> Self {
        let offers = |way| item.identify.ways.contains(&way);
        GuideWords {
            title: item.title.clone(),
            summary: item.summary.clone(),
            guide: item.guide.clone(),
            by_card: offers(Way::IdCard),
            by_number: offers(Way::Typed),
            accepts_expired_card: item.identify.accepts_expired_card,
        }
    }
}

/// The guides of a catalog, by item code.
pub fn guides(catalog: &Catalog) -> HashMap<String, GuideWords> {
    catalog.words().iter().map(|item| (item.code.clone(), item.into())).collect()
}

/// What every sheet of this terminal says, and the guides it knows.
pub struct GuideSheets {
    demo: bool,
    place: String,
    terminal: String,
    guides: HashMap<String, GuideWords>,
}

impl GuideSheets {
    /// From the configuration and the catalog's guides.
    pub fn new(config: &Config, guides: HashMap<String, GuideWords>) -> Self {
        GuideSheets {
            demo: config.terminal.demo,
            place: config.terminal.place.clone(),
            terminal: config.terminal.code.clone(),
            guides,
        }
    }

    /// Code of the terminal.
    pub fn terminal(&self) -> &str {
        &self.terminal
    }

    /// Other guides from now on.
    pub fn guides_are(&mut self, guides: HashMap<String, GuideWords>) {
        self.guides = guides;
    }

    /// The sheet of an order; `None` when the catalog has no such item any more.
    pub fn sheet(&self, order: &GuideOrder) -> Option<Guide> {
        let item = self.guides.get(&order.item.0)?;
        let say = |text: &Text| words(text, order.language).to_owned();
        let day = calendar::day_in_china(order.asked_at_ms);
        Some(Guide {
            language: match order.language {
                Language::ZhHans => kiosk_documents::Language::ZhHans,
                Language::ZhHant => kiosk_documents::Language::ZhHant,
                Language::En => kiosk_documents::Language::En,
            },
            demo: self.demo,
            place: self.place.clone(),
            terminal: self.terminal.clone(),
            title: say(&item.title),
            summary: say(&item.summary),
            what: say(&item.guide.what),
            bring: item.guide.bring.iter().map(say).collect(),
            by_card: item.by_card,
            by_number: item.by_number,
            accepts_expired_card: item.accepts_expired_card,
            time: say(&item.guide.time),
            department: say(&item.guide.department),
            fee: say(&item.guide.fee),
            printed_on: lines::day(day, order.language),
        })
    }
}
