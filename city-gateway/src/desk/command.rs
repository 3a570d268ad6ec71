//! The command line's side: the first administrator, recovery when nobody can sign in, and a look at what the rules
//! would delete.
//!
//! Deliberately absent: a password as an argument, which every account of the machine could read.

use anyhow::{Context, bail};
use clap::Subcommand;

use super::accounts::{self, By, CONSOLE, Issued};
use super::pages::accounts::grouped;
use super::pages::qr;
use super::rights::role_label;
use crate::config::{Config, StoreKind};
use crate::store::desk::{DeskStore, Due, Duty, Role};
use crate::store::sqlite::SqliteStore;
use crate::stores::Stores;
use crate::terminals::now_ms;

/// What can be done without the pages. Accounts need a stopped gateway when it has a database of its own: it alone
/// writes to that.
#[derive(Debug, Subcommand)]
pub enum DeskCommand {
    /// Operators' accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Deletion by rule.
    Retention {
        /// Only say what the rules would delete now. The gateway itself deletes daily.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Makes an account and prints its one-time password and code secret.
    Add {
        /// Small letters, digits, `.` and `-`.
        name: String,
        /// administrator, auditor, department_worker, support or site_keeper.
        #[arg(long)]
        role: String,
        /// Whose cases, for a department worker: the department's name as in the catalog.
        #[arg(long)]
        department: Option<String>,
        /// Which terminals, for a site keeper: their codes, `DG0001 DG0002`.
        #[arg(long, default_value = "")]
        sites: String,
    },
    /// Gives an account a new one-time password and code secret.
    Reset {
        /// The account.
        name: String,
    },
    /// Takes an account back.
    Disable {
        /// The account.
        name: String,
    },
    /// Gives an account out again.
    Enable {
        /// The account.
        name: String,
    },
    /// Lists the accounts.
    List,
}

impl DeskCommand {
    /// Does it and prints what came out.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        match self {
            DeskCommand::Account(command) => {
                let stores = Stores::open_aside(config).await.context(
                    "accounts can be changed here while the gateway is stopped; while it runs, on its pages",
                )?;
                let done = command.run(&*stores.desk).await;
                stores.inbox.close().await?;
                done
            }
            DeskCommand::Retention { dry_run: false } => {
                bail!("the gateway deletes by itself, daily; use --dry-run to see what is due")
            }
            DeskCommand::Retention { dry_run: true } => due(config).await,
        }
    }
}

impl AccountCommand {
    async fn run(self, store: &dyn DeskStore) -> anyhow::Result<()> {
        let by = By { actor: CONSOLE.into(), address: String::new(), now_ms: now_ms() };
        match self {
            AccountCommand::Add { name, role, department, sites } => {
                let Some(role) = Role::from_code(&role) else {
                    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.code()).collect();
                    bail!("the roles are {}", roles.join(", "));
                };
                let duty = Duty { role, department, sites: accounts::sites(&sites) };
                print(&accounts::add(store, &by, &name, duty).await?);
            }
            AccountCommand::Reset { name } => print(&accounts::reset(store, &by, &name).await?),
            AccountCommand::Disable { name } => accounts::set_disabled(store, &by, &name, true).await?,
            AccountCommand::Enable { name } => accounts::set_disabled(store, &by, &name, false).await?,
            AccountCommand::List => {
                for operator in store.operators().await? {
                    let state = if operator.disabled { "停用 disabled" } else { "" };
                    let department = operator.department.unwrap_or_else(|| operator.sites.join(" "));
                    println!("{}\t{}\t{department}\t{state}", operator.name, role_label(operator.role));
                }
            }
        }
        Ok(())
    }
}

fn print(issued: &Issued) {
    println!("{}", qr::terminal(&issued.uri));
    println!("账号 account:            {}", issued.name);
    println!("一次性密码 one-time password: {}", issued.password.as_str());
    println!("动态口令密钥 code secret:     {}", grouped(&issued.secret));
    println!("{}", issued.uri.as_str());
    println!(
        "只显示这一次。首次登录后必须修改密码。 Shown once; the password must be changed at the first sign-in."
    );
}

async fn due(config: &Config) -> anyhow::Result<()> {
    let cut = config.retention.cut(now_ms());
    let Due { finished, dead_letters, quarantine, audit } = match config.store.kind {
        StoreKind::Sqlite => SqliteStore::due_in(&config.paths.state, cut)?,
        StoreKind::Postgres => {
            let stores = Stores::open_aside(config).await?;
            let due = stores.desk.due(cut).await;
            stores.inbox.close().await?;
            due?
        }
    };
    println!("finished cases\t{finished}");
    println!("dead letters\t{dead_letters}");
    println!("quarantine\t{quarantine}");
    println!("audit lines\t{audit}");
    Ok(())
}
