//! What lies inside the seal. These structs exist in clear only in the kiosk before sealing and in the city's
//! opener; they show nothing in `Debug` and wipe their text when dropped.

use std::fmt;
use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use crate::ProtocolError;

/// A resident's finished request.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// Version of this protocol.
    pub version: u16,
    /// UUID of the record.
    pub case_id: String,
    /// Case number as printed.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// Version of the service item.
    pub item_version: u32,
    /// Language the resident used: `zh-Hans`, `zh-Hant` or `en`.
    pub language: String,
    /// When the resident confirmed, milliseconds since 1970.
    pub finalised_at_ms: i64,
    /// `id-card`, `social-security-card` or `typed`; `receipt` of what follows a case, whose receipt is the proof. Whoever
    /// reads it takes a word that it does not know as it is.
    pub identification: String,
    /// Who asks; members that are not known are absent. Empty where the receipt is the proof.
    pub applicant: Map<String, Value>,
    /// Answers by question id.
    pub answers: Map<String, Value>,
    /// Version of the consent text the resident agreed to.
    pub consent_version: u32,
    /// The case that it follows: a supplement to it, or its withdrawal. Absent of everything else, as before there was
    /// such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<CaseReference>,
}

/// Names a case, and proves that whoever names it holds its receipt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseReference {
    /// Case number as printed.
    pub case_number: String,
    /// Verification code as printed. Empty in what is sealed to a department: the code is the resident's.
    pub verification: String,
}

impl fmt::Debug for CaseReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaseReference")
    }
}

impl Drop for CaseReference {
    fn drop(&mut self) {
        self.case_number.zeroize();
        self.verification.zeroize();
    }
}

impl Submission {
    /// Writes the plaintext to be sealed, in one allocation that wipes itself.
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        to_plaintext(self)
    }

    /// Reads an opened plaintext.
    pub fn from_plaintext(bytes: &[u8]) -> Result<Self, ProtocolError> {
        serde_json::from_slice(bytes).map_err(|_| ProtocolError::BadJson("submission"))
    }
}

impl fmt::Debug for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("version", &self.version)
            .field("case_id", &self.case_id)
            .field("item", &self.item)
            .field("item_version", &self.item_version)
            .finish_non_exhaustive()
    }
}

impl Drop for Submission {
    fn drop(&mut self) {
        self.applicant.values_mut().chain(self.answers.values_mut()).for_each(wipe);
    }
}

/// The stars given to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Version of this protocol.
    pub version: u16,
    /// The case it names.
    pub about: String,
    /// Case number of that case.
    pub case_number: String,
    /// 1 to 5.
    pub stars: u8,
}

impl Rating {
    /// Writes the plaintext to be sealed.
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        to_plaintext(self)
    }

    /// Reads an opened plaintext.
    pub fn from_plaintext(bytes: &[u8]) -> Result<Self, ProtocolError> {
        let rating: Self = serde_json::from_slice(bytes).map_err(|_| ProtocolError::BadJson("rating"))?;
        if (1..=5).contains(&rating.stars) { Ok(rating) } else { Err(ProtocolError::BadContent("stars")) }
    }
}

/// Measures first, then writes: a growing vector would leave unwiped copies behind.
fn to_plaintext<T: Serialize>(content: &T) -> Zeroizing<Vec<u8>> {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    const WHY: &str = "plain structs with string keys always serialise, and memory does not fail to write";
    let mut count = Count(0);
    serde_json::to_writer(&mut count, content).expect(WHY);
    let mut bytes = Zeroizing::new(Vec::with_capacity(count.0));
    serde_json::to_writer(&mut *bytes, content).expect(WHY);
    bytes
}

/// Overwrites every text inside.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
