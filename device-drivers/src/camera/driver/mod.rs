//! Where frames come from: a Video4Linux device, or the simulator's socket.

mod socket;
mod v4l2;
mod v4l2_calls;

pub use socket::SocketCamera;
pub use v4l2::V4l2Camera;
