//! The program `sync-agent`: reads `terminal.toml`, delivers until it is told to stop.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use sync_agent::courier::{Exported, Taken, export, take_receipts};
use sync_agent::{Agent, Config, enrol};
use tokio::signal::unix::{SignalKind, signal};

/// Delivers the records of one terminal to the city.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The terminal's configuration.
    #[arg(long, value_name = "terminal.toml", global = true, default_value = "terminal.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What else the program can do.
#[derive(Subcommand)]
enum Command {
    /// Enrols this terminal with a voucher of the city, and ends.
    Enrol {
        /// The voucher; without it, the one in the file `voucher` in the folder of keys.
        #[arg(long)]
        voucher: Option<String>,
    },
    /// Copies every sealed record that the city may not have, with its photos and scans, into a folder for a person
    /// to carry there. Kiosk and agent may run; of a terminal that is dead only the disk is needed.
    Export {
        /// The folder, on a USB stick for instance.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Notes the receipts that the city wrote into such a folder. Stop the agent first.
    TakeReceipts {
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
    },
}

fn export_to(config: &Config, folder: &Path) -> anyhow::Result<()> {
    let Exported { records, blobs, unreadable } = export(config, folder)?;
    println!("{} holds {records} records and {blobs} blobs for the city.", folder.display());
    if unreadable > 0 {
        println!("{unreadable} could not be read; start the terminal once, it closes such places by itself.");
    }
    Ok(())
}

fn take_receipts_from(config: &Config, folder: &Path) -> anyhow::Result<()> {
    let Taken { receipts, refused } = take_receipts(config, folder)?;
    println!("{receipts} records count as delivered now; {refused} receipts were not believed.");
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Reads the FAILPOINTS variable; does nothing unless built for the mutation tests.
    let _fail_points = fail::FailScenario::setup();
    // Only fails when one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config::load(&arguments.config)?;
    match &arguments.command {
        Some(Command::Export { to }) => return export_to(&config, to),
        Some(Command::TakeReceipts { from }) => return take_receipts_from(&config, from),
        Some(Command::Enrol { .. }) | None => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("no runtime")?;
    // Signals are caught before the files are opened, so that a stop is clean from the first moment.
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("no SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("no SIGINT")?;
        if let Some(Command::Enrol { voucher }) = arguments.command {
            return enrol::enrol_now(&config, voucher.as_deref()).await.context("not enrolled");
        }
        tokio::select! {
            enrolled = enrol::enrol_when_needed(&config) => enrolled?,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
        let agent = Agent::new(config)?;
        agent
            .run(async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            })
            .await;
        Ok(())
    })
}
