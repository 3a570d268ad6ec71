//! `[relay]` in `gateway.toml`: the departments, and how cases get to them.
//!
//! Deliberately absent: secrets. A department's token is here only as a hash, its sealing key only its public half.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The relay. Without a department nothing is relayed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelayConfig {
    /// Where departments fetch: HTTPS with the gateway's certificate. Needed when there is a department that does.
    pub listen: Option<SocketAddr>,
    /// The departments: `[[relay.department]]`.
    pub department: Vec<DepartmentConfig>,
    /// Deliveries to one department at a time.
    pub at_once: usize,
    /// Seconds that one delivery may take.
    pub timeout_seconds: u64,
    /// Seconds after which another gateway may take a case over from one that says nothing.
    pub lease_seconds: u64,
    /// So many times a department's server may refuse a case before it becomes a dead letter.
    pub refusals: u32,
    /// Milliseconds of the first wait after a failure, at most; each further one may be twice as long.
    pub first_wait_ms: u64,
    /// Milliseconds of the longest wait.
    pub longest_wait_ms: u64,
    /// Milliseconds after which it looks without being rung: another gateway may have opened something.
    pub look_ms: u64,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            listen: None,
            department: Vec::new(),
            at_once: 4,
            timeout_seconds: 30,
            lease_seconds: 180,
            refusals: 8,
            first_wait_ms: 2_000,
            longest_wait_ms: 15 * 60 * 1000,
            look_ms: 2_000,
        }
    }
}

/// A department.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartmentConfig {
    /// Short name in addresses and figures: small letters, digits and `-`.
    pub code: String,
    /// Its names as items in the catalog say them (`guide.department`, simplified Chinese).
    pub names: Vec<String>,
    /// File with the `age1…` recipients to whom its cases are sealed. Needed unless its way is the desk.
    #[serde(default)]
    pub seal_to: Option<PathBuf>,
    /// How cases get to it.
    pub way: Way,
}

/// How cases get to a department.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Way {
    /// The gateway posts them to the department's server.
    Webhook {
        /// `https://…`.
        url: String,
        /// File with the authorities that certify this server; on Debian
        /// `/etc/ssl/certs/ca-certificates.crt` for public ones.
        ca: PathBuf,
    },
    /// The department fetches them.
    Pull {
        /// SHA-256 (hex) of its tokens: one, or two while it changes over. `city-gateway department-token` makes them.
        token_sha256: Vec<String>,
    },
    /// The gateway publishes them to a JetStream stream, which has to exist.
    Nats {
        /// `tls://…`, or `nats://…` on this machine.
        server: String,
        /// Subject of the messages.
        subject: String,
        /// File with the authorities that certify the server.
        #[serde(default)]
        ca: Option<PathBuf>,
        /// File with the gateway's credentials (`.creds`).
        #[serde(default)]
        credentials: Option<PathBuf>,
    },
    /// Its people work at the gateway's own desk: nothing is sent.
    Desk,
}

impl RelayConfig {
    /// Makes relative paths start at the folder of the file.
    pub(crate) fn resolve(&mut self, folder: &Path) {
        for department in &mut self.department {
            let of_way = match &mut department.way {
                Way::Webhook { ca, .. } => vec![ca],
                Way::Nats { ca, credentials, .. } => ca.iter_mut().chain(credentials).collect(),
                Way::Pull { .. } | Way::Desk => Vec::new(),
            };
            for path in of_way.into_iter().chain(&mut department.seal_to) {
                *path = folder.join(&*path);
            }
        }
    }

    /// What the types cannot say; a sentence when something is wrong.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (mut codes, mut names) = (HashSet::new(), HashSet::new());
        for department in &self.department {
            let code = &department.code;
            let fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if code.is_empty() || code.len() > 32 || !code.bytes().all(fit) {
                return Err(format!("{code:?} is no code: up to 32 small letters, digits and `-`"));
            }
            if !codes.insert(code) {
                return Err(format!("{code} is there twice"));
            }
            if let Some(name) = department.names.iter().find(|name| !names.insert(*name)) {
                return Err(format!("{name} is the name of two departments"));
            }
            if department.seal_to.is_none() && !matches!(department.way, Way::Desk) {
                return Err(format!("{code} needs seal_to: cases leave the city sealed"));
            }
            department.way.check().map_err(|why| format!("{code}: {why}"))?;
        }
        let fetched = self.department.iter().any(|department| matches!(department.way, Way::Pull { .. }));
        if fetched != self.listen.is_some() {
            return Err("relay.listen and a department that fetches belong together".into());
        }
        // Long enough for a delivery, for what has to be sealed before it, and for noting what became of it.
        if self.lease_seconds < self.timeout_seconds.saturating_mul(2).saturating_add(5) {
            return Err("lease_seconds must be twice timeout_seconds and five more".into());
        }
        if self.first_wait_ms == 0 || self.longest_wait_ms < self.first_wait_ms || self.look_ms == 0 {
            return Err("waits must be longer than nothing, and longest_wait_ms the longest".into());
        }
        let counts = (1..=64).contains(&self.at_once) && (1..=1000).contains(&self.refusals);
        if !counts || !(1..=300).contains(&self.timeout_seconds) {
            return Err("at_once is 1 to 64, refusals 1 to 1000, timeout_seconds 1 to 300".into());
        }
        Ok(())
    }
}

