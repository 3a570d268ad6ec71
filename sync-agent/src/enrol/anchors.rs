//! Which authorities this terminal takes for the city's, and how it learns others.
//!
//! The list comes with the terminal (`city-ca.pem`) and is replaced by the city's latest signed statement. While the
//! city can be verified, the statement is asked for now and then. When it cannot, because all authorities known here
//! were replaced while this terminal was offline, the statement is asked for without verifying who answers: what is
//! believed is the signature of the pinned receipt key over a number made up for this one question. An impostor can
//! keep the answer back; it can neither make one nor play an old one.

use std::path::Path;
use std::sync::Arc;

use reqwest::Client;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sync_protocol::{AnchorReply, AnchorStatement, CityReceiptPublicKey, limits};

use super::exchange::EnrolError;
use super::files::{self, ANCHORS, CITY_CA};
use crate::AgentError;
use crate::client::{Cause, answer};

/// The authorities in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchors(pub(crate) Vec<CertificateDer<'static>>);

impl Anchors {
    /// The city's last statement, or what the terminal came with.
    pub(crate) fn load(keys: &Path, city: &CityReceiptPublicKey) -> Result<Self, AgentError> {
        if let Some(stated) = Self::stated(keys, city) {
            return Ok(stated);
        }
        let pinned: Vec<_> = CertificateDer::pem_file_iter(keys.join(CITY_CA))
            .and_then(Iterator::collect)
            .map_err(|_| AgentError::Key(CITY_CA))?;
        if pinned.is_empty() { Err(AgentError::Key(CITY_CA)) } else { Ok(Self(pinned)) }
    }

    /// What was kept is believed on its signature, so a damaged file is no worse than none.
    fn stated(keys: &Path, city: &CityReceiptPublicKey) -> Option<Self> {
        let text = std::fs::read_to_string(keys.join(ANCHORS)).ok()?;
        match AnchorStatement::verify(text.trim(), city) {
            Ok(statement) => Self::of(&statement),
            Err(error) => {
                tracing::warn!(%error, "the kept statement of the city's authorities cannot be used");
                None
            }
        }
    }

    /// The authorities a statement lists; `None` when one of them could not be trusted as an authority.
    fn of(statement: &AnchorStatement) -> Option<Self> {
        let certificates: Vec<_> = statement.certificates().into_iter().map(CertificateDer::from).collect();
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).ok()?;
        }
        Some(Self(certificates))
    }
}

/// A fresh statement of the city.
pub(crate) struct Stated {
    /// What it lists.
    pub(crate) anchors: Anchors,
    /// The city's clock.
    pub(crate) city_ms: i64,
    jws: String,
}

impl Stated {
    /// Asks for the statement. It makes no difference whether `http` verifies who answers.
    pub(crate) async fn ask(
        http: &Client,
        url: &str,
        city: &CityReceiptPublicKey,
    ) -> Result<Self, EnrolError> {
        let nonce = format!("{:032x}", rand::random::<u128>());
        let call = http.get(format!("{url}/v1/anchors?nonce={nonce}"));
        let body = answer(call, limits::MAX_ANCHOR_STATEMENT + 1024).await?;
        let reply: AnchorReply =
            serde_json::from_slice(&body).map_err(|_| EnrolError::NoAnswer(Cause::NotJson))?;
        let statement = AnchorStatement::verify_answer(&reply.anchors, city, &nonce)
            .map_err(|_| EnrolError::NoAnswer(Cause::NotVerified))?;
        let anchors = Anchors::of(&statement).ok_or(EnrolError::NoAnswer(Cause::Other))?;
        Ok(Self { anchors, city_ms: statement.server_time_ms, jws: reply.anchors })
    }

    /// Keeps it; from the next connection on it holds.
    pub(crate) fn keep(&self, keys: &Path) -> Result<(), EnrolError> {
        files::write(keys, ANCHORS, self.jws.as_bytes()).map_err(EnrolError::Files)
    }
}

/// Takes anybody for the other end. Only [`Stated::ask`] may be asked over such a connection.
#[derive(Debug)]
pub(crate) struct Anybody(pub(crate) Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
