//! `verify-document`: whether a paper that the city issued is genuine, without asking the city. Takes an address, a stamp,
//! a PDF or a picture of the paper, and the city's public keys; prints what the city signed and, of a PDF, where the page
//! says something else. Ends with 0 when all is well, with 1 when not.
//!
//! Deliberately absent: the network; so it cannot know whether the city has taken a document back.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Parser;
use service_catalog::{Catalog, Fetch, Language, day_in_china, iso};
use simulator::paper::{self, Paper};
use sync_protocol::{DocumentPublicKey, Stamp, stamp_in};

/// Checks a paper that the city issued, without asking the city.
#[derive(Parser)]
struct Arguments {
    /// The address behind its code, what is signed in it, a PDF, or a picture (PNG, JPEG)
    paper: String,
    /// The city's public keys for documents (PEM)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Folder of the service items, for the words of what is signed
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

fn main() -> ExitCode {
    match check(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check(arguments: &Arguments) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let key = &arguments.key;
    let pem = std::fs::read_to_string(key).with_context(|| format!("{}", key.display()))?;
    let keys = DocumentPublicKey::all_from_pem(&pem).with_context(|| format!("{}", key.display()))?;
    let paper = paper_of(&arguments.paper)?;
    let Some(code) = &paper.code else {
        writeln!(out, "✕ 没有找到码 No code was found. Lay the paper flat, and try a sharper picture.")?;
        return Ok(false);
    };
    let stamp = match Stamp::read(stamp_in(code), &keys) {
        Ok(stamp) => stamp,
        Err(fault) => {
            writeln!(out, "✕ 不是真的，或者被改过 Not genuine, or altered: {fault} ({}).", key.display())?;
            return Ok(false);
        }
    };
    let catalog = arguments.catalog.as_deref().map(Catalog::load);
    let fetch = catalog.as_ref().and_then(|catalog| catalog.item(&stamp.item)?.fetch.as_ref());
    tell(&mut out, &stamp, fetch)?;
    let mut good = true;
    if let Some(words) = &paper.words {
        let differing = differences(&stamp, fetch, words);
        for line in &differing {
            writeln!(out, "✕ 纸上不一样 The page says something else: {line}")?;
        }
        if differing.is_empty() {
            writeln!(out, "✓ 页面上的字和签过的一样 The words on the page are what was signed.")?;
        }
        good &= differing.is_empty();
    } else {
        writeln!(out, "  请和纸上对一对 Compare this with the paper.")?;
    }
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    if i64::try_from(now_s)? >= stamp.valid_until_s() {
        writeln!(out, "! 过期了 It is no longer valid.")?;
        good = false;
    }
    writeln!(out, "  有没有作废，要问本市 Only the city knows whether it was taken back: open the address.")?;
    Ok(good)
}

fn paper_of(named: &str) -> Result<Paper> {
    let path = Path::new(named);
    if !named.contains("://") && path.is_file() {
        let file = std::fs::read(path).with_context(|| format!("{}", path.display()))?;
        return paper::read(&file).with_context(|| format!("{}", path.display()));
    }
    Ok(Paper { code: Some(named.to_owned()), words: None })
}

/// What the city signed.
fn tell(out: &mut impl Write, stamp: &Stamp, fetch: Option<&Fetch>) -> std::io::Result<()> {
    let day = |at_s: i64| day_in_china(at_s * 1000).map(iso).unwrap_or_default();
    let title = fetch.map_or(stamp.item.as_str(), |fetch| &fetch.title.zh_hans);
    writeln!(out, "✓ 是本市签的 Signed by the city: {title}")?;
    writeln!(out, "  证明编号 Number       {}", stamp.number)?;
    writeln!(out, "  姓名 Name             {}", stamp.name)?;
    writeln!(out, "  证件号码 ID number    {}", stamp.person_number)?;
    writeln!(out, "  出具 Issued           {}", day(stamp.issued_at_s))?;
    writeln!(out, "  使用到 Valid until    {}", day(stamp.valid_until_s()))?;
    for (key, raw) in &stamp.facts {
        let (label, value) =
            in_words(fetch, key, raw, Language::ZhHans).unwrap_or((key.clone(), raw.clone()));
        writeln!(out, "  {label}：{value}")?;
    }
    if stamp.rows > 0 {
        writeln!(out, "  明细 Table            {} 行 rows", stamp.rows)?;
    }
    Ok(())
}

fn in_words(fetch: Option<&Fetch>, key: &str, raw: &str, language: Language) -> Option<(String, String)> {
    let field = fetch?.facts.iter().find(|field| field.key == key)?;
    Some((field.label.get(language).to_owned(), field.show(raw, language)?))
}

/// Where the words of a page are not what was signed. Looked at in the language of its title.
fn differences(stamp: &Stamp, fetch: Option<&Fetch>, words: &str) -> Vec<String> {
    let spaceless = |text: &str| -> String { text.split_whitespace().collect() };
    let mut differing = Vec::new();
    let mut expect = |what: &str, text: &str| {
        let wanted = spaceless(text);
        // What was cut is compared as far as it goes.
        if !words.contains(wanted.trim_end_matches('…')) {
            differing.push(format!("{what}: {text}"));
        }
    };
    expect("证明编号 number", &stamp.number.to_string());
    expect("证件号码 ID number", &stamp.person_number);
    expect("姓名 name", stamp.name.trim_end_matches('＊'));
    let Some(fetch) = fetch else { return differing };
    let language = Language::ALL
        .into_iter()
        .find(|language| words.contains(&spaceless(fetch.title.get(*language))))
        .unwrap_or(Language::ZhHans);
    for (key, raw) in &stamp.facts {
        if let Some((label, value)) = in_words(Some(fetch), key, raw, language) {
            // Label and value stand beside each other.
            expect("signed", &format!("{label} {value}"));
        }
    }
    differing
}
