//! The relay: hands opened cases on to the departments that decide about them.
//!
//! A case is owed to its department from the transaction that accepted it. When it was opened, `worker` routes it by
//! its item, the opener seals it anew to the department's key, and it goes by the department's way: a webhook, a pull
//! feed, a message queue, or the desk that this gateway has itself. Each arrives at least once under an id that never
//! changes; what cannot be delivered stays as a dead letter until an operator releases it. Any number of gateways may
//! do this on one database.
//!
//! `answers` and `retry` are pure. `parcel` makes what travels; `webhook` and `nats` carry it, `feed` lets it be fetched.
//!
//! Deliberately absent: plaintext outside the opener's thread, the city's sealing key, a department's answer in a log,
//! an order between cases, a way to drop one.

mod answers;
mod config;
mod departments;
mod feed;
mod figures;
#[cfg(feature = "nats")]
mod nats;
mod parcel;
mod retry;
mod webhook;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use service_catalog::Catalog;
use sync_protocol::CityReceiptKey;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub use config::{DepartmentConfig, RelayConfig, Way};
pub use feed::new_token;
pub(crate) use figures::RelayFigures;

use crate::config::Config;
use crate::keys;
use crate::opener::Resealer;
use crate::store::relay::RelayStore;
use departments::Departments;
use parcel::Parcels;
use worker::Around;

/// What the relay shares with the rest of the gateway.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) store: Arc<dyn RelayStore>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) resealer: Resealer,
    /// Life of the store, part of every cursor.
    pub(crate) epoch: String,
    /// Rung when a case was opened, or a dead letter released.
    pub(crate) opened: Arc<Notify>,
    pub(crate) broken: Arc<Notify>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// A relay under way.
pub(crate) struct Relay {
    pub(crate) tasks: Vec<JoinHandle<()>>,
    pub(crate) figures: Arc<RelayFigures>,
    /// Where departments fetch, and the routes there.
    pub(crate) door: Option<(SocketAddr, Router)>,
}

/// Starts the relay; `None` when no department is configured, and everything stays owed.
pub(crate) async fn start(parts: Parts<'_>) -> anyhow::Result<Option<Relay>> {
    let Parts { config, store, catalog, resealer, epoch, opened, broken, stop } = parts;
    let settings = &config.relay;
    if settings.department.is_empty() {
        tracing::info!("no department is configured: cases stay owed and are decided at the desk");
        return Ok(None);
    }
    let departments = Departments::load(settings, catalog, &config.city.default_department).await?;
    let again = store.keep_departments(departments.codes()).await?;
    if again > 0 {
        tracing::warn!(alarm = true, again, "cases of departments that are gone are routed anew");
    }
    // The same file that makes the receipts; departments know its public half.
    let path = config.paths.keys.join("city-receipt.key.pem");
    let key = CityReceiptKey::from_pem(&keys::text(&path)?).map_err(|error| keys::refuse(&path, error))?;
    let parcels = Arc::new(Parcels::new(Arc::clone(&store), resealer, key));
    let figures = Arc::new(RelayFigures::new(Arc::clone(&store), departments.codes()));
    let around = Arc::new(Around {
        store: Arc::clone(&store),
        parcels: Arc::clone(&parcels),
        figures: Arc::clone(&figures),
        settings: settings.clone(),
        broken,
    });
    let tasks = worker::start(&around, &departments, opened, stop);
    let fetching = departments.fetching();
    let door = settings.listen.filter(|_| !fetching.is_empty());
    let door = door.map(|address| (address, feed::routes(fetching, store, parcels, epoch)));
    Ok(Some(Relay { tasks, figures, door }))
}
