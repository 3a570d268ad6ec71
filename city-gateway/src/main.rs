//! The program `city-gateway`: reads its configuration, serves until told to stop, and ends with an error when
//! its supervisor should start it anew.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::bail;
use city_gateway::desk::DeskCommand;
use city_gateway::{Config, Gateway, Operation};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The city's end of the kiosks: keeps what terminals send, opens it, shows it.
#[derive(Parser)]
struct Arguments {
    /// Configuration file.
    #[arg(long, global = true, default_value = "gateway.toml")]
    config: PathBuf,
    /// Instead of serving.
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program does instead of serving.
#[derive(Subcommand)]
enum Command {
    /// With the store and the keys.
    #[command(flatten)]
    Store(Operation),
    /// With accounts and rules.
    #[command(flatten)]
    Desk(DeskCommand),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    // More than one provider may be compiled in; then rustls does not choose by itself.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("a TLS provider is already installed");
    }
    #[cfg(feature = "failpoints")]
    let _points = fail::FailScenario::setup();

    let config = Config::load(&arguments.config)?;
    match arguments.command {
        None => {}
        Some(Command::Desk(command)) => return command.run(&config).await,
        Some(Command::Store(operation)) => {
            let mut out = std::io::stdout().lock();
            for line in operation.run(&config).await? {
                writeln!(out, "{line}")?;
            }
            return Ok(());
        }
    }
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let gateway = Gateway::start(&config).await?;
    tracing::info!(terminals = %gateway.terminals(), city = %gateway.city(), "the gateway is ready");
    let failed = tokio::select! {
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        () = gateway.failed() => true,
    };
    tracing::info!(failed, "stopping");
    gateway.stop().await?;
    if failed {
        bail!("the gateway has to be started anew");
    }
    Ok(())
}
