//! 字号与对比: a panel over the page and its notice, where the resident sets how the screen looks. It belongs to every page;
//! what lies beneath cannot be touched until it is put away. A notice waits under it: larger words may be what it is
//! opened for.

use super::{Citizen, Turn};

/// Takes what is meant for the panel; gives back what is meant for the page.
pub(super) fn on(turn: &mut Turn, touch: Citizen) -> Option<Citizen> {
    let open = turn.session.settings_open;
    match touch {
        Citizen::SettingsWanted => show(turn, !open),
        Citizen::SettingsDone | Citizen::Back if open => show(turn, false),
        Citizen::TextSizeChosen(size) if open => turn.session.settings.text_size = size,
        Citizen::ContrastChosen(contrast) if open => turn.session.settings.contrast = contrast,
        _ if open => {}
        touch => return Some(touch),
    }
    None
}

/// Something else stands under the finger then.
fn show(turn: &mut Turn, open: bool) {
    turn.session.settings_open = open;
    turn.page_changed();
}
