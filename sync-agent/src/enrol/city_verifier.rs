//! Whether the other end is the city: its certificate must come from one of the city's own authorities, always. Its
//! dates are judged by the city's time, and not at all until the city has said what time it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificate::validity;
use crate::trusted_time::TrustedTime;

/// The city's time, shared by every connection of this process.
#[derive(Debug)]
pub(crate) struct CityTime {
    start: Instant,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    time: TrustedTime,
    /// Validity of a certificate that was let in while there was no time to judge it by.
    let_in: Option<(i64, i64)>,
}

impl CityTime {
    /// Begins with the city's last word before this process.
    pub(crate) fn start(last_word_ms: Option<i64>) -> Self {
        let known = Known { time: TrustedTime::new(last_word_ms), let_in: None };
        Self { start: Instant::now(), known: Mutex::new(known) }
    }

    /// Takes a signed word of the city. `true` when the connection over which things went so far would not have been
    /// let in, had this been known: it must be given up.
    pub(crate) fn learn(&self, city_ms: i64) -> bool {
        let now = self.monotonic_ms();
        let mut known = self.locked();
        known.time.learn(city_ms, now);
        if !known.time.is_trusted() {
            return false;
        }
        let let_in = known.let_in.take();
        let_in.is_some_and(|(not_before, not_after)| !(not_before..=not_after).contains(&city_ms))
    }

    /// What the city would say now.
    pub(crate) fn city_ms(&self) -> Option<i64> {
        self.locked().time.city_ms(self.monotonic_ms())
    }

    fn now_ms(&self) -> Option<i64> {
        self.locked().time.now_ms(self.monotonic_ms())
    }

    fn let_in(&self, window: (i64, i64)) {
        self.locked().let_in = Some(window);
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn locked(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct CityVerifier {
    chain: Arc<WebPkiServerVerifier>,
    time: Arc<CityTime>,
}

impl CityVerifier {
    /// `None` when these authorities cannot be used.
    pub(crate) fn new(
        anchors: &[CertificateDer<'static>],
        time: Arc<CityTime>,
        provider: Arc<CryptoProvider>,
    ) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        for anchor in anchors {
            roots.add(anchor.clone()).ok()?;
        }
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
        Some(Self { chain, time })
    }
}

/// A span in which all of these are valid, if there is one.
fn common_validity(chain: &[&CertificateDer<'_>]) -> Result<(i64, i64), Error> {
    let mut common = (i64::MIN, i64::MAX);
    for der in chain {
        let (not_before, not_after) =
            validity(der).ok_or_else(|| Error::from(CertificateError::BadEncoding))?;
        common = (common.0.max(not_before), common.1.min(not_after));
    }
    Ok(common)
}

fn unix(ms: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

impl ServerCertVerifier for CityVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        // The terminal's own clock.
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(now) = self.time.now_ms() {
            return self.chain.verify_server_cert(end_entity, intermediates, name, ocsp, unix(now));
        }
        let mut all = vec![end_entity];
        all.extend(intermediates);
        let window = common_validity(&all)?;
        let verified =
            self.chain.verify_server_cert(end_entity, intermediates, name, ocsp, unix(window.0))?;
        self.time.let_in(window);
        Ok(verified)
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
        self.chain.supported_verify_schemes()
    }
}

#[cfg(test)]
#[path = "city_verifier_tests.rs"]
mod tests;
