//! The program `devctl`, run as a technician runs it: every verb, against simulated devices on pseudo terminals and
//! sockets, also unplugged and faulty ones.

mod demo;
mod id_card;
mod run;
mod usage;
