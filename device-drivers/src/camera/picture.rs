//! Pixels in memory: what a frame shows, and a small copy of it to judge by.
//!
//! A picture of a paper is personal data as a whole. Both types zero their pixels on drop and print only their size.

use std::fmt;

use zeroize::Zeroizing;

/// The largest width and height of a picture, in pixels: a 13-megapixel camera's with room to spare.
pub const MAX_SIDE: u32 = 5000;

/// A colour picture: rows from the top, three bytes (red, green, blue) a pixel, no padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Zeroizing<Vec<u8>>,
}

impl Picture {
    /// A picture of one colour. A side is at least 1 and at most [`MAX_SIDE`].
    pub fn filled(width: u32, height: u32, colour: [u8; 3]) -> Picture {
        let (width, height) = (width.clamp(1, MAX_SIDE), height.clamp(1, MAX_SIDE));
        let rgb = colour.repeat(width as usize * height as usize);
        Picture { width, height, rgb: Zeroizing::new(rgb) }
    }

    /// A picture of these bytes; `None` when there are not as many as its size asks for.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Option<Picture> {
        let rgb = Zeroizing::new(rgb);
        let fits = (1..=MAX_SIDE).contains(&width)
            && (1..=MAX_SIDE).contains(&height)
            && rgb.len() == width as usize * height as usize * 3;
        fits.then_some(Picture { width, height, rgb })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All bytes, row by row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// All bytes, to be drawn on.
    pub fn rgb_mut(&mut self) -> &mut [u8] {
        &mut self.rgb
    }

    /// The pixel at `x`, `y`; the nearest one of the edge when that lies outside.
    pub fn pixel(&self, x: i64, y: i64) -> [u8; 3] {
        let x = x.clamp(0, i64::from(self.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.height) - 1) as usize;
        let at = (y * self.width as usize + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Sets a pixel; outside nothing happens.
    pub fn set(&mut self, x: u32, y: u32, colour: [u8; 3]) {
        if x < self.width && y < self.height {
            let at = (y as usize * self.width as usize + x as usize) * 3;
            self.rgb[at..at + 3].copy_from_slice(&colour);
        }
    }

    /// The colour between pixels, blended from the four around (bilinear). Whole numbers are centres of pixels.
    pub fn between(&self, x: f32, y: f32) -> [u8; 3] {
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (x - left, y - top);
        let (left, top) = (left as i64, top as i64);
        let corners = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| self.pixel(left + dx, top + dy));
        std::array::from_fn(|channel| {
            let [a, b, c, d] = corners.map(|corner| f32::from(corner[channel]));
            let (upper, lower) = (a + (b - a) * across, c + (d - c) * across);
            (upper + (lower - upper) * down + 0.5) as u8
        })
    }

    /// Brightness alone (BT.601: 0.299 R + 0.587 G + 0.114 B).
    pub fn luma(&self) -> Luma {
        let grey = self.rgb.chunks_exact(3).map(|p| luma_of([p[0], p[1], p[2]])).collect();
        Luma { width: self.width, height: self.height, grey: Zeroizing::new(grey) }
    }

    /// The picture divided by `factor`: every pixel is the mean of a square. What does not fill a square is left out.
    pub fn shrunk(&self, factor: u32) -> Picture {
        let factor = factor.clamp(1, self.width.min(self.height));
        let (width, height) = (self.width / factor, self.height / factor);
        let (row, side) = (self.width as usize * 3, factor as usize);
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        let mut sums = vec![0u32; width as usize * 3];
        for band in self.rgb.chunks_exact(row * side).take(height as usize) {
            sums.fill(0);
            for line in band.chunks_exact(row) {
                for (cell, sum) in line.chunks_exact(side * 3).zip(sums.chunks_exact_mut(3)) {
                    for pixel in cell.chunks_exact(3) {
                        sum[0] += u32::from(pixel[0]);
                        sum[1] += u32::from(pixel[1]);
                        sum[2] += u32::from(pixel[2]);
                    }
                }
            }
            rgb.extend(sums.iter().map(|sum| (sum / (factor * factor)) as u8));
        }
        Picture { width, height, rgb: Zeroizing::new(rgb) }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{}, [redacted])", self.width, self.height)
    }
}

/// The brightness of a picture: one byte a pixel, rows from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Luma {
    width: u32,
    height: u32,
    grey: Zeroizing<Vec<u8>>,
}

impl Luma {
    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All pixels, row by row.
    pub fn grey(&self) -> &[u8] {
        &self.grey
    }
}

impl fmt::Debug for Luma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Luma({}x{}, [redacted])", self.width, self.height)
    }
}

/// The brightness of one colour.
pub(super) fn luma_of([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_as_many_bytes_as_its_size_says() {
        assert!(Picture::from_rgb(2, 2, vec![0; 12]).is_some());
        for (width, height, bytes) in [(2, 2, 11), (2, 2, 13), (0, 2, 0), (MAX_SIDE + 1, 1, 15_003)] {
            assert_eq!(Picture::from_rgb(width, height, vec![0; bytes]), None);
        }
    }

    #[test]
    fn shrinking_takes_the_mean_of_each_square() {
        let mut picture = Picture::filled(5, 4, [10, 20, 30]);
        picture.set(0, 0, [50, 20, 30]);
        picture.set(4, 3, [255, 255, 255]);
        let small = picture.shrunk(2);
        assert_eq!((small.width(), small.height()), (2, 2));
        assert_eq!(small.pixel(0, 0), [20, 20, 30]);
        assert_eq!(small.pixel(1, 1), [10, 20, 30], "the fifth column fills no square");
    }

    #[test]
    fn between_pixels_lies_the_colour_between() {
        let mut picture = Picture::filled(2, 1, [0, 0, 0]);
        picture.set(1, 0, [200, 100, 50]);
        assert_eq!(picture.between(0.5, 0.0), [100, 50, 25]);
        assert_eq!(picture.between(-3.0, 9.0), [0, 0, 0], "outside the edge goes on");
    }

    #[test]
    fn nothing_that_is_printed_shows_a_pixel() {
        let picture = Picture::filled(3, 2, [77, 77, 77]);
        assert_eq!(
            format!("{picture:?} {:?}", picture.luma()),
            "Picture(3x2, [redacted]) Luma(3x2, [redacted])"
        );
    }
}
