//! The program `sync-agent`: reads `terminal.toml`, delivers until it is told to stop.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
use sync_agent::courier::{Exported, Taken, export, take_receipts};
use sync_agent::{Agent, Config};
use tokio::signal::unix::{SignalKind, signal};

/// Delivers the records of one terminal to the city.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The terminal's configuration.
    #[arg(long, global = true, value_name = "terminal.toml", default_value = "terminal.toml")]
    config: PathBuf,
    /// Instead of delivering over the network.
    #[command(subcommand)]
    courier: Option<Courier>,
}

/// The way without a network: a folder, on a USB stick for instance, that a person carries to the city and back.
#[derive(Subcommand)]
enum Courier {
    /// Copies every sealed record that the city may not have, with its photos and scans. Kiosk and agent may run; a
    /// terminal that is dead only needs its disk.
    Export {
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Notes the receipts that the city wrote into the folder. Stop the agent first.
    TakeReceipts {
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        from: PathBuf,
    },
}

impl Courier {
    /// Does it; returns what to print.
    fn run(self, config: &Config) -> anyhow::Result<String> {
        Ok(match self {
            Self::Export { to } => {
                let Exported { records, blobs, unreadable } = export(config, &to)?;
                let mut said = format!("{} holds {records} records and {blobs} blobs for the city.", to.display());
                if unreadable > 0 {
                    said += &format!(
                        " {unreadable} could not be read from this disk; start the terminal once, it closes such places."
                    );
                }
                said
            }
            Self::TakeReceipts { from } => {
                let Taken { receipts, refused } = take_receipts(config, &from)?;
                format!("{receipts} records count as delivered now; {refused} receipts were not believed.")
            }
        })
    }
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
    if let Some(courier) = arguments.courier {
        println!("{}", courier.run(&config)?);
        return Ok(());
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
