//! The city's side of the signed catalog: checks a catalog of service items, signs it (TUF), and publishes it as a
//! repository of files that any web server, gateway or USB stick can carry.
//!
//! Deliberately absent: the network; any way to publish an item that the kiosk would leave out; a key inside the
//! repository, or in a folder under version control.

mod files;
mod keys;
mod publish;
mod repository;
mod root;

pub use keys::{Keys, Role};
pub use publish::{Published, Publisher, check};
