//! Who is let in by TLS: whoever shows a terminal's certificate of a trusted authority and proves its key. The
//! dates in it are not compared with today.
//!
//! Signatures, names, key usage and the chain are checked as at a moment at which every certificate of the chain
//! was valid. What an expired certificate may still do, the allow-list says for each request.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::TerminalCertificate;

/// See the module.
#[derive(Debug)]
pub(crate) struct TerminalVerifier {
    chain: Arc<dyn ClientCertVerifier>,
}

impl TerminalVerifier {
    /// Trusts these authorities, old and new ones alike.
    pub(crate) fn new(
        authorities: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
    ) -> anyhow::Result<Self> {
        Ok(Self { chain: WebPkiClientVerifier::builder_with_provider(authorities, provider).build()? })
    }
}

/// A moment at which all of these were valid: the latest of their beginnings.
fn valid_moment(certificates: &[&CertificateDer<'_>]) -> Result<UnixTime, Error> {
    let mut latest = 0;
    for der in certificates {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|_| Error::from(CertificateError::BadEncoding))?;
        latest = latest.max(certificate.validity().not_before.timestamp());
    }
    let seconds = u64::try_from(latest).map_err(|_| Error::from(CertificateError::BadEncoding))?;
    Ok(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
}

impl ClientCertVerifier for TerminalVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if TerminalCertificate::read(end_entity).is_none() {
            tracing::warn!("a certificate that names no terminal was shown");
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        let mut all = vec![end_entity];
        all.extend(intermediates);
        self.chain.verify_client_cert(end_entity, intermediates, valid_moment(&all)?)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // The one kind of key a terminal has.
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
