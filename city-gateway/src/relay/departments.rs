//! The departments as they are configured, ready to be served: sealing keys read, ways opened, items of the catalog
//! directed to them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use service_catalog::Catalog;
use sync_protocol::AgeSealer;

use super::config::{DepartmentConfig, RelayConfig, Way};
use super::webhook::Webhook;
use crate::store::relay::{Route, Routes};

/// To whom a case is sealed.
pub(crate) struct Addressee {
    pub(crate) code: String,
    pub(crate) sealer: Arc<AgeSealer>,
}

/// A department to which the gateway brings its cases.
pub(crate) struct Department {
    pub(crate) code: String,
    pub(crate) carrier: Carrier,
}

/// How they are brought.
pub(crate) enum Carrier {
    Webhook(Addressee, Webhook),
    #[cfg(feature = "nats")]
    Nats(Addressee, super::nats::Nats),
    /// They are there already.
    Desk,
}

/// A department that fetches.
pub(crate) struct Fetching {
    pub(crate) addressee: Addressee,
    /// SHA-256 (hex) of its tokens.
    pub(crate) tokens: Vec<String>,
}

/// All of them.
pub(crate) struct Departments {
    codes: Vec<String>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) brought: Vec<Arc<Department>>,
    fetching: Vec<Arc<Fetching>>,
}

impl Departments {
    /// Reads keys and opens ways. A department's server need not be there yet.
    pub(crate) async fn load(
        config: &RelayConfig,
        catalog: &Catalog,
        default_department: &str,
    ) -> anyhow::Result<Self> {
        let mut departments = Self {
            codes: config.department.iter().map(|department| department.code.clone()).collect(),
            routes: Arc::new(routes(config, catalog, default_department)),
            brought: Vec::new(),
            fetching: Vec::new(),
        };
        let timeout = Duration::from_secs(config.timeout_seconds);
        for department in &config.department {
            let code = department.code.clone();
            let carrier = match &department.way {
                Way::Desk => Carrier::Desk,
                Way::Webhook { url, ca } => {
                    let webhook =
                        Webhook::new(url, ca, timeout).with_context(|| format!("department {code}"))?;
                    Carrier::Webhook(addressee(department)?, webhook)
                }
                Way::Pull { token_sha256 } => {
                    let fetching =
                        Fetching { addressee: addressee(department)?, tokens: token_sha256.clone() };
                    departments.fetching.push(Arc::new(fetching));
                    continue;
                }
                #[cfg(feature = "nats")]
                Way::Nats { server, subject, ca, credentials } => {
                    let (ca, credentials) = (ca.as_deref(), credentials.as_deref());
                    let nats = super::nats::Nats::new(server, subject, ca, credentials, timeout)
                        .await
                        .with_context(|| format!("department {code}"))?;
                    Carrier::Nats(addressee(department)?, nats)
                }
                #[cfg(not(feature = "nats"))]
                Way::Nats { .. } => anyhow::bail!("department {code}: this gateway was built without NATS"),
            };
            departments.brought.push(Arc::new(Department { code, carrier }));
        }
        Ok(departments)
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        self.codes.clone()
    }

    pub(crate) fn fetching(&self) -> Vec<Arc<Fetching>> {
        self.fetching.clone()
    }
}

fn addressee(department: &DepartmentConfig) -> anyhow::Result<Addressee> {
    let path = department.seal_to.as_deref().unwrap_or(Path::new(""));
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    let sealer = AgeSealer::from_recipients(&text).with_context(|| format!("{}", path.display()))?;
    Ok(Addressee { code: department.code.clone(), sealer: Arc::new(sealer) })
}

/// Each item of the catalog to the department that it names; what the catalog does not know to the default one.
fn routes(config: &RelayConfig, catalog: &Catalog, default_department: &str) -> Routes {
    let code = |name: &str| {
        let named = |department: &&DepartmentConfig| department.names.iter().any(|other| other == name);
        config.department.iter().find(named).map(|department| department.code.clone())
    };
    let route = |name: &str| Route { name: name.to_owned(), code: code(name) };
    // What follows a case goes where its case went.
    let items = catalog.items.iter().filter(|item| item.shape.follows().is_none());
    let items: HashMap<_, _> =
        items.map(|item| (item.code.clone(), route(&item.guide.department.zh_hans))).collect();
    Routes { items, others: route(default_department) }
}
