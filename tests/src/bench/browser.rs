//! The reference for everything on the screen: Debian's Chromium with static pages of the same size and much
//! the same contents as the kiosk's home and guide. Nothing runs in them but the measurement.
//!
//! Its own clock says when a page was painted first. For a touch it says when the frame was handed to the
//! compositor, which is before its pixels change: that flatters Chromium, not the kiosk.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

use super::memory;
use kiosk_tests::devtools::{self, DevTools};

const STYLE: &str = "body{margin:0;font:34px sans-serif;background:#f7f5f0;color:#222;width:1080px;height:1920px}\
    header{background:#8a2a1b;color:#fff;padding:40px;font-size:52px}h1{margin:40px;font-size:60px}\
    button{display:block;width:1000px;margin:30px 40px;padding:50px;text-align:left;font:inherit;\
    background:#fff;border:4px solid #999;border-radius:24px}button.down{background:#f3d9d3}\
    b{font-size:46px;display:block}footer{position:absolute;top:1760px;left:40px}";
const SCRIPT: &str = "window.painted=0;addEventListener('pointerdown',e=>{e.target.closest('button')?.classList.add('down');\
    requestAnimationFrame(()=>{const c=new MessageChannel();c.port1.onmessage=()=>{\
    window.painted=performance.timeOrigin+performance.now()};c.port2.postMessage(0)})});\
    addEventListener('pointerup',()=>document.querySelectorAll('.down').forEach(b=>b.classList.remove('down')));";
const HOME: &str = "<button onclick=\"location.href='guide.html'\"><b>12345 诉求提交</b>噪音、道路、垃圾、停水停电，\
    都可以反映</button><button><b>民生微心愿</b>生活里的小困难，说出来大家帮</button><button><b>养老待遇资格认证\
    </b>每年一次，本人来就可以</button><footer>上一步　请人帮忙　结束</footer>";
const GUIDE: &str = "<button onclick=\"location.href='home.html'\"><b>返回</b></button><p>生活中遇到烦心事，可以在这里\
    告诉政府，我们转给负责的单位去办。</p><h1>要带什么</h1><p>身份证（没带的话，可以输入身份证号码）</p><p>事情发生的\
    日期和地点</p><h1>要多久</h1><p>填写约 3 分钟。一般 1 个工作日内转到负责的单位。</p><h1>由谁办理</h1><p>12345 \
    政务服务便民热线</p><h1>收费</h1><p>免费</p><footer>上一步　请人帮忙　结束</footer>";
/// The middle of the first button, on both pages.
const BUTTON: (f64, f64) = (540.0, 260.0);
/// Beside every button.
const NOWHERE: (f64, f64) = (1060.0, 1900.0);

/// A running Chromium that shows the home page.
pub struct Browser {
    tools: DevTools,
    _profile: TempDir,
}

impl Browser {
    /// Starts one with a new profile, or says that there is none on this machine.
    pub fn start(folder: &Path) -> Result<Option<Browser>> {
        if !devtools::installed() {
            return Ok(None);
        }
        let home = write_pages(folder)?;
        let profile = TempDir::with_prefix("bench-chromium-")?;
        let tools = DevTools::start(&format!("file://{}", home.display()), profile.path())?;
        Ok(Some(Browser { tools, _profile: profile }))
    }

    /// From the start of the process to the first contents on the home page.
    pub fn first_paint(&mut self) -> Result<Duration> {
        let painted = self.tools.number(&painted("home"))?;
        since(self.tools.started, painted)
    }

    /// Memory of all its processes in MiB, and how many there are.
    pub fn memory(&self) -> Result<(f64, usize)> {
        memory::tree_pss_mib(self.tools.pid())
    }

    /// From a finger on a button to the frame in which the button looks pressed.
    pub fn touch(&mut self) -> Result<Duration> {
        self.tools.number("window.painted=0,1")?;
        let sent = self.tools.mouse("mousePressed", BUTTON.0, BUTTON.1)?;
        let painted = self.tools.number("window.painted")?;
        self.tools.mouse("mouseMoved", NOWHERE.0, NOWHERE.1)?;
        self.tools.mouse("mouseReleased", NOWHERE.0, NOWHERE.1)?;
        since(sent, painted)
    }

    /// From a tap on a button to the first contents of this other page.
    pub fn turn_to(&mut self, page: &str) -> Result<Duration> {
        self.tools.mouse("mousePressed", BUTTON.0, BUTTON.1)?;
        self.tools.number("window.painted")?;
        let sent = self.tools.mouse("mouseReleased", BUTTON.0, BUTTON.1)?;
        let painted = self.tools.number(&painted(page))?;
        since(sent, painted)
    }
}

/// When (milliseconds since 1970) this page was painted first; 0 until then.
fn painted(page: &str) -> String {
    format!(
        "(()=>{{const p=performance.getEntriesByName('first-contentful-paint')[0];\
         return document.title==='{page}'&&p?performance.timeOrigin+p.startTime:0}})()"
    )
}

fn since(then: SystemTime, ms_since_1970: f64) -> Result<Duration> {
    let at = UNIX_EPOCH + Duration::from_secs_f64(ms_since_1970 / 1000.0);
    at.duration_since(then).context("Chromium's clock is not the machine's")
}

fn write_pages(folder: &Path) -> Result<PathBuf> {
    for (name, body) in [("home", HOME), ("guide", GUIDE)] {
        let page = format!(
            "<!doctype html><html lang=zh-Hans><meta charset=utf-8><title>{name}</title><style>{STYLE}</style>\
             <header>莞城街道示例社区党群服务中心</header>{body}<script>{SCRIPT}</script></html>"
        );
        std::fs::write(folder.join(format!("{name}.html")), page)?;
    }
    Ok(folder.join("home.html"))
}
