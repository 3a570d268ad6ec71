//! The gateway from outside: real TLS, real files, a restart where it matters.

mod accept;
mod applicant;
mod enrolment;
mod foreign_certificates;
mod opener;
mod pages;
mod program;
mod support;
