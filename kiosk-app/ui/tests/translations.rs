//! Every word of the markup has a translation in every language, with the same gaps to fill, and no
//! translation is left over from words that are gone.
//!
//! Deliberately absent: whether a translation is good; people read them on the screens.

use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LANGUAGES: [&str; 2] = ["zh-Hant", "en"];

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn markup_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            markup_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "slint") {
            found.push(path);
        }
    }
    Ok(())
}

/// The words under `@tr` in all markup.
fn words_in_markup() -> Result<BTreeSet<String>> {
    let mut files = Vec::new();
    markup_files(&crate_folder().join("ui"), &mut files)?;
    let mut words = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        for part in text.split("@tr(\"").skip(1) {
            let word = part.split('"').next().with_context(|| format!("@tr in {}", file.display()))?;
            words.insert(word.to_owned());
        }
    }
    Ok(words)
}

/// The entries of a .po file whose strings stand on one line each, as ours do.
fn translations(language: &str) -> Result<BTreeMap<String, String>> {
    let file = crate_folder().join("../../i18n").join(language).join("LC_MESSAGES/kiosk-ui.po");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let quoted = |line: &str, key: &str| {
        line.strip_prefix(key)
            .and_then(|rest| rest.trim().strip_prefix('"')?.strip_suffix('"'))
            .map(str::to_owned)
    };
    let mut entries = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(original) = quoted(line, "msgid ") else { continue };
        let translated = lines.next().and_then(|line| quoted(line, "msgstr "));
        let translated = translated.with_context(|| format!("{language}: no msgstr after {original:?}"))?;
        if !original.is_empty() {
            ensure!(entries.insert(original.clone(), translated).is_none(), "{language}: {original:?} twice");
        }
    }
    Ok(entries)
}

#[test]
fn every_word_is_translated_and_none_is_left_over() -> Result<()> {
    let words = words_in_markup()?;
    ensure!(words.len() > 100, "only {} words found in the markup", words.len());
    for language in LANGUAGES {
        let entries = translations(language)?;
        for word in &words {
            let translated = entries.get(word).with_context(|| format!("{language} lacks {word:?}"))?;
            ensure!(!translated.is_empty(), "{language}: {word:?} is empty");
            let gaps = |text: &str| text.matches("{}").count();
            ensure!(gaps(word) == gaps(translated), "{language}: {word:?} has other gaps");
        }
        for word in entries.keys() {
            ensure!(words.contains(word), "{language}: {word:?} is no longer in the markup");
        }
    }
    Ok(())
}

/// Simplified characters that have another traditional form and are frequent in our words.
const SIMPLIFIED: &str = "请证号码这读现输办页选择题写删电话时间关业务网络设备状态热线员帮说明错误验资料";

#[test]
fn traditional_words_hold_no_frequent_simplified_character() -> Result<()> {
    let same_in_both = "明料";
    for (word, translated) in translations("zh-Hant")? {
        let wrong = translated.chars().find(|c| SIMPLIFIED.contains(*c) && !same_in_both.contains(*c));
        ensure!(wrong.is_none(), "{word:?}: {wrong:?} is simplified in {translated:?}");
    }
    Ok(())
}
