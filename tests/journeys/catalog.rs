//! The signed catalog through the true programs: published at the city, taken by the terminal, shown by the kiosk.

use anyhow::{Context, Result, ensure};
use kiosk_tests::resident;
use kiosk_tests::workshop::{Kiosk, programs, project};
use simulator::client::Options;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The agent looks when the city names another catalog, and the kiosk every ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);
const STALE: &str = "本机的事项内容可能不是最新的";

async fn start() -> Result<Kiosk> {
    // By itself the agent looks once, and then when the city names another.
    let options = Options { sign_catalog: true, ..Options::default() }
        .set("waits.same_touch_ms=0")
        .set("catalog.refresh_s=3600");
    let kiosk = Kiosk::start_with(options).await?;
    in_use(&kiosk, "1").await?;
    Ok(kiosk)
}

/// Waits until the terminal has this catalog in use.
async fn in_use(kiosk: &Kiosk, number: &str) -> Result<()> {
    let link = kiosk.folder().join("terminal/catalog/current");
    let look = async || {
        let target = std::fs::read_link(&link)?;
        Ok(target.ends_with(number).then_some(()))
    };
    kiosk.until(&format!("catalog {number} on the terminal"), PATIENCE, look).await
}

/// What an operator of the city types.
fn publisher(kiosk: &Kiosk, arguments: &[&str]) -> Result<()> {
    let gateway = kiosk.folder().join("gateway");
    let done = Command::new(programs()?.join("catalog-publisher"))
        .args(arguments)
        .arg("--to")
        .arg(gateway.join("repository"))
        .arg("--keys")
        .arg(gateway.join("catalog-keys"))
        .output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// The project's catalog with other words in its first item.
fn reworded(folder: &Path) -> Result<PathBuf> {
    let items = folder.join("items");
    std::fs::create_dir(&items)?;
    for entry in std::fs::read_dir(project().join("assets/catalog/items"))? {
        let entry = entry?;
        let text = std::fs::read_to_string(entry.path())?;
        let text =
            text.replace(resident::APPEAL, "12345 新的诉求").replace("您想反映哪方面的事？", "新的问题？");
        std::fs::write(items.join(entry.file_name()), text)?;
    }
    std::fs::copy(project().join("assets/catalog/areas.toml"), folder.join("areas.toml"))?;
    Ok(folder.to_owned())
}

#[tokio::test]
async fn a_new_catalog_is_shown_once_the_resident_who_is_there_has_gone() -> Result<()> {
    let kiosk = start().await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    let folder = tempfile::tempdir()?;
    let from = reworded(folder.path())?;
    publisher(&kiosk, &["publish", "--from", from.to_str().context("a plain path")?])?;
    in_use(&kiosk, "2").await?;
    // The words of the catalog the visit began with, to the end.
    resident::identify(&kiosk, "ordinary").await?;
    resident::answer_appeal(&kiosk).await?;
    resident::confirm(&kiosk).await?;
    resident::leave(&kiosk).await?;
    let shown =
        async || Ok(kiosk.labels().await?.iter().any(|label| label.contains("12345 新的诉求")).then_some(()));
    kiosk.until("the new title", PATIENCE, shown).await?;
    ensure!(!kiosk.labels().await?.iter().any(|label| label.contains(resident::APPEAL)));
    kiosk.wait_delivered(1, PATIENCE).await?;
    Ok(())
}

#[tokio::test]
async fn a_stale_catalog_is_said_and_stops_nothing() -> Result<()> {
    let kiosk = start().await?;
    // As after months without the city: the day until which it vouched has passed.
    let file = kiosk.folder().join("terminal/catalog/status.json");
    let noted = async || {
        let status: serde_json::Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        Ok((status["number"] == 1).then_some(status))
    };
    let mut status = kiosk.until("the agent's note", PATIENCE, noted).await?;
    status["expires_ms"] = 1_790_000_000_000_i64.into();
    let staged = file.with_extension("test");
    std::fs::write(&staged, serde_json::to_vec(&status)?)?;
    std::fs::rename(&staged, &file)?;
    let said = async |wanted: bool| -> Result<()> {
        let look = async || {
            let said = kiosk.labels().await?.iter().any(|label| label.contains(STALE));
            Ok((said == wanted).then_some(()))
        };
        kiosk.until(&format!("the banner to be there: {wanted}"), PATIENCE, look).await
    };
    said(true).await?;
    kiosk.touch(resident::APPEAL).await?;
    kiosk.wait_screen("guide").await?;
    kiosk.wait_text(STALE).await?;
    kiosk.touch("上一步").await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    kiosk.wait_delivered(1, PATIENCE).await?;
    // The city signs the same catalog anew.
    publisher(&kiosk, &["timestamp"])?;
    said(false).await
}
