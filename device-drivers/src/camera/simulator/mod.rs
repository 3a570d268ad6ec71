//! A simulated camera: scenes drawn in memory, sent frame by frame as a camera would send them.
//!
//! What crosses the socket is MJPG or YUYV, so the true decoder, judge and finder run. A scene shows a mat, perhaps
//! a sheet on it, light and lens; any [`Picture`](super::Picture) can lie on the mat, a photograph too. Frames of
//! another camera, such as a browser's, can be relayed instead. Faults are asked for by name. Frames differ by noise,
//! as a sensor's do, and come at the rate of the camera.

mod draw;
mod fault;
mod made_up;
mod scene;
mod server;

#[cfg(test)]
mod tests;

pub use fault::CameraFault;
pub use made_up::{card, paper, portrait};
pub use scene::{Glare, Laid, Scene};
pub use server::{CameraProfile, SimulatedCamera, serve};

/// The scene as a sensor without noise would see it.
pub fn drawn(scene: &Scene) -> super::Picture {
    draw::draw(scene, 0.0)
}
