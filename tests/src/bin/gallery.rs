//! `gallery FOLDER [WORD]`: draws, to be looked at, every screen in the looks that together hold every pair of theme,
//! contrast, language, text size and panel, every widget in every theme, untouched and touched, and contact sheets of all
//! of them; or the screens that have the word in their names.

use anyhow::{Context, Result};
use kiosk_core::settings::{Language, Theme};
use kiosk_tests::gallery::{Gallery, Look, pairwise, picture_name};
use kiosk_tests::sheets::Sheets;
use kiosk_tests::widgets;
use kiosk_tests::workshop::project;
use std::path::PathBuf;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("usage: gallery FOLDER [WORD]")?);
    let word = arguments.next().unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    let gallery = Gallery::new(&project().join("assets/catalog"))?;
    let looks = pairwise();
    let mut sheets = Sheets::new(&folder);
    for theme in [Theme::Standard, Theme::Senior] {
        for language in Language::ALL {
            let own: Vec<Look> = looks
                .iter()
                .filter(|look| look.theme == theme && look.language == language)
                .copied()
                .collect();
            let mut failed = None;
            gallery.visit(theme, language, |screen, visitor| {
                if !screen.contains(&word) {
                    return;
                }
                for look in &own {
                    gallery.show(visitor, *look);
                    let picture = gallery.draw(picture_name(*look, screen));
                    if let Err(error) = sheets.add(&look.name(), &picture) {
                        failed = Some(error);
                    }
                }
            });
            failed.map_or(Ok(()), Err)?;
        }
    }
    widgets::draw(&gallery, &mut sheets)?;
    sheets.finish()?;
    println!("{}", folder.display());
    Ok(())
}
