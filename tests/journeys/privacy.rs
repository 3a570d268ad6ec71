//! What a resident leaves behind on the terminal: sealed records, and nothing that names anybody.

use anyhow::{Result, ensure};
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use std::path::Path;
use std::time::Duration;

/// Every byte string by which the made-up resident of the "ordinary" card could be found.
fn marks() -> Vec<Vec<u8>> {
    let texts = ["陈桂英", "9900011971", "样本路", "13800000000", "睡不了觉"];
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    texts.iter().flat_map(|text| [text.as_bytes().to_vec(), utf16(text)]).collect()
}

fn files_with_marks(folder: &Path, found: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = std::fs::symlink_metadata(&path)?.file_type();
        if kind.is_dir() {
            files_with_marks(&path, found)?;
        } else if kind.is_file() {
            let bytes = std::fs::read(&path)?;
            let marked = marks().iter().any(|mark| bytes.windows(mark.len()).any(|part| part == mark));
            if marked {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_file_of_the_terminal_or_the_city_names_anybody() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    resident::whole_visit(&kiosk, "ordinary").await?;
    kiosk.wait_delivered(1, Duration::from_secs(20)).await?;
    let opened = async || Ok(kiosk.inbox().await?.into_iter().find(|record| record.status == "opened"));
    kiosk.until("the city to open it", Duration::from_secs(20), opened).await?;
    let mut found = Vec::new();
    files_with_marks(kiosk.folder(), &mut found)?;
    ensure!(found.is_empty(), "personal data in {found:?}");

    // The search itself must be able to find something.
    std::fs::write(kiosk.folder().join("planted"), "x陈桂英x")?;
    files_with_marks(kiosk.folder(), &mut found)?;
    ensure!(found.len() == 1, "the planted mark is found: {found:?}");
    Ok(())
}
