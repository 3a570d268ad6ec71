//! Text that is written on the screen: in pinyin, by strokes, by hand, by radical. What arrives at the city is what was
//! chosen, and nothing of it stays on the terminal.

use anyhow::{Context, Result, ensure};
use kiosk_store::OutboxReader;
use kiosk_tests::resident;
use kiosk_tests::workshop::{Kiosk, run};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The program behind the keyboard.
const ENGINE: &str = "chinese-input";
const PATIENCE: Duration = Duration::from_secs(20);
/// A made-up number, and what is asked when nobody read an address from a card.
const NUMBER: &str = "99000119710101001";
const PLACE: &str = "事情发生在哪里？";

/// Identifies by typing, and answers up to the question what happened.
async fn at_what_happened(kiosk: &Kiosk) -> Result<()> {
    resident::begin(kiosk, resident::APPEAL).await?;
    kiosk.touch("改为输入身份证号码").await?;
    kiosk.key(NUMBER).await?;
    let check = kiosk_core::check_digit::mod_11_2(NUMBER).context("seventeen digits")?;
    kiosk.key(&check.to_string()).await?;
    kiosk.touch("确定").await?;
    kiosk.wait_text("您想反映哪方面的事？").await?;
    kiosk.touch("噪音太大").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("发生了什么事？").await.map(drop)
}

/// And on to the place, which has no ready phrases: the keyboard is there at once.
async fn at_the_place(kiosk: &Kiosk) -> Result<()> {
    at_what_happened(kiosk).await?;
    kiosk.touch("晚上施工或唱歌声音很大，睡不了觉。").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text(PLACE).await.map(drop)
}

/// Touches keys until all of them stand there as typed, then the candidate: before, the list is one of fewer keys.
async fn compose(kiosk: &Kiosk, keys: &[&str], typed: &str, candidate: &str) -> Result<()> {
    for key in keys {
        kiosk.touch(key).await?;
    }
    // The engine divides syllables.
    let plain = |label: &str| label.replace(['\'', ' '], "");
    let look = async || {
        let there =
            kiosk.elements().await?.elements.iter().any(|e| e.role == "text" && plain(&e.label) == typed);
        Ok(there.then_some(()))
    };
    kiosk.until(&format!("{typed:?} to be typed"), PATIENCE, look).await?;
    choose(kiosk, candidate).await
}

/// Touches a candidate, on whichever page it stands: pages are turned to the last one and back, each once the one before is
/// no longer shown.
async fn choose(kiosk: &Kiosk, candidate: &str) -> Result<()> {
    let mut turns = ["往下翻", "往上翻"];
    let mut turned_from = Vec::new();
    let look = async || {
        let labels = kiosk.labels().await?;
        if labels == turned_from {
            return Ok(None);
        }
        if labels.iter().any(|label| label == candidate) {
            return kiosk.touch_now(candidate).await.map(Some);
        }
        match kiosk.touch_now(turns[0]).await {
            Ok(()) => turned_from = labels,
            // The last page in this direction, or nothing to turn yet.
            Err(_) => turns.reverse(),
        }
        Ok(None)
    };
    kiosk.until(&format!("the candidate {candidate:?}"), PATIENCE, look).await
}

/// Waits until the answer's field holds exactly this.
async fn written(kiosk: &Kiosk, text: &str) -> Result<()> {
    let look = async || {
        let fields = kiosk.elements().await?.elements;
        Ok(fields.iter().any(|field| field.value.as_deref() == Some(text)).then_some(()))
    };
    kiosk.until(&format!("the field to hold {text:?}"), PATIENCE, look).await
}

