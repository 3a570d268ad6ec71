//! The program `catalog-publisher`; `cargo xtask catalog …` builds and runs it.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use catalog_publisher::{Keys, Published, Publisher, Role, check};
use clap::{Parser, Subcommand, ValueEnum};

/// Signs and publishes the catalog of service items.
#[derive(Parser)]
#[command(name = "cargo xtask catalog", bin_name = "cargo xtask catalog", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at every file as the kiosk would; names each fault with its file and line, publishes nothing
    Check {
        /// The catalog: a folder with `items/`
        #[arg(long, value_name = "DIR", default_value = "assets/catalog")]
        from: PathBuf,
    },
    /// Check, sign and publish a catalog under the next number
    Publish {
        /// The catalog: a folder with `items/`
        #[arg(long, value_name = "DIR", default_value = "assets/catalog")]
        from: PathBuf,
        #[command(flatten)]
        place: Place,
        /// Use at least this number, for instance after the last ones were lost
        #[arg(long, default_value_t = 1)]
        number: u64,
    },
    /// Sign what is published anew, so that it counts as fresh for some more days
    Timestamp {
        #[command(flatten)]
        place: Place,
    },
    /// Make the keys, without publishing anything
    Keys {
        /// Folder of the keys
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
    },
    /// Make new keys for a role and tell the terminals by a new root
    Rotate {
        /// Whose keys
        role: RoleName,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(clap::Args)]
struct Place {
    /// The repository: what the gateway serves, or a USB stick carries
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Folder of the keys
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Days until terminals call it stale
    #[arg(long, value_name = "N", default_value_t = 30)]
    expires_days: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Root,
    Targets,
    Snapshot,
    Timestamp,
}

impl Place {
    fn publisher(&self) -> Result<Publisher> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        Publisher::open(&self.to, keys(self.keys.clone())?, now.as_millis() as i64, self.expires_days)
    }
}

fn keys(folder: Option<PathBuf>) -> Result<Keys> {
    let folder = match folder {
        Some(folder) => folder,
        None => {
            let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
            let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
            data.or_else(home).context("no home folder; say --keys DIR")?.join("kiosk-catalog/keys")
        }
    };
    Keys::open(&folder)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Check { from } => {
            let items = check(&from)?;
            println!("{items} items in {}: every file is good.", from.display());
        }
        Command::Publish { from, place, number } => {
            let publisher = place.publisher()?;
            say(&publisher.publish(&from, number).await?, &place);
            let root = place.to.join("catalog-root.json");
            std::fs::write(&root, publisher.root()?)?;
            println!("A new terminal trusts it with {} as keys/catalog-root.json.", root.display());
        }
        Command::Timestamp { place } => say(&place.publisher()?.refresh().await?, &place),
        Command::Keys { keys: folder } => {
            let keys = keys(folder)?;
            keys.make_all()?;
            println!("The keys are in {}. Two of the three root keys must agree:", keys.folder().display());
            println!("keep them apart and offline; publishing needs only the others.");
        }
        Command::Rotate { role, place } => {
            let role = match role {
                RoleName::Root => Role::Root,
                RoleName::Targets => Role::Targets,
                RoleName::Snapshot => Role::Snapshot,
                RoleName::Timestamp => Role::Timestamp,
            };
            println!("The root is version {} now.", place.publisher()?.rotate(role).await?);
        }
    }
    Ok(())
}

fn say(published: &Published, place: &Place) {
    let Published { number, timestamp, files, fresh_until, .. } = published;
    println!(
        "Catalog {number} with {files} files is published in {} (timestamp {timestamp}, fresh until {fresh_until}).",
        place.to.display()
    );
}
