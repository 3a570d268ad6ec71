//! Disk, catalog and patience, when they run out.

use anyhow::{Result, ensure};
use kiosk_tests::resident;
use kiosk_tests::workshop::{Kiosk, project};
use simulator::client::Options;
use std::time::Duration;

#[tokio::test]
async fn with_a_full_disk_submissions_close_and_information_still_works() -> Result<()> {
    let options = Options { min_free_mib: Some(1 << 40), ..Options::default() }.set("waits.same_touch_ms=0");
    let kiosk = Kiosk::start_with(options).await?;
    kiosk.wait_text("本机现在不能提交办件。办事指南照常可以看。").await?;
    kiosk.touch(resident::APPEAL).await?;
    kiosk.wait_screen("guide").await?;
    kiosk.wait_text("东莞市 12345 政务服务便民热线").await?;
    let start = kiosk.elements().await?.elements.into_iter().find(|element| element.label == "开始办理");
    if start.is_some_and(|button| button.enabled) {
        kiosk.touch("开始办理").await?;
        kiosk.wait_text("本机现在不能提交").await?;
        kiosk.touch("知道了").await?;
    }
    ensure!(kiosk.elements().await?.screen == "guide", "no session starts");
    Ok(())
}

#[tokio::test]
async fn a_broken_item_is_hidden_and_the_rest_works() -> Result<()> {
    let catalog = tempfile::TempDir::new()?;
    let items = catalog.path().join("items");
    std::fs::create_dir(&items)?;
    for entry in std::fs::read_dir(project().join("assets/catalog/items"))? {
        let entry = entry?;
        std::fs::copy(entry.path(), items.join(entry.file_name()))?;
    }
    std::fs::copy(project().join("assets/catalog/areas.toml"), catalog.path().join("areas.toml"))?;
    std::fs::write(items.join("broken.toml"), "code = \"broken\"\nversion = \"not a number\"\n")?;
    let options = Options { catalog: Some(catalog.path().to_owned()), ..Options::default() }
        .set("waits.same_touch_ms=0");
    let kiosk = Kiosk::start_with(options).await?;
    kiosk.wait_text("有 1 个事项暂时不能用").await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    ensure!(kiosk.log_tail("kiosk-app", 200).contains("broken.toml"), "and reported");
    Ok(())
}

#[tokio::test]
async fn somebody_who_walks_away_is_warned_and_then_forgotten() -> Result<()> {
    let options = Options::default()
        .set("waits.same_touch_ms=0")
        .set("waits.idle_s=2")
        .set("waits.countdown_s=3")
        .set("waits.farewell_s=1");
    let kiosk = Kiosk::start_with(options).await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    kiosk.card(Some("ordinary")).await?;
    kiosk.wait_text("陈桂英").await?;
    kiosk.card(None).await?;
    kiosk.wait_text("您还在吗？").await?;
    kiosk.touch("我还在，继续办理").await?;
    kiosk.wait_text("陈桂英").await?;
    kiosk.wait_text("您还在吗？").await?;
    kiosk.wait_screen_within("home", Duration::from_secs(15)).await?;
    let shown = kiosk.labels().await?.join(" ");
    ensure!(!shown.contains("陈桂英"), "{shown}");
    Ok(())
}
