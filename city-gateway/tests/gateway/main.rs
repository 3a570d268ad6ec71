//! The gateway from outside: real TLS, real files, a restart where it matters.

mod accept;
mod applicant;
mod backup;
mod blob_terminal;
mod blobs;
mod case_life;
mod catalog;
mod department;
mod desk;
mod enrolment;
mod foreign_certificates;
mod hello;
mod openapi;
mod opener;
mod operators;
mod pages;
mod pair;
mod postgres;
mod program;
mod query;
mod relay;
mod relay_feed;
mod relay_pair;
mod standing;
mod support;
mod telemetry;
