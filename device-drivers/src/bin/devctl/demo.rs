//! The faults of a running demo's devices, over the HTTP that its page uses too.

use std::time::Duration;

use serde_json::{Map, Value};

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
    /// reader, printer, or another device of the demo
    device: String,
    /// A fault's name, `none`, or switches, as paper=false or paper_ends_after_rows=120
    #[arg(required = true)]
    faults: Vec<String>,
}

impl Fault {
    pub fn run(self) -> Outcome {
        let url = format!("http://{}{}", self.address, path(&self.device)?);
        let faults: Map<String, Value> = self.faults.iter().map(|fault| switch(fault)).collect();
        post(&url, &Value::Object(faults).to_string())?;
        fact("device", &self.device);
        fact("fault", self.faults.join(" "));
        Ok(())
    }
}

fn path(device: &str) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match device {
        "reader" | "printer" => Ok(format!("/api/{device}")),
        _ if !device.is_empty() && device.chars().all(plain) => Ok(format!("/api/devices/{device}")),
        _ => Err(Failure::usage(format!("{device:?} is no device's name"))),
    }
}

/// One fault or switch as a field of the request.
fn switch(fault: &str) -> (String, Value) {
    match fault.split_once('=') {
        None if fault == "none" => ("fault".to_owned(), Value::Null),
        None => ("fault".to_owned(), fault.into()),
        // true, false, null and numbers are themselves; anything else is a word.
        Some((name, value)) => (name.to_owned(), value.parse().unwrap_or_else(|_| value.into())),
    }
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
    fn faults_and_switches_become_fields() {
        assert_eq!(switch("none"), ("fault".to_owned(), Value::Null));
        assert_eq!(switch("stale"), ("fault".to_owned(), "stale".into()));
        assert_eq!(switch("paper=false"), ("paper".to_owned(), false.into()));
        assert_eq!(switch("paper_ends_after_rows=120"), ("paper_ends_after_rows".to_owned(), 120.into()));
        assert_eq!(switch("trouble=jam"), ("trouble".to_owned(), "jam".into()));
        assert_eq!(path("printer").ok().as_deref(), Some("/api/printer"));
        assert_eq!(path("camera").ok().as_deref(), Some("/api/devices/camera"));
        assert!(path("../state").is_err() && path("").is_err());
    }
}
