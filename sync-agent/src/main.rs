//! The program `sync-agent`: reads `terminal.toml`, delivers until it is told to stop.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};
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
