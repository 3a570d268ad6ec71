//! Journeys through the true processes: what residents do, and what goes wrong around them.

mod broken;
mod network;
mod ordinary;
mod privacy;
mod reader;
mod printer;
