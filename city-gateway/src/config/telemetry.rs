//! `[telemetry]`: to whom the gateway's figures are sent.

use serde::Deserialize;

use super::ConfigError;

/// Figures for a collector of OpenTelemetry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Its address for OTLP over HTTP, such as `http://127.0.0.1:4318`.
    pub otlp: Option<String>,
    /// Seconds between two messages.
    pub every_seconds: u64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp: None, every_seconds: 60 }
    }
}

/// A collector's address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collector {
    /// Host and port.
    pub(crate) authority: String,
    /// Path of its metrics.
    pub(crate) path: String,
}

impl Telemetry {
    /// The collector, when there is one.
    pub(crate) fn collector(&self) -> Result<Option<Collector>, ConfigError> {
        let Some(address) = &self.otlp else { return Ok(None) };
        let wrong = || ConfigError::Collector(address.clone());
        let uri: axum::http::Uri = address.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") || uri.query().is_some() || self.every_seconds == 0 {
            return Err(wrong());
        }
        let host = uri.host().ok_or_else(wrong)?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(4318));
        Ok(Some(Collector { authority, path: format!("{}/v1/metrics", uri.path().trim_end_matches('/')) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_with_its_scheme_and_needs_no_port() {
        let collector =
            |otlp: &str| Telemetry { otlp: Some(otlp.into()), ..Telemetry::default() }.collector();
        let good = collector("http://collector.city/otlp/").unwrap().unwrap();
        let expected = Collector { authority: "collector.city:4318".into(), path: "/otlp/v1/metrics".into() };
        assert_eq!(good, expected);
        assert_eq!(collector("http://[::1]:9").unwrap().unwrap().authority, "[::1]:9");
        for wrong in ["https://collector.city", "collector.city:4318", "http://", "http://c/?a=b"] {
            assert!(collector(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Telemetry::default().collector().unwrap(), None);
    }
}
