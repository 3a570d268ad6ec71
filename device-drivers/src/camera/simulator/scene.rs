//! What stands before the camera, in numbers.

use super::super::Picture;
use super::super::sheet::Point;

/// Everything a frame shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Pixels in a row; even.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Colour of the mat.
    pub mat: [u8; 3],
    /// What lies on it.
    pub laid: Option<Laid>,
    /// Light: 1 as usual, 0 dark, 2 twice as bright.
    pub light: f32,
    /// A lamp that is mirrored.
    pub glare: Option<Glare>,
    /// Radius of the blur in pixels: 0 is sharp.
    pub blur: u32,
    /// Noise of the sensor: the largest deviation of a channel, of 255.
    pub noise: u8,
    /// Pixels that the sheet moves from frame to frame.
    pub moves: f32,
}

impl Scene {
    /// An empty dark mat in good light, with a quiet sensor.
    pub fn empty(width: u32, height: u32) -> Scene {
        let mat = [44, 48, 52];
        Scene { width, height, mat, laid: None, light: 1.0, glare: None, blur: 0, noise: 3, moves: 0.0 }
    }

    /// The same with a sheet on the mat.
    pub fn with(width: u32, height: u32, laid: Laid) -> Scene {
        Scene { laid: Some(laid), ..Scene::empty(width, height) }
    }
}

/// A sheet on the mat.
#[derive(Debug, Clone, PartialEq)]
pub struct Laid {
    /// What it shows, flat and upright.
    pub picture: Picture,
    /// Its middle, in pixels of the frame.
    pub middle: (f32, f32),
    /// How wide it looks, in pixels.
    pub width: f32,
    /// How far it is turned clockwise, in degrees.
    pub turned: f32,
    /// How much narrower its upper edge looks: the camera's tilt, as a share.
    pub tilt: f32,
    /// How far its edges bow outwards in their middle, in pixels: a curled sheet.
    pub bow: f32,
}

impl Laid {
    /// A sheet in the middle of a frame of this size, lying straight.
    pub fn straight(picture: Picture, frame: (u32, u32), width: f32) -> Laid {
        let middle = (frame.0 as f32 / 2.0, frame.1 as f32 / 2.0);
        Laid { picture, middle, width, turned: 0.0, tilt: 0.0, bow: 0.0 }
    }

    /// Where its corners lie in the frame, clockwise from the top left one of what it shows.
    pub fn corners(&self) -> [Point; 4] {
        let height = self.width * self.picture.height() as f32 / self.picture.width() as f32;
        let (half, tall) = (self.width / 2.0, height / 2.0);
        let upper = half * (1.0 - self.tilt);
        let (sin, cos) = self.turned.to_radians().sin_cos();
        [(-upper, -tall), (upper, -tall), (half, tall), (-half, tall)].map(|(x, y)| Point {
            x: self.middle.0 + x * cos - y * sin,
            y: self.middle.1 + x * sin + y * cos,
        })
    }
}

/// A lamp mirrored in the sheet: a round spot that is white in its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glare {
    /// Its middle, in pixels of the frame.
    pub middle: (f32, f32),
    /// Where its light ends, in pixels.
    pub radius: f32,
}
