//! 防伪码: what stands behind the code on a document that the city issued. The city's signature over number, item, time,
//! masked person and the facts that a checker compares with the paper, and over the hash of everything on it; small
//! enough for a code that prints well, and checked without asking anybody.
//!
//! ```text
//! 1  │ issued │ days │ serial │ version │ item │ name │ number │ n │ key value … │ rows │ hash │ signature
//! u8 │ u32    │ u16  │ 5      │ u32     │ text │ text │ text   │ u8│ text text   │ u8   │ 32   │ 64
//! ```
//!
//! Numbers are big-endian, a text is its length in one byte and then UTF-8, `issued` counts seconds from 2020. It travels
//! in base32 (RFC 4648), because a QR code has a narrower form for capital letters and digits.
//!
//! Deliberately absent: the whole name, the whole number, rows of the table, and a choice of algorithm.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::base32::{from_base32, to_base32};
use crate::{CityReceiptKey, CityReceiptPublicKey, DocumentNumber, ProtocolError};

/// What is signed begins with it, so that no other signature can be taken for one of these.
const PURPOSE: &[u8] = b"kiosk document stamp\0";
const VERSION: u8 = 1;
/// 2020-01-01T00:00:00Z.
const BEGIN_S: i64 = 1_577_836_800;
const DAY_S: i64 = 24 * 60 * 60;
const SIGNATURE: usize = 64;
/// Longest text of a stamp: behind an address of 100 characters it is a QR code of version 20.
pub const MAX_STAMP: usize = 816;
/// Facts go in while they need no more bytes than this; what is on the paper beyond them is under the hash alone.
const MAX_FACTS: usize = 320;
/// Longer values are cut.
const VALUE_CHARS: usize = 24;

/// The key with which the city signs documents: Ed25519, and used for nothing else.
pub struct DocumentKey(CityReceiptKey);

impl DocumentKey {
    /// Reads a PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    pub fn from_pem(pem: &str) -> Result<Self, ProtocolError> {
        CityReceiptKey::from_pem(pem).map(Self)
    }

    /// Makes a new key from the system's random numbers.
    pub fn generate() -> Self {
        Self(CityReceiptKey::generate())
    }

    /// Writes the key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.0.to_pem()
    }

    /// The public half.
    pub fn public(&self) -> DocumentPublicKey {
        DocumentPublicKey(self.0.public())
    }
}

impl fmt::Debug for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DocumentKey(private)")
    }
}

/// The key with which anybody checks a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPublicKey(CityReceiptPublicKey);

impl DocumentPublicKey {
    /// Reads a file of them (`BEGIN PUBLIC KEY`): the newest first, then those that were in use before.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>, ProtocolError> {
        const END: &str = "-----END PUBLIC KEY-----";
        let blocks = pem.split_inclusive(END).filter(|block| block.contains(END));
        let keys: Vec<_> = blocks
            .map(|block| CityReceiptPublicKey::from_pem(block.trim()).map(Self))
            .collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(ProtocolError::BadKey("no Ed25519 public key in PEM")) } else { Ok(keys) }
    }

    /// Writes the key as SPKI PEM.
    pub fn to_pem(&self) -> String {
        self.0.to_pem()
    }
}

/// Everything that a document says; its hash is under the signature. The number of the person is masked, as on paper.
#[derive(Serialize)]
pub struct DocumentContent<'a> {
    /// Code of the service item.
    pub item: &'a str,
    /// Version of the service item.
    pub item_version: u32,
    /// Number of the document.
    pub number: &'a str,
    /// When it was issued, seconds since 1970.
    pub issued_at_s: i64,
    /// When it ends, seconds since 1970.
    pub valid_until_s: i64,
    /// Name of the person, whole.
    pub name: &'a str,
    /// Number of the person, masked.
    pub person_number: &'a str,
    /// Values by the keys of the item's `fetch.facts`.
    pub facts: &'a BTreeMap<String, String>,
    /// Rows, each with values by the keys of the item's `fetch.columns`.
    pub rows: &'a [BTreeMap<String, String>],
}

