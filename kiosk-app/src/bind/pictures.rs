//! Pictures that the window shows and that must not outlive their page. The window holds on to a picture until it has
//! drawn without it; only then can its pixels be overwritten.

use slint::{Image, Rgb8Pixel, SharedPixelBuffer, Timer};
use std::collections::VecDeque;
use std::time::Duration;

type Buffer = SharedPixelBuffer<Rgb8Pixel>;

/// Buffers that the live picture goes through: the one that is shown, the one that may still be held from the frame
/// before, and the one that is free.
const RING: usize = 3;
/// Twice so long after a picture was taken out of the window it is overwritten; the window draws in between.
const DRAWN: Duration = Duration::from_millis(50);

/// All that was lent to the window.
#[derive(Default)]
pub(super) struct Pictures {
    live: VecDeque<Buffer>,
    views: Vec<(String, Buffer)>,
}

impl Pictures {
    /// The next live picture, in a buffer that is used again and again.
    pub(super) fn live(&mut self, width: u32, height: u32, rgb: &[u8]) -> Image {
        if self.live.front().is_some_and(|buffer| (buffer.width(), buffer.height()) != (width, height)) {
            erase_later(self.live.drain(..).collect());
        }
        // The window keeps the picture that it has when the next one is equal.
        if let Some(last) = self.live.back().filter(|last| last.as_bytes() == rgb) {
            return Image::from_rgb8(last.clone());
        }
        let free = if self.live.len() < RING { None } else { self.live.pop_front() };
        let mut buffer = free.unwrap_or_else(|| Buffer::new(width, height));
        buffer.make_mut_bytes().copy_from_slice(rgb);
        self.live.push_back(buffer.clone());
        Image::from_rgb8(buffer)
    }

    /// A picture that stays, under its name: lent once, however often it is asked for.
    pub(super) fn view(&mut self, name: &str, width: u32, height: u32, rgb: &[u8]) -> Image {
        if let Some((_, buffer)) = self.views.iter().find(|(known, _)| known == name) {
            return Image::from_rgb8(buffer.clone());
        }
        let buffer = Buffer::clone_from_slice(rgb, width, height);
        self.views.push((name.to_owned(), buffer.clone()));
        Image::from_rgb8(buffer)
    }

    /// The live picture was taken out of the window.
    pub(super) fn end_live(&mut self) {
        erase_later(self.live.drain(..).collect());
    }

    /// All pictures but these were taken out of the window.
    pub(super) fn keep_only(&mut self, names: &[&str]) {
        let (kept, gone): (Vec<_>, Vec<_>) =
            self.views.drain(..).partition(|(name, _)| names.contains(&name.as_str()));
        self.views = kept;
        erase_later(gone.into_iter().map(|(_, buffer)| buffer).collect());
    }
}

/// Overwrites pictures that were taken out of the window, once it has drawn without them.
pub(super) fn erase_later<P: Clone + Default + 'static>(buffers: Vec<SharedPixelBuffer<P>>) {
    if !buffers.is_empty() {
        Timer::single_shot(DRAWN, move || Timer::single_shot(DRAWN, move || erase(buffers)));
    }
}

/// In place: nobody else holds them any more.
fn erase<P: Clone + Default>(buffers: Vec<SharedPixelBuffer<P>>) {
    for mut buffer in buffers {
        let before = buffer.as_slice().as_ptr();
        buffer.make_mut_slice().fill(P::default());
        if buffer.as_slice().as_ptr() != before {
            tracing::error!("the window still held a picture that had been taken out of it");
        }
    }
}
