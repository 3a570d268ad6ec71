//! `cargo xtask …`: every command that a person types in this project, one file per command.
//!
//! Absent on purpose: any dependency on the project's own crates. This program must compile in
//! seconds and work when nothing else compiles, so it starts the others instead of linking them.

mod bench;
mod catalog;
mod ci;
mod demo;
mod fleet;
mod fuzz;
mod junit;
mod monkey;
mod oracle;
mod packages;
mod powercut;
mod run;
mod simulate;
mod test;
mod tidy;
mod ui;
mod verify;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Every command of the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole kiosk on this machine, with its simulated devices, in a browser page
    Demo(demo::Demo),
    /// Run every test: unit, contract, journeys, snapshots, crash
    Test(test::Test),
    /// Check the rules that no compiler checks: who may know whom, and the rules of the house
    Tidy,
    /// Draw every screen and every widget into a folder of pictures, with contact sheets
    Ui(ui::Ui),
    /// Measure speed and memory, each figure beside its reference
    Bench(bench::Bench),
    /// Let a fleet of terminals come back to the city after an outage, and draw how it bears that
    Fleet(fleet::Fleet),
    /// Cut the power at every write of a terminal's day, a million times, and look for broken promises
    Powercut(powercut::Powercut),
    /// Run agents and city under every fault that a seed draws, ten thousand times or one run with its trace
    Simulate(simulate::Simulate),
    /// Let a monkey play with the whole kiosk: touches, cards, pulls and faults from a seed
    Monkey(monkey::Monkey),
    /// Hunt for inputs that break a decoder, guided by coverage; tests try the same targets briefly
    Fuzz(fuzz::Fuzz),
    /// Faults of every kind between true agents, gateways and PostgreSQL; then the books are compared
    Oracle(oracle::Oracle),
    /// Sign and publish the catalog of service items: publish, timestamp, keys, rotate
    Catalog(catalog::Catalog),
    /// Check a paper that the city issued: an address, a PDF, or a picture of it
    Verify(verify::Verify),
    /// Everything that a change must pass: format, lints, licences, tests
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Test(test) => test.run(),
        Command::Tidy => tidy::run(),
        Command::Ui(ui) => ui.run(),
        Command::Bench(bench) => bench.run(),
        Command::Fleet(fleet) => fleet.run(),
        Command::Powercut(powercut) => powercut.run(),
        Command::Simulate(simulate) => simulate.run(),
        Command::Monkey(monkey) => monkey.run(),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::Oracle(oracle) => oracle.run(),
        Command::Catalog(catalog) => catalog.run(),
        Command::Verify(verify) => verify.run(),
        Command::Ci => ci::run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("\n{error:#}");
        ExitCode::FAILURE
    })
}
