//! The screen link with a stand-in for the kiosk at its other end.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use simulator::screen::{PatchArea, Screen, ScreenError, ScreenNews, TouchPhase, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Speaks the kiosk's half of the link.
struct Kiosk(UnixStream);

impl Kiosk {
    async fn connect(screen: &Screen) -> Result<Self> {
        let mut stream = UnixStream::connect(screen.path()).await?;
        let hello = json!({"width": 8, "height": 4, "mm_per_px": 0.248});
        stream.write_all(&frame(1, hello.to_string().as_bytes())).await?;
        Ok(Self(stream))
    }

    async fn patch(&mut self, area: PatchArea, colour: [u8; 4]) -> Result<()> {
        let mut payload = area.to_bytes().to_vec();
        payload.extend(colour.repeat(usize::from(area.w) * usize::from(area.h)));
        Ok(self.0.write_all(&frame(2, &payload)).await?)
    }

    async fn receive(&mut self) -> Result<(u8, Value)> {
        let length = self.0.read_u32_le().await? as usize;
        let mut message = vec![0; length];
        self.0.read_exact(&mut message).await?;
        let payload = &message[1..];
        Ok((message[0], if payload.is_empty() { Value::Null } else { serde_json::from_slice(payload)? }))
    }

    async fn answer(&mut self, screen: &str) -> Result<()> {
        let elements = json!({"screen": screen, "elements": [
            {"role": "button", "label": "开始", "value": "", "enabled": true, "checked": false,
             "x": 1.0, "y": 1.0, "w": 4.0, "h": 2.0}]});
        Ok(self.0.write_all(&frame(3, elements.to_string().as_bytes())).await?)
    }
}

async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn listen(folder: &tempfile::TempDir) -> Result<Screen> {
    Ok(Screen::listen(&folder.path().join("screen.sock"))?)
}

const WHOLE: PatchArea = PatchArea { x: 0, y: 0, w: 8, h: 4, last: true };

#[tokio::test]
async fn patches_build_the_picture_and_reach_a_browser_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let screen = listen(&folder)?;
    assert_eq!(screen.tap(1.0, 1.0).await, Err(ScreenError::NotConnected));
    let mut kiosk = Kiosk::connect(&screen).await?;
    kiosk.patch(WHOLE, [10, 20, 30, 255]).await?;
    until(|| screen.status().frames == 1).await;
    assert_eq!((screen.status().width, screen.status().height), (8, 4));

    let (before, mut news) = screen.watch();
    assert_eq!(before.len(), 1, "what was drawn before comes whole");
    let small = PatchArea { x: 7, y: 3, w: 1, h: 1, last: true };
    kiosk.patch(small, [1, 2, 3, 255]).await?;
    let ScreenNews::Patch(patch) = news.recv().await? else { panic!("nobody has connected or left") };
    assert_eq!(PatchArea::read(&patch)?, (small, &[1, 2, 3, 255][..]));
    assert!(news.try_recv().is_err());

    let png = screen.picture().expect("a kiosk has drawn").png()?;
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
    reader.next_frame(&mut pixels)?;
    assert_eq!(pixels[..4], [10, 20, 30, 255]);
    assert_eq!(pixels[pixels.len() - 4..], [1, 2, 3, 255]);
    Ok(())
}

#[tokio::test]
async fn touches_keys_and_questions_go_to_the_kiosk() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let screen = listen(&folder)?;
    let mut kiosk = Kiosk::connect(&screen).await?;
    until(|| screen.status().connected).await;

    let before = Instant::now();
    screen.tap(3.0, 2.0).await?;
    assert!(before.elapsed() >= Duration::from_millis(60));
    assert_eq!(kiosk.receive().await?, (16, json!({"phase": "press", "x": 3.0, "y": 2.0})));
    assert_eq!(kiosk.receive().await?, (16, json!({"phase": "release", "x": 3.0, "y": 2.0})));
    screen.touch(TouchPhase::Move, 1.0, 1.0)?;
    assert_eq!(kiosk.receive().await?.1["phase"], "move");
    screen.key("陈".to_owned())?;
    assert_eq!(kiosk.receive().await?, (18, json!({"text": "陈"})));

    // Two questions at once: each gets the answer to itself.
    let asking = async { tokio::try_join!(screen.elements(), screen.elements()) };
    let answering = async {
        for name in ["home", "form"] {
            ensure!(kiosk.receive().await? == (17, Value::Null), "a question was expected");
            kiosk.answer(name).await?;
        }
        Ok(kiosk)
    };
    let (answers, kiosk) = tokio::join!(asking, answering);
    let (first, second) = answers?;
    // The first may have been woken only after the second answer; it is never older than its question.
    assert!(first.screen == "home" || first.screen == "form");
    assert_eq!(second.screen, "form");
    assert_eq!(second.elements[0].label, "开始");
    drop(kiosk?);
    until(|| !screen.status().connected).await;
    assert_eq!(screen.elements().await, Err(ScreenError::NotConnected));
    Ok(())
}

#[tokio::test]
async fn a_new_kiosk_takes_over_and_a_broken_one_is_cut() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let screen = listen(&folder)?;
    let mut first = Kiosk::connect(&screen).await?;
    first.patch(WHOLE, [1, 1, 1, 255]).await?;
    until(|| screen.status().frames == 1).await;
    let mut second = Kiosk::connect(&screen).await?;
    until(|| screen.status().frames == 0).await;
    second.patch(WHOLE, [2, 2, 2, 255]).await?;
    until(|| screen.status().frames == 1).await;
    assert_eq!(first.0.read(&mut [0; 8]).await?, 0, "the first is cut, and draws no more");
    assert_eq!(&screen.watch().0[0][9..13], [2, 2, 2, 255]);

    second.patch(PatchArea { x: 8, y: 0, w: 1, h: 1, last: true }, [3; 4]).await?;
    assert_eq!(second.0.read(&mut [0; 8]).await?, 0, "a patch outside the screen ends the link");
    until(|| !screen.status().connected).await;
    let again = Kiosk::connect(&screen).await?;
    until(|| screen.status().connected).await;
    drop(again);
    Ok(())
}

#[tokio::test]
async fn a_kiosk_that_says_nothing_is_not_waited_for_forever() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let screen = listen(&folder)?;
    let _kiosk = Kiosk::connect(&screen).await?;
    until(|| screen.status().connected).await;
    let before = Instant::now();
    assert_eq!(screen.elements().await, Err(ScreenError::Silent));
    assert!(before.elapsed() < Duration::from_secs(5));
    Ok(())
}
