//! The true screens, as they are heard: every notice has words in every language, pages are read, and nothing of the
//! made-up resident can be heard by the hall.

use anyhow::{Result, ensure};
use kiosk_core::session::Whose;
use kiosk_core::settings::{Language, Theme};
use kiosk_tests::gallery::Gallery;
use kiosk_tests::workshop::project;
use std::collections::BTreeSet;

/// By which the made-up resident, her typed numbers and her case could be known.
const MARKS: [&str; 9] =
    ["𬱖㛃", "样本路18号", "1965", "990001", "990·", "13800000000", "7K3M9QXF", "ABCD EFGH", "WWMM"];

fn gallery() -> Result<Gallery> {
    Gallery::new(&project().join("assets/catalog"))
}

fn marks_in(text: &str) -> Vec<&'static str> {
    MARKS.into_iter().filter(|mark| text.contains(mark)).collect()
}

#[test]
fn every_notice_has_spoken_words_of_its_own_in_every_language() -> Result<()> {
    let gallery = gallery()?;
    let mut all: Vec<BTreeSet<String>> = Vec::new();
    for language in Language::ALL {
        let notices = gallery.notices(language)?;
        for (notice, words) in &notices {
            ensure!(words.chars().count() > 6, "{notice:?} in {}: {words:?}", language.tag());
        }
        let words: BTreeSet<String> = notices.iter().map(|(_, words)| words.clone()).collect();
        ensure!(words.len() == notices.len(), "two notices are said alike in {}", language.tag());
        all.push(words);
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let same: Vec<_> = all[one].intersection(&all[other]).collect();
        ensure!(same.is_empty(), "said alike in two languages: {same:?}");
    }
    Ok(())
}

/// What follows a question is heard as another sentence, and the town and village of an address are the resident's own.
#[test]
fn a_question_is_told_from_its_hint_and_a_touched_village_is_kept() -> Result<()> {
    let (mut ended, mut kept) = (false, 0);
    let mut wrong = Vec::new();
    gallery()?.listen(Theme::Senior, Language::ZhHans, |page| {
        ended |= page.read.iter().any(|words| words.contains("跟我们说说您的情况。可以点"));
        for (text, whose) in page.texts.iter().filter(|(text, _)| text.contains("请写路名")) {
            match whose {
                Whose::Residents => kept += 1,
                Whose::Everybodys => wrong.push(format!("{}: {text}", page.name)),
            }
        }
    })?;
    ensure!(ended, "question and hint are said in one breath");
    ensure!(wrong.is_empty() && kept > 0, "{kept} kept, but not {wrong:?}");
    Ok(())
}

#[test]
fn no_page_reads_anything_of_the_resident_and_every_page_reads_something() -> Result<()> {
    let gallery = gallery()?;
    for language in Language::ALL {
        let (mut pages, mut heard, mut kept) = (0, 0, BTreeSet::new());
        let mut wrong = Vec::new();
        gallery.listen(Theme::Senior, language, |page| {
            pages += 1;
            heard += usize::from(!page.read.is_empty());
            for words in &page.read {
                if words.contains('{') || words.is_empty() || !marks_in(words).is_empty() {
                    wrong.push(format!("{} reads {words:?}", page.name));
                }
            }
            for (text, whose) in &page.texts {
                let marks = marks_in(text);
                match whose {
                    Whose::Everybodys if !marks.is_empty() => {
                        wrong.push(format!("{} would read {text:?}", page.name));
                    }
                    Whose::Everybodys => {}
                    Whose::Residents => kept.extend(marks),
                }
            }
        })?;
        ensure!(wrong.is_empty(), "{}: {wrong:#?}", language.tag());
        // Every mark is on some page: a resident's texts were looked at, and each was known for what it is.
        ensure!(kept.len() >= 6, "{}: only {kept:?} were seen", language.tag());
        ensure!(heard * 2 > pages, "{}: only {heard} of {pages} pages were read", language.tag());
        println!("{}: {heard} of {pages} pages were read, {kept:?} kept", language.tag());
    }
    Ok(())
}
