//! The terminal's certificate: reading it, and when it is to be renewed.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cms::cert::CertificateChoices;
use cms::cert::x509::der::{Decode, Encode};
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::files::{CERTIFICATE, PREVIOUS_CERTIFICATE};
use super::key::NAME;

/// A certificate of this terminal and the times in it, milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnCertificate {
    /// The certificate, and authorities between it and the trusted one.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// Beginning of its validity.
    pub(crate) not_before_ms: i64,
    /// End of its validity.
    pub(crate) not_after_ms: i64,
}

impl OwnCertificate {
    /// Reads the certificate, or the previous one when the present one cannot be used.
    pub(crate) fn load(keys: &Path) -> Option<Self> {
        [CERTIFICATE, PREVIOUS_CERTIFICATE].into_iter().find_map(|name| {
            let chain: Vec<_> =
                CertificateDer::pem_file_iter(keys.join(name)).and_then(Iterator::collect).ok()?;
            let (not_before_ms, not_after_ms) = validity(chain.first()?)?;
            Some(Self { chain, not_before_ms, not_after_ms })
        })
    }

    /// When it is to be renewed: at two thirds of its life, and up to a twelfth later, so that terminals that were
    /// enrolled together do not renew together. `spread` is 0 to 1.
    pub(crate) fn renew_at_ms(&self, spread: f64) -> i64 {
        let life = self.not_after_ms.saturating_sub(self.not_before_ms).max(0);
        let later = (life / 12) as f64 * spread.clamp(0.0, 1.0);
        self.not_before_ms.saturating_add(life / 3 * 2).saturating_add(later as i64)
    }
}

/// Beginning and end of a certificate's validity, milliseconds since 1970.
pub(crate) fn validity(der: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    let ms = |seconds: i64| seconds.saturating_mul(1000);
    Some((ms(validity.not_before.timestamp()), ms(validity.not_after.timestamp())))
}

/// The certificate for this terminal and this key out of an answer of EST; `None` when it is not in there.
pub(crate) fn from_answer(body: &[u8], terminal: &str, public_key: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let message = ContentInfo::from_der(&STANDARD.decode(text).ok()?).ok()?;
    let signed: SignedData = message.content.decode_as().ok()?;
    let certificates = signed.certificates?.0.into_vec();
    certificates.into_iter().find_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => {
            let der = certificate.to_der().ok()?;
            is_for(&der, terminal, public_key).then_some(der)
        }
        CertificateChoices::Other(_) => None,
    })
}

fn is_for(der: &[u8], terminal: &str, public_key: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
    let named = names
        .value
        .general_names
        .iter()
        .any(|name| matches!(name, GeneralName::URI(uri) if uri.strip_prefix(NAME) == Some(terminal)));
    named && certificate.public_key().raw == public_key
}

/// DER as PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_due_after_two_thirds_and_well_before_the_end() {
        let certificate = OwnCertificate { chain: Vec::new(), not_before_ms: 1_200, not_after_ms: 2_400 };
        assert_eq!(certificate.renew_at_ms(0.0), 2_000);
        assert_eq!(certificate.renew_at_ms(1.0), 2_100);
        let nonsense = OwnCertificate { not_after_ms: i64::MIN, ..certificate };
        assert_eq!(nonsense.renew_at_ms(1.0), 1_200);
    }

    #[test]
    fn pem_is_read_as_it_was_written() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let read = CertificateDer::from_pem_slice(pem(made.der()).as_bytes()).unwrap();
        assert_eq!(&read, made.der());
    }

    #[test]
    fn a_torn_certificate_gives_way_to_the_previous_one() {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        std::fs::write(folder.path().join(PREVIOUS_CERTIFICATE), made.pem()).unwrap();
        std::fs::write(folder.path().join(CERTIFICATE), &made.pem()[..200]).unwrap();
        assert_eq!(&OwnCertificate::load(folder.path()).unwrap().chain[0], made.der());
        std::fs::remove_file(folder.path().join(PREVIOUS_CERTIFICATE)).unwrap();
        assert_eq!(OwnCertificate::load(folder.path()), None);
    }

    #[test]
    fn an_answer_that_is_none_gives_no_certificate() {
        for body in [&b""[..], b"<html>", b"AAAA", b"MAA="] {
            assert_eq!(from_answer(body, "DG0001", b"key"), None);
        }
    }
}
