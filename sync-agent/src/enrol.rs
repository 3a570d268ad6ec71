//! How this terminal comes to its certificate, keeps it fresh, and follows the city when it changes its authority.
//!
//! A terminal starts with the city's authority, the city's receipt key and a voucher. It makes its key itself; the
//! key never leaves it. From then on it renews by itself, also with a certificate that has long expired, and learns
//! new authorities from a statement signed with the receipt key.
//!
//! Deliberately absent: any decision by the terminal's own clock, and any belief in an unverified connection but in
//! the city's signed statement of its authorities.

mod anchors;
pub(crate) mod certificate;
mod city_verifier;
mod exchange;
pub(crate) mod files;
mod keeper;
pub(crate) mod key;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use anchors::{Anchors, Anybody};
pub(crate) use city_verifier::{CityTime, CityVerifier};
pub use exchange::EnrolError;
pub(crate) use keeper::{Keeper, Signals};
pub use key::TerminalKeyHolder;

use crate::backoff::Backoff;
use crate::{AgentError, Config};
use exchange::Door;
use files::{CERTIFICATE, PREVIOUS_CERTIFICATE, VOUCHER};

/// Enrols with a voucher, once. The key is made when there is none; the certificate replaces an earlier one.
pub async fn enrol(config: &Config, voucher: &str) -> Result<(), AgentError> {
    let time = Arc::new(CityTime::start(None));
    let door = Door::of_enrolment(config, time)?;
    door.enrol(voucher).await.map_err(AgentError::Enrol)
}

/// Enrols with this voucher, or with the one in the folder of keys, which is then removed.
pub async fn enrol_now(config: &Config, voucher: Option<&str>) -> Result<(), AgentError> {
    let kept = voucher_file(&config.keys);
    let voucher = voucher.or(kept.as_deref()).ok_or(AgentError::Key(VOUCHER))?;
    enrol(config, voucher).await?;
    use_up_voucher(&config.keys, voucher);
    Ok(())
}

/// Makes sure that there is a certificate: when there is none but a voucher file, enrols with it, and goes on trying
/// until that succeeds, a new voucher is put there, or nothing is left to try with.
pub async fn enrol_when_needed(config: &Config) -> Result<(), AgentError> {
    let backoff = Backoff { base_ms: config.sync.retry_base_ms, cap_ms: config.sync.retry_cap_ms };
    let mut failures = 0;
    loop {
        let has_certificate =
            [CERTIFICATE, PREVIOUS_CERTIFICATE].iter().any(|name| config.keys.join(name).exists());
        let Some(voucher) = voucher_file(&config.keys).filter(|_| !has_certificate) else { return Ok(()) };
        match enrol(config, &voucher).await {
            Ok(()) => {
                use_up_voucher(&config.keys, &voucher);
                return Ok(());
            }
            Err(error) => {
                failures += 1;
                tracing::error!(error = %chain(&error), failures, "the terminal could not be enrolled");
                let wait = backoff.delay_ms(failures, rand::random()).max(config.sync.retry_base_ms);
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
        }
    }
}

/// The voucher that somebody put into the folder of keys.
fn voucher_file(keys: &Path) -> Option<String> {
    let text = std::fs::read_to_string(keys.join(VOUCHER)).ok()?;
    let voucher = text.trim();
    (!voucher.is_empty() && voucher.len() <= 200).then(|| voucher.to_owned())
}

/// Removes the voucher that was used, unless another one has taken its place.
fn use_up_voucher(keys: &Path, used: &str) {
    if voucher_file(keys).as_deref() == Some(used)
        && let Err(error) = std::fs::remove_file(keys.join(VOUCHER))
    {
        tracing::warn!(%error, "a used voucher could not be removed");
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
