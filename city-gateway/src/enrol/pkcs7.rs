//! Certificates the way EST wants them: a "certs-only" CMS message (RFC 7030, 4.1.3), in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cms::cert::x509::Certificate;
use cms::cert::x509::der::{Decode, Encode};
use cms::content_info::ContentInfo;
use rustls::pki_types::CertificateDer;

/// The message as it travels; `None` when one of these is not a certificate.
pub(crate) fn certs_only(certificates: &[CertificateDer<'_>]) -> Option<String> {
    let certificates: Vec<Certificate> =
        certificates.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>().ok()?;
    let message = ContentInfo::try_from(certificates).ok()?.to_der().ok()?;
    let text = STANDARD.encode(message);
    // Lines, as in MIME: clients written in C like them short.
    let lines = text.as_bytes().chunks(76).map(String::from_utf8_lossy);
    Some(lines.flat_map(|line| [line, "\r\n".into()]).collect())
}
