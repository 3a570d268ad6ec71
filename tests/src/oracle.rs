//! What must hold, whatever was killed or cut: every printed receipt is exactly one case in the city,
//! with the content that was sealed, and the city holds nothing that was not finalised.

use crate::workshop::read_qr;
use anyhow::{Context, Result};
use kiosk_core::receipt_code;
use simulator::client::{Client, InboxRecord, QueueRecord};
use std::collections::HashMap;

/// What was compared, for the message at the end of a long test.
#[derive(Debug, Default)]
pub struct Findings {
    /// Receipts whose QR could be read: what a resident holds in the hand.
    pub receipts: usize,
    /// Records that the terminal finalised.
    pub finalised: usize,
    /// Records that the city holds.
    pub received: usize,
    /// Everything that must not be.
    pub violations: Vec<String>,
}

/// Compares paper, terminal and city. Call it after faults have stopped and deliveries were given time.
pub async fn judge(kiosk: &Client) -> Result<Findings> {
    let queue = kiosk.whole_queue().await?;
    let inbox = kiosk.inbox().await?;
    let mut findings =
        Findings { finalised: queue.records.len(), received: inbox.len(), ..Findings::default() };
    let finalised: HashMap<&str, &QueueRecord> =
        queue.records.iter().map(|record| (record.case_id.as_str(), record)).collect();
    only_finalised(&inbox, &finalised, &mut findings.violations);
    each_once(&inbox, &mut findings.violations);
    all_arrived(&queue.records, &inbox, &mut findings.violations);
    let promised = promises(kiosk).await?;
    findings.receipts = promised.len();
    for (code, number) in promised {
        kept(&code, number.as_deref(), &inbox, &mut findings.violations);
    }
    Ok(findings)
}

/// The verification codes on paper, and the case number the city knows for each.
async fn promises(kiosk: &Client) -> Result<Vec<(String, Option<String>)>> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut promises = Vec::new();
    for receipt in kiosk.receipts().await? {
        // A strip that broke off before its QR promises nothing that can be looked up.
        let Ok(address) = read_qr(&kiosk.receipt_png(receipt.id).await?) else { continue };
        let code = receipt_code::parse(&address).context("the QR holds what a kiosk reads, too")?;
        let code = code.verification.expose().clone();
        let page = http.get(&address).header("accept", "application/json").send().await?;
        let told: serde_json::Value = page.json().await?;
        promises.push((code, told["case_number"].as_str().map(str::to_owned)));
    }
    Ok(promises)
}

fn kept(code: &str, number: Option<&str>, inbox: &[InboxRecord], violations: &mut Vec<String>) {
    let Some(number) = number else {
        violations.push(format!("a receipt was printed, and the city does not know its code {code}"));
        return;
    };
    let cases =
        inbox.iter().filter(|record| record.kind == "case" && record.case_number.as_deref() == Some(number));
    let count = cases.count();
    if count != 1 {
        violations.push(format!("the printed case {number} is {count} times in the city"));
    }
}

fn only_finalised(
    inbox: &[InboxRecord],
    finalised: &HashMap<&str, &QueueRecord>,
    violations: &mut Vec<String>,
) {
    for record in inbox {
        match finalised.get(record.case_id.as_str()) {
            None => violations.push(format!("the city holds {}, which was never finalised", record.case_id)),
            Some(original) if original.sha256 != record.sha256 => {
                violations.push(format!("{} arrived with another content", record.case_id));
            }
            Some(_) => {}
        }
        if record.status != "opened" && record.status != "received" {
            violations.push(format!("{} ended as {}: {:?}", record.case_id, record.status, record.reason));
        }
    }
}

fn each_once(inbox: &[InboxRecord], violations: &mut Vec<String>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for record in inbox {
        *seen.entry(&record.case_id).or_default() += 1;
    }
    for (case_id, count) in seen.into_iter().filter(|(_, count)| *count != 1) {
        violations.push(format!("{case_id} is {count} times in the city"));
    }
}

fn all_arrived(finalised: &[QueueRecord], inbox: &[InboxRecord], violations: &mut Vec<String>) {
    for record in finalised {
        if !inbox.iter().any(|received| received.case_id == record.case_id) {
            violations
                .push(format!("{} was finalised ({}) and is not in the city", record.case_id, record.state));
        }
    }
}
