//! A courier folder: what a terminal without a network gives a person to carry to the city on a USB stick, and what the
//! city gives back in the same folder. Everything in it is sealed or signed already, so the stick needs no secrecy of
//! its own: whoever finds it can read no request and forge no receipt.
//!
//! ```text
//! courier.json                                 Consignment, written last
//! records/<incarnation>/<seq, 12 digits>.json  body of PUT /v1/records/{case_id}
//! blobs/<sha256>                               sealed bytes
//! receipts/<incarnation>/<seq, 12 digits>.jws  written by the city
//! ```

use serde::{Deserialize, Serialize};

use crate::manifest::{is_hash, is_name, is_terminal_code};
use crate::{ProtocolError, limits};

/// Name of the [`Consignment`] in the folder.
pub const CONSIGNMENT: &str = "courier.json";

/// Folder of the records.
pub const RECORDS: &str = "records";

/// Folder of the blobs.
pub const BLOBS: &str = "blobs";

/// Folder of the receipts.
pub const RECEIPTS: &str = "receipts";

/// Whose records these are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consignment {
    /// Version of this protocol.
    pub version: u16,
    /// Code of the terminal.
    pub terminal: String,
    /// The terminal's certificate and what leads to the city's authority, in PEM. In place of the handshake that did
    /// not happen: the manifests are checked with its key. Its dates do not count, because the terminal may have been
    /// off for years.
    pub certificates: String,
    /// The terminal's wall clock when it was written, milliseconds since 1970.
    pub made_at_ms: i64,
}

impl Consignment {
    /// As it is written.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings and numbers")
    }

    /// Reads it and checks its shape.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ProtocolError> {
        if bytes.len() > limits::MAX_CONSIGNMENT {
            return Err(ProtocolError::TooLarge { what: "consignment", limit: limits::MAX_CONSIGNMENT });
        }
        let read: Self = serde_json::from_slice(bytes).map_err(|_| ProtocolError::BadJson("consignment"))?;
        if is_terminal_code(&read.terminal) { Ok(read) } else { Err(ProtocolError::BadContent("terminal")) }
    }
}

/// Where a record lies in the folder.
pub fn record_file(incarnation: &str, seq: u64) -> String {
    format!("{RECORDS}/{incarnation}/{seq:012}.json")
}

/// Where a blob lies in the folder.
pub fn blob_file(sha256: &str) -> String {
    format!("{BLOBS}/{sha256}")
}

/// Where the receipt of a record lies in the folder.
pub fn receipt_file(incarnation: &str, seq: u64) -> String {
    format!("{RECEIPTS}/{incarnation}/{seq:012}.jws")
}

/// Whether a name found in the folder can be that of a life of a queue; nothing else is opened.
pub fn is_incarnation(name: &str) -> bool {
    is_name(name)
}

/// Whether a name found in the folder can be that of a blob.
pub fn is_blob(name: &str) -> bool {
    is_hash(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consignment() -> Consignment {
        Consignment { version: 2, terminal: "DG0001".into(), certificates: "PEM".into(), made_at_ms: 5 }
    }

    #[test]
    fn a_consignment_is_read_as_it_was_written() {
        assert_eq!(Consignment::from_json(&consignment().to_json()).unwrap(), consignment());
    }

    #[test]
    fn what_is_no_consignment_is_said() {
        let wrong = Consignment { terminal: "../etc".into(), ..consignment() };
        assert!(Consignment::from_json(&wrong.to_json()).is_err());
        assert!(Consignment::from_json(b"{").is_err());
        let long = Consignment { certificates: "x".repeat(limits::MAX_CONSIGNMENT), ..consignment() };
        assert!(matches!(Consignment::from_json(&long.to_json()), Err(ProtocolError::TooLarge { .. })));
    }

    #[test]
    fn names_cannot_lead_out_of_the_folder() {
        for name in ["", "..", "a/b", "a.b", "/"] {
            assert!(!is_incarnation(name) && !is_blob(name), "{name}");
        }
        assert_eq!(record_file("life", 7), "records/life/000000000007.json");
    }
}
