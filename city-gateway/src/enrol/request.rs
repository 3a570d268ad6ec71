//! Reading a PKCS#10 request: the key it asks for, proven by the request's own signature.
//!
//! Nothing else of a request goes into a certificate. Names in it are only compared, so that a request made for
//! another terminal is not answered with a certificate for this one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sync_protocol::TerminalPublicKey;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, GeneralName};

use super::certificate::NAME;

/// Longest request, base64 and all.
pub(crate) const MAX_REQUEST: usize = 16 * 1024;

/// A request whose signature was checked.
pub(crate) struct SigningRequest {
    /// SubjectPublicKeyInfo (P-256), DER.
    pub(crate) public_key: Vec<u8>,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// Not base64 of a PKCS#10 request.
    #[error("not a PKCS#10 request in base64")]
    Unreadable,
    /// Another kind of key.
    #[error("the key is not a P-256 key")]
    WrongKey,
    /// Whoever sent it does not hold the key.
    #[error("the request is not signed with its own key")]
    NotProven,
    /// Made for somebody else.
    #[error("the request names another terminal")]
    OtherTerminal,
}

impl SigningRequest {
    /// Reads the body of a request for this terminal.
    pub(crate) fn read(body: &[u8], terminal: &str) -> Result<Self, RequestError> {
        let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(text).map_err(|_| RequestError::Unreadable)?;
        let (rest, request) =
            X509CertificationRequest::from_der(&der).map_err(|_| RequestError::Unreadable)?;
        if !rest.is_empty() {
            return Err(RequestError::Unreadable);
        }
        let public_key = request.certification_request_info.subject_pki.raw.to_vec();
        TerminalPublicKey::from_spki_der(&public_key).map_err(|_| RequestError::WrongKey)?;
        request.verify_signature().map_err(|_| RequestError::NotProven)?;
        if !names_only(&request, terminal) {
            return Err(RequestError::OtherTerminal);
        }
        Ok(Self { public_key })
    }
}

/// Whether every name in the request is this terminal's.
fn names_only(request: &X509CertificationRequest<'_>, terminal: &str) -> bool {
    let mut common_names = request.certification_request_info.subject.iter_common_name();
    if !common_names.all(|name| name.as_str().is_ok_and(|name| name == terminal)) {
        return false;
    }
    let mut extensions = request.requested_extensions().into_iter().flatten();
    extensions.all(|extension| match extension {
        ParsedExtension::SubjectAlternativeName(names) => names
            .general_names
            .iter()
            .all(|name| matches!(name, GeneralName::URI(uri) if uri.strip_prefix(NAME) == Some(terminal))),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn request(names: &[&str], common_name: Option<&str>) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        params.subject_alt_names = names
            .iter()
            .map(|name| SanType::URI(Ia5String::try_from(format!("{NAME}{name}")).unwrap()))
            .collect();
        let key = KeyPair::generate().unwrap();
        params.serialize_request(&key).unwrap().der().to_vec()
    }

    fn read(der: &[u8]) -> Result<SigningRequest, RequestError> {
        SigningRequest::read(STANDARD.encode(der).as_bytes(), "DG0001")
    }

    #[test]
    fn a_request_for_this_terminal_or_for_nobody_in_particular_is_read() {
        for (names, common_name) in
            [(&["DG0001"][..], Some("DG0001")), (&[], None), (&["DG0001"], None), (&[], Some("DG0001"))]
        {
            read(&request(names, common_name)).map(|_| ()).unwrap();
        }
    }

    #[test]
    fn a_request_for_another_is_refused() {
        for (names, common_name) in
            [(&["DG0002"][..], None), (&["DG0001", "DG0002"], None), (&["DG0001"], Some("DG0002"))]
        {
            assert_eq!(read(&request(names, common_name)).err(), Some(RequestError::OtherTerminal));
        }
    }

    #[test]
    fn a_changed_request_is_refused() {
        let der = request(&["DG0001"], None);
        let mut refused = std::collections::HashSet::new();
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 1;
            if let Some(error) = read(&changed).err() {
                refused.insert(error.to_string());
            } else {
                // The one thing a signature does not cover is how it is itself written down.
                assert!(at > der.len() - 90, "byte {at} of {}", der.len());
            }
        }
        assert!(refused.contains(&RequestError::NotProven.to_string()));
        assert_eq!(SigningRequest::read(b"***", "DG0001").err(), Some(RequestError::Unreadable));
        let longer = [der.as_slice(), &[0]].concat();
        assert_eq!(read(&longer).err(), Some(RequestError::Unreadable));
    }

    #[test]
    fn another_kind_of_key_is_refused() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let params = CertificateParams::new(Vec::new()).unwrap();
        let der = params.serialize_request(&key).unwrap().der().to_vec();
        assert_eq!(read(&der).err(), Some(RequestError::WrongKey));
    }
}
