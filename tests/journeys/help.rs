//! 请人帮忙: the kiosk rings, a keeper's page shows it, somebody comes; and what is said when nobody can.

use anyhow::{Context, Result, ensure};
use kiosk_store::AuditLog;
use kiosk_tests::devtools::{self, DevTools};
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use simulator::client::NetworkMode;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

/// A keeper's page as a telephone fetches it, without its script.
struct Page {
    http: reqwest::Client,
    base: String,
}

impl Page {
    async fn of(kiosk: &Kiosk) -> Result<Page> {
        let address = kiosk.state().await?.keeper_url;
        let base = address.strip_suffix("/keeper/").context("the page's address")?.to_owned();
        Ok(Page { http: reqwest::Client::builder().no_proxy().build()?, base })
    }

    async fn look(&self) -> Result<String> {
        let request = self.http.get(format!("{}/keeper/part", self.base));
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// Waits until so many calls ring; gives the page.
    async fn ringing(&self, kiosk: &Kiosk, calls: usize) -> Result<String> {
        let mark = format!("data-ringing=\"{calls}\"");
        let look = async || Ok(Some(self.look().await?).filter(|page| page.contains(&mark)));
        kiosk.until(&format!("{calls} calls on the keeper's page"), SOON, look).await
    }

    /// "I am coming", to the only call.
    async fn come(&self) -> Result<()> {
        let page = self.look().await?;
        let value = |name: &str| {
            let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
            after.and_then(|rest| rest.split('"').next()).with_context(|| format!("no {name} on the page"))
        };
        let body = format!("terminal={}&call={}", value("terminal")?, value("call")?);
        let request = self
            .http
            .post(format!("{}/keeper/answer", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.base)
            .body(body);
        request.send().await?.error_for_status()?;
        Ok(())
    }
}

async fn light(kiosk: &Kiosk, pattern: &str) -> Result<()> {
    let look = async || {
        let shows = kiosk.device("cabinet").await?.shows;
        Ok((shows["lights"]["help"] == pattern).then_some(()))
    };
    kiosk.until(&format!("the light to be {pattern}"), SOON, look).await
}

/// Outcomes that auditors find, in their order.
fn outcomes(kiosk: &Kiosk) -> Result<Vec<String>> {
    let rows = AuditLog::read(&kiosk.terminal_state(), "kiosk", 1, 10_000)?;
    let ended = rows.into_iter().filter(|row| row.name == "help_ended");
    Ok(ended.map(|row| row.fields.split_whitespace().next().unwrap_or_default().to_owned()).collect())
}

#[tokio::test]
async fn a_keeper_hears_it_and_comes() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let page = Page::of(&kiosk).await?;
    ensure!(page.look().await?.contains("现在没有人求助"));
    light(&kiosk, "off").await?;
    resident::begin(&kiosk, resident::APPEAL).await?;
    resident::identify(&kiosk, "ordinary").await?;
    kiosk.touch("长辈版").await?;
    kiosk.touch("请人帮忙").await?;
    kiosk.wait_text("正在通知管理员").await?;
    kiosk.wait_text("12345").await?;
    kiosk.wait_text("0769-00000000").await?;
    light(&kiosk, "slow").await?;

    let shown = page.ringing(&kiosk, 1).await?;
    for words in
        ["莞城街道示例社区党群服务中心", "DG0001", resident::APPEAL, "在回答问题", "长辈版", "我来了"]
    {
        ensure!(shown.contains(words), "{words} is not on the page: {shown}");
    }
    ensure!(!shown.contains("陈桂英") && !shown.contains("990001"), "nobody is named: {shown}");
    kiosk.wait_text("已经通知管理员").await?;
    // Who has gone on hears of it, too.
    kiosk.touch("知道了").await?;
    kiosk.touch("噪音太大").await?;
    light(&kiosk, "slow").await?;
    page.come().await?;
    kiosk.wait_text("管理员正在过来").await?;
    light(&kiosk, "on").await?;
    ensure!(page.ringing(&kiosk, 0).await?.contains("已答应过去"));
    kiosk.touch("知道了").await?;
    kiosk.touch("结束").await?;
    light(&kiosk, "off").await?;
    let gone = async || Ok(page.look().await?.contains("现在没有人求助").then_some(()));
    kiosk.until("the call to leave the page", SOON, gone).await?;
    let audited = async || Ok((outcomes(&kiosk)? == ["outcome=coming"]).then_some(()));
    kiosk.until("the audit line", SOON, audited).await
}

#[tokio::test]
async fn the_end_of_the_session_and_no_thank_you_take_it_off_the_page() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let page = Page::of(&kiosk).await?;
    kiosk.touch("English").await?;
    kiosk.touch("Get help").await?;
    kiosk.wait_text("Calling the site keeper").await?;
    let shown = page.ringing(&kiosk, 1).await?;
    ensure!(shown.contains("English 界面") && shown.contains("在首页"), "{shown}");
    kiosk.wait_text("The site keeper has been told").await?;
    kiosk.touch("No longer needed").await?;
    page.ringing(&kiosk, 0).await?;
    light(&kiosk, "off").await?;
    kiosk.touch("简体").await?;

