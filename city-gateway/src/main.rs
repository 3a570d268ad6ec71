//! The program `city-gateway`: reads its configuration, serves until told to stop, and ends with an error when
//! its supervisor should start it anew.

mod heap;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use city_gateway::desk::DeskCommand;
use city_gateway::operator::{self, Ask, CourierProgress, Told};
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

/// What can be asked of the gateway that runs.
#[derive(Subcommand)]
enum Question {
    /// Vouchers with which terminals enrol.
    #[command(subcommand)]
    Voucher(Voucher),
    /// The list of terminals.
    #[command(subcommand)]
    Terminal(Terminal),
    /// Documents that were issued to residents.
    #[command(subcommand)]
    Document(Document),
    /// Takes in the records that a person carried here from a terminal without a network, and writes the receipts
    /// beside them. The gateway's account must be able to read and write the folder.
    TakeCourier {
        /// The folder that `sync-agent export` wrote.
        #[arg(long)]
        from: PathBuf,
    },
}

#[derive(Subcommand)]
enum Voucher {
    /// Prints a voucher that enrols this terminal once. Earlier unused ones end.
    Issue {
        /// Code of the terminal.
        terminal: String,
        /// How long it is good.
        #[arg(long, default_value_t = 72)]
        valid_hours: u32,
    },
}

#[derive(Subcommand)]
enum Document {
    /// Takes a document back: whoever checks it from now on is told so.
    Revoke {
        /// Its number, as printed.
        number: String,
    },
}

#[derive(Subcommand)]
enum Terminal {
    /// Revokes a terminal: from now on what it sends is kept aside.
    Revoke {
        /// Its code.
        terminal: String,
    },
    /// Takes a revoked terminal back.
    Reinstate {
        /// Its code.
        terminal: String,
    },
    /// Revokes one certificate.
    RevokeCertificate {
        /// SHA-256 of its DER, hex, as events and alarms name it.
        fingerprint: String,
    },
    /// Lists terminals.
    List {
        /// Begin after this code.
        #[arg(long, default_value = "")]
        after: String,
    },
    /// Lists what happened.
    Events {
        /// Begin after this number.
        #[arg(long, default_value_t = 0)]
        after: i64,
    },
}

impl Question {
    fn ask(self) -> Ask {
        match self {
            Self::Voucher(Voucher::Issue { terminal, valid_hours }) => {
                Ask::IssueVoucher { terminal, valid_hours }
            }
            Self::Terminal(Terminal::Revoke { terminal }) => Ask::Revoke { terminal },
            Self::Terminal(Terminal::Reinstate { terminal }) => Ask::Reinstate { terminal },
            Self::Terminal(Terminal::RevokeCertificate { fingerprint }) => {
                Ask::RevokeCertificate { fingerprint }
            }
            Self::Terminal(Terminal::List { after }) => Ask::Terminals { after },
            Self::Terminal(Terminal::Events { after }) => Ask::Events { after },
            Self::Document(Document::Revoke { number }) => Ask::RevokeDocument { number },
            Self::TakeCourier { from } => {
                Ask::TakeCourier { folder: std::path::absolute(&from).unwrap_or(from) }
            }
        }
    }
}

/// Asks the running gateway and prints what it says: a voucher alone on its line, so that a script can take it.
async fn ask(config: &Config, question: Question) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match operator::ask(&config.paths.state, &question.ask()).await? {
        Told::Voucher { voucher, .. } => writeln!(out, "{voucher}")?,
        Told::Lines(lines) => {
            for line in lines {
                writeln!(out, "{line}")?;
            }
        }
        Told::Courier(_) => return watch_courier(&config.paths.state, &mut out).await,
        Told::Refused(why) => bail!(why),
    }
    Ok(())
}

/// Waits until the courier folder is taken in, and says what became of it.
async fn watch_courier(state: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    loop {
        let done = match operator::ask(state, &Ask::Courier).await? {
            Told::Courier(done) => done,
            Told::Refused(why) => bail!(why),
            Told::Voucher { .. } | Told::Lines(_) => bail!("an answer to another question"),
        };
        if !done.ended {
            eprintln!("  … {} records", done.records);
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        }
        let CourierProgress { records, again, aside, blobs, refused, troubles, failed, .. } = done;
        writeln!(
            out,
            "{records} records are held by the city now, {again} of them were before; {blobs} blobs."
        )?;
        if aside > 0 {
            writeln!(out, "{aside} of them are in quarantine: look at the alarms.")?;
        }
        for trouble in &troubles {
            writeln!(out, "not taken: {trouble}")?;
        }
        if let Some(why) = failed {
            bail!("{why}; begin again, what is held stays held");
        }
        if refused > 0 {
            bail!("{refused} files were not taken");
        }
        writeln!(out, "The receipts lie in the folder; carry it back and run `sync-agent take-receipts`.")?;
        return Ok(());
    }
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
    /// Prints a new token for a department that fetches, and the hash of it for `gateway.toml`.
    DepartmentToken,
    /// With terminals, through the gateway that runs.
    #[command(flatten)]
    Running(Question),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    heap::give_back_large_bodies();
    // More than one provider may be compiled in; then rustls does not choose by itself.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("a TLS provider is already installed");
    }
    #[cfg(feature = "failpoints")]
    let _points = fail::FailScenario::setup();

    if let Some(Command::DepartmentToken) = arguments.command {
        let (token, hash) = city_gateway::relay::new_token();
        writeln!(std::io::stdout().lock(), "{token}\ntoken_sha256 = [\"{hash}\"]")?;
        return Ok(());
    }
    let config = Config::load(&arguments.config)?;
    match arguments.command {
        None | Some(Command::DepartmentToken) => {}
        Some(Command::Desk(command)) => return command.run(&config).await,
        Some(Command::Running(question)) => return ask(&config, question).await,
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
    let enrolment = gateway.enrolment().map(tracing::field::display);
    tracing::info!(terminals = %gateway.terminals(), city = %gateway.city(), enrolment, "the gateway is ready");
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
