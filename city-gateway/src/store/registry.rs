//! The allow-list of terminals: which there are, which certificates they hold, and the vouchers they enrol with.
//!
//! Deliberately absent: a way to remove anything; a voucher in clear; any decision by the clock of the database.

use super::Reply;

/// The city's register of terminals.
pub trait TerminalRegistry: Send + Sync {
    /// What this certificate of this terminal is worth now.
    fn standing<'a>(&'a self, terminal: &'a str, fingerprint: &'a str) -> Reply<'a, Standing>;

    /// The keys this terminal has had, newest first, at most [`MAX_KEYS`].
    fn keys<'a>(&'a self, terminal: &'a str) -> Reply<'a, Vec<ListedKey>>;

    /// Notes a voucher. Unused ones of the same terminal are void from then on.
    fn add_voucher(&self, voucher: NewVoucher) -> Reply<'_, ()>;

    /// What a voucher is worth for this key, without using it.
    fn voucher<'a>(&'a self, hash: &'a str, public_key: &'a [u8], now_ms: i64) -> Reply<'a, VoucherAnswer>;

    /// Uses a voucher and lists the certificate made for it, in one transaction that decides anew what the voucher
    /// is worth. A revoked terminal is active again afterwards, its former certificates are not.
    fn redeem(&self, hash: String, certificate: NewCertificate) -> Reply<'_, VoucherAnswer>;

    /// Lists a renewed certificate, in one transaction that decides anew whether the one presented is still good.
    /// Another renewal for the same key since `again_since_ms` is answered with the same certificate.
    fn renew(
        &self,
        presented: String,
        certificate: NewCertificate,
        again_since_ms: i64,
    ) -> Reply<'_, RenewalAnswer>;

    /// Lists a certificate that was not issued here, and its terminal when that is new. Changes nothing that is
    /// already listed.
    fn list(&self, certificate: NewCertificate) -> Reply<'_, ()>;

    /// Revokes a terminal or takes it back; revoking also voids its unused vouchers. `false` when there is no such
    /// terminal.
    fn set_state<'a>(&'a self, terminal: &'a str, state: TerminalState, at_ms: i64) -> Reply<'a, bool>;

    /// Revokes one certificate. `false` when it is not listed.
    fn revoke_certificate<'a>(&'a self, fingerprint: &'a str, at_ms: i64) -> Reply<'a, bool>;

    /// Notes that a used voucher came again with another key.
    fn note_other_key<'a>(&'a self, terminal: &'a str, at_ms: i64) -> Reply<'a, ()>;

    /// Terminals in the order of their codes, from after this one.
    fn terminals<'a>(&'a self, after: &'a str, limit: usize) -> Reply<'a, Vec<TerminalRow>>;

    /// Events in their order, from after this one.
    fn events(&self, after: i64, limit: usize) -> Reply<'_, Vec<TerminalEvent>>;
}

/// Most keys of one terminal that are told.
pub const MAX_KEYS: usize = 16;

/// What a certificate is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// On the list and not revoked.
    Listed,
    /// The terminal or this certificate was revoked.
    Revoked,
    /// Signed by a trusted authority, but nobody here knows of it.
    Unlisted,
}

/// Whether a terminal is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalState {
    /// It is.
    Active,
    /// Not any more.
    Revoked,
}

impl TerminalState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the word in the database.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Revoked].into_iter().find(|state| state.as_str() == word)
    }
}

/// A key a terminal has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Revoked with its certificate or with its terminal.
    pub revoked: bool,
}

/// A voucher as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVoucher {
    /// Hash over terminal and voucher.
    pub hash: String,
    /// For which terminal.
    pub terminal: String,
    /// When it was issued, milliseconds since 1970.
    pub issued_at_ms: i64,
    /// When it ends, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// A certificate to be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// Whose it is.
    pub terminal: String,
    /// SHA-256 of the DER, hex.
    pub fingerprint: String,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Start of its validity, milliseconds since 1970.
    pub not_before_ms: i64,
    /// End of its validity, milliseconds since 1970.
    pub not_after_ms: i64,
    /// When it is listed, milliseconds since 1970.
    pub listed_at_ms: i64,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
}

/// What a voucher is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoucherAnswer {
    /// It can be used.
    Good,
    /// It is used, by this key, and this certificate (DER) was given for it.
    Used {
        /// The certificate.
        certificate: Vec<u8>,
        /// Whether it had been given before.
        again: bool,
    },
    /// It is used by another key.
    OtherKey,
    /// Its time is over.
    Expired,
    /// There is no such voucher for this terminal, or it was withdrawn.
    Unknown,
}

/// What became of a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewalAnswer {
    /// This certificate (DER) is listed.
    Renewed {
        /// The certificate.
        certificate: Vec<u8>,
        /// Whether it had been given before.
        again: bool,
    },
    /// The one presented is revoked or not on the list.
    Refused(Standing),
}

/// A terminal as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalRow {
    /// Its code.
    pub code: String,
    /// Whether it is wanted.
    pub state: TerminalState,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
    /// End of its newest certificate, milliseconds since 1970.
    pub not_after_ms: Option<i64>,
}

/// Something that happened to a terminal's place on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalEvent {
    /// Their order.
    pub id: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// To which terminal.
    pub terminal: String,
    /// What, in one word.
    pub event: String,
    /// Which certificate.
    pub fingerprint: Option<String>,
}
