//! What a resident leaves behind in memory: nothing that names anybody, in any encoding, in any process of the terminal.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use encoding_rs::GB18030;
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use simulator::cards::DeskCard;

/// The wipe has so long after a session's end (experience.md, Privacy).
const WIPED_WITHIN: Duration = Duration::from_secs(3);
/// Bytes looked at in one go; more than any mark is read twice where two pieces meet.
const PIECE: usize = 1 << 20;

/// What only this resident wrote, and how often in one answer.
const OWN_WORDS: &str = "隔壁阿强夜半锯木";
const OWN_WORDS_TIMES: usize = 12;

/// A text by which a resident could be found, and the bytes it may stand in.
struct Mark {
    text: String,
    bytes: Vec<Vec<u8>>,
}

impl Mark {
    fn new(text: &str) -> Self {
        let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf32 = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let gb18030 = GB18030.encode(text).0.into_owned();
        let mut bytes = vec![text.as_bytes().to_vec(), utf16, utf32, gb18030];
        bytes.dedup();
        Mark { text: text.to_owned(), bytes }
    }
}

fn marks(card: &DeskCard) -> Vec<Mark> {
    [card.name, &card.number(), "样本路12号3栋", "13800000000", OWN_WORDS].map(Mark::new).into()
}

/// Written key by key, so that every buffer on the way is outgrown and given back at every length.
async fn answer_in_own_words(kiosk: &Kiosk) -> Result<()> {
    kiosk.touch("噪音太大").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("发生了什么事？").await?;
    for key in OWN_WORDS.repeat(OWN_WORDS_TIMES).chars() {
        kiosk.key(&key.to_string()).await?;
    }
    kiosk.wait_text(OWN_WORDS).await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("要附照片吗？").await?;
    kiosk.touch("跳过这一题").await?;
    resident::answer_after_photos(kiosk).await
}

/// The marks that stand in a process's memory: heap, stacks, everything that can be written.
fn found_in(pid: i32, marks: &[Mark]) -> Result<Vec<String>> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = File::open(format!("/proc/{pid}/mem"))?;
    let overlap = marks.iter().flat_map(|mark| &mark.bytes).map(Vec::len).max().unwrap_or_default();
    let mut piece = vec![0; PIECE];
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').context("a range of addresses")?;
        let (mut at, end) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        while at < end {
            let wanted = PIECE.min((end - at) as usize);
            // A region may be gone since, or be a device's.
            let Ok(read) = memory.read_at(&mut piece[..wanted], at) else { break };
            let where_from = words.clone().last().unwrap_or_default();
            found.extend(
                seen(&piece[..read], marks).into_iter().map(|text| format!("{text} in {pid} {where_from}")),
            );
            if at + wanted as u64 >= end {
                break;
            }
            at += (wanted - overlap) as u64;
        }
    }
    Ok(found)
}

fn seen(piece: &[u8], marks: &[Mark]) -> Vec<String> {
    let mut begins = [false; 256];
    marks.iter().flat_map(|mark| &mark.bytes).for_each(|bytes| begins[usize::from(bytes[0])] = true);
    let mut seen = Vec::new();
    for (at, byte) in piece.iter().enumerate() {
        if begins[usize::from(*byte)] {
            let here = |mark: &&Mark| mark.bytes.iter().any(|bytes| piece[at..].starts_with(bytes));
            seen.extend(marks.iter().filter(here).map(|mark| mark.text.clone()));
        }
    }
    seen
}

/// A process and all that it started.
fn family(pid: i32) -> Vec<i32> {
    let children =
        std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().flat_map(|task| {
            let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            listed.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<i32>>()
        });
    std::iter::once(pid).chain(children.flat_map(family)).collect()
}

async fn found(kiosk: &Kiosk, marks: &[Mark]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for process in ["kiosk-app", "sync-agent"] {
        let pid = kiosk.process(process).await?.pid.context("it runs")?;
        for each in family(pid) {
            // One that has just ended has no memory.
            all.extend(found_in(each, marks).unwrap_or_default());
        }
    }
    Ok(all)
}

#[tokio::test]
async fn nothing_of_a_resident_stays_in_memory() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let card = DeskCard::by_id("ordinary").context("the card")?;
    let marks = marks(card);
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "ordinary").await?;
    answer_in_own_words(&kiosk).await?;
    // The search itself must be able to find something: at the check page everything is there.
    let there = found(&kiosk, &marks).await?.join(" ");
    for mark in &marks {
        ensure!(there.contains(&mark.text), "{} is not found while it is shown", mark.text);
    }
    resident::confirm(&kiosk).await?;
    kiosk.wait_text("凭条已打印，请取走").await?;
    resident::leave(&kiosk).await?;
    let deadline = Instant::now() + WIPED_WITHIN;
    loop {
        let begun = Instant::now();
        let left = found(&kiosk, &marks).await?;
        if left.is_empty() {
            return Ok(());
        }
        ensure!(begun < deadline, "left in memory: {left:#?}");
    }
}