impl DocumentContent<'_> {
    /// SHA-256 over the content in its one form: JSON without spaces, members in the order above, keys sorted.
    pub fn hash(&self) -> [u8; 32] {
        let text = Zeroizing::new(serde_json::to_vec(self).expect("strings, numbers and lists"));
        Sha256::digest(text.as_slice()).into()
    }
}

/// What the city signed. Wipes itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Number of the document.
    pub number: DocumentNumber,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// When it was issued, seconds since 1970.
    pub issued_at_s: i64,
    /// So many days it can be relied on.
    pub valid_days: u16,
    /// Name of the person, masked.
    pub name: String,
    /// Number of the person, masked.
    pub person_number: String,
    /// Facts to compare with the paper, in its order: key and raw value. A long value ends in `…`.
    pub facts: Vec<(String, String)>,
    /// How many rows its table has.
    pub rows: u8,
    /// Hash of everything on it, as [`DocumentContent::hash`].
    pub content: [u8; 32],
}

/// Why something is not a stamp of the city's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StampFault {
    /// Not the form of one: cut off, mistyped, or something else.
    #[error("this is no code of a document")]
    NotAStamp,
    /// The form is right, the signature is not the city's: altered, or made by somebody else.
    #[error("the city did not sign this")]
    NotSigned,
}

impl Stamp {
    /// When it ends, seconds since 1970.
    pub fn valid_until_s(&self) -> i64 {
        self.issued_at_s + i64::from(self.valid_days) * DAY_S
    }

    /// Keeps of these facts what has room, in their order.
    pub fn short_facts<'a>(facts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
        let mut room = MAX_FACTS;
        let mut short = Vec::new();
        for (key, value) in facts {
            let value = shortened(value);
            let bytes = key.len() + value.len() + 2;
            if bytes > room || short.len() == usize::from(u8::MAX) {
                break;
            }
            room -= bytes;
            short.push((key.to_owned(), value));
        }
        short
    }

    /// Signs, and writes it as it stands in an address.
    pub fn sign(&self, key: &DocumentKey) -> Result<String, ProtocolError> {
        let mut bytes = Zeroizing::new(self.to_bytes()?);
        let signature = key.0.sign(&signed(&bytes));
        bytes.extend_from_slice(&signature);
        let text = to_base32(&bytes);
        if text.len() > MAX_STAMP {
            return Err(ProtocolError::TooLarge { what: "stamp", limit: MAX_STAMP });
        }
        Ok(text)
    }

    /// Reads one that the owner of one of these keys signed.
    pub fn read(text: &str, keys: &[DocumentPublicKey]) -> Result<Self, StampFault> {
        if text.len() > MAX_STAMP {
            return Err(StampFault::NotAStamp);
        }
        let bytes = Zeroizing::new(from_base32(text).ok_or(StampFault::NotAStamp)?);
        let (said, signature) = bytes.split_last_chunk::<SIGNATURE>().ok_or(StampFault::NotAStamp)?;
        let stamp = Self::from_bytes(said).ok_or(StampFault::NotAStamp)?;
        let bytes = signed(said);
        if keys.iter().any(|key| key.0.verify(&bytes, signature)) {
            Ok(stamp)
        } else {
            Err(StampFault::NotSigned)
        }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, ProtocolError> {
        let unfit = |what| ProtocolError::BadContent(what);
        let issued = u32::try_from(self.issued_at_s - BEGIN_S).map_err(|_| unfit("issued_at_s"))?;
        let mut bytes = Vec::with_capacity(MAX_STAMP);
        bytes.push(VERSION);
        bytes.extend(issued.to_be_bytes());
        bytes.extend(self.valid_days.to_be_bytes());
        bytes.extend(self.number.0);
        bytes.extend(self.item_version.to_be_bytes());
        for text in [&self.item, &self.name, &self.person_number] {
            push_text(&mut bytes, text)?;
        }
        bytes.push(u8::try_from(self.facts.len()).map_err(|_| unfit("facts"))?);
        for (key, value) in &self.facts {
            push_text(&mut bytes, key)?;
            push_text(&mut bytes, value)?;
        }
        bytes.push(self.rows);
        bytes.extend(self.content);
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        if rest.byte()? != VERSION {
            return None;
        }
        let issued_at_s = BEGIN_S + i64::from(u32::from_be_bytes(rest.take()?));
        let valid_days = u16::from_be_bytes(rest.take()?);
        let number = DocumentNumber(rest.take()?);
        let item_version = u32::from_be_bytes(rest.take()?);
        let (item, name, person_number) = (rest.text()?, rest.text()?, rest.text()?);
        let mut facts = Vec::new();
        for _ in 0..rest.byte()? {
            facts.push((rest.text()?, rest.text()?));
        }
        let (rows, content) = (rest.byte()?, rest.take()?);
        rest.0.is_empty().then_some(Self {
            number,
            item,
            item_version,
            issued_at_s,
            valid_days,
            name,
            person_number,
            facts,
            rows,
            content,
        })
    }
}

