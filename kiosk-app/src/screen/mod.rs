//! Where the picture goes and where touches come from.
//!
//! One [`platform::KioskPlatform`] of our own draws with Slint's software renderer and hands each
//! changed rectangle to a [`Presenter`]. The first presenter is the simulator's page ([`link`]); the
//! terminal's own display comes with the OS image. On a desktop, Slint's stock winit back end opens a
//! window instead, with the same renderer.

pub mod elements;
pub mod link;
pub mod platform;
pub mod wake;

use slint::platform::software_renderer::PremultipliedRgbaColor;
use std::io;

/// One pixel: red, green, blue, alpha, a byte each.
pub type Pixel = PremultipliedRgbaColor;

/// A rectangle of the screen, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// The finished picture, row by row.
pub struct Frame<'a> {
    /// All pixels.
    pub pixels: &'a [Pixel],
    /// Pixels in a row.
    pub width: u32,
}

/// What comes from the screen's side.
#[derive(Debug)]
pub enum Input {
    /// A finger, in pixels.
    Pointer {
        /// What it does.
        phase: PointerPhase,
        /// From the left.
        x: f32,
        /// From the top.
        y: f32,
    },
    /// Text from a real keyboard.
    Text(String),
    /// Somebody wants to know what is on the screen, as a screen reader would.
    ElementsWanted,
    /// The other side has lost the picture: all of it is wanted.
    Refresh,
}

/// What a finger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerPhase {
    /// Down.
    Press,
    /// Moves while down.
    Move,
    /// Up.
    Release,
}

/// Shows frames to people.
pub trait Presenter {
    /// Shows what changed. An error means that nobody sees it now; the presenter recovers by itself
    /// and asks for a [`Input::Refresh`] when it can show again.
    fn present(&mut self, frame: &Frame, changed: &[Rect]) -> io::Result<()>;
    /// Answers [`Input::ElementsWanted`].
    fn tell_elements(&mut self, json: &str) -> io::Result<()>;
}
