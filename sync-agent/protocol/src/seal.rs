//! Sealing to the city's public key with age (X25519), behind two small traits so that a certified device can
//! take its place. The output is a plain binary age file: `age -d -i city-seal.key` opens it.

use std::io::{Read, Write};

use age::secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::{SealError, limits};

/// Something that closes a content for the city.
pub trait Sealer {
    /// Seals `plaintext`.
    fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// Something that opens what a terminal sealed. Lives only in the city.
pub trait Opener {
    /// Opens `ciphertext`; the plaintext wipes itself when dropped.
    fn open(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError>;
}

/// Seals with age to one or more recipients.
pub struct AgeSealer {
    recipients: Vec<age::x25519::Recipient>,
}

impl AgeSealer {
    /// Reads `age1…` recipients, one to a line; empty lines and `#` comments are skipped.
    pub fn from_recipients(text: &str) -> Result<Self, SealError> {
        Ok(Self { recipients: parse_keys(text)? })
    }
}

impl Sealer for AgeSealer {
    fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        // age adds a header and 16 bytes for each 64 KiB; leave room so that the result fits its own limit.
        if plaintext.len() > limits::MAX_CIPHERTEXT - 64 * 1024 {
            return Err(SealError::TooLarge(limits::MAX_CIPHERTEXT - 64 * 1024));
        }
        let recipients = self.recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients).map_err(|_| SealError::NotSealed)?;
        let mut ciphertext = Vec::with_capacity(plaintext.len() + 1024);
        let mut writer = encryptor.wrap_output(&mut ciphertext).map_err(|_| SealError::NotSealed)?;
        writer.write_all(plaintext).map_err(|_| SealError::NotSealed)?;
        writer.finish().map_err(|_| SealError::NotSealed)?;
        Ok(ciphertext)
    }
}

/// Opens with age and the city's identities.
pub struct AgeOpener {
    identities: Vec<age::x25519::Identity>,
}

impl AgeOpener {
    /// Reads `AGE-SECRET-KEY-1…` identities, one to a line; empty lines and `#` comments are skipped.
    pub fn from_identities(text: &str) -> Result<Self, SealError> {
        Ok(Self { identities: parse_keys(text)? })
    }

    /// A key that no file holds and that is gone with this value, and the `age1…` recipient to seal to it.
    pub fn ephemeral() -> (Self, String) {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        (Self { identities: vec![identity] }, recipient)
    }
}

impl Opener for AgeOpener {
    fn open(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if ciphertext.len() > limits::MAX_CIPHERTEXT {
            return Err(SealError::TooLarge(limits::MAX_CIPHERTEXT));
        }
        let decryptor = age::Decryptor::new_buffered(ciphertext).map_err(|_| SealError::Damaged)?;
        let identities = self.identities.iter().map(|identity| identity as &dyn age::Identity);
        let mut reader = decryptor.decrypt(identities).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => SealError::OtherKey,
            _ => SealError::Damaged,
        })?;
        // The plaintext is shorter than the ciphertext: one allocation, so no copy is left behind unwiped.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
        reader.read_to_end(&mut plaintext).map_err(|_| SealError::Damaged)?;
        Ok(plaintext)
    }
}

/// A new pair of sealing keys, as text files.
pub struct SealKeyPair {
    /// The city's identity (`AGE-SECRET-KEY-1…`).
    pub identity: Zeroizing<String>,
    /// The recipient (`age1…`) that terminals hold.
    pub recipient: String,
}

impl SealKeyPair {
    /// Makes a pair from the system's random numbers.
    pub fn generate() -> Self {
        let identity = age::x25519::Identity::generate();
        Self {
            recipient: format!("{}\n", identity.to_public()),
            identity: Zeroizing::new(format!("{}\n", identity.to_string().expose_secret())),
        }
    }
}

fn parse_keys<K: std::str::FromStr>(text: &str) -> Result<Vec<K>, SealError> {
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        keys.push(line.parse().map_err(|_| SealError::BadKey(index + 1))?);
    }
    if keys.is_empty() { Err(SealError::NoKey) } else { Ok(keys) }
}