impl Drop for Stamp {
    fn drop(&mut self) {
        self.name.zeroize();
        self.person_number.zeroize();
        self.facts.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamp")
            .field("number", &self.number)
            .field("item", &self.item)
            .finish_non_exhaustive()
    }
}

/// The stamp in an address or by itself: what follows the last `/d/`, without what browsers and people add.
pub fn stamp_in(text: &str) -> &str {
    let text = text.trim();
    let text = text.rsplit_once("/d/").map_or(text, |(_, stamp)| stamp);
    let end = text.find(['?', '#', '/', ' ']).unwrap_or(text.len());
    &text[..end]
}

fn shortened(value: &str) -> String {
    if value.chars().count() <= VALUE_CHARS {
        return value.to_owned();
    }
    value.chars().take(VALUE_CHARS - 1).chain(['…']).collect()
}

fn signed(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([PURPOSE, bytes].concat())
}

fn push_text(bytes: &mut Vec<u8>, text: &str) -> Result<(), ProtocolError> {
    let length = u8::try_from(text.len()).map_err(|_| ProtocolError::BadContent("a text of the stamp"))?;
    bytes.push(length);
    bytes.extend(text.as_bytes());
    Ok(())
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(self.byte()?);
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        let text = std::str::from_utf8(taken).ok()?;
        (!text.chars().any(char::is_control)).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamp() -> Stamp {
        let facts = [
            ("insured_as", "employee"),
            ("pension", "paying"),
            ("since", "2009-07"),
            ("months", "208"),
            ("employer", "示例电子（东莞）有限公司"),
        ];
        Stamp {
            number: DocumentNumber([1, 2, 3, 4, 255]),
            item: "insurance-certificate".into(),
            item_version: 1,
            issued_at_s: 1_795_400_000,
            valid_days: 90,
            name: "陈＊".into(),
            person_number: "990*************42".into(),
            facts: Stamp::short_facts(facts),
            rows: 12,
            content: [7; 32],
        }
    }

    #[test]
    fn what_was_signed_is_read_by_whoever_has_the_key() {
        let (older, key) = (DocumentKey::generate(), DocumentKey::generate());
        let text = stamp().sign(&key).unwrap();
        let pem = format!("{}{}", older.public().to_pem(), key.public().to_pem());
        let keys = DocumentPublicKey::all_from_pem(&pem).unwrap();
        assert_eq!(keys.len(), 2);
        assert_eq!(Stamp::read(&text, &keys).unwrap(), stamp());
        assert_eq!(Stamp::read(&text.to_lowercase(), &keys).unwrap(), stamp());
        assert_eq!(Stamp::read(&text, &keys[..1]), Err(StampFault::NotSigned));
        assert_eq!(Stamp::read(&text, &[]), Err(StampFault::NotSigned));
        assert!(DocumentPublicKey::all_from_pem("nothing").is_err());
        assert!(format!("{:?}", stamp()).contains("ZM-") && !format!("{:?}", stamp()).contains('陈'));
    }

    #[test]
    fn every_changed_letter_is_noticed() {
        let key = DocumentKey::generate();
        let keys = [key.public()];
        let text = stamp().sign(&key).unwrap();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(Stamp::read(&changed, &keys).is_err(), "letter {at}");
        }
        for end in 0..text.len() {
            assert!(Stamp::read(&text[..end], &keys).is_err(), "cut at {end}");
        }
        assert_eq!(Stamp::read(&format!("{text}A"), &keys), Err(StampFault::NotAStamp));
        assert_eq!(Stamp::read("", &keys), Err(StampFault::NotAStamp));
        assert_eq!(Stamp::read("不是", &keys), Err(StampFault::NotAStamp));
    }

    #[test]
    fn a_signature_for_another_purpose_is_none() {
        let key = DocumentKey::generate();
        let mut bytes = stamp().to_bytes().unwrap();
        bytes.extend(key.0.sign(&stamp().to_bytes().unwrap()));
        assert_eq!(Stamp::read(&to_base32(&bytes), &[key.public()]), Err(StampFault::NotSigned));
    }

    #[test]
    fn it_stays_small_enough_for_paper() {
        let key = DocumentKey::generate();
        assert!(stamp().sign(&key).unwrap().len() < 520, "{}", stamp().sign(&key).unwrap().len());
        let long = "龘".repeat(60);
        let keys: Vec<String> = (0..10).map(|at| format!("key-that-is-rather-long-{at}")).collect();
        let facts = Stamp::short_facts(keys.iter().map(|key| (key.as_str(), long.as_str())));
        assert_eq!(facts[0].1.chars().count(), VALUE_CHARS);
        assert!(facts[0].1.ends_with('…') && facts.len() < 10);
        let mut most = stamp();
        (most.item, most.facts) = ("i".repeat(40), facts);
        assert!(most.sign(&key).unwrap().len() <= MAX_STAMP);
        most.name = "x".repeat(256);
        assert!(most.sign(&key).is_err());
    }

    #[test]
    fn a_stamp_is_found_in_its_address() {
        for text in
            ["ABC", " ABC\n", "https://city.example/d/ABC", "http://a/d/x/d/ABC?y#z", "https://a/d/ABC/"]
        {
            assert_eq!(stamp_in(text), "ABC", "{text}");
        }
    }

    #[test]
    fn the_same_content_has_the_same_hash_and_another_has_another() {
        let facts = BTreeMap::from([("months".to_owned(), "208".to_owned())]);
        let rows = [BTreeMap::from([("own".to_owned(), "100".to_owned())])];
        let content = |name: &'static str| {
            let (item, number, person_number) = ("i", "ZM-0410-617Z", "990*42");
            let (issued_at_s, valid_until_s) = (1, 2);
            DocumentContent {
                item,
                item_version: 1,
                number,
                issued_at_s,
                valid_until_s,
                name,
                person_number,
                facts: &facts,
                rows: &rows,
            }
            .hash()
        };
        assert_eq!(content("陈桂英"), content("陈桂英"));
        assert_ne!(content("陈桂英"), content("陈桂音"));
    }

    proptest! {
        #[test]
        fn anything_at_all_is_read_or_refused(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let keys = [DocumentKey::generate().public()];
            prop_assert!(Stamp::read(&text, &keys).is_err());
            prop_assert!(Stamp::read(&to_base32(&bytes), &keys).is_err());
            prop_assert_eq!(from_base32(&to_base32(&bytes)), Some(bytes));
            DocumentNumber::read(&text);
            stamp_in(&text);
        }
    }
}
