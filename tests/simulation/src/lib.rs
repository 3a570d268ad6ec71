//! Deterministic simulation of terminals and their city: the true agent, the true stores, the true gateway, on virtual
//! time, over a network and on machines where everything goes wrong that a seed draws. One seed is one run.
//!
//! [`run`] is one run from its beginning to its judgement; [`world`] its one loop; [`faults`] what goes wrong; `process`
//! the surroundings that the agent stands on; [`city`] the gateway, asked by a call instead of a socket; `terminal` and
//! `kiosk` the two halves of a terminal; [`truth`] the promises; `judge` the invariants; [`mutation`] the defects that
//! prove that the judge sees.
//!
//! Deliberately absent: any model of the agent or the city. What is made up here is the world around them: clocks,
//! chance, links, disks that are copied or put back, and the residents. Also absent: power cuts (see `tests/powercut`)
//! and TLS.

mod chance;
pub mod city;
pub mod faults;
mod happen;
mod judge;
mod kiosk;
pub mod mutation;
mod network;
mod process;
pub mod run;
mod terminal;
mod trace;
pub mod truth;
pub mod world;
