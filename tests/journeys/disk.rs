//! The terminal's disk, when it stops writing.

use anyhow::{Result, ensure};
use kiosk_oracle::failing_disk::FailingDisk;
use kiosk_tests::workshop::Kiosk;
use kiosk_tests::{oracle, resident};
use simulator::client::{NetworkMode, Options};
use std::time::Duration;
use tempfile::TempDir;

const CLOSED: &str = "本机现在不能提交办件";
const SOON: Duration = Duration::from_secs(30);

fn options() -> Options {
    Options { min_free_mib: Some(1), ..Options::default() }.set("waits.same_touch_ms=0")
}

/// While all of it runs, and again at the next start; one case is under way to the disk, one to the city.
#[tokio::test]
async fn a_disk_that_turns_read_only_is_said_and_loses_nothing() -> Result<()> {
    let (folder, elsewhere) = (TempDir::new()?, TempDir::new()?);
    let disk =
        FailingDisk::mount(&folder.path().join("terminal/state"), &elsewhere.path().join("image"), 64)?;
    let kiosk = Kiosk::start_in(folder, options()).await?;
    kiosk.wait_ready().await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    kiosk.wait_delivered(1, SOON).await?;
    kiosk.network(NetworkMode::Off).await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    let printed = kiosk.receipts().await?.len();

    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "ordinary").await?;
    resident::answer_appeal(&kiosk).await?;
    disk.fail()?;
    kiosk.touch("确认提交").await?;
    // The kiosk may have seen the disk before the touch, and takes no case; or it tried, and then nobody can say whether
    // the case was saved before the disk can be asked again. That it was is never said.
    let said = async || {
        let said = kiosk.labels().await?.join(" ");
        let either =
            ["本机现在不能提交", "现在还不知道有没有保存成功"].iter().any(|words| said.contains(words));
        Ok(either.then_some(()))
    };
    kiosk.until("the truth about the case", SOON, said).await?;
    // What waits reaches the city although its receipt cannot be noted.
    kiosk.network(NetworkMode::On).await?;
    let arrived = async || Ok((kiosk.inbox().await?.len() == 2).then_some(()));
    kiosk.until("the case that waited", SOON, arrived).await?;
    ensure!(kiosk.receipts().await?.len() == printed, "a receipt for a case that is not on disk");

    let folder = kiosk.stop().await?;
    disk.check()?;
    let kiosk = Kiosk::start_in(folder, options()).await?;
    kiosk.wait_text(CLOSED).await?;
    kiosk.touch(resident::APPEAL).await?;
    kiosk.wait_screen("guide").await?;
    kiosk.wait_text("东莞市 12345 政务服务便民热线").await?;
    kiosk.touch("上一步").await?;
    ensure!(kiosk.log_tail("sync-agent", 500).contains("ReadOnlyFilesystem"), "{}", kiosk.logs());

    disk.make_writable()?;
    let opened = async || Ok((!kiosk.labels().await?.join(" ").contains(CLOSED)).then_some(()));
    kiosk.until("submissions to open by themselves", SOON, opened).await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    kiosk.wait_delivered(3, SOON).await?;
    let findings = oracle::judge(&kiosk).await?;
    ensure!(findings.violations.is_empty() && findings.received == 3, "{findings:?}\n{}", kiosk.logs());
    let queue = kiosk.whole_queue().await?;
    ensure!(queue.records.len() == 3, "the case that nobody was told of is not there: {queue:?}");
    // The disk goes before the folder that it is mounted in.
    let folder = kiosk.stop().await?;
    drop(disk);
    drop(folder);
    Ok(())
}
