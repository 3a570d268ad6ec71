//! What the gateway reads from strangers, for the fuzz targets (a feature; never part of what a city runs): the same
//! functions that the routes call, without the routes.
//!
//! Deliberately absent: any decoding of its own.

use axum::http::HeaderMap;
use rustls::pki_types::CertificateDer;

use crate::desk::{Transport, matching_step};
use crate::enrol::{SigningRequest, TerminalCertificate, certs_only, credentials, voucher_hash};

/// The key (SubjectPublicKeyInfo, DER) that a PKCS#10 request proves for this terminal.
///
/// # Errors
/// What is wrong with the request, as the terminal is told.
pub fn signing_request(body: &[u8], terminal: &str) -> Result<Vec<u8>, String> {
    let read = SigningRequest::read(body, terminal).map(|request| request.public_key);
    read.map_err(|error| error.to_string())
}

/// Code, fingerprint and key (SubjectPublicKeyInfo, DER) of a terminal's certificate.
pub fn terminal_certificate(der: &[u8]) -> Option<(String, String, Vec<u8>)> {
    let read = TerminalCertificate::read(&CertificateDer::from(der))?;
    // As it goes onto the list, with the times in it.
    let listed = read.for_the_list(0);
    Some((listed.terminal, listed.fingerprint, listed.public_key))
}

/// Certificates as an answer of EST; `None` when one of them is none.
pub fn est_answer(certificates: &[&[u8]]) -> Option<String> {
    let certificates: Vec<_> = certificates.iter().map(|der| CertificateDer::from(*der)).collect();
    certs_only(&certificates)
}

/// Terminal code and the kept hash of the voucher out of the headers of an enrolment.
pub fn enrolment_credentials(headers: &HeaderMap) -> Option<(String, Option<String>)> {
    let (terminal, voucher) = credentials(headers)?;
    let hash = voucher_hash(&terminal, &voucher);
    Some((terminal, hash))
}

/// The token of an operator's session out of a request's cookies.
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    Transport::Tls.token(headers)
}

/// Whether a request that changes something comes from one of the city's own pages.
pub fn is_our_own_page(headers: &HeaderMap, authority: Option<&str>) -> bool {
    Transport::Tls.is_our_own(headers, authority)
}

/// Whether a typed code (RFC 6238) is one of this secret's at this time.
pub fn code_is_good(secret: &[u8], typed: &str, now_ms: i64) -> bool {
    matching_step(secret, typed, now_ms).is_some()
}