/// From the place to the receipt; gives what the newest sealed case holds, opened with the standard command.
async fn submitted(kiosk: &Kiosk) -> Result<serde_json::Value> {
    kiosk.touch("下一题").await?;
    kiosk.touch("跳过这一题").await?;
    resident::answer_after_photos(kiosk).await?;
    resident::confirm(kiosk).await?;
    let queue = kiosk.wait_delivered(1, PATIENCE).await?;
    let opened = async || Ok(kiosk.inbox().await?.into_iter().find(|record| record.status == "opened"));
    kiosk.until("the city to open it", PATIENCE, opened).await?;
    let outbox = OutboxReader::open(&kiosk.terminal_state())?;
    let record = outbox.and_then(|outbox| outbox.record(queue.head).transpose());
    let record = record.context("the outbox holds it")??;
    let identity = kiosk.folder().join("gateway/keys/city-seal.key");
    let plain = run("age", &["-d", "-i", identity.to_str().context("a text path")?], &record.ciphertext)?;
    Ok(serde_json::from_slice(&plain)?)
}

/// The engine's processes that this kiosk has started.
async fn engines(kiosk: &Kiosk) -> Result<Vec<u32>> {
    let parent = kiosk.process("kiosk-app").await?.pid.context("it runs")?.to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // PID (NAME) STATE PARENT …
        let Some((head, rest)) = stat.rsplit_once(") ") else { continue };
        if head.ends_with(&format!("({ENGINE}")) && rest.split(' ').nth(1) == Some(&parent) {
            found.push(pid);
        }
    }
    Ok(found)
}

fn files_with(folder: &Path, mark: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = std::fs::symlink_metadata(&path)?.file_type();
        if kind.is_dir() {
            files_with(&path, mark, found)?;
        } else if kind.is_file()
            && std::fs::read(&path)?.windows(mark.len()).any(|part| part == mark.as_bytes())
        {
            found.push(path);
        }
    }
    Ok(())
}

/// Every file below with its size and when it was changed.
fn as_they_are(folder: &Path) -> Result<BTreeMap<PathBuf, (u64, std::time::SystemTime)>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let about = std::fs::symlink_metadata(&path)?;
        if about.is_dir() {
            found.extend(as_they_are(&path)?);
        } else {
            found.insert(path, (about.len(), about.modified()?));
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_matter_is_written_in_pinyin_and_nothing_of_it_stays() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    ensure!(engines(&kiosk).await?.is_empty(), "nobody types yet");
    let tables = kiosk.folder().join("terminal/typing");
    let before = as_they_are(&tables)?;
    ensure!(!before.is_empty(), "the demo made the engine's tables");

    at_what_happened(&kiosk).await?;
    let started = async || Ok(Some(engines(&kiosk).await?).filter(|pids| pids.len() == 1));
    let child = kiosk.until("the engine to start ahead of the first key", PATIENCE, started).await?[0];
    kiosk.touch("用键盘写").await?;
    compose(&kiosk, &["l", "u", "d", "e", "n", "g"], "ludeng", "路灯").await?;
    written(&kiosk, "路灯").await?;
    compose(&kiosk, &["b", "u"], "bu", "不").await?;
    compose(&kiosk, &["l", "i", "a", "n", "g"], "liang", "亮").await?;
    kiosk.touch("。").await?;
    written(&kiosk, "路灯不亮。").await?;
    // What is not chosen is not sent by accident.
    kiosk.touch("n").await?;
    kiosk.wait_text("嗯").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text("还有字没有选好").await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("重写").await?;
    kiosk.touch("下一题").await?;
    kiosk.wait_text(PLACE).await?;
    compose(&kiosk, &["d", "o", "n", "g", "g", "u", "a", "n"], "dongguan", "东莞").await?;
    written(&kiosk, "东莞").await?;
    let case = submitted(&kiosk).await?;
    ensure!(case["answers"]["what"] == "路灯不亮。" && case["answers"]["place"] == "东莞", "{case}");
    ensure!(engines(&kiosk).await? == [child], "one child for the whole session");

    let maps = std::fs::read_to_string(format!(
        "/proc/{}/maps",
        kiosk.process("kiosk-app").await?.pid.context("it runs")?
    ))?;
    ensure!(!maps.contains("librime") && !maps.contains("libzinnia"), "the kiosk itself loads no engine");
    resident::leave(&kiosk).await?;
    let gone = async || Ok((!Path::new(&format!("/proc/{child}")).exists()).then_some(()));
    kiosk.until("the engine's process to end", Duration::from_secs(3), gone).await?;
    ensure!(as_they_are(&tables)? == before, "nothing is learnt");
    let mut found = Vec::new();
    files_with(kiosk.folder(), "路灯不亮", &mut found)?;
    ensure!(found.is_empty(), "what was typed is in {found:?}");
    Ok(())
}

