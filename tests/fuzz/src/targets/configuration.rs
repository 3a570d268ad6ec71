//! Files that people write: a slip of the pen is said in a sentence.

use std::cell::RefCell;
use std::path::Path;

use crate::{Target, scratch};

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "key-terminal-toml",
            decodes: "terminal.toml as the agent reads it: Config",
            inputs: 3000,
            seeds: terminal_seeds,
            run: terminal,
        },
        Target {
            name: "key-gateway-toml",
            decodes: "gateway.toml: Config",
            inputs: 3000,
            seeds: gateway_seeds,
            run: gateway,
        },
    ]
}

fn terminal_seeds() -> Vec<Vec<u8>> {
    let text = r#"[terminal]
code = "DG0001"
[paths]
state = "state"
keys = "/abs/keys"
catalog = "catalog"
[city]
url = "https://localhost:8443/"
enrolment_url = "https://localhost:8444"
[sync]
retry_base_ms = 20
retry_cap_ms = 400
window = 32
connect_timeout_ms = 5000
request_timeout_ms = 20000
[[sync.bandwidth]]
from = "22:00"
to = "06:00"
kib_per_s = 0
[catalog]
usb = "/media/stick"
refresh_s = 3600
[tpm]
device = "/dev/tpmrm0"
index = 0x0180474A
"#;
    vec![text.into()]
}

fn terminal(bytes: &[u8]) {
    match sync_agent::Config::parse(&as_text(bytes), Path::new("/terminal")) {
        Ok(config) => {
            assert!(config.url.starts_with("https://") && (1..=128).contains(&config.sync.window));
            if let Some(tpm) = &config.tpm {
                assert!(sync_agent::tpm::OWNER_INDICES.contains(&tpm.index), "an index of somebody else");
            }
            for minute in [0, 719, 1439] {
                let _ = sync_agent::throttle::limit_at(&config.sync.bandwidth, minute * 60_000);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn gateway_seeds() -> Vec<Vec<u8>> {
    let text = r#"[listen]
terminals = "0.0.0.0:7443"
city = "127.0.0.1:7080"
[paths]
state = "state"
keys = "keys"
catalog = "/catalog"
[enrolment]
certificate_days = 90
[limits]
connections = 100
[limits.city]
records_per_second = 700
mib_per_second = 64
blob_mib_per_second = 64
[store]
kind = "postgres"
address = "host=/run user=city dbname=city"
[blobs]
folder = "blobs"
[city]
open_feed = false
[retention]
audit_years = 10
"#;
    let short = "[listen]\nterminals = \"[::]:0\"\ncity = \"127.0.0.1:0\"\n[paths]\nstate = \"s\"\nkeys = \"k\"\ncatalog = \"c\"\n";
    vec![text.into(), short.into()]
}

fn gateway(bytes: &[u8]) {
    thread_local! {
        static FOLDER: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
    }
    FOLDER.with_borrow_mut(|folder| {
        let folder = folder.get_or_insert_with(scratch::folder).path();
        let file = folder.join("gateway.toml");
        std::fs::write(&file, bytes).expect("a file can be written");
        match city_gateway::Config::load(&file) {
            Ok(config) => {
                let days = config.enrolment.certificate_days;
                assert!((1..=90).contains(&days), "a limit is kept");
                assert!(
                    config.listen.city.ip().is_loopback() || config.city.tls.is_some(),
                    "passwords in clear"
                );
                assert!(config.paths.state.is_absolute());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
}
