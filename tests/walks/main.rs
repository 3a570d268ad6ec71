//! Every item in every language and theme, from the home screen to what is taken home, by touching what the screen says and
//! nothing else. The touches are counted and printed as a table; whole machines are walked through in `journeys`.

use anyhow::{Context, Result, ensure};
use kiosk_core::service::{FollowUp, ItemCode, Shape};
use kiosk_core::settings::{Language, Theme};
use kiosk_tests::gallery::{Gallery, Look, Walk};
use kiosk_tests::workshop::project;
use std::fmt::Write;

/// 参保证明: so many touches and a card, from the home screen to paper.
const CERTIFICATE: (&str, usize) = ("insurance-certificate", 5);

#[test]
fn every_item_in_every_language_and_theme() -> Result<()> {
    let gallery = Gallery::new(&project().join("assets/catalog"))?;
    let mut table = String::from("| item | shape | standard | 长辈版 |\n|---|---|---|---|\n");
    let mut shapes = Vec::new();
    for (code, shape) in gallery.items() {
        let standard = touches(&gallery, &code, Theme::Standard)?;
        let senior = touches(&gallery, &code, Theme::Senior)?;
        writeln!(table, "| {} | {shape:?} | {standard} | {senior} |", code.0)?;
        if code.0 == CERTIFICATE.0 {
            ensure!(standard.max(senior) <= CERTIFICATE.1, "{}: {standard} and {senior} touches", code.0);
        }
        shapes.push(shape);
    }
    println!("touches from the home screen to paper\n{table}");
    let follow_ups = [FollowUp::Supplement, FollowUp::Withdrawal].map(Shape::FollowUp);
    for shape in
        [Shape::Submit, Shape::Fetch, Shape::WhereToGo, Shape::LifeEvent].into_iter().chain(follow_ups)
    {
        ensure!(shapes.contains(&shape), "no item of the shape {shape:?}");
    }
    Ok(())
}

/// In Chinese; the other languages are walked, too, and may take other touches where words need more pages.
fn touches(gallery: &Gallery, code: &ItemCode, theme: Theme) -> Result<usize> {
    let mut counted = 0;
    for language in Language::ALL {
        let look = Look { theme, language, ..Look::USUAL };
        let walked = Walk::new(gallery, look)?.item(code);
        let touches = walked.with_context(|| format!("{} in {}", code.0, look.name()))?;
        if language == Language::ZhHans {
            counted = touches;
        }
    }
    Ok(counted)
}
