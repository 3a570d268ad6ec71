//! The allow-list as requests ask it: for every one of them, from memory, never older than a few seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sync_protocol::{Manifest, ProtocolError, TerminalPublicKey};

use super::TerminalCertificate;
use crate::clock::instant;
use crate::config::Enrolment as Settings;
use crate::store::StoreError;
use crate::store::registry::{Standing, TerminalRegistry};
use crate::terminals::now_ms;

/// Certificates that are remembered at once; beyond that all are forgotten and asked for again.
const MOST: usize = 250_000;

/// See the module.
pub(crate) struct AllowList {
    registry: Arc<dyn TerminalRegistry>,
    /// After so long the register is asked again: by then a change made through another gateway is seen here.
    refresh: Duration,
    trust_unlisted: bool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Standing of each certificate, by fingerprint, and when it was asked for.
    standings: HashMap<String, (Standing, Instant)>,
    /// Counts changes: an answer that was asked for before one is not remembered after it.
    changes: u64,
}

/// A manifest that a key of this terminal signed.
pub(crate) struct Believed {
    pub(crate) manifest: Manifest,
    /// Signed with a key that was revoked since.
    pub(crate) revoked_key: bool,
}

impl AllowList {
    pub(crate) fn new(registry: Arc<dyn TerminalRegistry>, settings: &Settings) -> Self {
        let (refresh, trust_unlisted) =
            (Duration::from_secs(settings.refresh_seconds), settings.trust_unlisted);
        Self { registry, refresh, trust_unlisted, known: Mutex::default() }
    }

    /// What this certificate is worth now. When the register cannot be asked, nothing is: an old answer could be
    /// the one from before a theft, and without its store the gateway can keep no record anyway.
    pub(crate) async fn standing(&self, certificate: &TerminalCertificate) -> Result<Standing, StoreError> {
        let asked = instant();
        let changes = {
            let known = self.locked();
            if let Some((standing, since)) = known.standings.get(&certificate.fingerprint)
                && asked.duration_since(*since) < self.refresh
            {
                return Ok(*standing);
            }
            known.changes
        };
        let (code, fingerprint) = (&certificate.code, &certificate.fingerprint);
        let mut standing = self.registry.standing(code, fingerprint).await?;
        if standing == Standing::Unlisted && self.trust_unlisted {
            tracing::info!(terminal = %code, %fingerprint, "a certificate is listed at first sight");
            self.registry.list(certificate.for_the_list(now_ms())).await?;
            standing = self.registry.standing(code, fingerprint).await?;
        }
        if standing != Standing::Listed {
            tracing::warn!(alarm = true, terminal = %code, %fingerprint, ?standing, "a certificate is not good");
        }
        let mut known = self.locked();
        if known.standings.len() >= MOST {
            known.standings.clear();
        }
        if known.changes == changes {
            known.standings.insert(fingerprint.clone(), (standing, asked));
        }
        Ok(standing)
    }

    /// Forgets what is known, because something was changed through this gateway.
    pub(crate) fn changed(&self) {
        let mut known = self.locked();
        known.standings.clear();
        known.changes += 1;
    }

    /// Checks a manifest with the key of the certificate, and when that does not fit with the keys this terminal
    /// had before: records that were signed before a new key was enrolled are still in its queue.
    pub(crate) async fn believe(
        &self,
        certificate: &TerminalCertificate,
        manifest: &str,
    ) -> Result<Result<Believed, ProtocolError>, StoreError> {
        let error = match Manifest::verify(manifest, &certificate.key) {
            Ok(manifest) => return Ok(Ok(Believed { manifest, revoked_key: false })),
            Err(error) => error,
        };
        if error != ProtocolError::BadSignature {
            return Ok(Err(error));
        }
        for former in self.registry.keys(&certificate.code).await? {
            let Ok(key) = TerminalPublicKey::from_spki_der(&former.public_key) else { continue };
            if let Ok(manifest) = Manifest::verify(manifest, &key) {
                return Ok(Ok(Believed { manifest, revoked_key: former.revoked }));
            }
        }
        Ok(Err(error))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
