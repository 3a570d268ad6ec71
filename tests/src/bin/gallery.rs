//! `gallery FOLDER [WIDTHxHEIGHT [WORD]]`: writes every screen in every theme and language as PNG, to look at, or those that
//! have the word in their names.

use anyhow::{Context, Result};
use kiosk_core::settings::{Language, Theme};
use kiosk_tests::gallery::Gallery;
use kiosk_tests::workshop::project;
use slint::PhysicalSize;
use std::path::PathBuf;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("usage: gallery FOLDER [WIDTHxHEIGHT [WORD]]")?);
    let size = arguments.next().unwrap_or_else(|| "1080x1920".to_owned());
    let word = arguments.next().unwrap_or_default();
    let (width, height) = size.split_once('x').context("the size is WIDTHxHEIGHT")?;
    std::fs::create_dir_all(&folder)?;
    let gallery =
        Gallery::new(&project().join("assets/catalog"), PhysicalSize::new(width.parse()?, height.parse()?))?;
    let mut failed = None;
    for theme in [Theme::Standard, Theme::Senior] {
        for language in Language::ALL {
            gallery.visit(
                theme,
                language,
                |name| name.contains(&word),
                |picture| {
                    let file = folder.join(format!("{}.png", picture.name));
                    if let Err(error) = picture.write_png(&file) {
                        failed = Some(error);
                    }
                },
            );
        }
    }
    failed.map_or(Ok(()), Err)?;
    println!("{}", folder.display());
    Ok(())
}
