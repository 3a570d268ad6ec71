//! The gateway from outside: real TLS, real files, a restart where it matters.

mod accept;
mod case_life;
mod desk;
mod opener;
mod operators;
mod pages;
mod program;
mod support;
