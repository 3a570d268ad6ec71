//! Our Slint platform: one window, software rendering into one buffer, an event loop that sleeps until
//! a timer, a touch or another thread wants it.

use super::elements;
use super::wake::{Wake, Waker, Wakes};
use super::{Frame, Input, Pixel, PointerPhase, Presenter, Rect};
use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{EventLoopProxy, Platform, PointerEventButton, WindowAdapter, WindowEvent};
use slint::{LogicalPosition, PhysicalSize, PlatformError};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// A frame is due this soon while something moves.
const FRAME: Duration = Duration::from_millis(16);
/// Without timers the loop still wakes now and then, so that a lost wake-up cannot freeze the screen.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The name of the page shown, told with the elements. The binder sets it.
pub type PageName = Rc<Cell<&'static str>>;

/// The platform; install it with `slint::platform::set_platform`.
pub struct KioskPlatform {
    window: Rc<MinimalSoftwareWindow>,
    size: PhysicalSize,
    presenter: RefCell<Box<dyn Presenter>>,
    page: PageName,
    wakes: RefCell<Wakes>,
    waker: Waker,
}

impl KioskPlatform {
    /// A platform of one window of this size.
    pub fn new(
        size: PhysicalSize,
        presenter: Box<dyn Presenter>,
        page: PageName,
        (waker, wakes): (Waker, Wakes),
    ) -> Self {
        let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        KioskPlatform {
            window,
            size,
            presenter: RefCell::new(presenter),
            page,
            wakes: RefCell::new(wakes),
            waker,
        }
    }

    fn on_input(&self, input: Input, everything: &mut bool) {
        match input {
            Input::Pointer { phase, x, y } => self.point(phase, LogicalPosition::new(x, y)),
            Input::Text(text) => {
                for character in text.chars() {
                    let text = slint::SharedString::from(character);
                    let _ = self
                        .window
                        .dispatch_event_with_result(WindowEvent::KeyPressed { text: text.clone() });
                    let _ = self.window.dispatch_event_with_result(WindowEvent::KeyReleased { text });
                }
            }
            Input::ElementsWanted => {
                let told = elements::describe(&self.window, self.page.get());
                if let Err(error) = self.presenter.borrow_mut().tell_elements(&told) {
                    tracing::debug!(%error, "nobody to tell the elements to");
                }
            }
            Input::Refresh => {
                *everything = true;
                self.window.request_redraw();
            }
        }
    }

    fn point(&self, phase: PointerPhase, position: LogicalPosition) {
        let button = PointerEventButton::Left;
        let event = match phase {
            PointerPhase::Press => WindowEvent::PointerPressed { position, button },
            PointerPhase::Move => WindowEvent::PointerMoved { position },
            PointerPhase::Release => WindowEvent::PointerReleased { position, button },
        };
        let _ = self.window.dispatch_event_with_result(event);
        if phase == PointerPhase::Release {
            // A finger that left hovers nowhere.
            let _ = self.window.dispatch_event_with_result(WindowEvent::PointerExited);
        }
    }

    fn draw(&self, buffer: &mut [Pixel], everything: &mut bool) {
        let width = self.size.width;
        self.window.draw_if_needed(|renderer| {
            let region = renderer.render(buffer, width as usize);
            let mut changed: Vec<Rect> = region
                .iter()
                .map(|(origin, size)| Rect {
                    x: origin.x as u32,
                    y: origin.y as u32,
                    width: size.width,
                    height: size.height,
                })
                .collect();
            if std::mem::take(everything) {
                changed = vec![Rect { x: 0, y: 0, width, height: self.size.height }];
            }
            if changed.is_empty() {
                return;
            }
            let frame = Frame { pixels: buffer, width };
            if let Err(error) = self.presenter.borrow_mut().present(&frame, &changed) {
                tracing::debug!(%error, "nobody sees this frame");
            }
        });
    }

    fn next_sleep(&self) -> Duration {
        if self.window.has_active_animations() {
            return FRAME;
        }
        slint::platform::duration_until_next_timer_update().map_or(LONGEST_SLEEP, |d| d.min(LONGEST_SLEEP))
    }
}

impl Platform for KioskPlatform {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        self.window.set_size(self.size);
        Ok(self.window.clone())
    }

    fn run_event_loop(&self) -> Result<(), PlatformError> {
        let mut buffer = vec![Pixel::default(); (self.size.width * self.size.height) as usize];
        let mut everything = true;
        let wakes = self.wakes.borrow();
        loop {
            slint::platform::update_timers_and_animations();
            self.draw(&mut buffer, &mut everything);
            wakes.sleep(self.next_sleep());
            // Everything that is already waiting belongs to the same frame.
            while let Some(wake) = wakes.next() {
                match wake {
                    Wake::Input(input) => self.on_input(input, &mut everything),
                    Wake::Call(call) => call(),
                    Wake::Quit => return Ok(()),
                }
            }
        }
    }

    fn new_event_loop_proxy(&self) -> Option<Box<dyn EventLoopProxy>> {
        Some(Box::new(Proxy(self.waker.clone())))
    }
}

struct Proxy(Waker);

impl EventLoopProxy for Proxy {
    fn quit_event_loop(&self) -> Result<(), slint::EventLoopError> {
        self.0.call(Wake::Quit)
    }

    fn invoke_from_event_loop(&self, call: Box<dyn FnOnce() + Send>) -> Result<(), slint::EventLoopError> {
        self.0.call(Wake::Call(call))
    }
}
