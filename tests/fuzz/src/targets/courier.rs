//! A courier folder: what somebody carries on a USB stick, and may have changed on the way.

use sync_protocol::courier::{self, Consignment};

use crate::Target;
use crate::privacy::assert_error_quiet;

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "protocol-courier",
        decodes: "courier.json and names in a courier folder: Consignment, is_incarnation, is_blob",
        inputs: 5000,
        seeds,
        run,
    }]
}

fn seeds() -> Vec<Vec<u8>> {
    let consignment = Consignment {
        version: 2,
        terminal: "DG0001".into(),
        certificates: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into(),
        made_at_ms: 1_795_300_000_000,
    };
    let names = ["2f1d7b9c4e6a8d05", "../../etc", "ab/cd", "life-1"].map(|name| name.as_bytes().to_vec());
    [vec![consignment.to_json()], names.to_vec(), vec![b"0123456789abcdef".repeat(4)]].concat()
}

fn run(bytes: &[u8]) {
    match Consignment::from_json(bytes) {
        Ok(consignment) => {
            let again = Consignment::from_json(&consignment.to_json());
            assert!(again.is_err() || again == Ok(consignment), "what is read is read the same again");
        }
        Err(error) => assert_error_quiet(&error),
    }
    let name = as_text(bytes);
    let stays = |path: String| !path.split('/').any(|part| part.is_empty() || part == "." || part == "..");
    if courier::is_incarnation(&name) {
        for path in [courier::record_file(&name, u64::MAX), courier::receipt_file(&name, 0)] {
            assert!(path.matches('/').count() == 2 && stays(path), "a name leads out of the folder");
        }
    }
    if courier::is_blob(&name) {
        let path = courier::blob_file(&name);
        assert!(path.matches('/').count() == 1 && stays(path), "a name leads out of the folder");
    }
}
