//! The city's own authorities, told to terminals in a signed statement.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use sync_protocol::{AnchorStatement, CityReceiptKey, limits};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::keys::{self, KeyError};

/// Signs the list of the city's authorities.
pub(crate) struct Anchors {
    certificates: Vec<CertificateDer<'static>>,
    key: CityReceiptKey,
}

impl Anchors {
    /// Reads the list; `None` when there is none. A list that does not vouch for this gateway's own certificate is
    /// refused: terminals that believed it would not find back here.
    pub(crate) fn load(
        path: &Path,
        key: CityReceiptKey,
        own_chain: &[CertificateDer<'_>],
    ) -> Result<Option<Self>, KeyError> {
        if !path.exists() {
            return Ok(None);
        }
        let certificates = keys::certificates(path)?;
        if certificates.len() > limits::MAX_ANCHORS {
            return Err(keys::refuse(path, "more authorities than terminals take"));
        }
        if !vouches(&certificates, own_chain) {
            return Err(keys::refuse(path, "none of these certifies gateway.cert.pem"));
        }
        Ok(Some(Self { certificates, key }))
    }

    /// The statement for a terminal that asked with this number.
    pub(crate) fn statement(&self, nonce: &str, now_ms: i64) -> String {
        AnchorStatement::new(nonce, now_ms, &self.certificates).sign(&self.key)
    }
}

/// Whether a terminal with these anchors would accept this chain, on a day on which the chain is valid.
fn vouches(anchors: &[CertificateDer<'static>], chain: &[CertificateDer<'_>]) -> bool {
    let mut roots = RootCertStore::empty();
    if anchors.iter().any(|anchor| roots.add(anchor.clone()).is_err()) {
        return false;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build() else {
        return false;
    };
    let Some((own, intermediates)) = chain.split_first() else { return false };
    let Ok((_, parsed)) = X509Certificate::from_der(own) else { return false };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return false };
    let name = names.value.general_names.iter().find_map(|name| match name {
        GeneralName::DNSName(name) => ServerName::try_from((*name).to_owned()).ok(),
        GeneralName::IPAddress(bytes) => {
            let ip = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let ip = ip.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from)).ok()?;
            Some(ServerName::IpAddress(ip.into()))
        }
        _ => None,
    });
    let Some(name) = name else { return false };
    let begin = |der: &CertificateDer<'_>| {
        X509Certificate::from_der(der).map_or(0, |(_, parsed)| parsed.validity().not_before.timestamp())
    };
    let moment = u64::try_from(chain.iter().map(begin).max().unwrap_or(0)).unwrap_or(0);
    let moment = UnixTime::since_unix_epoch(Duration::from_secs(moment));
    verifier.verify_server_cert(own, intermediates, &name, &[], moment).is_ok()
}
