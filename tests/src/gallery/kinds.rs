//! An address in pictures: towns, villages, and what is written of it.

use super::Visitor;
use kiosk_core::address::Areas;
use kiosk_core::session::Citizen;

impl Visitor {
    /// Touches a town and a village that the catalog knows; the rest is written, and still to be confirmed.
    pub(super) fn give_address(&mut self, areas: &Areas, name: &str, show: &mut impl FnMut(&str, &Visitor)) {
        show(&format!("{name}-town"), self);
        let town = areas.towns.iter().find(|town| !town.villages.is_empty()).unwrap_or(&areas.towns[0]);
        self.touch(Citizen::OptionChosen(town.name.clone()));
        if let Some(village) = town.villages.first() {
            show(&format!("{name}-village"), self);
            self.touch(Citizen::OptionChosen(village.clone()));
        }
        self.touch(Citizen::TextTyped("样本路 18 号".into()));
    }
}
