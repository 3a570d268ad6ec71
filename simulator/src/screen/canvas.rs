//! The picture as the patches have left it.

use super::frames::{FrameError, Hello, PATCH_HEADER, PatchArea};

/// Longest side of a panel that is believed.
const SIDE_LIMIT: u32 = 8192;

/// RGBA pixels of the whole screen.
#[derive(Debug, Clone)]
pub struct Canvas {
    /// The panel.
    pub panel: Hello,
    /// Complete frames received on this connection.
    pub frames: u64,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A black screen.
    pub fn new(panel: Hello) -> Result<Self, FrameError> {
        let sides = [panel.width, panel.height];
        if sides.iter().any(|side| *side == 0 || *side > SIDE_LIMIT) || !panel.mm_per_px.is_finite() {
            return Err(FrameError::Hello);
        }
        let size = panel.width as usize * panel.height as usize * 4;
        let mut pixels = vec![0; size];
        pixels.iter_mut().skip(3).step_by(4).for_each(|alpha| *alpha = 255);
        Ok(Self { panel, frames: 0, pixels })
    }

    /// Puts a patch (header and pixels) in its place; true when the frame is complete with it.
    pub fn apply(&mut self, patch: &[u8]) -> Result<bool, FrameError> {
        let (area, pixels) = PatchArea::read(patch)?;
        let (right, lower) = (u32::from(area.x) + u32::from(area.w), u32::from(area.y) + u32::from(area.h));
        if right > self.panel.width || lower > self.panel.height {
            return Err(FrameError::Patch);
        }
        let row = usize::from(area.w) * 4;
        if row > 0 {
            for (index, source) in pixels.chunks_exact(row).enumerate() {
                let line = usize::from(area.y) + index;
                let start = (line * self.panel.width as usize + usize::from(area.x)) * 4;
                self.pixels[start..start + row].copy_from_slice(source);
            }
        }
        self.frames += u64::from(area.last);
        Ok(area.last)
    }

    /// The whole screen as patches of at most 128 rows, for a browser that has just connected.
    pub fn as_patches(&self) -> Vec<Vec<u8>> {
        let row = self.panel.width as usize * 4;
        let (w, height) = (self.panel.width as u16, self.panel.height as u16);
        let strips = self.pixels.chunks(row * 128).enumerate();
        strips
            .map(|(index, pixels)| {
                let (y, h) = ((index * 128) as u16, (pixels.len() / row) as u16);
                let area = PatchArea { x: 0, y, w, h, last: y + h == height };
                let mut patch = Vec::with_capacity(PATCH_HEADER + pixels.len());
                patch.extend_from_slice(&area.to_bytes());
                patch.extend_from_slice(pixels);
                patch
            })
            .collect()
    }

    /// The screen as PNG.
    pub fn png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let Hello { width, height, .. } = self.panel;
        crate::picture::encode(width, height, png::ColorType::Rgba, png::BitDepth::Eight, &self.pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas() -> Canvas {
        Canvas::new(Hello { width: 4, height: 300, mm_per_px: 0.25 }).unwrap()
    }

    fn patch(area: PatchArea, colour: [u8; 4]) -> Vec<u8> {
        let mut bytes = area.to_bytes().to_vec();
        bytes.extend(colour.repeat(usize::from(area.w) * usize::from(area.h)));
        bytes
    }

    #[test]
    fn patches_land_in_their_place_and_come_back_whole() {
        let mut first = canvas();
        let area = PatchArea { x: 1, y: 130, w: 2, h: 2, last: true };
        assert_eq!(first.apply(&patch(area, [1, 2, 3, 255])), Ok(true));
        let at = |x: usize, y: usize| (y * 4 + x) * 4;
        assert_eq!(&first.pixels[at(1, 130)..at(3, 130)], [1, 2, 3, 255, 1, 2, 3, 255]);
        assert_eq!(&first.pixels[at(0, 130)..at(1, 130)], [0, 0, 0, 255]);
        let mut second = canvas();
        let ends: Vec<bool> = first.as_patches().iter().map(|patch| second.apply(patch).unwrap()).collect();
        assert_eq!(ends, [false, false, true]);
        assert_eq!(first.pixels, second.pixels);
        assert_eq!((first.frames, second.frames), (1, 1));
    }

    #[test]
    fn a_patch_outside_the_screen_changes_nothing() {
        let mut canvas = canvas();
        let before = canvas.pixels.clone();
        let outside = PatchArea { x: 3, y: 0, w: 2, h: 1, last: true };
        assert_eq!(canvas.apply(&patch(outside, [9; 4])), Err(FrameError::Patch));
        assert_eq!(canvas.pixels, before);
        assert!(Canvas::new(Hello { width: 0, height: 5, mm_per_px: 1.0 }).is_err());
        assert!(Canvas::new(Hello { width: 5, height: 9000, mm_per_px: 1.0 }).is_err());
    }
}
