//! The faults of a running demo's devices, over the HTTP that its page uses too.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::answer::{Failure, Outcome, fact};
use crate::words::Advice;

/// How long the demo may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
const NO_DEMO: Advice = Advice {
    english: "Start the demo and take the address that it prints.",
    chinese: "请先启动演示程序，并使用它显示的地址。",
};
const NOT_UNDERSTOOD: Advice = Advice {
    english: "Look at the demo's page: it has a switch for each device and fault.",
    chinese: "请查看演示页面：每个设备和故障都有开关。",
};

#[derive(clap::Args)]
pub struct Fault {
    /// Address of the demo's page, as 127.0.0.1:8710
    address: String,
    /// Name of the device, as id-card-reader or receipt-printer
    device: String,
    /// A fault's name, with its number if it takes one (paper-ends:120), `none`, or a control (paper=false)
    #[arg(required = true)]
    faults: Vec<String>,
}

impl Fault {
    pub fn run(self) -> Outcome {
        let url = format!("http://{}{}", self.address, path(&self.device)?);
        let faults: Map<String, Value> = self.faults.iter().map(|fault| field(fault)).collect();
        post(&url, &Value::Object(faults).to_string())?;
        fact("device", &self.device);
        fact("fault", self.faults.join(" "));
        Ok(())
    }
}

fn path(device: &str) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if device.is_empty() || !device.chars().all(plain) {
        return Err(Failure::usage(format!("{device:?} is no device's name")));
    }
    Ok(format!("/api/devices/{device}"))
}

/// One fault or control as a field of the request.
fn field(text: &str) -> (String, Value) {
    // true, false, null and numbers are themselves; anything else is a word.
    let value = |text: &str| text.parse().unwrap_or_else(|_| text.into());
    if let Some((control, wanted)) = text.split_once('=') {
        return (control.to_owned(), value(wanted));
    }
    let fault = match text.split_once(':') {
        Some((name, number)) => json!({ "name": name, "number": value(number) }),
        None if text == "none" => Value::Null,
        None => text.into(),
    };
    ("fault".to_owned(), fault)
}

fn post(url: &str, body: &str) -> Outcome {
    let settings = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None);
    let agent = ureq::Agent::new_with_config(settings.build());
    let refused = |error: ureq::Error| Failure::refused(format!("the demo: {error}"), "start-demo", NO_DEMO);
    let mut answer = agent.post(url).content_type("application/json").send(body).map_err(refused)?;
    let text = answer.body_mut().read_to_string().map_err(refused)?;
    if answer.status().is_success() {
        return Ok(());
    }
    let sentence = serde_json::from_str::<Value>(&text).ok();
    let sentence = sentence.as_ref().and_then(|answer| answer["error"].as_str()).unwrap_or("no reason given");
    let what = format!("the demo refuses ({}): {sentence}", answer.status().as_u16());
    Err(Failure::refused(what, "look-at-page", NOT_UNDERSTOOD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_controls_become_fields() {
        assert_eq!(field("none"), ("fault".to_owned(), Value::Null));
        assert_eq!(field("stale"), ("fault".to_owned(), "stale".into()));
        assert_eq!(field("late:300"), ("fault".to_owned(), json!({ "name": "late", "number": 300 })));
        assert_eq!(field("paper=false"), ("paper".to_owned(), false.into()));
        assert_eq!(field("power=battery"), ("power".to_owned(), "battery".into()));
        assert_eq!(path("ups").ok().as_deref(), Some("/api/devices/ups"));
        assert!(path("../state").is_err() && path("").is_err());
    }
}
