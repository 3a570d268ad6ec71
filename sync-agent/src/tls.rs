//! TLS with the terminal's own certificate and exactly one trusted authority: the city's. The system's list of
//! authorities is never looked at, so a foreign certificate is refused however well it is signed.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::AgentError;

/// Reads `city-ca.pem`, `terminal.cert.pem` and `terminal.key.pem`.
pub(crate) fn client_config(keys: &Path) -> Result<ClientConfig, AgentError> {
    let mut trusted = RootCertStore::empty();
    for authority in certificates(keys, "city-ca.pem")? {
        trusted.add(authority).map_err(|_| AgentError::Key("city-ca.pem"))?;
    }
    let chain = certificates(keys, "terminal.cert.pem")?;
    let key = PrivateKeyDer::from_pem_file(keys.join("terminal.key.pem"))
        .map_err(|_| AgentError::Key("terminal.key.pem"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| AgentError::Tls)?
        .with_root_certificates(trusted)
        .with_client_auth_cert(chain, key)
        .map_err(|_| AgentError::Key("terminal.cert.pem"))?;
    // With a configuration of our own, reqwest leaves this to us.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(keys: &Path, name: &'static str) -> Result<Vec<CertificateDer<'static>>, AgentError> {
    let found: Vec<_> = CertificateDer::pem_file_iter(keys.join(name))
        .and_then(Iterator::collect)
        .map_err(|_| AgentError::Key(name))?;
    if found.is_empty() { Err(AgentError::Key(name)) } else { Ok(found) }
}
