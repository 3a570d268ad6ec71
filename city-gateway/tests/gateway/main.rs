//! The gateway from outside: real TLS, real files, a restart where it matters.

mod accept;
mod opener;
mod pages;
mod postgres;
mod program;
mod support;
