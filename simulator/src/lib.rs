//! The simulator: starts and supervises the kiosk's real processes on one machine and stands in for the hardware
//! around them (card reader, printers, screen, network), with a page for people and the same controls over
//! HTTP for tests.
//!
//! Deliberately absent: any part of the kiosk itself. Nothing here decides what a session does, seals, sends or
//! stores; the queue and the inbox are only looked at. And no process is ever ended that was not started here.

pub mod action;
pub mod arguments;
pub mod authority;
pub mod cards;
pub mod client;
pub mod demo;
pub mod desk;
pub mod feeds;
pub mod http;
pub mod inbox;
pub mod launch;
pub mod lock;
pub mod log_file;
pub mod network;
pub mod paper;
pub mod pcscd;
mod pdf_page;
pub mod picture;
pub mod ports;
pub mod queue;
pub mod scenario;
pub mod screen;
mod signed_catalog;
pub mod stage;
pub mod supervisor;
mod typing;
pub mod world;
