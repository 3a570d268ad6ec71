//! What must be true whatever the monkey does.

use std::collections::BTreeSet;

use anyhow::Result;
use simulator::cards::CARDS;
use simulator::client::Elements;

use super::Findings;
use crate::workshop::Kiosk;

/// The process that is played with.
pub const PROCESS: &str = "kiosk-app";

/// Judges.
pub struct Judge {
    pid: Option<i32>,
    names: BTreeSet<&'static str>,
}

impl Judge {
    /// Of this kiosk, as it runs now.
    pub async fn of(kiosk: &Kiosk) -> Result<Self> {
        let pid = kiosk.process(PROCESS).await?.pid;
        Ok(Self { pid, names: CARDS.iter().map(|card| card.name).collect() })
    }

    /// Two residents never share a screen, and nobody is at home.
    pub fn screen(&self, shown: &Elements, findings: &mut Findings) {
        let on_it = self.persons(shown);
        findings.persons_seen += u64::from(!on_it.is_empty());
        if on_it.len() > 1 {
            findings.violations.push(format!("{on_it:?} on one screen, {:?}", shown.screen));
        }
        if shown.screen == "home" && !on_it.is_empty() {
            findings.violations.push(format!("{on_it:?} on the home screen"));
        }
    }

    fn persons(&self, shown: &Elements) -> Vec<&'static str> {
        let says = |text: &str| {
            shown.elements.iter().any(|each| {
                each.label.contains(text) || each.value.as_ref().is_some_and(|value| value.contains(text))
            })
        };
        self.names.iter().copied().filter(|name| says(name)).collect()
    }

    /// It runs, and is the one that was started.
    pub async fn process(&self, kiosk: &Kiosk, findings: &mut Findings) -> Result<()> {
        let now = kiosk.process(PROCESS).await?;
        if now.restarts > 0 || !now.running || now.pid != self.pid {
            let how = now.last_exit.unwrap_or_default();
            findings.violations.push(format!("{PROCESS} ended ({how})\n{}", kiosk.logs()));
        }
        Ok(())
    }

    /// A thread that panicked is started again, and says so in the log.
    pub fn log(&self, log: &str, findings: &mut Findings) {
        findings.violations.extend(log.lines().filter(|line| line.contains("panicked")).map(str::to_owned));
        let named = |name: &&'static str| log.contains(*name);
        findings
            .violations
            .extend(self.names.iter().filter(|name| named(name)).map(|name| format!("{name} in the log")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(screen: &str, labels: &[&str]) -> Elements {
        let elements: Vec<_> = labels
            .iter()
            .map(|label| serde_json::json!({ "label": label, "x": 0.0, "y": 0.0, "w": 1.0, "h": 1.0 }))
            .collect();
        serde_json::from_value(serde_json::json!({ "screen": screen, "elements": elements })).unwrap()
    }

    #[test]
    fn broken_promises_are_seen() {
        let judge = Judge { pid: None, names: CARDS.iter().map(|card| card.name).collect() };
        let violations = |screen: &str, labels: &[&str]| {
            let mut findings = Findings::default();
            judge.screen(&shown(screen, labels), &mut findings);
            findings.violations.len()
        };
        assert_eq!(violations("review", &["姓名 何润添"]), 0);
        assert_eq!(violations("review", &["姓名 何润添", "陈桂英"]), 1);
        assert_eq!(violations("home", &["何润添"]), 1);
        let mut findings = Findings::default();
        judge.log("thread 'printer' panicked at x\nall well\n陈桂英", &mut findings);
        assert_eq!(findings.violations.len(), 2);
    }
}
