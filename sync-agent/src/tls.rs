//! TLS with the terminal's own certificate and the city's authorities only. The system's list of authorities is never
//! looked at, so a foreign certificate is refused however well it is signed.
//!
//! The provider of the cryptography is named here and nowhere left to rustls: the library that verifies the catalog links
//! another one, and rustls panics where it has to choose between two.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use crate::AgentError;
use crate::connection::Trust;
use crate::enrol::certificate::OwnCertificate;
use crate::enrol::files::{CERTIFICATE, CITY_CA, KEY};
use crate::enrol::{Anybody, CityVerifier};

/// With `certificate`, `terminal.key.pem` is read for it.
pub(crate) fn client_config(
    keys: &Path,
    trust: Trust<'_>,
    certificate: Option<&OwnCertificate>,
) -> Result<ClientConfig, AgentError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::City(anchors, time) => Arc::new(
            CityVerifier::new(&anchors.0, Arc::clone(time), Arc::clone(&provider))
                .ok_or(AgentError::Key(CITY_CA))?,
        ),
        Trust::Anybody => Arc::new(Anybody(Arc::clone(&provider))),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| AgentError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match certificate {
        Some(own) => {
            let key = PrivateKeyDer::from_pem_file(keys.join(KEY)).map_err(|_| AgentError::Key(KEY))?;
            config.with_client_auth_cert(own.chain.clone(), key).map_err(|_| AgentError::Key(CERTIFICATE))?
        }
        None => config.with_no_client_auth(),
    };
    // Sessions are resumed within this configuration only: whoever learns another certificate, authority or time makes
    // a new one, and with it every certificate is looked at again.
    // With a configuration of our own, reqwest leaves this to us.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use rustls::crypto::CryptoProvider;

    use super::*;

    #[test]
    fn the_provider_is_named_although_two_are_linked_and_none_is_installed() {
        assert!(CryptoProvider::get_default().is_none(), "nothing in this process may have chosen one");
        let config = client_config(Path::new("/nowhere"), Trust::Anybody, None).unwrap();
        assert!(CryptoProvider::get_default().is_none(), "and nothing chooses one by the way");
        assert_eq!(format!("{:?}", config.crypto_provider().key_provider), "Ring");
    }
}