impl Way {
    fn check(&self) -> Result<(), &'static str> {
        match self {
            Way::Webhook { url, .. } if !url.starts_with("https://") => Err("its url must be https"),
            Way::Pull { token_sha256 } => {
                let hash = |text: &String| {
                    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
                };
                let good = (1..=2).contains(&token_sha256.len()) && token_sha256.iter().all(hash);
                if good { Ok(()) } else { Err("token_sha256 is one or two SHA-256 in small hex") }
            }
            Way::Nats { server, subject, .. } => {
                let near = ["nats://127.0.0.1:", "nats://localhost:", "nats://[::1]:"];
                if !server.starts_with("tls://") && !near.iter().any(|start| server.starts_with(start)) {
                    return Err("its server must be tls:// unless it is on this machine");
                }
                let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '*' | '>');
                if subject.is_empty() || subject.contains(odd) {
                    return Err("its subject must be one subject");
                }
                if cfg!(feature = "nats") { Ok(()) } else { Err("this gateway was built without NATS") }
            }
            Way::Webhook { .. } | Way::Desk => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        toml::from_str::<RelayConfig>(text).map_err(|error| error.to_string())?.check()
    }

    const HOOK: &str = "[[department]]\ncode = \"rsj\"\nnames = [\"人社局\"]\nseal_to = \"rsj.pub\"\n\
                        way = { kind = \"webhook\", url = \"https://rsj.test/cases\", ca = \"ca.pem\" }\n";

    #[test]
    fn departments_are_data_and_checked() {
        assert_eq!(check(""), Ok(()));
        assert_eq!(check(HOOK), Ok(()));
        assert_eq!(
            check("[[department]]\ncode = \"hall\"\nnames = [\"大厅\"]\nway = { kind = \"desk\" }\n"),
            Ok(())
        );
        for (wrong, why) in [
            (HOOK.replace("https", "http"), "https"),
            (HOOK.replace("rsj\"\nnames", "RSJ\"\nnames"), "no code"),
            (HOOK.replace("seal_to = \"rsj.pub\"\n", ""), "seal_to"),
            (format!("{HOOK}{HOOK}"), "twice"),
            (format!("{HOOK}{}", HOOK.replace("\"rsj\"", "\"other\"")), "two departments"),
            (format!("lease_seconds = 64\n{HOOK}"), "lease_seconds"),
            (format!("refusals = 0\n{HOOK}"), "refusals"),
            (format!("listen = \"127.0.0.1:0\"\n{HOOK}"), "belong together"),
            (HOOK.replace("ca = \"ca.pem\"", "ca = \"ca.pem\", secret = \"x\""), "secret"),
        ] {
            let said = check(&wrong).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_token_is_only_there_as_a_hash() {
        let pull = |hash: &str| {
            format!(
                "listen = \"127.0.0.1:0\"\n[[department]]\ncode = \"gaj\"\nnames = []\nseal_to = \"k\"\n\
                 way = {{ kind = \"pull\", token_sha256 = [{hash}] }}\n"
            )
        };
        assert_eq!(check(&pull(&format!("\"{}\"", "a".repeat(64)))), Ok(()));
        for wrong in ["", "\"secret\"", &format!("\"{}\"", "A".repeat(64))] {
            assert!(check(&pull(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn relative_paths_start_at_the_file() {
        let mut config: RelayConfig = toml::from_str(HOOK).unwrap();
        config.resolve(Path::new("/etc/city"));
        let department = &config.department[0];
        assert_eq!(department.seal_to.as_deref(), Some(Path::new("/etc/city/rsj.pub")));
        assert!(matches!(&department.way, Way::Webhook { ca, .. } if ca == Path::new("/etc/city/ca.pem")));
    }
}
