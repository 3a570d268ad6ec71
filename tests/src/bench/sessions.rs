//! Memory after a thousand residents beside memory after ten: what a session leaves behind would add up.

use anyhow::{Context, Result};
use kiosk_tests::resident::{self, APPEAL};
use kiosk_tests::workshop::Kiosk;
use simulator::client::{Client, Options};
use tokio::runtime::Builder;

use super::memory::pss_mib;
use super::table::{Better, Row};

/// By then every cache that one resident fills is full.
const FIRST: usize = 10;
/// Every so many sessions hand in a case and print its receipt.
const WHOLE: usize = 10;
const PROGRAM: &str = "kiosk-app";

/// Lets so many residents come, one after the other.
pub fn measure(sessions: usize) -> Result<Vec<Row>> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let kiosk = Kiosk::start_with(Options::default().set("waits.same_touch_ms=0")).await?;
        let mut before = 0.0;
        for session in 1..=sessions {
            if session % WHOLE == 0 {
                eprintln!("  … sessions: {session} of {sessions}");
                resident::whole_visit(&kiosk, "ordinary").await?;
            } else {
                begun_and_left(&kiosk).await?;
            }
            if session == FIRST {
                before = memory(&kiosk).await?;
            }
        }
        let after = memory(&kiosk).await?;
        let what = format!("kiosk memory after {sessions} sessions");
        let row = Row::new(what, "MiB", after).beside(&format!("MiB after {FIRST}"), before, after / before);
        Ok(vec![row.goal(Better::Smaller, 1.05)])
    })
}

/// Identified, one question answered, and away.
async fn begun_and_left(kiosk: &Client) -> Result<()> {
    resident::begin(kiosk, APPEAL).await?;
    resident::identify(kiosk, "ordinary").await?;
    kiosk.wait_text("您想反映哪方面的事？").await?;
    kiosk.touch("噪音太大").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("leaving").await?;
    kiosk.touch("完成").await?;
    kiosk.wait_screen("home").await.map(drop)
}

async fn memory(kiosk: &Kiosk) -> Result<f64> {
    let pid = kiosk.process(PROGRAM).await?.pid.context("the kiosk runs")?;
    pss_mib(u32::try_from(pid)?)
}
