//! From a scene to pixels: what the sensor would see.

use super::super::Picture;
use super::super::sheet::{Homography, Point};
use super::scene::{Glare, Laid, Scene};

/// Parts of a pixel, each way, of which its colour is the mean: edges are as soft as a sensor's.
const PARTS: u32 = 3;

/// The scene without noise, with the sheet shifted by `shift` pixels.
pub(super) fn draw(scene: &Scene, shift: f32) -> Picture {
    let mut frame = Picture::filled(scene.width, scene.height, scene.mat);
    if let Some(laid) = &scene.laid {
        let mut laid = laid.clone();
        laid.middle.0 += shift;
        lay(&mut frame, &laid);
    }
    if let Some(glare) = scene.glare {
        shine(&mut frame, glare);
    }
    if scene.blur > 0 {
        // Three times a box is nearly the bell of a lens out of focus.
        for _ in 0..3 {
            frame = blurred(&frame, scene.blur);
        }
    }
    for value in frame.rgb_mut() {
        *value = (f32::from(*value) * scene.light).clamp(0.0, 255.0) as u8;
    }
    frame
}

/// The same picture as a sensor gives it another time: every channel deviates a little.
pub(super) fn noisy(picture: &Picture, noise: u8, seed: u32) -> Picture {
    let mut frame = picture.clone();
    let range = u32::from(noise) * 2 + 1;
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    for value in frame.rgb_mut() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *value = (i32::from(*value) + ((state >> 8) % range) as i32 - i32::from(noise)).clamp(0, 255) as u8;
    }
    frame
}

fn lay(frame: &mut Picture, laid: &Laid) {
    let corners = laid.corners();
    let Some(view) = Homography::of_square(corners) else { return };
    let back = view.inverse();
    let ends = |places: [f32; 4], end: u32| {
        let low = places.iter().copied().fold(f32::MAX, f32::min) - laid.bow - 1.0;
        let high = places.iter().copied().fold(f32::MIN, f32::max) + laid.bow + 1.0;
        low.max(0.0) as u32..(high.max(0.0) as u32 + 1).min(end)
    };
    let (xs, ys) = (ends(corners.map(|p| p.x), frame.width()), ends(corners.map(|p| p.y), frame.height()));
    let bow = laid.bow / laid.width;
    for y in ys {
        for x in xs.clone() {
            let mut sum = [0u32; 3];
            for part in 0..PARTS * PARTS {
                let off = |part: u32| (part as f32 + 0.5) / PARTS as f32 - 0.5;
                let at = Point { x: x as f32 + off(part % PARTS), y: y as f32 + off(part / PARTS) };
                let place = bent(back.of(at), bow);
                let colour = shown(&laid.picture, place).unwrap_or_else(|| frame.pixel(x.into(), y.into()));
                (0..3).for_each(|channel| sum[channel] += u32::from(colour[channel]));
            }
            frame.set(x, y, sum.map(|channel| (channel / (PARTS * PARTS)) as u8));
        }
    }
}

/// Where a place is on a sheet whose edges bow outwards in their middle.
fn bent(place: Point, bow: f32) -> Point {
    let swell = |other: f32| 1.0 + 2.0 * bow * (1.0 - (2.0 * other - 1.0).powi(2)).max(0.0);
    let shrink = |value: f32, other: f32| (value - 0.5) / swell(other) + 0.5;
    Point { x: shrink(place.x, place.y), y: shrink(place.y, place.x) }
}

/// The colour of a sheet at a place between 0,0 and 1,1.
fn shown(picture: &Picture, place: Point) -> Option<[u8; 3]> {
    let inside = 0.0..1.0;
    let scaled = |part: f32, whole: u32| part * whole as f32 - 0.5;
    (inside.contains(&place.x) && inside.contains(&place.y))
        .then(|| picture.between(scaled(place.x, picture.width()), scaled(place.y, picture.height())))
}

fn shine(frame: &mut Picture, glare: Glare) {
    for y in 0..frame.height() {
        for x in 0..frame.width() {
            let far = (x as f32 - glare.middle.0).hypot(y as f32 - glare.middle.1) / glare.radius;
            if far < 1.0 {
                // White up to half the radius, then less and less.
                let strength = (2.0 - 2.0 * far).min(1.0);
                let pixel = frame.pixel(x.into(), y.into());
                frame.set(x, y, pixel.map(|value| (f32::from(value) + 255.0 * strength).min(255.0) as u8));
            }
        }
    }
}

/// Every pixel the mean of those up to `radius` away, rows first, then columns.
fn blurred(picture: &Picture, radius: u32) -> Picture {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let rows = averaged(picture.rgb(), width, height, radius as usize);
    let columns = averaged(&rows, height, width, radius as usize);
    Picture::from_rgb(picture.width(), picture.height(), columns).unwrap_or_else(|| picture.clone())
}

/// Averages along the rows and returns the transposed picture.
fn averaged(rgb: &[u8], width: usize, height: usize, radius: usize) -> Vec<u8> {
    let mut turned = vec![0; rgb.len()];
    for y in 0..height {
        let row = &rgb[y * width * 3..(y + 1) * width * 3];
        for channel in 0..3 {
            let value = |x: usize| u32::from(row[x * 3 + channel]);
            let mut sum: u32 = (0..radius.min(width)).map(value).sum();
            let mut count = radius.min(width) as u32;
            for x in 0..width {
                if x + radius < width {
                    sum += value(x + radius);
                    count += 1;
                }
                if x > radius {
                    sum -= value(x - radius - 1);
                    count -= 1;
                }
                turned[(x * height + y) * 3 + channel] = (sum / count) as u8;
            }
        }
    }
    turned
}