    resident::begin(&kiosk, resident::APPEAL).await?;
    kiosk.touch("请人帮忙").await?;
    page.ringing(&kiosk, 1).await?;
    kiosk.touch("知道了").await?;
    kiosk.touch("结束").await?;
    kiosk.wait_screen("home").await?;
    page.ringing(&kiosk, 0).await?;
    light(&kiosk, "off").await?;
    let audited = async || Ok((outcomes(&kiosk)? == ["outcome=withdrawn", "outcome=left"]).then_some(()));
    kiosk.until("the audit lines", SOON, audited).await
}

#[tokio::test]
async fn without_a_network_it_says_so_and_rings_when_it_is_back() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let page = Page::of(&kiosk).await?;
    kiosk.network(NetworkMode::Off).await?;
    kiosk.wait_text("没有网络").await?;
    kiosk.touch("请人帮忙").await?;
    kiosk.wait_text("现在通知不到管理员").await?;
    kiosk.wait_text("12345").await?;
    kiosk.wait_text("0769-00000000").await?;
    light(&kiosk, "slow").await?;
    ensure!(page.look().await?.contains("现在没有人求助"), "nobody can know");
    kiosk.network(NetworkMode::On).await?;
    page.ringing(&kiosk, 1).await?;
    kiosk.wait_text("已经通知管理员").await.map(drop)
}

#[tokio::test]
async fn a_gateway_that_starts_again_still_has_the_call() -> Result<()> {
    let kiosk = Kiosk::start().await?;
    let page = Page::of(&kiosk).await?;
    kiosk.touch("请人帮忙").await?;
    page.ringing(&kiosk, 1).await?;
    kiosk.wait_text("已经通知管理员").await?;
    kiosk.kill("city-gateway").await?;
    page.ringing(&kiosk, 1).await?;
    page.come().await?;
    kiosk.wait_text("管理员正在过来").await.map(drop)
}

/// The page as a browser runs it: its script keeps it fresh, flashes, rings, and sends the answer.
#[tokio::test]
async fn in_a_browser_the_page_rings_and_one_touch_answers() -> Result<()> {
    ensure!(devtools::installed(), "chromium is not installed: `cargo xtask packages` says what is needed");
    let kiosk = Kiosk::start().await?;
    let address = kiosk.state().await?.keeper_url;
    let profile = TempDir::with_prefix("keeper-chromium-")?;
    let open = move || -> Result<DevTools> {
        let mut tools = DevTools::start(&address, profile.path())?;
        tools.number("document.getElementById('calls')?.dataset.ringing === '0' ? 1 : 0")?;
        Ok(tools)
    };
    let mut tools = tokio::task::spawn_blocking(open).await??;
    kiosk.touch("请人帮忙").await?;
    let answered = tokio::task::spawn_blocking(move || -> Result<()> {
        tools.number("document.querySelector('.come') ? 1 : 0")?;
        tools.number("document.title.includes('有人求助') ? 1 : 0")?;
        // The browser lets it sound after a touch; the policy of the page does too.
        let (x, y) = middle(&mut tools, "h1")?;
        tools.mouse("mousePressed", x, y)?;
        tools.mouse("mouseReleased", x, y)?;
        tools.number("document.documentElement.dataset.sound === 'on' ? 1 : 0")?;
        let (x, y) = middle(&mut tools, ".come")?;
        tools.mouse("mousePressed", x, y)?;
        tools.mouse("mouseReleased", x, y)?;
        tools.number("document.querySelector('.call.answered') ? 1 : 0").map(drop)
    });
    answered.await??;
    kiosk.wait_text("管理员正在过来").await.map(drop)
}

/// The middle of the first element of this kind.
fn middle(tools: &mut DevTools, selector: &str) -> Result<(f64, f64)> {
    let part = |side: &str, length: &str| {
        format!(
            "(() => {{ const e = document.querySelector('{selector}'); if (!e) return 0;
                const r = e.getBoundingClientRect(); return r.{side} + r.{length} / 2; }})()"
        )
    };
    Ok((tools.number(&part("left", "width"))?, tools.number(&part("top", "height"))?))
}
