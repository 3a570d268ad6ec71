//! The page with every widget, page by page, in both themes and contrasts: as they stand, and each control with a finger
//! on it.

use crate::gallery::{Gallery, Look, Panel, Picture};
use crate::measure::tree::{Area, Tree, What};
use crate::sheets::Sheets;
use anyhow::Result;
use kiosk_core::settings::{Contrast, Language, TextSize, Theme};

/// More pages than the widgets fill.
const PAGES_MAX: usize = 30;

/// Draws all of it onto sheets of their own.
pub fn draw(gallery: &Gallery, sheets: &mut Sheets) -> Result<()> {
    for theme in [Theme::Standard, Theme::Senior] {
        for contrast in [Contrast::Normal, Contrast::High] {
            for size in TextSize::ALL {
                let look = Look { theme, contrast, language: Language::ZhHans, size, panel: Panel::Upright };
                gallery.show_widgets(look);
                pages(gallery, look, sheets)?;
            }
        }
    }
    Ok(())
}

fn pages(gallery: &Gallery, look: Look, sheets: &mut Sheets) -> Result<()> {
    let mut turned = 0;
    loop {
        let name = format!("widgets-{}-{}", turned + 1, look.name());
        let mut picture = gallery.draw(name.clone());
        sheets.add("widgets", &picture)?;
        let tree = Tree::read(gallery.window());
        picture.name = format!("{name}-pressed");
        press_each(gallery, &tree, &mut picture)?;
        sheets.add("widgets-pressed", &picture)?;
        if turned == PAGES_MAX || !tree.press("turn-on") {
            break;
        }
        turned += 1;
    }
    for _ in 0..turned {
        Tree::read(gallery.window()).press("turn-back");
    }
    Ok(())
}

/// Puts a finger on each control, and its picture then into the whole one.
fn press_each(gallery: &Gallery, tree: &Tree, whole: &mut Picture) -> Result<()> {
    for element in &tree.elements {
        let enabled = matches!(element.what, What::Control { enabled: true, .. });
        if !enabled || element.seen != element.area || element.seen.is_empty() {
            continue;
        }
        let Area { x, y, w, h } = element.area;
        gallery.touch(x + w / 2.0, y + h / 2.0)?;
        let pressed = gallery.draw(String::new());
        // The finger slides off: nothing is done.
        gallery.slide_off()?;
        let left = x.max(0.0) as usize;
        let right = ((x + w).ceil() as usize).min(whole.width as usize);
        for row in y.max(0.0) as usize..((y + h).ceil() as usize).min(whole.height as usize) {
            let at = row * whole.width as usize;
            let part = (at + left) * 4..(at + right) * 4;
            whole.rgba[part.clone()].copy_from_slice(&pressed.rgba[part]);
        }
    }
    Ok(())
}
