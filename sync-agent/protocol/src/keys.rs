//! The two signing keys: P-256 for a terminal (a TPM has no Ed25519) and Ed25519 for the city's receipts.
//!
//! Private keys have no `Debug` that shows them, no `Serialize`, and are wiped on drop by the curve crates.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use p256::ecdsa::signature::Signer;
use p256::elliptic_curve::Generate;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::{ProtocolError, sha256_hex};

/// The private key of one terminal: ES256.
pub struct TerminalKey(p256::ecdsa::SigningKey);

impl TerminalKey {
    /// Reads a PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    pub fn from_pem(pem: &str) -> Result<Self, ProtocolError> {
        p256::ecdsa::SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|_| ProtocolError::BadKey("not a P-256 private key in PKCS#8 PEM"))
    }

    /// Makes a new key from the system's random numbers.
    pub fn generate() -> Self {
        Self(p256::ecdsa::SigningKey::generate())
    }

    /// Writes the key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.0.to_pkcs8_pem(LineEnding::LF).expect("a P-256 key always has a PKCS#8 form")
    }

    /// The public half.
    pub fn public(&self) -> TerminalPublicKey {
        TerminalPublicKey(*self.0.verifying_key())
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let signature: p256::ecdsa::Signature = self.0.sign(bytes);
        signature.to_bytes().into()
    }
}

impl fmt::Debug for TerminalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TerminalKey(private)")
    }
}

/// The public key of one terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalPublicKey(p256::ecdsa::VerifyingKey);

impl TerminalPublicKey {
    /// Reads an SEC1 point (compressed or not), as stored in a registry of terminals.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, ProtocolError> {
        p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
            .map(Self)
            .map_err(|_| ProtocolError::BadKey("not a P-256 point"))
    }

    /// Reads a DER SubjectPublicKeyInfo, as found inside a certificate.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, ProtocolError> {
        p256::ecdsa::VerifyingKey::from_public_key_der(der)
            .map(Self)
            .map_err(|_| ProtocolError::BadKey("not a P-256 SubjectPublicKeyInfo"))
    }

    /// Writes the uncompressed SEC1 point (65 bytes).
    pub fn to_sec1(&self) -> Vec<u8> {
        self.0.to_sec1_point(false).as_bytes().to_vec()
    }

    pub(crate) fn verify(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        // The city does this for every record of every terminal; ring is several times faster here than the crate
        // that signs, and nothing secret is touched.
        let point = self.0.to_sec1_point(false);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes()).verify(bytes, signature).is_ok()
    }
}

/// The private key with which the city signs receipts: Ed25519.
pub struct CityReceiptKey(ed25519_dalek::SigningKey);

impl CityReceiptKey {
    /// Reads a PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    pub fn from_pem(pem: &str) -> Result<Self, ProtocolError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|_| ProtocolError::BadKey("not an Ed25519 private key in PKCS#8 PEM"))
    }

    /// Makes a new key from the system's random numbers.
    pub fn generate() -> Self {
        let mut secret = Zeroizing::new([0_u8; 32]);
        getrandom::fill(secret.as_mut_slice()).expect("a system without random numbers cannot make keys");
        Self(ed25519_dalek::SigningKey::from_bytes(&secret))
    }

    /// Writes the key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.0.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 key always has a PKCS#8 form")
    }

    /// The public half.
    pub fn public(&self) -> CityReceiptPublicKey {
        CityReceiptPublicKey::new(self.0.verifying_key())
    }

    /// The name of this key in signed messages.
    pub fn kid(&self) -> String {
        self.public().kid
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for CityReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CityReceiptKey(private)")
    }
}

/// The public key with which a terminal checks receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityReceiptPublicKey {
    key: ed25519_dalek::VerifyingKey,
    kid: String,
}

impl CityReceiptPublicKey {
    /// Reads an SPKI PEM (`BEGIN PUBLIC KEY`).
    pub fn from_pem(pem: &str) -> Result<Self, ProtocolError> {
        ed25519_dalek::VerifyingKey::from_public_key_pem(pem)
            .map(Self::new)
            .map_err(|_| ProtocolError::BadKey("not an Ed25519 public key in PEM"))
    }

    /// Writes the key as SPKI PEM.
    pub fn to_pem(&self) -> String {
        self.key.to_public_key_pem(LineEnding::LF).expect("an Ed25519 key always has an SPKI form")
    }

    /// The name of this key in signed messages: the start of the SHA-256 of its bytes.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn new(key: ed25519_dalek::VerifyingKey) -> Self {
        let kid = sha256_hex(key.as_bytes())[..16].to_owned();
        Self { key, kid }
    }

    pub(crate) fn verify(&self, bytes: &[u8], signature: &[u8; 64]) -> bool {
        // The strict check also refuses weak keys and malleable signatures.
        self.key.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}
