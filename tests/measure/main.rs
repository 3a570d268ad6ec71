//! Every screen × theme × language × text size × panel, measured: touch targets, capitals, what is cut off or lies over
//! something, names, reading order, gestures, and that a tremor is no second touch. Colours and places do not depend on
//! each other, so the contrast of words against the pixels behind them is measured in few looks that together hold every
//! pair of theme, contrast, language, text size and panel. Pages that are turned are measured one by one, and a page with
//! two ways of typing in both.
//!
//! The worst of each kind is printed: `cargo nextest run -p kiosk-tests measure --no-capture`.

use anyhow::{Result, ensure};
use kiosk_core::session::Limits as Waits;
use kiosk_core::settings::{Contrast, Language, TextSize, Theme};
use kiosk_tests::gallery::{Gallery, Look, Panel, Visitor, pairwise};
use kiosk_tests::measure::ink;
use kiosk_tests::measure::rules::{self, Limits};
use kiosk_tests::measure::tally::{Kind, Measured, Tally};
use kiosk_tests::measure::tree::Tree;
use kiosk_tests::workshop::project;
use slint::ComponentHandle;

/// More pages than any content has.
const PAGES_MAX: usize = 30;

#[test]
fn every_screen_can_be_read_and_touched_in_every_look() -> Result<()> {
    every_screen(Theme::Standard)
}

/// A test of its own, because each takes minutes of one core.
#[test]
fn every_screen_of_the_elders_can_be_read_and_touched_in_every_look() -> Result<()> {
    every_screen(Theme::Senior)
}

fn every_screen(theme: Theme) -> Result<()> {
    let gallery = Gallery::new(&project().join("assets/catalog"))?;
    let mm = gallery.window().global::<kiosk_ui::Panel>().get_mm();
    let pairwise = pairwise();
    let mut tally = Tally::default();
    let mut screens = 0;
    for language in Language::ALL {
        gallery.visit(theme, language, |screen, visitor| {
            screens += 1;
            tally.add(screen, "any look", vec![double_touch(visitor, theme)]);
            for size in TextSize::ALL {
                for panel in Panel::ALL {
                    let looks = [Contrast::Normal, Contrast::High].map(|contrast| Look {
                        theme,
                        contrast,
                        language,
                        size,
                        panel,
                    });
                    gallery.show(visitor, looks[0]);
                    geometry(&gallery, screen, looks[0], mm, &mut tally);
                    for look in looks.into_iter().filter(|look| pairwise.contains(look)) {
                        gallery.show(visitor, look);
                        contrast(&gallery, screen, look, &mut tally);
                    }
                }
            }
        });
    }
    println!("{screens} screens\n{tally}");
    for kind in Kind::ALL {
        ensure!(tally.measured(kind) >= screens, "{kind:?} was measured only {} times", tally.measured(kind));
    }
    ensure!(tally.wrong() == 0, "{} things are wrong:\n{tally}", tally.wrong());
    Ok(())
}

/// The test can fail: the same screen, with everything on it drawn at two thirds.
#[test]
fn a_screen_that_is_too_small_is_found() -> Result<()> {
    let gallery = Gallery::new(&project().join("assets/catalog"))?;
    let panel = gallery.window().global::<kiosk_ui::Panel>();
    let mm = panel.get_mm();
    panel.set_mm(mm * 0.67);
    let mut kinds = Vec::new();
    gallery.visit(Theme::Standard, Language::ZhHans, |screen, visitor| {
        if screen == "home" {
            gallery.show(visitor, Look::USUAL);
            let found = rules::judge(&Tree::read(gallery.window()), mm, Limits::of(Theme::Standard));
            kinds.extend(found.iter().filter(|measured| measured.is_wrong()).map(|measured| measured.kind));
        }
    });
    ensure!(kinds.contains(&Kind::Touch) && kinds.contains(&Kind::Capitals), "{kinds:?}");
    Ok(())
}

fn geometry(gallery: &Gallery, screen: &str, look: Look, mm: f32, tally: &mut Tally) {
    each_page(gallery, |page, tree| {
        let found = rules::judge(tree, mm, Limits::of(look.theme));
        tally.add(&format!("{screen}{page}"), &look.name(), found);
    });
}

fn contrast(gallery: &Gallery, screen: &str, look: Look, tally: &mut Tally) {
    each_page(gallery, |page, tree| {
        let picture = gallery.draw(String::new());
        let found = ink::judge(tree, &picture, Limits::of(look.theme).contrast);
        tally.add(&format!("{screen}{page}"), &look.name(), found);
    });
}

/// The page as it comes up, each further one of its pages, and its other way of typing; then it is as it was.
fn each_page(gallery: &Gallery, mut measure: impl FnMut(&str, &Tree)) {
    let mut turned = 0;
    let mut tree = Tree::read(gallery.window());
    measure("", &tree);
    while turned < PAGES_MAX && tree.press("turn-on") {
        turned += 1;
        tree = Tree::read(gallery.window());
        measure(&format!("-page-{}", turned + 1), &tree);
    }
    for _ in 0..turned {
        Tree::read(gallery.window()).press("turn-back");
    }
    if Tree::read(gallery.window()).press("other-input") {
        measure("-other-input", &Tree::read(gallery.window()));
        Tree::read(gallery.window()).press("other-input");
    }
}

/// EN 301 549, 5.8: the same touch again within the theme's time is none, and after it is one.
fn double_touch(visitor: &Visitor, theme: Theme) -> Measured {
    let wait_ms = Waits::default().same_touch_ms(theme);
    let right = !visitor.counts_again(wait_ms - 1) && visitor.counts_again(wait_ms);
    Measured::holds(Kind::DoubleTouch, right, "字号")
}
