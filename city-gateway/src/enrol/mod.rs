//! How a terminal comes to its certificate, keeps it, and loses it.
//!
//! A terminal enrols once with a voucher and then renews with the certificate it has; both speak EST (RFC 7030).
//! Whether a certificate is worth anything is decided for each request by the allow-list, never by its dates: the
//! terminal's clock, and so its idea of those dates, may be years off, and a terminal that was offline for a year
//! must find its way back without anybody's hand.
//!
//! Deliberately absent: certificate revocation lists, and any way to get a certificate for another terminal than
//! the one that was authenticated.

mod allow_list;
mod anchors;
mod answer;
mod certificate;
mod est;
mod issuer;
mod limiter;
pub mod operator;
mod pkcs7;
mod request;
mod verifier;
mod voucher;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use sync_protocol::CityReceiptKey;

pub(crate) use allow_list::{AllowList, Believed};
#[cfg(feature = "simulation")]
pub(crate) use certificate::NAME;
pub(crate) use certificate::TerminalCertificate;
#[cfg(feature = "decoders")]
pub(crate) use est::credentials;
pub(crate) use est::{enrolment_routes, terminal_routes};
pub(crate) use issuer::{FileIssuer, Issuer};
#[cfg(feature = "decoders")]
pub(crate) use pkcs7::certs_only;
#[cfg(feature = "decoders")]
pub(crate) use request::SigningRequest;
pub(crate) use verifier::TerminalVerifier;
#[cfg(feature = "decoders")]
pub(crate) use voucher::hash as voucher_hash;

use crate::config::Config;
use crate::keys::{self, KeyError, TlsKeys};
use crate::store::registry::TerminalRegistry;
use anchors::Anchors;
use est::Limits;

/// What the routes of enrolment share.
pub(crate) struct Enrolment {
    registry: Arc<dyn TerminalRegistry>,
    allow_list: Arc<AllowList>,
    /// `None` when this gateway has no issuing key.
    issuer: Option<Box<dyn Issuer>>,
    /// Who may certify terminals, the issuing authority among them.
    authorities: Vec<CertificateDer<'static>>,
    /// `None` when no authorities of the city are named.
    anchors: Option<Anchors>,
    limits: Limits,
}

impl Enrolment {
    /// Reads what enrolment needs from the folder of keys.
    pub(crate) fn load(
        config: &Config,
        registry: Arc<dyn TerminalRegistry>,
        allow_list: Arc<AllowList>,
        tls: &TlsKeys,
    ) -> Result<Self, KeyError> {
        let (folder, settings) = (&config.paths.keys, &config.enrolment);
        let authorities = keys::certificates(&folder.join("terminal-ca.pem"))?;
        let path = folder.join(&settings.issuing_key);
        let issuer: Option<Box<dyn Issuer>> = if path.exists() {
            Some(Box::new(FileIssuer::load(&path, &authorities, settings.certificate_days)?))
        } else {
            None
        };
        // The same file that makes the receipts; the statement of anchors is the city's word as they are.
        let receipt = folder.join("city-receipt.key.pem");
        let key = CityReceiptKey::from_pem(&keys::text(&receipt)?)
            .map_err(|error| keys::refuse(&receipt, error))?;
        let anchors = Anchors::load(&folder.join("city-ca.pem"), key, &tls.chain)?;
        let limits = Limits::default();
        Ok(Self { registry, allow_list, issuer, authorities, anchors, limits })
    }

    /// Whether certificates can be made here.
    pub(crate) fn can_issue(&self) -> bool {
        self.issuer.is_some()
    }
}

/// TLS for the door of enrolment: no client certificate, because whoever knocks has none yet.
pub(crate) fn tls_config(tls: &TlsKeys) -> anyhow::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(tls.chain.clone(), tls.key.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