#[tokio::test]
async fn a_place_is_written_by_strokes_and_by_hand_in_the_elders_version() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    kiosk.touch("长辈版").await?;
    at_the_place(&kiosk).await?;
    // By hand first: an elder need not look for it.
    kiosk.wait_text("在框里写一个字").await?;
    kiosk.draw("手写区", &[&[(0.1, 0.48), (0.9, 0.46)], &[(0.5, 0.08), (0.5, 0.94)]]).await?;
    choose(&kiosk, "十").await?;
    written(&kiosk, "十").await?;
    // A stroke too many is taken back; then the drawing is given up.
    kiosk.draw("手写区", &[&[(0.1, 0.5), (0.9, 0.5)]]).await?;
    kiosk.touch("删除").await?;
    written(&kiosk, "十").await?;
    kiosk.touch("笔画").await?;
    compose(&kiosk, &["撇", "点、捺"], "丿丶", "人").await?;
    written(&kiosk, "十人").await?;
    compose(&kiosk, &["横", "撇", "点、捺"], "一丿丶", "大").await?;
    written(&kiosk, "十人大").await?;
    let case = submitted(&kiosk).await?;
    ensure!(case["answers"]["place"] == "十人大", "{case}");
    Ok(())
}

#[tokio::test]
async fn rare_characters_are_found_by_radical_and_arrive_unchanged() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    at_the_place(&kiosk).await?;
    kiosk.touch("生僻字").await?;
    for (strokes, radical, rest, character) in [("5 画", "龙", "4 画", "䶮"), ("5 画", "钅", "7 画", "𬭎")]
    {
        kiosk.wait_text("这个字的部首有几画？").await?;
        kiosk.touch(strokes).await?;
        choose(&kiosk, radical).await?;
        kiosk.wait_text(&format!("除了“{radical}”，还有几画？")).await?;
        choose(&kiosk, rest).await?;
        kiosk.wait_text("点您要的字").await?;
        choose(&kiosk, character).await?;
    }
    written(&kiosk, "䶮𬭎").await?;
    let case = submitted(&kiosk).await?;
    ensure!(case["answers"]["place"] == "䶮𬭎", "{case}");
    Ok(())
}

#[tokio::test]
async fn an_engine_that_dies_costs_a_word_and_one_that_is_gone_leaves_letters() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    at_the_place(&kiosk).await?;
    compose(&kiosk, &["d", "o", "n", "g", "g", "u", "a", "n"], "dongguan", "东莞").await?;
    kiosk.touch("s").await?;
    kiosk.wait_text("是").await?;
    let pid = engines(&kiosk).await?.first().copied().context("it runs")?;
    run("kill", &["-KILL", &pid.to_string()], &[])?;
    kiosk.touch("h").await?;
    kiosk.wait_text("刚才打的没有留住").await?;
    kiosk.touch("知道了").await?;
    written(&kiosk, "东莞").await?;
    compose(&kiosk, &["s", "h", "i"], "shi", "市").await?;
    written(&kiosk, "东莞市").await?;

    // Its tables are gone, as on a damaged disk.
    std::fs::rename(kiosk.folder().join("terminal/typing"), kiosk.folder().join("terminal/moved"))?;
    let pid = engines(&kiosk).await?.first().copied().context("it runs")?;
    run("kill", &["-KILL", &pid.to_string()], &[])?;
    kiosk.touch("n").await?;
    kiosk.wait_text("知道了").await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("拼音").await?;
    kiosk.wait_text("这种输入法现在用不了").await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("a").await?;
    written(&kiosk, "东莞市a").await?;
    let case = submitted(&kiosk).await?;
    ensure!(case["answers"]["place"] == "东莞市a", "{case}");
    Ok(())
}
