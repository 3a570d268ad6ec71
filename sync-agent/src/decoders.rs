//! What the agent reads of enrolment, for the fuzz targets (a feature; never in a release): the same functions that
//! enrolment and the connection call.
//!
//! Deliberately absent: any decoding of its own.

use std::path::Path;

use sync_protocol::CityReceiptPublicKey;

use crate::enrol::certificate::{OwnCertificate, from_answer};
use crate::enrol::{Anchors, CityTime, CityVerifier};

/// The certificate (DER) for this terminal and this key (SubjectPublicKeyInfo, DER) out of an answer of EST.
pub fn certificate_of_answer(body: &[u8], terminal: &str, public_key: &[u8]) -> Option<Vec<u8>> {
    from_answer(body, terminal, public_key)
}

/// When the certificate in the folder of keys is to be renewed, milliseconds since 1970: the earliest and the latest.
pub fn renewal_of(keys: &Path) -> Option<(i64, i64)> {
    let own = OwnCertificate::load(keys)?;
    Some((own.renew_at_ms(0.0), own.renew_at_ms(1.0)))
}

/// How many authorities of the city the folder of keys holds, and whether servers can be verified with them.
pub fn anchors_in(keys: &Path, city: &CityReceiptPublicKey) -> Option<(usize, bool)> {
    let Anchors(authorities) = Anchors::load(keys, city).ok()?;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let time = std::sync::Arc::new(CityTime::start(None));
    let usable = CityVerifier::new(&authorities, time, provider).is_some();
    Some((authorities.len(), usable))
}
