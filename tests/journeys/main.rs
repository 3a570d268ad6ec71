//! Journeys through the true processes: what residents do, and what goes wrong around them.

mod broken;
mod camera;
mod catalog;
mod devices;
mod disk;
mod fetch;
mod follow_up;
mod guide_print;
mod help;
mod items;
mod memory;
mod network;
mod numbers;
mod ordinary;
mod printer;
mod privacy;
mod progress;
mod rare_names;
mod reader;
mod scanner;
mod slow_printer;
mod social_card;
mod typing;
mod voice;
