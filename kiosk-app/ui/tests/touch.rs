//! How the window takes touches and keys: on release, inside the element, once; nothing through a
//! notice; and every touch is told.
//!
//! Deliberately absent: what a touch leads to, which Rust decides.

use anyhow::{Result, anyhow};
use kiosk_ui::{HomeScreen, ItemTile, KioskWindow, NoticeKind, Panel, Shell};
use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{Platform, PointerEventButton, WindowAdapter, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, ModelRc, PhysicalSize, PlatformError, VecModel};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

const MIDDLE: LogicalPosition = LogicalPosition { x: 540.0, y: 900.0 };
/// In the button 请人帮忙, at the bottom in the middle.
const HELP: LogicalPosition = LogicalPosition { x: 540.0, y: 1870.0 };

/// A platform whose clock only the test moves.
struct Bench {
    adapter: Rc<MinimalSoftwareWindow>,
    now_ms: Rc<Cell<u64>>,
}

impl Platform for Bench {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.adapter.clone())
    }

    fn duration_since_start(&self) -> Duration {
        Duration::from_millis(self.now_ms.get())
    }
}

struct Kiosk {
    window: KioskWindow,
    adapter: Rc<MinimalSoftwareWindow>,
    now_ms: Rc<Cell<u64>>,
}

impl Kiosk {
    /// The home page with one item, portrait.
    fn start() -> Result<Self> {
        let adapter = MinimalSoftwareWindow::new(RepaintBufferType::NewBuffer);
        let now_ms = Rc::new(Cell::new(1_000));
        let bench = Bench { adapter: adapter.clone(), now_ms: now_ms.clone() };
        slint::platform::set_platform(Box::new(bench)).map_err(|e| anyhow!("{e}"))?;
        let window = KioskWindow::new()?;
        window.global::<Panel>().set_mm(4.033);
        let item = ItemTile {
            code: "item".into(),
            title: "事项".into(),
            summary: "说明".into(),
            available: true,
            looks_up: false,
            done: false,
        };
        window.global::<HomeScreen>().set_items(ModelRc::new(VecModel::from(vec![item])));
        adapter.set_size(PhysicalSize::new(1080, 1920));
        window.show()?;
        let kiosk = Kiosk { window, adapter, now_ms };
        kiosk.pass(20);
        Ok(kiosk)
    }

    fn pass(&self, ms: u64) {
        self.now_ms.set(self.now_ms.get() + ms);
        slint::platform::update_timers_and_animations();
    }

    fn press(&self, position: LogicalPosition) -> Result<()> {
        let button = PointerEventButton::Left;
        self.adapter.dispatch_event_with_result(WindowEvent::PointerPressed { position, button })?;
        Ok(())
    }

    fn release(&self, position: LogicalPosition) -> Result<()> {
        let button = PointerEventButton::Left;
        self.adapter.dispatch_event_with_result(WindowEvent::PointerReleased { position, button })?;
        self.adapter.dispatch_event_with_result(WindowEvent::PointerExited)?;
        self.pass(1);
        Ok(())
    }

    fn tap(&self, position: LogicalPosition) -> Result<()> {
        self.press(position)?;
        self.release(position)
    }
}

/// A counter and the callback that counts in it.
fn counter() -> (Rc<Cell<u32>>, impl Fn() + 'static) {
    let count = Rc::new(Cell::new(0));
    let counting = count.clone();
    (count, move || counting.set(counting.get() + 1))
}

#[test]
fn acts_on_release_inside_the_element() -> Result<()> {
    let kiosk = Kiosk::start()?;
    let (helped, help) = counter();
    kiosk.window.global::<Shell>().on_help_tapped(help);
    kiosk.press(HELP)?;
    assert_eq!(helped.get(), 0, "the press alone does nothing");
    kiosk.release(HELP)?;
    assert_eq!(helped.get(), 1);
    kiosk.pass(1_000);
    kiosk.press(HELP)?;
    kiosk.release(MIDDLE)?;
    assert_eq!(helped.get(), 1, "released elsewhere");
    Ok(())
}

#[test]
fn a_notice_covers_the_page_but_not_the_ways_out() -> Result<()> {
    let kiosk = Kiosk::start()?;
    let (chosen, choose) = counter();
    let (helped, help) = counter();
    kiosk.window.global::<HomeScreen>().on_item_tapped(move |_| choose());
    let shell = kiosk.window.global::<Shell>();
    shell.on_help_tapped(help);
    let tile = LogicalPosition::new(540.0, 500.0);
    kiosk.tap(tile)?;
    assert_eq!(chosen.get(), 1, "the tile is where the test thinks");
    shell.set_notice(NoticeKind::Help);
    kiosk.pass(1_000);
    kiosk.tap(tile)?;
    kiosk.tap(HELP)?;
    assert_eq!((chosen.get(), helped.get()), (1, 1));
    shell.set_idle_warning(true);
    kiosk.pass(1_000);
    kiosk.tap(HELP)?;
    assert_eq!(helped.get(), 1, "the idle warning covers all");
    Ok(())
}

#[test]
fn every_touch_and_key_is_told() -> Result<()> {
    let kiosk = Kiosk::start()?;
    let shell = kiosk.window.global::<Shell>();
    let (touched, touch) = counter();
    shell.on_touched(touch);
    kiosk.press(MIDDLE)?;
    kiosk.pass(1);
    assert!(touched.get() > 0, "a touch on nothing");
    kiosk.release(MIDDLE)?;
    let before = touched.get();
    kiosk.pass(1_000);
    kiosk.press(HELP)?;
    kiosk.pass(1);
    assert!(touched.get() > before, "a touch on a button");

    let typed = Rc::new(Cell::new(String::new()));
    let typing = typed.clone();
    shell.on_key_pressed(move |text| typing.set(typing.take() + text.as_str()));
    for text in ["7", "X", "中"] {
        kiosk.adapter.dispatch_event_with_result(WindowEvent::KeyPressed { text: text.into() })?;
    }
    assert_eq!(typed.take(), "7X中");
    kiosk.adapter.dispatch_event_with_result(WindowEvent::KeyPressed { text: "8".into() })?;
    kiosk.adapter.dispatch_event_with_result(WindowEvent::KeyPressRepeated { text: "8".into() })?;
    assert_eq!(typed.take(), "8", "a key that is held is one key");
    Ok(())
}
